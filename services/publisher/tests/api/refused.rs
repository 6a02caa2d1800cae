//! Who and what is kept out: other people's tokens, mistakes, hostile requests.

use reqwest::{Method, StatusCode};
use serde_json::json;
use testkit::eventually;
use topology::ARTICLES;

use crate::desk::{Newsroom, draft};

#[tokio::test]
async fn a_token_opens_its_own_publisher_until_it_is_revoked() {
    let room = Newsroom::open().await;
    let address = room.post(&draft("Ours"), &[]).await.header("location").to_owned();
    let token = room.token("wuhan", "desk").await;
    let theirs = room.as_token(&token);
    // Another publisher's article is no article at all.
    let mut document = draft("Hijacked");
    document["change"] = json!({ "kind": "minor" });
    for answer in [theirs.get(&address, &[]).await, theirs.put(&address, "\"1\"", &document).await] {
        let missing = theirs.get("/v1/articles/0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f", &[]).await;
        assert_eq!((answer.status, answer.json), (StatusCode::NOT_FOUND, missing.json));
    }
    let mut document = draft("In our name");
    document["publisher"] = json!("hefei");
    let other = theirs.post(&document, &[]).await;
    assert_eq!(
        (other.status, &other.json["type"]),
        (StatusCode::FORBIDDEN, &json!("urn:newswire:problem:other-publisher"))
    );

    room.revoke(&token).await;
    eventually("the token is shut out", async || match theirs.get(&address, &[]).await.status.as_u16() {
        401 => Ok(()),
        other => Err(other),
    })
    .await;
    assert_eq!(room.get(&address, &[]).await.status, 200, "others are not touched");

    let challenge = |error: &str| format!("Bearer realm=\"newswire\"{error}");
    for (sent, error) in [
        (vec![], ""),
        (vec![("authorization", "Basic eDp5")], ""),
        (vec![("authorization", "Bearer")], ""),
        (vec![("authorization", "Bearer nwt_short")], ", error=\"invalid_token\""),
        (vec![("authorization", "Bearer a"), ("authorization", "Bearer b")], ", error=\"invalid_token\""),
    ] {
        let refused = room.anonymous().send(Method::GET, &address, &sent, None).await;
        assert_eq!(refused.status, 401, "{sent:?}");
        assert_eq!(refused.header("www-authenticate"), challenge(error), "{sent:?}");
        assert_eq!(refused.header("content-type"), "application/problem+json");
    }
    room.close().await;
}

#[tokio::test]
async fn all_mistakes_are_listed_at_once_and_nothing_is_published() {
    let room = Newsroom::open().await;
    let document = json!({
        "headline": "two\nlines", "language": "english!", "urgency": 12, "headlin": "typo",
        "embargoed_until": "tomorrow", "id": "urn:uuid:0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f",
    });
    let refused = room.post(&document, &[("idempotency-key", "mistakes")]).await;
    assert_eq!(refused.status, 422);
    let mut pointers: Vec<_> =
        refused.json["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/body", "/embargoed_until", "/headlin", "/headline", "/id", "/language", "/urgency"]);
    assert!(room.bus.next(&ARTICLES, "nw.article.hefei.*", 0).await.unwrap().is_none());
    assert_eq!(room.post(&draft("Corrected"), &[("idempotency-key", "mistakes")]).await.status, 201);

    let address = room.post(&draft("Once"), &[]).await.header("location").to_owned();
    let mut document = draft("Twice");
    document["change"] = json!({ "kind": "correction" });
    let refused = room.put(&address, "\"1\"", &document).await;
    assert_eq!(
        (refused.status, &refused.json["errors"][0]["pointer"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("/change/note"))
    );
    let refused = room.send(Method::PUT, &address, &[("content-type", "application/json")], Some("{}".into())).await;
    assert_eq!(refused.status, 428);
    room.close().await;
}

#[tokio::test]
async fn hostile_requests_get_their_problem_and_change_nothing() {
    let room = Newsroom::open().await;
    let json_type = ("content-type", "application/json");
    let post = async |headers: &[(&str, &str)], body: Vec<u8>| {
        let answer = room.send(Method::POST, "/v1/articles", headers, Some(body)).await;
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.json["status"], answer.status.as_u16());
        (answer.status.as_u16(), answer.json)
    };
    let (status, problem) = post(&[json_type], b"{\"headline\":\n \"x\",}".to_vec()).await;
    assert_eq!((status, &problem["line"], &problem["column"]), (400, &json!(2), &json!(6)));
    let good = draft("x").to_string().into_bytes();
    let too_large = vec![b' '; (1 << 20) + 1];
    let deep = format!("{{\"ext\":{}", "[".repeat(100_000)).into_bytes();
    type Case<'a> = (&'a [(&'a str, &'a str)], Vec<u8>, u16);
    let cases: [Case<'_>; 11] = [
        (&[json_type], Vec::new(), 400),
        (&[json_type], b"\xff\xfe{}".to_vec(), 400),
        (&[json_type], b"[]".to_vec(), 422),
        (&[json_type], b"\"\"".to_vec(), 422),
        (&[json_type], deep, 400),
        (&[json_type], too_large, 413),
        (&[], good.clone(), 415),
        (&[("content-type", "text/xml")], good.clone(), 415),
        (&[json_type, ("idempotency-key", "a b")], good.clone(), 400),
        (&[json_type, ("idempotency-key", "a"), ("idempotency-key", "b")], good.clone(), 400),
        (&[json_type, ("newswire-channel", "A: b")], good.clone(), 400),
    ];
    for (headers, body, expected) in cases {
        let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        assert_eq!(post(headers, body).await.0, expected, "{headers:?} {shown}");
    }
    for (method, path, expected) in [
        (Method::PATCH, "/v1/articles", 405),
        (Method::DELETE, "/v1/articles/x", 405),
        (Method::GET, "/v1/articles/x", 404),
        (Method::GET, "/v1/articles/%0d%0aSet-Cookie:x", 404),
        (Method::GET, "/v1/articles/..%2f..%2fTOKENS", 404),
        (Method::GET, "/v2", 404),
    ] {
        let answer = room.send(method.clone(), path, &[], None).await;
        assert_eq!(answer.status, expected, "{method} {path}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{method} {path}");
        assert_eq!(answer.optional("set-cookie"), None);
        assert_eq!(answer.optional("allow").is_some(), expected == 405, "{method} {path}");
    }
    // Line breaks in every text that could end up in a header, and a key that looks like a subject.
    let mut document = draft("a\u{85}b");
    document["headline"] = json!("Subject: x\r\nBcc: all@example.com");
    assert_eq!(room.post(&document, &[]).await.status, 422);
    let wild = room.post(&draft("x"), &[("idempotency-key", "nw.article.>"), ("user-agent", "a\tb")]).await;
    assert_eq!(wild.status, 201, "{}", wild.json);
    let all = room.bus.next(&ARTICLES, "nw.article.hefei.*", 0).await.unwrap().unwrap();
    assert_eq!(room.bus.next(&ARTICLES, "nw.article.*.*", all.sequence + 1).await.unwrap().map(|m| m.sequence), None);
    room.close().await;
}

#[tokio::test]
async fn the_largest_article_passes_and_a_larger_one_is_told_so() {
    let room = Newsroom::open().await;
    let mut document = draft("Large");
    document["body_text"] = json!("字".repeat(170 * 1024));
    let created = room.post(&document, &[]).await;
    assert_eq!(created.status, 201);
    assert_eq!(room.get(created.header("location"), &[]).await.json, created.json);
    // Each field within its limit, all of them together more than the log takes.
    document["associations"] = (0..100)
        .map(|n| {
            let uri = format!("https://cdn.example/{n}.jpg");
            json!({ "type": "picture", "uri": uri, "alt_text": "图".repeat(900), "caption": "说".repeat(1000) })
        })
        .collect();
    document["body_text"] = json!("字".repeat(173 * 1024));
    let refused = room.post(&document, &[]).await;
    assert_eq!(refused.status, 413, "{}", refused.json);
    assert_eq!(refused.json["type"], "urn:newswire:problem:too-large");
    room.close().await;
}
