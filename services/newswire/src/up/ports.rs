//! The ports of `newswire up`, and which flag moves each.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::bail;
use url::Url;

/// Loopback only: what runs here has no TLS and a mailbox that anybody could read.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Ports {
    /// Port of the feeds and article pages
    #[arg(long = "pages-port", value_name = "PORT", default_value_t = 8080)]
    pub pages: u16,
    /// Port of the publishing API
    #[arg(long = "publisher-port", value_name = "PORT", default_value_t = 8081)]
    pub publisher: u16,
    /// Port of the subscribe pages
    #[arg(long = "email-port", value_name = "PORT", default_value_t = 8082)]
    pub email: u16,
    /// Port at which upstream feeds' reader says how it is
    #[arg(long = "reader-port", value_name = "PORT", default_value_t = 8084)]
    pub reader: u16,
    /// Port on which the mailbox shows its mail
    #[arg(long = "mailbox-port", value_name = "PORT", default_value_t = 8083)]
    pub mailbox: u16,
    /// Port on which the mailbox takes mail
    #[arg(long = "smtp-port", value_name = "PORT", default_value_t = 1025)]
    pub smtp: u16,
    /// Port of nats-server
    #[arg(long = "nats-port", value_name = "PORT", default_value_t = 4222)]
    pub nats: u16,
}

pub(crate) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

impl Ports {
    /// All of them are free, or every one that is not is named with the flag that moves it.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let ports = [
            ("--pages-port", self.pages),
            ("--publisher-port", self.publisher),
            ("--email-port", self.email),
            ("--reader-port", self.reader),
            ("--mailbox-port", self.mailbox),
            ("--smtp-port", self.smtp),
            ("--nats-port", self.nats),
        ];
        let mut faults = Vec::new();
        // Held until all are tried, so that one number given twice is noticed as well.
        let mut held = Vec::new();
        for (flag, port) in ports {
            match TcpListener::bind(loopback(port)) {
                Ok(_) if port == 0 => faults.push(format!("{flag} must be a port from 1 to 65535")),
                Ok(listener) => held.push(listener),
                Err(error) => faults.push(format!("port {port} cannot be used ({error}); {flag} PORT moves it")),
            }
        }
        if !faults.is_empty() {
            bail!("cannot start\n  {}", faults.join("\n  "));
        }
        Ok(())
    }

    pub(crate) fn pages_url(&self) -> Result<Url, url::ParseError> {
        base(self.pages)
    }

    pub(crate) fn email_url(&self) -> Result<Url, url::ParseError> {
        base(self.email)
    }

    pub(crate) fn publisher_url(&self) -> Result<Url, url::ParseError> {
        base(self.publisher)
    }

    pub(crate) fn reader_url(&self) -> Result<Url, url::ParseError> {
        base(self.reader)
    }

    pub(crate) fn mailbox_url(&self) -> Result<Url, url::ParseError> {
        base(self.mailbox)
    }
}

fn base(port: u16) -> Result<Url, url::ParseError> {
    Url::parse(&format!("http://127.0.0.1:{port}/"))
}
