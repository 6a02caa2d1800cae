//! A document as an answer: 200, 304, 226 with only what is new, in the best coding the reader takes.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;

use crate::conditional::{Accepted, delta_bases, known};
use crate::dictionary::{self, USE_AS_DICTIONARY};
use crate::document::{Document, Form};
use crate::encode::{Coding, Effort, Packer, Work};
use crate::html::CONTENT_SECURITY_POLICY;

/// Readers and caches may keep an answer this long, as the feeds' own `ttl` says. For an hour it stands in for an origin
/// that fails, no longer, for what was killed must go; and so long may a reader use it as a dictionary (RFC 9842, section
/// 2.2.1).
pub(crate) const FRESH: &str = "public, max-age=60, stale-if-error=3600";
/// What is at the address changes only when one of its articles does (ADR 12). No longer than an hour either: what was
/// killed must go.
pub(crate) const ARCHIVED: &str = "public, max-age=3600";
/// What says nothing of any article.
pub(crate) const SETTLED: &str = "public, max-age=86400";
/// A cache that does not know status 226 must not keep what is a part only; one that does may (RFC 3229, section 10.8).
const PARTIAL: &str = "no-store, im, max-age=60";

const IM: HeaderName = HeaderName::from_static("im");
const DELTA_BASE: HeaderName = HeaderName::from_static("delta-base");

/// How a document is to be answered with.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) cache: &'static str,
    /// Whether `Accept` chose it.
    pub(crate) negotiated: bool,
}

/// Answers GET and HEAD. 304 carries the headers of the 200 that it stands for (RFC 9110, section 15.4.5).
pub(crate) async fn answer(
    document: &Arc<Document>,
    packer: &Packer,
    method: &Method,
    headers: &HeaderMap,
    terms: Terms,
) -> Response {
    let accepted = Accepted::of(headers);
    if document.status == StatusCode::OK {
        if let Some(known) = known(headers, &document.tag, &accepted) {
            return unchanged(document, known, terms);
        }
        if document.is_live() && *method == Method::GET {
            let coding = accepted.choices().next();
            for (base, content) in delta_bases(headers) {
                if let Some(coding) = coding
                    && let Some(form) = document.delta_form(content, coding, packer).await
                {
                    return partial(document, &form, base, coding, terms);
                }
            }
        }
    }
    match choose(document, packer, headers, accepted).await {
        Some((coding, form)) => whole(document, coding, form.as_deref(), terms),
        None => refused(StatusCode::NOT_ACCEPTABLE, "This is to be had in gzip, br and zstd, or without any coding.\n"),
    }
}

/// The best form that is acceptable and ready. `None`: nothing is acceptable.
async fn choose(
    document: &Arc<Document>,
    packer: &Packer,
    headers: &HeaderMap,
    accepted: Accepted,
) -> Option<(Option<&'static str>, Option<Arc<Form>>)> {
    if accepted.dictionary()
        && document.values.dictionary.is_some()
        && let Some(form) = document.step(dictionary::available(headers), packer).await
    {
        return Some((Some("dcz"), Some(form)));
    }
    // Only what is liked best is prepared for the next time.
    let mut liked_best = true;
    for choice in accepted.choices() {
        let Some(coding) = choice else { return Some((None, None)) };
        let form = if std::mem::take(&mut liked_best) { document.form(coding, packer) } else { document.ready(coding) };
        if let Some(form) = form {
            return Some((Some(coding.name()), Some(form)));
        }
    }
    // It will not have it as it is: now somebody does wait.
    let coding = accepted.choices().next()??;
    let made = document.clone();
    let work = move || made.work(Work::Encode(coding, Effort::Quick));
    packer.grew(tokio::task::spawn_blocking(work).await.ok()?);
    Some((Some(coding.name()), Some(document.ready(coding)?)))
}

fn whole(document: &Document, coding: Option<&'static str>, form: Option<&Form>, terms: Terms) -> Response {
    let body = form.map_or_else(|| document.body(), |form| form.body.clone());
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = document.status;
    let etag = form.map_or(&document.values.etag, |form| &form.etag);
    describe(document, etag.clone(), response.headers_mut());
    let headers = response.headers_mut();
    if let Some(coding) = coding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    // Only a whole version can be a dictionary.
    if let Some(dictionary) = &document.values.dictionary {
        headers.insert(USE_AS_DICTIONARY, dictionary.clone());
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(terms.cache));
    headers.insert(header::VARY, vary(document, terms));
    response
}

fn unchanged(document: &Document, known: &str, terms: Terms) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    // The tag of what the reader has: a cache freshens only what has the same one (RFC 9111, section 4.3.4).
    let etag = HeaderValue::from_str(known).ok().filter(|_| known.len() > 1);
    let headers = response.headers_mut();
    headers.reserve(8);
    headers.insert(header::ETAG, etag.unwrap_or_else(|| document.values.etag.clone()));
    headers.insert(header::LAST_MODIFIED, document.values.last_modified.clone());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(terms.cache));
    headers.insert(header::VARY, vary(document, terms));
    share(headers);
    response
}

/// Only what is new since the version that the reader knows by the tag `base`, in quotes.
fn partial(document: &Document, form: &Form, base: &str, coding: Option<Coding>, terms: Terms) -> Response {
    let mut response = Response::new(Body::from(form.body.clone()));
    *response.status_mut() = StatusCode::IM_USED;
    describe(document, form.etag.clone(), response.headers_mut());
    let headers = response.headers_mut();
    if let Some(coding) = coding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    }
    headers.insert(IM, HeaderValue::from_static("feed"));
    if let Ok(base) = HeaderValue::from_str(base) {
        headers.insert(DELTA_BASE, base);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(PARTIAL));
    let vary = if terms.negotiated {
        "accept, accept-encoding, a-im, if-none-match"
    } else {
        "accept-encoding, a-im, if-none-match"
    };
    headers.insert(header::VARY, HeaderValue::from_static(vary));
    response
}

/// What every answer with content says.
fn describe(document: &Document, etag: HeaderValue, headers: &mut HeaderMap) {
    headers.reserve(16);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(document.content_type));
    headers.insert(header::ETAG, etag);
    headers.insert(header::LAST_MODIFIED, document.values.last_modified.clone());
    if let Some(link) = &document.values.link {
        headers.insert(header::LINK, link.clone());
    }
    secure(headers);
    share(headers);
}

fn vary(document: &Document, terms: Terms) -> HeaderValue {
    HeaderValue::from_static(match (terms.negotiated, document.values.dictionary.is_some()) {
        (false, false) => "accept-encoding",
        (false, true) => "accept-encoding, available-dictionary",
        (true, false) => "accept, accept-encoding",
        (true, true) => "accept, accept-encoding, available-dictionary",
    })
}

/// Nothing that we serve runs in a browser, whatever it is taken for.
pub(crate) fn secure(headers: &mut HeaderMap) {
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("strict-origin-when-cross-origin"));
}

/// Everything is for everybody's pages to read, headers included: nothing here depends on who asks.
pub(crate) fn share(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
}

/// May a page send `If-None-Match`, `A-IM` or whatever else with its request? It may.
pub(crate) async fn preflight() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    share(headers);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS"));
    response
}

/// An answer for whoever wrote the program that asked.
fn refused(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    secure(headers);
    share(headers);
    response
}

/// To a reader that fetches the same over and over.
pub(crate) fn enough(wait: Duration) -> Response {
    let mut response = refused(
        StatusCode::TOO_MANY_REQUESTS,
        "You have fetched this feed whole again and again, and it has not changed. Please keep its ETag and send it back as\n\
         If-None-Match: while nothing is new the answer is 304 and costs you almost nothing. And ask no more often than the\n\
         max-age in Cache-Control says. You will see nothing later for it.\n",
    );
    // In whole seconds, and never too early.
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
    response
}
