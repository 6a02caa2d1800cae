//! The built command line against a real server and a real publisher: what is printed, and the exit code.

mod articles;
mod batch;
mod desk;
mod ledger;
mod lifecycle;
mod mail;
mod pages;
mod plan;
mod servers;
mod sources;
mod subscribers;
mod watch;
mod webhooks;
mod why;
