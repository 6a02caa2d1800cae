//! The settings by which every service finds its server.

use bus::{Credentials, Server};

use crate::Settings;

/// Reads where NATS is and who we are there.
pub fn nats_settings(settings: &mut Settings) -> Option<Server> {
    let url: Option<String> = settings.value(
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
    let url = url?;
    // The address is shown and logged; what is secret must not be in it.
    if url.contains('@') {
        let advice = "put the token into a file and name it in NEWSWIRE_NATS_TOKEN_FILE, or use an nkey";
        return settings.mistake(format!("NEWSWIRE_NATS_URL holds a password or a token: {advice}"));
    }
    Some(Server { url, credentials })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_the_address_is_refused_and_not_repeated() {
        let name = "NEWSWIRE_NATS_URL".to_owned();
        let mut settings = Settings::from_pairs([(name, "nats://user:hunter2@127.0.0.1:4222".to_owned())]);
        assert!(nats_settings(&mut settings).is_none());
        let mistakes = settings.finish("NEWSWIRE_X_", Some(())).expect_err("refused").to_string();
        assert!(mistakes.contains("NEWSWIRE_NATS_TOKEN_FILE") && !mistakes.contains("hunter2"), "{mistakes}");
    }
}
