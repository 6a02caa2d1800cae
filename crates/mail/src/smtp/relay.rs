//! Where mail is handed in: a smart host (Postfix, KumoMTA, a provider). Direct delivery is not ours.

use std::fmt;
use std::time::Duration;

/// One relay.
#[derive(Debug, Clone)]
pub struct Relay {
    /// A host name or an IP address. With TLS, the certificate must be for it.
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    pub auth: Option<Auth>,
    /// What we call ourselves in EHLO: a domain that resolves to us, or receivers distrust us.
    pub hello: String,
    pub timeouts: Timeouts,
}

/// How the connection is protected. Certificates are always verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// Not at all: for a relay on loopback or in one private network. No password is sent to another host so.
    None,
    /// Upgraded after the greeting (port 587), and given up when that is not offered.
    StartTls { extra_roots: Vec<u8> },
    /// From the first byte (port 465, RFC 8314).
    Implicit { extra_roots: Vec<u8> },
}

/// A user and password for AUTH PLAIN or LOGIN. The password is never shown.
#[derive(Clone)]
pub struct Auth {
    pub user: String,
    pub password: String,
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Auth {{ user: {:?}, password: … }}", self.user)
    }
}

/// How long the relay may take. The defaults are the least that RFC 5321 section 4.5.3.2 asks of a client, but for
/// `connect`; a shorter `content` means mails sent twice, because the relay had them when we gave up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// TCP, TLS, greeting, EHLO and AUTH together.
    pub connect: Duration,
    /// Each reply to MAIL, RCPT, DATA, RSET.
    pub command: Duration,
    /// From the first byte of the content to the reply after its dot.
    pub content: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(n * 60);
        Self { connect: minutes(1), command: minutes(5), content: minutes(10) }
    }
}
