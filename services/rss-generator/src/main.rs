//! The rss-generator process.

use std::process::ExitCode;

use rss_generator::{Config, PREFIX};
use service_kit::{Service, run_service};

fn main() -> ExitCode {
    let service = Service {
        name: "rss-generator",
        version: env!("CARGO_PKG_VERSION"),
        about: "Follows the log of articles and serves them as feeds and pages.",
        prefix: PREFIX,
        read: Config::read,
    };
    run_service(&service, rss_generator::run)
}
