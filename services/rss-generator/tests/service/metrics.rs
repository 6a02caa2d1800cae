//! What the service counts of itself, as a foreign reader of OpenMetrics takes it.

use std::path::PathBuf;
use std::process::Stdio;

use reqwest::Client;
use rss_generator::{Config, RssGenerator};
use serde_json::Value;
use testkit::eventually;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use super::provisioned;

/// Families by name: their type, and their samples by name and labels. `None`, with a line that says so, where the tools
/// are not installed (`tests/run` installs them).
#[expect(clippy::print_stderr, reason = "a test that was skipped must say so")]
async fn read(text: &str) -> Option<Value> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join("tests/.tools/venv/bin/python");
    if !python.exists() {
        eprintln!("skipped: {} is not there; tests/run makes it", python.display());
        return None;
    }
    let mut reader = Command::new(python);
    reader.arg(root.join("tests/foreign/read_metrics.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut reader = reader.spawn().unwrap();
    reader.stdin.take().unwrap().write_all(text.as_bytes()).await.unwrap();
    let output = reader.wait_with_output().await.unwrap();
    assert!(output.status.success(), "read_metrics.py failed on {text}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[tokio::test]
async fn a_foreign_reader_takes_the_metrics_of_readers_and_of_the_hub() {
    let (nats, _bus) = provisioned().await;
    // Known before it starts: the service tells it in its log alone.
    let port = testkit::Port::reserve();
    let listen = port.address();
    let shutdown = CancellationToken::new();
    let service = RssGenerator::bind(Config { metrics: Some(listen), ..super::config(&nats) }).await.unwrap();
    let (base, http) = (format!("http://{}", service.address), Client::new());
    let running = tokio::spawn(service.run(shutdown.clone()));
    let wrong = eventually("the hub answers", async || {
        http.post(format!("{base}/hub"))
            .form(&[("hub.mode", "neither")])
            .send()
            .await
            .map_err(|error| error.to_string())
    })
    .await;
    assert_eq!(wrong.status(), 400);
    let scraped = http.get(format!("http://{listen}/metrics")).send().await.unwrap();
    assert!(scraped.headers()["content-type"].to_str().unwrap().starts_with("application/openmetrics-text; version=1"));
    if let Some(read) = read(&scraped.text().await.unwrap()).await {
        for (family, kind) in [
            ("process_start_time_seconds", "gauge"),
            ("newswire_http_connections_open", "gauge"),
            ("newswire_http_requests_open", "gauge"),
            ("newswire_http_requests", "counter"),
            ("newswire_hub_requests", "counter"),
            ("newswire_hub_delivery_seconds", "histogram"),
            ("newswire_hub_subscriptions", "gauge"),
        ] {
            assert_eq!(read[family]["type"], kind, "{family} in {read}");
        }
        let samples = |family: &str| read[family]["samples"].clone();
        assert_eq!(
            samples("newswire_hub_requests")[r#"newswire_hub_requests_total outcome=wrong service=rss-generator"#],
            1.0,
            "{read}"
        );
        assert_eq!(
            samples("newswire_http_requests")[r#"newswire_http_requests_total class=4xx service=rss-generator"#],
            1.0,
            "{read}"
        );
    }
    shutdown.cancel();
    running.await.unwrap().unwrap();
}
