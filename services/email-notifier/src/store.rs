//! Subscribers in JetStream. An address is claimed and its record written in one atomic batch, so that one address
//! has one record by construction, however many forms are sent at once. Records are sealed ([`crate::vault`]); what was
//! written before they were is read too, and sealed when it is written next.

mod erase;
mod many;
#[cfg(test)]
mod tests;

use bus::{BatchError, BatchMessage, Bus, EraseError, HeaderMap, PublishError, ReadError, Stored};
use jiff::Timestamp;
use mail::Address;
use serde::{Deserialize, Serialize};
use topology::{SUBSCRIBERS, subjects};

pub(crate) use self::erase::Erased;
pub(crate) use self::many::{Draft, TOGETHER};
use crate::links::Keys;
use crate::subscriber::{CONFIRM_WITHIN, Refused, Subscriber, SubscriberId, Wish};
use crate::vault::{Content, Label, RecordKey, Vault, VaultError};

/// Lost races before a request is given up; each means that somebody else succeeded.
const MAX_RACES: usize = 8;

/// The store did not do what was asked; asking again may help.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Batch(#[from] BatchError),
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error(transparent)]
    Erase(#[from] EraseError),
    #[error("the record of subscriber {id} does not read: {cause}")]
    Unreadable { id: SubscriberId, cause: String },
    #[error("too many writers at once")]
    Contended,
    #[error(transparent)]
    Refused(#[from] Refused),
}

impl From<VaultError> for StoreError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Read(error) => error.into(),
            VaultError::Publish(error) => error.into(),
            VaultError::Erase(error) => error.into(),
            VaultError::Batch(error) => error.into(),
            VaultError::Gone => Self::Contended,
        }
    }
}

/// Who holds an address.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Claim {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<SubscriberId>,
    /// Why it is never written to again, though its record is erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    suppressed: Option<String>,
}

/// What became of a change at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Changed {
    Written,
    Nothing,
    /// Nobody there is written to again.
    Suppressed,
}

#[derive(Clone)]
pub(crate) struct Store {
    bus: Bus,
    keys: Keys,
    vault: Vault,
    /// IANA name of the zone of whoever does not say.
    zone: String,
}

/// A record with the sequence it was read at.
struct Found {
    subscriber: Subscriber,
    sequence: u64,
    sealed: bool,
}

/// A record, as all are gone through.
pub(crate) struct Next {
    pub sequence: u64,
    /// `None`: it is erased. An error: it does not read.
    pub subscriber: Result<Option<Subscriber>, StoreError>,
}

/// A claim with the sequence it was read at; 0: there is none.
struct Held {
    claim: Claim,
    sequence: u64,
}

impl Store {
    /// `zone`: IANA name of the zone of whoever does not say.
    pub(crate) fn new(bus: Bus, keys: Keys, zone: String) -> Self {
        let vault = Vault::new(bus.clone(), keys.record);
        Self { bus, keys, vault, zone }
    }

    /// IANA name of the zone of whoever does not say.
    pub(crate) fn zone(&self) -> &str {
        &self.zone
    }

    pub(crate) fn vault(&self) -> Vault {
        self.vault.clone()
    }

    /// Somebody asked for something at `address`. The record is durable when this returns; whether anything changed
    /// by it is nobody's business but the owner's.
    pub(crate) async fn request(&self, address: &Address, wish: &Wish, now: Timestamp) -> Result<(), StoreError> {
        self.change_at(address, &wish.language, |subscriber| Ok(subscriber.request(wish, now))).await?;
        Ok(())
    }

    /// Changes the record at `address`, which is made if there is none; `change` says whether there is anything to write.
    pub(crate) async fn change_at(
        &self,
        address: &Address,
        language: &str,
        mut change: impl FnMut(&mut Subscriber) -> Result<bool, Refused>,
    ) -> Result<Changed, StoreError> {
        for _ in 0..MAX_RACES {
            let (mut found, held) = self.found_at(address, language).await?;
            if held.claim.suppressed.is_some() {
                return Ok(Changed::Suppressed);
            }
            if !change(&mut found.subscriber)? {
                return Ok(Changed::Nothing);
            }
            if self.write(&found, &held).await? {
                return Ok(Changed::Written);
            }
        }
        Err(StoreError::Contended)
    }

    /// The record at `address`, or one that could be.
    async fn found_at(&self, address: &Address, language: &str) -> Result<(Found, Held), StoreError> {
        let held = self.held(&self.claim_subject(address)).await?;
        let found = match held.claim.id {
            Some(id) => self.find(id).await?,
            None => None,
        };
        let found = found.unwrap_or_else(|| {
            let (id, language) = (SubscriberId::random(), language.to_owned());
            let subscriber = Subscriber::new(id, address.clone(), language, self.zone.clone());
            Found { subscriber, sequence: 0, sealed: false }
        });
        Ok((found, held))
    }

    pub(crate) async fn get(&self, id: SubscriberId) -> Result<Option<Subscriber>, StoreError> {
        Ok(self.find(id).await?.map(|found| found.subscriber))
    }

    /// Who holds `address`, if anybody does whose record is there.
    pub(crate) async fn at(&self, address: &Address) -> Result<Option<Subscriber>, StoreError> {
        match self.held(&self.claim_subject(address)).await?.claim.id {
            Some(id) => self.get(id).await,
            None => Ok(None),
        }
    }

    /// Why `address` is never written to again.
    pub(crate) async fn suppressed(&self, address: &Address) -> Result<Option<String>, StoreError> {
        Ok(self.held(&self.claim_subject(address)).await?.claim.suppressed)
    }

    /// The first record that was written after `sequence`; `None`: there is none.
    pub(crate) async fn next(&self, sequence: u64) -> Result<Option<Next>, StoreError> {
        let stored = self.bus.next(&SUBSCRIBERS, subjects::SUBSCRIBER_RECORDS, sequence + 1).await?;
        let Some(stored) = stored else { return Ok(None) };
        let subscriber = match SubscriberId::of_subject(&stored.subject) {
            Some(id) => self.opened(id, &stored).await,
            None => Ok(None),
        };
        let subscriber = match subscriber {
            Ok(found) => Ok(found.map(|found| found.subscriber)),
            Err(error @ StoreError::Unreadable { .. }) => Err(error),
            Err(error) => return Err(error),
        };
        Ok(Some(Next { sequence: stored.sequence, subscriber }))
    }

    /// Changes a record; `change` says whether there is anything to write. `None`: there is no such subscriber.
    pub(crate) async fn update(
        &self,
        id: SubscriberId,
        mut change: impl FnMut(&mut Subscriber) -> bool,
    ) -> Result<Option<Subscriber>, StoreError> {
        self.try_update(id, |subscriber| Ok(change(subscriber))).await
    }

    /// As [`Store::update`], of a change that may be refused: [`StoreError::Refused`], and nothing is written.
    pub(crate) async fn try_update(
        &self,
        id: SubscriberId,
        mut change: impl FnMut(&mut Subscriber) -> Result<bool, Refused>,
    ) -> Result<Option<Subscriber>, StoreError> {
        for _ in 0..MAX_RACES {
            let Some(mut found) = self.find(id).await? else { return Ok(None) };
            if !change(&mut found.subscriber)? {
                return Ok(Some(found.subscriber));
            }
            let held = self.held(&self.claim_subject(&found.subscriber.address)).await?;
            if self.write(&found, &held).await? {
                return Ok(Some(found.subscriber));
            }
        }
        Err(StoreError::Contended)
    }

    /// One for each mailbox, however its address is spelt.
    pub(crate) fn claim_subject(&self, address: &Address) -> String {
        subjects::subscriber_address(&self.keys.address_hash(address))
    }

    async fn held(&self, claim_subject: &str) -> Result<Held, StoreError> {
        let stored = self.bus.last(&SUBSCRIBERS, claim_subject).await?;
        let sequence = stored.as_ref().map_or(0, |stored| stored.sequence);
        // An expired one leaves an empty marker.
        let claim = stored.and_then(|stored| serde_json::from_slice(&stored.payload).ok()).unwrap_or_default();
        Ok(Held { claim, sequence })
    }

    async fn find(&self, id: SubscriberId) -> Result<Option<Found>, StoreError> {
        let Some(stored) = self.bus.last(&SUBSCRIBERS, &subjects::subscriber(&id.to_string())).await? else {
            return Ok(None);
        };
        self.opened(id, &stored).await
    }

    async fn opened(&self, id: SubscriberId, stored: &Stored) -> Result<Option<Found>, StoreError> {
        let (opened, sealed) = match Content::of(&stored.payload) {
            Content::Gone(_) => return Ok(None),
            Content::Plain(record) => (Ok(record.to_vec()), false),
            Content::Sealed(sealed) => match self.vault.key(id).await? {
                Some(key) => (self.vault.open(&key, id, &sealed).map_err(|broken| broken.to_string()), true),
                None => return Ok(None),
            },
        };
        let read = opened.and_then(|record| serde_json::from_slice(&record).map_err(|error| error.to_string()));
        let subscriber = read.map_err(|cause| StoreError::Unreadable { id, cause })?;
        Ok(Some(Found { subscriber, sequence: stored.sequence, sealed }))
    }

    /// Writes key, then claim and record together; `false` when somebody else was faster.
    async fn write(&self, found: &Found, held: &Held) -> Result<bool, StoreError> {
        let now = service_kit::now();
        let (id, lasting) = (found.subscriber.id, found.subscriber.is_lasting());
        let key = match self.vault.provide(id, !found.sealed, lasting, now).await {
            Ok(key) => key,
            // Erased, or written anew, since the record was read.
            Err(VaultError::Gone | VaultError::Publish(PublishError::Conflict { .. })) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        match self.bus.publish_batch(self.messages(found, held, &key, now).into()).await {
            Ok(_) => Ok(true),
            Err(BatchError::Conflict | BatchError::InProgress) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Claim and record. Until somebody confirms, they vanish by themselves, as the key does: an address that a stranger
    /// typed is not ours to keep. The record of a consent that was withdrawn is.
    fn messages(&self, found: &Found, held: &Held, key: &RecordKey, now: Timestamp) -> [BatchMessage; 2] {
        let Found { subscriber, sequence, .. } = found;
        let mut headers = HeaderMap::new();
        if !subscriber.is_lasting() {
            headers.insert("Nats-TTL", format!("{}s", CONFIRM_WITHIN.as_secs()));
        }
        let message = |subject: String, payload: Vec<u8>, expected: u64| BatchMessage {
            subject,
            headers: headers.clone(),
            payload: payload.into(),
            expected: Some(expected),
        };
        let encode = |value: serde_json::Result<Vec<u8>>| value.expect("records have string keys only");
        let claim = Claim { id: Some(subscriber.id), suppressed: held.claim.suppressed.clone() };
        let claim = encode(serde_json::to_vec(&claim));
        let record = encode(serde_json::to_vec(subscriber));
        let label = Label { claim: self.keys.address_mac(&subscriber.address), waits: subscriber.waits(now) };
        let record = self.vault.seal(key, subscriber.id, label, &record);
        [
            message(self.claim_subject(&subscriber.address), claim, held.sequence),
            message(subjects::subscriber(&subscriber.id.to_string()), record, *sequence),
        ]
    }
}
