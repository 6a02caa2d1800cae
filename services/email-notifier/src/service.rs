//! The service: bound first, then run until told to stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use article::Status;
use article::wire::v1::Envelope;
use bus::{Bus, Delivery, TailEvent};
use futures::FutureExt;
use mail::Relay;
use mail::dkim::{Record, Signer};
use mail::smtp::{Auth, Timeouts, Tls};
use service_kit::{Health, Listener, Metrics, MetricsListener};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use topology::{
    ARTICLES, CONFIRMATIONS, JOBS, LANE_BREAKING, LANE_DIGEST, LANE_NORMAL, LANE_RETRY, LANE_RETRY_BREAKING,
    LANE_RETRY_DIGEST, PLANNER, subjects,
};

use crate::asks::Asks;
use crate::cap::Caps;
use crate::catalogue::Catalogue;
use crate::config::{Config, METRICS_LISTEN, RelayConfig, RelayTls};
use crate::confirmations::Confirmations;
use crate::control::Controls;
use crate::counts::{self, Counts};
use crate::digest::issues::DigestIssues;
use crate::digest::items::Items;
use crate::digest::news::News;
use crate::digest::run::Runner;
use crate::follow::Follower;
use crate::guard::Guard;
use crate::inbound::{self, Gate, Lmtp};
use crate::issues::Issues;
use crate::links::Keys;
use crate::planner::{Planner, Turns};
use crate::pool::Pool;
use crate::readers::Readers;
use crate::samples::Samples;
use crate::signing::Signing;
use crate::store::Store;
use crate::subscribers::Desk;
use crate::vault::Vault;
use crate::web::{self, Web};
use crate::worker::Worker;

/// Chunks in work at one time, by lane. Each has a connection of its own, so that breaking news finds one free.
const BREAKING_WORKERS: usize = 4;
const NORMAL_WORKERS: usize = 4;
const DIGEST_WORKERS: usize = 2;
const RETRY_WORKERS: usize = 2;
const DIGEST_RETRY_WORKERS: usize = 1;
const CONFIRMATION_WORKERS: usize = 2;
/// Plans in the making at one time; `planner::turns` sees to it that one is free for breaking news.
const PLANNERS: usize = 4;

/// A relay may scan a mail for minutes before it answers; whoever hangs up sooner sends it twice (RFC 5321 section
/// 4.5.3.2.6).
const MIN_CONTENT_TIMEOUT: Duration = Duration::from_secs(600);

/// A service that has its port and its server.
pub struct EmailNotifier {
    config: Config,
    bus: Bus,
    listener: Listener,
    metrics: Metrics,
    measured: MetricsListener,
    lmtp: Option<Lmtp>,
}

/// Tails that must be caught up before anything is planned: subscribers, articles, plans, controls, news.
const TAILS: u32 = 5;

/// What the tails keep in memory.
struct Memory {
    readers: Arc<Readers>,
    catalogue: Arc<Catalogue>,
    issues: Arc<Issues>,
    guard: Arc<Guard>,
    controls: Arc<Controls>,
    caps: Arc<Caps>,
    news: Arc<News>,
    items: Arc<Items>,
    digests: Arc<DigestIssues>,
}

/// Who works off what.
struct Work {
    worker: Worker,
    planner: Planner,
    runner: Runner,
    confirmations: Confirmations,
}

impl EmailNotifier {
    /// Connects, checks the server against the topology, and binds the port.
    ///
    /// # Errors
    /// When the server is away, too old or not provisioned, or the port is taken; the text says what to do.
    pub async fn bind(config: Config) -> anyhow::Result<Self> {
        let bus = Bus::connect(&config.nats, "email-notifier").await?;
        let access = topology::access("email-notifier").context("the topology does not know this service")?;
        bus.verify(&access).await?;
        let listener = Listener::bind(config.listen, "NEWSWIRE_EMAIL_LISTEN").await?;
        let metrics = Metrics::new("email-notifier");
        let listener = listener.encrypted(config.tls.clone()).counted(&metrics);
        let measured = metrics.bind(config.metrics, METRICS_LISTEN).await?;
        let lmtp = match config.inbound.lmtp {
            Some(address) => Some(Lmtp::bind(address).await?),
            None => None,
        };
        Ok(Self { config, bus, listener, metrics, measured, lmtp })
    }

    /// Where it listens; port 0 has become a real one.
    pub fn address(&self) -> SocketAddr {
        self.listener.address
    }

    /// Where its metrics are read, if anywhere.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.measured.address()
    }

    /// Where the site's mail system hands in what comes back.
    pub fn lmtp_address(&self) -> Option<SocketAddr> {
        self.lmtp.as_ref().map(|lmtp| lmtp.address)
    }

    /// Serves, plans and sends until `shutdown`; then finishes what it began.
    ///
    /// # Errors
    /// When the listening socket breaks.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let Self { config, bus, listener, metrics, measured, lmtp } = self;
        let keys = Keys::new(config.secret.expose().as_bytes());
        let store = Store::new(bus.clone(), keys.clone(), config.zone.clone());
        let memory = Memory {
            readers: Arc::new(Readers::new()),
            catalogue: Arc::default(),
            issues: Arc::new(Issues::new(config.site.clone())),
            guard: Arc::new(Guard::new(config.guard)),
            controls: Arc::default(),
            caps: Arc::new(Caps::new()),
            news: Arc::new(News::new()),
            items: Arc::new(Items::new()),
            digests: Arc::new(DigestIssues::new()),
        };
        let signing = signing(config.dkim.as_ref())?;
        let counts = Counts::new(&metrics);
        let relay = relay(&config.relay, config.site.mail_domain());
        let pool = Arc::new(Pool::new(relay, signing, counts.clone()));
        let health = Health::new(bus.clone(), true);
        tracing::info!(address = %listener.address, url = %config.public_url, "subscribe pages");

        let pages = Web::new(&config, store.clone(), keys.clone(), memory.catalogue.clone());
        let gate = Arc::new(Gate::new(bus.clone(), keys.clone(), store.clone(), config.site.mail_domain(), &metrics));
        let webhooks = inbound::webhooks(gate.clone(), &config.inbound, &config.public_url)?;
        let router = web::router(pages).merge(webhooks).merge(health.routes());
        let mut tasks = JoinSet::new();
        tasks.spawn(inbound::consumer::run(bus.clone(), store.clone(), shutdown.clone()));
        if let Some(lmtp) = lmtp {
            tracing::info!(address = %lmtp.address, "LMTP");
            tasks.spawn(lmtp.run(gate, shutdown.clone()));
        }
        tasks.spawn(counts::watch(bus.clone(), counts.clone(), shutdown.clone()));
        let caught_up = memory.follow(&bus, store.vault(), &mut tasks, shutdown.clone());
        let confirmations = Confirmations {
            store,
            keys: keys.clone(),
            pool: pool.clone(),
            catalogue: memory.catalogue.clone(),
            site: config.site.clone(),
            public_url: config.public_url.clone(),
            shutdown: shutdown.clone(),
        };
        let instance = service_kit::instance(listener.address);
        let planner = Planner {
            bus: bus.clone(),
            readers: memory.readers.clone(),
            guard: memory.guard.clone(),
            controls: memory.controls.clone(),
            caps: memory.caps.clone(),
            turns: Turns::new(),
            news: memory.news.clone(),
            instance,
        };
        let worker = Worker {
            bus: bus.clone(),
            readers: memory.readers.clone(),
            issues: memory.issues.clone(),
            catalogue: memory.catalogue.clone(),
            controls: memory.controls.clone(),
            items: memory.items.clone(),
            digests: memory.digests.clone(),
            pool: pool.clone(),
            counts,
            keys,
            public_url: config.public_url,
            by_mail: config.inbound.lmtp.is_some(),
            shutdown: shutdown.clone(),
        };
        let runner = Runner {
            bus: bus.clone(),
            readers: memory.readers.clone(),
            news: memory.news.clone(),
            caps: memory.caps.clone(),
        };
        let all = Work { worker, planner, runner, confirmations };
        tasks.spawn(work(bus.clone(), all, caught_up, health, shutdown.clone()));
        let stop = shutdown.clone();
        let mut serving = std::pin::pin!(async move {
            let readers = async {
                let served = service_kit::serve(listener, router, stop.clone()).await;
                // Without pages there is nobody to be measured.
                stop.cancel();
                served
            };
            let (served, scraped) = tokio::join!(readers, measured.serve(stop.clone()));
            served.and(scraped)
        });
        let served = tokio::select! {
            served = &mut serving => served,
            // A task that ends by itself has panicked; an index that stands still must not look ready.
            ended = tasks.join_next() => {
                shutdown.cancel();
                ended.transpose().context("a task of the service panicked")?;
                serving.await
            }
        };
        shutdown.cancel();
        while let Some(ended) = tasks.join_next().await {
            ended.context("a task of the service panicked")?;
        }
        pool.close().await;
        bus.close().await;
        served
    }
}

impl Memory {
    /// Follows the logs of subscribers, articles, plans and their controls; the answer turns to [`TAILS`] once all are
    /// caught up.
    fn follow(
        &self,
        bus: &Bus,
        vault: Vault,
        tasks: &mut JoinSet<()>,
        shutdown: CancellationToken,
    ) -> watch::Receiver<u32> {
        let (caught_up, receiver) = watch::channel(0);
        let caught_up = Arc::new(caught_up);
        let follower = Follower { bus: bus.clone(), vault, readers: self.readers.clone() };
        let done = caught_up.clone();
        tasks.spawn(follower.run(move || done.send_modify(|count| *count += 1), shutdown.clone()));
        let (done, tail) = (caught_up.clone(), bus.tail_subject(&JOBS, subjects::CONTROLS, shutdown.clone()));
        let controls = self.controls.clone();
        tasks.spawn(async move { controls.follow(tail, || done.send_modify(|count| *count += 1)).await });
        let (done, tail) = (caught_up.clone(), bus.tail_subject(&JOBS, subjects::PLANS, shutdown.clone()));
        let guard = self.guard.clone();
        tasks.spawn(async move { guard.follow(tail, || done.send_modify(|count| *count += 1)).await });
        let (done, tail) = (caught_up.clone(), bus.tail_subject(&JOBS, subjects::PLANNED, shutdown.clone()));
        let news = self.news.clone();
        tasks.spawn(async move { news.follow(tail, || done.send_modify(|count| *count += 1)).await });
        // Nobody waits for it at once: whoever plans, or makes digests, waits for what they need of it.
        let caps = self.caps.clone();
        let tail = bus.tail_subject(&JOBS, subjects::CAPPED, shutdown.clone());
        tasks.spawn(async move { caps.follow(tail).await });
        let (catalogue, issues) = (self.catalogue.clone(), self.issues.clone());
        let (items, digests) = (self.items.clone(), self.digests.clone());
        let mut articles = bus.tail(&ARTICLES, shutdown);
        tasks.spawn(async move {
            while let Some(event) = articles.next().await {
                match event {
                    TailEvent::CaughtUp => caught_up.send_modify(|count| *count += 1),
                    TailEvent::Message { payload, sequence, .. } => {
                        // Whoever publishes and whoever plans reports what does not read; a name is not worth a second word.
                        if let Ok(envelope) = Envelope::from_bytes(&payload) {
                            catalogue.learn(&envelope.data);
                            items.learn(&envelope.data, sequence, issues.site());
                            if envelope.data.status == Status::Killed {
                                issues.forget(envelope.data.id);
                                digests.forget(envelope.data.id);
                            }
                        }
                        items.saw(sequence);
                    }
                }
            }
        });
        receiver
    }
}

/// Plans and sends once everything is in memory: half an index would leave readers out.
async fn work(bus: Bus, all: Work, mut caught_up: watch::Receiver<u32>, health: Health, shutdown: CancellationToken) {
    let complete = async { caught_up.wait_for(|count| *count == TAILS).await.is_ok() };
    if shutdown.run_until_cancelled(complete).await != Some(true) {
        return;
    }
    health.caught_up();
    let Work { worker, planner, runner, confirmations } = all;
    let (readers, news) = (planner.readers.clone(), planner.news.clone());
    let store = confirmations.store.clone();
    let samples = Samples::of(bus.clone(), &confirmations);
    let chunk = {
        let worker = worker.clone();
        move |delivery: Arc<Delivery>| {
            let worker = worker.clone();
            async move { Box::pin(worker.handle_chunk(&delivery)).await }
        }
    };
    let retry = move |delivery: Arc<Delivery>| {
        let worker = worker.clone();
        async move { Box::pin(worker.handle_retry(&delivery)).await }
    };
    let plan = move |delivery: Arc<Delivery>| {
        let planner = planner.clone();
        async move { planner.handle(&delivery).await }
    };
    let confirm = move |delivery: Arc<Delivery>| {
        let confirmations = confirmations.clone();
        async move { Box::pin(confirmations.handle(&delivery)).await }
    };
    // Half an index would count half of the readers; until now nobody has answered.
    let asks = Asks { bus: bus.clone(), readers, store: store.clone(), news: news.clone() };
    let newsroom = move |question: bytes::Bytes| {
        let asks = asks.clone();
        async move { asks.answer(&question).await }.boxed()
    };
    let desk = Desk { bus: bus.clone(), store, news };
    let operator = move |question: bytes::Bytes| {
        let (desk, samples) = (desk.clone(), samples.clone());
        async move {
            Some(match samples.answer(&question) {
                Some(sample) => sample.await,
                None => desk.answer(&question).await,
            })
        }
        .boxed()
    };
    let stop = || shutdown.clone();
    tokio::join!(
        bus.consume(&LANE_BREAKING, BREAKING_WORKERS, chunk.clone(), stop()),
        bus.consume(&LANE_NORMAL, NORMAL_WORKERS, chunk.clone(), stop()),
        bus.consume(&LANE_DIGEST, DIGEST_WORKERS, chunk, stop()),
        bus.consume(&LANE_RETRY_BREAKING, RETRY_WORKERS, retry.clone(), stop()),
        bus.consume(&LANE_RETRY, RETRY_WORKERS, retry.clone(), stop()),
        bus.consume(&LANE_RETRY_DIGEST, DIGEST_RETRY_WORKERS, retry, stop()),
        runner.run(stop()),
        bus.consume(&PLANNER, PLANNERS, plan, stop()),
        bus.consume(&CONFIRMATIONS, CONFIRMATION_WORKERS, confirm, stop()),
        bus.answer(subjects::ASK_SUBSCRIBERS, operator, stop()),
        bus.answer(subjects::ASK_MAIL, newsroom, stop()),
    );
}

/// Says what receivers must find: a record that is missing or another key's makes every mail a forged one to them.
fn signing(signer: Option<&Arc<Signer>>) -> anyhow::Result<Option<Signing>> {
    let Some(signer) = signer else { return Ok(None) };
    for Record { name, value } in signer.records() {
        tracing::info!(name, value, "mails are signed (DKIM); this TXT record must be in the DNS");
    }
    Signing::start(signer).map(Some).context("no threads to sign mails with")
}

pub(crate) fn relay(config: &RelayConfig, hello: &str) -> Relay {
    let tls = match config.tls {
        RelayTls::None => Tls::None,
        RelayTls::StartTls => Tls::StartTls { extra_roots: config.roots.clone() },
        RelayTls::Implicit => Tls::Implicit { extra_roots: config.roots.clone() },
    };
    let auth = config.user.clone().zip(config.password.as_ref());
    Relay {
        host: config.host.clone(),
        port: config.port,
        tls,
        auth: auth.map(|(user, password)| Auth { user, password: password.expose().to_owned() }),
        hello: hello.to_owned(),
        timeouts: Timeouts {
            connect: config.timeout,
            command: config.timeout,
            content: (config.timeout * 2).max(MIN_CONTENT_TIMEOUT),
        },
    }
}
