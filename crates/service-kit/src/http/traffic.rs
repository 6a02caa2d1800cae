//! Counts of a server: atomics, so cheap that every server counts, whether somebody reads them or not.

use axum::http::StatusCode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Classes of status codes, as RFC 9110 (15) names them.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

type ByClass = Family<[(&'static str, &'static str); 1], Counter>;

/// What goes through one server; a clone counts on.
#[derive(Clone)]
pub(crate) struct Traffic {
    connections: Gauge,
    requests: Gauge,
    /// Those of `shown`, 1xx first: to find one there costs a lock.
    answers: [Counter; CLASSES.len()],
    shown: ByClass,
}

/// Something open, counted until it is dropped.
pub(super) struct Open(Gauge);

impl Default for Traffic {
    fn default() -> Self {
        let shown = ByClass::default();
        let answers = CLASSES.map(|class| shown.get_or_create_owned(&[("class", class)]));
        Self { connections: Gauge::default(), requests: Gauge::default(), answers, shown }
    }
}

impl Traffic {
    pub(crate) fn register(&self, registry: &mut Registry) {
        let open = "Connections of clients that are open, TLS handshakes included";
        registry.register("newswire_http_connections_open", open, self.connections.clone());
        registry.register("newswire_http_requests_open", "Requests not answered yet", self.requests.clone());
        registry.register("newswire_http_requests", "Requests answered, by class of status", self.shown.clone());
    }

    pub(super) fn connection(&self) -> Open {
        Open::of(&self.connections)
    }

    pub(super) fn request(&self) -> Open {
        Open::of(&self.requests)
    }

    pub(super) fn answered(&self, status: StatusCode) {
        // `StatusCode` is 100..=999; what is beyond the registered classes counts as the last, as its clients do.
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len()) - 1;
        self.answers[class].inc();
    }
}

impl Open {
    fn of(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}
