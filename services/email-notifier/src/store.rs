//! Subscribers in JetStream. An address is claimed and its record written in one atomic batch, so that one address
//! has one record by construction, however many forms are sent at once.

use bus::{BatchError, BatchMessage, Bus, HeaderMap, PublishError, ReadError};
use jiff::Timestamp;
use mail::Address;
use serde::{Deserialize, Serialize};
use topology::{SUBSCRIBERS, subjects};

use crate::links::Keys;
use crate::subscriber::{CONFIRM_WITHIN, Refused, Subscriber, SubscriberId, Wish};

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
    #[error("the record of subscriber {id} does not read: {cause}")]
    Unreadable { id: SubscriberId, cause: serde_json::Error },
    #[error("too many writers at once")]
    Contended,
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// Who holds an address.
#[derive(Debug, Serialize, Deserialize)]
struct Claim {
    id: SubscriberId,
}

#[derive(Clone)]
pub(crate) struct Store {
    bus: Bus,
    keys: Keys,
    /// IANA name of the zone of whoever does not say.
    zone: String,
}

/// A record with the sequence it was read at.
struct Found {
    subscriber: Subscriber,
    sequence: u64,
}

impl Store {
    /// `zone`: IANA name of the zone of whoever does not say.
    pub(crate) fn new(bus: Bus, keys: Keys, zone: String) -> Self {
        Self { bus, keys, zone }
    }

    /// Somebody asked for something at `address`. The record is durable when this returns; whether anything changed
    /// by it is nobody's business but the owner's.
    pub(crate) async fn request(&self, address: &Address, wish: &Wish, now: Timestamp) -> Result<(), StoreError> {
        let claim_subject = subjects::subscriber_address(&self.keys.address_hash(address));
        for _ in 0..MAX_RACES {
            let claim = self.bus.last(&SUBSCRIBERS, &claim_subject).await?;
            let claim_sequence = claim.as_ref().map_or(0, |stored| stored.sequence);
            let claimed = claim.and_then(|stored| serde_json::from_slice::<Claim>(&stored.payload).ok());
            let found = match &claimed {
                Some(claim) => self.find(claim.id).await?,
                None => None,
            };
            let (mut subscriber, sequence) = match found {
                Some(found) => (found.subscriber, found.sequence),
                None => {
                    let (id, language) = (SubscriberId::random(), wish.language.clone());
                    (Subscriber::new(id, address.clone(), language, self.zone.clone()), 0)
                }
            };
            if !subscriber.request(wish, now) {
                return Ok(());
            }
            match self.write(&subscriber, sequence, &claim_subject, claim_sequence).await {
                Err(StoreError::Batch(BatchError::Conflict | BatchError::InProgress)) => {}
                done => return done,
            }
        }
        Err(StoreError::Contended)
    }

    pub(crate) async fn get(&self, id: SubscriberId) -> Result<Option<Subscriber>, StoreError> {
        Ok(self.find(id).await?.map(|found| found.subscriber))
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
            let Some(Found { mut subscriber, sequence }) = self.find(id).await? else { return Ok(None) };
            if !change(&mut subscriber)? {
                return Ok(Some(subscriber));
            }
            let claim_subject = subjects::subscriber_address(&self.keys.address_hash(&subscriber.address));
            let claim = self.bus.last(&SUBSCRIBERS, &claim_subject).await?;
            let claim_sequence = claim.map_or(0, |stored| stored.sequence);
            match self.write(&subscriber, sequence, &claim_subject, claim_sequence).await {
                Ok(()) => return Ok(Some(subscriber)),
                Err(StoreError::Batch(BatchError::Conflict | BatchError::InProgress)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Contended)
    }

    async fn find(&self, id: SubscriberId) -> Result<Option<Found>, StoreError> {
        let Some(stored) = self.bus.last(&SUBSCRIBERS, &subjects::subscriber(&id.to_string())).await? else {
            return Ok(None);
        };
        let subscriber =
            serde_json::from_slice(&stored.payload).map_err(|cause| StoreError::Unreadable { id, cause })?;
        Ok(Some(Found { subscriber, sequence: stored.sequence }))
    }

    /// Writes claim and record together. Until somebody confirms, both vanish by themselves: an address that a
    /// stranger typed is not ours to keep. The record of a consent that was withdrawn is.
    async fn write(
        &self,
        subscriber: &Subscriber,
        sequence: u64,
        claim_subject: &str,
        claim_sequence: u64,
    ) -> Result<(), StoreError> {
        let mut headers = HeaderMap::new();
        if !subscriber.is_confirmed() && !subscriber.was_confirmed() {
            headers.insert("Nats-TTL", format!("{}s", CONFIRM_WITHIN.as_secs()));
        }
        let message = |subject: String, payload: Vec<u8>, expected: u64| BatchMessage {
            subject,
            headers: headers.clone(),
            payload: payload.into(),
            expected: Some(expected),
        };
        let encode = |value: serde_json::Result<Vec<u8>>| value.expect("records have string keys only");
        let claim = encode(serde_json::to_vec(&Claim { id: subscriber.id }));
        let record = encode(serde_json::to_vec(subscriber));
        let batch = vec![
            message(claim_subject.to_owned(), claim, claim_sequence),
            message(subjects::subscriber(&subscriber.id.to_string()), record, sequence),
        ];
        self.bus.publish_batch(batch).await?;
        Ok(())
    }
}
