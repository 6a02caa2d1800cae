//! The newsroom's door: an HTTP API that takes articles and writes them, durably and once, to the log.
//!
//! ```text
//! http/ (what HTTP says)  →  desk (what happens to an article)  →  bus (the log)
//! token/ (who may)            refusal (why not, as RFC 9457 problems)
//! index (which articles there are)
//! ```
//! It keeps no state: the log is the state, and the tokens are a copy of theirs. Any number of replicas may run.

mod config;
mod desk;
mod http;
mod index;
mod openapi;
mod refusal;
pub mod token;
pub mod webhook;

use std::net::SocketAddr;

use anyhow::Context;
use bus::Bus;
use service_kit::{Health, Listener, Secret, serve};
use tokio_util::sync::CancellationToken;

pub use config::{Config, PREFIX};
pub use openapi::openapi;

use crate::desk::Desk;
use crate::http::App;
use crate::index::Index;
use crate::token::{Registry, Uses};
use crate::webhook::{Deliveries, Hooks, Webhooks};

/// A publisher that has its port and its server, and does not serve yet.
pub struct Publisher {
    bus: Bus,
    listener: Listener,
    webhook_secret: Option<Secret>,
}

impl Publisher {
    /// Takes the port, connects to NATS and checks that everything the publisher needs is there.
    ///
    /// # Errors
    /// When the port is taken, NATS cannot be reached or differs from the topology; the text says what to do.
    pub async fn bind(config: Config) -> anyhow::Result<Self> {
        let listener = Listener::bind(config.listen, config::LISTEN).await?.encrypted(config.tls);
        let bus = Bus::connect(&config.nats, "publisher").await?;
        let access = topology::access("publisher").context("the topology does not know the publisher")?;
        bus.verify(&access).await?;
        Ok(Self { bus, listener, webhook_secret: config.webhook_secret })
    }

    /// Where it will listen; port 0 has become a real one.
    pub fn address(&self) -> SocketAddr {
        self.listener.address
    }

    /// Serves until `shutdown`, then finishes the requests under way.
    ///
    /// # Errors
    /// When the listening socket breaks.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let health = Health::new(self.bus.clone(), true);
        let registry = Registry::default();
        // Requests under way still need their tokens, so the registry follows until the last one is answered.
        let following = CancellationToken::new();
        let _dropped = following.clone().drop_guard();
        let follower = tokio::spawn(registry.clone().follow(self.bus.clone(), health.clone(), following.clone()));
        let index = Index::default();
        let indexer = tokio::spawn(index.clone().follow(self.bus.clone(), following.clone()));
        let (uses, writing) = Uses::new(self.bus.clone(), following.clone());
        let writer = tokio::spawn(writing);
        let desk = Desk::new(self.bus.clone());
        let (hooks, deliveries) = (Hooks::default(), Deliveries::new(desk.clone()));
        let hooking = tokio::spawn(hooks.clone().follow(self.bus.clone(), following.clone()));
        let webhooks = Webhooks { master: self.webhook_secret, hooks, deliveries: deliveries.clone() };
        let router = http::router(App::new(self.bus.clone(), desk.clone(), registry, uses, index, webhooks), &health);
        let working = shutdown.child_token();
        let hours = tokio::spawn(desk.keep_hours(working.clone()));
        tracing::info!("publisher listens on {}", self.listener.url());
        let served = serve(self.listener, router, shutdown).await;
        deliveries.finish().await;
        working.cancel();
        hours.await.context("the desk panicked")?;
        following.cancel();
        follower.await.context("the follower of the tokens panicked")?;
        indexer.await.context("the follower of the articles panicked")?;
        hooking.await.context("the follower of the webhooks panicked")?;
        writer.await.context("the writer of the tokens' uses panicked")?;
        self.bus.close().await;
        served
    }
}

/// [`Publisher::bind`] and [`Publisher::run`].
///
/// # Errors
/// As theirs.
pub async fn run(config: Config, shutdown: CancellationToken) -> anyhow::Result<()> {
    Publisher::bind(config).await?.run(shutdown).await
}
