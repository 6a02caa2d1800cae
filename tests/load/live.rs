//! rss-generator alone before a long log: how soon it serves, what a feed costs that nobody read before, how soon an article
//! is in twenty feeds, and what ten thousand feeds take.
//!
//! Articles are written straight into the log, because nothing before it is measured here.

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use article::wire::v1::{Envelope, message_id};
use article::{Article, ArticleId, Command, Draft, Provenance};
use bus::{Bus, Credentials, HeaderMap, Server};
use futures::{StreamExt, stream};
use testkit::{NatsServer, Process, built};
use topology::{ARTICLES, CONSUMERS, STREAMS, subjects};

use crate::figures::{Scale, Spread, heading, ms, resident, row};

/// Publishes in flight while the log is filled, and requests while feeds are made.
const IN_FLIGHT: usize = 64;

/// Between two articles: after writing, the service rests twice as long at most, and an article that comes meanwhile waits.
const PAUSE: Duration = Duration::from_millis(500);

/// Between two looks whether an article is in the feed.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// What takes longer will not come.
const LIMIT: Duration = Duration::from_secs(60);

/// Feeds that every article measured is in, in four forms each.
const AFFECTED: [&str; 20] = [
    "all",
    "publisher/test-newsroom",
    "section/region",
    "section/region/district-3",
    "language/en",
    "urgency/4",
    "urgency/5",
    "urgency/9",
    "keyword/bridge",
    "keyword/council",
    "keyword/traffic",
    "source/harbour-post",
    "section/region+language/en",
    "keyword/bridge+urgency/4",
    "keyword/bridge,keyword/ferry",
    "section/region+!keyword/sport",
    "!section/sport",
    "text/council-puts-off",
    "text/council-puts-off+language/en",
    "section/region/district-3,section/world",
];

const FORMS: [&str; 4] = ["", ".rss", ".atom", ".json"];

struct Site {
    bus: Bus,
    http: reqwest::Client,
    base: String,
    nats: NatsServer,
    process: Option<Process>,
    /// Of the articles published one after the other.
    next: AtomicUsize,
}

pub(crate) async fn measure(scale: Scale) {
    let mut site = Site::new().await;
    heading(&format!("rss-generator before {} articles in the log", scale.long_log));
    stream::iter(0..scale.long_log).for_each_concurrent(IN_FLIGHT, |n| site.publish(article(n))).await;
    site.start().await;
    let resident = site.resident();
    for selection in ["section/region/district-3", "language/en+urgency/4", "text/council-puts-off"] {
        row(&format!("first request for {selection}"), &ms(site.fetch(&format!("feeds/{selection}.rss")).await.0));
    }
    for selection in AFFECTED {
        for form in FORMS {
            site.fetch(&format!("feeds/{selection}{form}")).await;
        }
    }
    let visible = site.visible(scale).await;
    row("stored → in 20 feeds in four forms", &Spread::of(visible));

    let before = site.resident();
    let begin = Instant::now();
    let asked = stream::iter(0..scale.live).map(|n| site.fetch_owned(format!("feeds/{}.rss", narrow(n))));
    let took: Vec<Duration> = asked.buffer_unordered(IN_FLIGHT).collect().await;
    let rate = scale.live as f64 / begin.elapsed().as_secs_f64();
    row(&format!("{} feeds that nobody read before", took.len()), &format!("{rate:.0}/s  {}", Spread::of(took)));
    let grown = site.resident() - before;
    let each = grown * 1e3 / scale.live as f64;
    row(&format!("their memory, beside {resident:.0} MB"), &format!("{grown:.0} MB, {each:.0} KB each"));
    row("stored → in 20 feeds, these being live as well", &Spread::of(site.visible(scale).await));
}

/// One of ten thousand selections, each of a few hundred articles that many others have too.
fn narrow(n: usize) -> String {
    format!("keyword/k{}+!keyword/t{}", n % 100, n / 100)
}

impl Site {
    async fn new() -> Self {
        let nats = NatsServer::start().await;
        let server = Server { url: nats.url().into(), credentials: Credentials::None };
        let bus = Bus::connect(&server, "load").await.expect("connects");
        bus.provision(STREAMS, CONSUMERS, 1).await.expect("a topology");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port();
        let http = reqwest::Client::builder().timeout(LIMIT).build().expect("an HTTP client");
        Self { bus, http, base: format!("http://127.0.0.1:{port}"), nats, process: None, next: AtomicUsize::new(0) }
    }

    async fn publish(&self, article: Article) {
        let subject = subjects::article(&article.publisher, &article.id);
        let (id, payload) = (message_id(&article), Envelope::new(article, None).to_bytes().into());
        self.bus.publish(&ARTICLES, &subject, &id, HeaderMap::new(), payload, None).await.expect("stored");
    }

    async fn start(&mut self) {
        let begin = Instant::now();
        let mut command = built("rss-generator");
        command.env("NEWSWIRE_NATS_URL", self.nats.url()).env("NEWSWIRE_PAGES_URL", format!("{}/", self.base));
        command.env("NEWSWIRE_RSS_LISTEN", self.base.trim_start_matches("http://"));
        self.process = Some(Process::spawn(&mut command));
        let url = format!("{}/readyz", self.base);
        while !matches!(self.http.get(&url).send().await, Ok(answer) if answer.status().is_success()) {
            assert!(begin.elapsed() < LIMIT, "rss-generator is not ready after {LIMIT:?}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        row("started → ready", &ms(begin.elapsed()));
        row("memory", &format!("{:.0} MB", self.resident()));
    }

    /// How long the answer took, its tag and its text. Who is told to come again does.
    async fn fetch(&self, path: &str) -> (Duration, String, String) {
        let begin = Instant::now();
        loop {
            let answer = self.http.get(format!("{}/{path}", self.base)).send().await.expect("an answer");
            if answer.status().as_u16() == 503 && begin.elapsed() < LIMIT {
                continue;
            }
            assert_eq!(answer.status().as_u16(), 200, "{path}");
            let tag = answer.headers().get("etag").and_then(|tag| tag.to_str().ok()).unwrap_or_default().to_owned();
            let text = answer.text().await.expect("a document");
            return (begin.elapsed(), tag, text);
        }
    }

    async fn fetch_owned(&self, path: String) -> Duration {
        self.fetch(&path).await.0
    }

    /// Publishes articles one after the other; how long each took from the log into the feeds.
    async fn visible(&self, scale: Scale) -> Vec<Duration> {
        let mut took = Vec::with_capacity(scale.seen);
        let feed = format!("{}/feeds/all.json", self.base);
        let mut tag = self.fetch("feeds/all.json").await.1;
        for _ in 0..scale.seen {
            let article = article(3 + 16 * (scale.long_log + self.next.fetch_add(1, Ordering::Relaxed)));
            let id = article.id.to_string();
            self.publish(article).await;
            let stored = Instant::now();
            loop {
                let answer = self.http.get(&feed).header("If-None-Match", &tag).send().await.expect("an answer");
                if answer.status().as_u16() == 200 {
                    tag = answer.headers()["etag"].to_str().expect("ASCII").to_owned();
                    if answer.text().await.expect("a feed").contains(&id) {
                        break;
                    }
                }
                assert!(stored.elapsed() < LIMIT, "{id} is not in the feed");
                // Who asks without a rest takes a processor from the service that is measured.
                tokio::time::sleep(LOOK_EVERY).await;
            }
            took.push(stored.elapsed());
            tokio::time::sleep(PAUSE).await;
        }
        // One look at each: the article is in all of them, or the figure is worth nothing.
        let (_, _, newest) = self.fetch("feeds/all.json").await;
        let id = newest.split("\"id\":\"").nth(1).and_then(|rest| rest.split('"').next()).expect("an entry");
        for selection in AFFECTED {
            let (_, _, text) = self.fetch(&format!("feeds/{selection}.atom")).await;
            assert!(text.contains(id), "{id} is not in {selection}");
        }
        took
    }

    /// MB of memory.
    fn resident(&self) -> f64 {
        resident(self.process.as_ref().expect("it runs").id()) as f64 / 1e6
    }
}

/// An article of some 3 KB, as the load of the publisher has it, with everything that selections may ask for.
fn article(n: usize) -> Article {
    // Each later than the one before, so that the newest is the first in its feeds.
    let begin: jiff::Timestamp = "2026-11-01T00:00:00Z".parse().expect("a time");
    let now = begin + jiff::SignedDuration::from_secs(n as i64);
    let mut document = crate::desk::article(n);
    document["keywords"] = serde_json::json!([
        "Bridge",
        "Council",
        "Traffic",
        format!("k{}", n % 100),
        format!("t{}", n / 100 % 1000 + 100)
    ]);
    document["sources"] = serde_json::json!([{ "name": "Harbour Post" }]);
    document["urgency"] = 4.into();
    let provenance =
        Provenance { channel: "load".into(), raw_sha256: "0".repeat(64), importer: None, warnings: vec![] };
    let publisher: article::PublisherId = "test-newsroom".parse().expect("a publisher's name");
    let draft = Box::new(Draft::from_json(&document, now).expect("a valid article"));
    let id = ArticleId::derived(&publisher, "load", &n.to_be_bytes());
    article::apply(None, Command::Create { id, publisher, draft, provenance }, now).expect("it can be made")
}
