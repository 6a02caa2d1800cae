//! When each token was last used, so that whoever replaces one sees when the old one has fallen silent.
//!
//! Written by a task of its own, once a minute and token at most; a request waits for none of it, and a use that cannot
//! be written is forgotten: the next one, a minute later, says the same.

use bus::{Bus, HeaderMap};
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use topology::TOKENS;

use super::{Bearer, TokenHash, TokenUse};

/// Uses on their way to the store. With more tokens than this in use at once some are noted a minute later.
const QUEUE: usize = 256;

/// Takes notes of uses.
#[derive(Clone)]
pub(crate) struct Uses(mpsc::Sender<(TokenHash, Timestamp)>);

impl Uses {
    /// The note-taker, and what writes the notes until `shutdown`.
    pub(crate) fn new(bus: Bus, shutdown: CancellationToken) -> (Self, impl Future<Output = ()>) {
        let (sender, mut queue) = mpsc::channel(QUEUE);
        let writing = async move {
            while let Some(Some((hash, at))) = shutdown.run_until_cancelled(queue.recv()).await {
                write(&bus, &hash, at).await;
            }
        };
        (Self(sender), writing)
    }

    /// Notes that a token is used; nothing but a comparison in all but one call a minute.
    pub(crate) fn note(&self, bearer: &Bearer, now: Timestamp) {
        if bearer.first_in_minute(now) && self.0.try_send((bearer.hash.clone(), now)).is_err() {
            tracing::debug!("too many tokens in use to note the use of each");
        }
    }
}

async fn write(bus: &Bus, hash: &TokenHash, at: Timestamp) {
    // A publish would be tried for 15 s, and hold up the notes of other tokens for something so small.
    if !bus.is_connected() {
        return;
    }
    // Of several replicas the first writes; the server knows the others' message as the same.
    let id = format!("use/{}/{}", hash.as_str(), minute(at));
    let payload = TokenUse { last_used_at: at }.to_bytes().into();
    if let Err(error) = bus.publish(&TOKENS, &hash.use_subject(), &id, HeaderMap::new(), payload, None).await {
        tracing::warn!(%error, "the last use of a token could not be noted");
    }
}

/// Minutes since 1970.
pub(super) fn minute(at: Timestamp) -> i64 {
    at.as_second().div_euclid(60)
}
