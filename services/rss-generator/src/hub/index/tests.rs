//! Bursts, and the bounds.

use jiff::SignedDuration;
use service_kit::Secret;

use super::*;
use crate::hub::record::{Agreed, Asked, Mode};

fn now() -> Timestamp {
    "2026-11-01T00:00:00Z".parse().unwrap()
}

fn in_days(days: i64) -> Timestamp {
    now() + SignedDuration::from_hours(24 * days)
}

fn record(topic: &str, callback: &str) -> (SubscriberId, Subscription) {
    let (topic, callback) = (topic.parse().unwrap(), callback.parse().unwrap());
    (SubscriberId::new(&topic, &callback), Subscription::new(topic, callback))
}

fn agreed(topic: &str, callback: &str) -> (SubscriberId, Subscription) {
    let (id, mut record) = record(topic, callback);
    record.agreed = Some(Agreed { until: in_days(10), secret: Some(Secret::new("s")) });
    (id, record)
}

fn asked(topic: &str, callback: &str) -> (SubscriberId, Subscription) {
    let (id, mut record) = record(topic, callback);
    let at = now();
    record.asked = Some(Asked {
        id: "1".into(),
        mode: Mode::Subscribe,
        topic: String::new(),
        lease: 86_400,
        secret: None,
        at,
        tries: 0,
        not_before: None,
    });
    (id, record)
}

fn key(topic: &str) -> Key {
    topic.parse::<Topic>().unwrap().key()
}

#[tokio::test(start_paused = true)]
async fn a_burst_is_announced_at_once_and_then_once_a_second() {
    let index = Index::default();
    let (id, reader) = agreed("all.atom", "https://reader.example/1");
    assert!(index.subscription(id, Some(&reader), now()), "nobody knows what the topic shows");
    assert!(!index.changed(&key("all.rss"), "x"), "nobody subscribes to it");
    assert!(!index.changed(&key("all.atom"), "a"), "whether that is new, a look must tell");
    assert!(!index.changed(&key("all.atom"), "a"));
    assert!(index.changed(&key("all.atom"), "b"));
    let start = Instant::now();
    let wanted = |tag: &str| vec![Wanted { id, until: in_days(10), tag: Some(tag.into()) }];
    assert_eq!(index.announce(now(), start), (wanted("b"), None));
    assert!(index.changed(&key("all.atom"), "c"));
    assert_eq!(index.announce(now(), start), (vec![], Some(start + BETWEEN)));
    assert!(index.changed(&key("all.atom"), "d"));
    assert_eq!(index.announce(now(), start + BETWEEN), (wanted("d"), None));
    // What somebody has, he is not called for; nor after his lease.
    assert!(index.changed(&key("all.atom"), "e"));
    index.progress(id, Some(Progress::sent("e", now(), 7)));
    assert_eq!(index.announce(now(), start + BETWEEN * 2), (vec![], None));
    assert!(index.changed(&key("all.atom"), "f"));
    assert_eq!(index.announce(in_days(10), start + BETWEEN * 3), (vec![], None));
    // Whoever could not be called for is called for later.
    index.again(&[id], start + BETWEEN * 3);
    let later = start + BETWEEN * 3 + AFTER_FAILURE;
    assert_eq!(index.announce(now(), start + BETWEEN * 4), (vec![], Some(later)));
    assert_eq!(index.announce(now(), later), (wanted("f"), None));
    // A renewal keeps what is known of the topic.
    assert!(!index.subscription(id, Some(&reader), now()));
    assert!(index.changed(&key("all.atom"), "g"));
}

#[test]
fn there_is_room_up_to_the_bounds() {
    let index = Index::default();
    let fill = |from: usize, to: usize, make: fn(&str, &str) -> (SubscriberId, Subscription), topic: &str| {
        for n in from..to {
            let (id, record) = make(topic, &format!("https://many.example/{n}"));
            index.subscription(id, Some(&record), now());
        }
    };
    let room = |topic: &str, callback: &str| {
        let (id, record) = record(topic, callback);
        index.has_room(&id, &record.topic, &host(&record.callback))
    };
    fill(0, MAX_OPEN_OF_HOST, asked, "all.atom");
    assert_eq!(room("all.atom", "https://many.example:8443/new"), Err(Full::OpenOfHost));
    assert_eq!(room("all.atom", "https://many.example/0"), Ok(()), "in the place of the request that is open");
    assert_eq!(room("all.atom", "https://other.example/"), Ok(()));
    for n in MAX_OPEN_OF_HOST..MAX_OPEN {
        let (id, record) = asked("all.atom", &format!("https://r{n}.example/"));
        index.subscription(id, Some(&record), now());
    }
    assert_eq!(room("all.atom", "https://other.example/"), Err(Full::Open));
    index.sweep(in_days(1));
    assert_eq!(room("all.atom", "https://other.example/"), Ok(()), "the requests have run out");
    fill(0, MAX_OF_HOST, agreed, "all.atom");
    assert_eq!(index.counts(), (MAX_OF_HOST, 0));
    assert_eq!(room("all.atom", "https://many.example/new"), Err(Full::Host));
    assert_eq!(room("all.atom", "https://many.example/7"), Ok(()), "a renewal");
    let (id, _) = record("all.atom", "https://many.example/8");
    index.subscription(id, None, now());
    assert_eq!(room("all.atom", "https://many.example/new"), Ok(()));
    for n in 1..MAX_TOPICS {
        let (id, record) = agreed(&format!("section/s{n}.atom"), &format!("https://r{n}.example/"));
        index.subscription(id, Some(&record), now());
    }
    assert_eq!(room("section/one-more.atom", "https://other.example/"), Err(Full::Topics));
    assert_eq!(room("section/s7.atom", "https://other.example/"), Ok(()));
    index.sweep(in_days(11));
    assert_eq!((index.counts(), index.topics().len()), ((0, 0), 0), "what has ended takes no room");
    assert_eq!(room("section/one-more.atom", "https://many.example/new"), Ok(()));
}

#[test]
fn long_records_take_the_room_of_many() {
    let index = Index::default();
    let long = "x".repeat(2000);
    let fill = |host: &str, number: usize| {
        for n in 0..number {
            let (id, record) = agreed("all.atom", &format!("https://{host}/{n}{long}"));
            index.subscription(id, Some(&record), now());
        }
    };
    let room = |callback: &str| {
        let (id, record) = record("all.atom", callback);
        index.has_room(&id, &record.topic, &host(&record.callback))
    };
    fill("many.example", 400);
    assert_eq!(room("https://many.example/new"), Ok(()));
    fill("many.example", 600);
    assert_eq!(room("https://many.example/new"), Err(Full::Host));
    (0..80).for_each(|n| fill(&format!("r{n}.example"), 500));
    assert_eq!(room("https://other.example/"), Err(Full::Subscriptions));
    index.sweep(in_days(11));
    assert_eq!((room("https://many.example/new"), room("https://other.example/")), (Ok(()), Ok(())));
}

#[test]
fn when_the_stream_fills_up_its_rest_is_for_those_who_subscribe() {
    let index = Index::default();
    let (id, reader) = agreed("all.atom", "https://reader.example/1");
    index.subscription(id, Some(&reader), now());
    let room = |callback: &str| {
        let (id, record) = record("all.atom", callback);
        index.has_room(&id, &record.topic, &host(&record.callback))
    };
    index.crowded(true);
    assert_eq!(room("https://reader.example/1"), Ok(()), "a renewal");
    assert_eq!(room("https://reader.example/2"), Err(Full::Store));
    index.crowded(false);
    assert_eq!(room("https://reader.example/2"), Ok(()));
}
