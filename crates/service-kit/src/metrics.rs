//! What a service counts of itself, as OpenMetrics text on an address of its own: readers have no business with it.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Context;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Metric, Registry, Unit};
use tokio_util::sync::CancellationToken;

use crate::http::{Limits, Listener, Traffic, serve_within};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Scrapers are few.
const CONNECTIONS: usize = 16;

/// The metrics of one service; a clone is the same metrics.
///
/// Every name of ours begins with `newswire_`, and every sample carries the service's name, so that several in one process,
/// or many in one database, can be told apart.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<RwLock<Registry>>,
    traffic: Traffic,
}

/// The address on which metrics are read, if there is one.
pub struct MetricsListener(Option<(Listener, Metrics)>);

impl Metrics {
    /// With when it started, and the counts of its HTTP server ([`Listener::counted`]).
    pub fn new(service: &'static str) -> Self {
        let mut registry = Registry::with_labels([("service".into(), service.into())].into_iter());
        // The name that dashboards know.
        let started = ConstGauge::new(crate::now().as_second());
        registry.register_with_unit(
            "process_start_time",
            "When the service started, since 1970",
            Unit::Seconds,
            started,
        );
        let traffic = Traffic::default();
        traffic.register(&mut registry);
        Self { registry: Arc::new(RwLock::new(registry)), traffic }
    }

    /// Shows `metric` from now on, as `newswire_<name>`; a counter's name gets `_total` behind it. Once for each name.
    pub fn register(&self, name: &str, help: &str, metric: impl Metric) {
        // A panic of somebody else's in between leaves the list whole.
        let mut registry = self.registry.write().unwrap_or_else(PoisonError::into_inner);
        registry.register(format!("newswire_{name}"), help, metric);
    }

    pub(crate) fn traffic(&self) -> Traffic {
        self.traffic.clone()
    }

    /// All of them as OpenMetrics 1.0 text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let registry = self.registry.read().unwrap_or_else(PoisonError::into_inner);
        encode(&mut text, &registry).expect("a string takes all that is written to it");
        text
    }

    /// Takes the address, which came from `setting`; without one nothing is served.
    ///
    /// # Errors
    /// When the port is taken or not ours to take.
    pub async fn bind(&self, address: Option<SocketAddr>, setting: &str) -> anyhow::Result<MetricsListener> {
        let Some(address) = address else { return Ok(MetricsListener(None)) };
        let listener = Listener::bind(address, setting).await.context("metrics")?;
        tracing::info!("metrics at http://{}/metrics", listener.address);
        Ok(MetricsListener(Some((listener, self.clone()))))
    }
}

impl MetricsListener {
    /// Where they are read; port 0 has become a real one.
    pub fn address(&self) -> Option<SocketAddr> {
        self.0.as_ref().map(|(listener, _)| listener.address)
    }

    /// Answers `GET /metrics` until `shutdown`.
    ///
    /// # Errors
    /// When the listening socket has failed for a minute.
    pub async fn serve(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let Some((listener, metrics)) = self.0 else {
            shutdown.cancelled().await;
            return Ok(());
        };
        let show = get(async move || ([(CONTENT_TYPE, OPEN_METRICS)], metrics.text()));
        serve_within(Limits::up_to(CONNECTIONS), listener, Router::new().route("/metrics", show), shutdown).await
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    async fn ask(address: SocketAddr, path: &str) -> String {
        let mut socket = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn what_is_counted_is_shown_on_its_own_address_only() {
        let metrics = Metrics::new("tester");
        let deliveries = Counter::<u64>::default();
        metrics.register("deliveries", "Deliveries made", deliveries.clone());
        deliveries.inc_by(3);
        let any = "127.0.0.1:0".parse().unwrap();
        let readers = Listener::bind(any, "NONE").await.unwrap().counted(&metrics);
        let scraped = metrics.bind(Some(any), "NONE").await.unwrap();
        let (open, at, stop) = (readers.address, scraped.address().unwrap(), CancellationToken::new());
        let router = Router::new().route("/", get(async || "hello"));
        let serving = tokio::spawn(crate::serve(readers, router, stop.clone()));
        let showing = tokio::spawn(scraped.serve(stop.clone()));
        for _ in 0..2 {
            assert!(ask(open, "/").await.ends_with("hello"));
        }
        assert!(ask(open, "/metrics").await.starts_with("HTTP/1.1 404"));
        let answer = ask(at, "/metrics").await;
        assert!(answer.contains(OPEN_METRICS), "{answer}");
        for line in [
            "newswire_deliveries_total{service=\"tester\"} 3\n",
            "newswire_http_requests_total{service=\"tester\",class=\"2xx\"} 2\n",
            "newswire_http_requests_total{service=\"tester\",class=\"4xx\"} 1\n",
            "newswire_http_requests_total{service=\"tester\",class=\"5xx\"} 0\n",
            "newswire_http_requests_open{service=\"tester\"} 0\n",
            "# UNIT process_start_time_seconds seconds\n",
        ] {
            assert!(answer.contains(line), "no {line} in {answer}");
        }
        assert!(answer.ends_with("# EOF\n"), "{answer}");
        stop.cancel();
        serving.await.unwrap().unwrap();
        showing.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn without_an_address_there_is_none() {
        let none = Metrics::new("tester").bind(None, "NONE").await.unwrap();
        assert_eq!(none.address(), None);
        let stop = CancellationToken::new();
        stop.cancel();
        none.serve(stop).await.unwrap();
    }
}
