//! `POST /hub`: takes requests, and says what is wrong with them. Whether they were meant is asked afterwards.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use service_kit::client;
use tokio::time::Instant;

use crate::hub::Hub;
use crate::hub::index::host;
use crate::hub::record::{ASKED_FOR, Asked, Call, SubscriberId, Subscription};
use crate::hub::request::{MAX_FORM, Request};
use crate::hub::store::{StoreError, random};

/// A form is a few hundred bytes; who takes longer for it is no subscriber.
const FORM_WITHIN: Duration = Duration::from_secs(10);
/// When to come again while the store is away.
const AWAY: Duration = Duration::from_secs(10);

const ABOUT: &str = "This is the WebSub hub of this site, for the site's own feeds only.\n\
    To be told of a feed's news as they appear, POST hub.mode=subscribe, hub.topic and hub.callback here as a form;\n\
    https://www.w3.org/TR/websub/ says how it goes on.\n";

/// An answer other than 202.
struct Refusal {
    status: StatusCode,
    text: String,
    retry_after: Option<Duration>,
    counted: &'static str,
}

pub(crate) fn routes(hub: Hub) -> Router {
    Router::new().route("/hub", get(about).post(subscribe)).with_state(hub)
}

async fn about() -> Response {
    plain(StatusCode::OK, ABOUT.to_owned())
}

async fn subscribe(
    State(hub): State<Hub>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match hub.accept(peer, &headers, body).await {
        Ok(()) => {
            hub.counts.request("accepted");
            plain(StatusCode::ACCEPTED, "Accepted; the callback will be asked whether it was meant.\n".into())
        }
        Err(Refusal { status, text, retry_after, counted }) => {
            hub.counts.request(counted);
            let mut response = plain(status, format!("{text}\n"));
            if let Some(after) = retry_after {
                response.headers_mut().insert(header::RETRY_AFTER, after.as_secs().max(1).into());
            }
            response
        }
    }
}

impl Hub {
    /// The request is durable when this returns.
    async fn accept(&self, peer: SocketAddr, headers: &HeaderMap, body: Body) -> Result<(), Refusal> {
        let from = client::network(peer, headers, self.client_ip_header.as_deref());
        self.clients.take(from, Instant::now()).map_err(|wait| busy("too many requests from your network", wait))?;
        let form = tokio::time::timeout(FORM_WITHIN, to_bytes(body, MAX_FORM)).await;
        let form = form.ok().and_then(Result::ok).ok_or_else(|| {
            refusal(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the form must come within 10 s and have {MAX_FORM} bytes at most"),
            )
        })?;
        if !is_form(headers) {
            let text = "send a form: Content-Type: application/x-www-form-urlencoded";
            return Err(refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, text.into()));
        }
        let request = Request::read(&form, &self.home, &self.guard)
            .map_err(|error| refusal(StatusCode::BAD_REQUEST, error.to_string()))?;
        if !self.known.is_cancelled() {
            return Err(away("this hub has just started; try again in a moment".into()));
        }
        let id = SubscriberId::new(&request.topic, &request.callback);
        let host = host(&request.callback);
        let room = self.index.has_room(&id, &request.topic, &host);
        room.map_err(|full| busy(&full.to_string(), Duration::from_secs(3600)))?;
        self.callbacks
            .take(host, Instant::now())
            .map_err(|wait| busy("too many requests for this callback's host", wait))?;
        self.store_request(&id, request).await.map_err(|error| {
            // Whoever asks a hundred times at once does so to himself.
            if !matches!(error, StoreError::Contended) {
                tracing::warn!(%error, "a request to the hub cannot be stored");
            }
            away("the request could not be stored; try again in a moment".into())
        })
    }

    async fn store_request(&self, id: &SubscriberId, request: Request) -> Result<(), StoreError> {
        let now = service_kit::now();
        let Request { mode, topic, topic_as_given, callback, lease, secret } = request;
        let request = random();
        let asked = Asked {
            id: request.clone(),
            mode,
            topic: topic_as_given,
            lease,
            secret,
            at: now,
            tries: 0,
            not_before: None,
        };
        let asking = |record: Option<Subscription>| {
            let mut record = record.unwrap_or_else(|| Subscription::new(topic.clone(), callback.clone()));
            record.agreed = record.standing(now).cloned();
            record.asked = Some(asked.clone());
            Some(record)
        };
        self.store.change(id, now, asking).await?;
        let until = now.checked_add(ASKED_FOR).unwrap_or(now);
        let call = Call { tag: None, sequence: self.applied.load(Ordering::Acquire) };
        self.store.call(id, &call, &request, until, now).await
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

fn refusal(status: StatusCode, text: String) -> Refusal {
    Refusal { status, text, retry_after: None, counted: "wrong" }
}

fn busy(text: &str, wait: Duration) -> Refusal {
    let (text, retry_after) = (text.to_owned(), Some(wait));
    Refusal { status: StatusCode::TOO_MANY_REQUESTS, text, retry_after, counted: "limited" }
}

fn away(text: String) -> Refusal {
    Refusal { status: StatusCode::SERVICE_UNAVAILABLE, text, retry_after: Some(AWAY), counted: "unavailable" }
}

fn plain(status: StatusCode, text: String) -> Response {
    let mut response = (status, text).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
