//! Serving HTTP until told to stop, to clients that may be slow, many or gone.
//!
//! What a client can hold is bounded: a connection without a request under way for 30 s, an answer that is not taken for
//! 30 s, and one of so many connections. How long a request may take is for the service to say.

mod connection;
mod http2;
mod socket;
mod traffic;

use std::future::pending;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use rustix::process::{Resource, getrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{Metrics, Tls};

pub(crate) use traffic::Traffic;

/// A bound address; port 0 has become a real one.
pub struct Listener {
    listener: TcpListener,
    pub address: SocketAddr,
    traffic: Traffic,
    tls: Option<Tls>,
}

/// What clients may take of a server.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// Connections open at one time; more of them wait to be accepted.
    connections: usize,
    /// For TLS to be agreed on.
    handshake: Duration,
    /// For the headers of a request, and between two requests of one connection.
    headers: Duration,
    /// For the client to take a part of an answer.
    stall: Duration,
    /// For requests under way when the server stops.
    drain: Duration,
    /// Between two looks at the files of the certificate.
    renewal: Duration,
}

const LIMITS: Limits = Limits {
    // Each may have 64 KiB read ahead: 256 MiB. In HTTP/2 192 KiB of whatever it sent, 64 KiB of headers that wait and what
    // 100 streams are kept in: up to 330 KiB (measured), 1.3 GiB if every one of them means harm. Both without the bodies
    // that services read.
    connections: 4096,
    handshake: Duration::from_secs(10),
    headers: Duration::from_secs(30),
    stall: Duration::from_secs(30),
    drain: Duration::from_secs(10),
    renewal: Duration::from_secs(60),
};

impl Limits {
    /// As for everybody, with so many connections at most.
    pub(crate) fn up_to(connections: usize) -> Self {
        Self { connections: LIMITS.connections.min(connections).max(1), ..LIMITS }
    }
}

/// Pause after a connection could not be accepted; then most often no file descriptor is left.
const ACCEPT_AGAIN: Duration = Duration::from_secs(1);
/// Failures in a row after which the socket is given up.
const ACCEPT_FAILURES: u32 = 60;
/// At most one warning in this time says that all connections are taken.
const WARN_EVERY: Duration = Duration::from_secs(60);

impl Listener {
    /// Binds `address`, which came from `setting`.
    ///
    /// # Errors
    /// When the port is taken or not ours to take; the text names the setting that moves it.
    pub async fn bind(address: SocketAddr, setting: &str) -> anyhow::Result<Self> {
        let bound = TcpListener::bind(address).await;
        let listener =
            bound.with_context(|| format!("cannot listen on {address}; is it in use? {setting} moves it"))?;
        let address = listener.local_addr().context("a bound socket without an address")?;
        Ok(Self { listener, address, traffic: Traffic::default(), tls: None })
    }

    /// Speaks TLS, if there is a certificate to show.
    #[must_use]
    pub fn encrypted(self, tls: Option<Tls>) -> Self {
        Self { tls, ..self }
    }

    /// Where it is reached on this host.
    pub fn url(&self) -> String {
        format!("{}://{}", if self.tls.is_some() { "https" } else { "http" }, self.address)
    }

    /// Shows what goes through here among `metrics`.
    #[must_use]
    pub fn counted(self, metrics: &Metrics) -> Self {
        Self { traffic: metrics.traffic(), ..self }
    }
}

/// Serves `router` until `shutdown`, then lets requests under way finish for up to 10 s.
///
/// # Errors
/// When the listening socket has failed for a minute.
pub async fn serve(listener: Listener, router: Router, shutdown: CancellationToken) -> anyhow::Result<()> {
    // The files of the store's connection and whatever else is open must not run out with the clients'.
    let files = getrlimit(Resource::Nofile).current.map_or(usize::MAX, |files| usize::try_from(files / 2).unwrap_or(1));
    serve_within(Limits::up_to(files), listener, router, shutdown).await
}

pub(crate) async fn serve_within(
    limits: Limits,
    listener: Listener,
    router: Router,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let mut door = Door::new(listener.listener, limits.connections);
    let Listener { traffic, tls, .. } = listener;
    let serving = Serving { limits, router, traffic, tls: tls.clone(), shutdown: shutdown.clone() };
    let mut renewing = pin!(async {
        match &tls {
            Some(tls) => tls.follow(limits.renewal).await,
            None => pending().await,
        }
    });
    // Dropped with this future, and their connections with them.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            () = &mut renewing => {}
            Some(_) = connections.join_next() => {}
            accepted = door.accept() => {
                let (socket, peer, place) = accepted?;
                let serving = serving.clone();
                connections.spawn(async move {
                    let open = serving.traffic.connection();
                    connection::serve(serving, socket, peer).await;
                    drop((open, place));
                });
            }
        }
    }
    drop(door);
    let finished = tokio::time::timeout(limits.drain, async { while connections.join_next().await.is_some() {} }).await;
    if finished.is_err() {
        tracing::warn!("requests did not finish in {} s and were cut", limits.drain.as_secs());
    }
    Ok(())
}

/// What every connection needs.
#[derive(Clone)]
struct Serving {
    limits: Limits,
    router: Router,
    traffic: Traffic,
    tls: Option<Tls>,
    shutdown: CancellationToken,
}

/// Where connections come in, one place each.
struct Door {
    listener: TcpListener,
    places: Arc<Semaphore>,
    failures: u32,
    warned: Option<Instant>,
}

impl Door {
    fn new(listener: TcpListener, places: usize) -> Self {
        Self { listener, places: Arc::new(Semaphore::new(places)), failures: 0, warned: None }
    }

    /// The next connection, once there is a place for it. May be dropped at any point.
    async fn accept(&mut self) -> anyhow::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        let place = match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => place,
            Err(_) => {
                if self.warned.is_none_or(|at| at.elapsed() >= WARN_EVERY) {
                    self.warned = Some(Instant::now());
                    tracing::warn!("all connections are taken; new ones wait until one is closed");
                }
                match Arc::clone(&self.places).acquire_owned().await {
                    Ok(place) => place,
                    Err(_closed) => pending().await,
                }
            }
        };
        loop {
            match self.listener.accept().await {
                Ok((socket, peer)) => {
                    self.failures = 0;
                    return Ok((socket, peer, place));
                }
                Err(error) => {
                    self.failures += 1;
                    tracing::warn!(%error, "a connection could not be accepted");
                    if self.failures >= ACCEPT_FAILURES {
                        return Err(error).context("no connection could be accepted for a minute");
                    }
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
