//! What every service needs, and no business words: settings, telemetry, health, HTTP serving, shutdown, the clock.

pub mod client;
mod health;
mod http;
mod instance;
mod limit;
mod metrics;
mod nats;
mod process;
mod settings;
mod telemetry;
mod tls;

pub use health::Health;
pub use http::{Listener, serve};
pub use instance::instance;
pub use limit::Limit;
pub use metrics::{Metrics, MetricsListener};
pub use nats::nats_settings;
pub use process::{Service, run_service};
pub use settings::{Mistakes, Secret, Setting, Settings};
pub use tls::{Tls, tls_settings};

/// The wall clock, read here and nowhere else, so that everything else can be given its time.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
