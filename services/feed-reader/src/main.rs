//! The feed-reader process.

use std::process::ExitCode;

use feed_reader::{Config, PREFIX};
use service_kit::{Service, run_service};

fn main() -> ExitCode {
    let service = Service {
        name: "feed-reader",
        version: env!("CARGO_PKG_VERSION"),
        about: "Reads upstream feeds and sends what is new in them to the publisher.",
        prefix: PREFIX,
        read: Config::read,
    };
    run_service(&service, feed_reader::run)
}
