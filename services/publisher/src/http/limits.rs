//! What all requests together, and each of them, may take.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use tokio::sync::Semaphore;

use crate::refusal::Refusal;

/// The largest request body, in bytes. An article of 512 KiB with all its fields fits.
pub(crate) const MAX_BODY: usize = 1 << 20;

/// The longest a request may take. The log is given up after 15 s, so what takes longer is the request's own body.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Requests under way at one time. Each may hold a body of 1 MiB several times over; when the log is away they wait
/// here, and more of them would only wait longer.
pub(super) const MAX_REQUESTS: usize = 128;

/// Requests of webhooks under way at one time, beside those.
pub(super) const MAX_WEBHOOKS: usize = 64;

/// Bounds how many requests are under way, and how long each may take.
pub(super) async fn bound(State(places): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    let Ok(_place) = places.try_acquire() else { return Refusal::Busy.into_response() };
    let answered = tokio::time::timeout(TIMEOUT, next.run(request)).await;
    answered.unwrap_or_else(|_| Refusal::TooSlow.into_response())
}

/// Refuses a body that says itself that it is too large, before any of it is read. One that does not say is cut where
/// the limit is, while it is read.
pub(super) async fn body(request: Request, next: Next) -> Response {
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    match length {
        Some(sent) if sent > MAX_BODY as u64 => {
            Refusal::BodyTooLarge { limit: MAX_BODY, sent: Some(sent) }.into_response()
        }
        _ => next.run(request).await,
    }
}
