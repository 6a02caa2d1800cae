//! What the tests stand on: the real nats-server, one per test; a mail sink that fails on request; a network that can be
//! cut; services as child processes; and [`eventually`] instead of sleeping.
//!
//! A dev-dependency only. Everything here panics with an explanation instead of returning errors: a harness that cannot
//! do its job is a failed test, and the panic is its report.

mod chaos_proxy;
mod eventually;
mod mail_sink;
mod nats_server;
mod port;
mod process;
mod scratch;

pub use chaos_proxy::ChaosProxy;
pub use eventually::{eventually, eventually_within};
pub use mail_sink::{Receipt, Tally, counting_sink, mail_sink};
pub use mailbox;
pub use nats_server::NatsServer;
pub use port::Port;
pub use process::{Process, built};
pub use scratch::{scratch, scratch_on_disk};
