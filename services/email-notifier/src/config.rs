//! The settings of this service.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bus::Server;
use mail::dkim::Signer;
use mail::smtp::check_roots;
use mail::{Address, Site};
use service_kit::{Secret, Settings, Tls, client, nats_settings, tls_settings};
use url::Url;

use crate::guard::GuardConfig;
use crate::subscriber::zone_name;

mod dkim;
mod inbound;
use dkim::dkim;
pub use inbound::Inbound;
use inbound::inbound;

/// Prefix of this service's own settings.
pub const PREFIX: &str = "NEWSWIRE_EMAIL_";

const RELAY_ROOTS: &str = "NEWSWIRE_EMAIL_RELAY_ROOTS_FILE";

pub(crate) const METRICS_LISTEN: &str = "NEWSWIRE_EMAIL_METRICS_LISTEN";

/// The fewest bytes of the secret: HMAC-SHA-256 is as strong as its key.
const MIN_SECRET: usize = 32;

/// Everything the service needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    pub nats: Server,
    pub listen: SocketAddr,
    /// Where its metrics are read; `None`: nowhere.
    pub metrics: Option<SocketAddr>,
    pub tls: Option<Tls>,
    pub site: Site,
    /// Where the feeds and article pages are, as readers see it.
    pub pages_url: Url,
    /// Where this service's own pages are, as readers see it.
    pub public_url: Url,
    pub secret: Secret,
    /// IANA name of the zone of subscribers who do not say which is theirs.
    pub zone: String,
    /// When an alert to very many waits for a confirmation.
    pub guard: GuardConfig,
    pub relay: RelayConfig,
    /// Signs every mail; `None`: that is left to the relay.
    pub dkim: Option<Arc<Signer>>,
    /// How what comes back reaches us.
    pub inbound: Inbound,
    /// Header in which a proxy in front tells the client's address.
    pub client_ip_header: Option<String>,
}

/// The smart host that takes our mail.
#[derive(Clone, Debug)]
pub struct RelayConfig {
    pub host: String,
    pub port: u16,
    pub tls: RelayTls,
    pub user: Option<String>,
    pub password: Option<Secret>,
    /// PEM certificates of authorities that may vouch for it beside the public ones; empty: none.
    pub roots: Vec<u8>,
    /// How long one command may take.
    pub timeout: Duration,
}

/// How the connection to the relay is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayTls {
    /// For a relay on this host only.
    None,
    StartTls,
    Implicit,
}

impl std::str::FromStr for RelayTls {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "none" => Ok(Self::None),
            "starttls" => Ok(Self::StartTls),
            "implicit" => Ok(Self::Implicit),
            _ => Err("use none, starttls or implicit"),
        }
    }
}

impl Config {
    /// Reads the settings; mistakes are collected in them.
    pub fn read(settings: &mut Settings) -> Option<Self> {
        let nats = nats_settings(settings);
        let listen = settings.value("NEWSWIRE_EMAIL_LISTEN", "127.0.0.1:8082", "Address of the subscribe pages");
        let metrics = settings
            .optional(METRICS_LISTEN, "Address to serve metrics on, for GET /metrics; without it none are served");
        let tls = tls_settings(settings, "NEWSWIRE_EMAIL_TLS_CERT_FILE", "NEWSWIRE_EMAIL_TLS_KEY_FILE");
        let public_url: Option<Url> = settings.value(
            "NEWSWIRE_EMAIL_PUBLIC_URL",
            "http://127.0.0.1:8082/",
            "Where readers reach the subscribe pages; it stands in every mail, so it must stay valid for years",
        );
        let pages_url: Option<Url> = settings.value(
            "NEWSWIRE_PAGES_URL",
            "http://127.0.0.1:8080/",
            "Where readers reach the feed and article pages of rss-generator",
        );
        let name: Option<String> =
            settings.value("NEWSWIRE_SITE_NAME", "newswire", "The sender's name, as readers see it");
        let from: Option<Address> =
            settings.value("NEWSWIRE_EMAIL_FROM", "news@newswire.example", "The sender's address, as readers see it");
        let domain: Option<String> = settings.value(
            "NEWSWIRE_EMAIL_DOMAIN",
            "newswire.example",
            "Domain of Message-IDs, List-Ids and bounces; that of the sender's address, or aligned with it",
        );
        let secret = secret(settings);
        let zone = zone(settings);
        let guard = guard(settings);
        let relay = relay(settings);
        let dkim = from.as_ref().and_then(|from| dkim(settings, from.domain()));
        let inbound = inbound(settings);
        let client_ip_header = client::address_header(settings, "NEWSWIRE_EMAIL_CLIENT_IP_HEADER");
        let (public_url, pages_url) = (public_url?, pages_url?);
        let site = match Site::new(&name?, pages_url.clone(), public_url.clone(), from?, &domain?) {
            Ok(site) => site,
            Err(error) => return settings.mistake(format!("the sender of mail: {error}")),
        };
        Some(Self {
            nats: nats?,
            listen: listen?,
            metrics: metrics?,
            tls: tls?,
            site,
            pages_url,
            public_url,
            secret: secret?,
            zone: zone?,
            guard: guard?,
            relay: relay?,
            dkim: dkim?,
            inbound: inbound?,
            client_ip_header: client_ip_header?,
        })
    }
}

fn secret(settings: &mut Settings) -> Option<Secret> {
    let help = "File with a secret of at least 32 bytes, the same for all replicas, behind every link in every mail, \
                and without which no subscriber's record opens; keep a copy, and make it with: openssl rand -base64 32";
    let secret = settings.required_secret_file("NEWSWIRE_EMAIL_SECRET_FILE", help)?;
    if secret.expose().len() < MIN_SECRET {
        return settings.mistake(format!("NEWSWIRE_EMAIL_SECRET_FILE: the secret is shorter than {MIN_SECRET} bytes"));
    }
    Some(secret)
}

fn zone(settings: &mut Settings) -> Option<String> {
    let name: Option<String> = settings.value(
        "NEWSWIRE_EMAIL_ZONE",
        "UTC",
        "Time zone of subscribers who do not say theirs, such as Asia/Shanghai",
    );
    let name = name?;
    match zone_name(&name) {
        Ok(zone) => Some(zone),
        Err(error) => settings.mistake(format!("NEWSWIRE_EMAIL_ZONE: {name:?}: {error}")),
    }
}

fn guard(settings: &mut Settings) -> Option<GuardConfig> {
    let from = settings.value(
        "NEWSWIRE_EMAIL_GUARD_FROM",
        "1000",
        "Recipients from which on an alert may be held until somebody lets it go",
    );
    let factor = settings.value(
        "NEWSWIRE_EMAIL_GUARD_FACTOR",
        "10",
        "How many times the usual size of its section's alerts holds one; 0: none is held",
    );
    Some(GuardConfig { from: from?, factor: factor? })
}

fn relay(settings: &mut Settings) -> Option<RelayConfig> {
    let host = settings.value("NEWSWIRE_EMAIL_RELAY_HOST", "127.0.0.1", "The smart host that takes our mail");
    let port = settings.value("NEWSWIRE_EMAIL_RELAY_PORT", "25", "Its port: 25, 587 with starttls, 465 with implicit");
    let tls = settings.value("NEWSWIRE_EMAIL_RELAY_TLS", "none", "none (a relay on this host), starttls or implicit");
    let user = settings.optional("NEWSWIRE_EMAIL_RELAY_USER", "User name at the relay, where it asks for one");
    let password = settings.secret_file("NEWSWIRE_EMAIL_RELAY_PASSWORD_FILE", "File with the password at the relay");
    let roots = settings.secret_file(
        RELAY_ROOTS,
        "File with the certificates (PEM) of your own authority, where the relay's is not from a public one",
    );
    let seconds: Option<u64> =
        settings.value("NEWSWIRE_EMAIL_RELAY_TIMEOUT", "300", "Seconds that the answer to one command may take");
    let (user, password, tls, roots) = (user?, password?, tls?, roots?);
    if user.is_some() != password.is_some() {
        return settings.mistake("NEWSWIRE_EMAIL_RELAY_USER and …_PASSWORD_FILE go together".into());
    }
    if password.is_some() && tls == RelayTls::None {
        return settings.mistake("a password must not travel in the clear: set NEWSWIRE_EMAIL_RELAY_TLS".into());
    }
    if roots.is_some() && tls == RelayTls::None {
        return settings.mistake(format!("{RELAY_ROOTS} is for a relay with TLS: set NEWSWIRE_EMAIL_RELAY_TLS"));
    }
    let roots = roots.map_or_else(Vec::new, |pem| pem.expose().as_bytes().to_vec());
    if let Err(error) = check_roots(&roots) {
        return settings.mistake(format!("{RELAY_ROOTS}: {error}"));
    }
    Some(RelayConfig {
        host: host?,
        port: port?,
        tls,
        user,
        password,
        roots,
        timeout: Duration::from_secs(seconds?.clamp(1, 600)),
    })
}
