//! Plans, windows and the ledger against a real nats-server and a relay that does what relays do.

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
use topology::{ARTICLES, CONSUMERS, JOBS, LEDGER, RETRIES, STREAMS, SUBSCRIBERS, subjects};

use crate::issues::Issues;
use crate::ledger::{Ledger, State};
use crate::links::Keys;
use crate::plan::{Head, Lane, RetryCall, make_plan, plan_key};
use crate::pool::Pool;
use crate::readers::Readers;
use crate::service::relay;
use crate::store::Store;
use crate::subscriber::Subscriber;
use crate::worker::Worker;
use crate::{Config, EmailNotifier, RelayConfig, RelayTls};

const SECRET: &str = "a secret of at least thirty-two bytes";

struct Desk {
    nats: NatsServer,
    bus: Bus,
    store: Store,
    mailbox: Mailbox,
    shutdown: CancellationToken,
    services: Vec<JoinHandle<anyhow::Result<()>>>,
}

impl Desk {
    async fn open(faults: impl Into<Faults>) -> Self {
        let nats = NatsServer::start().await;
        let server = Server { url: nats.url().into(), credentials: Credentials::None };
        let bus = Bus::connect(&server, "test").await.unwrap();
        bus.provision(STREAMS, CONSUMERS, 1).await.unwrap();
        let store = Store::new(bus.clone(), Keys::new(SECRET.as_bytes()));
        let mailbox = mail_sink(faults).await;
        Self { nats, bus, store, mailbox, shutdown: CancellationToken::new(), services: Vec::new() }
    }

    fn config(&self) -> Config {
        let url = |port: u16| format!("http://127.0.0.1:{port}/").parse::<url::Url>().unwrap();
        let site = Site::new("Test", url(1), url(2), "news@news.example".parse().unwrap(), "news.example").unwrap();
        let smtp = self.mailbox.smtp_addr();
        Config {
            nats: Server { url: self.nats.url().into(), credentials: Credentials::None },
            listen: "127.0.0.1:0".parse().unwrap(),
            site,
            pages_url: url(1),
            public_url: url(2),
            secret: Secret::new(SECRET),
            relay: RelayConfig {
                host: smtp.ip().to_string(),
                port: smtp.port(),
                tls: RelayTls::None,
                user: None,
                password: None,
                timeout: Duration::from_secs(5),
            },
            client_ip_header: None,
        }
    }

    async fn run_notifier(&mut self) {
        let service = EmailNotifier::bind(self.config()).await.unwrap();
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
            self.store.request(&address, &Selection::Everything, "en", now).await.unwrap();
            self.confirm(&address, now).await;
        }
    }

    /// The owner of the address pressed the button at `now`.
    async fn confirm(&self, address: &Address, now: Timestamp) {
        let hash = Keys::new(SECRET.as_bytes()).address_hash(address);
        let claim = self.bus.last(&SUBSCRIBERS, &subjects::subscriber_address(&hash)).await.unwrap().unwrap();
        let claim: serde_json::Value = serde_json::from_slice(&claim.payload).unwrap();
        let id = serde_json::from_value(claim["id"].clone()).unwrap();
        let confirm = |reader: &mut Subscriber| {
            reader.confirmation_sent_at = Some(now);
            reader.confirm(now, now)
        };
        self.store.update(id, confirm).await.unwrap();
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

#[tokio::test]
async fn every_recipient_ends_somewhere_and_the_ledger_says_where() {
    let faults = vec![
        Fault::reply(Stage::Rcpt, 550, "5.1.1 <Reader3@EXAMPLE.org>: no such user reader3@example.org").to(&address(3)),
        Fault::reply(Stage::Rcpt, 450, "4.2.1 later").to(&address(7)).times(1),
        // A refusal of our mail is no fault of the reader's.
        Fault::reply(Stage::Rcpt, 554, "5.7.1 policy").to(&address(9)).times(1),
    ];
    let mut desk = Desk::open(faults).await;
    desk.readers(120).await;
    desk.run_notifier().await;
    let (article, _) = desk.publish(None, create("To all")).await;
    let ledger = desk.worked_off(&article).await;
    let counts = [State::Accepted, State::Deferred, State::Failed].map(|state| ledger.count(state));
    assert_eq!(counts, [117, 2, 1]);
    assert!(ledger.reasons[0].reply.contains("5.1.1"), "{:?}", ledger.reasons);
    assert!(!ledger.reasons[0].reply.to_lowercase().contains("reader3"), "{:?}", ledger.reasons);
    assert_eq!(ledger.retry.unwrap().attempt, 1);
    let head = desk.bus.last(&JOBS, &subjects::plan(&plan_key(&article.id))).await.unwrap().unwrap();
    let head: Head = serde_json::from_slice(&head.payload).unwrap();
    assert_eq!((head.matched, head.chunks, head.lane), (120, 1, Lane::Normal));

    let plan = plan_key(&article.id);
    let later = eventually("the wake-up call", async || {
        let call = desk.bus.last(&RETRIES, &subjects::retry_later(&plan, 0, 1)).await;
        call.map_err(|error| error.to_string())?.ok_or_else(|| "not yet".to_owned())
    })
    .await;
    // The server would deliver it in a minute; the test does not wait for it.
    let call: RetryCall = serde_json::from_slice(&later.payload).unwrap();
    assert_eq!(call.attempt, 1);
    let due = subjects::retry_due(&plan, 0, 1);
    desk.bus.publish(&RETRIES, &due, "due", HeaderMap::new(), later.payload.clone(), None).await.unwrap();
    eventually("the deferred are sent", async || match desk.ledger(&article).await {
        Some(ledger) if ledger.count(State::Accepted) == 119 => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    assert_eq!([desk.sent_to(3), desk.sent_to(7), desk.sent_to(9)], [0, 1, 1]);
    desk.stop().await;
}

#[tokio::test]
async fn two_notifiers_send_once() {
    let mut desk = Desk::open(vec![]).await;
    desk.readers(60).await;
    desk.run_notifier().await;
    desk.run_notifier().await;
    let mut articles = Vec::new();
    for n in 0..5 {
        articles.push(desk.publish(None, create(&format!("Article {n}"))).await.0);
    }
    for article in &articles {
        assert_eq!(desk.worked_off(article).await.count(State::Accepted), 60);
    }
    assert_eq!(desk.mailbox.mails().len(), 300);
    desk.stop().await;
}

#[tokio::test]
async fn of_two_workers_on_one_chunk_one_sends() {
    let desk = Desk::open(vec![]).await;
    desk.readers(70).await;
    let (article, _) = desk.publish(None, create("Once")).await;
    let readers = Arc::new(Readers::new());
    let mut tail = desk.bus.tail(&SUBSCRIBERS, desk.shutdown.clone());
    let mut recipients = Vec::new();
    while let Some(TailEvent::Message { subject, payload, sequence, .. }) = tail.next().await {
        if subjects::is_subscriber(&subject) {
            let reader: Subscriber = serde_json::from_slice(&payload).unwrap();
            readers.apply(&reader, sequence);
            recipients.push(reader.id);
        }
    }
    let (_, chunks) = make_plan(&article, &recipients, service_kit::now());
    let config = desk.config();
    let worker = Worker {
        bus: desk.bus.clone(),
        readers,
        issues: Arc::new(Issues::new(config.site)),
        pool: Arc::new(Pool::new(relay(&config.relay, "news.example"))),
        keys: Keys::new(SECRET.as_bytes()),
        public_url: config.public_url,
        shutdown: desk.shutdown.clone(),
    };
    // Both begin with the same empty record, as after a redelivery to a second worker while the first is not dead.
    let (first, second) = tokio::join!(worker.first_pass(&chunks[0]), worker.first_pass(&chunks[0]));
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    assert_eq!(desk.mailbox.mails().len(), 70);
}

#[tokio::test]
async fn what_is_withdrawn_before_it_is_sent_is_not_sent() {
    // The first mail waits long enough for the withdrawal.
    let slow = Fault::new(Stage::Data, Action::Delay(Duration::from_secs(2))).times(1);
    let mut desk = Desk::open(vec![slow]).await;
    desk.readers(120).await;
    desk.run_notifier().await;
    let (article, sequence) = desk.publish(None, create("Withdrawn")).await;
    eventually("the first window is on its way", async || match desk.ledger(&article).await {
        Some(ledger) if ledger.count(State::Submitting) > 0 => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    desk.publish(Some((&article, sequence)), Command::Withdraw { note: "It was wrong.".into() }).await;
    let ledger = desk.worked_off(&article).await;
    assert_eq!((ledger.count(State::Accepted), ledger.count(State::Suppressed)), (50, 70));
    desk.stop().await;
}

#[tokio::test]
async fn an_answer_that_is_lost_is_uncertain_and_sent_again_under_the_same_id() {
    let cut = Fault::new(Stage::Content, Action::KeepThenCut).to(&address(5)).times(1);
    let mut desk = Desk::open(vec![cut]).await;
    desk.readers(10).await;
    desk.run_notifier().await;
    let (article, _) = desk.publish(None, create("Lost answer")).await;
    let ledger = desk.worked_off(&article).await;
    assert_eq!((ledger.count(State::Accepted), ledger.count(State::Uncertain)), (9, 1));
    let call = RetryCall { plan: plan_key(&article.id), lane: Lane::Normal, chunk: 0, attempt: 1 };
    let due = subjects::retry_due(&call.plan, 0, 1);
    let payload = serde_json::to_vec(&call).unwrap();
    desk.bus.publish(&RETRIES, &due, "due", HeaderMap::new(), payload.into(), None).await.unwrap();
    let ledger = eventually("sent again", async || match desk.ledger(&article).await {
        Some(ledger) if ledger.count(State::Accepted) == 10 => Ok(ledger),
        other => Err(format!("{other:?}")),
    })
    .await;
    assert_eq!(ledger.resent_uncertain, 1, "the possible duplicate is counted");
    let ids: Vec<_> = desk
        .mailbox
        .mails()
        .iter()
        .filter(|mail| mail.to == [address(5)])
        .map(|mail| mail.header("Message-ID"))
        .collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1], "a receiver that got both can tell");
    desk.stop().await;
}

#[tokio::test]
async fn a_relay_that_is_away_costs_nobody_anything() {
    let away = Fault::reply(Stage::Connect, 421, "4.3.2 not now").times(2);
    let mut desk = Desk::open(vec![away]).await;
    desk.readers(5).await;
    desk.run_notifier().await;
    let (article, _) = desk.publish(None, create("Patience")).await;
    let ledger = desk.worked_off(&article).await;
    assert_eq!((ledger.count(State::Accepted), ledger.resent_uncertain), (5, 0));
    assert_eq!(desk.mailbox.mails().len(), 5);
    desk.stop().await;
}

#[tokio::test]
async fn who_confirms_after_publication_gets_nothing() {
    let mut desk = Desk::open(vec![]).await;
    desk.readers(2).await;
    let (article, _) = desk.publish(None, create("Early")).await;
    // Confirmed later than the article: it was not asked for at the time.
    let late = "late@example.org".parse().unwrap();
    let now = service_kit::now() + jiff::SignedDuration::from_secs(5);
    desk.store.request(&late, &Selection::Everything, "en", now).await.unwrap();
    desk.confirm(&late, now).await;
    desk.run_notifier().await;
    assert_eq!(desk.worked_off(&article).await.count(State::Accepted), 2);
    assert!(desk.mailbox.mails().iter().all(|mail| mail.to != ["late@example.org"]));
    desk.stop().await;
}

#[tokio::test]
async fn many_forms_for_one_address_make_one_record() {
    let desk = Desk::open(vec![]).await;
    let store = Arc::new(desk.store.clone());
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            let store = store.clone();
            let selection = if n % 2 == 0 { Selection::Everything } else { "section/world".parse().unwrap() };
            tokio::spawn(async move {
                let address = "same@example.org".parse().unwrap();
                store.request(&address, &selection, "en", service_kit::now()).await
            })
        })
        .collect();
    let mut contended = 0;
    for task in tasks {
        contended += usize::from(task.await.unwrap().is_err());
    }
    assert_eq!(contended, 0);
    let mut records = 0;
    let mut from = 0;
    while let Some(stored) = desk.bus.next(&SUBSCRIBERS, subjects::SUBSCRIBER_RECORDS, from).await.unwrap() {
        records += 1;
        from = stored.sequence + 1;
    }
    assert_eq!(records, 1);
}

#[tokio::test]
async fn a_record_that_expired_last_does_not_stop_the_planning() {
    let mut desk = Desk::open(vec![]).await;
    desk.readers(3).await;
    let mut headers = HeaderMap::new();
    headers.insert("Nats-TTL", "1s");
    let fleeting = subjects::subscriber("abcd");
    desk.bus.publish(&SUBSCRIBERS, &fleeting, "x", headers, "{}".into(), None).await.unwrap();
    eventually("it has expired", async || match desk.bus.last(&SUBSCRIBERS, &fleeting).await {
        Ok(None) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    // The number of what expired was given out and is seen by nobody who starts now.
    desk.run_notifier().await;
    let (article, _) = desk.publish(None, create("After an expiry")).await;
    assert_eq!(desk.worked_off(&article).await.count(State::Accepted), 3);
    desk.stop().await;
}

#[tokio::test]
async fn a_recipient_that_breaks_the_connection_keeps_nobody_waiting() {
    let poison = Fault::reply(Stage::Rcpt, 421, "4.7.0 not for <reader0@example.org>").to(&address(0));
    let mut desk = Desk::open(vec![poison]).await;
    desk.readers(10).await;
    desk.run_notifier().await;
    let (article, _) = desk.publish(None, create("Poison")).await;
    let ledger = desk.worked_off(&article).await;
    assert_eq!((ledger.count(State::Accepted), ledger.count(State::Deferred)), (9, 1));
    desk.stop().await;
}

#[tokio::test]
async fn addresses_that_cannot_be_reached_stop_no_other_sign_up() {
    let unreachable = Fault::reply(Stage::Rcpt, 450, "4.1.2 Domain not found").times(70);
    let mut desk = Desk::open(vec![unreachable]).await;
    for n in 0..71 {
        let address = address(n).parse().unwrap();
        desk.store.request(&address, &Selection::Everything, "en", service_kit::now()).await.unwrap();
    }
    desk.run_notifier().await;
    eventually("somebody gets theirs", async || match desk.mailbox.mails().len() {
        0 => Err("nobody"),
        _ => Ok(()),
    })
    .await;
    desk.stop().await;
}

#[tokio::test]
async fn stopping_between_two_windows_sends_nothing_twice() {
    let slow = Fault::new(Stage::Content, Action::Delay(Duration::from_millis(15)));
    let mut desk = Desk::open(vec![slow]).await;
    desk.readers(120).await;
    desk.run_notifier().await;
    let (article, _) = desk.publish(None, create("Stopped")).await;
    eventually("the first are out", async || match desk.mailbox.mails().len() {
        0..5 => Err("none"),
        _ => Ok(()),
    })
    .await;
    desk.stop().await;
    let before = desk.mailbox.mails().len();
    assert!(before < 120 && before % 50 == 0, "stopped after a window, not in one: {before}");
    desk.run_notifier().await;
    let ledger = desk.worked_off(&article).await;
    assert_eq!((ledger.count(State::Accepted), ledger.resent_uncertain), (120, 0));
    assert_eq!(desk.mailbox.mails().len(), 120);
    desk.stop().await;
}

#[tokio::test]
async fn a_window_that_was_sent_while_the_server_was_away_is_not_sent_again() {
    let slow = Fault::new(Stage::Content, Action::Delay(Duration::from_millis(20)));
    let mut desk = Desk::open(vec![slow]).await;
    desk.readers(50).await;
    desk.run_notifier().await;
    let (article, _) = desk.publish(None, create("Outage")).await;
    eventually("the first are out", async || match desk.mailbox.mails().len() {
        0..5 => Err("none"),
        _ => Ok(()),
    })
    .await;
    desk.nats.kill9();
    // Longer than a publish is tried: the outcomes are known to the worker alone.
    tokio::time::sleep(bus::RETRY_FOR + Duration::from_secs(3)).await;
    desk.nats.restart().await;
    assert_eq!(desk.worked_off(&article).await.count(State::Accepted), 50);
    assert_eq!(desk.mailbox.mails().len(), 50);
    desk.stop().await;
}
