//! What became of the mail about an article, as a newsroom asks for it.

use bytes::Bytes;
use serde_json::{Value, json};
use testkit::eventually;
use tokio_util::sync::CancellationToken;
use topology::subjects;

use crate::desk::{Newsroom, draft};

#[tokio::test]
async fn the_ledger_is_its_owners_and_nobody_answering_is_said() {
    let room = Newsroom::open().await;
    let made = room.post(&draft("Mailed"), &[]).await;
    let path = format!("{}/mail", made.header("location"));
    let silent = room.get(&path, &[]).await;
    assert_eq!(
        (silent.status.as_u16(), &silent.json["type"], silent.header("retry-after")),
        (503, &json!("urn:newswire:problem:mail-unavailable"), "5")
    );
    let (ask, shutdown) = (room.bus.clone(), CancellationToken::new());
    let answering = tokio::spawn({
        let shutdown = shutdown.clone();
        async move {
            let echo = async |question: Bytes| {
                let question: Value = serde_json::from_slice(&question).expect("a question");
                Some(json!({ "answer": "ledger", "plans": [question] }).to_string().into())
            };
            ask.answer(subjects::ASK_MAIL, echo, shutdown).await;
        }
    });
    let told = eventually("somebody answers", async || match room.get(&path, &[]).await {
        told if told.status == 200 => Ok(told),
        other => Err(other.text),
    })
    .await;
    let asked = json!({ "ask": "ledger", "publisher": "hefei", "article": made.json["id"] });
    assert_eq!(told.json, json!({ "plans": [asked] }));
    assert_eq!(told.header("cache-control"), "private, no-cache");
    let other = room.token("wuhan", "desk").await;
    assert_eq!(room.as_token(&other).get(&path, &[]).await.status, 404, "it is another's article");
    assert_eq!(room.anonymous().get(&path, &[]).await.status, 401);
    shutdown.cancel();
    answering.await.unwrap();
    room.close().await;
}
