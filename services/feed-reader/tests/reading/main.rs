//! feed-reader as a whole: feeds on real sockets that behave and misbehave, a real nats-server, a real publisher, and
//! instances that are killed.

mod desk;
mod hubs;
mod misbehaviour;
mod news;
mod together;
mod upstream;
