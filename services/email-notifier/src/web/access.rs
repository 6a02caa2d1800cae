//! Whoever has no link to their preference page gets one by mail.
//!
//! The answer tells nothing about the address: known or not, it is the same page after the same time.

use std::net::SocketAddr;
use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use mail::{Address, Locale};
use service_kit::client;
use tokio::time::Instant;

use super::form::Fields;
use super::pages::{Chrome, Message, STYLE, TRAP, render};
use super::subscribe::{ANSWER_AFTER, words_for};
use super::visitor::Visitor;
use super::{AWAY_FOR, Web, retry_after};

#[derive(Template)]
#[template(path = "access.html")]
struct Access<'a> {
    chrome: Chrome<'a>,
    /// The id of what is said above the form.
    notice: Option<&'static str>,
    /// The id of what went wrong as a whole.
    problem: Option<&'static str>,
    /// Where the form is sent; relative.
    action: String,
    address: &'a str,
    /// The id of what is wrong with the address.
    wrong_address: Option<&'static str>,
}

impl<'a> Access<'a> {
    fn new(web: &'a Web, locale: Locale) -> Self {
        let chrome = web.chrome(locale).in_other_languages(&[]);
        Self { chrome, notice: None, problem: None, action: String::new(), address: "", wrong_address: None }
    }
}

pub(super) async fn show(State(web): State<Arc<Web>>, visitor: Visitor) -> Response {
    let mut page = Access::new(&web, visitor.locale());
    page.notice = (visitor.query.get("done") == "erase").then_some("done-erase");
    render(StatusCode::OK, &page)
}

/// The same form in place of a page whose link is too old, not ours, or of somebody who is forgotten. `up` leads from
/// there to where our pages begin.
pub(super) fn expired(web: &Web, visitor: &Visitor, up: &str) -> Response {
    let mut page = Access::new(web, visitor.locale());
    page.notice = Some("access-expired");
    page.action = format!("{up}/preferences");
    render(StatusCode::NOT_FOUND, &page)
}

pub(super) async fn submit(
    State(web): State<Arc<Web>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    visitor: Visitor,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let answer_at = Instant::now() + ANSWER_AFTER;
    let locale = visitor.locale();
    let fields = match Fields::read(body).await {
        Ok(fields) => fields,
        Err(why) => return web.unread(locale, why),
    };
    let mut page = Access::new(&web, locale);
    page.address = fields.get("address");
    let from = client::network(peer, &headers, web.client_ip_header.as_deref());
    let busy = |mut page: Access<'_>, wait| {
        page.problem = Some("problem-busy");
        retry_after(render(StatusCode::TOO_MANY_REQUESTS, &page), wait)
    };
    if let Err(wait) = web.limits.clients.take(from, Instant::now()) {
        return busy(page, wait);
    }
    if fields.get(TRAP).is_empty() {
        let address = match page.address.parse::<Address>() {
            Ok(address) => address,
            Err(problem) => {
                page.wrong_address = Some(words_for(problem));
                return render(StatusCode::UNPROCESSABLE_ENTITY, &page);
            }
        };
        if let Err(wait) = web.limits.domains.take(address.domain().to_owned(), Instant::now()) {
            return busy(page, wait);
        }
        if let Err(error) = web.ask_for_link(&address).await {
            tracing::warn!(%error, "a request for a link could not be kept");
            page.problem = Some("problem-away");
            return retry_after(render(StatusCode::SERVICE_UNAVAILABLE, &page), AWAY_FOR);
        }
    }
    tokio::time::sleep_until(answer_at).await;
    let mut page = Message::new(web.chrome(locale), "link-sent-title", "link-sent-text");
    page.paragraphs.push(page.chrome.say("link-sent-hint"));
    render(StatusCode::OK, &page)
}

impl Web {
    /// Notes in the record of `address`, if there is one, that its owner is to be mailed a link.
    async fn ask_for_link(&self, address: &Address) -> Result<(), crate::store::StoreError> {
        let Some(subscriber) = self.store.at(address).await? else { return Ok(()) };
        if self.store.suppressed(address).await?.is_some() {
            return Ok(());
        }
        let now = service_kit::now();
        self.store.update(subscriber.id, |subscriber| subscriber.ask_for_link(now)).await?;
        tracing::info!(address = address.masked(), "a link to the preferences was asked for");
        Ok(())
    }
}
