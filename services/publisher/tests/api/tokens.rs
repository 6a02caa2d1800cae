//! What a token may, how often, and what is known of it.

use std::num::NonZeroU32;

use publisher::token::{Scope, Token, TokenRecord, TokenUse};
use reqwest::Method;
use serde_json::json;
use testkit::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use topology::TOKENS;

use crate::desk::{Client, Newsroom, draft};

/// A client with a token that is as `record`, which the publisher has heard of.
async fn client(room: &Newsroom, record: TokenRecord) -> Client {
    let token = Token::generate().expect("random bytes");
    room.put_token(&token, &record, 0).await;
    let client = room.as_token(token.expose());
    eventually("the token is known", async || match client.get("/v1/token", &[]).await.status.as_u16() {
        200 => Ok(()),
        other => Err(other),
    })
    .await;
    client
}

fn record(name: &str) -> TokenRecord {
    TokenRecord::new("hefei".parse().expect("a publisher"), name.to_owned(), service_kit::now())
}

#[tokio::test]
async fn a_token_does_what_its_scopes_say_and_is_told_which_it_lacks() {
    let room = Newsroom::open().await;
    let address = room.post(&draft("Ours"), &[]).await.header("location").to_owned();
    let changes = format!("{address}/changes");
    let mut revision = draft("Revised");
    revision["change"] = json!({ "kind": "minor" });
    let change = |kind: &str| json!({ "kind": kind, "note": "Why." }).to_string().into_bytes();
    let json_type = [("content-type", "application/json"), ("if-match", "\"1\"")];
    for (scopes, lacks) in [
        (vec![Scope::Read], ["", "write", "write", "write", "write", "write", "write"]),
        (vec![Scope::Write], ["read", "", "", "", "kill", "", ""]),
        // A change has to be read to know what it needs: with either scope one gets so far.
        (vec![Scope::Kill], ["read", "write", "write", "", "", "write", "write"]),
        (vec![], ["read", "write", "write", "write", "write", "write", "write"]),
    ] {
        let theirs = client(&room, TokenRecord { scopes: scopes.iter().copied().collect(), ..record("narrow") }).await;
        let about = theirs.get("/v1/token", &[]).await;
        let words: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
        assert_eq!((&about.json["scopes"], &about.json["name"]), (&json!(words), &json!("narrow")));
        let answers = [
            theirs.get(&address, &[]).await,
            theirs.send(Method::POST, "/v1/articles", &json_type, Some(b"{}".to_vec())).await,
            theirs.put(&address, "\"7\"", &revision).await,
            theirs.send(Method::POST, &changes, &json_type, Some(change("nothing"))).await,
            theirs.send(Method::POST, &format!("{changes}?dry_run=true"), &json_type, Some(change("kill"))).await,
            theirs.send(Method::POST, &format!("{address}/mail/why"), &json_type, Some(b"{}".to_vec())).await,
            theirs.send(Method::POST, "/v1/reach", &json_type, Some(b"{}".to_vec())).await,
        ];
        for ((answer, lacks), n) in answers.iter().zip(lacks).zip(0..) {
            let expected = Some(json!(lacks)).filter(|_| !lacks.is_empty());
            assert_eq!(answer.json.get("scope"), expected.as_ref(), "{scopes:?} {n}: {}", answer.json);
            assert_eq!(answer.status == 403, expected.is_some(), "{scopes:?} {n}");
            if expected.is_some() {
                let challenge = format!("Bearer realm=\"newswire\", error=\"insufficient_scope\", scope=\"{lacks}\"");
                assert_eq!(answer.header("www-authenticate"), challenge);
            }
        }
    }
    assert_eq!(room.get(&address, &[]).await.json["revision"], 1);
    room.close().await;
}

#[tokio::test]
async fn two_tokens_live_side_by_side_and_a_use_is_noted() {
    let room = Newsroom::open().await;
    let (old, new) = (Token::generate().unwrap(), Token::generate().unwrap());
    for token in [&old, &new] {
        room.put_token(token, &record("cms"), 0).await;
    }
    for token in [&old, &new] {
        let client = room.as_token(token.expose());
        let noted = eventually("the use is noted", async || {
            let status = client.get("/v1/token", &[]).await.status;
            let stored = room.bus.last(&TOKENS, &token.hash().use_subject()).await.expect("reads");
            stored.ok_or(status)
        })
        .await;
        let noted = TokenUse::from_bytes(&noted.payload).unwrap();
        assert!(
            noted.last_used_at <= service_kit::now()
                && noted.last_used_at > record("x").created_at - jiff::SignedDuration::from_mins(5)
        );
    }
    room.close().await;
}

#[tokio::test]
async fn who_sends_too_much_is_told_when_to_come_again_and_others_are_not_touched() {
    let room = Newsroom::open().await;
    let slow = client(&room, TokenRecord { rate: NonZeroU32::new(1), ..record("slow") }).await;
    let refused = loop {
        let answer = slow.get("/v1/token", &[]).await;
        match answer.status.as_u16() {
            200 => {}
            429 => break answer,
            other => panic!("{other}: {}", answer.json),
        }
    };
    assert_eq!(refused.json["type"], "urn:newswire:problem:too-many-requests");
    assert_eq!((&refused.json["rate"], &refused.json["burst"]), (&json!(1), &json!(2)));
    assert_eq!(refused.header("retry-after"), refused.json["retry_after"].to_string());
    assert!(refused.json["detail"].as_str().unwrap().contains("1 a second, 2 at once"), "{}", refused.json);
    // Another second may have come meanwhile.
    let mut posted = slow.post(&draft("Too soon"), &[]).await;
    if posted.status == 201 {
        posted = slow.post(&draft("Too soon"), &[]).await;
    }
    assert_eq!(posted.status, 429, "a write counts as well");
    assert_eq!(room.post(&draft("In time"), &[]).await.status, 201);
    room.close().await;
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_it_is_read() {
    let room = Newsroom::open().await;
    let headers = [("content-type", "application/json"), ("expect", "100-continue")];
    // Far more than would be listened to: were it read, the connection would break instead of being answered.
    let refused = room.send(Method::POST, "/v1/articles", &headers, Some(vec![b' '; 5 << 20])).await;
    assert_eq!((refused.status.as_u16(), &refused.json["limit"]), (413, &json!(1 << 20)));
    assert_eq!(refused.json["type"], "urn:newswire:problem:too-large");
    let said = "a request may have 1048576 bytes, this one has 5242880";
    assert!(refused.json["detail"].as_str().unwrap().starts_with(said), "{}", refused.json);
    // One that does not say how large it is, and does not stop.
    let mut socket = tokio::net::TcpStream::connect(room.authority()).await.unwrap();
    let head = format!(
        "POST /v1/articles HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\n\r\n200000\r\n",
        room.bearer()
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.write_all(&vec![b' '; 0x20_0000]).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.expect("it is answered, not cut");
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("\"limit\":1048576"), "{answer}");
    room.close().await;
}
