//! What became of the mail about an article, and orders to its plans. The mail's own service knows and acts; who may ask
//! is decided here.

use std::sync::Arc;
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
use crate::token::Bearer;

/// How long the records may take to be read: those of a million recipients take less than a second.
const COUNTING: Duration = Duration::from_secs(5);

/// How long an order may take: every part of a plan that waits is called for.
const ORDERING: Duration = Duration::from_secs(20);

/// What may be ordered: the last part of its address.
pub(crate) const ORDERS: [&str; 4] = ["pause", "resume", "cancel", "retry"];

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

/// `POST /v1/articles/{id}/mail/{plan}/{order}`
pub(super) async fn order(
    State(app): State<App>,
    Extension(bearer): Extension<Arc<Bearer>>,
    Path((id, plan, order)): Path<(String, String, String)>,
) -> Result<Json<Value>, Refusal> {
    if !ORDERS.contains(&order.as_str()) {
        return Err(Refusal::NoSuchResource);
    }
    let publisher = &bearer.record.publisher;
    let article = app.desk.current(publisher, article_id(&id)?).await?.id;
    let question = json!({
        "ask": "control", "plan": plan, "order": order, "by": format!("token {}", bearer.record.name),
        "owner": { "publisher": publisher, "article": article },
    });
    let answer = app.bus.request(ASK_MAIL, question.to_string().into(), ORDERING).await.ok_or(Refusal::NoMail)?;
    let mut answer: Value = serde_json::from_slice(&answer).map_err(|_| Refusal::NoMail)?;
    match answer["answer"].as_str() {
        Some("control") => Ok(Json(json!({ "plan": plan, "control": answer["control"].take() }))),
        Some("no_such_plan") => Err(Refusal::NoSuchPlan),
        Some("refused") => Err(Refusal::Plan(answer["detail"].as_str().unwrap_or_default().to_owned())),
        _ => Err(Refusal::NoMail),
    }
}
