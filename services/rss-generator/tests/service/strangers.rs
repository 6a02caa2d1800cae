//! What strangers can do to the hub, and through it to others: nothing that anybody notices.

use article::RevisionKind;
use bus::HeaderMap;
use reqwest::StatusCode;
use testkit::eventually;
use tokio_util::sync::CancellationToken;
use topology::{DEAD, HUB, subjects};

use super::subscriber::{Mood, Subscriber, settled};
use super::{Command, Replica, create, document, draft, provenance, provisioned, publish, then};

const ATOM: &str = "https://news.example/feeds/all.atom";

/// Whoever owns a domain has names without end, and each of them may hang.
#[tokio::test]
async fn hosts_that_hang_hold_up_no_other() {
    const STRANGERS: usize = 100;
    let (nats, bus) = provisioned().await;
    let (replica, reader, strangers) =
        (Replica::start(&nats).await, Subscriber::start().await, Subscriber::at("0.0.0.0").await);
    replica.subscribe(&bus, &reader, ATOM, &reader.callback("/hook")).await;
    for n in 0..STRANGERS {
        for path in ["/a", "/b", "/c", "/d"] {
            strangers.mood(path, Mood::Silent);
            let callback = format!("http://127.0.1.{}:{}{path}", n + 1, strangers.port());
            let form = [("hub.mode", "subscribe"), ("hub.topic", ATOM), ("hub.callback", &callback)];
            let request = replica.client.post(format!("{}/hub", replica.base)).form(&form);
            let answer = request.header("x-real-ip", format!("198.51.100.{n}")).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::ACCEPTED);
        }
    }
    for n in 1..=2_u8 {
        publish(&bus, &create(n, &document())).await;
        reader.next("/hook", n.into()).await;
    }
}

/// Two calls at a time go to one host: the third waits there while the text is killed.
#[tokio::test]
async fn what_is_killed_while_a_delivery_waits_is_not_sent() {
    let (nats, bus) = provisioned().await;
    let (replica, reader) = (Replica::start(&nats).await, Subscriber::start().await);
    let article = create(1, &document());
    publish(&bus, &article).await;
    let paths = ["/1", "/2", "/3", "/4"];
    let until = CancellationToken::new();
    for path in paths {
        replica.subscribe(&bus, &reader, ATOM, &reader.callback(path)).await;
        reader.mood(path, Mood::Waits(until.clone()));
    }
    let mut revised = document();
    revised["body_text"] = "Since TUESDAY anyone may read it.".into();
    let (kind, note) = (RevisionKind::Correction, Some("It was Tuesday.".to_owned()));
    let corrected = then(&article, Command::Revise { kind, note, draft: draft(&revised), provenance: provenance() });
    publish(&bus, &corrected).await;
    let before = eventually("two are told", async || {
        let told: Vec<&str> = paths.into_iter().filter(|path| !reader.told(path).is_empty()).collect();
        if told.len() == 2 { Ok(told) } else { Err(told.len()) }
    })
    .await;
    publish(&bus, &then(&corrected, Command::Kill { note: "Court order.".into() })).await;
    replica.says("/feeds/all.atom", "deleted-entry").await;
    until.cancel();
    for path in paths {
        let told = eventually("all are told of the kill", async || {
            let told = reader.told(path);
            if told.iter().any(|told| told.body.contains("deleted-entry")) { Ok(told) } else { Err(told.len()) }
        })
        .await;
        let with_text = told.iter().filter(|told| told.body.contains("TUESDAY")).count();
        assert_eq!(with_text, usize::from(before.contains(&path)), "{path}");
    }
}

/// Nothing is wrong here, so nobody is to be called: no dead letter.
#[tokio::test]
async fn a_lease_that_ends_with_something_unsent_is_a_number_and_no_dead_letter() {
    let (nats, bus) = provisioned().await;
    let (topic, callback) = ("0".repeat(32), "1".repeat(32));
    let put = async |subject: &str, payload: &'static str| {
        bus.publish(&HUB, subject, subject, HeaderMap::new(), payload.into(), None).await.unwrap();
    };
    put(&subjects::hub_progress(&topic, &callback), r#"{"has":"a","failures":9,"error":"it answers 500"}"#).await;
    put(&subjects::hub_delivery(&topic, &callback), "{}").await;
    // What nobody can read is one.
    put(&subjects::hub_delivery(&topic, &"2".repeat(32)), "what").await;
    let _replica = Replica::start(&nats).await;
    settled(&bus).await;
    let mut dead = Vec::new();
    while let Some(stored) = bus.next(&DEAD, subjects::DEAD, dead.last().map_or(0, |(_, at)| at + 1)).await.unwrap() {
        dead.push((stored.payload.clone(), stored.sequence));
    }
    assert_eq!(dead.iter().map(|(payload, _)| &payload[..]).collect::<Vec<_>>(), [b"what"]);
}
