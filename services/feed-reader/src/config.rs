//! The service's settings.

use std::net::SocketAddr;

use bus::Server;
use fetch::Networks;
use service_kit::{Secret, Settings, nats_settings};
use url::Url;

/// Prefix of the settings that are this service's own.
pub const PREFIX: &str = "NEWSWIRE_FEED_READER_";

pub(crate) const LISTEN: &str = "NEWSWIRE_FEED_READER_LISTEN";
const PUBLISHER_URL: &str = "NEWSWIRE_FEED_READER_PUBLISHER_URL";
const CONTACT_URL: &str = "NEWSWIRE_FEED_READER_CONTACT_URL";
const PUBLIC_URL: &str = "NEWSWIRE_FEED_READER_PUBLIC_URL";

#[derive(Debug, Clone)]
pub struct Config {
    pub nats: Server,
    /// Where hubs and probes reach it. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// The publisher's API, and the token that says for whom is read.
    pub publisher_url: Url,
    pub token: Secret,
    /// What stands in the `User-Agent`, for whoever has a complaint.
    pub contact_url: Url,
    /// Where hubs reach us; without it there are no subscriptions, and feeds are asked at their intervals.
    pub public_url: Option<Url>,
    /// Networks beside the public internet that are read from.
    pub allowed: Networks,
}

impl Config {
    /// `None` when something is wrong; the settings know what.
    pub fn read(settings: &mut Settings) -> Option<Self> {
        let nats = nats_settings(settings);
        let listen = settings.value(LISTEN, "127.0.0.1:8084", "Address at which hubs and probes reach this service");
        let publisher_url = settings.value(PUBLISHER_URL, "http://127.0.0.1:8081/", "Where the publisher's API is");
        let publisher_url = publisher_url.and_then(|url| web(settings, PUBLISHER_URL, url));
        let token = settings.required_secret_file(
            "NEWSWIRE_FEED_READER_TOKEN_FILE",
            "File with an API token of the publisher whose sources are read; newswire token create makes one",
        );
        let contact_url = settings.required(
            CONTACT_URL,
            "A page about you: it tells those whose feeds are read who does it and where to complain",
        );
        let contact_url = contact_url.and_then(|url| web(settings, CONTACT_URL, url));
        let public_url = settings
            .optional(PUBLIC_URL, "Where WebSub hubs reach this service; without it feeds are asked at intervals only");
        let public_url = match public_url? {
            None => None,
            Some(url) => Some(web(settings, PUBLIC_URL, url)?),
        };
        let allowed = settings.optional(
            "NEWSWIRE_FEED_READER_ALLOW_NETWORKS",
            "Networks beside the public internet that feeds may be in, such as 10.20.0.0/16,fd00:1::/64; none by default",
        );
        Some(Self {
            nats: nats?,
            listen: listen?,
            publisher_url: publisher_url?,
            token: token?,
            contact_url: contact_url?,
            public_url,
            allowed: allowed?.unwrap_or_default(),
        })
    }
}

/// An address that paths are appended to.
fn web(settings: &mut Settings, name: &str, mut url: Url) -> Option<Url> {
    if !matches!(url.scheme(), "http" | "https") || url.query().is_some() || url.fragment().is_some() {
        return settings.mistake(format!("{name}: {url} must be http:// or https://, without ? and #"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return settings.mistake(format!("{name} must not hold a user name or a password"));
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_bases() {
        let read = |url: &str| {
            let mut settings = Settings::from_pairs([]);
            web(&mut settings, "X", url.parse().unwrap()).map(|url| url.to_string())
        };
        assert_eq!(read("https://news.example/hooks").as_deref(), Some("https://news.example/hooks/"));
        for wrong in
            ["ftp://news.example/", "https://a:b@news.example/", "https://news.example/?x", "https://news.example/#x"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
