//! How it stands with every source of one publisher, as the log says: followed into memory, changed by compare-and-set.
//!
//! All of a source's records but the operator's are in one stream, and an instance writes a source's state last. So
//! whoever has seen the state has seen everything that was done before it, and whoever can change it is the only one.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use article::PublisherId;
use bus::{Bus, HeaderMap, PublishError, ReadError, TailEvent};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use topology::{INTAKE, QUARANTINE, SOURCES, subjects};

use crate::item::ItemRecord;
use crate::quarantine::Quarantined;
use crate::source::{Source, sha256_hex};
use crate::state::State;
use crate::websub::Lease;

/// How long an item is remembered that its feed no longer has. Its article is found again by its identity even then.
pub(crate) const REMEMBERED: SignedDuration = SignedDuration::from_hours(180 * 24);

pub(crate) struct Intake {
    bus: Bus,
    publisher: PublisherId,
    memory: Mutex<Memory>,
    /// Something has changed that may make a source due.
    pub(crate) changed: Notify,
}

#[derive(Default)]
struct Memory {
    sources: HashMap<String, Source>,
    states: HashMap<String, Kept<State>>,
    leases: HashMap<String, Kept<Lease>>,
    items: HashMap<String, HashMap<String, Kept<ItemRecord>>>,
}

/// A record and its place in the log, by which it is replaced.
#[derive(Debug, Clone)]
pub(crate) struct Kept<T> {
    pub(crate) record: T,
    pub(crate) sequence: u64,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum LeaseError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("it cannot be read: {0}")]
    Damaged(#[from] serde_json::Error),
}

impl Intake {
    pub(crate) fn new(bus: Bus, publisher: PublisherId) -> Self {
        Self { bus, publisher, memory: Mutex::default(), changed: Notify::new() }
    }

    /// Follows both logs until `shutdown`; `caught_up` is called once everything that there was has been seen.
    pub(crate) async fn follow(&self, caught_up: impl FnOnce(), shutdown: CancellationToken) {
        let (mut sources, mut intake) =
            (self.bus.tail(&SOURCES, shutdown.clone()), self.bus.tail(&INTAKE, shutdown.clone()));
        let (mut waits_for, mut caught_up) = (2, Some(caught_up));
        loop {
            let event = tokio::select! {
                event = sources.next() => event,
                event = intake.next() => event,
            };
            match event {
                None => return,
                Some(TailEvent::Message { subject, payload, sequence, .. }) => self.take(&subject, &payload, sequence),
                Some(TailEvent::CaughtUp) => {
                    waits_for -= 1;
                    if let Some(caught_up) = caught_up.take_if(|_| waits_for == 0) {
                        caught_up();
                    }
                }
            }
            self.changed.notify_one();
        }
    }

    fn take(&self, subject: &str, payload: &[u8], sequence: u64) {
        let tokens: Vec<&str> = subject.split('.').skip(1).collect();
        let ours = |publisher: &str| publisher == self.publisher.as_str();
        let mut memory = self.memory();
        let taken = match tokens[..] {
            ["source", publisher, source] if ours(publisher) => Source::from_bytes(payload).map(|record| {
                memory.sources.insert(source.to_owned(), record);
            }),
            ["intake", "state", publisher, source] if ours(publisher) => {
                keep(&mut memory.states, source, payload, sequence)
            }
            ["intake", "lease", publisher, source] if ours(publisher) => {
                keep(&mut memory.leases, source, payload, sequence)
            }
            ["intake", "item", publisher, source, item] if ours(publisher) => {
                keep(memory.items.entry(source.to_owned()).or_default(), item, payload, sequence)
            }
            _ => return,
        };
        if let Err(error) = taken {
            tracing::error!(subject, sequence, %error, "a record of a source cannot be read; it is ignored");
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn source(&self, source: &str) -> Option<Source> {
        self.memory().sources.get(source).cloned()
    }

    /// Looks at every source and how it stands with it.
    pub(crate) fn each(&self, mut look: impl FnMut(&str, &Source, Option<&State>)) {
        let memory = self.memory();
        for (id, source) in &memory.sources {
            look(id, source, memory.states.get(id).map(|kept| &kept.record));
        }
    }

    pub(crate) fn state(&self, source: &str) -> Option<Kept<State>> {
        self.memory().states.get(source).cloned()
    }

    pub(crate) fn lease(&self, source: &str) -> Option<Lease> {
        self.memory().leases.get(source).map(|kept| kept.record.clone())
    }

    /// The items of a source that are remembered, by their names in the log.
    pub(crate) fn items(&self, source: &str, now: Timestamp) -> HashMap<String, Kept<ItemRecord>> {
        let mut memory = self.memory();
        let Some(items) = memory.items.get_mut(source) else { return HashMap::new() };
        // The server forgets them at the same time.
        items.retain(|_, kept| now.duration_since(kept.record.noted_at) < REMEMBERED);
        items.clone()
    }

    /// Writes the state of a source in place of the one at `expected`, 0 for none.
    pub(crate) async fn put_state(&self, source: &str, state: &State, expected: u64) -> Result<u64, PublishError> {
        let subject = subjects::intake_state(&self.publisher, source);
        let sequence = self.put(&subject, state, Some(expected), None).await?;
        let kept = Kept { record: state.clone(), sequence };
        replace(&mut self.memory().states, source, kept);
        Ok(sequence)
    }

    pub(crate) async fn put_item(
        &self,
        source: &str,
        item: &str,
        record: &ItemRecord,
        expected: u64,
    ) -> Result<(), PublishError> {
        let subject = subjects::intake_item(&self.publisher, source, item);
        let sequence = self.put(&subject, record, Some(expected), Some(REMEMBERED)).await?;
        let kept = Kept { record: record.clone(), sequence };
        replace(self.memory().items.entry(source.to_owned()).or_default(), item, kept);
        Ok(())
    }

    /// The lease as it stands in the log this moment: the hub may call before our copy of it has come.
    pub(crate) async fn current_lease(&self, source: &str) -> Result<Option<(Lease, u64)>, LeaseError> {
        let stored = self.bus.last(&INTAKE, &subjects::intake_lease(&self.publisher, source)).await?;
        let Some(stored) = stored else { return Ok(None) };
        Ok(Some((serde_json::from_slice(&stored.payload)?, stored.sequence)))
    }

    pub(crate) async fn put_lease(&self, source: &str, lease: &Lease, expected: u64) -> Result<(), PublishError> {
        let subject = subjects::intake_lease(&self.publisher, source);
        let sequence = self.put(&subject, lease, Some(expected), None).await?;
        replace(&mut self.memory().leases, source, Kept { record: lease.clone(), sequence });
        Ok(())
    }

    /// Puts something that nobody could read where a person finds it; the same bytes are kept once.
    pub(crate) async fn quarantine(&self, source: &str, found: &Quarantined) -> Result<(), PublishError> {
        let subject = subjects::quarantine(&self.publisher, source, &sha256_hex(&found.bytes));
        let message_id = format!("{subject}/{}", found.at);
        let payload = Bytes::from(found.to_bytes());
        self.bus.publish(&QUARANTINE, &subject, &message_id, HeaderMap::new(), payload, None).await?;
        Ok(())
    }

    async fn put<T: Serialize>(
        &self,
        subject: &str,
        record: &T,
        expected: Option<u64>,
        expires: Option<SignedDuration>,
    ) -> Result<u64, PublishError> {
        let payload = serde_json::to_vec(record).expect("strings, numbers and times always serialise");
        let mut headers = HeaderMap::new();
        if let Some(expires) = expires.and_then(|expires| Duration::try_from(expires).ok()) {
            headers.insert("Nats-TTL", format!("{}s", expires.as_secs()));
        }
        // Two instances may write after the same record at one time: only the same bytes are the same message.
        let message_id = format!("{subject}/{}/{}", expected.unwrap_or_default(), sha256_hex(&payload));
        let published = self.bus.publish(&INTAKE, subject, &message_id, headers, payload.into(), expected).await?;
        Ok(published.sequence)
    }
}

fn keep<T: DeserializeOwned>(
    kept: &mut HashMap<String, Kept<T>>,
    name: &str,
    payload: &[u8],
    sequence: u64,
) -> Result<(), serde_json::Error> {
    let record = serde_json::from_slice(payload)?;
    replace(kept, name, Kept { record, sequence });
    Ok(())
}

/// What we wrote ourselves comes by the log once more, after what we wrote later.
fn replace<T>(kept: &mut HashMap<String, Kept<T>>, name: &str, fresh: Kept<T>) {
    match kept.get(name) {
        Some(known) if known.sequence > fresh.sequence => {}
        _ => {
            kept.insert(name.to_owned(), fresh);
        }
    }
}
