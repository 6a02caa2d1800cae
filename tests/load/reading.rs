//! From the newsroom's request to the reader's feed, and how soon a feed server that starts anew serves.

use std::time::{Duration, Instant};

use crate::desk::{planned, publish, publish_many};
use crate::figures::{Scale, Spread, ms, note, row};
use crate::newsroom::{Newsroom, Service};

/// An article that takes longer will not come.
const LIMIT: Duration = Duration::from_secs(30);

/// A reader who asks for the feed again and again, over one connection and with the ETag of the last answer.
struct Reader<'a> {
    room: &'a Newsroom,
    etag: Option<String>,
}

impl Reader<'_> {
    /// When the article was in the feed. The next look follows at once: a 304 takes a fraction of a millisecond.
    async fn sees(&mut self, id: &str) -> Instant {
        let begin = Instant::now();
        loop {
            let mut request = self.room.http.get(self.room.url(Service::RssGenerator, "feeds/all.json"));
            if let Some(etag) = &self.etag {
                request = request.header("If-None-Match", etag);
            }
            let answer = request.send().await.expect("an answer");
            if answer.status().as_u16() == 200 {
                self.etag = answer.headers().get("etag").and_then(|tag| tag.to_str().ok()).map(str::to_owned);
                let feed = answer.text().await.expect("a feed");
                if feed.contains(id) {
                    return Instant::now();
                }
            }
            assert!(begin.elapsed() < LIMIT, "{id} is not in the feed after {LIMIT:?}");
        }
    }
}

pub(crate) async fn latency(room: &Newsroom, scale: Scale, ack: &Spread) {
    let mut reader = Reader { room, etag: None };
    let (mut accepted, mut from_request, mut from_answer) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..scale.feed {
        let sent = publish(room, n).await;
        let seen = reader.sees(&sent.id).await;
        accepted.push(sent.took());
        from_request.push(seen.duration_since(sent.at));
        from_answer.push(seen.duration_since(sent.accepted));
    }
    let accepted = Spread::of(accepted);
    row("request sent → 201: the article is on the disk", &accepted);
    note(&accepted.times(ack));
    row("201 → the reader has the feed with it", &Spread::of(from_answer));
    let from_request = Spread::of(from_request);
    row("request sent → the reader has the feed with it", &from_request);
    note(&from_request.times(ack));
}

/// Fills the log up and kills the server of feeds: how long until a new one is ready.
pub(crate) async fn cold_start(room: &mut Newsroom, scale: Scale) {
    let published = scale.feed + 3 * scale.create;
    if published < scale.log {
        publish_many(room, scale.log - published, 64).await;
        planned(room).await;
    }
    let url = room.url(Service::RssGenerator, "readyz");
    let begin = Instant::now();
    room.kill9_and_restart(Service::RssGenerator);
    while !matches!(room.http.get(&url).send().await, Ok(answer) if answer.status().is_success()) {
        assert!(begin.elapsed() < LIMIT, "rss-generator is not ready after {LIMIT:?}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let articles = published.max(scale.log);
    row(&format!("rss-generator, started → ready, {articles} articles in the log"), &ms(begin.elapsed()));
}
