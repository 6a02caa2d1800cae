//! The keys under which subscribers' records are sealed: one message of KEYS for each subscriber. Erasing it makes noise
//! of every copy of the record, wherever one lies.
//!
//! Until somebody confirms, the key expires by itself, after the record. So it is written anew when its owner
//! confirms; the earlier message is overwritten then, for what a limit drops stays in the server's files a while.

mod seal;

use std::collections::HashMap;

use bus::{BatchError, BatchMessage, Bus, EraseError, HeaderMap, PublishError, ReadError, Stored, TailEvent};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;
use topology::{KEYS, subjects};

pub(crate) use self::seal::{Broken, Content, Label, RecordKey, Sealed, mark};
use crate::subscriber::{CONFIRM_WITHIN, SubscriberId};

/// How long the key of somebody who has not confirmed is kept: a second week, so that it is not written with each record.
const KEPT: SignedDuration = SignedDuration::from_hours(14 * 24);

/// How much longer than a record written now its key must be there.
const MARGIN: SignedDuration = SignedDuration::from_hours(1);

/// Keys by subscriber, for as long as all records are read.
pub(crate) type AllKeys = HashMap<SubscriberId, RecordKey>;

#[derive(Debug, thiserror::Error)]
pub(crate) enum VaultError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error(transparent)]
    Erase(#[from] EraseError),
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// It was erased: its owner is to be forgotten, and a change that was under way with it.
    #[error("the subscriber's key is gone")]
    Gone,
}

#[derive(Clone)]
pub(crate) struct Vault {
    bus: Bus,
    secret: [u8; 32],
}

impl Vault {
    /// `secret`: the service's own part of every key.
    pub(crate) fn new(bus: Bus, secret: [u8; 32]) -> Self {
        Self { bus, secret }
    }

    pub(crate) fn seal(&self, key: &RecordKey, id: SubscriberId, label: Label, record: &[u8]) -> Vec<u8> {
        seal::seal(&self.secret, key, id, label, record)
    }

    pub(crate) fn open(&self, key: &RecordKey, id: SubscriberId, sealed: &Sealed<'_>) -> Result<Vec<u8>, Broken> {
        sealed.open(&self.secret, key, id)
    }

    /// The key of `id`; `None` when it was erased, or expired.
    pub(crate) async fn key(&self, id: SubscriberId) -> Result<Option<RecordKey>, ReadError> {
        let stored = self.bus.last(&KEYS, &subject(id)).await?;
        Ok(stored.and_then(|stored| read(&stored.payload)))
    }

    /// The key to write a record of `id` with: durable when this returns, for ever if it is `lasting`, else longer than
    /// the record. `new`: the record was not sealed yet, so that a key may be made.
    ///
    /// # Errors
    /// [`VaultError::Gone`] when there is none and none may be made.
    pub(crate) async fn provide(
        &self,
        id: SubscriberId,
        new: bool,
        lasting: bool,
        now: Timestamp,
    ) -> Result<RecordKey, VaultError> {
        let subject = subject(id);
        let Some(stored) = self.bus.last(&KEYS, &subject).await? else {
            if !new {
                return Err(VaultError::Gone);
            }
            let key = random();
            self.write(id, &key, lasting, 0).await?;
            return Ok(key);
        };
        let key = read(&stored.payload).ok_or(VaultError::Gone)?;
        let (expires, until) = (expires(&stored), now + CONFIRM_WITHIN + MARGIN);
        let does = expires.is_none_or(|expires| !lasting && expires > until);
        let last = if does { stored.sequence } else { self.write(id, &key, lasting, stored.sequence).await? };
        if lasting {
            self.erase_before(&subject, last).await?;
        }
        Ok(key)
    }

    /// Keys for records that were never written, 1 to 1,000, durable together when this returns. `lasting` as in
    /// [`Vault::provide`].
    pub(crate) async fn make(&self, new: &[(SubscriberId, bool)]) -> Result<Vec<RecordKey>, BatchError> {
        let keys: Vec<RecordKey> = new.iter().map(|_| random()).collect();
        let message = |((id, lasting), key): (&(SubscriberId, bool), &RecordKey)| BatchMessage {
            subject: subject(*id),
            headers: headers(*lasting),
            payload: key.to_vec().into(),
            expected: Some(0),
        };
        self.bus.publish_batch(new.iter().zip(&keys).map(message).collect()).await?;
        Ok(keys)
    }

    async fn write(&self, id: SubscriberId, key: &RecordKey, lasting: bool, after: u64) -> Result<u64, PublishError> {
        let (message_id, payload) = (format!("key/{id}/{after}/{lasting}"), key.to_vec().into());
        Ok(self.bus.publish(&KEYS, &subject(id), &message_id, headers(lasting), payload, Some(after)).await?.sequence)
    }

    /// Overwrites the key of `id` for good; answers whether there was one. Doing it again is harmless.
    pub(crate) async fn destroy(&self, id: SubscriberId) -> Result<bool, VaultError> {
        self.erase_before(&subject(id), u64::MAX).await
    }

    async fn erase_before(&self, subject: &str, end: u64) -> Result<bool, VaultError> {
        let mut erased = false;
        while let Some(stored) = self.bus.next(&KEYS, subject, 1).await?.filter(|stored| stored.sequence < end) {
            self.bus.erase(&KEYS, stored.sequence).await?;
            erased = true;
        }
        Ok(erased)
    }

    /// Every key there is, for whoever is about to read every record. `None`: shut down meanwhile.
    pub(crate) async fn all(&self, shutdown: CancellationToken) -> Option<AllKeys> {
        let mut tail = self.bus.tail(&KEYS, shutdown);
        let mut keys = AllKeys::new();
        while let TailEvent::Message { subject, payload, .. } = tail.next().await? {
            if let (Some(id), Some(key)) = (SubscriberId::of_subject(&subject), read(&payload)) {
                keys.insert(id, key);
            }
        }
        Some(keys)
    }
}

const TTL: &str = "Nats-TTL";

fn random() -> RecordKey {
    let mut key = RecordKey::default();
    aws_lc_rs::rand::fill(&mut key).expect("the operating system has random bytes");
    key
}

fn headers(lasting: bool) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if !lasting {
        headers.insert(TTL, format!("{}s", KEPT.as_secs()));
    }
    headers
}

fn subject(id: SubscriberId) -> String {
    subjects::subscriber_key(&id.to_string())
}

/// An erased or expired key may leave an empty marker.
fn read(payload: &[u8]) -> Option<RecordKey> {
    payload.try_into().ok()
}

/// When the server drops the message by itself; `None`: never.
fn expires(stored: &Stored) -> Option<Timestamp> {
    let seconds: i64 = stored.headers.get(TTL)?.as_str().strip_suffix('s')?.parse().ok()?;
    Some(stored.stored_at + SignedDuration::from_secs(seconds))
}
