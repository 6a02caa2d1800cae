//! Providers report by webhook.

use std::process::Command;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use axum::body::Bytes;
use axum::http::header::WWW_AUTHENTICATE;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use interchange::signature::sign_standard;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::time::Instant;

use super::*;
use crate::inbound::sns::Sns;
use crate::inbound::webhooks::{Webhooks, router};

async fn status(request: RequestBuilder) -> (StatusCode, String) {
    let response = request.send().await.unwrap();
    (response.status(), response.text().await.unwrap())
}

/// A body in which the envelope sender and the address are those of `reader`.
fn about(name: &str, reader: &Reader<'_>, address: &str) -> String {
    let text = String::from_utf8(sample(&format!("webhook/{name}.json"))).unwrap();
    let sender = "bounces+0123456789abcdef0123456789abcdef.00112233445566778899@news.example";
    text.replace(sender, &reader.returned()).replace("jo.doe@example.org", address)
}

#[tokio::test]
async fn a_generic_report_is_signed_or_nothing() {
    let house = House::open().await;
    house.work();
    let reader = house.reader("jo.doe@example.org").await;
    let secret = interchange::signature::Secret::parse(SIGNING).unwrap();
    let now = service_kit::now();
    let signed = |id: &str, at: Timestamp, body: &str| {
        let request = house.http.post(format!("{}/inbound/generic", house.base)).body(body.to_owned());
        let request = request.header("webhook-id", id).header("webhook-timestamp", at.as_second().to_string());
        request.header("webhook-signature", sign_standard(&secret, id, at, body.as_bytes()))
    };
    let bounce = about("generic-bounce", &reader, "jo.doe@example.org");
    let unsigned = house.http.post(format!("{}/inbound/generic", house.base)).body(bounce.clone());
    let old = now - SignedDuration::from_secs(301);
    let changed = signed("1", now, "{}").body(bounce.clone());
    for (request, expected) in [
        (unsigned, StatusCode::UNAUTHORIZED),
        (changed, StatusCode::UNAUTHORIZED),
        (signed("1", old, &bounce), StatusCode::UNAUTHORIZED),
        (signed("1", now, "{}"), StatusCode::BAD_REQUEST),
        (signed("1", now, "{\"type\":\"bounce\"}"), StatusCode::BAD_REQUEST),
        (signed("1", now, &" ".repeat(600_000)), StatusCode::PAYLOAD_TOO_LARGE),
        (house.http.get(format!("{}/inbound/generic", house.base)), StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let (status, text) = status(request).await;
        assert_eq!(status, expected, "{text}");
        assert!(!text.contains("whsec"), "{text}");
    }
    assert_eq!(house.events().await, 0);
    for _ in 0..3 {
        assert_eq!(status(signed("1", now, &bounce)).await.0, StatusCode::OK);
    }
    assert_eq!(house.events().await, 1);
    house.carried_out().await;
    assert_eq!(reader.stops().await, Some(Reason::Bounced));
    // An envelope sender that is not ours is worth nothing, whatever address stands beside it.
    let other = house.reader("other@example.org").await;
    let forged = bounce.replace(&reader.returned(), "bounces+1.2@news.example").replace("jo.doe@", "other@");
    assert_eq!(status(signed("2", now, &forged)).await.0, StatusCode::OK);
    assert_eq!(status(signed("3", now, &about("generic-complaint", &reader, ""))).await.0, StatusCode::OK);
    assert_eq!(house.events().await, 2);
    assert_eq!(other.stops().await, None);
}

#[tokio::test]
async fn postmark_is_who_knows_the_password() {
    let house = House::open().await;
    house.work();
    let reader = house.reader("jo.doe@example.org").await;
    let send = |login: &str, name: &str| {
        let request = house.http.post(format!("{}/inbound/postmark", house.base));
        let request = request.body(about(name, &reader, "jo.doe@example.org"));
        match login {
            "" => request,
            login => request.header("authorization", format!("basic {}", STANDARD.encode(login))),
        }
    };
    for wrong in ["", "postmark:", &LOGIN[1..], &format!("{LOGIN}x"), "党:党"] {
        let answer = send(wrong, "postmark-hard").send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{wrong}");
        assert!(answer.headers().contains_key(WWW_AUTHENTICATE));
    }
    for harmless in ["postmark-auto", "postmark-open", "postmark-policy"] {
        assert_eq!(status(send(LOGIN, harmless)).await, (StatusCode::OK, String::new()), "{harmless}");
    }
    assert_eq!(house.events().await, 0);
    assert_eq!(status(send(LOGIN, "postmark-soft")).await.0, StatusCode::OK);
    house.carried_out().await;
    assert_eq!(reader.stops().await, None, "one point");
    for _ in 0..2 {
        assert_eq!(status(send(LOGIN, "postmark-complaint")).await.0, StatusCode::OK);
    }
    let stranger = send(LOGIN, "postmark-hard").body(about("postmark-hard", &reader, "stranger@example.org"));
    assert_eq!(status(stranger).await.0, StatusCode::OK);
    assert_eq!(house.events().await, 2);
    house.carried_out().await;
    assert_eq!(reader.stops().await, Some(Reason::Complained));
    house.shutdown.cancel();
}

#[tokio::test]
async fn while_the_log_is_away_a_provider_is_to_come_again() {
    let mut house = House::open().await;
    let body = {
        let reader = house.reader("jo.doe@example.org").await;
        about("postmark-hard", &reader, "jo.doe@example.org")
    };
    let send = |house: &House| {
        let request = house.http.post(format!("{}/inbound/postmark", house.base)).body(body.clone());
        request.header("authorization", format!("Basic {}", STANDARD.encode(LOGIN)))
    };
    house.nats.kill9();
    let answer = send(&house).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "10");
    house.nats.restart().await;
    assert_eq!(status(send(&house)).await.0, StatusCode::OK);
    assert_eq!(house.events().await, 1);
}

/// Amazon, as far as its signature goes.
struct Amazon {
    key: RsaKeyPair,
    certificate: CertificateDer<'static>,
}

impl Amazon {
    const CERTIFICATE: &str = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a.pem";

    /// `None`, with a line that says so, where there is no openssl.
    fn new() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let (cert, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=sns.amazonaws.com"])
            .args(["-keyout".as_ref(), key.as_os_str(), "-out".as_ref(), cert.as_os_str()])
            .output();
        let Ok(made) = made else {
            println!("skipped: there is no openssl to make a certificate with");
            return None;
        };
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let PrivateKeyDer::Pkcs8(key) = PrivateKeyDer::from_pem_file(&key).unwrap() else { panic!("no PKCS#8") };
        let key = RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).unwrap();
        Some(Self { key, certificate: CertificateDer::from_pem_file(&cert).unwrap() })
    }

    fn envelope(&self, kind: &str, message: &str, more: &[(&str, &str)]) -> String {
        let mut json = serde_json::json!({
            "Type": kind, "MessageId": "22b80b92-fdea", "TopicArn": TOPIC, "Message": message,
            "Timestamp": "2026-11-22T10:00:07.000Z", "SignatureVersion": "2", "SigningCertURL": Self::CERTIFICATE,
            "Signature": "",
        });
        for (name, value) in more {
            json[*name] = (*value).into();
        }
        let signed = ::inbound::sns::Envelope::read(json.to_string().as_bytes()).unwrap().signed_text();
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        json["Signature"] = STANDARD.encode(signature).into();
        json.to_string()
    }
}

#[tokio::test]
async fn ses_is_who_signs_for_our_topic() {
    let (Some(amazon), Some(impostor)) = (Amazon::new(), Amazon::new()) else { return };
    let house = House::open().await;
    house.work();
    let reader = house.reader("jo.doe@example.org").await;
    let base = serve_ses(&house, &amazon).await;
    let send = |body: String| status(house.http.post(format!("{base}/inbound/ses")).body(body));
    let complaint = about("ses-complaint", &reader, "jo.doe@example.org");
    let good = amazon.envelope("Notification", &complaint, &[]);
    let foreign_topic = "arn:aws:sns:eu-west-1:210987654321:mail";
    for (body, expected) in [
        (impostor.envelope("Notification", &complaint, &[]), StatusCode::FORBIDDEN),
        (good.replace("complaint", "Complaint"), StatusCode::FORBIDDEN),
        (good.replace("22b80b92", "22b80b93"), StatusCode::FORBIDDEN),
        (amazon.envelope("Notification", &complaint, &[("TopicArn", foreign_topic)]), StatusCode::FORBIDDEN),
        (
            amazon.envelope(
                "Notification",
                &complaint,
                &[("SigningCertURL", "https://evil.example/SimpleNotificationService-0a.pem")],
            ),
            StatusCode::BAD_REQUEST,
        ),
        (
            amazon.envelope(
                "Notification",
                &complaint,
                &[("SigningCertURL", "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem")],
            ),
            StatusCode::FORBIDDEN,
        ),
        (
            amazon.envelope(
                "SubscriptionConfirmation",
                "x",
                &[("Token", "t"), ("SubscribeURL", "https://evil.example/")],
            ),
            StatusCode::BAD_REQUEST,
        ),
        (amazon.envelope("Notification", "Successfully validated SNS topic", &[]), StatusCode::BAD_REQUEST),
        ("{}".into(), StatusCode::BAD_REQUEST),
        (String::new(), StatusCode::BAD_REQUEST),
    ] {
        let (status, text) = send(body.clone()).await;
        assert_eq!(status, expected, "{text} {body}");
    }
    assert_eq!(house.events().await, 0);
    for harmless in ["ses-delivery", "ses-policy", "ses-content", "ses-undetermined"] {
        let body =
            amazon.envelope("Notification", &about(harmless, &reader, "jo.doe@example.org"), &[("Subject", "党")]);
        assert_eq!(send(body).await.0, StatusCode::OK, "{harmless}");
    }
    assert_eq!(send(amazon.envelope("UnsubscribeConfirmation", "x", &[("Token", "t")])).await.0, StatusCode::OK);
    assert_eq!(house.events().await, 0);
    for _ in 0..3 {
        assert_eq!(send(good.clone()).await, (StatusCode::OK, String::new()));
    }
    assert_eq!(house.events().await, 1);
    house.carried_out().await;
    assert_eq!(reader.stops().await, Some(Reason::Complained));
}

/// The webhook with a certificate that it has fetched already: Amazon's address is nobody else's.
async fn serve_ses(house: &House, amazon: &Amazon) -> String {
    let sns = Sns::new(TOPIC.parse().unwrap(), "test").unwrap();
    sns.learn(Amazon::CERTIFICATE.parse().unwrap(), amazon.certificate.clone(), Instant::now());
    let gate =
        Arc::new(Gate::new(house.bus.clone(), house.keys.clone(), house.store.clone(), "news.example", &metrics()));
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), "X").await.unwrap();
    let base = format!("http://{}", listener.address);
    let router = router(Webhooks::new(gate, Some(sns), None, None));
    tokio::spawn(service_kit::serve(listener, router, house.shutdown.clone()));
    base
}

#[tokio::test]
async fn what_is_not_set_up_is_not_there() {
    let house = House::open().await;
    let gate = Gate::new(house.bus.clone(), house.keys.clone(), house.store.clone(), "news.example", &metrics());
    let router = webhooks(Arc::new(gate), &Inbound::default(), &"http://127.0.0.1/".parse().unwrap()).unwrap();
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), "X").await.unwrap();
    let base = format!("http://{}", listener.address);
    tokio::spawn(service_kit::serve(listener, router, house.shutdown.clone()));
    for name in ["ses", "postmark", "generic"] {
        let request = house.http.post(format!("{base}/inbound/{name}")).body(Bytes::new());
        assert_eq!(status(request).await.0, StatusCode::NOT_FOUND, "{name}");
    }
}
