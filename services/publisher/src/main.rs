//! The publisher as a process; everything it does is in the library.

use std::process::ExitCode;

use service_kit::{Service, run_service};

fn main() -> ExitCode {
    let service = Service {
        name: "publisher",
        version: env!("CARGO_PKG_VERSION"),
        about: "Takes articles over HTTP and writes them, durably and once, to the log.",
        prefix: publisher::PREFIX,
        read: publisher::Config::read,
    };
    run_service(&service, publisher::run)
}
