//! `newswire ledger`: what became of the mail about an article or of a digest, told and followed.

use std::sync::atomic::{AtomicU64, Ordering};

use bus::{Bus, Credentials, Server};
use bytes::Bytes;
use serde_json::{Value, json};
use testkit::eventually;
use tokio_util::sync::CancellationToken;
use topology::subjects;

use crate::desk::Desk;

#[tokio::test]
async fn the_ledger_is_told_and_followed_to_its_end() {
    let desk = Desk::open().await;
    let draft = json!({ "headline": "Mailed", "body_text": "Words.", "language": "en" }).to_string();
    std::fs::write(desk.dir.path().join("a.json"), draft).unwrap();
    let article = desk.ok(&["publish", "a.json", "--json"]).await.json();
    let id = article["id"].as_str().unwrap();
    let silent = desk.run(&["ledger", id]).await;
    assert_eq!((silent.code, silent.out.as_str()), (1, ""));
    assert!(silent.err.contains("no email-notifier has answered"), "{}", silent.err);
    let digest = "digest-1795334400";
    let silent = desk.run(&["ledger", digest]).await;
    assert!((silent.code, silent.out.as_str()) == (1, "") && silent.err.contains("no answer"), "{silent:?}");

    let server = Server { url: desk.nats.url().into(), credentials: Credentials::None };
    let (bus, shutdown) = (Bus::connect(&server, "test").await.unwrap(), CancellationToken::new());
    // Each question finds one recipient more done.
    let asked = AtomicU64::new(0);
    let answer = async |question: Bytes| {
        let question: Value = serde_json::from_slice(&question).unwrap();
        let name = match (question["ask"].as_str(), question["plan"].as_str()) {
            (Some("ledger"), _) => "p-published",
            (Some("digest"), Some(plan)) if plan == digest => digest,
            _ => return Some(json!({ "answer": "no_such_plan" }).to_string().into()),
        };
        let open = 5_u64.saturating_sub(asked.fetch_add(1, Ordering::Relaxed));
        let plan: Value = json!({
            "plan": name, "matched": 5, "open": open, "states": { "deferred": open, "accepted": 5 - open },
            "suppressed": { "left": 0 }, "resent_uncertain": 0, "next_retry_at": null,
        });
        Some(json!({ "answer": "ledger", "plans": [plan] }).to_string().into())
    };
    let asking = async {
        let told = eventually("somebody answers", async || match desk.run(&["ledger", id]).await {
            told if told.code == 0 => Ok(told),
            other => Err(other.err),
        })
        .await;
        assert!(told.out.starts_with("p-published: 5 recipients, ") && told.out.contains(" open\n"), "{}", told.out);
        let followed = desk.ok(&["ledger", id, "--follow"]).await;
        assert_eq!(followed.out, "p-published: 5 recipients, closed\n  accepted  5\n");
        let machine = desk.ok(&["ledger", id, "--json"]).await.json();
        assert_eq!(machine["plans"][0]["open"], 0);
        asked.store(0, Ordering::Relaxed);
        let told = desk.ok(&["ledger", digest]).await;
        assert_eq!(told.out, format!("{digest}: 5 recipients, 5 open\n  deferred  5\n"));
        let followed = desk.ok(&["ledger", digest, "--follow"]).await;
        assert_eq!(followed.out, format!("{digest}: 5 recipients, closed\n  accepted  5\n"));
        assert_eq!(desk.ok(&["ledger", digest, "--json"]).await.json()["plans"][0]["plan"], digest);
        let none = desk.run(&["ledger", "digest-0"]).await;
        assert!((none.code, none.out.as_str()) == (1, "") && none.err.contains("no such plan"), "{none:?}");
        shutdown.cancel();
    };
    tokio::join!(bus.answer(subjects::ASK_MAIL, answer, shutdown.clone()), asking);
    for wrong in ["nonsense", "digests", "digest-x"] {
        assert_eq!(desk.run(&["ledger", wrong]).await.code, 2, "{wrong}");
    }
}
