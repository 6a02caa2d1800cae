//! Which address is answered with which document.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use article::ArticleId;
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use feed::Format;
use service_kit::client;
use subscription::InvalidSelection;
use tokio::time::Instant;

use crate::address::{Address, Misspelt};
use crate::answer::{self, ARCHIVED, FRESH, SETTLED, Terms, enough, preflight, secure, share};
use crate::conditional::{Accepted, is_conditional, known, weighted};
use crate::document::tag_of;
use crate::html::{self, STYLE, STYLE_PATH};
use crate::library::Key;
use crate::maker::{Made, Maker};
use crate::patience::{Patience, is_shared};
use crate::site::Site;
use crate::words::{Said, Words};

/// The style sheet's address changes with it.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

pub(crate) struct Shelf {
    site: Site,
    maker: Maker,
    patience: Patience,
    client_ip_header: Option<String>,
}

type Shared = State<Arc<Shelf>>;

/// `client_ip_header`: as for [`client::network`].
pub(crate) fn router(site: Site, maker: Maker, client_ip_header: Option<String>) -> Router {
    let shelf = Shelf { site, maker, patience: Patience::new(), client_ip_header };
    Router::new()
        .route("/", open(get(directory)))
        .route("/feeds/{*path}", open(get(feed)))
        .route("/feeds.opml", open(get(opml)))
        .route("/articles/{id}", open(get(article)))
        .route("/sitemap-news.xml", open(get(news_sitemap)))
        .route("/robots.txt", get(robots))
        .route(&STYLE_PATH, get(style))
        .fallback(async |State(shelf): Shared| shelf.unmade(&Made::Nothing))
        .with_state(Arc::new(shelf))
}

/// For pages of other sites, too.
fn open(method: MethodRouter<Arc<Shelf>>) -> MethodRouter<Arc<Shelf>> {
    method.options(preflight)
}

async fn directory(State(shelf): Shared, request: Request) -> Response {
    shelf.answer(Key::Directory, request, FRESH, false).await
}

async fn opml(State(shelf): Shared, request: Request) -> Response {
    shelf.answer(Key::Opml, request, FRESH, false).await
}

async fn news_sitemap(State(shelf): Shared, request: Request) -> Response {
    shelf.answer(Key::NewsSitemap, request, FRESH, false).await
}

/// `/feeds/{selection}` is the HTML page, or what `Accept` prefers; with an extension it is that format, always. An
/// archive's is a page of older articles, in the same way.
async fn feed(State(shelf): Shared, request: Request) -> Response {
    let address = match Address::read(request.uri().path().strip_prefix("/feeds/").unwrap_or_default()) {
        Ok(address) => address,
        Err(Misspelt::Otherwise) => return shelf.unmade(&Made::Nothing),
        Err(Misspelt::Selection(error)) => return shelf.no_selection(&error),
    };
    if !address.canonical {
        return moved(&address.url(&shelf.site));
    }
    if address.page.is_some() {
        return shelf.answer(address.key(None), request, ARCHIVED, false).await;
    }
    let negotiated = address.format.is_none();
    let preferred = if negotiated { negotiate(request.headers()) } else { None };
    shelf.answer(address.key(preferred), request, FRESH, negotiated).await
}

async fn article(State(shelf): Shared, request: Request) -> Response {
    let id = request.uri().path().strip_prefix("/articles/").unwrap_or_default();
    let parsed = id.parse::<ArticleId>();
    match parsed {
        Ok(parsed) if parsed.token() == id => shelf.answer(Key::Article(parsed), request, FRESH, false).await,
        Ok(parsed) => moved(&shelf.site.article(parsed)),
        Err(_) => shelf.unmade(&Made::Nothing),
    }
}

async fn style(headers: HeaderMap) -> Response {
    static TAG: LazyLock<String> = LazyLock::new(|| tag_of(STYLE.as_bytes()));
    let mut response = Response::new(Body::empty());
    if known(&headers, &TAG, &Accepted::of(&headers)).is_some() {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else {
        *response.body_mut() = Body::from(STYLE);
        insert(&mut response, header::CONTENT_TYPE, "text/css; charset=utf-8");
        secure(response.headers_mut());
    }
    insert(&mut response, header::ETAG, &format!("\"{}\"", *TAG));
    insert(&mut response, header::CACHE_CONTROL, FOR_EVER);
    response
}

/// Crawlers are welcome, and told where the news is; a hub has nothing to read.
async fn robots(State(shelf): Shared) -> Response {
    let sitemap = shelf.site.links.to("/sitemap-news.xml");
    let mut response = Response::new(Body::from(format!("User-agent: *\nDisallow: /hub\n\nSitemap: {sitemap}\n")));
    insert(&mut response, header::CONTENT_TYPE, "text/plain; charset=utf-8");
    insert(&mut response, header::CACHE_CONTROL, SETTLED);
    response
}

/// The form that `Accept` likes best; the page where it does not care (`*/*`) or likes it as well as a feed.
fn negotiate(headers: &HeaderMap) -> Option<Format> {
    let weight = |names: &[&str]| {
        let is_named = |name: &str| names.iter().any(|other| name.eq_ignore_ascii_case(other));
        let weights = weighted(headers, header::ACCEPT).filter(|(name, _)| is_named(name)).map(|(_, weight)| weight);
        weights.max().unwrap_or_default()
    };
    let page = weight(&["text/html", "application/xhtml+xml", "text/*", "*/*"]);
    let feeds = Format::ALL.map(|format| match format {
        Format::Json => (format, weight(&[format.media_type(), "application/json"])),
        _ => (format, weight(&[format.media_type()])),
    });
    // The first of equals.
    let best = feeds.into_iter().rev().max_by_key(|(_, weight)| *weight);
    best.filter(|(_, weight)| *weight > page).map(|(format, _)| format)
}

impl Shelf {
    async fn answer(&self, key: Key, request: Request, cache: &'static str, negotiated: bool) -> Response {
        // Whatever it has for a body is none of ours.
        let (request, _) = request.into_parts();
        let client = self.client(&request);
        let made = match client {
            Some(client) => self.maker.get_for(client, &key).await,
            None => self.maker.get(&key).await,
        };
        let document = match made {
            Made::Document(document) => document,
            unmade => return self.unmade(&unmade),
        };
        if document.is_live()
            && request.method == Method::GET
            && !is_conditional(&request.headers)
            && let Some(client) = client
            && let Some(wait) = self.spent(client, &key, &document.tag, &request.headers)
        {
            return enough(wait);
        }
        let terms = Terms { cache, negotiated };
        let mut response =
            answer::answer(&document, self.maker.packer(), &request.method, &request.headers, terms).await;
        // A feed's own address and its hub are in the feed; a page has both in its headers only.
        if let Key::Feed(selection, None) = &key {
            let links = format!("<{}>; rel=\"hub\", <{}>; rel=\"self\"", self.site.hub(), self.site.feed(selection));
            insert(&mut response, header::LINK, &links);
        }
        response
    }

    /// The network a request comes from; `None` where many may stand behind one address.
    fn client(&self, request: &Parts) -> Option<IpAddr> {
        let ConnectInfo(peer) = request.extensions.get::<ConnectInfo<SocketAddr>>()?;
        let network = client::network(*peer, &request.headers, self.client_ip_header.as_deref());
        Some(network).filter(|network| !is_shared(*network))
    }

    /// How long a reader must wait that never says what it has.
    fn spent(&self, client: IpAddr, key: &Key, tag: &str, headers: &HeaderMap) -> Option<Duration> {
        self.patience.spent(client, headers.get(header::USER_AGENT), key, tag, Instant::now())
    }

    /// 404; or 503 while the log is still being read, for then nobody knows yet, and while too many wait.
    fn unmade(&self, made: &Made) -> Response {
        match made {
            Made::Document(_) | Made::Nothing => self.message(StatusCode::NOT_FOUND, |words| words.missing, None),
            Made::Starting => self.later(|words| words.starting),
            Made::Busy => self.later(|words| words.busy),
        }
    }

    /// 404 for whoever wrote an expression by hand: what is wrong with it, and where.
    fn no_selection(&self, error: &InvalidSelection) -> Response {
        self.message(StatusCode::NOT_FOUND, |words| words.missing, Some(&error.to_string()))
    }

    fn later(&self, said: fn(&Words) -> Said) -> Response {
        let mut response = self.message(StatusCode::SERVICE_UNAVAILABLE, said, None);
        insert(&mut response, header::RETRY_AFTER, "5");
        response
    }

    fn message(&self, status: StatusCode, said: fn(&Words) -> Said, detail: Option<&str>) -> Response {
        let page = html::message(&self.site, said, detail);
        let mut response = Response::new(Body::from(page));
        *response.status_mut() = status;
        insert(&mut response, header::CONTENT_TYPE, "text/html; charset=utf-8");
        // What is not here now may be in a second.
        insert(&mut response, header::CACHE_CONTROL, "no-store");
        secure(response.headers_mut());
        share(response.headers_mut());
        response
    }
}

/// To the one true spelling of an address.
fn moved(to: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    insert(&mut response, header::LOCATION, to);
    insert(&mut response, header::CACHE_CONTROL, SETTLED);
    secure(response.headers_mut());
    share(response.headers_mut());
    response
}

fn insert(response: &mut Response, name: HeaderName, value: &str) {
    let value = HeaderValue::from_str(value).expect("tags, dates and encoded addresses are ASCII");
    response.headers_mut().insert(name, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_for_whoever_does_not_prefer_a_feed() {
        for (accept, format) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", None),
            ("*/*", None),
            ("", None),
            ("application/rss+xml", Some(Format::Rss)),
            ("application/atom+xml, application/rss+xml;q=0.9, */*;q=0.1", Some(Format::Atom)),
            ("application/rss+xml, application/atom+xml, text/html;q=0.5", Some(Format::Rss)),
            ("Application/JSON", Some(Format::Json)),
            ("application/feed+json;q=0.5, text/html", None),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(negotiate(&headers), format, "{accept}");
        }
    }
}
