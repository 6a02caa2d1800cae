//! A stretch of network between a service and what it depends on, which a test can break and mend.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::nats_server::host_and_port;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Open,
    Stalled,
    Cut,
}

/// A TCP proxy on loopback in front of one target. Dropping it ends every connection through it.
pub struct ChaosProxy {
    addr: SocketAddr,
    mode: watch::Sender<Mode>,
    _tasks: JoinSet<()>,
}

impl ChaosProxy {
    /// Listens on a free port and passes everything on to `target`, given as `host:port` or as a URL without a path.
    /// The target may be down and come back.
    ///
    /// # Panics
    /// When no port can be bound.
    pub async fn start(target: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port on loopback");
        let addr = listener.local_addr().expect("the address of a bound port");
        let (mode, seen) = watch::channel(Mode::Open);
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, host_and_port(target).to_owned(), seen));
        Self { addr, mode, _tasks: tasks }
    }

    /// Where to connect instead of the target.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Ends all connections and every new one at once, as a dead network does, until [`ChaosProxy::restore`].
    pub fn cut(&self) {
        self.mode.send_replace(Mode::Cut);
    }

    /// Keeps connections open and passes nothing on, in neither direction: what hangs, not what fails. Octets that were
    /// on their way may still arrive; the rest follows after [`ChaosProxy::restore`].
    pub fn stall(&self) {
        self.mode.send_replace(Mode::Stalled);
    }

    /// Works again. Stalled connections go on; those that were cut stay cut.
    pub fn restore(&self) {
        self.mode.send_replace(Mode::Open);
    }
}

async fn accept(listener: TcpListener, target: String, mode: watch::Receiver<Mode>) {
    let mut connections = JoinSet::new();
    loop {
        let client = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
        };
        if let Ok((client, _)) = client {
            connections.spawn(connection(client, target.clone(), mode.clone()));
        }
    }
}

/// Both directions until one fails or the network is cut. An error here is one the client sees, as it should.
async fn connection(client: TcpStream, target: String, mut mode: watch::Receiver<Mode>) {
    let (up, down) = (mode.clone(), mode.clone());
    let passing = async {
        let server = TcpStream::connect(target).await?;
        // A proxy that gathers small packets would add delays the real network has not.
        server.set_nodelay(true)?;
        client.set_nodelay(true)?;
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        tokio::try_join!(pass(from_client, to_server, up), pass(from_server, to_client, down))
    };
    tokio::select! {
        biased;
        _ = mode.wait_for(|mode| *mode == Mode::Cut) => {}
        _ = passing => {}
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut mode: watch::Receiver<Mode>) -> io::Result<()> {
    let mut buffer = vec![0; 16 << 10];
    loop {
        let read = from.read(&mut buffer).await?;
        if mode.wait_for(|mode| *mode != Mode::Stalled).await.is_err() {
            return Ok(());
        }
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..read]).await?;
    }
}
