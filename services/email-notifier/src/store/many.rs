//! Many records written together: a batch waits for the disk once, whatever it holds. All of it is written, or nothing;
//! each address is claimed in it by compare-and-set, as it is by a single write.

use bus::{BatchError, PublishError};
use futures::{StreamExt, TryStreamExt, stream};
use mail::Address;

use super::{Found, Held, Store, StoreError};
use crate::subscriber::{Subscriber, SubscriberId};
use crate::vault::{RecordKey, VaultError};

/// Records written together: with their claims half of what a batch may hold, so that two are not refused for one's sake.
pub(crate) const TOGETHER: usize = 250;

/// Keys of known subscribers looked up at one time.
const AT_ONCE: usize = 16;

/// What stands at an address, or could, about to be changed.
pub(crate) struct Draft {
    found: Found,
    held: Held,
}

impl Draft {
    pub(crate) fn subscriber(&mut self) -> &mut Subscriber {
        &mut self.found.subscriber
    }

    /// Nobody there is written to again.
    pub(crate) fn is_suppressed(&self) -> bool {
        self.held.claim.suppressed.is_some()
    }
}

impl Store {
    /// What stands at `address`, or could. Nothing is written.
    pub(crate) async fn draft(&self, address: &Address, language: &str) -> Result<Draft, StoreError> {
        let (found, held) = self.found_at(address, language).await?;
        Ok(Draft { found, held })
    }

    /// Writes 1 to [`TOGETHER`] drafts of different addresses, first their keys. `false`: one of them has changed since it
    /// was read, and none was written.
    pub(crate) async fn write_all(&self, drafts: &[Draft]) -> Result<bool, StoreError> {
        match self.write_together(drafts).await {
            Err(StoreError::Batch(BatchError::Conflict | BatchError::InProgress) | StoreError::Contended) => Ok(false),
            Err(StoreError::Publish(PublishError::Conflict { .. })) => Ok(false),
            written => written.map(|()| true),
        }
    }

    async fn write_together(&self, drafts: &[Draft]) -> Result<(), StoreError> {
        let now = service_kit::now();
        let keys = self.keys_for(drafts, now).await?;
        let messages = |(draft, key): (&Draft, &RecordKey)| self.messages(&draft.found, &draft.held, key, now);
        self.bus.publish_batch(drafts.iter().zip(&keys).flat_map(messages).collect()).await?;
        Ok(())
    }

    /// The key of each draft, durable.
    async fn keys_for(&self, drafts: &[Draft], now: jiff::Timestamp) -> Result<Vec<RecordKey>, VaultError> {
        let is_new = |draft: &&Draft| draft.found.sequence == 0;
        let wanted = |draft: &Draft| (draft.found.subscriber.id, draft.found.subscriber.is_lasting());
        let new: Vec<(SubscriberId, bool)> = drafts.iter().filter(is_new).map(wanted).collect();
        let mut made = if new.is_empty() { Vec::new() } else { self.vault.make(&new).await? }.into_iter();
        let known = drafts.iter().filter(|draft| !is_new(draft)).map(|draft| {
            let (id, lasting) = wanted(draft);
            self.vault.provide(id, !draft.found.sealed, lasting, now)
        });
        let known: Vec<_> = known.collect();
        let known: Vec<RecordKey> = stream::iter(known).buffered(AT_ONCE).try_collect().await?;
        let mut known = known.into_iter();
        let key = |draft: &Draft| if is_new(&draft) { made.next() } else { known.next() };
        Ok(drafts.iter().map(key).map(|key| key.expect("one was made or found for each")).collect())
    }
}
