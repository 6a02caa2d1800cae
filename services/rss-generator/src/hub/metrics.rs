//! What the hub counts.

use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use service_kit::Metrics;

/// Seconds. A delivery is part of a second; what is retried may take an hour and more.
const BUCKETS: [f64; 12] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 600.0, 3600.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Clone)]
pub(crate) struct Counts {
    deliveries: Family<Outcome, Counter>,
    questions: Family<Outcome, Counter>,
    requests: Family<Outcome, Counter>,
    pub(crate) seconds: Histogram,
    pub(crate) unsent: Counter,
    pub(crate) subscriptions: Gauge,
    pub(crate) unconfirmed: Gauge,
    pub(crate) topics: Gauge,
    pub(crate) waiting: Gauge,
}

impl Counts {
    pub(crate) fn new(metrics: &Metrics) -> Arc<Self> {
        let counts = Self {
            deliveries: Family::default(),
            questions: Family::default(),
            requests: Family::default(),
            seconds: Histogram::new(BUCKETS),
            unsent: Counter::default(),
            subscriptions: Gauge::default(),
            unconfirmed: Gauge::default(),
            topics: Gauge::default(),
            waiting: Gauge::default(),
        };
        let Self { deliveries, questions, requests, seconds, unsent, subscriptions, unconfirmed, topics, waiting } =
            counts.clone();
        metrics.register("hub_deliveries", "Posts to subscribers, by what became of them", deliveries);
        metrics.register("hub_verifications", "Subscribers asked whether they meant it, by what they said", questions);
        metrics.register("hub_requests", "Requests to the hub, by what became of them", requests);
        metrics.register("hub_delivery_seconds", "From a change of a feed until a subscriber had it", seconds);
        metrics.register("hub_unsent", "Subscriptions that ended before the subscriber took what was new", unsent);
        metrics.register("hub_subscriptions", "Subscriptions that stand", subscriptions);
        metrics.register(
            "hub_subscriptions_unconfirmed",
            "Requests that the subscriber has not confirmed",
            unconfirmed,
        );
        metrics.register("hub_topics", "Feeds that somebody subscribes to", topics);
        metrics.register("hub_waiting", "Calls that wait for a worker or for another try, of all replicas", waiting);
        Arc::new(counts)
    }

    /// `taken`, `gone` or `failed`.
    pub(crate) fn delivery(&self, outcome: &'static str) {
        self.deliveries.get_or_create(&Outcome { outcome }).inc();
    }

    /// `confirmed`, `refused`, `silent` or `denied`.
    pub(crate) fn question(&self, outcome: &'static str) {
        self.questions.get_or_create(&Outcome { outcome }).inc();
    }

    /// `accepted`, `wrong`, `limited` or `unavailable`.
    pub(crate) fn request(&self, outcome: &'static str) {
        self.requests.get_or_create(&Outcome { outcome }).inc();
    }
}
