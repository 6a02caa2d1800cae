//! The durable consumers: who works off what, and how much at a time.

use std::time::Duration;

use crate::streams::{ARTICLES, DESK, HUB, INBOUND, JOBS, RETRIES, SUBSCRIBERS, Stream};
use crate::subjects;

/// One durable pull consumer with explicit acknowledgement and unlimited deliveries: the service decides when a
/// message is dead, the server never drops one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consumer {
    pub name: &'static str,
    pub stream: Stream,
    pub filter: &'static str,
    /// Silence after which the server gives the message to another worker. A worker that lives says so three times
    /// within it, however long its work takes.
    pub ack_wait: Duration,
    /// Messages out at one time, over all workers.
    pub max_ack_pending: i64,
}

/// How long a crash delays the message that was being worked on.
const ACK_WAIT: Duration = Duration::from_secs(10);

pub const PLANNER: Consumer = Consumer {
    name: "email-planner",
    stream: ARTICLES,
    filter: subjects::ARTICLES,
    ack_wait: ACK_WAIT,
    // Those that are put aside for a moment count, and breaking news must not wait until they are done.
    max_ack_pending: 1024,
};

pub const LANE_BREAKING: Consumer = Consumer {
    name: "email-breaking",
    stream: JOBS,
    filter: "nw.job.breaking.*.*",
    ack_wait: ACK_WAIT,
    max_ack_pending: 1024,
};

pub const LANE_NORMAL: Consumer = Consumer { name: "email-normal", filter: "nw.job.normal.*.*", ..LANE_BREAKING };

pub const LANE_DIGEST: Consumer = Consumer { name: "email-digest", filter: "nw.job.digest.*.*", ..LANE_BREAKING };

/// Breaking news comes back before everything else, too.
pub const LANE_RETRY_BREAKING: Consumer =
    Consumer { name: "email-retry-breaking", stream: RETRIES, filter: "nw.retry.due.breaking.*.*.*", ..LANE_BREAKING };

pub const LANE_RETRY: Consumer =
    Consumer { name: "email-retry", stream: RETRIES, filter: "nw.retry.due.other.*.*.*", ..LANE_BREAKING };

/// A run of digests may leave a thousand chunks to be tried again: alerts do not wait behind them.
pub const LANE_RETRY_DIGEST: Consumer =
    Consumer { name: "email-retry-digest", stream: RETRIES, filter: "nw.retry.due.digest.*.*.*", ..LANE_BREAKING };

/// What came back by mail or from a provider.
pub const INBOUND_EVENTS: Consumer = Consumer {
    name: "email-inbound",
    stream: INBOUND,
    filter: subjects::INBOUND,
    ack_wait: ACK_WAIT,
    max_ack_pending: 1024,
};

pub const CONFIRMATIONS: Consumer = Consumer {
    name: "email-confirmations",
    stream: SUBSCRIBERS,
    filter: subjects::SUBSCRIBER_RECORDS,
    ack_wait: ACK_WAIT,
    // Those that wait for another attempt count, and must not keep the others waiting.
    max_ack_pending: 10_000,
};

/// Embargoes to release and killed text to erase.
pub const DESK_DUE: Consumer = Consumer {
    name: "publisher-desk",
    stream: DESK,
    filter: "nw.desk.due.*.*.*",
    ack_wait: ACK_WAIT,
    max_ack_pending: 1024,
};

/// Subscribers of feeds who are to be sent something, or asked whether they meant it.
pub const HUB_DELIVERIES: Consumer = Consumer {
    name: "hub-deliveries",
    stream: HUB,
    filter: subjects::HUB_DELIVERIES,
    ack_wait: ACK_WAIT,
    // Those that wait for another attempt count, and must not keep the others waiting: twice as many as there can be
    // subscriptions.
    max_ack_pending: 200_000,
};

pub const CONSUMERS: &[Consumer] = &[
    DESK_DUE,
    HUB_DELIVERIES,
    PLANNER,
    LANE_BREAKING,
    LANE_NORMAL,
    LANE_DIGEST,
    LANE_RETRY_BREAKING,
    LANE_RETRY,
    LANE_RETRY_DIGEST,
    CONFIRMATIONS,
    INBOUND_EVENTS,
];
