//! The only home of subjects, streams, consumers and their limits.
//!
//! Pure data: `bus` applies it to a server and checks a server against it; the permissions in `deploy/nats/` are
//! generated from it. Nothing else in the workspace spells a subject.

mod access;
mod consumers;
mod streams;
pub mod subjects;

pub use access::{Access, OPERATOR, SERVICES, access, nkey_variable};
pub use consumers::{
    CONFIRMATIONS, CONSUMERS, Consumer, DESK_DUE, HUB_DELIVERIES, INBOUND_EVENTS, LANE_BREAKING, LANE_DIGEST,
    LANE_NORMAL, LANE_RETRY, LANE_RETRY_BREAKING, LANE_RETRY_DIGEST, PLANNER,
};
pub use streams::{
    ARTICLES, DEAD, DESK, DUPLICATE_WINDOW, EMBARGOES, HUB, INBOUND, INTAKE, JOBS, KEYS, LEDGER, QUARANTINE, RECEIPTS,
    RETRIES, SOURCES, STREAMS, SUBSCRIBERS, Stream, TOKENS,
};

/// JetStream API level that a server must have: 4 is nats-server 2.14, which brought atomic batches, message
/// schedules and their interplay to where we need them.
pub const API_LEVEL: usize = 4;

/// The oldest server that has [`API_LEVEL`], for messages to people.
pub const SERVER_FLOOR: &str = "2.14";
