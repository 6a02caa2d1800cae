//! The settings by which every service finds its server.

use bus::{Credentials, Server};

use crate::Settings;

/// Reads where NATS is and who we are there.
pub fn nats_settings(settings: &mut Settings) -> Option<Server> {
    let url = settings.value(
        "NEWSWIRE_NATS_URL",
        "nats://127.0.0.1:4222",
        "Where NATS is: nats://host:port, or tls://host:port; several servers of a cluster separated by commas",
    );
    let nkey = settings.secret_file("NEWSWIRE_NATS_NKEY_FILE", "File with this service's nkey seed (SU…)");
    let token = settings.secret_file("NEWSWIRE_NATS_TOKEN_FILE", "File with the server's token; instead of an nkey");
    let credentials = match (nkey?, token?) {
        (None, None) => Credentials::None,
        (Some(nkey), None) => Credentials::Nkey(nkey.expose().to_owned()),
        (None, Some(token)) => Credentials::Token(token.expose().to_owned()),
        (Some(_), Some(_)) => {
            return settings.mistake("NEWSWIRE_NATS_NKEY_FILE and NEWSWIRE_NATS_TOKEN_FILE exclude each other".into());
        }
    };
    Some(Server { url: url?, credentials })
}
