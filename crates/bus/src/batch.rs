//! Writes several messages of one stream as one: all become visible together, or none does (NATS ADR-50).

use std::time::Duration;

use async_nats::header::{
    NATS_BATCH_COMMIT, NATS_BATCH_COMMIT_FINAL, NATS_BATCH_ID, NATS_BATCH_SEQUENCE, NATS_EXPECTED_LAST_SUBJECT_SEQUENCE,
};
use async_nats::jetstream::response::Response;
use async_nats::jetstream::{ErrorCode, publish::PublishAck};
use async_nats::{HeaderMap, Request};
use bytes::Bytes;

use crate::publish::is_in_progress;
use crate::{Bus, Published};

/// One message of a batch.
#[derive(Debug, Clone)]
pub struct BatchMessage {
    pub subject: String,
    pub headers: HeaderMap,
    pub payload: Bytes,
    /// Sequence of the last message on the subject, 0 for none; `None` does not ask.
    pub expected: Option<u64>,
}

#[derive(Debug, Clone, thiserror::Error)]
pub enum BatchError {
    /// A subject was not as expected; nothing was written.
    #[error("a subject of the batch has changed since it was read")]
    Conflict,
    /// Another write of one of its subjects is under way, and may yet fail.
    #[error("a subject of the batch is being written by another")]
    InProgress,
    #[error("the server refused the batch: {0}")]
    Refused(String),
    /// Nobody answered in time: all of it was stored, or nothing.
    #[error("no answer to the batch: {0}")]
    Unavailable(String),
}

/// The server's limit on the messages of one batch.
pub(crate) const MAX_BATCH: usize = 1000;

/// Batches one process writes at a time. The server takes 50 at once for a stream and refuses the rest, so this leaves
/// room for two more replicas.
pub(crate) const BATCHES: usize = 16;

/// How long the server may take for a batch: a thousand messages, and a disk that is busy.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// How long a batch waits for its turn.
const TURN_WITHIN: Duration = Duration::from_secs(5);

impl Bus {
    /// Writes 1 to 1,000 messages of one stream atomically; answers with the last one's sequence.
    ///
    /// It is not retried here: only the caller knows from its own expectations whether a batch went through whose
    /// answer was lost.
    ///
    /// # Errors
    /// [`BatchError`]; only `Unavailable` leaves open whether the batch was stored.
    ///
    /// # Panics
    /// When the batch is empty or longer than the server takes: a mistake in the caller.
    pub async fn publish_batch(&self, messages: Vec<BatchMessage>) -> Result<Published, BatchError> {
        let count = messages.len();
        assert!((1..=MAX_BATCH).contains(&count), "a batch has 1 to {MAX_BATCH} messages, not {count}");
        if !self.is_connected() {
            return Err(BatchError::Unavailable("not connected to NATS".into()));
        }
        let turn = tokio::time::timeout(TURN_WITHIN, self.batches.acquire()).await;
        let _turn = turn.map_err(|_| BatchError::Unavailable("too many batches at once".into()))?;
        let batch_id = self.client.new_inbox().rsplit('.').next().unwrap_or_default().to_owned();
        let mut last = None;
        for (n, message) in messages.into_iter().enumerate() {
            let mut headers = message.headers;
            headers.insert(NATS_BATCH_ID, batch_id.as_str());
            headers.insert(NATS_BATCH_SEQUENCE, (n + 1).to_string());
            if let Some(expected) = message.expected {
                headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, expected.to_string());
            }
            let commits = n + 1 == count;
            if commits {
                headers.insert(NATS_BATCH_COMMIT, NATS_BATCH_COMMIT_FINAL);
            }
            // The first is confirmed, so that a stream that takes no batches says so before it is sent one.
            if n == 0 || commits {
                let answer = self.ask(message.subject, headers, message.payload).await?;
                last = parse_answer(&answer, commits)?;
            } else {
                let sent = self.client.publish_with_headers(message.subject, headers, message.payload).await;
                sent.map_err(|error| BatchError::Unavailable(error.to_string()))?;
            }
        }
        last.ok_or_else(|| BatchError::Unavailable("the server did not confirm the batch".into()))
    }

    async fn ask(&self, subject: String, headers: HeaderMap, payload: Bytes) -> Result<Bytes, BatchError> {
        let request = Request::new().headers(headers).payload(payload).timeout(Some(ANSWER_WITHIN));
        match self.client.send_request(subject, request).await {
            Ok(message) => Ok(message.payload),
            Err(error) => Err(BatchError::Unavailable(error.to_string())),
        }
    }
}

/// The start of a batch is confirmed with nothing, its commit with an acknowledgement, both with an error instead.
fn parse_answer(answer: &[u8], commits: bool) -> Result<Option<Published>, BatchError> {
    if answer.is_empty() && !commits {
        return Ok(None);
    }
    match serde_json::from_slice::<Response<PublishAck>>(answer) {
        Ok(Response::Ok(ack)) => Ok(Some(Published { sequence: ack.sequence })),
        Ok(Response::Err { error }) if error.error_code() == ErrorCode::STREAM_WRONG_LAST_SEQUENCE => {
            Err(BatchError::Conflict)
        }
        Ok(Response::Err { error }) if is_in_progress(error.error_code()) => Err(BatchError::InProgress),
        // A full stream answers 503, too, and stays full.
        Ok(Response::Err { error }) if error.error_code() == ErrorCode::STREAM_STORE_FAILED => {
            Err(BatchError::Refused(error.to_string()))
        }
        Ok(Response::Err { error }) if error.code() == 503 => Err(BatchError::Unavailable(error.to_string())),
        Ok(Response::Err { error }) => Err(BatchError::Refused(error.to_string())),
        Err(error) => Err(BatchError::Unavailable(format!("unreadable answer: {error}"))),
    }
}
