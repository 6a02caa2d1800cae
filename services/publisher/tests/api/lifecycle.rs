//! Changes without a text, and what they refuse.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::desk::{Newsroom, draft};

fn reinstated(headline: &str) -> Value {
    let mut document = draft(headline);
    document["change"] = json!({ "kind": "reinstate", "note": "The court has ruled." });
    document
}

#[tokio::test]
async fn an_article_goes_through_its_whole_life() {
    let room = Newsroom::open().await;
    let address = room.post(&draft("合肥 🌉"), &[]).await.header("location").to_owned();
    let mut revision = draft("Revised while held");
    revision["change"] = json!({ "kind": "correction", "note": "It was the other bridge." });
    let steps: [(&str, Option<Value>, &str); 6] = [
        ("hold", None, "held"),
        ("correction", Some(revision), "held"),
        ("release", None, "published"),
        ("withdraw", None, "withdrawn"),
        ("reinstate", Some(reinstated("Back")), "published"),
        ("kill", None, "killed"),
    ];
    for (n, (kind, document, status)) in steps.into_iter().enumerate() {
        let base = format!("\"{}\"", n + 1);
        let change = json!({ "kind": kind, "note": "读者须知" });
        let answers = [(); 2].map(|()| async {
            match &document {
                Some(document) => room.put(&address, &base, document).await,
                None => room.change(&address, Some(&base), &change).await,
            }
        });
        let [first, again] = answers;
        let (first, again) = (first.await, again.await);
        assert_eq!((first.status, &first.json["status"]), (StatusCode::OK, &json!(status)), "{}", first.json);
        assert_eq!(first.json["change"]["kind"], kind);
        assert_eq!(first.header("etag"), format!("\"{}\"", n + 2));
        assert_eq!(first.optional("idempotency-replayed"), None);
        assert_eq!((again.status, &again.json), (StatusCode::OK, &first.json), "a repetition of {kind}");
        assert_eq!(again.header("idempotency-replayed"), "true");
    }
    let document = room.get(&address, &[]).await.json;
    assert_eq!((document.get("body"), &document["revision"]), (None, &json!(7)));
    room.close().await;
}

#[tokio::test]
async fn changes_that_are_none_and_changes_too_late_are_told_so() {
    let room = Newsroom::open().await;
    let address = room.post(&draft("One"), &[]).await.header("location").to_owned();
    let hold = json!({ "kind": "hold" });
    type Case = (Value, Option<&'static str>, u16, &'static str);
    let cases: [Case; 9] = [
        (hold.clone(), None, 428, "precondition-required"),
        (hold.clone(), Some("\"7\""), 412, "stale"),
        (hold.clone(), Some("one"), 400, "bad-header"),
        (json!({ "kind": "release" }), Some("\"1\""), 409, "lifecycle"),
        (json!({ "kind": "withdraw" }), Some("\"1\""), 422, "invalid-article"),
        (json!({ "kind": "kill", "note": "\u{7}" }), None, 422, "invalid-article"),
        (json!({ "kind": "kill", "note": "党".repeat(1001) }), None, 422, "invalid-article"),
        (json!({ "kind": "minor" }), Some("\"1\""), 422, "invalid-article"),
        (json!([]), Some("\"1\""), 422, "invalid-article"),
    ];
    for (change, base, status, word) in cases {
        let refused = room.change(&address, base, &change).await;
        let seen = (refused.status.as_u16(), refused.json["type"].as_str().unwrap_or_default());
        assert_eq!(seen, (status, format!("urn:newswire:problem:{word}").as_str()), "{change}: {}", refused.text);
    }
    let refused = room.change(&address, None, &json!({ "kind": "kill" })).await;
    assert_eq!(refused.json["errors"][0]["pointer"], "/note", "{}", refused.json);
    assert_eq!(room.get(&address, &[]).await.json["revision"], 1, "nothing has changed");

    let nowhere = "/v1/articles/0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f";
    assert_eq!(room.change(nowhere, None, &json!({ "kind": "kill", "note": "Legal" })).await.status, 404);
    assert_eq!(room.get(&format!("{nowhere}/revisions"), &[]).await.status, 404);
    assert_eq!(room.get(&format!("{nowhere}/receipts"), &[]).await.status, 404);
    let packed = [("content-type", "application/json"), ("content-encoding", "gzip")];
    let answer = room.send(Method::POST, "/v1/articles", &packed, Some(b"\x1f\x8b".to_vec())).await;
    assert_eq!((answer.status.as_u16(), &answer.json["type"]), (415, &json!("urn:newswire:problem:encoded")));
    room.close().await;
}

#[tokio::test]
async fn the_history_is_listed_newest_first() {
    let room = Newsroom::open().await;
    let mut document = draft("One");
    document["change"] = json!({ "kind": "new", "note": "First" });
    document["test"] = json!(true);
    let created = room.post(&document, &[("newswire-channel", "cms")]).await;
    assert_eq!((&created.json["test"], &created.json["change"]["note"]), (&json!(true), &json!("First")));
    let address = created.header("location").to_owned();
    assert_eq!(room.change(&address, Some("\"1\""), &json!({ "kind": "hold" })).await.status, 200);
    document["headline"] = json!("Two");
    document["change"] = json!({ "kind": "minor" });
    document.as_object_mut().unwrap().remove("test");
    let revised = room.put(&address, "\"2\"", &document).await;
    assert_eq!((revised.status, &revised.json["test"]), (StatusCode::OK, &json!(true)), "a rehearsal stays one");
    let answer = room.get(&format!("{address}/revisions"), &[]).await;
    let list: Vec<_> = answer.json["revisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (r["revision"].as_u64().unwrap(), r["kind"].as_str().unwrap(), r["headline"].as_str().unwrap()))
        .collect();
    assert_eq!(list, [(3, "minor", "Two"), (2, "hold", "One"), (1, "new", "One")]);
    assert_eq!(answer.json["revisions"][2]["channel"], "cms");
    let receipts = room.get(&format!("{address}/receipts"), &[]).await;
    assert_eq!(receipts.json, json!({ "killed_at": null, "erased_at": null, "receipts": [] }));
    room.close().await;
}
