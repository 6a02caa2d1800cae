//! kill -9 of every part during an article's journey: afterwards it is in the feed once, in the inbox at least once and
//! at most once more than was in flight, and nothing is left unacknowledged or dead.

use std::collections::HashMap;
use std::time::Duration;

use crate::newsroom::{Newsroom, Service};
use futures::future::join_all;
use testkit::eventually_within;
use testkit::mailbox::{Action, Fault, Stage};

/// More than one window, so that a kill can hit between two.
const READERS: usize = 120;
/// Articles for each victim, killed a little later in the journey of each.
const ROUNDS: u64 = 4;
/// What one crash may send twice: the window that was on its way (`ledger::WINDOW`).
const WINDOW: usize = 50;

fn address(n: usize) -> String {
    // A domain each: the form would take a hundred of one for a flood.
    format!("reader@d{n}.example.org")
}

/// Publishes as a careful newsroom does: again under the same key until it is told what became of it.
async fn publish(room: &Newsroom, headline: &str) -> String {
    let article = serde_json::json!({
        "headline": headline,
        "body": "<p>Words.</p>",
        "language": "en",
        "section": ["Tests"],
    });
    eventually_within(Duration::from_secs(120), headline, async || {
        let request = room.http.post(room.url(Service::Publisher, "v1/articles"));
        let answer = request
            .bearer_auth(&room.token)
            .header("Idempotency-Key", headline.replace(' ', "-"))
            .json(&article)
            .send()
            .await
            .map_err(|error| error.to_string())?;
        let status = answer.status();
        let body: serde_json::Value = answer.json().await.map_err(|error| error.to_string())?;
        if status.as_u16() == 201 {
            Ok(body["id"].as_str().expect("a created article has an id").to_owned())
        } else {
            Err(format!("{status} {body}"))
        }
    })
    .await
}

async fn in_the_feed_once(room: &Newsroom, id: &str) {
    eventually_within(Duration::from_secs(120), "in the feed", async || {
        let feed = room.feed("feeds/section/tests.json").await?;
        let feed: serde_json::Value = serde_json::from_str(&feed).map_err(|error| error.to_string())?;
        let items = feed["items"].as_array().cloned().unwrap_or_default();
        match items.iter().filter(|item| item["id"] == id).count() {
            0 => Err("not yet".to_owned()),
            1 => Ok(()),
            n => panic!("{n} entries of one article"),
        }
    })
    .await;
}

/// Everybody has it; answers how many copies were too many.
async fn everybody_has_it(room: &Newsroom, id: &str) -> usize {
    eventually_within(Duration::from_secs(120), "everybody has it", async || {
        let mut copies: HashMap<String, usize> = HashMap::new();
        for mail in room.mailbox.mails() {
            if mail.header("X-Newswire-Article").as_deref() == Some(id) {
                *copies.entry(mail.to[0].clone()).or_default() += 1;
            }
        }
        let missing = READERS - copies.len();
        if missing == 0 {
            Ok(copies.values().sum::<usize>() - READERS)
        } else {
            Err(format!("{missing} readers miss it"))
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_whoever_dies() {
    // A relay that takes its time, so that a kill hits in the middle of a window and between two.
    let slow = Fault::new(Stage::Content, Action::Delay(Duration::from_millis(8)));
    let mut room = Newsroom::start(vec![slow]).await;
    let addresses: Vec<String> = (0..READERS).map(address).collect();
    join_all(addresses.iter().map(|address| room.subscribe(address, "all"))).await;
    let victims = [Some(Service::Publisher), Some(Service::RssGenerator), Some(Service::EmailNotifier), None];
    for victim in victims {
        for round in 0..ROUNDS {
            // From before the plan to the third window; a request is over sooner.
            let step = if victim == Some(Service::Publisher) { 3 } else { 230 };
            let delay = Duration::from_millis(step * round);
            let headline = format!("{victim:?} dies after {delay:?}");
            let publishing = publish(&room, &headline);
            let id = match victim {
                Some(Service::Publisher) => {
                    // In the middle of the request: what is accepted must be there, what is not can be sent again.
                    tokio::select! {
                        id = publishing => id,
                        () = tokio::time::sleep(delay) => {
                            room.kill9_and_restart(Service::Publisher);
                            publish(&room, &headline).await
                        }
                    }
                }
                Some(service) => {
                    let id = publishing.await;
                    tokio::time::sleep(delay).await;
                    room.kill9_and_restart(service);
                    id
                }
                None => {
                    let id = publishing.await;
                    tokio::time::sleep(delay).await;
                    room.nats.kill9();
                    room.nats.restart().await;
                    id
                }
            };
            in_the_feed_once(&room, &id).await;
            let extra = everybody_has_it(&room, &id).await;
            println!("{headline}: {extra} copies more than readers");
            assert!(extra <= WINDOW, "{headline}: {extra} copies more than one window");
        }
    }
    room.settled().await;
}
