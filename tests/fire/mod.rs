//! One article to many readers while everything breaks: kill -9 of two notifiers and of nats-server at random points, and
//! a relay that refuses, defers, stalls and hangs up at random. Afterwards nobody is lost, everybody has ended somewhere,
//! and whoever got it twice was counted.
//!
//! Who is refused, what dies and when follow from the seed; what a process was doing at that point does not.

mod aftermath;
mod relay;
mod schedule;

use std::time::{Duration, Instant};

use bus::{BatchMessage, Bus, HeaderMap};
use serde_json::{Value, json};
use testkit::{Process, Tally, counting_sink};
use topology::{JOBS, LEDGER, RETRIES, subjects};

use crate::newsroom::{Newsroom, Service};
pub(crate) use aftermath::Aftermath;
use schedule::{Kill, Victim};

/// Between two looks at how far it is.
const LOOK: Duration = Duration::from_millis(5);

/// The ledger is asked this often whether it closes.
const ASK: Duration = Duration::from_millis(300);

/// Records in one batch; the server takes 1,000.
const BATCH: usize = 500;

/// How bad it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fire {
    pub(crate) seed: u64,
    pub(crate) readers: usize,
    pub(crate) kills: usize,
    /// Whether what is put off waits for its time, which is minutes; else it is called as soon as it is put off.
    pub(crate) patient: bool,
    /// What takes longer never ends.
    pub(crate) within: Duration,
}

/// A newsroom with a second notifier, and an article on its way.
struct Scene {
    fire: Fire,
    room: Newsroom,
    second: Process,
    bus: Bus,
    tally: Tally,
    /// The article's id, once it is published.
    article: String,
}

/// Sets everything on fire and waits until nobody is left to be sent anything.
///
/// # Panics
/// When somebody is lost, has ended nowhere, or got it twice without being counted.
pub(crate) async fn burn(fire: Fire) -> Aftermath {
    let begun = Instant::now();
    let mut scene = Scene::set(fire).await;
    scene.publish().await;
    let plan = tokio::spawn(followed(scene.ledger(), fire));
    scene.kill_in_turn().await;
    // What was refused at random is now taken: the rest of the run is to end.
    scene.room.mailbox.set_faults(relay::refusals());
    let plan = scene.ended(plan).await;
    scene.room.settled_within(fire.within).await;
    let after = Aftermath::of(&fire, &scene.tally, plan, begun.elapsed());
    after.judge(&fire);
    scene.bus.close().await;
    after
}

impl Scene {
    async fn set(fire: Fire) -> Self {
        let (mailbox, tally) = counting_sink(relay::faults(fire.seed)).await;
        // A late answer is one that comes after this.
        let room = Newsroom::start_with(mailbox, &[("NEWSWIRE_EMAIL_RELAY_TIMEOUT", "3")]).await;
        let bus = room.bus().await;
        let readers: Vec<BatchMessage> = (0..fire.readers).map(|n| record(fire.seed, n)).collect();
        for batch in readers.chunks(BATCH) {
            bus.publish_batch(batch.to_vec()).await.expect("subscribed");
        }
        room.settled_within(fire.within).await;
        let second = room.another(Service::EmailNotifier, 0);
        Self { fire, room, second, bus, tally, article: String::new() }
    }

    async fn publish(&mut self) {
        let article = json!({ "headline": "Under fire", "body": "<p>Words.</p>".repeat(40), "language": "en" });
        let request = self.room.http.post(self.room.url(Service::Publisher, "v1/articles"));
        let answer = request.bearer_auth(&self.room.token).json(&article).send().await.expect("an answer");
        let article: Value = answer.json().await.expect("JSON");
        article["id"].as_str().expect("an id").clone_into(&mut self.article);
    }

    /// The request that tells what became of it.
    fn ledger(&self) -> reqwest::RequestBuilder {
        let path = format!("v1/articles/{}/mail", self.article);
        self.room.http.get(self.room.url(Service::Publisher, &path)).bearer_auth(&self.room.token)
    }

    async fn kill_in_turn(&mut self) {
        for Kill { victim, at, down } in schedule::draw(&self.fire) {
            self.progress(at).await;
            match victim {
                Victim::First => self.room.kill9_and_restart(Service::EmailNotifier),
                Victim::Second => {
                    self.second.kill9();
                    self.second = self.room.another(Service::EmailNotifier, 0);
                }
                Victim::Server => {
                    self.room.nats.kill9();
                    tokio::time::sleep(down).await;
                    self.room.nats.restart().await;
                }
            }
        }
    }

    /// Waits until the relay has taken this many mails.
    async fn progress(&self, mails: usize) {
        let begun = Instant::now();
        let mut called = Instant::now();
        while self.tally.count() < mails {
            assert!(begun.elapsed() < self.fire.within, "{} of {mails} mails are there", self.tally.count());
            tokio::time::sleep(LOOK).await;
            if !self.fire.patient && called.elapsed() > ASK {
                self.call_what_is_put_off().await;
                called = Instant::now();
            }
        }
    }

    /// What the ledger says once nobody is open.
    async fn ended(&self, plan: tokio::task::JoinHandle<Value>) -> Value {
        while !plan.is_finished() {
            tokio::time::sleep(ASK).await;
            if !self.fire.patient {
                self.call_what_is_put_off().await;
            }
        }
        plan.await.expect("the ledger closes at every moment")
    }

    /// Sends the wake-up calls that are due later now. A chunk that is called twice begins once.
    async fn call_what_is_put_off(&self) {
        let plan = format!("{}-published", self.article.trim_start_matches("urn:uuid:"));
        // Away for a moment: the next look finds the same.
        let Ok(Some(head)) = self.bus.last(&JOBS, &subjects::plan(&plan)).await else { return };
        let head: Value = serde_json::from_slice(&head.payload).expect("a head");
        for chunk in 0..head["chunks"].as_u64().expect("a count") {
            let chunk = u32::try_from(chunk).expect("a small count");
            let Ok(Some(record)) = self.bus.last(&LEDGER, &subjects::ledger(&plan, chunk)).await else { continue };
            let record: Value = serde_json::from_slice(&record.payload).expect("a record");
            let Some(attempt) = record["retry"]["attempt"].as_u64() else { continue };
            let call = json!({ "plan": plan, "lane": "normal", "chunk": chunk, "attempt": attempt }).to_string();
            let due = subjects::retry_due("other", &plan, chunk, u32::try_from(attempt).expect("a small count"));
            let _ = self.bus.publish(&RETRIES, &due, &due, HeaderMap::new(), call.into(), None).await;
        }
    }
}

/// Asks again and again; the answer that says that nobody is open. Every other closes, too.
async fn followed(ledger: reqwest::RequestBuilder, fire: Fire) -> Value {
    let begun = Instant::now();
    loop {
        tokio::time::sleep(ASK).await;
        let plan = told(ledger.try_clone().expect("a request without a body")).await;
        if let Ok(plan) = &plan {
            let states = plan["states"].as_object().expect("counts");
            let sum: u64 = states.values().filter_map(Value::as_u64).sum();
            assert_eq!(plan["matched"].as_u64(), Some(sum), "the ledger does not close: {plan}");
            assert_eq!(sum, fire.readers as u64, "{plan}");
            if plan["open"] == 0 {
                return plan.clone();
            }
        }
        assert!(begun.elapsed() < fire.within, "{plan:?}");
    }
}

/// The alert's plan; an error while whoever knows it is away.
async fn told(request: reqwest::RequestBuilder) -> Result<Value, String> {
    let answer = request.send().await.map_err(|error| error.to_string())?;
    let mut document: Value = answer.json().await.map_err(|error| error.to_string())?;
    let plan = document["plans"].get_mut(0).map(Value::take);
    plan.ok_or_else(|| document.to_string())
}

/// A confirmed subscriber, as the store writes them. The claim on the address matters to the form only.
fn record(seed: u64, n: usize) -> BatchMessage {
    const LONG_AGO: &str = "2026-01-01T00:00:00Z";
    let id = format!("{:032x}", (n as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
    let subscription = json!({ "selection": "all", "requested_at": LONG_AGO, "confirmed_at": LONG_AGO });
    let record = json!({
        "id": id,
        "address": relay::address(seed, n),
        "language": if n.is_multiple_of(4) { "zh" } else { "en" },
        "subscriptions": [subscription],
        "confirmation_sent_at": LONG_AGO,
        "consent": [{ "event": "confirmed", "at": LONG_AGO, "wording": 1 }],
    });
    let subject = subjects::subscriber(&id);
    BatchMessage { subject, headers: HeaderMap::new(), payload: record.to_string().into(), expected: Some(0) }
}
