//! The whole service against a real nats-server, read over HTTP.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod dictionaries;
mod foreign;
mod hub;
mod kills;
mod live;
mod metrics;
mod pages;
mod restarts;
mod strangers;
mod subscriber;
mod wire;

use article::wire::v1::{Envelope, message_id};
use article::{Article, ArticleId, Command, Draft, Provenance, apply};
use bus::{Bus, Credentials, HeaderMap, Server};
use jiff::Timestamp;
use reqwest::{Client, Response, StatusCode};
use rss_generator::{Config, RssGenerator};
use serde_json::{Value, json};
use testkit::{NatsServer, eventually};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use topology::{ARTICLES, CONSUMERS, RECEIPTS, STREAMS, subjects};

/// One replica, stopped when it is dropped.
struct Replica {
    base: String,
    client: Client,
    _stop: DropGuard,
    _running: JoinHandle<anyhow::Result<()>>,
}

impl Replica {
    async fn start(nats: &NatsServer) -> Self {
        Self::start_at(nats, "127.0.0.1:0".parse().unwrap()).await
    }

    async fn start_at(nats: &NatsServer, listen: std::net::SocketAddr) -> Self {
        let config = Config { listen, ..config(nats) };
        let shutdown = CancellationToken::new();
        let service = RssGenerator::bind(config).await.unwrap();
        let base = format!("http://{}", service.address);
        let running = tokio::spawn(service.run(shutdown.clone()));
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let replica = Self { base, client, _stop: shutdown.drop_guard(), _running: running };
        eventually("the replica is ready", async || match replica.get("/readyz").await.status() {
            StatusCode::OK => Ok(()),
            other => Err(other),
        })
        .await;
        replica
    }

    /// Ends it in good order.
    async fn stop(self) {
        let Self { _stop, _running, .. } = self;
        drop(_stop);
        _running.await.unwrap().unwrap();
    }

    async fn get(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.base)).send().await.unwrap()
    }

    async fn get_with(&self, path: &str, name: &str, value: &str) -> Response {
        self.client.get(format!("{}{path}", self.base)).header(name, value).send().await.unwrap()
    }

    async fn text(&self, path: &str) -> String {
        self.get(path).await.text().await.unwrap()
    }

    /// Waits until `path` says `words`.
    async fn says(&self, path: &str, words: &str) -> String {
        eventually(&format!("{path} says {words:?}"), async || {
            let text = self.text(path).await;
            if text.contains(words) { Ok(text) } else { Err(text) }
        })
        .await
    }
}

fn server(nats: &NatsServer) -> Server {
    Server { url: nats.url().into(), credentials: Credentials::None }
}

fn config(nats: &NatsServer) -> Config {
    Config {
        nats: server(nats),
        listen: "127.0.0.1:0".parse().unwrap(),
        metrics: None,
        tls: None,
        public_url: "https://news.example/".parse().unwrap(),
        site_title: "Riverton".into(),
        subscribe_url: Some("https://mail.example/subscribe".parse().unwrap()),
        allowed: "127.0.0.0/8".parse().unwrap(),
        client_ip_header: Some("x-real-ip".into()),
        pinned: Vec::new(),
        memory: 64 << 20,
    }
}

async fn provisioned() -> (NatsServer, Bus) {
    let nats = NatsServer::start().await;
    let bus = Bus::connect(&server(&nats), "test").await.unwrap();
    bus.provision(STREAMS, CONSUMERS, 1).await.unwrap();
    (nats, bus)
}

async fn publish(bus: &Bus, article: &Article) {
    let subject = subjects::article(&article.publisher, &article.id);
    let payload = Envelope::new(article.clone(), None).to_bytes();
    bus.publish(&ARTICLES, &subject, &message_id(article), HeaderMap::new(), payload.into(), None).await.unwrap();
}

fn document() -> Value {
    json!({
        "headline": "Court opens its archive", "body_text": "Since Monday anyone may read it.", "language": "en",
        "byline": "Lin Mei", "sources": [{"name": "Riverton Evening News"}], "section": ["Open justice"],
        "published": {"at": "2018-11-26", "tz": "Asia/Shanghai"}, "ed_note": "EDITORS-ONLY",
    })
}

fn draft(document: &Value) -> Box<Draft> {
    Box::new(Draft::from_json(document, service_kit::now()).unwrap())
}

fn provenance() -> Provenance {
    Provenance { channel: "test".into(), raw_sha256: "00".repeat(32), importer: None, warnings: Vec::new() }
}

fn create(n: u8, document: &Value) -> Article {
    let publisher: article::PublisherId = "riverton".parse().unwrap();
    let id = ArticleId::derived(&publisher, "sample", &[n]);
    let command = Command::Create { id, publisher, draft: draft(document), provenance: provenance() };
    apply(None, command, service_kit::now()).unwrap()
}

fn then(article: &Article, command: Command) -> Article {
    apply(Some(article), command, service_kit::now()).unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
}

const FORMS: [&str; 4] = ["", ".rss", ".atom", ".json"];

#[tokio::test]
async fn an_article_is_in_every_feed_and_on_its_page() {
    let (nats, bus) = provisioned().await;
    let replica = Replica::start(&nats).await;
    let empty = replica.text("/feeds/all.atom").await;
    assert!(empty.contains("<feed") && !empty.contains("<entry"), "{empty}");
    let article = create(1, &document());
    publish(&bus, &article).await;
    replica.says("/feeds/all.rss", "Court opens its archive").await;

    for selection in ["all", "section/open-justice", "publisher/riverton"] {
        for form in FORMS {
            let response = replica.get(&format!("/feeds/{selection}{form}")).await;
            assert_eq!(response.status(), StatusCode::OK, "{selection}{form}");
            assert_eq!(header(&response, "access-control-allow-origin"), "*");
            let text = response.text().await.unwrap();
            assert!(text.contains("Court opens its archive"), "{selection}{form}: {text}");
            assert!(!text.contains("EDITORS-ONLY"), "{selection}{form}");
            if !form.is_empty() {
                let parsed = feed_rs::parser::parse(text.as_bytes()).unwrap();
                assert_eq!(parsed.entries[0].id, article.id.to_string());
            }
        }
    }
    let rss = replica.text("/feeds/all.rss").await;
    assert!(rss.contains("<pubDate>Mon, 26 Nov 2018 00:00:00 +0800</pubDate>"), "{rss}");
    let page = replica.text(&format!("/articles/{}", article.id.token())).await;
    for words in ["Open justice", "Court opens its archive", "Lin Mei", "Riverton Evening News", "application/ld+json"]
    {
        assert!(page.contains(words), "{words} in {page}");
    }
    let story = format!("https://mail.example/subscribe?selection=story%2F{}", article.id.token());
    assert!(page.contains(&story), "{story} in {page}");
    assert!(page.contains(">2018-11-26</time>"), "a date is shown without a time: {page}");
    assert!(!page.contains("EDITORS-ONLY"));
    let home = replica.text("/").await;
    for path in ["/feeds/all.rss", "/feeds/section/open-justice.atom", "/feeds/publisher/riverton.json"] {
        assert!(home.contains(&format!("https://news.example{path}")), "{path} in {home}");
    }
    assert!(home.contains("https://mail.example/subscribe?selection=section%2Fopen-justice"), "{home}");
}

#[tokio::test]
async fn readers_that_ask_again_are_told_nothing_is_new() {
    let (nats, bus) = provisioned().await;
    let article = create(1, &document());
    publish(&bus, &article).await;
    let replica = Replica::start(&nats).await;
    for form in FORMS {
        let path = format!("/feeds/all{form}");
        let first = replica.get(&path).await;
        let etag = header(&first, "etag").to_owned();
        assert!(!header(&first, "last-modified").is_empty());
        let weak = format!("W/{etag}");
        for (name, value) in [("if-none-match", &etag), ("if-none-match", &weak)] {
            let again = replica.get_with(&path, name, value).await;
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path} {name}: {value}");
            for name in ["etag", "last-modified", "cache-control", "vary", "access-control-allow-origin"] {
                assert_eq!(header(&again, name), header(&first, name), "{path} {name}");
            }
        }
        let head = replica.client.head(format!("{}{path}", replica.base)).send().await.unwrap();
        for name in ["etag", "last-modified", "content-type", "content-length", "cache-control", "vary"] {
            assert_eq!(header(&head, name), header(&first, name), "{path} HEAD {name}");
        }
        assert_eq!(head.bytes().await.unwrap().len(), 0);
    }

    // An internal note moves no validator of what a reader reads; a change of the text moves all of them.
    let before = replica.get("/feeds/all.atom").await;
    let mut noted = document();
    noted["ed_note"] = "ANOTHER NOTE".into();
    let kind = article::RevisionKind::Minor;
    let revise =
        |document: &Value| Command::Revise { kind, note: None, draft: draft(document), provenance: provenance() };
    let second = then(&article, revise(&noted));
    publish(&bus, &second).await;
    replica.says("/feeds/all.json", "\"revision\":2").await;
    let after = replica.get("/feeds/all.atom").await;
    for name in ["etag", "last-modified"] {
        assert_eq!(header(&before, name), header(&after, name), "{name}");
    }
    noted["headline"] = "Court opens its whole archive".into();
    publish(&bus, &then(&second, revise(&noted))).await;
    replica.says("/feeds/all.atom", "whole archive").await;
    assert_ne!(header(&before, "etag"), header(&replica.get("/feeds/all.atom").await, "etag"));
}

#[tokio::test]
async fn two_replicas_answer_alike_whenever_they_started() {
    let (nats, bus) = provisioned().await;
    let early = Replica::start(&nats).await;
    let mut last = Vec::new();
    for n in 0..8 {
        let first = create(n, &document());
        publish(&bus, &first).await;
        last.push(match n % 4 {
            0 => first,
            1 => then(&first, Command::Withdraw { note: "Doubtful.".into() }),
            2 => then(&first, Command::Kill { note: "Court order.".into() }),
            _ => then(&first, Command::Hold { note: None }),
        });
    }
    for article in last.iter().filter(|article| article.revision > 1) {
        publish(&bus, article).await;
    }
    // The last article alone tells that the early replica has seen everything.
    let mut flag = document();
    flag["headline"] = "The end".into();
    publish(&bus, &create(99, &flag)).await;
    early.says("/feeds/all", "The end").await;
    let late = Replica::start(&nats).await;
    let mut paths = vec!["/".to_owned()];
    for selection in ["all", "section/open-justice", "publisher/riverton"] {
        paths.extend(FORMS.map(|form| format!("/feeds/{selection}{form}")));
    }
    paths.extend(last.iter().map(|article| format!("/articles/{}", article.id.token())));
    for path in paths {
        let (one, other) = (early.get(&path).await, late.get(&path).await);
        assert_eq!(one.status(), other.status(), "{path}");
        assert_eq!(header(&one, "etag"), header(&other, "etag"), "{path}");
        assert_eq!(one.text().await.unwrap(), other.text().await.unwrap(), "{path}");
    }
}

#[tokio::test]
async fn each_state_has_its_answer() {
    let (nats, bus) = provisioned().await;
    let replica = Replica::start(&nats).await;
    let mut expiring = document();
    expiring["published"] = Value::Null;
    let now: Timestamp = service_kit::now();
    expiring["expires_at"] = (now + jiff::SignedDuration::from_secs(2)).to_string().into();
    expiring["headline"] = "Gone in a moment".into();
    let cases = [
        (create(1, &document()), None, StatusCode::OK, "Since Monday"),
        (create(2, &document()), Some(Command::Withdraw { note: "Doubtful.".into() }), StatusCode::OK, "Doubtful."),
        (create(3, &document()), Some(Command::Kill { note: "Order.".into() }), StatusCode::GONE, "Order."),
        (create(4, &document()), Some(Command::Hold { note: None }), StatusCode::NOT_FOUND, "nothing here"),
        (create(5, &expiring), None, StatusCode::GONE, "has expired"),
    ];
    for (first, command, status, words) in cases {
        let path = format!("/articles/{}", first.id.token());
        publish(&bus, &first).await;
        if let Some(command) = command {
            // An article that is not there yet looks like one that is held.
            replica.says(&path, "Since Monday").await;
            publish(&bus, &then(&first, command)).await;
        }
        let text = replica.says(&path, words).await;
        assert_eq!(replica.get(&path).await.status(), status, "{text}");
        assert_eq!(text.contains("Since Monday"), status == StatusCode::OK && words != "Doubtful.", "{text}");
    }
    let feed = replica.text("/feeds/all.rss").await;
    assert!(!feed.contains("Gone in a moment"), "an expired article leaves without being asked to: {feed}");
}

#[tokio::test]
async fn what_is_no_article_is_skipped() {
    let (nats, bus) = provisioned().await;
    let subject = "nw.article.riverton.nonsense";
    bus.publish(&ARTICLES, subject, "x", HeaderMap::new(), "no article".into(), None).await.unwrap();
    publish(&bus, &create(1, &document())).await;
    let replica = Replica::start(&nats).await;
    replica.says("/feeds/all", "Court opens its archive").await;
    bus.publish(&ARTICLES, subject, "y", HeaderMap::new(), "{}".into(), None).await.unwrap();
    publish(&bus, &create(2, &document())).await;
    eventually("the news goes on", async || {
        let feed = feed_rs::parser::parse(replica.text("/feeds/all.atom").await.as_bytes()).unwrap();
        if feed.entries.len() == 2 { Ok(()) } else { Err(feed.entries.len()) }
    })
    .await;
}

#[tokio::test]
async fn addresses_have_one_spelling_and_errors_help() {
    let (nats, bus) = provisioned().await;
    let mut chinese = document();
    chinese["section"] = json!(["文化", "图书馆"]);
    let article = create(1, &chinese);
    publish(&bus, &article).await;
    let replica = Replica::start(&nats).await;
    let encoded = "/feeds/section/%E6%96%87%E5%8C%96/%E5%9B%BE%E4%B9%A6%E9%A6%86";
    let page = replica.text(encoded).await;
    assert!(page.contains(&format!("https://news.example{encoded}.rss")), "{page}");
    for (path, to) in [
        ("/feeds/section/%E6%96%87%E5%8C%96%20.rss", "/feeds/section/%E6%96%87%E5%8C%96.rss".to_owned()),
        (&format!("/articles/{}", article.id), format!("/articles/{}", article.id.token())),
    ] {
        let response = replica.get(path).await;
        assert_eq!(response.status(), StatusCode::PERMANENT_REDIRECT, "{path}");
        assert_eq!(header(&response, "location"), format!("https://news.example{to}"));
    }
    for path in ["/feeds/section/none", "/feeds/all.xml", "/articles/1", "/nothing", "/feeds/publisher/%0d%0a"] {
        let response = replica.get(path).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(header(&response, "cache-control"), "no-store");
        assert!(response.text().await.unwrap().contains("All feeds"), "{path}");
    }
    let negotiated = replica.get_with("/feeds/all", "accept", "application/atom+xml").await;
    assert_eq!(header(&negotiated, "content-type"), "application/atom+xml; charset=utf-8");
    assert_eq!(header(&negotiated, "vary"), "accept, accept-encoding, available-dictionary");
    let post = replica.client.post(format!("{}/feeds/all", replica.base)).send().await.unwrap();
    assert_eq!(post.status(), StatusCode::METHOD_NOT_ALLOWED);
}
