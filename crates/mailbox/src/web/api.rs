//! The mails as JSON, for scripts and tests.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Json;
use jiff::Timestamp;
use serde::Serialize;

use crate::Shared;
use crate::mail::{Content, Mail};

/// A mail in the list.
#[derive(Serialize)]
pub(super) struct Summary {
    number: u64,
    received: Timestamp,
    envelope_from: String,
    envelope_to: Vec<String>,
    subject: Option<String>,
    octets: usize,
}

/// One mail, decoded.
#[derive(Serialize)]
pub(super) struct Whole {
    #[serde(flatten)]
    summary: Summary,
    #[serde(flatten)]
    content: Content,
}

impl From<&Mail> for Summary {
    fn from(mail: &Mail) -> Self {
        Self {
            number: mail.number,
            received: mail.received,
            envelope_from: mail.from.clone(),
            envelope_to: mail.to.clone(),
            subject: mail.header("Subject"),
            octets: mail.raw.len(),
        }
    }
}

/// Every mail kept, newest first.
pub(super) async fn list(State(shared): State<Arc<Shared>>) -> Json<Vec<Summary>> {
    Json(shared.store.page(u64::MAX, usize::MAX).iter().map(|mail| Summary::from(&**mail)).collect())
}

pub(super) async fn mail(
    State(shared): State<Arc<Shared>>,
    Path(number): Path<u64>,
) -> Result<Json<Whole>, (StatusCode, &'static str)> {
    let mail = shared.store.get(number).ok_or(super::pages::NO_SUCH_MAIL)?;
    Ok(Json(Whole { summary: Summary::from(&*mail), content: mail.content() }))
}
