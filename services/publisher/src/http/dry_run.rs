//! What a request would do, without doing it: which feeds would show it, how many readers would be mailed.
//!
//! Whatever would be refused is refused. Nothing is written, and nothing is reserved: the request itself may still find
//! that somebody was faster.

use std::time::Duration;

use article::{Article, ChangeKind, Status};
use axum::Json;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bus::Bus;
use serde_json::{Value, json};
use subscription::Selection;

use super::query::{Asked, Parameters};
use crate::refusal::Refusal;

/// How long whoever knows the readers may take to count them.
const COUNTING: Duration = Duration::from_secs(1);

/// Whether the request is to be tried only.
pub(super) fn asked(parameters: Parameters) -> Result<bool, Refusal> {
    let asked = Asked::read(parameters, &["dry_run"])?;
    Ok(asked.one("dry_run", "true or false", |text| text.parse().ok())?.unwrap_or(false))
}

/// The answer to such a request, that would have made `article`.
pub(super) async fn answer(bus: &Bus, article: &Article) -> Response {
    let document = json!({
        "dry_run": true,
        "article": article,
        "feeds": feeds(article),
        "readers": readers(bus, article).await,
    });
    let mut response = Json(document).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The feeds of one thing each that would show it; of an article under embargo those that will, once that has ended. There
/// is no end of combinations, so none are told.
fn feeds(article: &Article) -> Vec<String> {
    match article.status {
        Status::Held => Vec::new(),
        _ => Selection::naming(article).iter().map(ToString::to_string).collect(),
    }
}

/// Readers who would be mailed, by how; `null` where that is not known.
async fn readers(bus: &Bus, article: &Article) -> Value {
    match (article.status, article.change.kind) {
        (Status::Embargoed, _) | (Status::Published, ChangeKind::New | ChangeKind::Release) => {
            super::questions::reach_of(bus, &json!({ "article": article }), COUNTING).await.unwrap_or_default()
        }
        // Notices go to those who were mailed before, whom nobody has counted.
        (_, ChangeKind::Correction | ChangeKind::Withdraw | ChangeKind::Kill) => Value::Null,
        _ => json!({ "immediate": 0, "daily": 0, "weekly": 0, "paused": 0 }),
    }
}
