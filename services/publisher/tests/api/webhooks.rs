//! Incoming webhooks over real HTTP: who is believed, and what becomes of what they send.

use std::time::Duration;

use article::ArticleId;
use bus::HeaderMap;
use interchange::signature::{sign_body, sign_ghost, sign_standard};
use publisher::webhook::{Format, HookId, HookRecord};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::eventually;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use topology::{ARTICLES, TOKENS, subjects};

use crate::desk::{Answer, MASTER, Newsroom};

/// A webhook that the publisher has heard of.
struct Hook<'a> {
    room: &'a Newsroom,
    id: HookId,
    format: Format,
}

impl<'a> Hook<'a> {
    async fn open(room: &'a Newsroom, format: Format, name: &str) -> Self {
        let hook = Self { room, id: HookId::generate().expect("random bytes"), format };
        hook.store(name, false, 0).await;
        eventually("the webhook is known", async || match hook.send(&[], b"{}").await.status.as_u16() {
            401 => Ok(()),
            other => Err(other),
        })
        .await;
        hook
    }

    async fn store(&self, name: &str, revoked: bool, expected: u64) {
        let now = service_kit::now();
        let record = HookRecord {
            publisher: "hefei".parse().expect("a publisher"),
            name: name.into(),
            format: self.format,
            language: Some("zh-Hans".into()),
            section: vec!["News".into()],
            tz: Some("Asia/Shanghai".into()),
            created_at: now,
            revoked_at: revoked.then_some(now),
        };
        let (subject, id) = (self.id.subject(), format!("{}/{expected}", self.id));
        let payload = record.to_bytes().into();
        self.room.bus.publish(&TOKENS, &subject, &id, HeaderMap::new(), payload, Some(expected)).await.expect("stores");
    }

    async fn revoke(&self, name: &str) {
        let stored = self.room.bus.last(&TOKENS, &self.id.subject()).await.expect("reads").expect("a record");
        self.store(name, true, stored.sequence).await;
    }

    async fn send(&self, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut all = vec![("content-type", "application/json")];
        all.extend(headers);
        let path = format!("/v1/webhooks/{}", self.id);
        self.room.anonymous().send(Method::POST, &path, &all, Some(body.to_vec())).await
    }

    /// Sends as its system would, with a good signature of now.
    async fn deliver(&self, document: &Value) -> Answer {
        let (body, now) = (document.to_string(), service_kit::now());
        let secret = self.id.secret(MASTER.as_bytes());
        match self.format {
            Format::Ghost => {
                let signature = sign_ghost(&secret, now, body.as_bytes());
                self.send(&[("x-ghost-signature", &signature)], body.as_bytes()).await
            }
            _ => {
                let signature = sign_standard(&secret, "msg_1", now, body.as_bytes());
                let seconds = now.as_second().to_string();
                let headers =
                    [("webhook-id", "msg_1"), ("webhook-timestamp", &seconds), ("webhook-signature", &signature)];
                self.send(&headers, body.as_bytes()).await
            }
        }
    }

    /// Delivers and expects an outcome.
    async fn outcome(&self, document: &Value) -> (String, Value) {
        let answer = self.deliver(document).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        (answer.json["outcome"].as_str().expect("an outcome").to_owned(), answer.json)
    }
}

fn ghost(id: &str, minute: u32, more: &[(&str, Value)]) -> Value {
    let mut post = json!({
        "id": id, "title": "合肥：春天", "html": "<p>第一段。</p>", "status": "published", "visibility": "public",
        "published_at": "2026-11-20T08:00:00.000Z", "updated_at": format!("2026-11-20T09:{minute:02}:00.000Z"),
        "url": "https://cms.example/spring/",
    });
    for (field, value) in more {
        post[field] = value.clone();
    }
    json!({ "post": { "current": post, "previous": {} } })
}

#[tokio::test]
async fn a_post_from_ghost_lives_as_it_does_there() {
    let room = Newsroom::open().await;
    let hook = Hook::open(&room, Format::Ghost, "cms").await;
    let (outcome, created) = hook.outcome(&ghost("a1", 1, &[])).await;
    assert_eq!(outcome, "created");
    let id: ArticleId = created["article"].as_str().expect("an id").parse().expect("an id");
    let path = format!("/v1/articles/{}", id.token());
    let article = room.get(&path, &[]).await.json;
    assert_eq!(article["body"], "<p>第一段。</p>");
    assert_eq!(article["published"]["tz"], "Asia/Shanghai");
    assert_eq!((&article["section"], &article["provenance"]["channel"]), (&json!(["News"]), &json!("webhook")));
    assert_eq!(article["alt_ids"][0], json!({ "role": "ghost", "value": "a1" }));

    // The same again, saved again without a change, and late.
    for (minute, title) in [(1, "合肥：春天"), (2, "合肥：春天"), (0, "old")] {
        assert_eq!(hook.outcome(&ghost("a1", minute, &[("title", title.into())])).await.0, "nothing", "{minute}");
    }
    assert_eq!(hook.outcome(&ghost("a1", 3, &[("title", "改".into())])).await.0, "revised");
    let article = room.get(&path, &[]).await.json;
    assert_eq!((&article["headline"], &article["change"]["kind"]), (&json!("改"), &json!("minor")));

    // No longer for everybody, and back.
    assert_eq!(hook.outcome(&ghost("a1", 4, &[("visibility", "members".into())])).await.0, "withdrawn");
    assert_eq!(hook.outcome(&ghost("a1", 3, &[("title", "改".into())])).await.0, "nothing", "late");
    assert_eq!(hook.outcome(&ghost("a1", 5, &[])).await.0, "revised");
    assert_eq!(room.get(&path, &[]).await.json["change"]["kind"], "reinstate");
    // Ghost says nothing of a deleted post but what it was.
    let deleted = json!({ "post": { "current": {}, "previous": { "id": "a1", "status": "published" } } });
    assert_eq!(hook.outcome(&deleted).await.0, "withdrawn");
    assert_eq!(hook.outcome(&deleted).await.0, "nothing");

    // What was never public makes nothing.
    for more in [("status", json!("draft")), ("status", json!("scheduled")), ("visibility", json!("paid"))] {
        assert_eq!(hook.outcome(&ghost("a2", 1, &[more])).await.0, "nothing");
    }
    assert_eq!(hook.outcome(&json!({ "page": { "current": {} } })).await.0, "nothing");
    let history = room.history(&ARTICLES, subjects::ARTICLES).await;
    assert_eq!(history.len(), 5, "created, revised, withdrawn, reinstated, withdrawn");
    room.close().await;
}

#[tokio::test]
async fn what_the_desk_has_killed_stays_killed() {
    let room = Newsroom::open().await;
    let hook = Hook::open(&room, Format::Ghost, "cms").await;
    let (_, created) = hook.outcome(&ghost("a1", 1, &[])).await;
    let path = format!("/v1/articles/{}", created["article"].as_str().expect("an id").trim_start_matches("urn:uuid:"));
    let killed = room.change(&path, None, &json!({ "kind": "kill", "note": "court order" })).await;
    assert_eq!(killed.status, 200, "{}", killed.text);
    let (outcome, answer) = hook.outcome(&ghost("a1", 9, &[])).await;
    assert_eq!(outcome, "nothing");
    assert!(answer["why"].as_str().is_some_and(|why| why.contains("only the desk")), "{answer}");
    assert_eq!(room.get(&path, &[]).await.json["status"], "killed");
    room.close().await;
}

#[tokio::test]
async fn nobody_without_the_key_is_believed() {
    let room = Newsroom::open().await;
    let hook = Hook::open(&room, Format::Ghost, "cms").await;
    let body = ghost("a1", 1, &[]).to_string();
    let now = service_kit::now();
    let other = HookId::generate().expect("random bytes").secret(MASTER.as_bytes());
    let good = hook.id.secret(MASTER.as_bytes());
    let old = sign_ghost(&good, now - jiff::SignedDuration::from_mins(6), body.as_bytes());
    for signature in ["", "sha256=00, t=1", &sign_ghost(&other, now, body.as_bytes()), &old] {
        let answer = hook.send(&[("x-ghost-signature", signature)], body.as_bytes()).await;
        assert_eq!((answer.status.as_u16(), &answer.json["type"]), (401, &json!("urn:newswire:problem:bad-signature")));
    }
    let twice = sign_ghost(&good, now, body.as_bytes());
    let answer = hook.send(&[("x-ghost-signature", &twice), ("x-ghost-signature", &twice)], body.as_bytes()).await;
    assert_eq!(answer.status, 401);
    // A token is no signature, and a signature of another kind is none either.
    assert_eq!(
        room.send(
            Method::POST,
            &format!("/v1/webhooks/{}", hook.id),
            &[("content-type", "application/json")],
            Some(body.clone().into())
        )
        .await
        .status,
        401
    );
    for unknown in ["x", "AAAAAAAAAAAAAAAAAAAAAA", "..%2f"] {
        let path = format!("/v1/webhooks/{unknown}");
        let headers = [("content-type", "application/json"), ("x-ghost-signature", twice.as_str())];
        assert_eq!(room.anonymous().send(Method::POST, &path, &headers, Some(body.clone().into())).await.status, 404);
    }
    assert!(room.bus.last(&ARTICLES, subjects::ARTICLES).await.expect("reads").is_none(), "nothing was stored");
    hook.revoke("cms").await;
    eventually("the revoked webhook is closed", async || {
        match hook.deliver(&ghost("a1", 1, &[])).await.status.as_u16() {
            404 => Ok(()),
            other => Err(other),
        }
    })
    .await;
    room.close().await;
}

#[tokio::test]
async fn a_new_key_is_not_a_new_system() {
    let room = Newsroom::open().await;
    let first = Hook::open(&room, Format::WordPress, "site").await;
    let post = |minute: u32| {
        json!({
            "id": 7, "type": "post", "status": "publish", "date_gmt": "2026-11-20T08:00:00",
            "modified_gmt": format!("2026-11-20T09:{minute:02}:00"), "link": "https://wp.example/7/",
            "title": { "rendered": format!("Storm &#8211; {minute}") }, "content": { "rendered": "<p>Wind.</p>", "protected": false },
        })
    };
    let (outcome, created) = first.outcome(&post(1)).await;
    assert_eq!(outcome, "created");
    let second = Hook::open(&room, Format::WordPress, "site").await;
    let (outcome, revised) = second.outcome(&post(2)).await;
    assert_eq!(
        (outcome.as_str(), &revised["article"], &revised["revision"]),
        ("revised", &created["article"], &json!(2))
    );
    // The plugin that signs the body alone.
    let body = post(3).to_string();
    let key = second.id.secret(MASTER.as_bytes());
    let tag = sign_body(&key, body.as_bytes());
    let answer = second.send(&[("x-wp-webhook-signature", &tag)], body.as_bytes()).await;
    assert_eq!((answer.status.as_u16(), &answer.json["revision"]), (200, &json!(3)), "{}", answer.text);
    // Another system has its own articles, whatever their ids.
    let other = Hook::open(&room, Format::WordPress, "other site").await;
    assert_ne!(other.outcome(&post(1)).await.1["article"], created["article"]);
    room.close().await;
}

#[tokio::test]
async fn our_own_event_and_ninjs_come_signed_after_standard_webhooks() {
    let room = Newsroom::open().await;
    let hook = Hook::open(&room, Format::Newswire, "desk").await;
    let event = |kind: &str, minute: u32, more: Value| {
        let mut data =
            json!({ "headline": "Three dead", "body_text": "x", "alt_ids": [{ "role": "cms", "value": "9" }] });
        data.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        json!({ "type": kind, "timestamp": format!("2026-11-20T09:{minute:02}:00Z"), "data": data })
    };
    assert_eq!(hook.outcome(&event("article.published", 1, json!({}))).await.0, "created");
    let correction = json!({ "headline": "Two dead", "change": { "kind": "correction", "note": "It was two." } });
    let (outcome, revised) = hook.outcome(&event("article.published", 2, correction)).await;
    assert_eq!(outcome, "revised");
    let path = format!("/v1/articles/{}", revised["article"].as_str().expect("an id").trim_start_matches("urn:uuid:"));
    assert_eq!(room.get(&path, &[]).await.json["corrections"][0]["note"], "It was two.");
    let gone = json!({ "change": { "note": "Nobody died." } });
    assert_eq!(hook.outcome(&event("article.withdrawn", 3, gone)).await.0, "withdrawn");
    let note = room.get(&path, &[]).await.json["change"]["note"].as_str().expect("a note").to_owned();
    assert!(note.starts_with("Nobody died."), "{note}");
    assert_eq!(hook.outcome(&event("subscriber.added", 4, json!({}))).await.0, "nothing");
    for wrong in [
        json!({}),
        json!({ "type": "article.published", "data": {} }),
        event("article.published", 5, json!({ "headline": "" })),
    ] {
        let answer = hook.deliver(&wrong).await;
        assert_eq!(answer.status, 422, "{wrong}: {}", answer.text);
        assert!(answer.json["errors"].is_array(), "{}", answer.text);
    }

    let agency = Hook::open(&room, Format::Ninjs, "agency").await;
    let item = |version: u32, status: &str| {
        json!({
            "uri": "urn:newsml:a:1", "versionCreated": format!("2026-11-20T09:0{version}:00Z"), "pubStatus": status,
            "headlines": [{ "value": "Storm" }], "bodies": [{ "contentType": "text/plain", "value": format!("v{version}") }],
        })
    };
    assert_eq!(agency.outcome(&item(1, "usable")).await.0, "created");
    let (outcome, revised) = agency.outcome(&item(2, "usable")).await;
    assert_eq!(outcome, "revised");
    assert_eq!(agency.outcome(&item(3, "canceled")).await.0, "withdrawn");

    // And out again, as ninjs and as JSON-LD.
    let path = format!("/v1/articles/{}", revised["article"].as_str().expect("an id").trim_start_matches("urn:uuid:"));
    let ninjs = room.get(&format!("{path}/ninjs"), &[]).await;
    assert_eq!((&ninjs.json["pubStatus"], ninjs.header("etag")), (&json!("canceled"), "\"3\""));
    let ld = room.get(&format!("{path}/json-ld"), &[]).await;
    assert_eq!(
        (ld.header("content-type"), &ld.json["creativeWorkStatus"]),
        ("application/ld+json", &json!("Withdrawn"))
    );
    assert_eq!(room.get(&format!("{path}/ninjs"), &[("if-none-match", "\"3\"")]).await.status, 304);
    assert_eq!(room.anonymous().get(&format!("{path}/ninjs"), &[]).await.status, 401);
    room.close().await;
}

#[tokio::test]
async fn twenty_deliveries_at_once_make_one_article() {
    let room = Newsroom::open().await;
    let hook = Hook::open(&room, Format::Ghost, "cms").await;
    let posts: Vec<Value> = (0..20).map(|n| ghost("a1", n % 10, &[("title", format!("v{}", n % 10).into())])).collect();
    let answers = futures::future::join_all(posts.iter().map(|post| hook.deliver(post))).await;
    assert!(
        answers.iter().all(|answer| answer.status == 200),
        "{:?}",
        answers.iter().map(|a| &a.text).collect::<Vec<_>>()
    );
    let ids: std::collections::BTreeSet<String> =
        answers.iter().filter_map(|answer| answer.json["article"].as_str().map(str::to_owned)).collect();
    assert_eq!(ids.len(), 1);
    let path = format!("/v1/articles/{}", ids.first().expect("an id").trim_start_matches("urn:uuid:"));
    assert_eq!(room.get(&path, &[]).await.json["headline"], "v9", "the newest");
    room.close().await;
}

/// Ghost hangs up after two seconds and does not come again.
#[tokio::test]
async fn a_delivery_outlives_its_answer() {
    let mut room = Newsroom::open().await;
    let hook = Hook::open(&room, Format::Ghost, "cms").await;
    let (id, format) = (hook.id, hook.format);
    room.nats.kill9();
    let answer = Hook { room: &room, id, format }.deliver(&ghost("a1", 1, &[])).await;
    assert_eq!(answer.status, 503, "{}", answer.text);
    room.nats.restart().await;
    eventually("the article is in the log", async || {
        let last = room.bus.last(&ARTICLES, subjects::ARTICLES).await.map_err(|error| error.to_string())?;
        last.ok_or_else(|| "nothing yet".to_owned())
    })
    .await;
    room.close().await;
}

#[tokio::test]
async fn a_clock_that_is_years_ahead_does_not_shut_out_what_follows() {
    let room = Newsroom::open().await;
    let hook = Hook::open(&room, Format::Ghost, "cms").await;
    let (_, created) = hook.outcome(&ghost("a1", 1, &[("updated_at", "2099-01-01T00:00:00Z".into())])).await;
    let id: ArticleId = created["article"].as_str().expect("an id").parse().expect("an id");
    let article = room.get(&format!("/v1/articles/{}", id.token()), &[]).await.json;
    let changed_at = article["ext"]["newswire.webhook"]["changed_at"].as_str().expect("a time");
    let changed_at: jiff::Timestamp = changed_at.parse().expect("a time");
    assert!(changed_at <= service_kit::now() + interchange::signature::TOLERANCE, "{changed_at}");
    room.close().await;
}

/// A webhook's address is no secret, and nobody shows a token there before his body is read.
#[tokio::test]
async fn who_sends_slowly_to_webhooks_holds_nobody_else_up() {
    let room = Newsroom::open().await;
    let hook = Hook::open(&room, Format::Ghost, "cms").await;
    let begin = async |hook: &HookId| {
        let mut stream = TcpStream::connect(room.authority()).await.expect("connects");
        let headers = format!(
            "POST /v1/webhooks/{hook} HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n"
        );
        stream.write_all(headers.as_bytes()).await.expect("sends");
        stream
    };
    let mut unknown = begin(&HookId::generate().expect("random bytes")).await;
    let mut status = [0; 12];
    let answered = tokio::time::timeout(Duration::from_secs(60), unknown.read_exact(&mut status)).await;
    answered.expect("nobody waits for its body").expect("an answer");
    assert_eq!(&status, b"HTTP/1.1 404");
    let mut slow = Vec::new();
    for _ in 0..130 {
        slow.push(begin(&hook.id).await);
    }
    eventually("webhooks are busy", async || match hook.send(&[], b"{}").await.status.as_u16() {
        503 => Ok(()),
        other => Err(other),
    })
    .await;
    assert_eq!(room.get("/v1/token", &[]).await.status, 200);
    drop(slow);
    eventually("webhooks are taken again", async || match hook.send(&[], b"{}").await.status.as_u16() {
        401 => Ok(()),
        other => Err(other),
    })
    .await;
    room.close().await;
}
