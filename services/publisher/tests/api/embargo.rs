//! Nobody sees an embargoed article before its time, and everybody after it, whatever is down at that moment.

use std::collections::BTreeMap;

use article::wire::v1::Envelope;
use article::{Article, Command, apply};
use bus::{HeaderMap, Stored};
use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use serde_json::{Value, json};
use testkit::eventually;
use topology::{ARTICLES, DESK, EMBARGOES, subjects};

use crate::desk::{Answer, Newsroom, draft, id_of};

const SECRET: &str = "利率 will fall by half a point";

fn embargoed(headline: &str, until: Timestamp) -> Value {
    let mut document = draft(headline);
    document["body_text"] = json!(format!("{SECRET}.\n\n{headline}"));
    document["embargoed_until"] = json!(until);
    document
}

fn minor(mut document: Value) -> Value {
    document["change"] = json!({ "kind": "minor" });
    document
}

fn in_seconds(seconds: i64) -> Timestamp {
    service_kit::now() + SignedDuration::from_secs(seconds)
}

/// Where an article is: its address here, its subject in the log and under embargo.
struct Where {
    address: String,
    log: String,
    embargo: String,
    due: String,
}

fn whereabouts(created: &Answer) -> Where {
    assert_eq!(created.status, StatusCode::CREATED, "{}", created.json);
    let (publisher, id) = ("hefei".parse().expect("a publisher"), id_of(&created.json));
    Where {
        address: created.header("location").to_owned(),
        log: subjects::article(&publisher, &id),
        embargo: subjects::embargo(&publisher, &id),
        due: subjects::release_due(&publisher, &id),
    }
}

fn envelope(stored: &Stored) -> Envelope {
    Envelope::from_bytes(&stored.payload).expect("an envelope")
}

/// The article's first message in the log, once it is there and nothing of it is under embargo any more.
async fn released(room: &Newsroom, at: &Where) -> Stored {
    eventually("the embargo has ended", async || {
        let (log, left) = (room.history(&ARTICLES, &at.log).await, room.history(&EMBARGOES, &at.embargo).await);
        match log.into_iter().next() {
            Some(first) if left.is_empty() => Ok(first),
            first => Err(format!("in the log: {}, under embargo: {}", first.is_some(), left.len())),
        }
    })
    .await
}

#[tokio::test]
async fn it_is_the_newsrooms_secret_until_the_server_says_that_it_is_time() {
    let room = Newsroom::open().await;
    let created = room.post(&embargoed("Draft of the decision", in_seconds(600)), &[]).await;
    let at = whereabouts(&created);
    assert_eq!((&created.json["status"], created.json.get("published")), (&json!("embargoed"), None));
    assert_eq!(room.get(&at.address, &[]).await.json, created.json);
    // The time moves with a revision, and a revision without a time is a mistake.
    let refused = room.put(&at.address, "\"1\"", &minor(draft("No time"))).await;
    assert_eq!(refused.json["errors"][0]["pointer"], "/embargoed_until", "{}", refused.json);
    let hold = room.change(&at.address, Some("\"1\""), &json!({ "kind": "hold" })).await;
    assert_eq!(hold.status, 409, "{}", hold.json);
    // Late enough for all that is looked at before.
    let until = in_seconds(5);
    let moved = room.put(&at.address, "\"1\"", &minor(embargoed("The decision", until))).await;
    assert_eq!((moved.status, &moved.json["status"]), (StatusCode::OK, &json!("embargoed")), "{}", moved.json);
    let revisions = room.get(&format!("{}/revisions", at.address), &[]).await.json;
    assert_eq!(revisions["revisions"].as_array().unwrap().len(), 2);
    assert!(room.history(&ARTICLES, &at.log).await.is_empty(), "nobody else can know");

    let first = released(&room, &at).await;
    println!("public {} ms after its time", first.stored_at.duration_since(until).as_millis());
    assert!(first.stored_at >= until, "not before its time");
    let event = envelope(&first);
    assert_eq!(event.kind, "newswire.article.release.v1");
    assert_eq!(event.id, format!("{}/3", created.json["id"].as_str().unwrap()));
    assert_eq!(first.headers.get("Nats-Msg-Id").unwrap().as_str(), event.id);
    assert!(event.traceparent.is_some(), "the trace of who wrote it goes on");
    let article = event.data;
    assert_eq!((article.revision, article.headline.as_str()), (3, "The decision"));
    assert_eq!(article.published.as_ref().unwrap().at, until);
    assert!(article.is_readable(service_kit::now()));
    assert_eq!(room.get(&at.address, &[]).await.json["revision"], 3);
    assert!(room.files_with("Draft of the decision").is_empty(), "what was not meant for anybody is erased");
    // From here on it is an article like any other.
    assert_eq!(room.put(&at.address, "\"3\"", &minor(draft("Later"))).await.json["revision"], 4);
    room.close().await;
}

#[tokio::test]
async fn a_publisher_that_was_down_at_that_moment_does_it_when_it_comes_back() {
    let mut room = Newsroom::open().await;
    let until = in_seconds(5);
    let at = whereabouts(&room.post(&embargoed("While nobody works", until), &[]).await);
    room.stop().await;
    eventually("the server calls", async || match room.bus.last(&DESK, &at.due).await {
        Ok(Some(_)) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    assert!(room.history(&ARTICLES, &at.log).await.is_empty());
    room.start().await;
    assert!(released(&room, &at).await.stored_at >= until);
    room.close().await;
}

/// What a crash between the phases leaves, and what is there when a call never comes: the sweep ends it all.
#[tokio::test]
async fn whatever_was_interrupted_is_taken_up_again() {
    let mut room = Newsroom::open().await;
    let mut articles = Vec::new();
    for headline in ["No call", "Marked", "Moved", "Moved and changed", "Not yet"] {
        let at = whereabouts(&room.post(&embargoed(headline, in_seconds(3600)), &[]).await);
        let stored = room.history(&EMBARGOES, &at.embargo).await.remove(0);
        articles.push((headline, at, stored));
    }
    room.stop().await;
    let now = service_kit::now();
    let put = async |stream, subject: &str, article: Article, expected: u64| {
        let envelope = Envelope::new(article, None);
        let (id, payload) = (envelope.id.clone(), envelope.to_bytes().into());
        let written = room.bus.publish(stream, subject, &id, HeaderMap::new(), payload, Some(expected)).await;
        (written.unwrap().sequence, envelope.data)
    };
    for (headline, at, stored) in &articles {
        let first = envelope(stored).data;
        if *headline == "No call" {
            // As if an hour had passed, and the stream of calls had been full.
            let overdue = Article { embargoed_until: Some(now), revision: 2, ..first };
            put(&EMBARGOES, &at.embargo, overdue, stored.sequence).await;
        } else if *headline != "Not yet" {
            let marker = apply(Some(&first), Command::Release { note: None }, now).unwrap();
            let (_, marker) = put(&EMBARGOES, &at.embargo, marker, stored.sequence).await;
            if *headline != "Marked" {
                let (sequence, moved) = put(&ARTICLES, &at.log, marker, 0).await;
                if *headline == "Moved and changed" {
                    let held = apply(Some(&moved), Command::Hold { note: None }, now).unwrap();
                    put(&ARTICLES, &at.log, held, sequence).await;
                }
            }
        }
    }
    room.start().await;
    for (headline, at, _) in &articles[..4] {
        let article = envelope(&released(&room, at).await).data;
        assert_eq!((&*article.headline, article.revision), (*headline, if *headline == "No call" { 3 } else { 2 }));
        let log = room.history(&ARTICLES, &at.log).await;
        assert_eq!(log.len(), if *headline == "Moved and changed" { 2 } else { 1 }, "{headline}");
    }
    let (_, at, _) = &articles[4];
    assert!(room.history(&ARTICLES, &at.log).await.is_empty());
    assert_eq!(room.get(&at.address, &[]).await.json["status"], "embargoed");
    room.close().await;
}

#[tokio::test]
async fn an_editor_ends_it_early_and_only_once() {
    let room = Newsroom::open().await;
    let at = whereabouts(&room.post(&embargoed("Early", in_seconds(3600)), &[("idempotency-key", "early")]).await);
    let release = json!({ "kind": "release", "note": "The other side broke it." });
    let before = service_kit::now();
    let early = room.change(&at.address, Some("\"1\""), &release).await;
    assert_eq!((early.status, &early.json["status"]), (StatusCode::OK, &json!("published")), "{}", early.json);
    assert_eq!(early.json.get("embargoed_until"), None);
    let first = envelope(&released(&room, &at).await);
    assert_eq!((first.kind.as_str(), first.data.revision), ("newswire.article.release.v1", 2));
    assert!(first.data.published.as_ref().unwrap().at >= before);
    let again = room.change(&at.address, Some("\"1\""), &release).await;
    assert_eq!((&again.json, again.header("idempotency-replayed")), (&early.json, "true"));
    room.close().await;
}

#[tokio::test]
async fn a_key_makes_one_article_before_and_after() {
    let room = Newsroom::open().await;
    let key = [("idempotency-key", "cms-7")];
    let document = embargoed("Keyed", in_seconds(3600));
    let created = room.post(&document, &key).await;
    let at = whereabouts(&created);
    let again = room.post(&document, &key).await;
    assert_eq!((&again.json, again.header("idempotency-replayed")), (&created.json, "true"));
    for other in [draft("Other"), embargoed("Other", in_seconds(60))] {
        let reused = room.post(&other, &key).await;
        assert_eq!((reused.status.as_u16(), &reused.json["article"]), (422, &created.json["id"]), "{}", reused.json);
    }
    let released = room.change(&at.address, Some("\"1\""), &json!({ "kind": "release" })).await;
    let again = room.post(&document, &key).await;
    assert_eq!((again.status.as_u16(), &again.json["revision"]), (201, &released.json["revision"]), "{}", again.json);
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(room.post(&embargoed("Other", in_seconds(60)), &key).await.status, 409);
    assert_eq!(room.history(&ARTICLES, &at.log).await.len(), 1);
    room.close().await;
}

#[tokio::test]
async fn killed_it_never_was_until_it_is_reinstated() {
    let room = Newsroom::open().await;
    let at = whereabouts(&room.post(&embargoed("Never", in_seconds(3600)), &[]).await);
    assert!(!room.files_with(SECRET).is_empty());
    let killed = room.change(&at.address, None, &json!({ "kind": "kill", "note": "Withdrawn by the bank" })).await;
    assert_eq!((killed.status, &killed.json["status"]), (StatusCode::OK, &json!("killed")), "{}", killed.json);
    eventually("the text is erased", async || match room.get(&format!("{}/receipts", at.address), &[]).await.json {
        receipts if receipts["erased_at"].is_null() => Err(receipts),
        receipts => Ok(receipts),
    })
    .await;
    assert!(room.files_with(SECRET).is_empty());
    assert!(room.history(&ARTICLES, &at.log).await.is_empty(), "nobody was told of what nobody knew");
    assert_eq!(room.history(&EMBARGOES, &at.embargo).await.len(), 1);

    let mut back = draft("After all");
    back["change"] = json!({ "kind": "reinstate" });
    let back = room.put(&at.address, "\"2\"", &back).await;
    assert_eq!((back.status, &back.json["status"]), (StatusCode::OK, &json!("published")), "{}", back.json);
    let first = envelope(&released(&room, &at).await);
    assert_eq!((first.kind.as_str(), first.data.revision), ("newswire.article.reinstate.v1", 3));
    room.close().await;
}

/// Writers who go on while the embargo ends and the publisher crashes: each accepted revision is one of the article's.
#[tokio::test]
async fn no_revision_is_lost_when_the_embargo_ends_under_the_writers() {
    let mut room = Newsroom::open().await;
    let at = whereabouts(&room.post(&embargoed("Raced", in_seconds(5)), &[]).await);
    let mut accepted = BTreeMap::new();
    for crash in [false, true] {
        if crash {
            room.crash().await;
            room.start().await;
        }
        let writer = async |name: &str| {
            let mut won = Vec::new();
            eventually("enough was written", async || {
                let mut document = minor(room.get(&at.address, &[]).await.json);
                let (public, base) = (document["status"] == "published", format!("\"{}\"", document["revision"]));
                let headline = format!("{crash} {name} {base}");
                document["headline"] = json!(headline);
                let answer = room.put(&at.address, &base, &document).await;
                match answer.status.as_u16() {
                    200 => won.push((answer.json["revision"].as_u64().unwrap(), headline)),
                    // Another writer, or the end of the embargo, came first.
                    412 | 422 => {}
                    _ => panic!("{}", answer.json),
                }
                // Before the crash until there is something to lose, after it until the end of the embargo.
                if !won.is_empty() && crash == public { Ok(()) } else { Err(answer.json) }
            })
            .await;
            won
        };
        let (a, b) = tokio::join!(writer("a"), writer("b"));
        for (revision, headline) in a.into_iter().chain(b) {
            let other = accepted.insert(revision, headline);
            assert_eq!(other, None, "revision {revision} was accepted twice");
        }
    }
    released(&room, &at).await;
    let log: Vec<_> = room.history(&ARTICLES, &at.log).await.iter().map(|stored| envelope(stored).data).collect();
    let release = u64::from(log[0].revision);
    // It has the text of the last revision before it.
    assert_eq!(log[0].headline, accepted[&(release - 1)]);
    for article in &log[1..] {
        assert_eq!(article.headline, accepted[&u64::from(article.revision)]);
    }
    accepted.insert(release, "the release".into());
    let all: Vec<_> = accepted.into_keys().collect();
    assert_eq!(all, (2..=u64::from(log.last().unwrap().revision)).collect::<Vec<_>>(), "no more and no fewer");
    room.close().await;
}
