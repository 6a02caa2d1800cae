//! Answers readers from the library.

use std::sync::{Arc, LazyLock};

use article::ArticleId;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use feed::Format;
use jiff::fmt::rfc2822::DateTimePrinter;
use subscription::Selection;

use crate::conditional::{is_unchanged, takes_gzip, weighted};
use crate::html::{self, CONTENT_SECURITY_POLICY, STYLE, STYLE_PATH};
use crate::library::{Document, Key, tag};
use crate::maker::{Made, Maker};
use crate::site::Site;
use crate::words::{Said, Words};

/// Readers and caches may keep an answer this long, as the feeds' own `ttl` says.
const CACHE_CONTROL: &str = "public, max-age=60";
/// The style sheet's address changes with it.
const STYLE_CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

pub(crate) struct Shelf {
    site: Site,
    maker: Maker,
}

type Shared = State<Arc<Shelf>>;

pub(crate) fn router(site: Site, maker: Maker) -> Router {
    Router::new()
        .route("/", get(directory))
        .route("/feeds/{*path}", get(feed))
        .route("/articles/{id}", get(article))
        .route(&STYLE_PATH, get(style))
        .fallback(async |State(shelf): Shared| shelf.unmade(&Made::Nothing))
        .with_state(Arc::new(Shelf { site, maker }))
}

async fn directory(State(shelf): Shared, headers: HeaderMap) -> Response {
    shelf.answer(&Key::Directory, &headers, "accept-encoding").await
}

/// `/feeds/{selection}` is the HTML page, or what `Accept` prefers; with an extension it is that format, always.
async fn feed(State(shelf): Shared, Path(path): Path<String>, headers: HeaderMap) -> Response {
    let Some((selection, format, canonical)) = parse(&path) else { return shelf.unmade(&Made::Nothing) };
    if !canonical {
        let extension = format.map(|format| format!(".{}", format.extension())).unwrap_or_default();
        return moved(&format!("{}{extension}", shelf.site.feed(&selection)));
    }
    match format {
        Some(format) => shelf.answer(&Key::Feed(selection, Some(format)), &headers, "accept-encoding").await,
        None => {
            let key = Key::Feed(selection, negotiate(&headers));
            shelf.answer(&key, &headers, "accept, accept-encoding").await
        }
    }
}

async fn article(State(shelf): Shared, Path(id): Path<String>, headers: HeaderMap) -> Response {
    match id.parse::<ArticleId>() {
        Ok(parsed) if parsed.token() == id => shelf.answer(&Key::Article(parsed), &headers, "accept-encoding").await,
        Ok(parsed) => moved(&shelf.site.article(parsed)),
        Err(_) => shelf.unmade(&Made::Nothing),
    }
}

async fn style(headers: HeaderMap) -> Response {
    static TAG: LazyLock<String> = LazyLock::new(|| tag(STYLE.as_bytes()));
    let mut response = if is_unchanged(&headers, &TAG) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE).into_response()
    };
    insert(&mut response, header::ETAG, &format!("\"{}\"", *TAG));
    insert(&mut response, header::CACHE_CONTROL, STYLE_CACHE_CONTROL);
    response
}

/// The selection, the format, and whether the path is the one true spelling of them.
fn parse(path: &str) -> Option<(Selection, Option<Format>, bool)> {
    let (name, format) = Format::ALL
        .into_iter()
        .find_map(|format| Some((path.strip_suffix(format.extension())?.strip_suffix('.')?, Some(format))))
        .unwrap_or((path, None));
    let selection: Selection = name.parse().ok()?;
    let canonical = selection.to_string() == name;
    Some((selection, format, canonical))
}

/// The form that `Accept` likes best; the page where it does not care (`*/*`) or likes it as well as a feed.
fn negotiate(headers: &HeaderMap) -> Option<Format> {
    let accepted = weighted(headers, header::ACCEPT);
    let weight = |names: &[&str]| {
        let weights = accepted.iter().filter(|(name, _)| names.contains(&name.as_str())).map(|(_, weight)| *weight);
        weights.fold(0.0, f32::max)
    };
    let page = weight(&["text/html", "application/xhtml+xml", "text/*", "*/*"]);
    let feeds = Format::ALL.map(|format| match format {
        Format::Json => (format, weight(&[format.media_type(), "application/json"])),
        _ => (format, weight(&[format.media_type()])),
    });
    // The first of equals.
    let best = feeds.into_iter().rev().max_by(|(_, a), (_, b)| a.total_cmp(b));
    best.filter(|(_, weight)| *weight > page).map(|(format, _)| format)
}

impl Shelf {
    async fn answer(&self, key: &Key, headers: &HeaderMap, vary: &str) -> Response {
        match self.maker.get(key).await {
            Made::Document(document) => serve(&document, headers, vary),
            unmade => self.unmade(&unmade),
        }
    }

    /// 404; or 503 while the log is still being read, for then nobody knows yet, and while too many wait.
    fn unmade(&self, made: &Made) -> Response {
        match made {
            Made::Document(_) | Made::Nothing => self.message(StatusCode::NOT_FOUND, |words| words.missing),
            Made::Starting => self.later(|words| words.starting),
            Made::Busy => self.later(|words| words.busy),
        }
    }

    fn later(&self, said: fn(&Words) -> Said) -> Response {
        let mut response = self.message(StatusCode::SERVICE_UNAVAILABLE, said);
        insert(&mut response, header::RETRY_AFTER, "5");
        response
    }

    fn message(&self, status: StatusCode, said: fn(&Words) -> Said) -> Response {
        let page = html::message(&self.site, said);
        let mut response = (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response();
        // What is not here now may be in a second.
        insert(&mut response, header::CACHE_CONTROL, "no-store");
        secure(&mut response);
        response
    }
}

/// 200, 304 or the document's own status. 304 carries the headers of the 200 that it stands for (RFC 9110, 15.4.5).
fn serve(document: &Document, headers: &HeaderMap, vary: &str) -> Response {
    let gzip = document.gzip.get().filter(|_| takes_gzip(headers));
    let unchanged = document.status == StatusCode::OK && is_unchanged(headers, &document.tag);
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let body = gzip.unwrap_or(&document.body).clone();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = document.status;
        insert(&mut response, header::CONTENT_TYPE, document.content_type);
        if gzip.is_some() {
            insert(&mut response, header::CONTENT_ENCODING, "gzip");
        }
        response
    };
    let suffix = if gzip.is_some() { "-gzip" } else { "" };
    insert(&mut response, header::ETAG, &format!("\"{}{suffix}\"", document.tag));
    if let Ok(date) = DateTimePrinter::new().timestamp_to_rfc9110_string(&document.last_modified) {
        insert(&mut response, header::LAST_MODIFIED, &date);
    }
    insert(&mut response, header::CACHE_CONTROL, CACHE_CONTROL);
    insert(&mut response, header::VARY, vary);
    // Feeds are for everybody's pages to read, validators included.
    insert(&mut response, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    insert(&mut response, header::ACCESS_CONTROL_EXPOSE_HEADERS, "ETag, Last-Modified");
    secure(&mut response);
    response
}

fn secure(response: &mut Response) {
    insert(response, header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    insert(response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    insert(response, header::REFERRER_POLICY, "strict-origin-when-cross-origin");
}

fn moved(to: &str) -> Response {
    let mut response = StatusCode::PERMANENT_REDIRECT.into_response();
    insert(&mut response, header::LOCATION, to);
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
    fn a_path_names_a_selection_and_a_format() {
        for (path, selection, format, canonical) in [
            ("all", "all", None, true),
            ("all.rss", "all", Some(Format::Rss), true),
            ("section/党风.json", "section/党风", Some(Format::Json), true),
            ("section/World/ASIA.atom", "section/world/asia", Some(Format::Atom), false),
            ("publisher/hefei", "publisher/hefei", None, true),
        ] {
            assert_eq!(parse(path), Some((selection.parse().unwrap(), format, canonical)), "{path}");
        }
        for path in ["", ".rss", "al", "all.xml", "all.rss.rss", "section/", "section/a//b"] {
            assert_eq!(parse(path), None, "{path}");
        }
    }

    #[test]
    fn the_page_is_for_whoever_does_not_prefer_a_feed() {
        for (accept, format) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", None),
            ("*/*", None),
            ("", None),
            ("application/rss+xml", Some(Format::Rss)),
            ("application/atom+xml, application/rss+xml;q=0.9, */*;q=0.1", Some(Format::Atom)),
            ("application/rss+xml, application/atom+xml, text/html;q=0.5", Some(Format::Rss)),
            ("application/json", Some(Format::Json)),
            ("application/feed+json;q=0.5, text/html", None),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(negotiate(&headers), format, "{accept}");
        }
    }
}
