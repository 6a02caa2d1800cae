//! Several instances, and what is left of one that dies: nothing is lost, nothing comes twice, no feed is asked by two.

use std::time::Duration;

use testkit::{Port, Process, eventually_within};

use crate::desk::Desk;
use crate::upstream::{Page, Upstream, item, rss};

const ITEMS: usize = 40;

fn feed() -> String {
    let items = (0..ITEMS)
        .rev()
        .map(|n| item(&format!("https://echo.example/{n}"), n, &format!("Headline {n}"), &format!("Text {n}.")));
    rss(&items.collect::<Vec<_>>())
}

#[tokio::test]
async fn two_instances_never_ask_one_feed_at_once() {
    let (desk, upstream) = (Desk::open().await, Upstream::start().await);
    upstream.set("/feed", Page::SaysLate(Duration::from_millis(300), feed().into_bytes()));
    for _ in 0..2 {
        desk.reader(None).await;
    }
    let id = desk.source(&upstream.url("/feed")).await;
    desk.settled(&id, "it was read", |state| state.read_at.is_some()).await;
    for _ in 0..3 {
        desk.next_turn(&id).await;
    }
    assert_eq!((upstream.asked("/feed").len(), upstream.most_at_once()), (4, 1));
    assert_eq!(desk.revisions().await, (ITEMS, ITEMS));
}

#[tokio::test]
async fn killed_at_any_moment_nothing_is_lost_and_nothing_comes_twice() {
    let (desk, upstream) = (Desk::open().await, Upstream::start().await);
    // The first life ends in the middle for sure.
    upstream.set("/feed", Page::SaysLate(Duration::from_secs(2), feed().into_bytes()));
    let port = Port::reserve();
    let listen = port.address();
    let id = desk.source(&upstream.url("/feed")).await;
    let mut kills = 0;
    // Each life is a little longer than the one before, until one is long enough.
    for life in (20..).step_by(25) {
        let mut reader = Process::spawn(&mut desk.reader_process(listen));
        reader.ready(&format!("http://{listen}/readyz")).await;
        tokio::time::sleep(Duration::from_millis(life)).await;
        reader.kill9();
        kills += 1;
        upstream.feed("/feed", "\"1\"", &feed());
        let (revisions, articles) = desk.revisions().await;
        assert_eq!(revisions, articles, "no article has a second revision");
        if desk.state(&id).await.is_some_and(|state| state.read_at.is_some()) {
            break;
        }
        assert!(kills < 100, "{articles} articles after {kills} lives");
    }
    println!("{kills} lives");
    assert!(kills > 1, "it was never interrupted");
    assert_eq!(desk.revisions().await, (ITEMS, ITEMS));
    // What an instance noted before it died is read by the next.
    let _reader = Process::spawn(&mut desk.reader_process(listen));
    desk.next_turn(&id).await;
    upstream.feed("/feed", "\"2\"", &feed().replace("Text 7.", "Text 7, corrected."));
    desk.next_turn(&id).await;
    assert_eq!(desk.revisions().await, (ITEMS + 1, ITEMS));
}

#[tokio::test]
async fn a_publisher_that_is_away_is_waited_for() {
    let (mut desk, upstream) = (Desk::open().await, Upstream::start().await);
    upstream.feed("/feed", "\"1\"", &feed());
    desk.reader(None).await;
    upstream.feed("/none", "\"1\"", &rss(&[item("x", 1, "X", "Y.")]));
    let first = desk.source(&upstream.url("/none")).await;
    desk.settled(&first, "it reads", |state| state.read_at.is_some()).await;
    desk.publisher.take();
    let id = desk.source(&upstream.url("/feed")).await;
    let state = desk.settled(&id, "it could not deliver", |state| state.undelivered > 0).await;
    assert!(state.trouble.is_some_and(|trouble| trouble.contains("cannot take it now")), "in words");
    assert_eq!(state.plan.failures, 0, "the source has done nothing wrong");
    desk.start_publisher().await;
    eventually_within(Duration::from_secs(120), "it is delivered", async || match desk.state(&id).await {
        Some(state) if state.read_at.is_some() => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    assert_eq!(desk.revisions().await, (ITEMS + 1, ITEMS + 1));
}
