//! Group commit: publishes that wait for the disk at the same time are written as one atomic batch.
//!
//! The server syncs each message on its own, so single publishes are bounded by the disk: 2,400–3,300 a second where a
//! sync takes 0.3 ms, a tenth of that where the disk is busy. A batch costs 6 ms whatever it holds (measured: 64 of
//! 4 KB at 8,000–10,000 a second, 256 at 17,000, beside those figures). So a message goes out alone while there are
//! few, and in company when they pile up.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use topology::Stream;

use crate::{BatchError, BatchMessage, Bus, HeaderMap, PublishError, Published, RETRY_FOR};

/// Single publishes under way at a time. More would not be faster, the server writes one after the other.
const SINGLES: usize = 16;

/// Messages from which a batch is faster than as many single publishes.
const WORTH_A_BATCH: usize = 16;

/// Most messages and bytes of one batch: what fails with it is written again, one by one.
const BATCH_MESSAGES: usize = 256;
const BATCH_BYTES: usize = 4 << 20;

/// How long a batch may take before its messages are written one by one: whoever waits for one waits for both.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// Messages that may wait; whoever comes then waits outside.
const QUEUE: usize = 1024;

/// Writes messages of one stream by compare-and-set, in company where that is faster. Cheap to clone; ends with the
/// last clone.
#[derive(Clone)]
pub struct Group {
    queue: mpsc::Sender<Waiting>,
}

struct Waiting {
    message: BatchMessage,
    message_id: String,
    answer: oneshot::Sender<Result<Published, PublishError>>,
}

impl Bus {
    /// A group for the messages of `stream`.
    pub fn group(&self, stream: Stream) -> Group {
        let (queue, waiting) = mpsc::channel(QUEUE);
        tokio::spawn(run(Writer { bus: self.clone(), stream }, waiting));
        Group { queue }
    }
}

impl Group {
    /// As [`Bus::publish`] with an expected sequence, the wait for a turn included. Dropping the future takes the message
    /// back if it is not under way yet.
    ///
    /// # Errors
    /// As [`Bus::publish`].
    pub async fn publish(
        &self,
        subject: String,
        message_id: String,
        headers: HeaderMap,
        payload: Bytes,
        expected: u64,
    ) -> Result<Published, PublishError> {
        let gone = || PublishError::Unavailable("the writer is gone".into());
        let (answer, answered) = oneshot::channel();
        let message = BatchMessage { subject, headers, payload, expected: Some(expected) };
        let written = async {
            self.queue.send(Waiting { message, message_id, answer }).await.map_err(|_| gone())?;
            answered.await.map_err(|_| gone())?
        };
        let too_late = |_| Err(PublishError::Unavailable("its turn did not come".into()));
        tokio::time::timeout(RETRY_FOR, written).await.unwrap_or_else(too_late)
    }
}

#[derive(Clone)]
struct Writer {
    bus: Bus,
    stream: Stream,
}

async fn run(writer: Writer, mut queue: mpsc::Receiver<Waiting>) {
    let (singles, batches) = (Arc::new(Semaphore::new(SINGLES)), Arc::new(Semaphore::new(1)));
    let permit = async |semaphore: &Arc<Semaphore>| semaphore.clone().acquire_owned().await.expect("is never closed");
    while let Some(first) = queue.recv().await {
        // The order of messages is not kept, nor need it be: one subject's are ordered by what each expects.
        tokio::select! {
            biased;
            turn = permit(&singles) => {
                tokio::spawn(writer.clone().alone(first, turn));
            }
            turn = permit(&batches) => {
                let mut company = vec![first];
                gather(&mut queue, &mut company);
                tokio::spawn(writer.clone().together(company, turn));
            }
        }
    }
}

/// What waits already and fits into one batch.
fn gather(queue: &mut mpsc::Receiver<Waiting>, company: &mut Vec<Waiting>) {
    let mut bytes: usize = company.iter().map(|waiting| waiting.message.payload.len()).sum();
    while company.len() < BATCH_MESSAGES && bytes < BATCH_BYTES {
        let Ok(waiting) = queue.try_recv() else { return };
        bytes += waiting.message.payload.len();
        company.push(waiting);
    }
}

impl Writer {
    async fn alone(self, waiting: Waiting, _turn: OwnedSemaphorePermit) {
        self.publish(waiting).await;
    }

    async fn publish(&self, waiting: Waiting) {
        let Waiting { message, message_id, mut answer } = waiting;
        let BatchMessage { subject, headers, payload, expected } = message;
        let publishing = self.bus.publish(&self.stream, &subject, &message_id, headers, payload, expected);
        tokio::select! {
            biased;
            // Whoever asked has given up, and has long said that it failed.
            () = answer.closed() => {}
            published = publishing => drop(answer.send(published)),
        }
    }

    async fn together(self, mut company: Vec<Waiting>, turn: OwnedSemaphorePermit) {
        company.retain(|waiting| !waiting.answer.is_closed());
        let left = if company.len() < WORTH_A_BATCH { company } else { self.batch(company).await };
        // Two for one subject cannot share a batch, and one that is refused takes its whole batch with it. Each is told
        // its own fate, and what was stored after all is recognised by its bytes.
        futures::future::join_all(left.into_iter().map(|waiting| self.publish(waiting))).await;
        drop(turn);
    }

    /// Writes what can be written together; answers what has to be written one by one.
    async fn batch(&self, company: Vec<Waiting>) -> Vec<Waiting> {
        let mut subjects = HashSet::new();
        let (company, mut left): (Vec<_>, Vec<_>) =
            company.into_iter().partition(|waiting| subjects.insert(waiting.message.subject.clone()));
        let messages = company.iter().map(|waiting| waiting.message.clone()).collect();
        let batch = tokio::time::timeout(ANSWER_WITHIN, self.bus.publish_batch(messages)).await;
        match batch.unwrap_or_else(|_| Err(BatchError::Unavailable("too slow".into()))) {
            Ok(last) => {
                // A batch is stored without a gap, so the places of the others follow from the last one's.
                let first = last.sequence + 1 - company.len() as u64;
                for (sequence, waiting) in (first..).zip(company) {
                    let _ = waiting.answer.send(Ok(Published { sequence }));
                }
            }
            Err(error) => {
                tracing::debug!(messages = company.len(), "a batch was not taken: {error}");
                left.extend(company);
            }
        }
        left
    }
}
