//! What 20,000 subscribers cost: to take in, on the disk, and to read when the service starts; and what a million cost in
//! memory, and to be found. By hand, in release:
//! `cargo test --release -p email-notifier --lib measure -- --ignored --nocapture`

use std::sync::Arc;
use std::time::Instant;

use bus::{Bus, Credentials, Server};
use testkit::NatsServer;
use tokio_util::sync::CancellationToken;
use topology::{CONSUMERS, KEYS, STREAMS, SUBSCRIBERS};

use super::{Desk, MAX_ROWS, Outcome, Row};
use crate::digest::news::News;
use crate::follow::Follower;
use crate::links::Keys;
use crate::readers::Readers;
use crate::store::Store;
use crate::subscriber::{Subscriber, SubscriberId, Wish};

const SUBSCRIBERS_IN_ALL: usize = 20_000;

fn row(n: usize) -> Row {
    let selection = match n % 3 {
        0 => "all".to_owned(),
        1 => format!("section/s{}", n % 200),
        _ => format!("keyword/k{}+!section/sport", n % 5000),
    };
    let frequency = ["immediate", "daily@08", "weekly@mon@07"][n % 3].to_owned();
    let (confirmed_at, source) = ("2025-03-01T08:00:00Z".to_owned(), "form on the old site".to_owned());
    let (zone, language) = ("Asia/Shanghai".to_owned(), "zh-Hans".to_owned());
    Row { address: format!("reader{n}@example.org"), selection, frequency, zone, language, confirmed_at, source }
}

/// Resident memory in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    status.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn twenty_thousand_subscribers() {
    testkit::scratch_on_disk();
    let nats = NatsServer::start().await;
    let server = Server { url: nats.url().into(), credentials: Credentials::None };
    let bus = Bus::connect(&server, "test").await.unwrap();
    bus.provision(STREAMS, CONSUMERS, 1).await.unwrap();
    let store = Store::new(bus.clone(), Keys::new(b"a secret of the tests"), "UTC".into());
    let desk = Desk { bus: bus.clone(), store: store.clone(), news: Arc::new(News::new()) };
    let begun = Instant::now();
    for first in (0..SUBSCRIBERS_IN_ALL).step_by(MAX_ROWS) {
        let outcomes = desk.import((first..first + MAX_ROWS).map(row).collect(), false).await.unwrap();
        let other = outcomes.iter().find(|outcome| **outcome != Outcome::Added);
        assert_eq!(other, None);
    }
    let took = begun.elapsed();
    println!("import: {took:.1?}, {:.0} rows a second", SUBSCRIBERS_IN_ALL as f64 / took.as_secs_f64());
    for stream in [SUBSCRIBERS, KEYS] {
        let used = bus.level(&stream).await.unwrap().used;
        println!("{}: {} bytes a subscriber", stream.name, used / SUBSCRIBERS_IN_ALL as i64);
    }
    let begun = Instant::now();
    let outcomes = desk.import((0..MAX_ROWS).map(row).collect(), true).await.unwrap();
    println!("a dry run of {} rows: {:.2?}", outcomes.len(), begun.elapsed());
    let (mut after, mut rows, begun) = (Some(0), 0, Instant::now());
    while let Some(cursor) = after {
        let page = desk.export(cursor).await.unwrap();
        rows += page.rows.len();
        after = page.next;
    }
    println!("export: {rows} rows in {:.1?}", begun.elapsed());
    let (before, begun) = (resident(), Instant::now());
    let readers = Arc::new(Readers::new());
    let follower = Follower { bus, vault: store.vault(), readers: readers.clone() };
    let (done, caught_up) = tokio::sync::oneshot::channel();
    let stop = CancellationToken::new();
    let following = tokio::spawn(follower.run(
        move || {
            let _ = done.send(());
        },
        stop.clone(),
    ));
    caught_up.await.unwrap();
    let grown = resident().saturating_sub(before);
    println!(
        "cold start: {:.2?} for {} readers, {} bytes of memory each",
        begun.elapsed(),
        readers.count(),
        grown / readers.count()
    );
    stop.cancel();
    following.await.unwrap();
}

/// Confirmed just now, each with a selection of their own making.
fn confirmed(n: usize, selection: &str, now: jiff::Timestamp) -> Subscriber {
    let address = format!("reader{n}@example.org").parse().unwrap();
    let mut subscriber = Subscriber::new(SubscriberId::random(), address, "zh-Hans".into(), "Asia/Shanghai".into());
    subscriber.request(&Wish::alerts(selection.parse().unwrap(), "zh-Hans"), now);
    subscriber.confirm(now, now);
    subscriber
}

fn article(document: &serde_json::Value, now: jiff::Timestamp) -> article::Article {
    let provenance =
        article::Provenance { channel: "api".into(), raw_sha256: String::new(), importer: None, warnings: Vec::new() };
    let draft = Box::new(article::Draft::from_json(document, now).unwrap());
    let (id, publisher) = (article::ArticleId::new(now, [0; 10]), "hefei".parse().unwrap());
    article::apply(None, article::Command::Create { id, publisher, draft, provenance }, now).unwrap()
}

#[test]
#[ignore = "a measurement"]
fn a_million_readers_in_memory() {
    const MILLION: usize = 1_000_000;
    let now = service_kit::now();
    let news = |keyword: &str| {
        article(
            &serde_json::json!({"headline": "H", "body_text": "Heavy rain. ".repeat(250), "language": "en",
                "section": ["World"], "keywords": [keyword]}),
            now,
        )
    };
    type Choose = fn(usize) -> String;
    let mixed: Choose = |n| match n % 3 {
        0 => "all".to_owned(),
        1 => format!("section/s{}", n % 200),
        _ => format!("keyword/k{}+!section/sport", n % 5000),
    };
    let different: Choose = |n| format!("keyword/k{}+!source/s{n}", n % 100_000);
    for (what, choose) in [("mixed", mixed), ("a million different selections", different)] {
        let (before, begun) = (resident(), Instant::now());
        let readers = Readers::new();
        for n in 0..MILLION {
            readers.apply(&confirmed(n, &choose(n), now), n as u64);
        }
        println!(
            "{what}: {} bytes of memory each, {:.1?} to take over",
            resident().saturating_sub(before) / MILLION,
            begun.elapsed()
        );
        let mut took: Vec<_> = (0..200)
            .map(|n| {
                let (news, begun) = (news(&format!("k{}", n * 5 + 2)), Instant::now());
                let found = readers.matching(&news, now).len();
                (begun.elapsed(), found)
            })
            .collect();
        took.sort_unstable();
        println!(
            "whom an article is for: median {:.2?}, p99 {:.2?}; the slowest finds {}",
            took[100].0, took[198].0, took[199].1
        );
    }
}
