//! What a run of 1,000,000 digests costs, but for the server. By hand, in release:
//! `cargo test --release -p email-notifier --lib digest::run::measure -- --ignored --nocapture`

use std::time::Instant;

use article::{Article, ArticleId, Command, Draft, Provenance, PublisherId, apply};

use super::*;
use crate::digest::news::Alerted;
use crate::frequency::Frequency;
use crate::subscriber::Subscriber;

const READERS: usize = 1_000_000;
const NEWS: usize = 1000;

/// Half of them at eight, with one, two or three of 600 selections; the others in the evening.
fn readers(asked_at: Timestamp) -> Readers {
    let readers = Readers::new();
    for n in 0..READERS {
        let (id, address) = (SubscriberId::random(), format!("reader{n}@example.org").parse().unwrap());
        let mut record = Subscriber::new(id, address, "en".into(), "Asia/Shanghai".into());
        let asked_at = asked_at - SignedDuration::from_secs(n as i64);
        for k in 0..=n % 3 {
            let selection = match (n + k) % 3 {
                0 => "all".to_owned(),
                1 => format!("section/s{}", (n / 7) % 200),
                _ => format!("keyword/k{}+!section/s3", (n / 11) % 400),
            };
            let hour = if n % 2 == 0 { 8 } else { 20 };
            let selection = selection.parse().unwrap();
            // The second of two that are alike is refused.
            let _ = record.add(&selection, Frequency::Daily { hour }, asked_at);
        }
        readers.apply(&record, n as u64);
    }
    readers
}

fn article(n: usize, now: Timestamp) -> Article {
    let document = serde_json::json!({
        "headline": format!("News {n}"), "body": "<p>Words.</p>".repeat(50), "language": "en",
        "section": [format!("s{}", n % 200)], "keywords": [format!("k{}", n % 400), format!("k{}", n % 37)],
    });
    let publisher: PublisherId = "test".parse().unwrap();
    let id = ArticleId::derived(&publisher, "test", &n.to_be_bytes());
    let draft = Box::new(Draft::from_json(&document, now).unwrap());
    let provenance = Provenance { channel: "test".into(), raw_sha256: String::new(), importer: None, warnings: vec![] };
    apply(None, Command::Create { id, publisher, draft, provenance }, now).unwrap()
}

/// Resident memory in MiB.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    status.split(' ').nth(1).unwrap().parse::<usize>().unwrap() / 256
}

#[test]
#[ignore = "a measurement"]
fn a_million_digests() {
    let slot: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
    let readers = readers(slot - SignedDuration::from_hours(48));
    println!("{READERS} readers: {} MiB", resident());
    let window = Window { after: slot - SLOT, until: slot };
    let begun = Instant::now();
    let (dues, _, selections) = asked(&readers, &Caps::new(), Dues::new(window));
    println!("who is due: {:.1?}, {} selections", begun.elapsed(), selections.len());
    let begun = Instant::now();
    let published = |n: usize| slot - SignedDuration::from_secs(60 * (NEWS - n) as i64);
    let news: Vec<Article> = (0..NEWS).map(|n| article(n, published(n))).collect();
    let alerted = news.iter().enumerate().map(|(n, article)| Known {
        alerted: Alerted {
            article: article.id,
            publisher: article.publisher.clone(),
            published: published(n),
            sequence: n as u64,
            breaking: false,
            caps_seen: 0,
        },
        since: published(n),
    });
    let mut edition = Edition::new(window, alerted.collect());
    for (place, article) in news.iter().enumerate() {
        let features = Features::of(article);
        edition.note(place as u32, selections.matching(&features).map(|(selection, ())| selection));
    }
    println!("what they asked for: {:.1?}", begun.elapsed());
    let begun = Instant::now();
    let plan = plan(&readers, &Caps::new(), edition, dues);
    println!("lists: {:.1?}, {} of them for {}", begun.elapsed(), plan.contents.len(), plan.recipients.len());
    let begun = Instant::now();
    let chunks = chunks(slot, slot, &plan.edition, &plan.contents, &plan.recipients);
    let bytes: usize = chunks.iter().map(|chunk| serde_json::to_vec(chunk).unwrap().len()).sum();
    println!("{} chunks of {} KiB in all: {:.1?}; {} MiB", chunks.len(), bytes / 1024, begun.elapsed(), resident());
    assert!(plan.recipients.len() > READERS / 3);
}
