//! How much a client has sent that no service wanted. A connection keeps it: h2's table of known headers (RFC 7541, 2.3.2)
//! holds a part of what was read, and with each of its hundred entries all that came in the same piece, for as long as the
//! connection stands. Floods of frames that ask for nothing are the same to count.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use tokio_util::sync::CancellationToken;

use super::WINDOW;

/// After these bytes a connection takes no more requests and ends with those under way. A window full of a body that is
/// about to be read is among them; the rest is some hundred requests, or a thousand of a client that uses the table.
const GOODBYE: usize = 64 * 1024 + WINDOW as usize;
/// After these it ends at once.
const ENOUGH: usize = 64 * 1024 + GOODBYE;

/// Bytes of one connection, without those of bodies that a service has read; a clone counts on.
#[derive(Clone)]
pub(in crate::http) struct Received {
    bytes: Arc<AtomicUsize>,
    /// Also when the server stops.
    pub(super) goodbye: CancellationToken,
    pub(super) enough: CancellationToken,
}

impl Received {
    pub(super) fn new(shutdown: &CancellationToken) -> Self {
        Self { bytes: Arc::default(), goodbye: shutdown.child_token(), enough: CancellationToken::new() }
    }

    pub(in crate::http) fn add(&self, bytes: usize) {
        let all = self.bytes.fetch_add(bytes, Relaxed) + bytes;
        if all > GOODBYE {
            self.goodbye.cancel();
        }
        if all > ENOUGH {
            self.enough.cancel();
        }
    }

    /// A service has read `bytes` of a body, which [`Received::add`] was told of before.
    pub(super) fn wanted(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Relaxed);
    }
}
