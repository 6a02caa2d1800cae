//! Follows the log of subscribers into memory. Their keys are in memory only until every record was read once; whoever
//! changes afterwards has their key read by itself.

use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bus::{Bus, Tail, TailEvent};
use bytes::Bytes;
use futures::{StreamExt, stream};
use tokio_util::sync::CancellationToken;
use topology::{SUBSCRIBERS, subjects};

use crate::readers::Readers;
use crate::subscriber::{Subscriber, SubscriberId};
use crate::vault::{AllKeys, Content, RecordKey, Vault};

/// Keys read at one time, when many subscribers change at once.
const AT_ONCE: usize = 64;

/// Pause before a key is read again.
const AGAIN: Duration = Duration::from_secs(1);

/// Takes the subscribers' log into memory.
#[derive(Clone)]
pub(crate) struct Follower {
    pub bus: Bus,
    pub vault: Vault,
    pub readers: Arc<Readers>,
}

/// A message of the log, opened.
enum Event {
    CaughtUp,
    Record(Box<Subscriber>, u64),
    /// Erased, or expired.
    Gone(SubscriberId, u64),
    /// Nothing of a subscriber.
    Other(u64),
}

impl Follower {
    /// Until `shutdown`; calls `caught_up` once all that was there is in memory.
    pub(crate) async fn run(self, caught_up: impl FnOnce(), shutdown: CancellationToken) {
        let Some(keys) = self.vault.all(shutdown.clone()).await else { return };
        let keys = Arc::new(Mutex::new(Some(keys)));
        let tail = self.bus.tail(&SUBSCRIBERS, shutdown.clone());
        let events = stream::unfold(tail, async |mut tail: Tail| tail.next().await.map(|event| (event, tail)));
        // On all cores: a million records take half a minute on one.
        let opened = events.map(|event| tokio::spawn(self.clone().opened(event, keys.clone())));
        let mut opened = std::pin::pin!(opened.buffered(AT_ONCE));
        let (mut caught_up, mut erased) = (Some(caught_up), 0_u64);
        while let Some(Some(event)) = shutdown.run_until_cancelled(opened.next()).await {
            let event = event.unwrap_or_else(|died| resume_unwind(died.into_panic()));
            match event {
                Event::CaughtUp => {
                    drop(keys.lock().expect("no code panics while it holds this lock").take());
                    tracing::info!(subscribers = self.readers.count(), erased, "subscriber index is complete");
                    if let Some(caught_up) = caught_up.take() {
                        caught_up();
                    }
                }
                Event::Record(record, sequence) => self.readers.apply(&record, sequence),
                Event::Gone(id, sequence) => {
                    erased += 1;
                    self.readers.forget(id, sequence);
                }
                Event::Other(sequence) => self.readers.saw(sequence),
            }
        }
    }

    async fn opened(self, event: TailEvent, keys: Arc<Mutex<Option<AllKeys>>>) -> Event {
        let (subject, payload, sequence) = match event {
            TailEvent::CaughtUp => return Event::CaughtUp,
            TailEvent::Message { subject, payload, sequence, .. } => (subject, payload, sequence),
        };
        // Claims of addresses share the stream.
        let Some(id) = SubscriberId::of_subject(&subject).filter(|_| subjects::is_subscriber(&subject)) else {
            return Event::Other(sequence);
        };
        let record: Result<Bytes, String> = match Content::of(&payload) {
            Content::Gone(_) => return Event::Gone(id, sequence),
            Content::Plain(_) => Ok(payload),
            Content::Sealed(sealed) => {
                let known = keys
                    .lock()
                    .expect("no code panics while it holds this lock")
                    .as_ref()
                    .and_then(|all| all.get(&id).copied());
                let key = match known {
                    Some(key) => Some(key),
                    None => self.key(id).await,
                };
                let Some(key) = key else { return Event::Gone(id, sequence) };
                self.vault.open(&key, id, &sealed).map(Bytes::from).map_err(|broken| broken.to_string())
            }
        };
        let read = record
            .and_then(|record| serde_json::from_slice::<Box<Subscriber>>(&record).map_err(|error| error.to_string()));
        match read {
            Ok(mut record) => {
                // Who has left long ago takes no room.
                record.prune(service_kit::now());
                Event::Record(record, sequence)
            }
            Err(cause) => {
                tracing::error!(subject, cause, "a subscriber's record does not read");
                Event::Other(sequence)
            }
        }
    }

    /// Without it there is no telling whether somebody has left, so it is waited for.
    async fn key(&self, id: SubscriberId) -> Option<RecordKey> {
        loop {
            match self.vault.key(id).await {
                Ok(key) => return key,
                Err(error) => tracing::warn!(%error, "a subscriber's key cannot be read; trying on"),
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}
