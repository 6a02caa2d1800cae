//! Plans, windows and the ledger against a real nats-server and a relay that does what relays do.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use article::wire::v1::{Envelope, message_id};
use article::{Article, ArticleId, Command, Draft, Provenance, apply};
use bus::{Bus, Credentials, HeaderMap, Server, TailEvent};
use jiff::Timestamp;
use mail::{Address, Site};
use service_kit::Secret;
use subscription::Selection;
use testkit::mailbox::{Action, Fault, Faults, Mailbox, Stage};
use testkit::{NatsServer, eventually, mail_sink};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use topology::{ARTICLES, CONSUMERS, JOBS, LEDGER, RECEIPTS, RETRIES, STREAMS, SUBSCRIBERS, subjects};

use crate::counts::Counts;
use crate::issues::Issues;
use crate::ledger::{Ledger, State};
use crate::links::Keys;
use crate::plan::{Cause, Head, Kind, Lane, RetryCall, make_plan, plan_key};
use crate::pool::Pool;
use crate::readers::Readers;
use crate::service::relay;
use crate::store::Store;
use crate::subscriber::{Form, Subscriber, SubscriberId, Wish};
use crate::worker::Worker;
use crate::{Config, EmailNotifier, GuardConfig, Inbound, RelayConfig, RelayTls};

mod caps;
mod digests;
mod erased;
mod farewell;
mod ledger;
mod links;
mod looked_at;
mod notices;
mod once;
mod orders;
mod relay;
mod rules;
mod signed;
mod stories;
mod trouble;

const SECRET: &str = "a secret of at least thirty-two bytes";

struct Desk {
    nats: NatsServer,
    bus: Bus,
    store: Store,
    mailbox: Mailbox,
    shutdown: CancellationToken,
    services: Vec<JoinHandle<anyhow::Result<()>>>,
    /// Of the notifier that was started last.
    metrics: Option<SocketAddr>,
}

impl Desk {
    async fn open(faults: impl Into<Faults>) -> Self {
        let nats = NatsServer::start().await;
        let server = Server { url: nats.url().into(), credentials: Credentials::None };
        let bus = Bus::connect(&server, "test").await.unwrap();
        bus.provision(STREAMS, CONSUMERS, 1).await.unwrap();
        let store = Store::new(bus.clone(), Keys::new(SECRET.as_bytes()), "UTC".into());
        let mailbox = mail_sink(faults).await;
        Self { nats, bus, store, mailbox, shutdown: CancellationToken::new(), services: Vec::new(), metrics: None }
    }

    fn config(&self) -> Config {
        let url = |port: u16| format!("http://127.0.0.1:{port}/").parse::<url::Url>().unwrap();
        let site = Site::new("Test", url(1), url(2), "news@news.example".parse().unwrap(), "news.example").unwrap();
        let smtp = self.mailbox.smtp_addr();
        Config {
            nats: Server { url: self.nats.url().into(), credentials: Credentials::None },
            listen: "127.0.0.1:0".parse().unwrap(),
            metrics: Some("127.0.0.1:0".parse().unwrap()),
            tls: None,
            site,
            pages_url: url(1),
            public_url: url(2),
            secret: Secret::new(SECRET),
            zone: "UTC".into(),
            guard: GuardConfig::default(),
            relay: RelayConfig {
                host: smtp.ip().to_string(),
                port: smtp.port(),
                tls: RelayTls::None,
                user: None,
                password: None,
                roots: Vec::new(),
                timeout: Duration::from_secs(30),
            },
            dkim: None,
            inbound: Inbound::default(),
            client_ip_header: None,
        }
    }

    async fn run_notifier(&mut self) {
        self.run_as(self.config()).await;
    }

    async fn run_as(&mut self, config: Config) {
        let service = EmailNotifier::bind(config).await.unwrap();
        self.metrics = service.metrics_address();
        self.services.push(tokio::spawn(service.run(self.shutdown.clone())));
    }

    async fn stop(&mut self) {
        self.shutdown.cancel();
        for service in self.services.drain(..) {
            service.await.unwrap().unwrap();
        }
        self.shutdown = CancellationToken::new();
    }

    async fn readers(&self, count: usize) {
        let now = service_kit::now();
        for n in 0..count {
            let address = address(n).parse().unwrap();
            self.store.request(&address, &Wish::alerts(Selection::everything(), "en"), now).await.unwrap();
            self.confirm(&address, now).await;
        }
    }

    /// The owner of the address pressed the button at `now`.
    async fn confirm(&self, address: &Address, now: Timestamp) {
        let id = self.id(address).await;
        let confirm = |reader: &mut Subscriber| {
            reader.confirmation_sent_at = Some(now);
            reader.confirm(now, now)
        };
        self.store.update(id, confirm).await.unwrap();
    }

    async fn unsubscribe(&self, n: usize) {
        let id = self.id(&address(n).parse().unwrap()).await;
        self.store
            .update(id, |reader: &mut Subscriber| reader.unsubscribe(None, Form::Unsubscribe, service_kit::now()))
            .await
            .unwrap();
    }

    async fn id(&self, address: &Address) -> SubscriberId {
        let hash = Keys::new(SECRET.as_bytes()).address_hash(address);
        let claim = self.bus.last(&SUBSCRIBERS, &subjects::subscriber_address(&hash)).await.unwrap().unwrap();
        let claim: serde_json::Value = serde_json::from_slice(&claim.payload).unwrap();
        serde_json::from_value(claim["id"].clone()).unwrap()
    }

    /// Writes a revision to the log, whatever it says.
    async fn log(&self, article: &Article) {
        let subject = subjects::article(&article.publisher, &article.id);
        let bytes = Envelope::new(article.clone(), None).to_bytes();
        let id = message_id(article);
        self.bus.publish(&ARTICLES, &subject, &id, HeaderMap::new(), bytes.into(), None).await.unwrap();
    }

    /// Writes a revision to the log as the publisher does.
    async fn publish(&self, current: Option<(&Article, u64)>, command: Command) -> (Article, u64) {
        let article = apply(current.map(|(article, _)| article), command, service_kit::now()).unwrap();
        let subject = subjects::article(&article.publisher, &article.id);
        let bytes = Envelope::new(article.clone(), None).to_bytes();
        let expected = Some(current.map_or(0, |(_, sequence)| sequence));
        let published = self
            .bus
            .publish(&ARTICLES, &subject, &message_id(&article), HeaderMap::new(), bytes.into(), expected)
            .await;
        (article, published.unwrap().sequence)
    }

    async fn ledger(&self, article: &Article) -> Option<Ledger> {
        let stored = self.bus.last(&LEDGER, &subjects::ledger(&plan_key(&article.id), 0)).await.unwrap()?;
        Some(serde_json::from_slice(&stored.payload).unwrap())
    }

    /// Waits until nobody of the first chunk is planned or on the way.
    async fn worked_off(&self, article: &Article) -> Ledger {
        eventually("the chunk is worked off", async || match self.ledger(article).await {
            Some(ledger) if ledger.count(State::Planned) + ledger.count(State::Submitting) == 0 => Ok(ledger),
            other => Err(format!("{other:?}")),
        })
        .await
    }

    fn sent_to(&self, n: usize) -> usize {
        self.mailbox.mails().iter().filter(|mail| mail.to == [address(n)]).count()
    }
}

fn address(n: usize) -> String {
    format!("reader{n}@example.org")
}

fn create(headline: &str) -> Command {
    let document = serde_json::json!({"headline": headline, "body": "<p>Words.</p>", "language": "en"});
    let now = service_kit::now();
    let draft = Draft::from_json(&document, now).unwrap();
    let publisher: article::PublisherId = "test".parse().unwrap();
    let id = ArticleId::derived(&publisher, "test", headline.as_bytes());
    Command::Create { id, publisher, draft: Box::new(draft), provenance: provenance() }
}

fn provenance() -> Provenance {
    Provenance { channel: "test".into(), raw_sha256: String::new(), importer: None, warnings: Vec::new() }
}
