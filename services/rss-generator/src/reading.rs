//! The log's messages as articles: read on all cores, in the order of the log.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bus::{Tail, TailEvent};
use futures::FutureExt;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::state::Revision;

/// Messages read in one go. Documents are written once for all of them: an import of thousands writes each feed a few
/// times, not thousands of times. One alone is read at once.
const BATCH: usize = 256;

/// And no more bytes than this, for one message may have nearly a MiB.
const BATCH_BYTES: usize = 8 << 20;

/// Batches that are read ahead of whoever takes them in.
const AHEAD: usize = 4;

/// What the log said.
pub(crate) enum Read {
    Message {
        /// `None`: it is no article of ours.
        revision: Option<Box<Revision>>,
        sequence: u64,
        /// When the log got it.
        stored_at: Timestamp,
    },
    /// Everything that was there at the start has been read.
    CaughtUp,
}

/// What was read, in order. A batch that could not be read to its end is an error of the task.
pub(crate) type Batches = mpsc::Receiver<JoinHandle<Vec<Read>>>;

/// Reads what `tail` follows; the channel ends when the tail does.
pub(crate) fn read_all(mut tail: Tail) -> Batches {
    let (sender, batches) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        while let Some(event) = tail.next().await {
            let mut bytes = size(&event);
            let mut events = vec![event];
            while events.len() < BATCH
                && bytes < BATCH_BYTES
                && let Some(Some(event)) = tail.next().now_or_never()
            {
                bytes += size(&event);
                events.push(event);
            }
            let reading = spawn_blocking(move || events.into_iter().map(read).collect());
            if sender.send(reading).await.is_err() {
                return;
            }
        }
    });
    batches
}

fn size(event: &TailEvent) -> usize {
    if let TailEvent::Message { payload, .. } = event { payload.len() } else { 0 }
}

/// A message that makes a library panic cannot be read either: else it would end the service, and again at every start.
fn guarded<T, E: ToString>(read: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    // Nothing is shared that a panic could leave half done: reading only reads.
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(read) => read.map_err(|error| error.to_string()),
        Err(_panic) => Err("reading it panicked".to_owned()),
    }
}

/// A message that is no article of ours is skipped: one bad message must not stop the news.
fn read(event: TailEvent) -> Read {
    let TailEvent::Message { subject, payload, sequence, stored_at, .. } = event else { return Read::CaughtUp };
    let revision = match guarded(|| Revision::read(&payload)) {
        Ok(revision) => Some(Box::new(revision)),
        Err(error) => {
            tracing::error!(subject, sequence, error, "the log holds a message that is no article; it is skipped");
            None
        }
    };
    Read::Message { revision, sequence, stored_at }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_cannot_be_read_is_an_error_even_if_reading_panics() {
        assert_eq!(guarded(|| Ok::<_, String>(1)), Ok(1));
        assert_eq!(guarded(|| Err::<i32, _>("no JSON")), Err("no JSON".to_owned()));
        assert!(guarded(|| -> Result<i32, String> { panic!("a bug in a library") }).is_err());
    }
}
