//! The same over TLS.

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, HandshakeKind, RootCertStore, SupportedProtocolVersion};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;
use crate::tls::tests::certificate;

/// Trusts the one certificate.
fn client(cert: &std::path::Path, versions: &[&'static SupportedProtocolVersion], speaks: &[&[u8]]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(cert).unwrap()).unwrap();
    let config =
        ClientConfig::builder_with_provider(Arc::new(default_provider())).with_protocol_versions(versions).unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = speaks.iter().map(|name| name.to_vec()).collect();
    TlsConnector::from(Arc::new(config))
}

async fn shake(connector: &TlsConnector, served: &Served) -> std::io::Result<TlsStream<TcpStream>> {
    connector.connect("localhost".try_into().unwrap(), served.open(b"").await).await
}

/// The answer to a GET, to its end.
async fn ask(mut socket: TlsStream<TcpStream>) -> String {
    socket.write_all(GET).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.expect("closed in good order");
    answer
}

#[tokio::test]
async fn both_versions_of_both_protocols_are_spoken() {
    let Some(files) = certificate() else { return };
    let served = started_with(PATIENT, hello(), Some(files.load())).await;
    for version in [&TLS12, &TLS13] {
        for speaks in [&[][..], &[&b"http/1.1"[..]]] {
            let socket = shake(&client(&files.cert, &[version], speaks), &served).await.unwrap();
            assert!(ask(socket).await.ends_with("hello"), "{version:?}");
        }
        let socket = shake(&client(&files.cert, &[version], &[b"h2", b"http/1.1"]), &served).await.unwrap();
        assert_eq!(socket.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let (client, connection) = h2::client::handshake(socket).await.unwrap();
        tokio::spawn(connection);
        let request = axum::http::Request::get("https://localhost/").body(()).unwrap();
        let (answer, _) = client.ready().await.unwrap().send_request(request, true).unwrap();
        let mut body = answer.await.unwrap().into_body();
        assert_eq!(body.data().await.unwrap().unwrap(), "hello");
    }
}

#[tokio::test]
async fn who_comes_back_resumes() {
    let Some(files) = certificate() else { return };
    let served = started_with(PATIENT, hello(), Some(files.load())).await;
    for version in [&TLS12, &TLS13] {
        let connector = client(&files.cert, &[version], &[]);
        for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let socket = shake(&connector, &served).await.unwrap();
            assert_eq!(socket.get_ref().1.handshake_kind(), Some(kind), "{version:?}");
            assert!(ask(socket).await.ends_with("hello"));
        }
    }
}

#[tokio::test]
async fn who_does_not_finish_the_handshake_loses_the_place() {
    let Some(files) = certificate() else { return };
    let limits = Limits { connections: 1, handshake: SHORT, ..PATIENT };
    let served = started_with(limits, hello(), Some(files.load())).await;
    let connector = client(&files.cert, &[&TLS13], &[]);
    // Nothing; the beginning of a ClientHello of 512 bytes; and what is no TLS at all.
    for begun in [&b""[..], b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", GET] {
        let held = served.open(begun).await;
        let socket = shake(&connector, &served).await.unwrap();
        assert!(ask(socket).await.ends_with("hello"));
        drop(held);
    }
}

#[tokio::test]
async fn a_new_certificate_is_shown_without_a_restart() {
    let (Some(files), Some(renewed)) = (certificate(), certificate()) else { return };
    let limits = Limits { renewal: Duration::from_millis(10), ..PATIENT };
    let served = started_with(limits, hello(), Some(files.load())).await;
    let trusts_new = client(&renewed.cert, &[&TLS13], &[]);
    assert!(shake(&trusts_new, &served).await.is_err());
    std::fs::copy(&renewed.key, &files.key).unwrap();
    std::fs::copy(&renewed.cert, &files.cert).unwrap();
    let shown = async { while shake(&trusts_new, &served).await.is_err() {} };
    tokio::time::timeout(LONG, shown).await.expect("it is shown");
}
