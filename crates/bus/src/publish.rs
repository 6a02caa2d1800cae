//! Publishes one message by compare-and-set, durably and once, through lost acknowledgements and leader changes.

use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use tokio::time::Instant;
use topology::Stream;

use crate::{Bus, HeaderMap};

/// How long a publish is tried before it is given up. An R3 leader change was measured to fail publishes for ~7 s.
pub const RETRY_FOR: Duration = Duration::from_secs(15);

/// One attempt of it. What was sent into a dying connection is lost: the sooner it is sent again, the better, and
/// sending it again is harmless.
const ATTEMPT: Duration = Duration::from_secs(2);

/// The message is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    pub sequence: u64,
}

#[derive(Debug, Clone, thiserror::Error)]
pub enum PublishError {
    /// Somebody else wrote the subject since it was read; nothing was written.
    #[error("{subject} has changed since it was read")]
    Conflict { subject: String },
    #[error("the message is larger than the server takes")]
    TooLarge,
    /// The stream is full, or the server refuses for a reason that retrying does not cure.
    #[error("the server refused the message: {0}")]
    Refused(String),
    /// Nobody answered in time. The message may still have been stored: the same message id tells on the next attempt.
    #[error("no acknowledgement within 15 s: {0}")]
    Unavailable(String),
}

impl Bus {
    /// Writes the next message of `subject`, expecting the last one at `expected` (0: none yet; `None`: whatever it is).
    ///
    /// Retried under one `message_id` for up to [`RETRY_FOR`]. A retry whose first attempt was stored is answered
    /// `duplicate` by a replicated stream and error 10071 by a single one; both are settled by looking: our own bytes
    /// at the end of the subject are success, anybody else's a conflict.
    ///
    /// # Errors
    /// [`PublishError`]; only `Unavailable` leaves open whether the message was stored.
    pub async fn publish(
        &self,
        stream: &Stream,
        subject: &str,
        message_id: &str,
        headers: HeaderMap,
        payload: Bytes,
        expected: Option<u64>,
    ) -> Result<Published, PublishError> {
        let deadline = Instant::now() + RETRY_FOR;
        let mut pause = Duration::from_millis(50);
        loop {
            let mut message = PublishMessage::build()
                .payload(payload.clone())
                .headers(headers.clone())
                .message_id(message_id)
                .expected_stream(stream.name);
            if let Some(expected) = expected {
                message = message.expected_last_subject_sequence(expected);
            }
            let cause = match self.attempt(subject, message, deadline).await {
                Ok(ack) if !ack.duplicate || expected.is_none() => return Ok(Published { sequence: ack.sequence }),
                Ok(_) | Err(Attempt::Conflict) => match self.settle(stream, subject, &payload).await {
                    Ok(settled) => return settled,
                    Err(cause) => cause,
                },
                Err(Attempt::Final(error)) => return Err(error),
                Err(Attempt::Passing(cause)) => cause,
            };
            if Instant::now() + pause >= deadline {
                return Err(PublishError::Unavailable(cause));
            }
            tracing::debug!(subject, cause, "publishing again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }

    /// Whose message is at the end of the subject: ours is success.
    async fn settle(
        &self,
        stream: &Stream,
        subject: &str,
        payload: &Bytes,
    ) -> Result<Result<Published, PublishError>, String> {
        match self.last(stream, subject).await {
            Ok(Some(stored)) if stored.payload == payload => Ok(Ok(Published { sequence: stored.sequence })),
            Ok(_) => Ok(Err(PublishError::Conflict { subject: subject.into() })),
            Err(error) => Err(error.to_string()),
        }
    }

    async fn attempt(
        &self,
        subject: &str,
        message: PublishMessage,
        deadline: Instant,
    ) -> Result<async_nats::jetstream::publish::PublishAck, Attempt> {
        // While disconnected the client buffers, and would send what we have long reported as failed.
        if !self.is_connected() {
            return Err(Attempt::Passing("not connected to NATS".into()));
        }
        let publish = async {
            let ack = self.jetstream.send_publish(subject.to_owned(), message).await.map_err(Attempt::from)?;
            ack.await.map_err(Attempt::from)
        };
        tokio::time::timeout_at(deadline.min(Instant::now() + ATTEMPT), publish)
            .await
            .unwrap_or_else(|_| Err(Attempt::Passing("timed out waiting for the acknowledgement".into())))
    }
}

/// Why one attempt failed.
enum Attempt {
    Conflict,
    Final(PublishError),
    Passing(String),
}

impl From<async_nats::jetstream::context::PublishError> for Attempt {
    fn from(error: async_nats::jetstream::context::PublishError) -> Self {
        match error.kind() {
            PublishErrorKind::WrongLastSequence | PublishErrorKind::WrongLastMessageId => Self::Conflict,
            PublishErrorKind::MaxPayloadExceeded => Self::Final(PublishError::TooLarge),
            // The server's own refusals carry their text only; those about a leader or a cluster pass.
            PublishErrorKind::Other => refusal(&error),
            // No responders surface as StreamNotFound: a leader is being elected, or JetStream is starting.
            PublishErrorKind::StreamNotFound
            | PublishErrorKind::TimedOut
            | PublishErrorKind::BrokenPipe
            | PublishErrorKind::MaxAckPending => Self::Passing(error.to_string()),
        }
    }
}

fn refusal(error: &async_nats::jetstream::context::PublishError) -> Attempt {
    let server = std::error::Error::source(error).and_then(|s| s.downcast_ref::<async_nats::jetstream::Error>());
    let text = server.map_or_else(|| error.to_string(), ToString::to_string);
    match server.map(|server| (server.error_code(), server.code())) {
        Some((ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM, _)) => Attempt::Final(PublishError::TooLarge),
        // A full stream and a full disk stay full: the server says so with a 503, like the things below that pass.
        Some((ErrorCode::INSUFFICIENT_RESOURCES | ErrorCode::STREAM_STORE_FAILED, _)) => {
            Attempt::Final(PublishError::Refused(text))
        }
        Some((code, _)) if is_in_progress(code) => Attempt::Passing(text),
        // No leader, clustered and not ready.
        Some((_, 503)) => Attempt::Passing(text),
        _ => Attempt::Final(PublishError::Refused(text)),
    }
}

/// A replicated stream answers so while an earlier write of the subject, or of the message id, is not settled: ours,
/// whose answer was lost, or another's.
pub(crate) fn is_in_progress(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::STREAM_DUPLICATE_MESSAGE_CONFLICT | ErrorCode::STREAM_WRONG_LAST_SEQUENCE_CONSTANT)
}
