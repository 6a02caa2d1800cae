//! What became of the mail about an article. The mail's own service knows; who may ask is decided here.

use std::time::Duration;

use article::PublisherId;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};
use topology::subjects::ASK_MAIL;

use super::App;
use super::articles::article_id;
use crate::refusal::Refusal;

/// How long the records may take to be read: those of a million recipients take less than a second.
const COUNTING: Duration = Duration::from_secs(5);

/// `GET /v1/articles/{id}/mail`
pub(super) async fn ledger(
    State(app): State<App>,
    Extension(publisher): Extension<PublisherId>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let article = app.desk.current(&publisher, article_id(&id)?).await?.id;
    let question = json!({ "ask": "ledger", "publisher": publisher, "article": article }).to_string();
    let answer = app.bus.request(ASK_MAIL, question.into(), COUNTING).await.ok_or(Refusal::NoMail)?;
    let mut answer: Value = serde_json::from_slice(&answer).map_err(|_| Refusal::NoMail)?;
    if answer["answer"] != "ledger" {
        return Err(Refusal::NoMail);
    }
    let mut response = Json(json!({ "plans": answer["plans"].take() })).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    Ok(response)
}
