//! An article in other people's shapes, for the newsroom's own systems.

use article::{Article, PublisherId};
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use interchange::{json_ld, ninjs};
use serde_json::Value;

use super::App;
use super::articles::{article_id, describe};
use crate::refusal::Refusal;

/// `GET /v1/articles/{id}/ninjs`. IANA has no media type for ninjs: the document names its standard itself.
pub(super) async fn as_ninjs(
    State(app): State<App>,
    Extension(publisher): Extension<PublisherId>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let article = app.desk.current(&publisher, article_id(&id)?).await?;
    Ok(answer(&article, "application/json", ninjs::write))
}

/// `GET /v1/articles/{id}/json-ld`. Where its page is, only the site knows.
pub(super) async fn as_json_ld(
    State(app): State<App>,
    Extension(publisher): Extension<PublisherId>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let article = app.desk.current(&publisher, article_id(&id)?).await?;
    Ok(answer(&article, "application/ld+json", |article| json_ld(article, &article.headline, &|_| None)))
}

fn answer(article: &Article, content_type: &'static str, write: impl Fn(&Article) -> Value) -> Response {
    let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static(content_type))];
    let mut response = (content_type, write(article).to_string()).into_response();
    describe(&mut response, article);
    response
}
