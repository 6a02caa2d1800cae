//! What the tests stand on: the real nats-server, one per test, and [`eventually`] instead of sleeping.
//!
//! A dev-dependency only. Everything here panics with an explanation instead of returning errors: a harness that cannot
//! do its job is a failed test, and the panic is its report.

mod eventually;
mod nats_server;
mod process;

pub use eventually::{eventually, eventually_within};
pub use nats_server::NatsServer;
