//! Whether a process lives and whether it should get traffic.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use bus::Bus;

/// Readiness: what has to be caught up has been, and the server is there.
#[derive(Clone)]
pub struct Health {
    caught_up: Arc<AtomicBool>,
    bus: Bus,
    /// A service that can serve what it has in memory stays ready while NATS is away.
    needs_nats: bool,
}

impl Health {
    pub fn new(bus: Bus, needs_nats: bool) -> Self {
        Self { caught_up: Arc::default(), bus, needs_nats }
    }

    /// Everything that the service must have seen before it serves has been seen.
    pub fn caught_up(&self) {
        self.caught_up.store(true, Ordering::Release);
    }

    fn why_not(&self) -> Option<&'static str> {
        if !self.caught_up.load(Ordering::Acquire) {
            return Some("catching up with the log");
        }
        (self.needs_nats && !self.bus.is_connected()).then_some("not connected to NATS")
    }

    /// `GET /livez`: the process answers. `GET /readyz`: 200, or 503 with the reason.
    pub fn routes(&self) -> Router {
        let health = self.clone();
        let ready = move || {
            let why_not = health.why_not();
            async move {
                match why_not {
                    None => (StatusCode::OK, "ready\n".to_owned()),
                    Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
                }
            }
        };
        Router::new().route("/livez", get(async || "alive\n")).route("/readyz", get(ready))
    }
}
