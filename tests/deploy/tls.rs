//! The TLS configuration that we ship works with the services as they are, also for an authority of one's own.

use std::path::Path;
use std::process::Command;

use testkit::{Process, built};

use crate::server::{ANY_PORTS, Keys, start};

/// A certificate of an authority that nobody knows, and its key.
fn certificate(dir: &Path) -> Option<(String, String)> {
    let (cert, key) = (dir.join("cert.pem").display().to_string(), dir.join("key.pem").display().to_string());
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args([
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ])
        .args(["-keyout", &key, "-out", &cert])
        .output()
        .ok()?;
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Some((cert, key))
}

#[tokio::test]
async fn services_reach_nats_by_tls_and_only_if_they_trust_it() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let Some((cert, key)) = certificate(dir.path()) else {
        println!("skipped: there is no openssl to make a certificate with");
        return;
    };
    let keys = Keys::new();
    let ports = [ANY_PORTS[0], ANY_PORTS[1], ("# include \"tls.conf\"", "include \"tls.conf\"")];
    let files = [("NATS_TLS_CERT", cert.as_str()), ("NATS_TLS_KEY", key.as_str())];
    let server = start("nats-server.conf", "nats-1", &ports, &keys, &files).await;
    let port = server.url.rsplit(':').next().expect("host:port");
    let seed = dir.path().join("publisher.nkey");
    std::fs::write(&seed, keys.seed("publisher")).expect("the seed");
    let publisher = |trusted: Option<&str>| {
        let mut command = built("publisher");
        command
            .env("NEWSWIRE_PUBLISHER_LISTEN", "127.0.0.1:0")
            .env("NEWSWIRE_NATS_URL", format!("tls://localhost:{port}"))
            .env("NEWSWIRE_NATS_NKEY_FILE", &seed)
            .envs(trusted.map(|file| ("SSL_CERT_FILE", file)));
        Process::spawn(&mut command)
    };
    publisher(None).line("cannot reach NATS").await;
    // It is in: what it misses is what nobody has provisioned.
    publisher(Some(&cert)).line("run `newswire provision`").await;
}
