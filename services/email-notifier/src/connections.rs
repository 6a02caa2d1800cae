//! Connections to the relay, kept for the next window.
//!
//! Our own and not lettre's pool: that one has no TCP_NODELAY (44 ms a message) and hands out a connection again that
//! a timeout left in the middle of a transaction. See `docs/adr/0003`.

use std::sync::Mutex;
use std::time::Duration;

use futures::future::join_all;
use mail::smtp::OpenError;
use mail::{Connection, Outcome, Outgoing, Relay};
use prometheus_client::metrics::counter::Counter;
use tokio::time::Instant;

/// Idle connections kept; each worker uses one at a time.
const MAX_IDLE: usize = 16;
/// Relays end idle sessions after five minutes (RFC 5321 section 4.5.3.2.7), some sooner.
const MAX_IDLE_FOR: Duration = Duration::from_secs(30);
/// Windows sent over one connection: a relay behind a balancer should see new ones now and then.
const MAX_WINDOWS: u32 = 200;

pub(crate) struct Connections {
    relay: Relay,
    idle: Mutex<Vec<Idle>>,
    /// Those that were opened.
    opened: Counter,
}

struct Idle {
    connection: Connection,
    since: Instant,
    windows: u32,
}

impl Connections {
    pub(crate) fn new(relay: Relay, opened: Counter) -> Self {
        Self { relay, idle: Mutex::default(), opened }
    }

    /// Sends a window over one connection, and says of each mail what became of it, and whether the connection was opened
    /// for it. A kept connection that turns out to be dead before anything was taken is replaced by a new one, once.
    ///
    /// # Errors
    /// When there is no connection to be had; nothing was sent then.
    pub(crate) async fn submit(&self, window: &[Outgoing<'_>]) -> Result<(Vec<Outcome>, bool), OpenError> {
        if let Some(kept) = self.take() {
            let outcomes = self.send_over(kept, window).await;
            if !outcomes.iter().all(|outcome| matches!(outcome, Outcome::Unsent(_))) {
                return Ok((outcomes, false));
            }
        }
        let connection = Connection::open(&self.relay).await?;
        self.opened.inc();
        let outcomes = self.send_over(Idle { connection, since: Instant::now(), windows: 0 }, window).await;
        Ok((outcomes, true))
    }

    async fn send_over(&self, mut used: Idle, window: &[Outgoing<'_>]) -> Vec<Outcome> {
        let outcomes = used.connection.send_window(window).await;
        used.windows += 1;
        if used.connection.is_usable() {
            if used.windows < MAX_WINDOWS {
                self.keep(used);
            } else {
                used.connection.close().await;
            }
        }
        outcomes
    }

    fn take(&self) -> Option<Idle> {
        let mut idle = self.idle.lock().expect("no code panics while it holds this lock");
        idle.retain(|kept| kept.since.elapsed() < MAX_IDLE_FOR);
        idle.pop()
    }

    fn keep(&self, mut used: Idle) {
        used.since = Instant::now();
        let mut idle = self.idle.lock().expect("no code panics while it holds this lock");
        if idle.len() < MAX_IDLE {
            idle.push(used);
        }
    }

    /// Takes leave of the relay on all kept connections.
    pub(crate) async fn close(&self) {
        let kept = std::mem::take(&mut *self.idle.lock().expect("no code panics while it holds this lock"));
        join_all(kept.into_iter().map(|kept| kept.connection.close())).await;
    }
}
