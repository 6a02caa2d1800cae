//! What the API says in HTTP: routes, limits, the access log. What happens to an article is the desk's business.

mod articles;
mod auth;
mod changes;
mod conditional;
mod docs;
mod dry_run;
mod exports;
mod headers;
mod limits;
mod list;
mod mail;
mod query;
mod questions;
mod webhooks;

use std::sync::Arc;
use std::time::Instant;

use article::PublisherId;
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn, from_fn_with_state, map_response};
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use bus::Bus;
use service_kit::Health;
use tokio::sync::Semaphore;

use crate::desk::Desk;
use crate::index::Index;
use crate::refusal::Refusal;
use crate::token::{Registry, Uses};
use crate::webhook::Webhooks;

pub(crate) use limits::MAX_BODY;
pub(crate) use list::{LEFT_OUT, LIST_LIMIT, MAX_LIST_LIMIT};
pub(crate) use mail::ORDERS;

/// Of a path in the access log: what is longer is no address of ours.
const LOGGED_PATH: usize = 200;

/// What the handlers work with.
#[derive(Clone)]
pub(crate) struct App {
    bus: Bus,
    desk: Desk,
    registry: Registry,
    uses: Uses,
    index: Index,
    webhooks: Webhooks,
}

impl App {
    pub(crate) fn new(bus: Bus, desk: Desk, registry: Registry, uses: Uses, index: Index, webhooks: Webhooks) -> Self {
        Self { bus, desk, registry, uses, index, webhooks }
    }
}

/// The whole API.
pub(crate) fn router(app: App, health: &Health) -> Router {
    let articles = Router::new()
        .route("/v1/articles", get(list::list).post(articles::create))
        .route("/v1/articles/{id}", get(articles::read).put(articles::revise))
        .route("/v1/articles/{id}/ninjs", get(exports::as_ninjs))
        .route("/v1/articles/{id}/json-ld", get(exports::as_json_ld))
        .route("/v1/articles/{id}/changes", post(changes::change))
        .route("/v1/articles/{id}/revisions", get(changes::revisions))
        .route("/v1/articles/{id}/receipts", get(changes::receipts))
        .route("/v1/articles/{id}/mail", get(mail::ledger))
        .route("/v1/articles/{id}/mail/why", post(questions::why))
        .route("/v1/reach", post(questions::reach))
        .route("/v1/articles/{id}/mail/{plan}/{order}", post(mail::order))
        .route("/v1/token", get(list::token))
        .route_layer(from_fn_with_state(app.clone(), auth::require));
    let places = |count: usize| from_fn_with_state(Arc::new(Semaphore::new(count)), limits::bound);
    // Whoever sends here has shown no token: he may be slow at the cost of other webhooks, not of the newsroom.
    let webhooks =
        Router::new().route("/v1/webhooks/{hook}", post(webhooks::receive)).layer(places(limits::MAX_WEBHOOKS));
    Router::new()
        .merge(articles)
        .route("/", get(async || Redirect::temporary("/v1/docs")))
        .route("/v1/docs", get(docs::page))
        .route("/v1/docs/style.css", get(docs::style))
        .route("/v1/openapi.json", get(docs::openapi))
        .route("/v1/schemas/article", get(docs::article_schema))
        .layer(places(limits::MAX_REQUESTS))
        .merge(webhooks)
        .fallback(async || Refusal::NoSuchResource)
        .method_not_allowed_fallback(async || Refusal::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn(limits::body))
        .layer(from_fn(conditional::answer))
        .layer(map_response(protect))
        .layer(from_fn(log))
        .with_state(app)
        // Probes come every few seconds: outside of the limits, and of the log.
        .merge(health.routes())
}

/// No page of ours runs a script, is framed, or tells another site where its reader comes from.
async fn protect(mut response: Response) -> Response {
    const POLICY: &str =
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Who asked for what, and what became of it. Never a token, a query or a body.
async fn log(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    // A URI holds visible ASCII only, so cutting it anywhere is safe, and so is the log.
    let path: String = request.uri().path().chars().take(LOGGED_PATH).collect();
    let response = next.run(request).await;
    let publisher = response.extensions().get::<PublisherId>().map_or("-", PublisherId::as_str);
    tracing::info!(
        http.method = %method,
        http.path = path,
        http.status = response.status().as_u16(),
        duration.ms = started.elapsed().as_millis() as u64,
        publisher,
        "request"
    );
    response
}
