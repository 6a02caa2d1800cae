//! The log goes away under the publisher.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;
use testkit::eventually;

use crate::desk::{Newsroom, draft};

#[tokio::test]
async fn without_its_log_it_answers_503_and_a_repetition_is_published_once() {
    let mut room = Newsroom::open().await;
    let address = room.post(&draft("Before"), &[]).await.header("location").to_owned();
    let mut revision = draft("After");
    revision["change"] = json!({ "kind": "minor" });
    room.nats.kill9();
    let key = [("idempotency-key", "outage")];
    let document = draft("Outage");
    let (created, revised, read) =
        tokio::join!(room.post(&document, &key), room.put(&address, "\"1\"", &revision), room.get(&address, &[]));
    for answer in [created, revised, read] {
        assert_eq!(answer.status, 503, "{}", answer.json);
        assert_eq!(answer.header("retry-after"), "5");
        assert!(answer.json["detail"].as_str().unwrap().contains("safe"), "{}", answer.json);
    }
    let not_ready = room.anonymous().send(Method::GET, "/readyz", &[], None).await;
    assert_eq!(not_ready.status, 503);
    room.nats.restart().await;
    eventually("it is ready again", async || {
        match room.anonymous().send(Method::GET, "/readyz", &[], None).await.status.as_u16() {
            200 => Ok(()),
            other => Err(other),
        }
    })
    .await;
    assert_eq!(room.get(&address, &[]).await.json["revision"], 1, "nothing was half done");
    assert_eq!(room.post(&document, &key).await.status, 201);
    assert_eq!(room.post(&document, &key).await.header("idempotency-replayed"), "true");
    assert_eq!(room.put(&address, "\"1\"", &revision).await.status, 200);
    room.close().await;
}

#[tokio::test]
async fn a_restart_of_the_log_within_the_window_is_not_noticed() {
    let mut room = Newsroom::open().await;
    let address = room.post(&draft("Before"), &[]).await.header("location").to_owned();
    let mut revision = draft("After");
    revision["change"] = json!({ "kind": "minor" });
    room.nats.kill9();
    let (client, document) = (room.client(), draft("During"));
    let writing = tokio::spawn({
        let address = address.clone();
        async move { tokio::join!(client.post(&document, &[]), client.put(&address, "\"1\"", &revision)) }
    });
    // A reader is told at once. By then the writers have failed as well, and try again.
    eventually("the outage is felt", async || match room.get(&address, &[]).await.status.as_u16() {
        503 => Ok(()),
        other => Err(other),
    })
    .await;
    assert!(!writing.is_finished(), "a writer gave up");
    room.nats.restart().await;
    let (created, revised) = tokio::time::timeout(Duration::from_secs(60), writing).await.unwrap().unwrap();
    assert_eq!(
        (created.status, revised.status),
        (StatusCode::CREATED, StatusCode::OK),
        "{} {}",
        created.json,
        revised.json
    );
    room.close().await;
}
