//! Signed mails of every kind, after a relay has taken them, before a verifier that is not ours (dkimpy).

#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

mod common;
#[path = "common/many.rs"]
mod many;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use article::Article;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::{address, alert, article, manage, site, spliced};
use mail::dkim::{KeyError, Signer};
use mail::smtp::{Timeouts, Tls};
use mail::{
    Access, Confirmation, Connection, Key, Link, Locale, Message, MessageId, Notice, Outcome, Outgoing, Relay, Topic,
    Why, access, compile_notice, confirmation,
};
use mailbox::{Config, Mailbox};
use serde_json::{Value, json};

fn pem(der: &[u8]) -> String {
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der))
}

fn rsa() -> String {
    pem(KeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap().as_ref())
}

fn signer() -> Signer {
    let ed25519 = Ed25519KeyPair::generate().unwrap();
    let signer = Signer::new("news.example", "news2026", &rsa()).unwrap();
    signer.with_ed25519("new-curve", &pem(ed25519.to_pkcs8v1().unwrap().as_ref())).unwrap()
}

fn told(locale: Locale) -> Article {
    match locale {
        Locale::Chinese => article(json!({
            "headline": "市检察院召开党风廉政建设和反腐败工作会议，传达学习有关精神并对下一阶段工作作出部署".repeat(6),
            "body": "<p>本报讯 昨日，市检察院召开会议。</p>\n<p>.会议要求，全院干警要提高认识，落实责任。</p>",
            "language": "zh-Hans",
        })),
        _ => article(json!({
            "headline": format!("...dots, {}", "and a headline that is folded over many lines ".repeat(9)),
            "body": "<p>.</p>\n<p>..</p>\n<p>. begins and ends with dots .</p>\n<p>a   b\tc</p>\n<p>=20 </p>",
        })),
    }
}

fn every_kind() -> Vec<Message> {
    let key = Key::new([7; 32]);
    let reader = address("reader@example.org");
    let id = MessageId::derive(&key, "plan", "x", "mail.news.example");
    let mut messages = Vec::new();
    for locale in Locale::ALL {
        let article = told(locale);
        messages.push(alert(&article, locale));
        messages.push(many::digest(locale));
        messages.push(many::update(&article, locale));
        for notice in [Notice::Correction { revision: 3 }, Notice::Withdrawal, Notice::Kill] {
            let issue = compile_notice(&article, notice, &site(), locale);
            messages.push(spliced(&issue, &reader, Some(&id), &Why::sent(&site(), locale)));
        }
        let confirm = Link::new("https://mail.news.example/confirm?a=1&t=abc".parse().unwrap()).unwrap();
        let date = "2026-11-22T10:00:05Z".parse().unwrap();
        let asked = Confirmation { to: &reader, message_id: &id, date, confirm: &confirm, topic: &Topic::Unnamed };
        messages.push(confirmation(&site(), locale, &asked));
        let link = Access { to: &reader, message_id: &id, date, preferences: &manage() };
        messages.push(access(&site(), locale, &link));
    }
    messages
}

/// The mails as the other side of a relay has them.
async fn relayed(messages: &[Message]) -> Vec<Vec<u8>> {
    let config = Config::new(|| "2026-11-22T10:00:00Z".parse().unwrap());
    let mailbox = Mailbox::start(config, &Default::default()).await.unwrap();
    let short = Duration::from_secs(20);
    let relay = Relay {
        host: "127.0.0.1".into(),
        port: mailbox.smtp_addr().port(),
        tls: Tls::None,
        auth: None,
        hello: "mail.news.example".into(),
        timeouts: Timeouts { connect: short, command: short, content: short },
    };
    let (from, to) = (address("bounces+t.00@mail.news.example"), address("reader@example.org"));
    let window: Vec<Outgoing<'_>> = messages.iter().map(|message| Outgoing { from: &from, to: &to, message }).collect();
    let outcomes = Connection::open(&relay).await.unwrap().send_window(&window).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Accepted(_))), "{outcomes:?}");
    mailbox.mails().iter().map(|mail| mail.raw.to_vec()).collect()
}

/// What dkimpy says of each signature of each mail.
#[expect(clippy::print_stdout, reason = "a check that did not run must say so")]
fn verified(signer: &Signer, mails: &[Vec<u8>]) -> Option<Vec<Vec<Value>>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let venv = root.join("../../tests/.tools/venv/bin/python");
    let python = if venv.exists() { venv } else { PathBuf::from("python3") };
    let usable = Command::new(&python).args(["-c", "import dkim, nacl"]).stderr(Stdio::null()).status();
    if !usable.is_ok_and(|status| status.success()) {
        println!("skipped: Python's dkimpy with PyNaCl is not installed");
        return None;
    }
    let records: serde_json::Map<String, Value> =
        signer.records().into_iter().map(|record| (record.name, record.value.into())).collect();
    let mails: Vec<String> = mails.iter().map(|mail| STANDARD.encode(mail)).collect();
    let mut child = Command::new(python)
        .arg(root.join("tests/foreign/verify_dkim.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let asked = json!({"records": records, "mails": mails}).to_string();
    child.stdin.take().unwrap().write_all(asked.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

fn sign_all(signer: &Signer, messages: &[Message]) -> Vec<Message> {
    messages.iter().map(|message| signer.sign(message, "2026-11-22T10:00:06Z".parse().unwrap()).unwrap()).collect()
}

#[tokio::test]
async fn every_kind_of_mail_verifies_after_a_relay_has_taken_it() {
    let (signer, messages) = (signer(), every_kind());
    let signed = sign_all(&signer, &messages);
    for (signed, plain) in signed.iter().zip(&messages) {
        let signatures = signed.as_str().strip_suffix(plain.as_str()).unwrap();
        assert!(signatures.split("\r\n").all(|line| line.len() <= 78), "{signatures}");
    }
    let Some(said) = verified(&signer, &relayed(&signed).await) else { return };
    assert_eq!(said.len(), messages.len());
    for (n, signatures) in said.iter().enumerate() {
        let valid = |algorithm| json!({"valid": true, "algorithm": algorithm, "domain": "news.example"});
        for (signature, algorithm) in signatures.iter().zip(["rsa-sha256", "ed25519-sha256"]) {
            let mut said = signature.clone();
            let fields: Vec<String> = serde_json::from_value(said["fields"].take()).unwrap();
            said.as_object_mut().unwrap().remove("fields");
            assert_eq!(said, valid(algorithm), "mail {n}");
            let count = |name: &str| fields.iter().filter(|field| *field == name).count();
            assert_eq!((count("from"), count("subject")), (2, 2), "{fields:?}");
            let header = messages[n].as_str().split("\r\n\r\n").next().unwrap();
            for name in [
                "To",
                "Date",
                "Message-ID",
                "MIME-Version",
                "Content-Type",
                "List-Unsubscribe",
                "List-Unsubscribe-Post",
                "List-Id",
            ] {
                let occurs = header.split("\r\n").any(|line| line.starts_with(&format!("{name}:")));
                assert_eq!(count(&name.to_ascii_lowercase()), usize::from(occurs), "mail {n}: {name} in {fields:?}");
            }
        }
        assert_eq!(signatures.len(), 2);
    }
}

#[tokio::test]
async fn what_was_changed_or_added_on_the_way_does_not_verify() {
    let signer = signer();
    let mail = relayed(&sign_all(&signer, &[alert(&article(json!({})), Locale::English)])).await.remove(0);
    let mail = String::from_utf8(mail).unwrap();
    let changes = [
        (mail.clone(), true),
        // What relays do on the way is none: a field of theirs, other white space, empty lines at the end.
        (format!("Received: from x by y\r\n{}\r\n\r\n", mail.replace("To: reader", "To:   reader")), true),
        (mail.replace("First paragraph.", "Last paragraph."), false),
        (format!("{mail}More.\r\n"), false),
        (format!("From: somebody@else.example\r\n{mail}"), false),
        (format!("Subject: something else\r\n{mail}"), false),
        (mail.replace("/unsubscribe?s=1", "/unsubscribe?s=2"), false),
    ];
    let mails: Vec<Vec<u8>> = changes.iter().map(|(mail, _)| mail.clone().into_bytes()).collect();
    let Some(said) = verified(&signer, &mails) else { return };
    for (n, ((_, valid), signatures)) in changes.iter().zip(&said).enumerate() {
        assert_eq!(signatures.len(), 2, "{n}");
        assert!(signatures.iter().all(|signature| signature["valid"] == *valid), "{n}: {signatures:?}");
    }
}

#[test]
fn keys_and_names_that_receivers_would_not_take_are_refused() {
    let key = rsa();
    for selector in ["", "-a", "a-", "A", "a.b", "a b", "新闻", &"a".repeat(64)] {
        assert_eq!(Signer::new("news.example", selector, &key).unwrap_err(), KeyError::Selector, "{selector:?}");
    }
    let signer = Signer::new("news.example", "a", &key).unwrap();
    let shown = format!("{signer:?}");
    assert_eq!(shown, "Signer { domain: \"news.example\", selectors: [\"a\"], .. }");
    let ed25519 = pem(Ed25519KeyPair::generate().unwrap().to_pkcs8v1().unwrap().as_ref());
    // One name for two keys, and one kind of key for the other.
    assert_eq!(signer.with_ed25519("a", &ed25519).unwrap_err(), KeyError::Selector);
    assert!(matches!(Signer::new("news.example", "a", &ed25519), Err(KeyError::Kind(_))));
}
