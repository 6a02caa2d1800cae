//! Follows the log, keeps the library up to date, serves it.

use std::sync::{Arc, Weak};
use std::time::Duration;

use anyhow::Context;
use article::Article;
use article::wire::v1::Envelope;
use bus::{Bus, Tail, TailEvent};
use futures::FutureExt;
use jiff::Timestamp;
use service_kit::{Health, Listener, Metrics, MetricsListener};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::config::{Config, METRICS_LISTEN};
use crate::documents::Writer;
use crate::http::router;
use crate::library::{Document, Library};
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

/// A document is compressed when it has stood this long. In a flood most are replaced before, and compressing takes
/// longer than writing.
const STOOD: Duration = Duration::from_millis(200);

/// Batches of documents that may wait to be compressed.
const COMPRESS_AHEAD: usize = 256;

/// The longest sleep, so that a clock that was set is noticed.
const MAX_SLEEP: Duration = Duration::from_secs(60);

/// A service that is connected and bound, but does not run yet.
pub struct RssGenerator {
    pub address: std::net::SocketAddr,
    bus: Bus,
    listener: Listener,
    metrics: MetricsListener,
    site: Site,
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
        let metrics = metrics.bind(config.metrics, METRICS_LISTEN).await?;
        Ok(Self { address: listener.address, bus, listener, metrics, site })
    }

    /// Serves until `shutdown`; what is in memory is served on while NATS is away.
    ///
    /// # Errors
    /// When the listening socket breaks.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let library = Arc::new(Library::default());
        let health = Health::new(self.bus.clone(), false);
        let (maker, wishes) = Maker::new(library.clone());
        let routes = router(self.site.clone(), maker).merge(health.routes());
        tracing::info!(address = %self.address, "serving feeds at {}", self.site.home());
        let tasks = TaskTracker::new();
        let instance = service_kit::instance(self.address);
        let follower = Follower {
            state: State::default(),
            writer: Writer::new(self.site),
            library,
            wishes,
            health,
            compressor: compressor(),
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
        let (served, measured) = tokio::join!(serving, self.metrics.serve(shutdown.clone()));
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
    health: Health,
    compressor: mpsc::Sender<(Instant, Vec<Weak<Document>>)>,
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
        // Now nothing that is served holds the text. Without the receipts' task the service is stopping.
        let applied_at = service_kit::now();
        for killed in std::mem::take(&mut follower.killed) {
            let _ = follower.receipts.send((killed, applied_at)).await;
        }
        let fresh = fresh.iter().map(|(_, document)| Arc::downgrade(document)).collect();
        // The compressor ends with this sender, not before; if it died, documents go out as they are.
        if follower.compressor.send((Instant::now(), fresh)).await.is_err() {
            tracing::error!("documents are no longer compressed; restart the service");
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

/// Compresses documents one after the other, those that are still served when they have stood long enough.
fn compressor() -> mpsc::Sender<(Instant, Vec<Weak<Document>>)> {
    let (sender, mut batches) = mpsc::channel::<(Instant, Vec<Weak<Document>>)>(COMPRESS_AHEAD);
    tokio::task::spawn_blocking(move || {
        while let Some((written, batch)) = batches.blocking_recv() {
            std::thread::sleep(STOOD.saturating_sub(written.elapsed()));
            batch.iter().filter_map(Weak::upgrade).for_each(|document| document.compress());
        }
    });
    sender
}
