//! The API over real HTTP, on a real nats-server: what is promised to a newsroom, and to whoever tries to get in.

mod articles;
mod description;
mod desk;
mod embargo;
mod kill;
mod lifecycle;
mod listing;
mod mail;
mod outage;
mod refused;
mod secure;
mod tokens;
mod webhooks;
