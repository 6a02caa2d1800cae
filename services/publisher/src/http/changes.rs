//! What is done to an article without a new text, and what is known of its past, in terms of HTTP.

use std::sync::Arc;

use article::{ChangeKind, PublisherId};
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::articles::{answer, article_id, json_body};
use super::query::Parameters;
use super::{App, dry_run, headers};
use crate::desk::{Change, Receipts};
use crate::refusal::Refusal;
use crate::token::{Bearer, Scope};

/// `POST /v1/articles/{id}/changes`
pub(super) async fn change(
    State(app): State<App>,
    Extension(bearer): Extension<Arc<Bearer>>,
    Path(id): Path<String>,
    parameters: Parameters,
    request: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let dry_run = dry_run::asked(parameters)?;
    let id = article_id(&id)?;
    let change = Change::read(&crate::desk::parse(&json_body(&request, body)?)?)?;
    let kills = change.kind == ChangeKind::Kill;
    let needed = if kills { Scope::Kill } else { Scope::Write };
    if !bearer.may(needed) {
        return Err(Refusal::Scope(needed));
    }
    // A kill must not lose a race: it needs no revision to be right about.
    let base = match headers::if_match(&request) {
        Err(Refusal::PreconditionRequired) if kills => None,
        base => Some(base?),
    };
    let traceparent = headers::traceparent(&request);
    let publisher = &bearer.record.publisher;
    if dry_run {
        let article = app.desk.try_change(publisher, id, &change, base, service_kit::now()).await?;
        return Ok(dry_run::answer(&app.bus, &article).await);
    }
    let accepted = app.desk.change(publisher, id, &change, base, &traceparent, service_kit::now()).await?;
    Ok(answer(StatusCode::OK, accepted))
}

/// `GET /v1/articles/{id}/revisions`
pub(super) async fn revisions(
    State(app): State<App>,
    Extension(publisher): Extension<PublisherId>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let revisions = app.desk.revisions(&publisher, article_id(&id)?).await?;
    Ok(Json(json!({ "revisions": revisions })))
}

/// `GET /v1/articles/{id}/receipts`
pub(super) async fn receipts(
    State(app): State<App>,
    Extension(publisher): Extension<PublisherId>,
    Path(id): Path<String>,
) -> Result<Json<Receipts>, Refusal> {
    Ok(Json(app.desk.receipts(&publisher, article_id(&id)?).await?))
}
