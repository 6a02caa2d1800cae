//! feed-reader: reads upstream feeds for one publisher and sends what is new to the publisher's API, as any client would.
//!
//! ```text
//! source (what the operator entered) ─▶ scheduler ─▶ turn: fetch ─▶ upstream (bytes to items) ─▶ item ─▶ deliver ─▶ publisher
//!                                          ▲                                                    │
//! hub ─▶ http (WebSub) ─ announcement ─────┘            intake (state, items, leases) ◀─────────┘
//! ```
//! All it knows is in the log: any number of instances may run, one source is read by one of them at a time, and what
//! an instance leaves unfinished another finishes.

mod config;
mod deliver;
mod hosts;
mod http;
mod intake;
mod item;
mod publisher;
pub mod quarantine;
mod scheduler;
pub mod source;
pub mod state;
mod subscribe;
mod turn;
mod websub;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use article::PublisherId;
use axum::Router;
use bus::Bus;
use fetch::{Fetcher, Guard, Limits};
use service_kit::{Health, Listener, serve};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

pub use config::{Config, PREFIX};
pub use fetch::Networks;

use crate::http::{Announcement, Hooks, WAITING, router};
use crate::intake::Intake;
use crate::publisher::Publisher;
use crate::scheduler::Scheduler;
use crate::subscribe::Subscriber;
use crate::turn::Reader;
use crate::websub::Keys;

/// Pause before the publisher is asked again who we are.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// A feed-reader that has its port and its server, and does not read yet.
pub struct FeedReader {
    bus: Bus,
    listener: Listener,
    publisher: Publisher,
    fetcher: Fetcher,
    config: Config,
}

impl FeedReader {
    /// Takes the port, connects to NATS and checks that everything that is needed is there.
    ///
    /// # Errors
    /// When the port is taken, NATS cannot be reached or differs from the topology; the text says what to do.
    pub async fn bind(config: Config) -> anyhow::Result<Self> {
        let listener = Listener::bind(config.listen, config::LISTEN).await?;
        let bus = Bus::connect(&config.nats, "feed-reader").await?;
        bus.verify(&topology::access("feed-reader").context("the topology knows no feed-reader")?).await?;
        let publisher = Publisher::new(config.publisher_url.clone(), config.token.clone())?;
        let agent = format!("newswire-feed-reader/{} (+{})", env!("CARGO_PKG_VERSION"), config.contact_url);
        let fetcher = Fetcher::new(&agent, Guard::new(config.allowed.0.clone()), Limits::default())?;
        Ok(Self { bus, listener, publisher, fetcher, config })
    }

    /// Where it will listen; port 0 has become a real one.
    pub fn address(&self) -> SocketAddr {
        self.listener.address
    }

    /// Reads until `shutdown`, then finishes what it began.
    ///
    /// # Errors
    /// When the listening socket breaks.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let health = Health::new(self.bus.clone(), true);
        let (announcements, waiting) = mpsc::channel(WAITING);
        let hooks = Hooks::new(Keys::new(self.config.token.clone()), announcements);
        let routes = match self.config.public_url {
            Some(_) => router(hooks.clone()),
            None => Router::new(),
        };
        let routes = routes.merge(health.routes());
        tracing::info!("feed-reader listens on http://{}", self.listener.address);
        let instance = service_kit::instance(self.listener.address);
        let bus = self.bus.clone();
        let (publisher, fetcher, config, until) = (self.publisher, self.fetcher, self.config, shutdown.clone());
        let reading = tokio::spawn(async move {
            // However this ends, serving ends with it: a green light over a reader that reads nothing helps nobody.
            let _stop = until.clone().drop_guard();
            let Some(owner) = until.run_until_cancelled(owner(&publisher)).await else { return Ok(()) };
            tracing::info!("reads the sources of {owner}");
            let intake = Arc::new(Intake::new(bus, owner));
            let keys = Keys::new(config.token);
            let subscriber = config.public_url.map(|public_url| Subscriber { keys, public_url });
            let reader = Reader { intake: intake.clone(), publisher, fetcher, subscriber, instance };
            let ready = move || {
                // Not before: of a source that was not seen yet a hub would be told that it is gone.
                hooks.admit(intake);
                health.caught_up();
            };
            read(Arc::new(reader), waiting, ready, until).await
        });
        let served = serve(self.listener, routes, shutdown.clone()).await;
        // Without a server nobody sees how it is.
        shutdown.cancel();
        reading.await.context("reading sources panicked")??;
        self.bus.close().await;
        served
    }
}

/// Follows the sources and reads them until `shutdown`; says that it is `ready` once it knows them all.
async fn read(
    reader: Arc<Reader>,
    announcements: mpsc::Receiver<Announcement>,
    ready: impl FnOnce(),
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    // Following goes on until the last turn has noted what it did, and reading does not go on without it.
    let following_until = CancellationToken::new();
    let (caught_up, all_seen) = oneshot::channel();
    let follower = tokio::spawn({
        let (intake, until, stop) = (reader.intake.clone(), following_until.clone(), shutdown.clone().drop_guard());
        async move {
            let _stop = stop;
            // Whoever waits for it may have stopped waiting.
            intake.follow(|| caught_up.send(()).unwrap_or_default(), until).await;
        }
    });
    if let Some(Ok(())) = shutdown.run_until_cancelled(all_seen).await {
        ready();
        Scheduler::new(reader).run(announcements, shutdown).await;
    }
    following_until.cancel();
    follower.await.context("following the sources panicked")
}

/// Whom our token speaks for; it is asked for until the publisher says it.
async fn owner(publisher: &Publisher) -> PublisherId {
    loop {
        match publisher.owner().await {
            Ok(owner) => return owner,
            Err(error) => tracing::warn!("the publisher does not say whose sources to read: {error}"),
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
}

/// [`FeedReader::bind`] and [`FeedReader::run`].
///
/// # Errors
/// As theirs.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    FeedReader::bind(config).await?.run(shutdown).await
}
