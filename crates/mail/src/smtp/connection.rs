//! One connection to a relay: opened, encrypted, authenticated, and asked what it can do.

use std::net::IpAddr;
use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, AsyncTokioStream, Certificate, CertificateStore, TlsParameters,
};
use lettre::transport::smtp::commands::{Ehlo, Quit};
use lettre::transport::smtp::extension::ClientId;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::relay::{Auth, Relay, Timeouts, Tls};
use super::reply::{Broken, Reply, Stage};
use super::stream::Encrypted;

/// How long a relay may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// A connection that mails can be sent over until [`Connection::is_usable`] says no.
pub struct Connection {
    pub(super) inner: AsyncSmtpConnection,
    pub(super) offers: Offers,
    pub(super) timeouts: Timeouts,
    /// False while a window is on its way, too: a dropped `send_window` leaves replies nobody waits for.
    pub(super) usable: bool,
}

/// Extensions that matter to us; lettre reads only others from EHLO.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Offers {
    /// RFC 2920.
    pub(super) pipelining: bool,
    /// RFC 1870.
    pub(super) size: bool,
    /// Bytes; from SIZE, where it names a limit.
    pub(super) max_size: Option<usize>,
    /// RFC 3461.
    pub(super) dsn: bool,
}

/// Why there is no connection. Wait and try again, or try another relay; none of it concerns a recipient.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("cannot reach the relay {host}:{port}: {source}")]
    Unreachable { host: String, port: u16, source: std::io::Error },
    #[error("the relay {host}:{port} did not get through greeting, TLS and AUTH within {after:?}")]
    TimedOut { host: String, port: u16, after: Duration },
    #[error("TLS with the relay failed: {0}")]
    Tls(lettre::transport::smtp::Error),
    #[error("the extra root certificates are not PEM certificates: {0}")]
    Roots(lettre::transport::smtp::Error),
    #[error("no certificate in it: a line -----BEGIN CERTIFICATE----- is expected")]
    NoRoots,
    #[error("the relay does not offer STARTTLS; use implicit TLS, or none if it is in your own network")]
    NoStartTls,
    #[error("not sending a password unencrypted to {host}, which is not this machine; set TLS to starttls or implicit")]
    PlainPassword { host: String },
    #[error("the relay did not take the user {user:?}: {reply}")]
    Auth { user: String, reply: Reply },
    #[error("the relay refused the connection: {0}")]
    Refused(Reply),
    #[error(transparent)]
    Broken(#[from] Broken),
}

impl Connection {
    /// Opens a connection, ready for [`Connection::send_window`].
    ///
    /// # Errors
    /// [`OpenError`]; nothing is left open then.
    pub async fn open(relay: &Relay) -> Result<Self, OpenError> {
        let (host, port, after) = (relay.host.clone(), relay.port, relay.timeouts.connect);
        match timeout(after, open(relay)).await {
            Ok(result) => result,
            Err(_) => Err(OpenError::TimedOut { host, port, after }),
        }
    }

    /// Whether another window can be sent.
    pub fn is_usable(&self) -> bool {
        self.usable
    }

    /// Takes leave of the relay, for at most two seconds.
    pub async fn close(mut self) {
        if self.usable {
            // Every mail has its outcome by now: how the goodbye goes changes none.
            let _ = timeout(GOODBYE, self.inner.command(Quit)).await;
        }
    }
}

async fn open(relay: &Relay) -> Result<Connection, OpenError> {
    if relay.auth.is_some() && relay.tls == Tls::None && !is_local(&relay.host) {
        return Err(OpenError::PlainPassword { host: relay.host.clone() });
    }
    let unreachable = |source| OpenError::Unreachable { host: relay.host.clone(), port: relay.port, source };
    let stream = TcpStream::connect((relay.host.as_str(), relay.port)).await.map_err(unreachable)?;
    stream.set_nodelay(true).map_err(unreachable)?;
    let stream: Box<dyn AsyncTokioStream> = match &relay.tls {
        Tls::Implicit { extra_roots } => {
            let tls = tls_parameters(&relay.host, extra_roots)?;
            Box::new(Encrypted::open(stream, tls).await.map_err(OpenError::Tls)?)
        }
        Tls::None | Tls::StartTls { .. } => Box::new(stream),
    };
    let hello = ClientId::Domain(relay.hello.clone());
    let mut inner = match AsyncSmtpConnection::connect_with_transport(stream, &hello).await {
        Ok(connection) => connection,
        Err(error) => {
            return Err(Reply::read(Stage::Hello, Err(error)).map_or_else(OpenError::from, OpenError::Refused));
        }
    };
    if let Tls::StartTls { extra_roots } = &relay.tls {
        if !inner.can_starttls() {
            return Err(OpenError::NoStartTls);
        }
        inner.starttls(tls_parameters(&relay.host, extra_roots)?, &hello).await.map_err(OpenError::Tls)?;
    }
    if let Some(auth) = &relay.auth {
        authenticate(&mut inner, auth).await?;
    }
    // A second EHLO, because lettre keeps only the extensions it uses itself. After TLS and AUTH, as both may change
    // the list.
    let answer = inner.command(Ehlo::new(hello)).await;
    let offers = match &answer {
        Ok(response) => Offers::read(response.message()),
        Err(_) => return Err(Reply::read(Stage::Hello, answer).map_or_else(OpenError::from, OpenError::Refused)),
    };
    Ok(Connection { inner, offers, timeouts: relay.timeouts, usable: true })
}

async fn authenticate(inner: &mut AsyncSmtpConnection, auth: &Auth) -> Result<(), OpenError> {
    let credentials = Credentials::new(auth.user.clone(), auth.password.clone());
    let answer = inner.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await;
    let reply = Reply::read(Stage::Hello, answer)?;
    if (200..300).contains(&reply.code) { Ok(()) } else { Err(OpenError::Auth { user: auth.user.clone(), reply }) }
}

fn tls_parameters(host: &str, extra_roots: &[u8]) -> Result<TlsParameters, OpenError> {
    let mut builder = TlsParameters::builder(host.to_owned()).certificate_store(CertificateStore::WebpkiRoots);
    if !extra_roots.is_empty() {
        builder = builder.add_root_certificate(Certificate::from_pem(extra_roots).map_err(OpenError::Roots)?);
    }
    builder.build().map_err(OpenError::Tls)
}

/// Looks at certificates of authorities before they are needed; no bytes are none.
///
/// # Errors
/// [`OpenError::NoRoots`], [`OpenError::Roots`] or [`OpenError::Tls`].
pub fn check_roots(pem: &[u8]) -> Result<(), OpenError> {
    // What is no PEM at all has no certificates, and lettre finds nothing wrong with that.
    if !pem.is_empty() && !String::from_utf8_lossy(pem).contains("-----BEGIN CERTIFICATE-----") {
        return Err(OpenError::NoRoots);
    }
    tls_parameters("localhost", pem).map(drop)
}

fn is_local(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl Offers {
    /// Reads the lines of an EHLO reply; the first is the relay's name.
    fn read<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut offers = Self::default();
        for line in lines.skip(1) {
            let mut words = line.split_ascii_whitespace();
            match words.next().unwrap_or_default().to_ascii_uppercase().as_str() {
                "PIPELINING" => offers.pipelining = true,
                "DSN" => offers.dsn = true,
                "SIZE" => {
                    offers.size = true;
                    // 0 means no fixed limit (RFC 1870 section 4).
                    offers.max_size = words.next().and_then(|limit| limit.parse().ok()).filter(|limit| *limit > 0);
                }
                _ => {}
            }
        }
        offers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_are_read_whatever_their_case_and_order() {
        let offers = Offers::read(["mx.example DSN", "size 10240000", "Pipelining", "X-OTHER a b"].into_iter());
        assert_eq!(offers, Offers { pipelining: true, size: true, max_size: Some(10_240_000), dsn: false });
        for (line, limit) in [("SIZE", None), ("SIZE 0", None), ("SIZE many", None), ("SIZE 5", Some(5))] {
            assert_eq!(Offers::read(["mx", line].into_iter()).max_size, limit, "{line}");
        }
    }

    #[tokio::test]
    async fn no_password_travels_in_the_clear() {
        let relay = Relay {
            host: "relay.example".into(),
            port: 25,
            tls: Tls::None,
            auth: Some(Auth { user: "u".into(), password: "secret".into() }),
            hello: "news.example".into(),
            timeouts: Timeouts::default(),
        };
        assert!(matches!(Connection::open(&relay).await, Err(OpenError::PlainPassword { .. })));
        assert!(!format!("{relay:?}").contains("secret"));
    }
}
