//! A publisher's articles, newest change first, page by page.

use std::sync::Arc;

use article::{Article, ArticleId, PublisherId, Status};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use super::App;
use super::conditional::tag_of;
use super::headers::none_match;
use super::query::{Asked, Parameters};
use crate::index::{Page, Place};
use crate::refusal::Refusal;
use crate::token::Bearer;

pub(crate) const LIST_LIMIT: usize = 50;
pub(crate) const MAX_LIST_LIMIT: usize = 100;

/// Articles read from the log at one time, for one page.
const READ_AT_ONCE: usize = 16;

/// What a list leaves out of an article: that which can be large.
pub(crate) const LEFT_OUT: [&str; 6] = ["body", "associations", "contributors", "corrections", "ext", "provenance"];

/// `GET /v1/articles`
pub(super) async fn list(
    State(app): State<App>,
    Extension(publisher): Extension<PublisherId>,
    parameters: Parameters,
    request: HeaderMap,
) -> Result<Response, Refusal> {
    let asked = Asked::read(parameters, &["limit", "cursor", "status"])?;
    let number = |text: &str| text.parse().ok().filter(|limit| (1..=MAX_LIST_LIMIT).contains(limit));
    let limit = asked.one("limit", &format!("a number from 1 to {MAX_LIST_LIMIT}"), number)?.unwrap_or(LIST_LIMIT);
    let before = asked.one("cursor", "the cursor of a Link that was answered here", Place::from_cursor)?;
    let status = asked.one("status", &format!("one of {}", Status::WORDS.join(", ")), Status::from_word)?;
    let page = app.index.page(&publisher, status, before, limit).ok_or(Refusal::Starting)?;
    // Whatever changes an article changes its place, so the places are what identifies the page.
    let tag = tag(&page, status, limit);
    // Whoever has the page causes no reads.
    if none_match(&request, &tag) {
        return Ok(described(StatusCode::NOT_MODIFIED.into_response(), &tag, None));
    }
    let next = page.articles.last().filter(|_| page.more).map(|(_, place)| next(*place, limit, status));
    let reads: Vec<_> = page.articles.iter().map(|(id, _)| current(&app, &publisher, *id)).collect();
    let found: Vec<Option<Article>> = stream::iter(reads).buffered(READ_AT_ONCE).try_collect().await?;
    let meant = |article: &Article| status.is_none_or(|status| article.status == status);
    let articles: Vec<Value> = found.iter().flatten().filter(|article| meant(article)).map(summary).collect();
    Ok(described(Json(json!({ "articles": articles })).into_response(), &tag, next))
}

/// The article, unless it went between the look at the list and this one.
async fn current(app: &App, publisher: &PublisherId, id: ArticleId) -> Result<Option<Article>, Refusal> {
    match app.desk.current(publisher, id).await {
        Err(Refusal::NoSuchArticle) => Ok(None),
        found => found.map(Some),
    }
}

/// `GET /v1/token`
pub(super) async fn token(Extension(bearer): Extension<Arc<Bearer>>) -> Json<Value> {
    let record = &bearer.record;
    Json(json!({
        "publisher": record.publisher,
        "name": record.name,
        "scopes": record.scopes,
        "created_at": record.created_at,
    }))
}

fn summary(article: &Article) -> Value {
    let mut value = serde_json::to_value(article).expect("strings, numbers and string-keyed maps always serialise");
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|name, _| !LEFT_OUT.contains(&name.as_str()));
    }
    value
}

fn tag(page: &Page, status: Option<Status>, limit: usize) -> String {
    let places: Vec<String> = page.articles.iter().map(|(_, place)| place.cursor()).collect();
    let status = status.map_or("", Status::as_str);
    tag_of(format!("{status} {limit} {} {}", page.more, places.join(" ")).as_bytes())
}

/// The address of the page behind `last`.
fn next(last: Place, limit: usize, status: Option<Status>) -> String {
    let status = status.map(|status| format!("&status={}", status.as_str())).unwrap_or_default();
    format!("/v1/articles?limit={limit}&cursor={}{status}", last.cursor())
}

fn described(mut response: Response, tag: &str, next: Option<String>) -> Response {
    let legal = "hex digits, words and punctuation of an address are legal in a header";
    let headers = response.headers_mut();
    headers.insert(header::ETAG, HeaderValue::try_from(tag).expect(legal));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Some(next) = next {
        headers.insert(header::LINK, HeaderValue::try_from(format!("<{next}>; rel=\"next\"")).expect(legal));
    }
    response
}
