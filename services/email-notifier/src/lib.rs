//! Email to readers: subscriptions by double opt-in, a plan for each article, a ledger that closes, and the sending.

pub mod asks;
mod bounces;
mod breaker;
mod cap;
mod catalogue;
mod config;
mod confirmations;
mod connections;
mod control;
mod counts;
mod digest;
mod follow;
mod frequency;
mod guard;
mod inbound;
mod issues;
mod ledger;
mod links;
mod orders;
mod outcomes;
mod plan;
mod planner;
mod pool;
mod readers;
mod recipients;
pub mod samples;
mod service;
mod shaping;
mod signing;
mod span;
mod standing;
mod store;
mod subscriber;
pub mod subscribers;
mod vault;
mod web;
mod worker;

#[cfg(test)]
mod sending_tests;

pub use config::{Config, Inbound, PREFIX, RelayConfig, RelayTls};
pub use guard::GuardConfig;
pub use inbound::Topic;
pub use service::EmailNotifier;
