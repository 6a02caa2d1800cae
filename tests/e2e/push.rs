//! From one newsroom to another by push: feed-reader finds the hub in a feed, subscribes, and has the news long before it
//! would have asked.

use testkit::{Port, Process, built, eventually};

use crate::newsroom::{Newsroom, PUBLISHER, Service};

/// A page for the importer, in the shape that label pages have.
fn page(headline: &str, text: &str) -> String {
    format!("Law and order\n{headline}\nTime: March 2, 2026 Author: News source: Linhe Daily\n\n{text}\n\n(Zhou Min)\n")
}

/// The feed-reader of a newsroom, and where hubs reach it.
async fn feed_reader(room: &Newsroom) -> (Process, Port) {
    let port = Port::reserve();
    let address = port.address();
    let mut command = built("feed-reader");
    command
        .env("NEWSWIRE_NATS_URL", room.nats.url())
        .env("NEWSWIRE_FEED_READER_LISTEN", address.to_string())
        .env("NEWSWIRE_FEED_READER_PUBLIC_URL", format!("http://{address}/"))
        .env("NEWSWIRE_FEED_READER_PUBLISHER_URL", room.url(Service::Publisher, ""))
        .env("NEWSWIRE_FEED_READER_TOKEN_FILE", room.page("token", &room.token))
        .env("NEWSWIRE_FEED_READER_CONTACT_URL", "https://news.example/about")
        .env("NEWSWIRE_FEED_READER_ALLOW_NETWORKS", "127.0.0.1/32");
    let mut process = Process::spawn(&mut command);
    process.ready(&format!("http://{address}/readyz")).await;
    (process, port)
}

/// Waits until a newsroom's own feed of everything says `words`.
async fn says(room: &Newsroom, words: &str) -> String {
    eventually(words, async || {
        let feed = room.feed("feeds/all.json").await?;
        if feed.contains(words) { Ok(feed) } else { Err(feed) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_newsroom_publishes_reaches_another_by_push() {
    let (mut there, here) = (Newsroom::start(vec![]).await, Newsroom::start(vec![]).await);
    let file = there.page("first.txt", &page("Prosecutors open their doors", "Twelve classes came on Monday."));
    there.cli(&["import", "--publish", &file.to_string_lossy()]).await;
    says(&there, "Prosecutors open their doors").await;

    let _reader = feed_reader(&here).await;
    let topic = there.url(Service::RssGenerator, "feeds/all.atom");
    here.cli(&["source", "add", &topic, "--publisher", PUBLISHER, "--section", "World"]).await;
    says(&here, "Prosecutors open their doors").await;
    // No source is asked twice within five minutes: what comes after this, comes by push.
    there.processes[Service::RssGenerator as usize].line("a WebSub subscriber has confirmed").await;
    there.settled().await;

    let file = there.page("second.txt", &page("党风廉政 second visit", "The visits go on until June."));
    there.cli(&["import", "--publish", &file.to_string_lossy()]).await;
    let feed = says(&here, "党风廉政 second visit").await;
    assert!(feed.contains("The visits go on until June."), "{feed}");
    let feed: serde_json::Value = serde_json::from_str(&feed).unwrap();
    assert_eq!(feed["items"].as_array().map(Vec::len), Some(2), "each article once: {feed}");
    there.settled().await;
    here.settled().await;
}
