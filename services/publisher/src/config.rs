//! What the publisher can be told.

use std::net::SocketAddr;

use bus::Server;
use service_kit::{Secret, Settings, Tls, nats_settings, tls_settings};

use crate::webhook::{MIN_SECRET, SECRET_FILE};

/// What the names of the publisher's own settings begin with.
pub const PREFIX: &str = "NEWSWIRE_PUBLISHER_";

pub(crate) const LISTEN: &str = "NEWSWIRE_PUBLISHER_LISTEN";

/// The command line's setting; it shares our prefix.
const URL: &str = "NEWSWIRE_PUBLISHER_URL";

/// The publisher's configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it serves HTTP. Port 0 takes a free one.
    pub listen: SocketAddr,
    pub tls: Option<Tls>,
    pub nats: Server,
    /// The master key of the incoming webhooks; without it there are none.
    pub webhook_secret: Option<Secret>,
}

impl Config {
    /// Reads the configuration; mistakes are collected in `settings`.
    pub fn read(settings: &mut Settings) -> Option<Self> {
        // Without TLS tokens travel in the clear: another machine gets in through a proxy that speaks it, or by ours.
        let listen = settings.value(LISTEN, "127.0.0.1:8081", "Address and port of the HTTP API");
        let tls = tls_settings(settings, "NEWSWIRE_PUBLISHER_TLS_CERT_FILE", "NEWSWIRE_PUBLISHER_TLS_KEY_FILE");
        // An environment shared with the command line is no mistake, though nothing here reads it.
        let _: Option<Option<String>> =
            settings.optional(URL, "Where the `newswire` command finds this service; not used by the service itself");
        let webhook_secret = webhook_secret(settings);
        let nats = nats_settings(settings);
        Some(Self { listen: listen?, tls: tls?, nats: nats?, webhook_secret: webhook_secret? })
    }
}

fn webhook_secret(settings: &mut Settings) -> Option<Option<Secret>> {
    let help = "File with a secret of at least 32 bytes, the same for all replicas and for `newswire webhook`, from which \
                the secrets of incoming webhooks follow; without it none is taken";
    let secret = settings.secret_file(SECRET_FILE, help)?;
    if secret.as_ref().is_some_and(|secret| secret.expose().len() < MIN_SECRET) {
        return settings.mistake(format!("{SECRET_FILE}: the secret is shorter than {MIN_SECRET} bytes"));
    }
    Some(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_lines_setting_passes_and_a_misspelt_one_does_not() {
        let read = |name: &str, value: &str| {
            let mut settings = Settings::from_pairs([(name.to_owned(), value.to_owned())]);
            let config = Config::read(&mut settings);
            settings.finish(PREFIX, config).map(|config| config.listen.port())
        };
        assert_eq!(read(URL, "https://news.example"), Ok(8081));
        assert_eq!(read(LISTEN, "127.0.0.1:9"), Ok(9));
        assert!(read("NEWSWIRE_PUBLISHER_LISTN", "127.0.0.1:9").is_err());
    }
}
