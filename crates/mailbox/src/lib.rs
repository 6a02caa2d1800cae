//! A local inbox for development and tests: an SMTP server (RFC 5321) that keeps every mail it accepts and shows it in
//! the browser.
//!
//! It stands where a site's relay would, so it is as strict as a careful one about line endings, line lengths and
//! command order: a mistake shows here instead of in production. It has no TLS and no authentication, and listens on
//! loopback unless another address is configured. [`Faults`] makes it refuse, stall or vanish at a chosen moment.

mod command;
mod content;
mod fault;
mod mail;
mod session;
mod store;
mod web;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

pub use fault::{Action, Fault, Faults, Stage};
pub use mail::{Content, Mail};

use fault::Script;
use store::Store;

/// How long connections may take to finish what they are in the middle of when the mailbox stops.
const DRAIN: Duration = Duration::from_secs(5);
/// Connections at once; more are answered 421. Far above what one sender opens, far below the descriptor limit.
const MAX_CONNECTIONS: usize = 500;

/// Where to listen and what to keep.
pub struct Config {
    /// Where SMTP listens; port 0 takes a free one.
    pub smtp: SocketAddr,
    /// Where the viewer and the JSON API listen; port 0 takes a free one.
    pub http: SocketAddr,
    /// Keeps mails as `.eml` files in this folder over a restart. Without one they live in memory only.
    pub dir: Option<PathBuf>,
    /// How many mails are kept, at least 1; the oldest go first.
    pub keep: usize,
    /// What goes wrong; nothing by default. [`Mailbox::set_faults`] changes it later.
    pub faults: Faults,
    /// Reads the clock, for the time a mail was received.
    pub now: fn() -> Timestamp,
    /// Is told of every mail that is taken, before its sender is: for whoever counts more mails than can be kept.
    pub witness: Option<Witness>,
}

/// Called on the event loop: it must not block.
pub type Witness = Box<dyn Fn(&Taken<'_>) + Send + Sync>;

/// A mail that was just taken.
#[derive(Debug, Clone, Copy)]
pub struct Taken<'a> {
    /// The envelope recipients that were accepted, in order.
    pub to: &'a [String],
    /// The content, as in [`Mail::raw`].
    pub raw: &'a [u8],
    /// Whether its sender will hear of it: false where [`Action::KeepThenCut`] cuts the connection first.
    pub told: bool,
}

impl Config {
    /// Free ports on loopback, the newest 5,000 mails in memory, no faults.
    pub fn new(now: fn() -> Timestamp) -> Self {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { smtp: loopback, http: loopback, dir: None, keep: 5_000, faults: Faults::default(), now, witness: None }
    }
}

/// Why a mailbox did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot listen on {addr} for {what}: {source}; is another mailbox running, or is the port taken?")]
    Listen { what: &'static str, addr: SocketAddr, source: std::io::Error },
    #[error("cannot keep mail in {}: {source}", dir.display())]
    Folder { dir: PathBuf, source: std::io::Error },
}

/// A running mailbox. Dropping it stops it at once; [`Mailbox::stop`] lets it finish.
pub struct Mailbox {
    smtp_addr: SocketAddr,
    http_addr: SocketAddr,
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
    stop: CancellationToken,
    /// Aborting `tasks` would leave open viewer connections behind; the token reaches those too.
    _stop_on_drop: DropGuard,
}

/// What every connection works on.
struct Shared {
    store: Store,
    faults: Script,
    now: fn() -> Timestamp,
    /// Shown by the viewer.
    smtp_addr: SocketAddr,
    witness: Option<Witness>,
}

impl Shared {
    /// Keeps a mail, off the event loop when that means waiting for the disk.
    async fn keep(self: Arc<Self>, arrival: store::Arrival) -> std::io::Result<u64> {
        if self.store.has_folder() {
            tokio::task::spawn_blocking(move || self.store.keep(arrival)).await.map_err(std::io::Error::other)?
        } else {
            self.store.keep(arrival)
        }
    }
}

impl Mailbox {
    /// Binds both ports and reads back what the folder holds. It stops when `shutdown` is cancelled.
    ///
    /// # Errors
    /// [`StartError`] when a port is taken or the folder cannot be used (not writable, or in use by another mailbox).
    pub async fn start(config: Config, shutdown: &CancellationToken) -> Result<Self, StartError> {
        let smtp = listen("SMTP", config.smtp).await?;
        let http = listen("the viewer", config.http).await?;
        let store = match config.dir {
            Some(dir) => Store::open(&dir, config.keep).map_err(|source| StartError::Folder { dir, source })?,
            None => Store::in_memory(config.keep),
        };
        let (smtp_addr, http_addr) = (smtp.1, http.1);
        let faults = Script::new(config.faults);
        let shared = Arc::new(Shared { store, faults, now: config.now, smtp_addr, witness: config.witness });
        let stop = shutdown.child_token();
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(smtp.0, Arc::clone(&shared), stop.clone()));
        tasks.spawn(web::serve(http.0, Arc::clone(&shared), stop.clone()));
        tracing::info!(smtp.address = %smtp_addr, http.address = %http_addr, "mailbox is open");
        Ok(Self { smtp_addr, http_addr, shared, tasks, _stop_on_drop: stop.clone().drop_guard(), stop })
    }

    /// Where SMTP listens.
    pub fn smtp_addr(&self) -> SocketAddr {
        self.smtp_addr
    }

    /// Where the viewer and the JSON API listen.
    pub fn http_addr(&self) -> SocketAddr {
        self.http_addr
    }

    /// The mails kept, oldest first.
    pub fn mails(&self) -> Vec<Arc<Mail>> {
        self.shared.store.all()
    }

    /// How many mails were accepted since this folder was new, dropped ones included.
    pub fn accepted(&self) -> u64 {
        self.shared.store.last_number()
    }

    /// Replaces what goes wrong from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.shared.faults.replace(faults);
    }

    /// Stops, lets connections finish the mail they are receiving (5 seconds at most), and returns when all is closed.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let drained = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN + Duration::from_secs(1), drained).await.is_err() {
            tracing::warn!("mailbox stopped with viewer connections still open");
        }
    }
}

async fn listen(what: &'static str, addr: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let refused = |source| StartError::Listen { what, addr, source };
    let listener = TcpListener::bind(addr).await.map_err(refused)?;
    let bound = listener.local_addr().map_err(refused)?;
    Ok((listener, bound))
}

/// Takes SMTP connections until the mailbox stops, then waits for those that are open.
async fn accept(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken) {
    let mut sessions = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
            Some(_) = sessions.join_next() => continue,
        };
        match accepted {
            Ok((stream, peer)) if sessions.len() < MAX_CONNECTIONS => {
                sessions.spawn(session::serve(stream, peer, Arc::clone(&shared), stop.clone()));
            }
            Ok((stream, _)) => session::refuse(stream),
            Err(error) => {
                // Out of descriptors, mostly: without a pause this loop would spin until one is free.
                tracing::warn!(%error, "mailbox could not take a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    let drained = async { while sessions.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN, drained).await.is_err() {
        tracing::warn!(open = sessions.len(), "mailbox cut SMTP connections that did not finish in time");
    }
}
