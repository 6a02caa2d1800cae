//! The WebSub hub (W3C Recommendation, 23 January 2018) of our own feeds: who subscribes is sent what changed, as it does.
//!
//! What is to be done stands in the stream HUB, so any replica can do it and none is missed: a record for each subscriber,
//! what he has been sent, and one call, replaced by the next, that says to look after him. It delivers states, not
//! events: he should have the current version, however many there were in between. Nothing in HUB holds a word of an
//! article; what is posted is read from the library at that moment, so what was killed is not sent any more.

mod announce;
mod callback;
mod due;
mod hosts;
mod index;
mod metrics;
mod record;
mod request;
mod store;
mod topic;
mod web;
mod worker;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use bus::{Bus, Delivery};
use fetch::{Guard, Networks};
use service_kit::{Limit, Metrics};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use topology::HUB_DELIVERIES;
use url::Url;

use crate::document::Document;
use crate::hub::announce::Announcer;
use crate::hub::callback::Caller;
use crate::hub::hosts::Hosts;
use crate::hub::index::Index;
use crate::hub::metrics::Counts;
use crate::hub::store::Store;
use crate::hub::worker::Worker;
use crate::library::{Key, Library};
use crate::maker::Maker;
use crate::site::Site;

/// Calls in work at one time. Most of a worker's time is a subscriber's; a host that hangs holds four.
const WORKERS: usize = 32;

/// The hub; a clone is the same hub.
#[derive(Clone)]
pub(crate) struct Hub {
    store: Store,
    index: Arc<Index>,
    applied: Arc<AtomicU64>,
    news: Arc<Notify>,
    counts: Arc<Counts>,
    /// Who subscribes is known: until then nobody can say how many there are.
    known: CancellationToken,
    home: Arc<Url>,
    guard: Guard,
    client_ip_header: Option<Arc<str>>,
    /// Requests of one client: a reader of many feeds starts with a hundred, and makes a feed's each second.
    clients: Arc<Limit<IpAddr>>,
    /// Questions to one host, whoever caused them.
    callbacks: Arc<Limit<String>>,
}

/// What the hub needs to know of its surroundings.
pub(crate) struct Surroundings {
    pub(crate) bus: Bus,
    pub(crate) site: Site,
    pub(crate) public_url: Url,
    /// Networks beside the public internet that subscribers may be in.
    pub(crate) allowed: Networks,
    pub(crate) client_ip_header: Option<String>,
    pub(crate) library: Arc<Library>,
    pub(crate) maker: Maker,
}

impl Hub {
    /// Starts the hub; `tasks` has what works in it until `shutdown`.
    ///
    /// # Errors
    /// When the system's roots of trust cannot be read.
    pub(crate) fn start(
        surroundings: Surroundings,
        metrics: &Metrics,
        tasks: &TaskTracker,
        shutdown: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let Surroundings { bus, site, public_url, allowed, client_ip_header, library, maker } = surroundings;
        let (guard, counts) = (Guard::new(allowed.0), Counts::new(metrics));
        let caller = Caller::new(&site.home(), site.hub(), guard.clone()).context("subscribers cannot be called")?;
        let hub = Self {
            store: Store::new(bus.clone()),
            index: Arc::default(),
            applied: Arc::default(),
            news: Arc::default(),
            counts,
            known: CancellationToken::new(),
            home: Arc::new(public_url),
            guard,
            client_ip_header: client_ip_header.map(Into::into),
            clients: Arc::new(Limit::new(100, Duration::from_secs(1))),
            callbacks: Arc::new(Limit::new(100, Duration::from_secs(1))),
        };
        let announcer = Announcer {
            bus: bus.clone(),
            store: hub.store.clone(),
            index: hub.index.clone(),
            library,
            maker: maker.clone(),
            applied: hub.applied.clone(),
            counts: hub.counts.clone(),
            news: hub.news.clone(),
            strange: Arc::default(),
        };
        let worker = Worker {
            store: hub.store.clone(),
            site,
            maker,
            caller,
            hosts: Hosts::default(),
            applied: hub.applied.clone(),
            counts: hub.counts.clone(),
        };
        tasks.spawn(run(bus, announcer, worker, hub.known.clone(), shutdown.clone()));
        Ok(hub)
    }

    /// `GET` and `POST /hub`.
    pub(crate) fn routes(&self) -> Router {
        web::routes(self.clone())
    }

    /// Takes in that these documents are served from now on, and that the library has come to `sequence` in the log of
    /// articles. Never waits.
    pub(crate) fn changed(&self, fresh: &[(Key, Arc<Document>)], sequence: u64) {
        // Behind what is served, so that no worker takes an old version for that of this place in the log.
        self.applied.fetch_max(sequence, Ordering::AcqRel);
        let news = fresh.iter().filter(|(key, document)| self.index.changed(key, &document.tag)).count();
        if news > 0 {
            self.news.notify_one();
        }
    }
}

async fn run(bus: Bus, announcer: Announcer, worker: Worker, known: CancellationToken, shutdown: CancellationToken) {
    let worker = Arc::new(worker);
    let handle = move |delivery: Arc<Delivery>| {
        let worker = worker.clone();
        async move { Box::pin(worker.handle(&delivery)).await }
    };
    let (stop, sent) = (|| shutdown.clone(), CancellationToken::new());
    // Whether somebody was forgotten can be told once both are known.
    let look = async {
        let both = async {
            known.cancelled().await;
            sent.cancelled().await;
        };
        if shutdown.run_until_cancelled(both).await.is_some() {
            announcer.clone().look(stop()).await;
        }
    };
    tokio::join!(
        announcer.clone().follow_subscriptions(known.clone(), stop()),
        announcer.clone().follow_progress(sent.clone(), stop()),
        announcer.clone().announce(stop()),
        look,
        bus.consume(&HUB_DELIVERIES, WORKERS, handle, stop()),
    );
}
