//! The email-notifier as a process of its own.

use std::process::ExitCode;

use email_notifier::{Config, EmailNotifier, PREFIX};
use service_kit::{Service, run_service};

fn main() -> ExitCode {
    let service = Service {
        name: "email-notifier",
        version: env!("CARGO_PKG_VERSION"),
        about: "Takes subscriptions, plans who is to be sent what, and sends it.",
        prefix: PREFIX,
        read: Config::read,
    };
    run_service(&service, async |config, shutdown| EmailNotifier::bind(config).await?.run(shutdown).await)
}
