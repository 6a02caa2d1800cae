//! A kill takes the text out of the store, whatever comes between.

use std::time::Duration;

use article::wire::v1::Envelope;
use article::{Article, Command, apply};
use bus::{Bus, HeaderMap};
use reqwest::StatusCode;
use serde_json::{Value, json};
use testkit::eventually;
use topology::{ARTICLES, DEAD, DESK, DESK_DUE, EMBARGOES, RECEIPTS, Stream, subjects};

use crate::desk::{Newsroom, draft, id_of};

const SECRET: &str = "绝密的一句话 that nobody may read again";

fn secret(n: usize) -> Value {
    let mut document = draft(&format!("Headline {n}"));
    document["body_text"] = json!(format!("{SECRET} {n}\n\n{}", "填充 padding ".repeat(2000)));
    document["change"] = json!({ "kind": "minor" });
    document
}

fn kill() -> Value {
    json!({ "kind": "kill", "note": "On legal advice" })
}

/// A secret article with three revisions: its address and its subject in the log.
async fn published(room: &Newsroom) -> (String, String) {
    let mut first = secret(1);
    first["change"] = json!({ "kind": "new" });
    let created = room.post(&first, &[]).await;
    let address = created.header("location").to_owned();
    for n in [2, 3] {
        assert_eq!(room.put(&address, &format!("\"{}\"", n - 1), &secret(n)).await.status, 200);
    }
    (address, subjects::article(&"hefei".parse().expect("a publisher"), &id_of(&created.json)))
}

async fn erased(room: &Newsroom, address: &str) -> Value {
    eventually("the text is erased", async || {
        let receipts = room.get(&format!("{address}/receipts"), &[]).await.json;
        if receipts["erased_at"].is_null() { Err(receipts) } else { Ok(receipts) }
    })
    .await
}

/// Writes a revision past the publisher, as if it had crashed right after.
async fn write(room: &Newsroom, subject: &str, article: Article, expected: u64) {
    let envelope = Envelope::new(article, None);
    let (id, payload) = (envelope.id.clone(), envelope.to_bytes().into());
    let written = room.bus.publish(&ARTICLES, subject, &id, HeaderMap::new(), payload, Some(expected)).await;
    written.expect("nobody else writes");
}

fn current(stored: &bus::Stored) -> Article {
    Envelope::from_bytes(&stored.payload).expect("an envelope").data
}

#[tokio::test]
async fn the_text_is_in_no_file_after_a_kill_and_everybody_says_when() {
    let room = Newsroom::open().await;
    let (address, subject) = published(&room).await;
    // What a consumer could not handle has the text as well; another article's dead letter stays.
    let first = room.history(&ARTICLES, &subject).await.remove(0);
    for (n, about) in [subject.as_str(), "nw.article.hefei.other"].into_iter().enumerate() {
        let mut headers = HeaderMap::new();
        headers.insert("Newswire-Subject", about);
        let (letters, id) = (subjects::dead("email-planner"), format!("dead/{n}"));
        let payload = if n == 0 { first.payload.clone() } else { "other".into() };
        room.bus.publish(&DEAD, &letters, &id, headers, payload, None).await.unwrap();
    }
    assert!(!room.files_with(SECRET).is_empty(), "the search finds what is there");

    let killed = room.change(&address, None, &kill()).await;
    assert_eq!((killed.status, &killed.json["revision"]), (StatusCode::OK, &json!(4)), "{}", killed.json);
    let receipts = erased(&room, &address).await;
    assert_eq!(room.files_with(SECRET), Vec::<std::path::PathBuf>::new());
    let log = room.history(&ARTICLES, &subject).await;
    assert_eq!(log.iter().map(|stored| current(stored).revision).collect::<Vec<_>>(), [4]);
    assert_eq!(room.history(&DEAD, &subjects::dead("email-planner")).await.len(), 1);
    let time = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let took = time(&receipts["erased_at"]).duration_since(time(&receipts["killed_at"]));
    println!("erased {} ms after the kill", took.as_millis());
    assert!(took.is_positive());

    let id = id_of(&killed.json);
    let note = async |instance: &str, revision: u32| {
        let subject = subjects::receipt(&id, "rss-generator", instance);
        let at = time(&receipts["killed_at"]) + jiff::SignedDuration::from_millis(120);
        let payload = json!({ "revision": revision, "applied_at": at }).to_string();
        let id = format!("{subject}/{revision}");
        room.bus.publish(&RECEIPTS, &subject, &id, HeaderMap::new(), payload.into(), None).await.unwrap();
    };
    note("a", 4).await;
    note("of-an-earlier-kill", 2).await;
    let receipts = room.get(&format!("{address}/receipts"), &[]).await.json;
    assert_eq!(receipts["receipts"].as_array().unwrap().len(), 1, "{receipts}");
    assert_eq!(receipts["receipts"][0]["latency_ms"], 120);
    assert_eq!(
        (&receipts["receipts"][0]["service"], &receipts["receipts"][0]["instance"]),
        (&json!("rss-generator"), &json!("a"))
    );

    // Nobody needs to know which revision is current, and sending it twice kills once.
    let again = room.change(&address, None, &kill()).await;
    assert_eq!((again.json["revision"].clone(), again.header("idempotency-replayed")), (json!(4), "true"));
    let mut back = secret(5);
    back["change"] = json!({ "kind": "reinstate" });
    let back = room.put(&address, "\"4\"", &back).await;
    assert_eq!((back.status, &back.json["status"]), (StatusCode::OK, &json!("published")), "{}", back.json);
    room.close().await;
}

/// The log keeps sixteen revisions of an article; a text that has fallen out of it must not be left in its files.
#[tokio::test]
async fn a_long_history_leaves_nothing_behind() {
    let room = Newsroom::open().await;
    let (address, subject) = published(&room).await;
    for n in 3..21 {
        let mut document = if n < 5 { secret(n) } else { draft("Nothing secret any more") };
        document["change"] = json!({ "kind": "minor" });
        assert_eq!(room.put(&address, &format!("\"{n}\""), &document).await.status, 200);
    }
    let kept: Vec<_> = room.history(&ARTICLES, &subject).await.iter().map(|stored| current(stored).revision).collect();
    assert_eq!(kept, (6..=21).collect::<Vec<_>>());
    assert_eq!(room.files_with(SECRET), Vec::<std::path::PathBuf>::new(), "before any kill");
    room.close().await;
}

/// What a crash leaves: the call alone, the call and the kill, or half of the text.
#[tokio::test]
async fn a_kill_that_was_interrupted_is_finished() {
    let mut room = Newsroom::open().await;
    let (mut addresses, mut calls) = (Vec::new(), Vec::new());
    for erased in [0, 1, 3] {
        let (address, subject) = published(&room).await;
        let log = room.history(&ARTICLES, &subject).await;
        let article = current(&log[2]);
        addresses.push((address, subject.clone()));
        calls.push((article, log, subject, erased));
    }
    room.stop().await;
    for (article, log, subject, erased) in calls {
        let call = subjects::erasure_due(&article.publisher, &article.id);
        room.bus.publish(&DESK, &call, &call, HeaderMap::new(), "{}".into(), None).await.unwrap();
        let killed = apply(Some(&article), Command::Kill { note: "Legal".into() }, service_kit::now()).unwrap();
        write(&room, &subject, killed, log[2].sequence).await;
        for stored in &log[..erased] {
            room.bus.erase(&ARTICLES, stored.sequence).await.unwrap();
        }
    }
    assert!(!room.files_with(SECRET).is_empty());
    room.start().await;
    for (address, subject) in addresses {
        erased(&room, &address).await;
        assert_eq!(room.history(&ARTICLES, &subject).await.len(), 1);
    }
    assert_eq!(room.files_with(SECRET), Vec::<std::path::PathBuf>::new());

    // A call whose kill has not come yet takes nothing, and is not forgotten.
    let (address, subject) = published(&room).await;
    let last = room.history(&ARTICLES, &subject).await.pop().unwrap();
    let article = current(&last);
    let call = subjects::erasure_due(&article.publisher, &article.id);
    room.bus.publish(&DESK, &call, &call, HeaderMap::new(), "{}".into(), None).await.unwrap();
    eventually("the call is heard", async || match room.bus.backlog(&DESK_DUE).await.unwrap() {
        backlog if backlog.waiting == 0 => Ok(()),
        backlog => Err(format!("{backlog:?}")),
    })
    .await;
    assert_eq!(room.change(&address, Some("\"3\""), &json!({ "kind": "hold" })).await.status, 200);
    assert_eq!(room.history(&ARTICLES, &subject).await.len(), 4);
    let held = room.history(&ARTICLES, &subject).await.pop().unwrap();
    let killed = apply(Some(&current(&held)), Command::Kill { note: "Legal".into() }, service_kit::now()).unwrap();
    write(&room, &subject, killed, held.sequence).await;
    erased(&room, &address).await;
    assert_eq!(room.history(&ARTICLES, &subject).await.len(), 1);
    room.close().await;
}

#[tokio::test]
async fn a_kill_wins_against_every_writer() {
    let room = Newsroom::open().await;
    let (address, subject) = published(&room).await;
    let writer = async |name: usize| {
        let mut accepted = 0;
        loop {
            let read = room.get(&address, &[]).await.json;
            let base = format!("\"{}\"", read["revision"]);
            match room.put(&address, &base, &secret(name + accepted)).await.status.as_u16() {
                200 => accepted += 1,
                412 => {}
                409 => return accepted,
                other => panic!("{other}"),
            }
        }
    };
    let killer = async || {
        eventually("the writers are busy", async || {
            let revision = room.get(&address, &[]).await.json["revision"].as_u64().unwrap();
            if revision > 8 { Ok(()) } else { Err(revision) }
        })
        .await;
        room.change(&address, None, &kill()).await
    };
    let (a, b, killed) = tokio::join!(writer(1000), writer(2000), killer());
    assert_eq!(killed.status, 200, "{}", killed.json);
    assert_eq!(killed.json["revision"], 3 + a + b + 1, "every accepted revision came before it");
    erased(&room, &address).await;
    assert_eq!(room.history(&ARTICLES, &subject).await.len(), 1);
    assert_eq!(room.files_with(SECRET), Vec::<std::path::PathBuf>::new());
    room.close().await;
}

/// Leaves a stream a 64th of what is in it, as many days of news would.
async fn fill(bus: &Bus, stream: &Stream, kind: &str, [info, update]: [&'static str; 2]) {
    for n in 0..16 {
        let (subject, id) = (format!("nw.{kind}.hefei.filler-{n}"), format!("filler/{n}"));
        let written = bus.publish(stream, &subject, &id, HeaderMap::new(), vec![b'x'; 900_000].into(), Some(0)).await;
        written.expect("there is room yet");
    }
    let ask = async |subject: &'static str, question: Value| -> Value {
        let answer = bus.request(subject, question.to_string().into(), Duration::from_secs(10)).await;
        serde_json::from_slice(&answer.expect("the server answers")).expect("JSON")
    };
    let mut found = ask(info, json!({})).await;
    let used = found["state"]["bytes"].as_u64().expect("a number");
    found["config"]["max_bytes"] = json!(used + used / 64);
    let updated = ask(update, found["config"].clone()).await;
    assert!(updated["error"].is_null(), "{updated}");
}

#[tokio::test]
async fn a_full_store_takes_what_takes_news_back_and_no_news() {
    let mut room = Newsroom::open().await;
    let (address, _) = published(&room).await;
    let mut later = secret(4);
    later["change"] = json!({ "kind": "new" });
    later["embargoed_until"] = json!("2999-01-01T00:00:00Z");
    let embargoed = room.post(&later, &[]).await.header("location").to_owned();
    room.stop().await;
    let fill_both = async |bus: &Bus| {
        let log = ["$JS.API.STREAM.INFO.ARTICLES", "$JS.API.STREAM.UPDATE.ARTICLES"];
        fill(bus, &ARTICLES, "article", log).await;
        let embargoes = ["$JS.API.STREAM.INFO.EMBARGOES", "$JS.API.STREAM.UPDATE.EMBARGOES"];
        fill(bus, &EMBARGOES, "embargo", embargoes).await;
    };
    room.start_after(fill_both).await;
    eventually("news are refused", async || match room.post(&draft("News"), &[]).await.status.as_u16() {
        507 => Ok(()),
        other => Err(other),
    })
    .await;
    later["headline"] = json!("Another");
    assert_eq!(room.post(&later, &[]).await.status, 507);
    assert_eq!(room.put(&address, "\"3\"", &secret(5)).await.json["type"], "urn:newswire:problem:store-full");
    for (base, kind) in [("\"3\"", "hold"), ("\"4\"", "release")] {
        let changed = room.change(&address, Some(base), &json!({ "kind": kind })).await;
        assert_eq!(changed.status, 200, "{kind}: {}", changed.json);
    }
    for address in [address, embargoed] {
        let killed = room.change(&address, None, &kill()).await;
        assert_eq!(killed.status, 200, "{}", killed.json);
        erased(&room, &address).await;
    }
    assert_eq!(room.files_with(SECRET), Vec::<std::path::PathBuf>::new());
    room.close().await;
}
