//! The connection to the server, and whether that server will do.

use std::sync::Arc;
use std::time::Duration;

use async_nats::{Client, ConnectOptions, Event, jetstream};
use tokio::sync::Semaphore;
use topology::{API_LEVEL, SERVER_FLOOR};

use crate::batch::BATCHES;

/// Where the server is and who we are there.
#[derive(Clone)]
pub struct Server {
    /// `nats://host:port`, several separated by commas.
    pub url: String,
    pub credentials: Credentials,
}

/// How a service proves who it is. Secrets never appear in `Debug`.
#[derive(Clone)]
pub enum Credentials {
    /// A server on loopback that asks for nothing.
    None,
    /// An nkey seed (`SU…`).
    Nkey(String),
    Token(String),
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let how = match self.credentials {
            Credentials::None => "none",
            Credentials::Nkey(_) => "nkey",
            Credentials::Token(_) => "token",
        };
        f.debug_struct("Server").field("url", &self.url).field("credentials", &how).finish()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("cannot reach NATS at {url}: {cause}. Start it, or set NEWSWIRE_NATS_URL to where it is")]
    Unreachable { url: String, cause: String },
    #[error(
        "NATS at {url} refused our credentials: {cause}. Check NEWSWIRE_NATS_NKEY_FILE or NEWSWIRE_NATS_TOKEN_FILE"
    )]
    Refused { url: String, cause: String },
    #[error(
        "the NATS server {version} has JetStream API level {level}; newswire needs {API_LEVEL}. Use nats-server {SERVER_FLOOR} or newer"
    )]
    TooOld { version: String, level: usize },
    #[error(
        "JetStream is not available on this server or for this account: {0}. Start nats-server with a jetstream block and a store_dir"
    )]
    NoJetStream(String),
    #[error(
        "this account may not store anything on disk (max_file is 0). Give JetStream file storage: set max_file_store and store_dir"
    )]
    NoFileStorage,
}

/// A connection to the server that serves any number of tasks; cloning is cheap.
#[derive(Clone)]
pub struct Bus {
    pub(crate) client: Client,
    pub(crate) jetstream: jetstream::Context,
    pub(crate) service: String,
    /// Turns to write a batch.
    pub(crate) batches: Arc<Semaphore>,
}

/// A first connection that takes longer is a wrong address, not a slow network.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// One JetStream API call or acknowledgement. A disk that is busy makes the server slow.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

impl Bus {
    /// Connects as `service`, whose name prefixes its private inbox, and checks that the server will do.
    ///
    /// Once connected it reconnects for ever; operations fail or wait meanwhile, each as it says.
    ///
    /// # Errors
    /// [`ConnectError`]; every text says what to do.
    pub async fn connect(server: &Server, service: &str) -> Result<Self, ConnectError> {
        let options = ConnectOptions::new()
            .name(format!("newswire {service}"))
            .custom_inbox_prefix(format!("_INBOX_{service}"))
            .connection_timeout(CONNECT_TIMEOUT)
            .request_timeout(Some(REQUEST_TIMEOUT))
            // Fast at first, so that a restarted server is found at once; never slower than 2 s.
            .reconnect_delay_callback(|attempts| Duration::from_millis((50 * attempts as u64).min(2000)))
            .event_callback(log_event);
        let options = match &server.credentials {
            Credentials::None => options,
            Credentials::Nkey(seed) => options.nkey(seed.clone()),
            Credentials::Token(token) => options.token(token.clone()),
        };
        let addresses: Vec<String> = server.url.split(',').map(|url| url.trim().to_owned()).collect();
        let client = options.connect(addresses).await.map_err(|error| {
            let (url, cause) = (server.url.clone(), error.to_string());
            match error.kind() {
                async_nats::ConnectErrorKind::Authentication | async_nats::ConnectErrorKind::AuthorizationViolation => {
                    ConnectError::Refused { url, cause }
                }
                _ => ConnectError::Unreachable { url, cause },
            }
        })?;
        let mut jetstream = jetstream::new(client.clone());
        jetstream.set_timeout(REQUEST_TIMEOUT);
        let batches = Arc::new(Semaphore::new(BATCHES));
        let bus = Self { client, jetstream, service: service.to_owned(), batches };
        bus.check_server().await?;
        Ok(bus)
    }

    /// Refuses a server that lacks what we build on, before anything depends on it.
    async fn check_server(&self) -> Result<(), ConnectError> {
        let account =
            self.jetstream.query_account().await.map_err(|error| ConnectError::NoJetStream(error.to_string()))?;
        if account.requests.level < API_LEVEL {
            let version = self.client.server_info().version;
            return Err(ConnectError::TooOld { version, level: account.requests.level });
        }
        // Absent means unlimited. An account with tiers has a limit for each; the top one is unset then.
        if account.tiers.is_empty() && account.limits.max_storage == Some(0) {
            return Err(ConnectError::NoFileStorage);
        }
        Ok(())
    }

    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == async_nats::connection::State::Connected
    }

    /// Sends what is buffered and closes the connection. Nothing may be in flight: acknowledgements after this are lost.
    pub async fn close(&self) {
        if let Err(error) = self.client.flush().await {
            tracing::warn!(%error, "could not flush the connection to NATS before closing it");
        }
        if let Err(error) = self.client.drain().await {
            tracing::debug!(%error, "draining the connection to NATS");
        }
    }
}

/// A permission that is missing shows nowhere but here: the call it concerns just times out.
async fn log_event(event: Event) {
    match event {
        Event::ServerError(error) => {
            tracing::error!(%error, "NATS refused something; check this service's permissions")
        }
        Event::SlowConsumer(subscription) => tracing::warn!(subscription, "NATS subscription is not read fast enough"),
        Event::Disconnected => tracing::warn!("disconnected from NATS; reconnecting"),
        Event::Connected => tracing::info!("connected to NATS"),
        other => tracing::debug!(event = %other, "NATS connection"),
    }
}
