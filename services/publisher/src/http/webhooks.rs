//! `POST /v1/webhooks/{hook}`: a signed document from another system. For an address that takes none nothing of it is
//! read, and nothing of it is believed before its signature has been looked at.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use interchange::signature::{self, BadSignature, Secret, StandardHeaders};
use jiff::Timestamp;

use super::articles::json_body;
use super::{App, headers};
use crate::refusal::Refusal;
use crate::webhook::{Delivery, Format, HookId, Standing};

/// The longest that a request waits for the records of the webhooks.
const WHILE_STARTING: Duration = Duration::from_secs(1);

pub(super) async fn receive(
    State(app): State<App>,
    Path(hook): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let webhooks = &app.webhooks;
    let master = webhooks.master.as_ref().ok_or(Refusal::NoSuchWebhook)?;
    let hook: HookId = hook.parse().map_err(|_| Refusal::NoSuchWebhook)?;
    // Few senders try again: what comes while we start waits for a moment.
    let _ = tokio::time::timeout(WHILE_STARTING, webhooks.hooks.ready()).await;
    let record = match webhooks.hooks.standing(&hook) {
        Standing::Good(record) => record,
        Standing::Unknown => return Err(Refusal::NoSuchWebhook),
        Standing::CannotSay => return Err(Refusal::Starting),
    };
    let sent = request.headers().clone();
    let body = json_body(&sent, Bytes::from_request(request, &app).await)?;
    let secret = hook.secret(master.expose().as_bytes());
    let sent_at = verified(record.format, &secret, &sent, &body, service_kit::now());
    let sent_at = sent_at.map_err(Refusal::BadSignature)?;
    let publisher = record.publisher.clone();
    let delivery = Delivery {
        hook,
        record,
        body,
        sent_at,
        importer: headers::importer(&sent),
        traceparent: headers::traceparent(&sent),
    };
    let outcome = webhooks.deliveries.take(delivery).await?;
    let json = serde_json::to_vec(&outcome).expect("strings and numbers always serialise");
    let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    let mut response = (content_type, json).into_response();
    // For the access log.
    response.extensions_mut().insert(publisher);
    Ok(response)
}

/// When the request was signed, where its signature says so. A sender's own signature is taken as it is; Standard
/// Webhooks is what everybody else signs with, and what WordPress may sign with.
fn verified(
    format: Format,
    secret: &Secret,
    request: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<Option<Timestamp>, BadSignature> {
    let standard = || {
        let [id, timestamp, signature] =
            ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| one(request, name));
        let sent = StandardHeaders { id: id?, timestamp: timestamp?, signature: signature? };
        signature::standard(secret, &sent, body, now).map(Some)
    };
    match format {
        Format::Newswire | Format::Ninjs => standard(),
        Format::Ghost => signature::ghost(secret, one(request, "x-ghost-signature")?, body, now).map(Some),
        Format::WordPress => match one(request, "x-wp-webhook-signature")? {
            Some(tag) => signature::body_only(secret, Some(tag), body).map(|()| None),
            None => standard(),
        },
    }
}

/// A header that may come once.
fn one<'a>(request: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, BadSignature> {
    let mut values = request.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| BadSignature::Malformed(name)),
        (Some(_), Some(_)) => Err(BadSignature::Malformed(name)),
    }
}
