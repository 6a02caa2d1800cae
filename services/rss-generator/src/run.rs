//! Puts the service together: the log on one side, readers on the other.

use std::sync::Arc;

use anyhow::Context;
use bus::Bus;
use fetch::Networks;
use service_kit::{Health, Listener, Metrics, MetricsListener};
use subscription::Selection;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;

use crate::config::{Config, METRICS_LISTEN};
use crate::counts::Counts;
use crate::encode::Packer;
use crate::follow::Follower;
use crate::http::router;
use crate::hub::{Hub, Surroundings};
use crate::library::Library;
use crate::maker::Maker;
use crate::reading::read_all;
use crate::receipts::receipts;
use crate::site::Site;
use crate::stand::Stand;

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
    pinned: Vec<Selection>,
    memory: usize,
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
        let Config { public_url, allowed, client_ip_header, pinned, memory, .. } = config;
        let address = listener.address;
        Ok(Self {
            address,
            bus,
            listener,
            metrics,
            measured,
            site,
            public_url,
            allowed,
            client_ip_header,
            pinned,
            memory,
        })
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
        let receipts = receipts(self.bus.clone(), instance, &tasks, shutdown.clone());
        let counts = Counts::default();
        counts.register(&self.metrics);
        let stand = Stand::new(self.site, library.clone(), self.pinned, self.memory, counts);
        let follower = Follower::new(stand, library, wishes, health, hub, receipts);
        let log = read_all(self.bus.tail(&topology::ARTICLES, shutdown.clone()));
        let stop = shutdown.clone().drop_guard();
        let following = tokio::spawn(async move {
            // However this ends, serving ends with it: yesterday's news under a green light is worse than an outage.
            let _stop = stop;
            follower.run(log).await
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
