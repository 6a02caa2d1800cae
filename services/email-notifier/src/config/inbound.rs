//! How what comes back reaches us: the address for the site's mail system, and the secrets of webhooks.

use std::net::SocketAddr;

use interchange::signature;
use service_kit::{Secret, Settings};

use crate::inbound::Topic;

const POSTMARK: &str = "NEWSWIRE_EMAIL_INBOUND_POSTMARK_FILE";
const GENERIC: &str = "NEWSWIRE_EMAIL_INBOUND_SECRET_FILE";

/// The fewest characters of a password that a machine types.
const MIN_PASSWORD: usize = 20;

/// Ways in; each is there if it is set.
#[derive(Clone, Debug, Default)]
pub struct Inbound {
    pub lmtp: Option<SocketAddr>,
    pub ses: Option<Topic>,
    /// `user:password`
    pub postmark: Option<Secret>,
    pub generic: Option<signature::Secret>,
}

pub(super) fn inbound(settings: &mut Settings) -> Option<Inbound> {
    let lmtp = settings.optional(
        "NEWSWIRE_EMAIL_LMTP_LISTEN",
        "Address, such as 127.0.0.1:2424, at which the site's mail system hands in by LMTP what is sent to the domain of \
         bounces; mails then also say how to unsubscribe by mail. It asks for no password: keep it on loopback",
    );
    let ses = settings.optional(
        "NEWSWIRE_EMAIL_INBOUND_SES_TOPIC",
        "ARN of the SNS topic to which Amazon SES reports bounces and complaints; it posts to /inbound/ses",
    );
    let postmark = settings.secret_file(
        POSTMARK,
        "File with user:password that Postmark's webhook sends (basic auth) to /inbound/postmark",
    );
    let generic = settings.secret_file(
        GENERIC,
        "File with the secret that webhooks to /inbound/generic are signed with; make it with: \
         echo whsec_$(openssl rand -base64 32)",
    );
    let (lmtp, ses, postmark, generic) = (lmtp?, ses?, postmark?, generic?);
    if postmark.as_ref().is_some_and(|secret| !is_login(secret.expose())) {
        return settings.mistake(format!(
            "{POSTMARK}: give user:password on one line, the password of {MIN_PASSWORD} characters or more"
        ));
    }
    let generic = match generic.as_ref().map(|secret| signature::Secret::parse(secret.expose())) {
        None => None,
        Some(Some(secret)) => Some(secret),
        Some(None) => {
            return settings.mistake(format!("{GENERIC}: the secret is whsec_ and 32 bytes in base64"));
        }
    };
    Some(Inbound { lmtp, ses, postmark, generic })
}

fn is_login(text: &str) -> bool {
    let visible = text.chars().all(|c| c.is_ascii_graphic());
    let split = text.split_once(':');
    visible && split.is_some_and(|(user, password)| !user.is_empty() && password.len() >= MIN_PASSWORD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_in_is_there_if_it_is_set_and_a_weak_secret_is_a_mistake() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let good = file("login", "postmark:0123456789abcdefghij\n");
        let generic = file("generic", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n");
        let (lmtp, ses) = ("NEWSWIRE_EMAIL_LMTP_LISTEN", "NEWSWIRE_EMAIL_INBOUND_SES_TOPIC");
        let topic = "arn:aws:sns:eu-west-1:123456789012:mail".to_owned();
        for (pairs, expected) in [
            (vec![], Ok([false; 4])),
            (vec![(lmtp, "[::1]:2424".to_owned())], Ok([true, false, false, false])),
            (vec![(ses, topic), (POSTMARK, good), (GENERIC, generic)], Ok([false, true, true, true])),
            (vec![(ses, "mail".to_owned())], Err("arn:aws:sns:")),
            (vec![(POSTMARK, file("weak", "postmark:secret"))], Err("20 characters")),
            (vec![(POSTMARK, file("userless", ":secret-0123456789abcdefghij"))], Err("user:password")),
            (vec![(POSTMARK, file("lines", "u:secret-0123456789abcdefghij\nv:x"))], Err("one line")),
            (vec![(GENERIC, file("short", "whsec_c2VjcmV0"))], Err("32 bytes in base64")),
            (vec![(lmtp, "2424".to_owned())], Err(lmtp)),
        ] {
            let owned = pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
            let mut settings = Settings::from_pairs(owned);
            let read = inbound(&mut settings);
            let read = settings.finish("NEWSWIRE_EMAIL_", read);
            match (read, expected) {
                (Ok(read), Ok(expected)) => {
                    let Inbound { lmtp, ses, postmark, generic } = read;
                    let set = [lmtp.is_some(), ses.is_some(), postmark.is_some(), generic.is_some()];
                    assert_eq!(set, expected, "{pairs:?}");
                }
                (Err(mistakes), Err(expected)) => {
                    let text = mistakes.to_string();
                    assert!(
                        text.contains(expected) && !text.contains("secret-") && !text.contains("c2VjcmV0"),
                        "{text}"
                    );
                }
                (read, expected) => panic!("{pairs:?}: {read:?} instead of {expected:?}"),
            }
        }
    }
}
