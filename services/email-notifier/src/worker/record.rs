//! The record of a chunk while it is worked on: whose it is, and what is written when.

use std::time::Duration;

use bus::{HeaderMap, PublishError};
use topology::{LEDGER, subjects};
use uuid::Uuid;

use super::{Aside, Job, WRITE_AGAIN, Worker, later};
use crate::asks::ledger::tell_if_ended;
use crate::control::Control;
use crate::ledger::{Ledger, State};

/// How long an intent of somebody else's must stand still before its window is taken for lost. Whoever writes sooner is
/// alive.
const STEAL_AFTER: Duration = Duration::from_secs(3);

/// The record of a chunk, and the sequence that fences it.
pub(super) struct Record {
    pub ledger: Ledger,
    sequence: u64,
}

impl Worker {
    /// The record to go on from, once nobody else is at work on it and everybody who left is known to have left; and
    /// what is wanted of its plan.
    pub(super) async fn begin(&self, job: &Job) -> Result<(Record, Control), Aside> {
        // A replica whose index is behind the log would take those it has not seen for unsubscribed, for good.
        self.readers.catch_up(&self.bus).await.map_err(later)?;
        let mut record = self.load(job).await?;
        if record.ledger.count(State::Submitting) > 0 {
            // An intent without an outcome: its writer is dead, or in the middle of its window.
            tokio::time::sleep(STEAL_AFTER).await;
            let again = self.load(job).await?;
            if again.sequence != record.sequence {
                return Err(Aside::Overtaken);
            }
            record = again;
        }
        // Not from memory: the guard writes it with the chunk, which may come here before the tail has seen it.
        let control = self.controls.read(&self.bus, job.plan()).await.map_err(later)?;
        Ok((record, control))
    }

    async fn load(&self, job: &Job) -> Result<Record, Aside> {
        let stored = self.bus.last(&LEDGER, &subjects::ledger(job.plan(), job.chunk())).await.map_err(later)?;
        let (mut ledger, sequence) = match stored {
            None => (Ledger::new(job.recipients().len()), 0),
            Some(stored) => {
                let ledger = Ledger::read(&stored.payload)
                    .map_err(|error| Aside::Broken(format!("the record of the chunk does not read: {error}")))?;
                (ledger, stored.sequence)
            }
        };
        if ledger.states().len() != job.recipients().len() {
            return Err(Aside::Broken("the record has another number of recipients than its chunk".into()));
        }
        ledger.writer = Uuid::new_v4();
        ledger.note_at(service_kit::now());
        Ok(Record { ledger, sequence })
    }

    /// Says so when the plan has ended with this record.
    pub(super) async fn tell_if_ended(&self, job: &Job, record: &Record) {
        if record.ledger.states().iter().all(|state| state.is_final()) {
            tell_if_ended(&self.bus, job.plan(), job.chunk(), record.sequence).await;
        }
    }

    /// Writes the record, however long the server is away: what it says of a window that was sent is known nowhere else.
    pub(super) async fn write(&self, job: &Job, record: &mut Record) -> Result<(), Aside> {
        let subject = subjects::ledger(job.plan(), job.chunk());
        let payload = serde_json::to_vec(&record.ledger).expect("a record has string keys only");
        // The same write retried has the same id, another worker's has not.
        let message_id = format!("{}/{}", record.ledger.writer, record.sequence);
        let expected = Some(record.sequence);
        loop {
            let payload = payload.clone().into();
            match self.bus.publish(&LEDGER, &subject, &message_id, HeaderMap::new(), payload, expected).await {
                Ok(published) => {
                    record.sequence = published.sequence;
                    return Ok(());
                }
                Err(PublishError::Conflict { .. }) => return Err(Aside::Overtaken),
                Err(error) => {
                    tracing::warn!(plan = job.plan(), chunk = job.chunk(), %error, "the ledger cannot be written; trying on");
                    tokio::time::sleep(WRITE_AGAIN).await;
                }
            }
        }
    }
}
