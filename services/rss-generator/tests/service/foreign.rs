//! Subscribers that other people wrote, against the whole service over TLS.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use reqwest::Client;
use rss_generator::{Config, RssGenerator};
use serde_json::Value;
use service_kit::Tls;
use tempfile::TempDir;
use testkit::eventually;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{create, document, provisioned, publish};

/// Flask-WebSub in a process of its own.
struct FlaskWebSub {
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl FlaskWebSub {
    /// `None`, with a line that says so, where the tools are not installed (`tests/run` installs them).
    #[expect(clippy::print_stderr, reason = "a test that was skipped must say so")]
    fn start(folder: &TempDir) -> Option<Self> {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
        let python = root.join("tests/.tools/venv/bin/python");
        if !python.exists() {
            eprintln!("skipped: {} is not there; tests/run makes it", python.display());
            return None;
        }
        let mut child = Command::new(python)
            .arg(root.join("tests/foreign/websub_subscriber.py"))
            .arg(folder.path())
            // It trusts this certificate and no other.
            .env("REQUESTS_CA_BUNDLE", folder.path().join("cert.pem"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Some(Self { input, output: BufReader::new(output).lines(), _child: child })
    }

    async fn tell(&mut self, command: &str) {
        self.input.write_all(format!("{command}\n").as_bytes()).await.unwrap();
    }

    /// What it says next.
    async fn says(&mut self, what: &str) -> Value {
        let line = timeout(Duration::from_secs(60), self.output.next_line()).await;
        let line = line.unwrap_or_else(|_| panic!("it does not say {what}")).unwrap();
        let said: Value =
            serde_json::from_str(&line.unwrap_or_else(|| panic!("it ended and did not say {what}"))).unwrap();
        assert!(said.get(what).is_some(), "{what}: {said}");
        said[what].clone()
    }
}

/// `None`, with a line that says so, where there is no openssl.
#[expect(clippy::print_stderr, reason = "a test that was skipped must say so")]
fn certificate() -> Option<TempDir> {
    let folder = tempfile::tempdir().unwrap();
    let made = std::process::Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder.path())
        .output();
    let Ok(made) = made else {
        eprintln!("skipped: there is no openssl to make a certificate with");
        return None;
    };
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Some(folder)
}

/// The service speaks TLS, for that subscriber gives its secret to no hub that does not.
#[tokio::test]
async fn flask_websub_subscribes_is_told_renews_and_unsubscribes() {
    let Some(folder) = certificate() else { return };
    let Some(mut reader) = FlaskWebSub::start(&folder) else { return };
    let (nats, bus) = provisioned().await;
    // Its own address is in every feed, so it has to be known before the service has it.
    let port = testkit::Port::reserve();
    let listen = port.address();
    let base = format!("https://localhost:{}", listen.port());
    let config = Config {
        listen,
        tls: Some(Tls::load(folder.path().join("cert.pem"), folder.path().join("key.pem")).unwrap()),
        public_url: base.parse().unwrap(),
        ..super::config(&nats)
    };
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(RssGenerator::bind(config).await.unwrap().run(shutdown.clone()));
    let http = Client::builder().tls_danger_accept_invalid_certs(true).build().unwrap();
    eventually("it is ready", async || {
        let answer = http.get(format!("{base}/readyz")).send().await.map_err(|error| error.to_string())?;
        if answer.status() == 200 { Ok(()) } else { Err(answer.status().to_string()) }
    })
    .await;
    publish(&bus, &create(1, &document())).await;

    reader.says("ready").await;
    let topic = format!("{base}/feeds/section/open-justice.atom");
    eventually("the feed is there", async || match http.get(&topic).send().await.unwrap().status().as_u16() {
        200 => Ok(()),
        other => Err(other),
    })
    .await;
    reader.tell(&format!("subscribe {topic}")).await;
    assert_eq!(reader.says("hub").await, format!("{base}/hub"));
    assert_eq!(reader.says("confirmed").await, "subscribe");
    let mut news = document();
    for (n, headline) in [(2, "A second archive opens"), (3, "档案馆再次开放 🗄")] {
        news["headline"] = headline.into();
        publish(&bus, &create(n, &news)).await;
        let body = reader.says("news").await;
        assert!(body.as_str().unwrap().contains(headline), "{body}");
        if n == 2 {
            reader.tell("renew").await;
            assert_eq!(reader.says("confirmed").await, "subscribe");
        }
    }
    reader.tell("unsubscribe").await;
    assert_eq!(reader.says("confirmed").await, "unsubscribe");
    shutdown.cancel();
    running.await.unwrap().unwrap();
}
