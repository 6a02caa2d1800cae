//! What became of the mail about an article, as a newsroom asks for it.

use bytes::Bytes;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::eventually;
use tokio_util::sync::CancellationToken;
use topology::subjects;

use crate::desk::{Client, Newsroom, draft};

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

#[tokio::test]
async fn an_order_needs_the_scope_and_the_article_and_its_answer_is_told() {
    let room = Newsroom::open().await;
    let made = room.post(&draft("Ordered"), &[]).await;
    let id = made.header("location").rsplit('/').next().unwrap().to_owned();
    let plan = format!("{id}-published");
    let address = |order: &str| format!("/v1/articles/{id}/mail/{plan}/{order}");
    let post = async |client: &Client, path: &str| client.send(Method::POST, path, &[], None).await;
    let silent = post(&room, &address("pause")).await;
    assert_eq!((silent.status.as_u16(), &silent.json["type"]), (503, &json!("urn:newswire:problem:mail-unavailable")));
    let (ask, shutdown) = (room.bus.clone(), CancellationToken::new());
    let answering = tokio::spawn({
        let shutdown = shutdown.clone();
        async move {
            let answer = async |question: Bytes| {
                let question: Value = serde_json::from_slice(&question).expect("a question");
                let answer = match question["order"].as_str() {
                    Some("pause") => json!({ "answer": "control", "control": question }),
                    Some("resume") => json!({ "answer": "refused", "detail": "It was cancelled." }),
                    Some("cancel") => json!({ "answer": "no_such_plan" }),
                    _ => json!({ "answer": "unavailable" }),
                };
                Some(answer.to_string().into())
            };
            ask.answer(subjects::ASK_MAIL, answer, shutdown).await;
        }
    });
    let told = eventually("somebody answers", async || match post(&room, &address("pause")).await {
        told if told.status == 200 => Ok(told),
        other => Err(other.text),
    })
    .await;
    let control = &told.json["control"];
    assert_eq!(
        (&told.json["plan"], &control["ask"], &control["plan"]),
        (&json!(plan), &json!("control"), &json!(plan))
    );
    assert_eq!(control["owner"], json!({ "publisher": "hefei", "article": made.json["id"] }));
    assert!(control["by"].as_str().is_some_and(|by| by.starts_with("token ")), "{control}");
    for (order, status, word) in [
        ("resume", 409, "plan-state"),
        ("cancel", 404, "no-such-plan"),
        ("retry", 503, "mail-unavailable"),
        ("explode", 404, "not-found"),
    ] {
        let answer = post(&room, &address(order)).await;
        let kind = format!("urn:newswire:problem:{word}");
        assert_eq!((answer.status.as_u16(), &answer.json["type"]), (status, &json!(kind)), "{order}");
    }
    // Whatever the name holds, it is the mail's service that knows no such plan.
    let strange = post(&room, &format!("/v1/articles/{id}/mail/%E6%96%B0%2E%2A/pause")).await;
    assert_eq!(strange.json["control"]["plan"], "新.*");
    assert_eq!(room.get(&address("pause"), &[]).await.status, 405);
    let other = room.token("wuhan", "desk").await;
    assert_eq!(post(&room.as_token(&other), &address("pause")).await.status, 404, "it is another's article");
    assert_eq!(post(&room.anonymous(), &address("pause")).await.status, 401);
    shutdown.cancel();
    answering.await.unwrap();
    room.close().await;
}

#[tokio::test]
async fn a_question_that_cannot_be_asked_so_is_refused_as_that_and_not_as_an_article() {
    let room = Newsroom::open().await;
    let why = format!("{}/mail/why", room.post(&draft("Asked"), &[]).await.header("location"));
    let (ask, shutdown) = (room.bus.clone(), CancellationToken::new());
    let answering = tokio::spawn({
        let shutdown = shutdown.clone();
        async move {
            let invalid = async |question: Bytes| {
                let question: Value = serde_json::from_slice(&question).expect("a question");
                let problem =
                    format!("{} is none", question.pointer("/of/selection/selection").unwrap_or(&question["address"]));
                Some(json!({ "answer": "invalid", "problem": problem }).to_string().into())
            };
            ask.answer(subjects::ASK_MAIL, invalid, shutdown).await;
        }
    });
    let post = async |path: &str, body: &Value| {
        let json_type = [("content-type", "application/json")];
        room.send(Method::POST, path, &json_type, Some(body.to_string().into())).await
    };
    let reach = "/v1/reach";
    for (path, body, error) in [
        (reach, json!({ "selection": "sections/世界" }), ["/selection", "invalid", "\"sections/世界\" is none"]),
        (why.as_str(), json!({ "address": "nobody" }), ["/address", "invalid", "\"nobody\" is none"]),
        (reach, json!({}), ["", "type", "a document with one field, the text \"selection\", is expected"]),
        (
            reach,
            json!({ "selection": 7 }),
            ["", "type", "a document with one field, the text \"selection\", is expected"],
        ),
        (why.as_str(), json!([]), ["", "type", "a document with one field, the text \"address\", is expected"]),
    ] {
        let refused = eventually("somebody answers", async || match post(path, &body).await {
            refused if refused.status == 503 => Err(refused.text),
            refused => Ok(refused),
        })
        .await;
        let [pointer, code, detail] = error;
        assert_eq!((refused.status.as_u16(), refused.header("content-type")), (422, "application/problem+json"));
        assert_eq!(refused.json["type"], "urn:newswire:problem:invalid-question");
        assert_eq!(refused.json["title"], "The question has mistakes");
        assert_eq!(refused.json["errors"], json!([{ "pointer": pointer, "code": code, "detail": detail }]), "{body}");
    }
    shutdown.cancel();
    answering.await.unwrap();
    room.close().await;
}
