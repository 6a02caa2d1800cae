//! Mail from the site's own mail system, by LMTP (RFC 2033): one reply for each recipient, and 250 only once what it says
//! is durable. It takes mail for addresses of ours alone, asks for no password, and belongs on loopback.

mod connection;
mod content;
mod session;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::connection::Connection;
use super::Gate;

/// Connections at one time; one costs less than 1 MiB, with the mail that is coming in.
const MAX_CONNECTIONS: usize = 32;

/// Pause after a connection that could not be accepted: mostly files are short, and it passes.
const ACCEPT_AGAIN: Duration = Duration::from_secs(1);

/// The listening socket.
pub(crate) struct Lmtp {
    listener: TcpListener,
    pub(crate) address: SocketAddr,
}

impl Lmtp {
    /// # Errors
    /// When the port is taken or not ours to take.
    pub(crate) async fn bind(address: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address}; change NEWSWIRE_EMAIL_LMTP_LISTEN"))?;
        let address = listener.local_addr().context("the LMTP socket has no address")?;
        Ok(Self { listener, address })
    }

    /// Takes mail until `shutdown`; then finishes the mails that are whole.
    pub(crate) async fn run(self, gate: Arc<Gate>, shutdown: CancellationToken) {
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                () = shutdown.cancelled() => break,
                // Whoever has ended, panicked or not, has closed its connection.
                Some(_) = connections.join_next() => continue,
                accepted = self.listener.accept() => accepted,
            };
            let socket = match accepted {
                Ok((socket, _)) => socket,
                Err(error) => {
                    tracing::warn!(%error, "a connection for LMTP could not be accepted");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                    continue;
                }
            };
            let place = places.clone().try_acquire_owned().ok();
            let connection = Connection::new(socket, gate.clone(), shutdown.clone());
            connections.spawn(async move {
                match &place {
                    Some(_) => connection.serve().await,
                    None => connection.turn_away().await,
                }
                drop(place);
            });
        }
        while connections.join_next().await.is_some() {}
    }
}
