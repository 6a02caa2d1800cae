//! What is asked of whoever knows the readers: why an address got an article or not, and whom news would reach.
//!
//! A newsroom hears what became of the mails about its own articles. Of an address that was sent none it hears just that:
//! whether it is subscribed, paused, suppressed or unknown is between its owner and the operator.

use std::time::Duration;

use article::{Problem, PublisherId};
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bus::Bus;
use serde_json::{Value, json};
use topology::subjects::ASK_MAIL;

use super::App;
use super::articles::{article_id, json_body};
use crate::refusal::Refusal;

/// How long the plans of an article may be looked through: those of a million recipients take a second.
const LOOKING: Duration = Duration::from_secs(10);

/// How long all readers may take to be counted.
const COUNTING: Duration = Duration::from_secs(5);

/// `POST /v1/articles/{id}/mail/why`
pub(super) async fn why(
    State(app): State<App>,
    Extension(publisher): Extension<PublisherId>,
    Path(id): Path<String>,
    request: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let id = article_id(&id)?;
    let address = only(&json_body(&request, body)?, "address")?;
    let article = app.desk.current(&publisher, id).await?.id;
    let question = json!({ "ask": "why", "publisher": publisher, "article": article, "address": address });
    let mut answer = ask(&app.bus, &question, LOOKING, "/address").await?;
    Ok(private(json!({ "plans": answer["plans"].take() })))
}

/// `POST /v1/reach`
pub(super) async fn reach(
    State(app): State<App>,
    Extension(publisher): Extension<PublisherId>,
    request: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let selection = only(&json_body(&request, body)?, "selection")?;
    let of = json!({ "selection": { "publisher": publisher, "selection": selection } });
    Ok(private(reach_of(&app.bus, &of, COUNTING).await?))
}

/// How many readers would be mailed, by how.
pub(super) async fn reach_of(bus: &Bus, of: &Value, within: Duration) -> Result<Value, Refusal> {
    let question = json!({ "ask": "reach", "of": of });
    let mut answer = ask(bus, &question, within, "/selection").await?;
    Ok(["immediate", "daily", "weekly", "paused"].iter().map(|&how| (how.to_owned(), answer[how].take())).collect())
}

/// The answer to a question; `about`: what of the request is wrong if it cannot be asked so.
async fn ask(bus: &Bus, question: &Value, within: Duration, about: &str) -> Result<Value, Refusal> {
    let answer = bus.request(ASK_MAIL, question.to_string().into(), within).await.ok_or(Refusal::NoMail)?;
    let answer: Value = serde_json::from_slice(&answer).map_err(|_| Refusal::NoMail)?;
    if answer["answer"] == "invalid" {
        let detail = answer["problem"].as_str().unwrap_or_default();
        return Err(Refusal::Question(vec![Problem::new(about, "invalid", detail)]));
    }
    if answer["answer"] == question["ask"] { Ok(answer) } else { Err(Refusal::NoMail) }
}

/// The text of the one field that a document has to have.
fn only(body: &[u8], field: &str) -> Result<String, Refusal> {
    let document = crate::desk::parse(body)?;
    match document.as_object().map(|fields| (fields.len(), fields.get(field).and_then(Value::as_str))) {
        Some((1, Some(text))) => Ok(text.to_owned()),
        _ => {
            let detail = format!("a document with one field, the text {field:?}, is expected");
            Err(Refusal::Question(vec![Problem::new("", "type", detail)]))
        }
    }
}

fn private(document: Value) -> Response {
    let mut response = Json(document).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    response
}
