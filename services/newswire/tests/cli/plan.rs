//! `newswire plan`: an order to a plan of mail, through the publisher or, for digests, over NATS.

use std::sync::Mutex;

use bus::{Bus, Credentials, Server};
use bytes::Bytes;
use serde_json::{Value, json};
use testkit::eventually;
use tokio_util::sync::CancellationToken;
use topology::subjects;

use crate::desk::Desk;

#[tokio::test]
async fn an_order_goes_where_its_plan_belongs() {
    let desk = Desk::open().await;
    let draft = json!({ "headline": "Mailed", "body_text": "Words.", "language": "en" }).to_string();
    std::fs::write(desk.dir.path().join("a.json"), draft).unwrap();
    let article = desk.ok(&["publish", "a.json", "--json"]).await.json();
    let id = article["id"].as_str().unwrap().trim_start_matches("urn:uuid:").to_owned();
    let plan = format!("{id}-published");
    for wrong in ["nonsense", "digest-x", &format!("{id}-a/b"), &id] {
        let ran = desk.run(&["plan", "pause", wrong]).await;
        assert_eq!(ran.code, 2, "{ran:?}");
    }
    for plan in [plan.as_str(), "digest-1795348800"] {
        let silent = desk.run(&["plan", "pause", plan]).await;
        assert!(silent.code == 1 && silent.err.contains("no"), "{silent:?}");
    }
    let server = Server { url: desk.nats.url().into(), credentials: Credentials::None };
    let (bus, shutdown) = (Bus::connect(&server, "test").await.unwrap(), CancellationToken::new());
    let asked: Mutex<Vec<Value>> = Mutex::default();
    let answer = async |question: Bytes| {
        let question: Value = serde_json::from_slice(&question).unwrap();
        let answer = match question["order"].as_str() {
            Some("cancel") => json!({ "answer": "refused", "detail": "It was\u{1b}[2J cancelled." }),
            Some("retry") => json!({ "answer": "no_such_plan" }),
            _ => json!({ "answer": "control", "control": { "state": "paused", "by": question["by"] } }),
        };
        asked.lock().unwrap().push(question);
        Some(answer.to_string().into())
    };
    let ordering = async {
        eventually("somebody answers", async || match desk.run(&["plan", "pause", &plan]).await {
            ran if ran.out == format!("{plan}: paused, by token default\n") => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
        let digest = desk.ok(&["plan", "resume", "digest-1795348800", "--json"]).await.json();
        assert_eq!(digest, json!({ "plan": "digest-1795348800", "control": { "state": "paused", "by": "operator" } }));
        for (plan, refused, unknown) in
            [(plan.as_str(), "cancelled", "No such plan"), ("digest-1795348800", "cancelled", "no such plan")]
        {
            let ran = desk.run(&["plan", "cancel", plan]).await;
            assert!(ran.code == 1 && ran.err.contains(refused) && !ran.err.contains('\u{1b}'), "{ran:?}");
            let ran = desk.run(&["plan", "retry", plan]).await;
            assert!(ran.code == 1 && ran.err.contains(unknown), "{ran:?}");
        }
        shutdown.cancel();
    };
    tokio::join!(bus.answer(subjects::ASK_MAIL, answer, shutdown.clone()), ordering);
    let asked = asked.into_inner().unwrap();
    let of = |plan: &str| asked.iter().filter(|question| question["plan"] == plan).cloned().collect::<Vec<_>>();
    assert!(of(&plan).iter().all(|question| question["owner"]["publisher"] == "hefei"), "{asked:?}");
    assert!(of("digest-1795348800").iter().all(|question| question.get("owner").is_none()), "{asked:?}");
}
