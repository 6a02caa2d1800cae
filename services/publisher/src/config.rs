//! What the publisher can be told.

use std::net::SocketAddr;

use bus::Server;
use service_kit::{Settings, nats_settings};

/// What the names of the publisher's own settings begin with.
pub const PREFIX: &str = "NEWSWIRE_PUBLISHER_";

pub(crate) const LISTEN: &str = "NEWSWIRE_PUBLISHER_LISTEN";

/// The publisher's configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it serves HTTP. Port 0 takes a free one.
    pub listen: SocketAddr,
    pub nats: Server,
}

impl Config {
    /// Reads the configuration; mistakes are collected in `settings`.
    pub fn read(settings: &mut Settings) -> Option<Self> {
        // Tokens travel in the clear here: another machine gets in through a proxy that speaks TLS.
        let listen = settings.value(LISTEN, "127.0.0.1:8081", "Address and port of the HTTP API; put TLS before it");
        let nats = nats_settings(settings);
        Some(Self { listen: listen?, nats: nats? })
    }
}
