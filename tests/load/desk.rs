//! Articles sent to the publisher, and how many of them it takes.

use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use testkit::eventually_within;
use topology::PLANNER;

use crate::figures::{Scale, Spread, per_second, row};
use crate::newsroom::{Newsroom, Service};

/// Sections that the articles are spread over.
const SECTIONS: usize = 16;

/// Requests in flight at once.
const IN_FLIGHT: [usize; 3] = [1, 16, 64];

/// Planning is slower than publishing; a backlog of thousands takes a while.
const PLANNED_WITHIN: Duration = Duration::from_secs(300);

/// An article that was accepted.
pub(crate) struct Sent {
    pub(crate) id: String,
    /// When the request went out and when its answer was there.
    pub(crate) at: Instant,
    pub(crate) accepted: Instant,
}

impl Sent {
    pub(crate) fn took(&self) -> Duration {
        self.accepted.duration_since(self.at)
    }
}

/// An article of a usual length, some 3 KB.
pub(crate) fn article(n: usize) -> serde_json::Value {
    let paragraph = "<p>The council met for the third time this month, and for the third time it did not decide. The \
        bridge stays closed to lorries; who pays for its repair is to be settled in spring, said the mayor, who had \
        promised the same for autumn. Shops on the far bank count a third fewer customers than a year ago.</p>";
    serde_json::json!({
        "headline": format!("Council puts off the bridge for the {n}th time"),
        "summary": "The bridge stays closed to lorries until spring at least.",
        "body": paragraph.repeat(9),
        "language": "en",
        "section": ["Region", format!("District {}", n % SECTIONS)],
    })
}

/// Publishes [`article`].
pub(crate) async fn publish(room: &Newsroom, n: usize) -> Sent {
    publish_article(room, &article(n)).await
}

pub(crate) async fn publish_article(room: &Newsroom, article: &serde_json::Value) -> Sent {
    let request = room.http.post(room.url(Service::Publisher, "v1/articles")).bearer_auth(&room.token).json(article);
    let at = Instant::now();
    let answer = request.send().await.expect("an answer");
    let status = answer.status();
    let body: serde_json::Value = answer.json().await.expect("JSON");
    let accepted = Instant::now();
    assert_eq!(status.as_u16(), 201, "{body}");
    Sent { id: body["id"].as_str().expect("an id").to_owned(), at, accepted }
}

/// Publishes `count` articles, `in_flight` at a time.
pub(crate) async fn publish_many(room: &Newsroom, count: usize, in_flight: usize) -> Spread {
    let publishing = stream::iter(0..count).map(|n| publish(room, n)).buffer_unordered(in_flight);
    Spread::of(publishing.map(|sent| sent.took()).collect().await)
}

pub(crate) async fn throughput(room: &Newsroom, scale: Scale) {
    planned(room).await;
    let first = Instant::now();
    for in_flight in IN_FLIGHT {
        let begin = Instant::now();
        let took = publish_many(room, scale.create, in_flight).await;
        let rate = format!("{:.0}/s  {took}", per_second(scale.create, begin.elapsed()));
        row(&format!("request sent → 201, {in_flight} in flight"), &rate);
    }
    let last = Instant::now();
    planned(room).await;
    let rate = per_second(IN_FLIGHT.len() * scale.create, first.elapsed());
    let behind = last.elapsed().as_secs_f64();
    row("plans made meanwhile and after", &format!("{rate:.0}/s, the last {behind:.1} s after its 201"));
}

/// Waits until email-notifier has planned every article.
pub(crate) async fn planned(room: &Newsroom) {
    let bus = room.bus().await;
    eventually_within(PLANNED_WITHIN, "every article is planned", async || {
        let backlog = bus.backlog(&PLANNER).await.map_err(|error| error.to_string())?;
        if backlog.is_empty() { Ok(()) } else { Err(format!("{backlog:?}")) }
    })
    .await;
    bus.close().await;
}
