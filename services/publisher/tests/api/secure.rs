//! The API over TLS, by the settings an operator gives.

use std::process::Command;

use bus::{Bus, Credentials, Server};
use publisher::{Config, Publisher};
use reqwest::{Certificate, Client};
use service_kit::Settings;
use testkit::NatsServer;
use tokio_util::sync::CancellationToken;
use topology::{CONSUMERS, STREAMS};

#[tokio::test]
async fn with_a_certificate_it_speaks_tls_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder.path())
        .output();
    let Ok(made) = made else { return skipped() };
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let file = |name: &str| folder.path().join(name).display().to_string();
    let nats = NatsServer::start().await;
    let server = Server { url: nats.url().into(), credentials: Credentials::None };
    let bus = Bus::connect(&server, "test").await.expect("connects");
    bus.provision(STREAMS, CONSUMERS, 1).await.expect("provisions");
    let mut settings = Settings::from_pairs([
        ("NEWSWIRE_NATS_URL".to_owned(), nats.url().to_owned()),
        ("NEWSWIRE_PUBLISHER_LISTEN".to_owned(), "127.0.0.1:0".to_owned()),
        ("NEWSWIRE_PUBLISHER_TLS_CERT_FILE".to_owned(), file("cert.pem")),
        ("NEWSWIRE_PUBLISHER_TLS_KEY_FILE".to_owned(), file("key.pem")),
    ]);
    let config = Config::read(&mut settings);
    let config = settings.finish("NEWSWIRE_PUBLISHER_", config).expect("settings that will do");
    let (publisher, shutdown) = (Publisher::bind(config).await.expect("binds"), CancellationToken::new());
    let port = publisher.address().port();
    let running = tokio::spawn(publisher.run(shutdown.clone()));
    let trusted = Certificate::from_pem(&std::fs::read(file("cert.pem")).expect("reads")).expect("a certificate");
    let trusting = Client::builder().tls_certs_only([trusted]).build().expect("a client");
    let url = |scheme: &str| format!("{scheme}://localhost:{port}/v1/token");
    assert_eq!(trusting.get(url("https")).send().await.expect("an answer over TLS").status(), 401);
    assert!(Client::new().get(url("https")).send().await.is_err(), "who does not trust it says so");
    assert!(trusting.get(url("http")).send().await.is_err(), "no token travels in the clear");
    shutdown.cancel();
    running.await.expect("no panic").expect("it stopped in good order");
}

#[expect(clippy::print_stderr, reason = "a test that was skipped must say so")]
fn skipped() {
    eprintln!("skipped: there is no openssl to make a certificate with");
}
