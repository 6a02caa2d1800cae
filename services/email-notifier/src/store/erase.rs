//! Forgetting a subscriber: the key first, for without it every copy of the record is noise; then the record, then the
//! claim of the address. Each step may be done again, so whoever was killed between two of them asks once more.

use bus::HeaderMap;
use bytes::Bytes;
use mail::Address;
use topology::{SUBSCRIBERS, subjects};

use super::{Claim, Store, StoreError};
use crate::links::hex;
use crate::subscriber::SubscriberId;
use crate::vault::{Content, mark};

/// How long the mark is kept by which every replica forgets whom it has in memory: 30 days, longer than any of them is
/// cut off without being started anew.
const MARK_KEPT: &str = "2592000s";

/// What was there of a subscriber, and is gone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Erased {
    /// `None`: nobody held the address.
    pub id: Option<SubscriberId>,
    /// Whether key, record or claim was there still.
    pub anything: bool,
    /// Why the address is never written to again: its keyed hash is kept for that, and nothing else.
    pub suppressed: Option<String>,
}

impl Store {
    /// Forgets who holds `address`.
    pub(crate) async fn erase_at(&self, address: &Address) -> Result<Erased, StoreError> {
        let claim_subject = self.claim_subject(address);
        let held = self.held(&claim_subject).await?;
        match held.claim.id {
            Some(id) => self.erase_all(id, Some(claim_subject)).await,
            None => Ok(Erased { suppressed: held.claim.suppressed, ..Erased::default() }),
        }
    }

    /// Forgets a subscriber.
    pub(crate) async fn erase(&self, id: SubscriberId) -> Result<Erased, StoreError> {
        self.erase_all(id, None).await
    }

    async fn erase_all(&self, id: SubscriberId, claim_subject: Option<String>) -> Result<Erased, StoreError> {
        let subject = subjects::subscriber(&id.to_string());
        let found = match self.find(id).await {
            Err(StoreError::Unreadable { .. }) => None,
            found => found?.map(|found| found.subscriber),
        };
        let mut stored = self.bus.last(&SUBSCRIBERS, &subject).await?;
        let claim = match stored.as_ref().map(|stored| Content::of(&stored.payload)) {
            Some(Content::Sealed(sealed)) => Some(sealed.label.claim),
            Some(Content::Gone(claim)) => claim,
            _ => found.as_ref().map(|subscriber| self.keys.address_mac(&subscriber.address)),
        };
        let claim_subject = claim_subject.or_else(|| Some(subjects::subscriber_address(&hex(&claim?))));
        let mut erased = Erased { id: Some(id), ..Erased::default() };
        erased.anything |= self.vault.destroy(id).await?;
        if let Some(plain) = stored.take_if(|stored| matches!(Content::of(&stored.payload), Content::Plain(_))) {
            self.bus.erase(&SUBSCRIBERS, plain.sequence).await?;
            erased.anything = true;
        }
        erased.anything |= stored.is_some_and(|stored| matches!(Content::of(&stored.payload), Content::Sealed(_)));
        self.mark(id, &subject, claim.map(mark).unwrap_or_default()).await?;
        if let Some(claim_subject) = claim_subject {
            let (released, suppressed) = self.release(id, &claim_subject).await?;
            erased.anything |= released;
            erased.suppressed = suppressed;
        }
        self.mark(id, &subject, Vec::new()).await?;
        Ok(erased)
    }

    /// Puts a mark in the record's place, by which every replica forgets whom it has in memory.
    pub(super) async fn mark(&self, id: SubscriberId, subject: &str, mark: Vec<u8>) -> Result<(), StoreError> {
        let last = self.bus.last(&SUBSCRIBERS, subject).await?;
        if last.as_ref().is_some_and(|last| last.payload == mark) {
            return Ok(());
        }
        let mut headers = HeaderMap::new();
        headers.insert("Nats-TTL", MARK_KEPT);
        let expected = last.map_or(0, |last| last.sequence);
        let message_id = format!("erased/{id}/{expected}/{}", mark.len());
        self.bus.publish(&SUBSCRIBERS, subject, &message_id, headers, Bytes::from(mark), Some(expected)).await?;
        Ok(())
    }

    /// Nobody at this subscriber's address is written to again, and no form or import changes that. It stays so when the
    /// record is erased. `why`: a word for the operator. `false`: there is no such subscriber.
    pub(crate) async fn suppress(&self, id: SubscriberId, why: &str) -> Result<bool, StoreError> {
        let Some(subscriber) = self.get(id).await? else { return Ok(false) };
        let claim_subject = self.claim_subject(&subscriber.address);
        let held = self.held(&claim_subject).await?;
        if held.claim.suppressed.is_none() {
            let claim = Claim { id: Some(id), suppressed: Some(why.to_owned()) };
            self.put_claim(&claim_subject, &claim, held.sequence).await?;
        }
        Ok(true)
    }

    async fn put_claim(&self, claim_subject: &str, claim: &Claim, after: u64) -> Result<(), StoreError> {
        let payload = serde_json::to_vec(claim).expect("claims have string keys only");
        let message_id = format!("claim/{claim_subject}/{after}");
        let headers = HeaderMap::new();
        self.bus.publish(&SUBSCRIBERS, claim_subject, &message_id, headers, payload.into(), Some(after)).await?;
        Ok(())
    }

    /// Takes the address from `id`, unless somebody else holds it by now: whether it was taken, and why it stays suppressed.
    async fn release(&self, id: SubscriberId, claim_subject: &str) -> Result<(bool, Option<String>), StoreError> {
        let held = self.held(claim_subject).await?;
        let Claim { id: holder, suppressed } = held.claim;
        if holder != Some(id) {
            return Ok((false, suppressed));
        }
        if suppressed.is_some() {
            let claim = Claim { id: None, suppressed: suppressed.clone() };
            self.put_claim(claim_subject, &claim, held.sequence).await?;
        } else {
            self.bus.erase(&SUBSCRIBERS, held.sequence).await?;
        }
        Ok((true, suppressed))
    }
}
