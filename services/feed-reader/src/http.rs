//! What hubs call: the question whether we meant a subscription, and what is new (W3C WebSub, sections 5.3 and 7).

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use tokio::sync::mpsc;

use crate::intake::Intake;
use crate::websub::Keys;

/// The largest announcement. What is larger waits for the source's next turn.
const MAX_BODY: usize = 2 << 20;

/// Announcements that wait to be read; with more the hub is asked to come again.
pub(crate) const WAITING: usize = 16;

/// A document that a hub has sent.
pub(crate) struct Announcement {
    pub(crate) source: String,
    pub(crate) body: Bytes,
    pub(crate) content_type: Option<String>,
}

#[derive(Clone)]
pub(crate) struct Hooks {
    /// Nobody is let in before it is known whose sources there are.
    intake: Arc<OnceLock<Arc<Intake>>>,
    keys: Keys,
    announcements: mpsc::Sender<Announcement>,
}

/// The path below the public address at which the hub of a source finds us.
pub(crate) fn callback_path(source: &str, key: &str) -> String {
    format!("websub/{source}/{key}")
}

pub(crate) fn router(hooks: Hooks) -> Router {
    Router::new().route("/websub/{source}/{key}", get(verify).post(announce)).with_state(hooks)
}

#[derive(Deserialize)]
struct Verification {
    #[serde(rename = "hub.mode")]
    mode: String,
    #[serde(rename = "hub.topic")]
    topic: String,
    #[serde(rename = "hub.challenge")]
    challenge: Option<String>,
    #[serde(rename = "hub.lease_seconds")]
    lease_seconds: Option<i64>,
    #[serde(rename = "hub.reason")]
    reason: Option<String>,
}

/// `GET`: did we ask for this? Only what was asked for, and is still wanted, is confirmed.
async fn verify(
    State(hooks): State<Hooks>,
    Path((source, key)): Path<(String, String)>,
    Query(asked): Query<Verification>,
) -> Response {
    let intake = match hooks.admits(&source, &key) {
        Ok(intake) => intake,
        Err(status) => return status.into_response(),
    };
    let (lease, sequence) = match intake.current_lease(&source).await {
        Ok(Some(found)) => found,
        Ok(None) => return StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::warn!(source, "an agreement with a hub cannot be read: {error}");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    };
    if lease.topic.as_str() != asked.topic || lease.key != key {
        return StatusCode::NOT_FOUND.into_response();
    }
    let (lease, answer) = match (asked.mode.as_str(), asked.challenge) {
        ("subscribe", Some(challenge)) => (lease.confirmed(asked.lease_seconds, service_kit::now()), challenge),
        ("denied", _) => {
            let reason: String = asked.reason.unwrap_or_default().chars().take(200).collect();
            tracing::info!(source, hub = %lease.hub, reason, "the hub takes no subscription; the source is asked at its intervals");
            (crate::websub::Lease { denied: true, until: None, ..lease }, String::new())
        }
        // We never end one: it ends by itself, or by the 410 for a source that was removed.
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    match intake.put_lease(&source, &lease, sequence).await {
        Ok(()) => {
            tracing::info!(source, hub = %lease.hub, until = lease.until.map(tracing::field::display), "an agreement with a hub");
            // Whoever is sent here in a browser must not be shown a page of somebody else's making.
            ([(header::CONTENT_TYPE, "text/plain"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")], answer)
                .into_response()
        }
        Err(error) => {
            tracing::warn!(source, "an agreement with a hub cannot be stored: {error}");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// `POST`: something is new. What is not signed by the hub is acknowledged and dropped, as the standard has it: nobody
/// learns here how far his guess was off.
async fn announce(
    State(hooks): State<Hooks>,
    Path((source, key)): Path<(String, String)>,
    request: Request,
) -> StatusCode {
    // Before anything of the body is read.
    if let Err(status) = hooks.admits(&source, &key) {
        return status;
    }
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY).await else { return StatusCode::PAYLOAD_TOO_LARGE };
    let headers = head.headers;
    let signature = headers.get("x-hub-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !hooks.keys.signed(&source, signature, &body) {
        tracing::warn!(source, "an announcement is not signed by the hub; it is ignored");
        return StatusCode::ACCEPTED;
    }
    let content_type =
        headers.get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    match hooks.announcements.try_send(Announcement { source, body, content_type }) {
        Ok(()) => StatusCode::ACCEPTED,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

impl Hooks {
    pub(crate) fn new(keys: Keys, announcements: mpsc::Sender<Announcement>) -> Self {
        Self { intake: Arc::default(), keys, announcements }
    }

    /// From now on hubs are let in.
    pub(crate) fn admit(&self, intake: Arc<Intake>) {
        // Said once, when the service starts; a second time would change nothing.
        let _ = self.intake.set(intake);
    }

    /// Whether the address is that of a source which is still read.
    fn admits(&self, source: &str, key: &str) -> Result<&Intake, StatusCode> {
        if !self.keys.is_callback(source, key) {
            return Err(StatusCode::NOT_FOUND);
        }
        let intake = self.intake.get().ok_or(StatusCode::SERVICE_UNAVAILABLE)?;
        match intake.source(source) {
            Some(source) if source.is_read() => Ok(intake),
            // The hub ends it then.
            _ => Err(StatusCode::GONE),
        }
    }
}
