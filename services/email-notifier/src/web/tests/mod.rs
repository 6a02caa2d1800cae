//! The pages over real HTTP, on a real nats-server.

use std::sync::Arc;

use article::{ArticleId, Command, Draft, Provenance};
use bus::{Bus, Credentials, Server};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, RequestBuilder, StatusCode};
use service_kit::Listener;
use testkit::NatsServer;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use topology::{CONSUMERS, STREAMS, SUBSCRIBERS};

use super::*;
use crate::subscriber::{Subscriber, SubscriberId, Wish};

mod abuse;
mod access;
mod held;
mod preferences;
mod readers;

const ADDRESS: &str = "reader@example.org";

struct Site {
    nats: NatsServer,
    bus: Bus,
    store: Store,
    keys: Keys,
    catalogue: Arc<Catalogue>,
    http: Client,
    base: String,
    shutdown: CancellationToken,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Site {
    /// The pages of a newsroom with the sections World, World › Asia <&> and 要闻.
    async fn start() -> Self {
        Self::start_with(Limits::default()).await
    }

    async fn start_with(limits: Limits) -> Self {
        let nats = NatsServer::start().await;
        let server = Server { url: nats.url().into(), credentials: Credentials::None };
        let bus = Bus::connect(&server, "test").await.unwrap();
        bus.provision(STREAMS, CONSUMERS, 1).await.unwrap();
        let keys = Keys::new(b"a secret of the tests");
        let store = Store::new(bus.clone(), keys.clone(), "UTC".into());
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), "X").await.unwrap();
        let base = format!("http://{}", listener.address);
        let shutdown = CancellationToken::new();
        let public_url: Url = format!("{base}/").parse().unwrap();
        let pages_url: Url = "https://news.example/".parse().unwrap();
        let from = "news@news.example".parse().unwrap();
        let site = mail::Site::new("Hefei News", pages_url.clone(), public_url.clone(), from, "news.example").unwrap();
        let catalogue = Arc::new(Catalogue::default());
        for section in [&["World", "Asia <&>"][..], &["要闻"]] {
            catalogue.learn(&article_in(section));
        }
        let web = Web {
            store: store.clone(),
            keys: keys.clone(),
            catalogue: catalogue.clone(),
            site,
            pages_url,
            public_url,
            client_ip_header: Some("X-Real-IP".into()),
            zone: "Asia/Shanghai".into(),
            limits,
        };
        tokio::spawn(service_kit::serve(listener, router(web), shutdown.clone()));
        let http = Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        Self { nats, bus, store, keys, catalogue, http, base, shutdown }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.base))
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.base))
    }

    fn form(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.post(path).header("content-type", "application/x-www-form-urlencoded").body(body)
    }

    fn subscribe(&self, address: &str, selection: &str) -> RequestBuilder {
        self.form("/subscribe", &[("address", address), ("selection", selection), ("language", "en")])
    }

    /// Sequence of the last thing written about any subscriber.
    async fn written(&self) -> u64 {
        self.bus.last_sequence(&SUBSCRIBERS).await.unwrap()
    }

    /// The one subscriber at `address`.
    async fn subscriber(&self, address: &str) -> Subscriber {
        let subject = topology::subjects::subscriber_address(&self.keys.address_hash(&address.parse().unwrap()));
        let claim = self.bus.last(&SUBSCRIBERS, &subject).await.unwrap().expect("a claim");
        let claim: serde_json::Value = serde_json::from_slice(&claim.payload).unwrap();
        let id: SubscriberId = serde_json::from_value(claim["id"].clone()).unwrap();
        self.store.get(id).await.unwrap().expect("a record")
    }

    /// Somebody who has confirmed `selections`.
    async fn reader(&self, selections: &[&str]) -> Subscriber {
        for selection in selections {
            let selection = selection.parse().unwrap();
            self.store.request(&ADDRESS.parse().unwrap(), &Wish::alerts(selection, "en"), now()).await.unwrap();
        }
        let id = self.subscriber(ADDRESS).await.id;
        self.store.update(id, |subscriber| subscriber.confirm(now(), now())).await.unwrap().unwrap()
    }

    /// Somebody confirmed `address`, and complained.
    async fn suppressed(&self, address: &str) -> SubscriberId {
        let wish = Wish::alerts(Selection::everything(), "en");
        self.store.request(&address.parse().unwrap(), &wish, now()).await.unwrap();
        let id = self.subscriber(address).await.id;
        self.store.update(id, |subscriber| subscriber.confirm(now(), now())).await.unwrap();
        assert!(self.store.suppress(id, "complained").await.unwrap());
        id
    }
}

fn now() -> Timestamp {
    service_kit::now()
}

fn article_in(section: &[&str]) -> article::Article {
    let document = serde_json::json!({"headline": "H", "language": "en", "body_text": "B", "section": section});
    let provenance =
        Provenance { channel: "api".into(), raw_sha256: String::new(), importer: None, warnings: Vec::new() };
    let draft = Box::new(Draft::from_json(&document, now()).unwrap());
    let (id, publisher) = (ArticleId::new(now(), [0; 10]), "hefei".parse().unwrap());
    article::apply(None, Command::Create { id, publisher, draft, provenance }, now()).unwrap()
}

/// Sends, checks what every page has in common, and returns the status and the text.
async fn page(request: RequestBuilder) -> (StatusCode, String) {
    let response = request.send().await.unwrap();
    let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap()).unwrap_or_default();
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("referrer-policy"), "no-referrer");
    assert_eq!(header("x-content-type-options"), "nosniff");
    let policy = header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(response.headers().get("set-cookie"), None);
    let status = response.status();
    assert!(!status.is_redirection(), "{status}");
    let text = response.text().await.unwrap();
    assert!(text.contains("<html lang=") && !text.contains("<script") && !text.contains(" style="), "{text}");
    (status, text)
}
