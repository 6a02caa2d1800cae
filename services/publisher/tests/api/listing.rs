//! Lists of articles, conditional requests, and requests that only ask what would happen.

use bytes::Bytes;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::eventually;
use tokio_util::sync::CancellationToken;
use topology::{ARTICLES, subjects};

use crate::desk::{Answer, Client, Newsroom, draft};

fn headlines(answer: &Answer) -> Vec<String> {
    let articles = answer.json["articles"].as_array().unwrap_or_else(|| panic!("no list: {}", answer.json));
    articles.iter().map(|article| article["headline"].as_str().expect("a headline").to_owned()).collect()
}

/// The list, once it begins with `first`: it follows the log.
async fn list(client: &Client, query: &str, first: &str) -> Answer {
    eventually(&format!("{query} begins with {first:?}"), async || {
        let answer = client.get(&format!("/v1/articles{query}"), &[]).await;
        match answer.status.as_u16() {
            200 if headlines(&answer).first().is_some_and(|headline| headline == first) => Ok(answer),
            _ => Err(answer.text),
        }
    })
    .await
}

/// The address behind `rel="next"`.
fn next(answer: &Answer) -> Option<&str> {
    let link = answer.optional("link")?;
    let address = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\""));
    Some(address.expect("a link to the next page"))
}

#[tokio::test]
async fn articles_are_listed_page_by_page_newest_change_first() {
    let room = Newsroom::open().await;
    let mut first = String::new();
    for n in 0..7 {
        let address = room.post(&draft(&format!("A{n}")), &[]).await.header("location").to_owned();
        if n == 2 {
            first = address;
        }
    }
    let mut document = draft("A2 revised");
    document["change"] = json!({ "kind": "minor" });
    assert_eq!(room.put(&first, "\"1\"", &document).await.status, 200);
    let mut embargoed = draft("Embargoed");
    embargoed["embargoed_until"] = json!("2099-01-01T00:00:00Z");
    assert_eq!(room.post(&embargoed, &[]).await.status, 201);

    let expected = ["Embargoed", "A2 revised", "A6", "A5", "A4", "A3", "A1", "A0"];
    // What is under embargo comes by another stream than the rest, in its own time.
    let all = eventually("all are listed", async || match room.get("/v1/articles", &[]).await {
        all if headlines(&all) == expected => Ok(all),
        other => Err(other.text),
    })
    .await;
    assert_eq!(next(&all), None);
    let entry = &all.json["articles"][1];
    assert_eq!(
        (&entry["revision"], &entry["status"], &entry["section"]),
        (&json!(2), &json!("published"), &json!(["City"]))
    );
    assert!(entry.get("body").is_none() && entry.get("provenance").is_none(), "a list is no archive: {entry}");

    let (mut address, mut pages) = ("/v1/articles?limit=3".to_owned(), Vec::new());
    loop {
        let page = room.get(&address, &[]).await;
        assert_eq!(page.status, 200, "{}", page.json);
        pages.push(headlines(&page).len());
        assert_eq!(headlines(&page), expected[pages[..pages.len() - 1].iter().sum()..][..*pages.last().unwrap()]);
        match next(&page) {
            Some(next) => address = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(pages, [3, 3, 2]);

    // A filter, which its next pages keep.
    let published = list(&room, "?status=published&limit=4", "A2 revised").await;
    assert!(next(&published).is_some_and(|next| next.contains("status=published")), "{:?}", next(&published));
    assert_eq!(headlines(&room.get(next(&published).unwrap(), &[]).await), ["A3", "A1", "A0"]);
    assert_eq!(headlines(&room.get("/v1/articles?status=embargoed", &[]).await), ["Embargoed"]);
    assert_eq!(headlines(&room.get("/v1/articles?status=held", &[]).await), Vec::<String>::new());

    // Others see their own.
    let token = room.token("wuhan", "desk").await;
    assert_eq!(headlines(&room.as_token(&token).get("/v1/articles", &[]).await), Vec::<String>::new());
    for wrong in ["limit=0", "limit=101", "limit=x", "limit=1&limit=1", "cursor=", "cursor=zz", "status=lost", "page=2"]
    {
        let refused = room.get(&format!("/v1/articles?{wrong}"), &[]).await;
        assert_eq!(refused.status, 400, "{wrong}");
        assert_eq!(refused.json["type"], "urn:newswire:problem:bad-query", "{wrong}");
        assert_eq!(refused.json["parameter"], wrong.split('=').next().unwrap());
    }
    room.close().await;
}

#[tokio::test]
async fn whoever_has_an_answer_is_told_so() {
    let room = Newsroom::open().await;
    let address = room.post(&draft("One"), &[]).await.header("location").to_owned();
    list(&room, "", "One").await;
    let ninjs = format!("{address}/ninjs");
    for path in [
        "/v1/articles",
        "/v1/articles?limit=1",
        "/v1/token",
        "/v1/openapi.json",
        "/v1/docs",
        "/v1/docs/style.css",
        "/v1/schemas/article",
        &address,
        &ninjs,
        &format!("{address}/json-ld"),
        &format!("{address}/revisions"),
        &format!("{address}/receipts"),
    ] {
        let answer = room.get(path, &[]).await;
        let tag = answer.header("etag").to_owned();
        assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "private, no-cache"), "{path}");
        let again = room.get(path, &[("if-none-match", &format!("\"x\", W/{tag}"))]).await;
        assert_eq!((again.status.as_u16(), again.text.as_str(), again.header("etag")), (304, "", &*tag), "{path}");
        assert_eq!(room.get(path, &[("if-none-match", "\"x\"")]).await.text, answer.text, "{path}");
    }
    // Only these have a tag without their body.
    for path in ["/v1/articles", &address, &ninjs] {
        assert_eq!(room.send(Method::HEAD, path, &[("if-none-match", "*")], None).await.status, 304, "HEAD {path}");
    }
    let mut minor = draft("One");
    minor["change"] = json!({ "kind": "minor" });
    let headers = [("content-type", "application/json"), ("if-match", "\"1\""), ("if-none-match", "*")];
    let changed = room.send(Method::PUT, &address, &headers, Some(minor.to_string().into())).await;
    assert_eq!(changed.status, 200, "a change is no question: {}", changed.text);
    let before = room.get("/v1/articles", &[]).await.header("etag").to_owned();
    room.post(&draft("Two"), &[]).await;
    let after = list(&room, "", "Two").await;
    assert_ne!(after.header("etag"), before);
    room.close().await;
}

#[tokio::test]
async fn a_dry_run_says_what_would_happen_and_nothing_does() {
    let room = Newsroom::open().await;
    let (ask, shutdown) = (room.bus.clone(), CancellationToken::new());
    let answering = tokio::spawn({
        let shutdown = shutdown.clone();
        async move {
            let count = async |question: Bytes| {
                let question: Value = serde_json::from_slice(&question).expect("a question");
                let length = question["of"]["article"]["headline"].as_str().unwrap().len();
                let reach = json!({ "answer": "reach", "immediate": length, "daily": 2, "weekly": 1, "paused": 0 });
                Some(reach.to_string().into())
            };
            ask.answer(subjects::ASK_MAIL, count, shutdown).await;
        }
    });
    let trial = async |method: Method, path: &str, if_match: &str, body: &Value| {
        let headers = [("content-type", "application/json"), ("if-match", if_match), ("idempotency-key", "trial")];
        let body = body.to_string().into_bytes();
        room.send(method, &format!("{path}?dry_run=true"), &headers, Some(body)).await
    };
    let mut document = draft("1234567");
    document["keywords"] = json!(["Bridges"]);
    let of = ["all", "publisher/hefei", "section/city"];
    let feeds = json!([&of[..], &["keyword/bridges", "language/en", "urgency/5"]].concat());
    let tried = eventually("somebody counts", async || {
        let tried = trial(Method::POST, "/v1/articles", "", &document).await;
        if tried.json["readers"].is_null() { Err(tried.text) } else { Ok(tried) }
    })
    .await;
    assert_eq!((tried.status.as_u16(), &tried.json["dry_run"]), (200, &json!(true)));
    assert_eq!(tried.json["feeds"], feeds);
    assert_eq!(tried.json["readers"], json!({ "immediate": 7, "daily": 2, "weekly": 1, "paused": 0 }));
    assert_eq!(room.bus.last_sequence(&ARTICLES).await.unwrap(), 0, "nothing was written");
    // The same mistakes, found.
    let wrong = trial(Method::POST, "/v1/articles", "", &json!({ "headline": "x" })).await;
    assert_eq!(wrong.status, 422);

    let made = room.post(&document, &[("idempotency-key", "trial")]).await;
    assert_eq!(made.status, 201, "the trial has not used the key");
    assert_eq!(made.json["id"], tried.json["article"]["id"], "and has told the id");
    let address = made.header("location").to_owned();
    assert_eq!(trial(Method::POST, "/v1/articles", "", &document).await.json["article"], made.json);
    assert_eq!(
        trial(Method::POST, "/v1/articles", "", &draft("Other")).await.json["type"],
        "urn:newswire:problem:key-reused"
    );

    document["change"] = json!({ "kind": "minor" });
    let revised = trial(Method::PUT, &address, "\"1\"", &document).await;
    assert_eq!(
        (&revised.json["article"]["revision"], &revised.json["readers"]),
        (&json!(2), &json!({ "immediate": 0, "daily": 0, "weekly": 0, "paused": 0 }))
    );
    assert_eq!(trial(Method::PUT, &address, "\"2\"", &document).await.status, 412);
    let changes = format!("{address}/changes");
    for (kind, feeds, readers) in [
        ("hold", json!([]), json!({ "immediate": 0, "daily": 0, "weekly": 0, "paused": 0 })),
        ("withdraw", feeds.clone(), Value::Null),
        // A kill may be for the keyword.
        ("kill", json!([&of[..], &["language/en", "urgency/5"]].concat()), Value::Null),
    ] {
        let tried = trial(Method::POST, &changes, "\"1\"", &json!({ "kind": kind, "note": "Why." })).await;
        assert_eq!((&tried.json["feeds"], &tried.json["readers"]), (&feeds, &readers), "{kind}: {}", tried.json);
    }
    assert_eq!(trial(Method::POST, &changes, "\"1\"", &json!({ "kind": "release" })).await.status, 409);
    assert_eq!(room.get(&address, &[]).await.json, made.json, "nothing has happened");
    assert_eq!(room.bus.last_sequence(&ARTICLES).await.unwrap(), 1);

    let path = "/v1/articles?dry_run=perhaps";
    let unclear = room.send(Method::POST, path, &[("content-type", "application/json")], Some(b"{}".to_vec())).await;
    assert_eq!((unclear.status.as_u16(), &unclear.json["parameter"]), (400, &json!("dry_run")));
    shutdown.cancel();
    answering.await.unwrap();
    // Nobody counts: it is said, not guessed.
    assert_eq!(trial(Method::POST, "/v1/articles", "", &document).await.json["readers"], Value::Null);
    room.close().await;
}
