//! The pages a reader sees: subscribe, confirm, preferences, unsubscribe.
//!
//! Mail scanners follow every link and some run page scripts, so GET and HEAD show and only the press of a visible
//! button (POST) changes anything. There is no script, no cookie and nothing from elsewhere on these pages.

mod access;
mod confirm;
mod form;
mod limits;
mod often;
mod pages;
mod preferences;
mod subscribe;
#[cfg(test)]
mod tests;
mod unsubscribe;
mod visitor;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri};
use axum::middleware::map_response;
use axum::response::{Redirect, Response};
use axum::routing::get;
use mail::{Locale, Site};
use subscription::Selection;
use tokio::time::Instant;
use url::Url;

use crate::catalogue::Catalogue;
use crate::config::Config;
use crate::links::Keys;
use crate::store::{Store, StoreError};
use crate::subscriber::{SubscriberId, Subscription};
use form::Unread;
use limits::Limits;
use pages::{Chrome, Message, render};
use visitor::Visitor;

/// What the pages are made from and act on.
pub(crate) struct Web {
    store: Store,
    keys: Keys,
    catalogue: Arc<Catalogue>,
    site: Site,
    pages_url: Url,
    public_url: Url,
    client_ip_header: Option<String>,
    /// IANA name of the zone that the form begins with.
    zone: String,
    limits: Limits,
}

/// When to come back while the store is away: it reconnects within seconds.
const AWAY_FOR: Duration = Duration::from_secs(10);

impl Web {
    pub(crate) fn new(config: &Config, store: Store, keys: Keys, catalogue: Arc<Catalogue>) -> Self {
        Self {
            store,
            keys,
            catalogue,
            site: config.site.clone(),
            pages_url: config.pages_url.clone(),
            public_url: config.public_url.clone(),
            client_ip_header: config.client_ip_header.clone(),
            zone: config.zone.clone(),
            limits: Limits::default(),
        }
    }

    fn chrome(&self, locale: Locale) -> Chrome<'_> {
        Chrome::new(locale, &self.site, &self.pages_url)
    }

    /// A page of ours without a token.
    fn url_of(&self, page: &str) -> Url {
        let mut url = self.public_url.clone();
        url.path_segments_mut().expect("the site's URLs were checked: http or https").pop_if_empty().push(page);
        url
    }

    /// What a subscriber asked for, in words.
    fn topic(&self, selection: &Selection, locale: Locale) -> String {
        self.catalogue.topic_for_owner(selection, &[]).words(locale)
    }

    /// The same with how often it is sent.
    fn topic_and_how(&self, subscription: &Subscription, chrome: &Chrome<'_>) -> String {
        let topic = self.topic(&subscription.selection, chrome.locale);
        chrome.say_with("topic-and-how", &[("topic", &topic), ("how", &often::words(chrome, subscription.frequency))])
    }

    fn subscribe_link(&self, chrome: &Chrome<'_>) -> (String, String) {
        (self.url_of("subscribe").into(), chrome.say("subscribe-again"))
    }

    /// Keeps whoever lets a script press the buttons of one record from the others' share.
    fn too_fast(&self, id: SubscriberId, visitor: &Visitor) -> Option<Response> {
        let wait = self.limits.owners.take(id, Instant::now()).err()?;
        let page = Message::new(self.chrome(visitor.locale()), "busy-title", "busy-text");
        Some(retry_after(render(StatusCode::TOO_MANY_REQUESTS, &page), wait))
    }

    /// A form that could not be taken in. Nothing was changed by it.
    fn unread(&self, locale: Locale, why: Unread) -> Response {
        let (status, heading, text) = match why {
            Unread::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large-title", "too-large-text"),
            Unread::TooSlow => (StatusCode::REQUEST_TIMEOUT, "slow-title", "slow-text"),
        };
        let chrome = self.chrome(locale);
        render(status, &Message::new(chrome, heading, text))
    }

    /// The records are out of reach.
    fn away(&self, locale: Locale, error: &StoreError) -> Response {
        tracing::warn!(%error, "a reader was asked to try again");
        let page = Message::new(self.chrome(locale), "away-title", "away-text");
        retry_after(render(StatusCode::SERVICE_UNAVAILABLE, &page), AWAY_FOR)
    }
}

/// Adds `Retry-After`, in whole seconds, at least one.
fn retry_after(mut response: Response, wait: Duration) -> Response {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    response
}

pub(crate) fn router(web: Web) -> Router {
    // A token is a key to somebody's subscriptions and no search engine's business.
    let token_pages = Router::new()
        .route("/confirm/{token}", get(confirm::show).post(confirm::press))
        .route("/preferences/{token}", get(preferences::show).post(preferences::press))
        .route("/preferences/{token}/erase", get(preferences::erase::show).post(preferences::erase::press))
        .route("/unsubscribe/{token}", get(unsubscribe::show).post(unsubscribe::press))
        .layer(map_response(async |mut response: Response| {
            let robots = HeaderName::from_static("x-robots-tag");
            response.headers_mut().insert(robots, HeaderValue::from_static("noindex"));
            response
        }));
    let policy = HeaderValue::try_from(pages::content_security_policy()).expect("hashes are written in ASCII");
    let guard = move |mut response: Response| {
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // The address of a page holds its token.
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(CONTENT_SECURITY_POLICY, policy.clone());
        std::future::ready(response)
    };
    Router::new()
        .route("/", get(home))
        .route("/subscribe", get(subscribe::show).post(subscribe::submit))
        .route("/preferences", get(access::show).post(access::submit))
        .merge(token_pages)
        .fallback(unknown)
        .layer(map_response(guard))
        .with_state(Arc::new(web))
}

/// Mail says where to subscribe by the address of the service alone.
async fn home(State(web): State<Arc<Web>>, uri: Uri) -> Redirect {
    let mut url = web.url_of("subscribe");
    url.set_query(uri.query());
    Redirect::temporary(url.as_str())
}

async fn unknown(State(web): State<Arc<Web>>, visitor: Visitor) -> Response {
    let mut page = Message::new(web.chrome(visitor.locale()), "unknown-title", "unknown-text");
    page.link = Some(web.subscribe_link(&page.chrome));
    render(StatusCode::NOT_FOUND, &page)
}
