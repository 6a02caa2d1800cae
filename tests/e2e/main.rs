//! The journeys, one file for each scenario, in one binary: built services, a real nats-server, real HTTP and SMTP.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

#[path = "../fire/mod.rs"]
mod fire;
mod journey;
mod kill;
mod lifecycle;
#[path = "../newsroom/mod.rs"]
mod newsroom;
mod paused;
mod push;
mod under_fire;
mod up;
