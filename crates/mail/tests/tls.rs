//! TLS and AUTH against a server that is not ours; certificates are verified.

#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

mod common;

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{address, alert, article};
use mail::smtp::{Auth, OpenError, Timeouts, Tls, check_roots};
use mail::{Connection, Locale, Outcome, Outgoing, Relay};
use serde_json::json;

/// A certificate for `localhost` that signs itself, and its key.
#[expect(clippy::print_stdout, reason = "a check that did not run must say so")]
fn certificate(folder: &Path) -> Option<(PathBuf, PathBuf)> {
    let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .stderr(Stdio::null())
        .status();
    if !made.is_ok_and(|status| status.success()) {
        println!("skipped: there is no openssl to make a certificate with");
        return None;
    }
    Some((certificate, key))
}

fn server(mode: &str, certificate: &Path, key: &Path, mechanism: &str) -> (Child, u16) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/tls_relay.py");
    let mut child = Command::new("python3")
        .args([script.as_path(), Path::new(mode), certificate, key, Path::new(mechanism)])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    // Byte by byte, so that nothing of what comes later is read away.
    let mut first = BufReader::with_capacity(1, child.stdout.as_mut().unwrap());
    first.read_line(&mut line).unwrap();
    (child, line.trim().parse().unwrap())
}

fn relay(port: u16, tls: Tls) -> Relay {
    let short = Duration::from_secs(20);
    Relay {
        host: "localhost".into(),
        port,
        tls,
        auth: Some(Auth { user: "news".into(), password: "s3cret".into() }),
        hello: "mail.news.example".into(),
        timeouts: Timeouts { connect: short, command: short, content: short },
    }
}

#[tokio::test]
async fn mail_travels_encrypted_to_a_relay_that_proves_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let Some((certificate, key)) = certificate(folder.path()) else { return };
    let roots = std::fs::read(&certificate).unwrap();
    let (implicit, starttls) =
        (Tls::Implicit { extra_roots: roots.clone() }, Tls::StartTls { extra_roots: roots.clone() });
    for (mode, tls, mechanism) in
        [("implicit", &implicit, "PLAIN"), ("starttls", &starttls, "PLAIN"), ("starttls", &starttls, "LOGIN")]
    {
        let (mut server, port) = server(mode, &certificate, &key, mechanism);
        let mut connection = Connection::open(&relay(port, tls.clone())).await.unwrap();
        let (from, to) = (address("bounces+t.00@mail.news.example"), address("reader@example.org"));
        let message = alert(&article(json!({})), Locale::English);
        let outgoing = Outgoing { from: &from, to: &to, message: &message };
        let outcomes = connection.send_window(&[outgoing, outgoing]).await;
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Accepted(_))), "{outcomes:?}");
        connection.close().await;
        let mut said = String::new();
        server.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(said.trim(), "news s3cret TO:<reader@example.org> TO:<reader@example.org>", "{mode}");
        server.wait().unwrap();
    }
}

#[tokio::test]
async fn a_certificate_nobody_vouches_for_gets_no_password() {
    let folder = tempfile::tempdir().unwrap();
    let Some((certificate, key)) = certificate(folder.path()) else { return };
    for (mode, tls) in [
        ("implicit", Tls::Implicit { extra_roots: Vec::new() }),
        ("starttls", Tls::StartTls { extra_roots: Vec::new() }),
    ] {
        let (mut server, port) = server(mode, &certificate, &key, "PLAIN");
        let error = Connection::open(&relay(port, tls)).await.err();
        assert!(matches!(error, Some(OpenError::Tls(_))), "{mode} {error:?}");
        let mut said = String::new();
        server.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(!said.contains("s3cret"));
        server.wait().unwrap();
    }
}

#[tokio::test]
async fn a_wrong_password_is_said_to_be_one() {
    let folder = tempfile::tempdir().unwrap();
    let Some((certificate, key)) = certificate(folder.path()) else { return };
    let extra_roots = std::fs::read(&certificate).unwrap();
    let (mut server, port) = server("starttls", &certificate, &key, "LOGIN");
    let mut relay = relay(port, Tls::StartTls { extra_roots });
    relay.auth = Some(Auth { user: "news".into(), password: "guessed".into() });
    let error = Connection::open(&relay).await.err();
    assert!(matches!(&error, Some(OpenError::Auth { reply, .. }) if reply.code == 535), "{error:?}");
    let said = error.unwrap().to_string();
    assert!(said.contains("news") && !said.contains("guessed"), "{said}");
    server.wait().unwrap();
}

#[test]
fn roots_are_looked_at_before_they_are_needed() {
    let folder = tempfile::tempdir().unwrap();
    let Some((certificate, key)) = certificate(folder.path()) else { return };
    let (root, key) = (std::fs::read(certificate).unwrap(), std::fs::read(key).unwrap());
    assert!(check_roots(b"").is_ok());
    assert!(check_roots(&[root.clone(), root.clone()].concat()).is_ok(), "a bundle");
    let cut = &root[..root.len() - 60];
    for wrong in [&b"hello"[..], &key, cut] {
        assert!(check_roots(wrong).is_err(), "{}", String::from_utf8_lossy(wrong));
    }
}
