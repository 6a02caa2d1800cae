//! The JSON API, over the same store as SMTP.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Json, Response};
use axum::{Router, routing::get};
use jiff::Timestamp;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::mail::{Content, Mail};
use crate::{DRAIN, Shared};

/// Serves until the mailbox stops; requests under way may finish.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let local_only = listener.local_addr().is_ok_and(|addr| addr.ip().is_loopback());
    let mut app = Router::new()
        .route("/api/messages", get(api_list))
        .route("/api/messages/{number}", get(api_mail))
        .with_state(shared);
    if local_only {
        app = app.layer(middleware::from_fn(local_hosts_only));
    }
    let drained = {
        let stop = stop.clone();
        async move {
            stop.cancelled().await;
            tokio::time::sleep(DRAIN).await;
        }
    };
    tokio::select! {
        served = async { axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned()).await } => {
            if let Err(error) = served {
                tracing::error!(%error, "the mailbox viewer stopped");
            }
        }
        () = drained => {}
    }
}

/// A page anywhere on the web can point a name of its own at 127.0.0.1 and read the answers; it cannot forge Host.
async fn local_hosts_only(headers: HeaderMap, request: Request, next: Next) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()))
        .map_or(host, |(name, _)| name);
    let local = name.eq_ignore_ascii_case("localhost")
        || name.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if local {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "this mailbox answers to localhost only\n").into_response()
    }
}

/// A mail in the list.
#[derive(Serialize)]
struct Summary {
    number: u64,
    received: Timestamp,
    envelope_from: String,
    envelope_to: Vec<String>,
    subject: Option<String>,
    octets: usize,
}

/// One mail, decoded.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    summary: Summary,
    #[serde(flatten)]
    content: Content,
}

fn summary(mail: &Mail, content: &Content) -> Summary {
    Summary {
        number: mail.number,
        received: mail.received,
        envelope_from: mail.from.clone(),
        envelope_to: mail.to.clone(),
        subject: content.header("Subject").map(str::to_owned),
        octets: mail.raw.len(),
    }
}

/// Every mail kept, newest first.
async fn api_list(State(shared): State<Arc<Shared>>) -> Json<Vec<Summary>> {
    Json(shared.store.page(u64::MAX, usize::MAX).iter().map(|mail| summary(mail, &mail.content())).collect())
}

async fn api_mail(State(shared): State<Arc<Shared>>, Path(number): Path<u64>) -> Result<Json<Whole>, StatusCode> {
    let mail = shared.store.get(number).ok_or(StatusCode::NOT_FOUND)?;
    let content = mail.content();
    Ok(Json(Whole { summary: summary(&mail, &content), content }))
}
