//! The JetStream adapter: everything that newswire wants of NATS, with the server's traps handled once.
//!
//! It moves bytes between subjects and knows no article, feed or subscriber. Where a figure is given without a
//! source it was measured on nats-server 2.15.1 with async-nats 0.51.

mod batch;
mod connect;
mod consume;
mod erase;
mod group;
mod provision;
mod publish;
mod pull;
mod read;
mod request;
mod tail;

pub use batch::{BatchError, BatchMessage};
pub use connect::{Bus, ConnectError, Credentials, Server};
pub use consume::{Delivery, Disposition, MAX_PANICS};
pub use erase::EraseError;
pub use group::Group;
pub use provision::{Drift, ProvisionError, Provisioned};
pub use publish::{PublishError, Published, RETRY_FOR};
pub use read::{Backlog, Level, ReadError, Stored};
pub use tail::{Tail, TailEvent};

/// NATS message headers.
pub use async_nats::HeaderMap;
