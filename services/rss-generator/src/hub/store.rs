//! The hub's records in JetStream: read through the leader, written by compare-and-set, gone by themselves when nobody
//! has a use for them any more.

use bus::{Bus, HeaderMap, PublishError, ReadError};
use jiff::{SignedDuration, Timestamp};
use topology::HUB;

use crate::hub::record::{Call, Progress, SubscriberId, Subscription};

/// Lost races before a change is given up; each means that somebody else succeeded.
const MAX_RACES: usize = 8;

/// How long progress and calls outlive a subscription, so that its end is seen by whoever still had something to send.
const AFTERWARDS: SignedDuration = SignedDuration::from_hours(1);

/// How long it can be read that a record was taken away. A replica that was cut off longer counts it until its end.
const MARK: SignedDuration = SignedDuration::from_hours(1);

#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error("the message on {subject} does not read: {cause}")]
    Unreadable { subject: String, cause: serde_json::Error },
    #[error("too many writers at once")]
    Contended,
}

#[derive(Clone)]
pub(crate) struct Store {
    bus: Bus,
}

impl Store {
    pub(crate) fn new(bus: Bus) -> Self {
        Self { bus }
    }

    /// The subscriber's record, and the sequence that a change of it expects.
    pub(crate) async fn subscription(&self, id: &SubscriberId) -> Result<(Option<Subscription>, u64), StoreError> {
        self.read(id.subscription(), Subscription::from_bytes).await
    }

    /// How it stands with the deliveries; nothing yet is also an answer.
    pub(crate) async fn progress(&self, id: &SubscriberId) -> Result<(Progress, u64), StoreError> {
        let (progress, sequence) = self.read(id.progress(), Progress::from_bytes).await?;
        Ok((progress.unwrap_or_default(), sequence))
    }

    async fn read<T>(
        &self,
        subject: String,
        read: impl FnOnce(&[u8]) -> serde_json::Result<T>,
    ) -> Result<(Option<T>, u64), StoreError> {
        let Some(stored) = self.bus.last(&HUB, &subject).await? else { return Ok((None, 0)) };
        // What was taken away has left a mark.
        if stored.payload.is_empty() {
            return Ok((None, stored.sequence));
        }
        let found = read(&stored.payload).map_err(|cause| StoreError::Unreadable { subject, cause })?;
        Ok((Some(found), stored.sequence))
    }

    /// Changes the record of `id`, or makes it: `change` gets what is there and answers what is to be there; the same
    /// as before, and nothing is written.
    pub(crate) async fn change(
        &self,
        id: &SubscriberId,
        now: Timestamp,
        change: impl Fn(Option<Subscription>) -> Option<Subscription>,
    ) -> Result<(), StoreError> {
        for _ in 0..MAX_RACES {
            let (before, sequence) = self.subscription(id).await?;
            let after = change(before.clone());
            if after == before {
                return Ok(());
            }
            let (payload, ends_at) = match &after {
                Some(record) => (record.to_bytes(), record.ends_at()),
                None => (Vec::new(), None),
            };
            let ends_at = ends_at.unwrap_or_else(|| later(now, MARK));
            match self.put(&id.subscription(), payload, ends_at, now, sequence).await {
                Err(PublishError::Conflict { .. }) => {}
                done => return Ok(done.map(|_sequence| ())?),
            }
        }
        Err(StoreError::Contended)
    }

    /// Writes the progress of `id` over the message `expected`; answers the sequence of the new one. `None`: somebody
    /// else was quicker.
    pub(crate) async fn put_progress(
        &self,
        id: &SubscriberId,
        progress: &Progress,
        lease_ends: Timestamp,
        expected: u64,
        now: Timestamp,
    ) -> Result<Option<u64>, StoreError> {
        let ends_at = later(lease_ends, AFTERWARDS);
        match self.put(&id.progress(), progress.to_bytes(), ends_at, now, expected).await {
            Ok(sequence) => Ok(Some(sequence)),
            Err(PublishError::Conflict { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Forgets what was sent to `id`, unless somebody else has just written it.
    pub(crate) async fn forget_progress(&self, id: &SubscriberId, now: Timestamp) -> Result<(), StoreError> {
        let (_, sequence) = self.read(id.progress(), Progress::from_bytes).await?;
        match self.put(&id.progress(), Vec::new(), later(now, MARK), now, sequence).await {
            Ok(_) | Err(PublishError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Calls for somebody to look after `id`. Two calls with one `reason` within ten minutes are one.
    pub(crate) async fn call(
        &self,
        id: &SubscriberId,
        call: &Call,
        reason: &str,
        lease_ends: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let subject = id.delivery();
        let payload = serde_json::to_vec(call).expect("texts and numbers are JSON");
        let headers = lasting(later(lease_ends, AFTERWARDS), now);
        self.bus.publish(&HUB, &subject, &format!("{subject}/{reason}"), headers, payload.into(), None).await?;
        Ok(())
    }

    async fn put(
        &self,
        subject: &str,
        payload: Vec<u8>,
        ends_at: Timestamp,
        now: Timestamp,
        expected: u64,
    ) -> Result<u64, PublishError> {
        let message_id = format!("{subject}/{}", random());
        let headers = lasting(ends_at, now);
        let published = self.bus.publish(&HUB, subject, &message_id, headers, payload.into(), Some(expected)).await?;
        Ok(published.sequence)
    }
}

/// 128 random bits in hex: a writer's mark, a challenge.
pub(crate) fn random() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system has random bytes");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// The server drops the message by itself then; it counts in whole seconds.
fn lasting(ends_at: Timestamp, now: Timestamp) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("Nats-TTL", format!("{}s", ends_at.duration_since(now).as_secs().max(1)));
    headers
}
