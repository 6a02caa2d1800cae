//! Webhooks of providers: `POST /inbound/ses`, `/inbound/postmark`, `/inbound/generic`. Each exists where the settings
//! name its secret. 200 means that what was said is durable; everything else, that it is to be said again or is wrong.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use inbound::sns::{Envelope, Kind};
use inbound::{MAX_WEBHOOK, NotRead, Reported, generic, postmark, ses};
use interchange::signature::{self, BadSignature, StandardHeaders};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use super::gate::{Away, Gate, Said};
use super::sns::{Sns, Untrusted};

/// Webhooks in work at one time; each holds [`MAX_WEBHOOK`] bytes at most.
const AT_ONCE: usize = 32;

/// How long a body may take to arrive.
const READ_WITHIN: Duration = Duration::from_secs(10);

/// When to come back while the log is away: it reconnects within seconds.
const AWAY_FOR: HeaderValue = HeaderValue::from_static("10");

/// Who may report, and to whom.
pub(crate) struct Webhooks {
    gate: Arc<Gate>,
    ses: Option<Sns>,
    /// SHA-256 of `user:password`.
    postmark: Option<[u8; 32]>,
    generic: Option<signature::Secret>,
    places: Semaphore,
}

impl Webhooks {
    /// `postmark`: `user:password`.
    pub(crate) fn new(
        gate: Arc<Gate>,
        ses: Option<Sns>,
        postmark: Option<&str>,
        generic: Option<signature::Secret>,
    ) -> Self {
        let postmark = postmark.map(|secret| Sha256::digest(secret).into());
        Self { gate, ses, postmark, generic, places: Semaphore::new(AT_ONCE) }
    }
}

pub(crate) fn router(webhooks: Webhooks) -> Router {
    let mut router = Router::new();
    if webhooks.ses.is_some() {
        router = router.route("/inbound/ses", post(from_ses));
    }
    if webhooks.postmark.is_some() {
        router = router.route("/inbound/postmark", post(from_postmark));
    }
    if webhooks.generic.is_some() {
        router = router.route("/inbound/generic", post(from_generic));
    }
    router.with_state(Arc::new(webhooks))
}

/// Why nothing was taken.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("too many at once; try again")]
    Busy,
    #[error("the body is longer than {MAX_WEBHOOK} bytes")]
    TooLarge,
    #[error("the body did not come in time")]
    TooSlow,
    #[error("user or password is wrong")]
    Password,
    #[error(transparent)]
    Signature(#[from] BadSignature),
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    #[error(transparent)]
    NotRead(#[from] NotRead),
    #[error("it cannot be kept now; send it again")]
    Away(#[from] Away),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Busy | Self::Away(_) | Self::Untrusted(Untrusted::Away(_)) => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Password | Self::Signature(_) => StatusCode::UNAUTHORIZED,
            Self::Untrusted(Untrusted::NotRead(_)) | Self::NotRead(_) => StatusCode::BAD_REQUEST,
            Self::Untrusted(_) => StatusCode::FORBIDDEN,
        };
        match &self {
            Self::Away(error) => {
                tracing::warn!(%error, "what came back cannot be kept; its sender was asked to come again")
            }
            Self::Untrusted(Untrusted::Away(cause)) => tracing::warn!(cause, "a report of SES cannot be checked yet"),
            // It was signed, so it is no stranger's.
            Self::NotRead(cause) => tracing::warn!(%cause, "a signed report does not read"),
            other => tracing::info!(cause = %other, "a webhook was refused"),
        }
        let mut response = (status, format!("{self}\n")).into_response();
        match status {
            StatusCode::SERVICE_UNAVAILABLE => drop(response.headers_mut().insert(RETRY_AFTER, AWAY_FOR)),
            StatusCode::UNAUTHORIZED if matches!(self, Self::Password) => {
                let basic = HeaderValue::from_static("Basic realm=\"inbound\"");
                response.headers_mut().insert(WWW_AUTHENTICATE, basic);
            }
            _ => {}
        }
        response
    }
}

impl Webhooks {
    async fn read(&self, body: Body) -> Result<Bytes, Refusal> {
        let read =
            tokio::time::timeout(READ_WITHIN, to_bytes(body, MAX_WEBHOOK)).await.map_err(|_| Refusal::TooSlow)?;
        // A body that breaks off has nobody left to be answered.
        read.map_err(|_| Refusal::TooLarge)
    }

    /// `reference` names the whole among all of its sender's.
    async fn keep(&self, all: &[Reported], reference: &str, at: Timestamp) -> Result<(), Refusal> {
        for reported in all {
            match self.gate.report(reported, reference, at).await? {
                Said::Event { event, identity } => self.gate.keep(&event, &identity).await?,
                Said::NotOurs => tracing::info!("a provider reports on nobody we write to"),
                Said::Nothing => {}
            }
        }
        Ok(())
    }
}

async fn from_ses(State(webhooks): State<Arc<Webhooks>>, body: Body) -> Result<(), Refusal> {
    let _place = webhooks.places.try_acquire().map_err(|_| Refusal::Busy)?;
    let sns = webhooks.ses.as_ref().expect("the route exists where SES does");
    let body = webhooks.read(body).await?;
    let envelope = Envelope::read(&body).map_err(Untrusted::NotRead)?;
    sns.verify(&envelope).await?;
    match envelope.kind() {
        Kind::Notification => {
            let all = ses::read(envelope.message())?;
            webhooks.keep(&all, envelope.message_id(), envelope.published()?).await
        }
        Kind::SubscriptionConfirmation => {
            sns.confirm(&envelope).await?;
            tracing::info!(topic = envelope.topic_arn(), "SNS reports here from now on");
            Ok(())
        }
        Kind::UnsubscribeConfirmation => {
            tracing::error!(topic = envelope.topic_arn(), "SNS reports here no more");
            Ok(())
        }
    }
}

async fn from_postmark(State(webhooks): State<Arc<Webhooks>>, headers: HeaderMap, body: Body) -> Result<(), Refusal> {
    let _place = webhooks.places.try_acquire().map_err(|_| Refusal::Busy)?;
    let expected = webhooks.postmark.as_ref().expect("the route exists where Postmark does");
    if basic(&headers).is_none_or(|given| verify_slices_are_equal(&Sha256::digest(given), expected).is_err()) {
        return Err(Refusal::Password);
    }
    let body = webhooks.read(body).await?;
    let reported = postmark::read(&body)?;
    // What does not name itself is known by its bytes.
    let reference = STANDARD.encode(Sha256::digest(&body));
    webhooks.keep(&[reported], &reference, service_kit::now()).await
}

/// `user:password` of a request (RFC 7617).
fn basic(headers: &HeaderMap) -> Option<Vec<u8>> {
    let (scheme, credentials) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(credentials.trim()).ok())?
}

async fn from_generic(State(webhooks): State<Arc<Webhooks>>, headers: HeaderMap, body: Body) -> Result<(), Refusal> {
    let _place = webhooks.places.try_acquire().map_err(|_| Refusal::Busy)?;
    let secret = webhooks.generic.as_ref().expect("the route exists where its secret does");
    let body = webhooks.read(body).await?;
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (id, timestamp, signature) = (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"));
    let sent = signature::standard(secret, &StandardHeaders { id, timestamp, signature }, &body, service_kit::now())?;
    let reported = generic::read(&body)?;
    webhooks.keep(&[reported], id.unwrap_or_default(), sent).await
}
