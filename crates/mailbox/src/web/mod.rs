//! The viewer and the JSON API, over the same store as SMTP. What is shown was written by strangers: pages run no
//! script, load nothing from elsewhere, and an HTML part is framed in a sandbox under a policy of its own.

mod api;
mod links;
mod pages;

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::get};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{DRAIN, Shared};

/// For everything but the HTML part of a mail, which carries its own.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; frame-src 'self'; img-src data:; base-uri 'none'; \
                           form-action 'none'; frame-ancestors 'none'";

/// Serves until the mailbox stops; requests under way may finish.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let local_only = listener.local_addr().is_ok_and(|addr| addr.ip().is_loopback());
    let mut app = Router::new()
        .route("/", get(pages::list))
        .route("/style.css", get(pages::style))
        .route("/messages/{number}", get(pages::mail))
        .route("/messages/{number}/html", get(pages::html_part))
        .route("/messages/{number}/raw", get(pages::raw))
        .route("/api/messages", get(api::list))
        .route("/api/messages/{number}", get(api::mail))
        .layer(middleware::map_response(protect))
        .with_state(shared);
    if local_only {
        app = app.layer(middleware::from_fn(local_hosts_only));
    }
    let overdue = stop.clone();
    let overdue = async move {
        overdue.cancelled().await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        served = async { axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned()).await } => {
            if let Err(error) = served {
                tracing::error!(%error, "the mailbox viewer stopped");
            }
        }
        () = overdue => tracing::warn!("mailbox viewer left connections that did not finish in time"),
    }
}

async fn protect(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(PAGE_POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A page anywhere on the web can point a name of its own at 127.0.0.1 and read the answers; it cannot forge Host.
async fn local_hosts_only(headers: HeaderMap, request: Request, next: Next) -> Response {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if is_local(host) {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, "this mailbox answers to localhost only\n").into_response()
    }
}

/// Whether a Host field names this machine itself, with or without a port.
fn is_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn only_names_of_this_machine_are_local() {
        for host in ["localhost", "LOCALHOST:8025", "127.0.0.1:1", "127.9.9.9", "[::1]:8025", "[::1]"] {
            assert!(is_local(host), "{host}");
        }
        for host in ["", "rebound.example:8025", "127.0.0.1.example", "localhost.example", "192.168.1.2:80", "[::1"] {
            assert!(!is_local(host), "{host}");
        }
    }
}
