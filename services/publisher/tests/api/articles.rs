//! Creating and revising: once, in order, nothing lost.

use article::wire::v1::Envelope;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use topology::{ARTICLES, subjects};

use crate::desk::{Newsroom, draft};

#[tokio::test]
async fn an_article_is_published_read_and_revised() {
    let room = Newsroom::open().await;
    let mut document = draft("桥梁重新开放 · إعادة فتح الجسر 🌉");
    document["published"] = json!({ "at": "2018-11-26", "tz": "Asia/Shanghai" });
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers = [("traceparent", trace), ("newswire-channel", "cms"), ("user-agent", "CMS/7")];
    let created = room.post(&document, &headers).await;
    assert_eq!(created.status, 201, "{}", created.json);
    assert_eq!(created.header("etag"), "\"1\"");
    assert_eq!(created.json["headline"], document["headline"]);
    assert_eq!(created.json["provenance"]["channel"], "cms");
    assert_eq!(created.json["provenance"]["importer"], "CMS/7");
    let address = created.header("location").to_owned();

    let read = room.get(&address, &[]).await;
    assert_eq!((read.status, &read.json), (StatusCode::OK, &created.json));
    assert_eq!(room.get(&address, &[("if-none-match", "\"1\"")]).await.status, 304);
    let head = room.send(Method::HEAD, &address, &[], None).await;
    assert_eq!((head.status, head.header("etag"), &head.json), (StatusCode::OK, "\"1\"", &Value::Null));

    // As it was read, changed, and sent back with everything in it.
    let mut changed = read.json;
    changed["headline"] = json!("Bridge reopens");
    changed["change"] = json!({ "kind": "correction", "note": "It is one bridge." });
    let revised = room.put(&address, "\"1\"", &changed).await;
    assert_eq!(revised.status, 200, "{}", revised.json);
    assert_eq!((revised.header("etag"), &revised.json["revision"]), ("\"2\"", &json!(2)));
    assert_eq!(revised.json["corrections"][0]["note"], "It is one bridge.");
    assert_eq!(room.get(&address, &[("if-none-match", "\"1\"")]).await.json, revised.json);

    let id = created.json["id"].as_str().unwrap().parse().unwrap();
    let subject = subjects::article(&"hefei".parse().unwrap(), &id);
    let first = room.bus.next(&ARTICLES, &subject, 0).await.unwrap().unwrap();
    let envelope = Envelope::from_bytes(&first.payload).unwrap();
    assert_eq!(envelope.traceparent.as_deref(), Some(trace));
    assert_eq!(serde_json::to_value(envelope.data).unwrap(), created.json, "the log has what was answered");
    let second = room.bus.last(&ARTICLES, &subject).await.unwrap().unwrap();
    assert_eq!(Envelope::from_bytes(&second.payload).unwrap().kind, "newswire.article.correction.v1");
    room.close().await;
}

#[tokio::test]
async fn a_key_publishes_once() {
    let room = Newsroom::open().await;
    let key = [("idempotency-key", "cms-1")];
    let first = room.post(&draft("One"), &key).await;
    let again = room.post(&draft("One"), &key).await;
    assert_eq!((first.status, again.status), (StatusCode::CREATED, StatusCode::CREATED));
    assert_eq!((first.json.clone(), first.header("location")), (again.json.clone(), again.header("location")));
    assert_eq!((first.optional("idempotency-replayed"), again.header("idempotency-replayed")), (None, "true"));

    let other = room.post(&draft("Another"), &key).await;
    assert_eq!(other.status, 422);
    assert_eq!(other.json["type"], "urn:newswire:problem:key-reused");
    assert_eq!(other.json["article"], first.json["id"]);
    // A key is the publisher's own.
    let theirs = room.token("wuhan", "cms").await;
    let theirs = room.as_token(&theirs).post(&draft("Theirs"), &key).await;
    assert_eq!(theirs.status, 201, "{}", theirs.json);
    assert_ne!(theirs.json["id"], first.json["id"]);
    // Without a key, two requests are two articles.
    let (a, b) = (room.post(&draft("One"), &[]).await, room.post(&draft("One"), &[]).await);
    assert_ne!(a.json["id"], b.json["id"]);

    // Racing under one key, all get the one article.
    let racing = [("idempotency-key", "race")];
    let document = draft("Raced");
    let (a, b, c) =
        tokio::join!(room.post(&document, &racing), room.post(&document, &racing), room.post(&document, &racing));
    assert_eq!([&a.json, &b.json], [&b.json, &c.json]);
    assert_eq!([a, b, c].iter().filter(|answer| answer.optional("idempotency-replayed").is_none()).count(), 1);
    room.close().await;
}

#[tokio::test]
async fn a_repeated_request_is_answered_though_its_article_has_moved_on() {
    let room = Newsroom::open().await;
    let key = [("idempotency-key", "moved")];
    let first = room.post(&draft("One"), &key).await;
    let address = first.header("location").to_owned();
    let revision = |headline: &str| {
        let mut document = draft(headline);
        document["change"] = json!({ "kind": "minor" });
        document
    };
    let second = room.put(&address, "\"1\"", &revision("Two")).await;
    assert_eq!(second.status, 200);
    assert_eq!(room.post(&draft("One"), &key).await.json, first.json);
    assert_eq!(room.put(&address, "\"2\"", &revision("Three")).await.status, 200);
    let again = room.put(&address, "\"1\"", &revision("Two")).await;
    assert_eq!((again.status, &again.json), (StatusCode::OK, &second.json), "its first answer may have been lost");
    assert_eq!((again.header("etag"), again.header("idempotency-replayed")), ("\"2\"", "true"));
    let stale = room.put(&address, "\"1\"", &revision("Other")).await;
    assert_eq!((stale.status, &stale.json["current_revision"]), (StatusCode::PRECONDITION_FAILED, &json!(3)));
    let ahead = room.put(&address, "\"9\"", &revision("Other")).await;
    assert_eq!((ahead.status, &ahead.json["current_revision"]), (StatusCode::PRECONDITION_FAILED, &json!(3)));
    // The log keeps sixteen revisions: the first goes, and the key's article is still not made twice.
    for n in 3..19 {
        assert_eq!(room.put(&address, &format!("\"{n}\""), &revision("More")).await.status, 200);
    }
    let forgotten = room.post(&draft("One"), &key).await;
    assert_eq!((forgotten.status, &forgotten.json["current_revision"]), (StatusCode::CONFLICT, &json!(19)));
    room.close().await;
}

#[tokio::test]
async fn of_two_writers_one_wins_each_revision_and_no_change_is_lost() {
    let room = Newsroom::open().await;
    let address = room.post(&draft("Raced"), &[]).await.header("location").to_owned();
    let writer = async |name: &str| {
        let mut won = Vec::new();
        while won.len() < 6 {
            let mut document = room.get(&address, &[]).await.json;
            let base = document["revision"].as_u64().unwrap();
            // Each adds a keyword to those that it found.
            let mut words = document["keywords"].as_array().cloned().unwrap_or_default();
            words.push(json!(format!("{name}-{}", won.len())));
            document["keywords"] = words.into();
            document["change"] = json!({ "kind": "minor" });
            let answer = room.put(&address, &format!("\"{base}\""), &document).await;
            match answer.status.as_u16() {
                200 => won.push(answer.json["revision"].as_u64().unwrap()),
                412 => {}
                _ => panic!("{}", answer.json),
            }
        }
        won
    };
    let (a, b) = tokio::join!(writer("a"), writer("b"));
    let mut revisions: Vec<_> = a.into_iter().chain(b).collect();
    revisions.sort_unstable();
    assert_eq!(revisions, (2..=13).collect::<Vec<_>>(), "each revision has one writer");
    assert_eq!(room.get(&address, &[]).await.json["keywords"].as_array().unwrap().len(), 12, "every change is there");
    room.close().await;
}
