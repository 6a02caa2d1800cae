//! `newswire ledger`: what became of the mail about an article, told and followed.

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

    let server = Server { url: desk.nats.url().into(), credentials: Credentials::None };
    let (bus, shutdown) = (Bus::connect(&server, "test").await.unwrap(), CancellationToken::new());
    // Each question finds one recipient more done.
    let asked = AtomicU64::new(0);
    let answer = async |_: Bytes| {
        let open = 5_u64.saturating_sub(asked.fetch_add(1, Ordering::Relaxed));
        let plan: Value = json!({
            "plan": "p-published", "matched": 5, "open": open, "states": { "deferred": open, "accepted": 5 - open },
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
        shutdown.cancel();
    };
    tokio::join!(bus.answer(subjects::ASK_MAIL, answer, shutdown.clone()), asking);
    assert_eq!(desk.run(&["ledger", "nonsense"]).await.code, 2);
}
