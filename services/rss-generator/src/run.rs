//! Follows the log, keeps the library up to date, serves it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use article::Article;
use article::wire::v1::Envelope;
use bus::{Bus, Tail, TailEvent};
use fetch::Networks;
use futures::FutureExt;
use jiff::Timestamp;
use service_kit::{Health, Listener, Metrics, MetricsListener};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::config::{Config, METRICS_LISTEN};
use crate::documents::Writer;
use crate::encode::Packer;
use crate::http::router;
use crate::hub::{Hub, Surroundings};
use crate::library::Library;
use crate::maker::{Maker, Wish};
use crate::receipts::{Killed, receipts};
use crate::site::Site;
use crate::state::{Changes, State};

/// Revisions taken in before documents are written: an import of thousands writes each feed a few times, not
/// thousands of times. One alone is written at once.
const BATCH: usize = 256;

/// After documents were written, as many times as long nothing is: under a flood of articles a third of one core writes,
/// and the others answer readers. An article that comes alone waits for nobody.
const REST: u32 = 2;
const LONGEST_REST: Duration = Duration::from_millis(250);

/// The longest sleep, so that a clock that was set is noticed.
const MAX_SLEEP: Duration = Duration::from_secs(60);

/// A service that is connected and bound, but does not run yet.
pub struct RssGenerator {
    pub address: std::net::SocketAddr,
    bus: Bus,
    listener: Listener,
    metrics: Metrics,
    measured: MetricsListener,
    site: Site,
    public_url: Url,
    allowed: Networks,
    client_ip_header: Option<String>,
}

/// Connects, binds and runs until `shutdown`.
///
/// # Errors
/// When NATS is not there or not provisioned, the address is taken, or serving fails.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    RssGenerator::bind(config).await?.run(shutdown).await
}

impl RssGenerator {
    /// Connects to NATS, checks the log's stream and binds the address (port 0: any free one).
    ///
    /// # Errors
    /// As [`run`].
    pub async fn bind(config: Config) -> anyhow::Result<Self> {
        let bus = Bus::connect(&config.nats, "rss-generator").await?;
        bus.verify(&topology::access("rss-generator").context("the topology knows no rss-generator")?).await?;
        let metrics = Metrics::new("rss-generator");
        let site = Site::new(&config);
        let listener = Listener::bind(config.listen, "NEWSWIRE_RSS_LISTEN").await?;
        let listener = listener.encrypted(config.tls).counted(&metrics);
        let measured = metrics.bind(config.metrics, METRICS_LISTEN).await?;
        let Config { public_url, allowed, client_ip_header, .. } = config;
        let address = listener.address;
        Ok(Self { address, bus, listener, metrics, measured, site, public_url, allowed, client_ip_header })
    }

    /// Serves until `shutdown`; what is in memory is served on while NATS is away.
    ///
    /// # Errors
    /// When the listening socket breaks.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let (packer, packing) = Packer::new();
        // Ends with the library.
        tokio::spawn(packing.run());
        let library = Arc::new(Library::new(packer));
        let health = Health::new(self.bus.clone(), false);
        let (maker, wishes) = Maker::new(library.clone());
        let tasks = TaskTracker::new();
        let surroundings = Surroundings {
            bus: self.bus.clone(),
            site: self.site.clone(),
            public_url: self.public_url,
            allowed: self.allowed,
            client_ip_header: self.client_ip_header.clone(),
            library: library.clone(),
            maker: maker.clone(),
        };
        let hub = Hub::start(surroundings, &self.metrics, &tasks, &shutdown)?;
        let routes = router(self.site.clone(), maker, self.client_ip_header).merge(hub.routes()).merge(health.routes());
        tracing::info!(address = %self.address, "serving feeds at {}", self.site.home());
        let instance = service_kit::instance(self.address);
        let follower = Follower {
            state: State::default(),
            writer: Writer::new(self.site),
            library,
            wishes,
            hub,
            sequence: 0,
            health,
            killed: Vec::new(),
            receipts: receipts(self.bus.clone(), instance, &tasks, shutdown.clone()),
        };
        let tail = self.bus.tail(&topology::ARTICLES, shutdown.clone());
        let stop = shutdown.clone().drop_guard();
        let following = tokio::spawn(async move {
            // However this ends, serving ends with it: yesterday's news under a green light is worse than an outage.
            let _stop = stop;
            follower.run(tail).await
        });
        let serving = async {
            let served = service_kit::serve(self.listener, routes, shutdown.clone()).await;
            // Without a server there is nobody to follow the log for.
            shutdown.cancel();
            served
        };
        let (served, measured) = tokio::join!(serving, self.measured.serve(shutdown.clone()));
        following.await.context("following the log panicked")??;
        tasks.close();
        tasks.wait().await;
        self.bus.close().await;
        served.and(measured)
    }
}

struct Follower {
    state: State,
    writer: Writer,
    library: Arc<Library>,
    wishes: mpsc::Receiver<Wish>,
    hub: Hub,
    /// How far the log has been taken in.
    sequence: u64,
    health: Health,
    /// Kills taken in whose documents are not written yet.
    killed: Vec<Killed>,
    receipts: mpsc::Sender<(Killed, Timestamp)>,
}

impl Follower {
    async fn run(mut self, mut tail: Tail) -> anyhow::Result<()> {
        // Taken in and not written yet; and the end of the rest.
        let (mut changes, mut rested) = (Changes::default(), Instant::now());
        loop {
            let due = self.state.next_wake().map(|at| until(at, service_kit::now()));
            let event = tokio::select! {
                event = tail.next() => match event {
                    Some(event) => Some(event),
                    None => return Ok(()),
                },
                () = tokio::time::sleep(due.unwrap_or(MAX_SLEEP)) => None,
                () = tokio::time::sleep_until(rested), if !changes.is_empty() => None,
                Some(wish) = self.wishes.recv() => {
                    // Whatever there is has been written when it changed.
                    let _ = wish.answer.send(self.library.get(&wish.key));
                    continue;
                }
            };
            let mut caught_up = event.map(|event| self.take(event, &mut changes)).unwrap_or_default();
            for _ in 1..BATCH {
                let Some(Some(event)) = tail.next().now_or_never() else { break };
                caught_up |= self.take(event, &mut changes);
            }
            changes.merge(self.state.wake(service_kit::now()));
            // Before that nothing is written: every article may have newer revisions still to come.
            if !caught_up && !self.library.is_caught_up() {
                changes = Changes::default();
            } else if caught_up || (!changes.is_empty() && Instant::now() >= rested) {
                let begin = Instant::now();
                self = self.publish(std::mem::take(&mut changes), caught_up).await?;
                rested = Instant::now() + (begin.elapsed() * REST).min(LONGEST_REST);
            }
        }
    }

    /// Takes one event in; whether it said that the log has been read to its end.
    fn take(&mut self, event: TailEvent, changes: &mut Changes) -> bool {
        match event {
            TailEvent::CaughtUp => true,
            TailEvent::Message { subject, payload, sequence, stored_at, .. } => {
                self.sequence = sequence;
                if let Some(article) = decode(&subject, &payload, sequence) {
                    let now = service_kit::now();
                    self.killed.extend(Killed::of(&article, stored_at, now));
                    changes.merge(self.state.apply(article, now));
                }
                false
            }
        }
    }

    /// Writes what has changed, off the threads that answer readers, and puts it on the shelf.
    async fn publish(mut self, changes: Changes, caught_up: bool) -> anyhow::Result<Self> {
        let (mut follower, fresh) = tokio::task::spawn_blocking(move || {
            let now = service_kit::now();
            let drafts = if caught_up {
                self.writer.write_all(&self.state, &self.library, now)
            } else {
                self.writer.write(&self.state, &changes, &self.library, now)
            };
            let fresh = self.library.replace(drafts, now);
            (self, fresh)
        })
        .await
        .context("writing documents panicked")?;
        if caught_up {
            follower.library.set_caught_up();
            follower.health.caught_up();
            tracing::info!(articles = follower.state.ids().count(), documents = fresh.len(), "caught up with the log");
        }
        follower.hub.changed(&fresh, follower.sequence);
        // Now nothing that is served holds the text. Without the receipts' task the service is stopping.
        let applied_at = service_kit::now();
        for killed in std::mem::take(&mut follower.killed) {
            let _ = follower.receipts.send((killed, applied_at)).await;
        }
        Ok(follower)
    }
}

/// A message that is no article of ours is skipped: one bad message must not stop the news.
fn decode(subject: &str, payload: &[u8], sequence: u64) -> Option<Article> {
    match Envelope::from_bytes(payload) {
        Ok(envelope) => Some(envelope.data),
        Err(error) => {
            tracing::error!(subject, sequence, %error, "the log holds a message that is no article; it is skipped");
            None
        }
    }
}

/// How long to sleep until `at`.
fn until(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or_default().min(MAX_SLEEP)
}
