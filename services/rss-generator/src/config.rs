//! The service's settings.

use std::net::SocketAddr;
use std::num::NonZero;
use std::str::FromStr;

use bus::Server;
use fetch::Networks;
use service_kit::{Settings, Tls, client, nats_settings, tls_settings};
use subscription::{InvalidSelection, Selection};
use url::Url;

/// Prefix of the settings that are this service's own.
pub const PREFIX: &str = "NEWSWIRE_RSS_";

pub(crate) const METRICS_LISTEN: &str = "NEWSWIRE_RSS_METRICS_LISTEN";

#[derive(Debug, Clone)]
pub struct Config {
    pub nats: Server,
    pub listen: SocketAddr,
    /// Where its metrics are read; `None`: nowhere.
    pub metrics: Option<SocketAddr>,
    pub tls: Option<Tls>,
    /// Where readers reach the site: the base of every link in feeds and pages.
    pub public_url: Url,
    pub site_title: String,
    /// The page that takes email subscriptions.
    pub subscribe_url: Option<Url>,
    /// Networks beside the public internet that subscribers of the hub may be in.
    pub allowed: Networks,
    /// The header in which the proxy in front tells the client's address; without one the connection's peer is the client.
    pub client_ip_header: Option<String>,
    /// Feeds that are kept up whether anybody reads them or not, beside the one of everything.
    pub pinned: Vec<Selection>,
    /// Bytes for documents and what they are written from, beside the articles themselves.
    pub memory: usize,
}

/// Selections with spaces between.
struct Pinned(Vec<Selection>);

impl FromStr for Pinned {
    type Err = InvalidSelection;

    fn from_str(text: &str) -> Result<Self, InvalidSelection> {
        text.split_ascii_whitespace().map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl Config {
    /// `None` when something is wrong; the settings know what.
    pub fn read(settings: &mut Settings) -> Option<Self> {
        let nats = nats_settings(settings);
        let listen = settings.value("NEWSWIRE_RSS_LISTEN", "127.0.0.1:8080", "Address to serve feeds and pages on");
        let metrics = settings
            .optional(METRICS_LISTEN, "Address to serve metrics on, for GET /metrics; without it none are served");
        let tls = tls_settings(settings, "NEWSWIRE_RSS_TLS_CERT_FILE", "NEWSWIRE_RSS_TLS_KEY_FILE");
        let public_url = settings.value(
            "NEWSWIRE_PAGES_URL",
            "http://127.0.0.1:8080/",
            "Where readers reach this site: the base of every link in feeds and pages",
        );
        let public_url = public_url.and_then(|url| web(settings, "NEWSWIRE_PAGES_URL", url));
        let site_title = settings.value("NEWSWIRE_SITE_NAME", "newswire", "The site's name, on pages and in feeds");
        let subscribe_url = settings.optional(
            "NEWSWIRE_SUBSCRIBE_URL",
            "The page that takes email subscriptions; without it no page offers any",
        );
        let subscribe_url = match subscribe_url? {
            None => None,
            Some(url) => Some(web(settings, "NEWSWIRE_SUBSCRIBE_URL", url)?),
        };
        let allowed = settings.optional(
            "NEWSWIRE_RSS_ALLOW_NETWORKS",
            "Networks beside the public internet that WebSub subscribers may be in, such as 10.20.0.0/16,fd00:1::/64; none by default",
        );
        let client_ip_header = client::address_header(settings, "NEWSWIRE_RSS_CLIENT_IP_HEADER");
        let pinned: Option<Option<Pinned>> = settings.optional(
            "NEWSWIRE_RSS_PINNED",
            "Feeds that are kept up whether anybody reads them or not, such as section/world language/en+urgency/2",
        );
        let memory: Option<NonZero<u16>> =
            settings.value("NEWSWIRE_RSS_MEMORY", "512", "MiB for documents; what has not been read for longest goes");
        Some(Self {
            nats: nats?,
            listen: listen?,
            metrics: metrics?,
            tls: tls?,
            public_url: public_url?,
            site_title: site_title?,
            subscribe_url,
            allowed: allowed?.unwrap_or_default(),
            client_ip_header: client_ip_header?,
            pinned: pinned?.map(|pinned| pinned.0).unwrap_or_default(),
            memory: usize::from(memory?.get()) << 20,
        })
    }
}

fn web(settings: &mut Settings, name: &str, url: Url) -> Option<Url> {
    if matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none() {
        return Some(url);
    }
    settings.mistake(format!("{name}: {url} must be http:// or https://, without ? and #"))
}
