//! What is counted of the sending. No label ever holds an address, nor the name of a domain.

use std::sync::Arc;
use std::time::Duration;

use bus::Bus;
use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use service_kit::Metrics;
use tokio_util::sync::CancellationToken;
use topology::{CONFIRMATIONS, LANE_BREAKING, LANE_DIGEST, LANE_NORMAL, LANE_RETRY, LANE_RETRY_BREAKING};

use crate::breaker::Trouble;
use crate::plan::Lane;

/// Between two looks at the queues: half of the usual time between two scrapes.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Seconds. Of an alert on a quiet day, of a list of millions, of what was tried again.
const SINCE_PLAN: [f64; 12] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3600.0, 86_400.0];
const WINDOW: [f64; 9] = [0.002, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0, 60.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfLane {
    lane: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    lane: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfConsumer {
    consumer: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Standing {
    state: &'static str,
}

pub(crate) struct Counts {
    mails: Family<Outcome, Counter>,
    since_plan: Family<OfLane, Histogram>,
    windows: Family<OfLane, Histogram>,
    retries: Family<OfLane, Counter>,
    open: Family<OfLane, Gauge>,
    waiting: Family<OfConsumer, Gauge>,
    relay: Family<Standing, Gauge>,
    pub(crate) connections: Counter,
    /// Domains that are slowed down.
    pub(crate) domains: Gauge,
}

impl Counts {
    /// Shown among `metrics` from now on.
    pub(crate) fn new(metrics: &Metrics) -> Arc<Self> {
        let counts = Self {
            mails: Family::default(),
            since_plan: Family::new_with_constructor(|| Histogram::new(SINCE_PLAN)),
            windows: Family::new_with_constructor(|| Histogram::new(WINDOW)),
            retries: Family::default(),
            open: Family::default(),
            waiting: Family::default(),
            relay: Family::default(),
            connections: Counter::default(),
            domains: Gauge::default(),
        };
        counts.relay(None);
        let Self { mails, since_plan, windows, retries, open, waiting, relay, connections, domains } = &counts;
        metrics.register("mails", "Mails to recipients of plans, by what became of each try", mails.clone());
        metrics.register("mail_seconds", "From the plan until the relay took the mail", since_plan.clone());
        metrics.register(
            "mail_window_seconds",
            "Signing a window and sending it, up to the last answer",
            windows.clone(),
        );
        metrics.register("mail_retries", "Chunks of recipients that are to be tried again", retries.clone());
        metrics.register(
            "mail_recipients_open",
            "Recipients of chunks in work here who have no answer yet",
            open.clone(),
        );
        metrics.register(
            "mail_messages_waiting",
            "Messages that wait for a worker or are in work, of all replicas",
            waiting.clone(),
        );
        metrics.register("mail_relay", "1 for the state the relay is in: ready, away or refuses", relay.clone());
        metrics.register("mail_connections_opened", "Connections opened to the relay", connections.clone());
        metrics.register(
            "mail_domains_slowed",
            "Mail domains that asked for less, and whose readers wait",
            domains.clone(),
        );
        Arc::new(counts)
    }

    /// One try: `accepted`, `deferred`, `slowed` (its domain or our standing, no attempt), `failed` or `uncertain`.
    pub(crate) fn mail(&self, lane: Lane, outcome: &'static str) {
        self.mails.get_or_create(&Outcome { lane: lane.as_str(), outcome }).inc();
    }

    /// The relay took `mails` mails of a plan of `planned`.
    pub(crate) fn accepted(&self, lane: Lane, planned: Timestamp, now: Timestamp, mails: usize) {
        let lane = lane.as_str();
        self.mails.get_or_create(&Outcome { lane, outcome: "accepted" }).inc_by(mails as u64);
        let seconds = now.duration_since(planned).as_secs_f64().max(0.0);
        let since_plan = self.since_plan.get_or_create(&OfLane { lane });
        (0..mails).for_each(|_| since_plan.observe(seconds));
    }

    pub(crate) fn window(&self, lane: Lane, took: Duration) {
        self.windows.get_or_create(&OfLane { lane: lane.as_str() }).observe(took.as_secs_f64());
    }

    pub(crate) fn retry(&self, lane: Lane) {
        self.retries.get_or_create(&OfLane { lane: lane.as_str() }).inc();
    }

    /// Recipients without an answer in a chunk that is in work; counted until the guard is dropped.
    pub(crate) fn open(self: &Arc<Self>, lane: Lane) -> Open {
        Open { gauge: self.open.get_or_create(&OfLane { lane: lane.as_str() }).clone(), recipients: 0 }
    }

    pub(crate) fn waiting(&self, consumer: &'static str, messages: u64) {
        let messages = i64::try_from(messages).unwrap_or(i64::MAX);
        self.waiting.get_or_create(&OfConsumer { consumer }).set(messages);
    }

    pub(crate) fn relay(&self, trouble: Option<Trouble>) {
        for (state, is) in [
            ("ready", trouble.is_none()),
            ("away", trouble == Some(Trouble::Away)),
            ("refuses", trouble == Some(Trouble::Refuses)),
        ] {
            self.relay.get_or_create(&Standing { state }).set(i64::from(is));
        }
    }
}

/// Recipients of one chunk who have no answer yet.
pub(crate) struct Open {
    gauge: Gauge,
    recipients: i64,
}

impl Open {
    pub(crate) fn are(&mut self, recipients: usize) {
        let recipients = i64::try_from(recipients).unwrap_or(i64::MAX);
        self.gauge.inc_by(recipients - self.recipients);
        self.recipients = recipients;
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.are(0);
    }
}

/// Counts what waits in the queues, until `shutdown`.
pub(crate) async fn watch(bus: Bus, counts: Arc<Counts>, shutdown: CancellationToken) {
    while shutdown.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
        for consumer in [&LANE_BREAKING, &LANE_NORMAL, &LANE_DIGEST, &LANE_RETRY_BREAKING, &LANE_RETRY, &CONFIRMATIONS]
        {
            // A server that is away is said elsewhere; the last count stands.
            if let Ok(backlog) = bus.backlog(consumer).await {
                counts.waiting(consumer.name, backlog.waiting + backlog.unacknowledged);
            }
        }
    }
}
