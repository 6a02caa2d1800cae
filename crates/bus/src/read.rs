//! Reads single messages, through the stream's leader: what decides must not be stale.

use std::time::Duration;

use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{LastRawMessageErrorKind, RawMessageErrorKind};
use bytes::Bytes;
use tokio::sync::watch;
use topology::{Consumer, Stream};

use crate::{Bus, HeaderMap};

/// How long a tail may be behind the log for somebody who waits for it.
const CATCH_UP: Duration = Duration::from_secs(5);

/// A message as the log holds it.
#[derive(Debug, Clone)]
pub struct Stored {
    pub subject: String,
    pub payload: Bytes,
    pub headers: HeaderMap,
    pub sequence: u64,
    /// When the server stored it.
    pub stored_at: jiff::Timestamp,
}

/// Messages that a consumer has not settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// Not delivered yet.
    pub waiting: u64,
    /// Delivered and being worked on.
    pub unacknowledged: u64,
    /// Up to which sequence of the stream all is settled. A message that the stream has just taken may not be waiting yet; this
    /// is behind it for sure.
    pub settled: u64,
}

impl Backlog {
    pub fn is_empty(&self) -> bool {
        self.waiting == 0 && self.unacknowledged == 0
    }
}

/// How full a stream is, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    pub used: i64,
    pub limit: Option<i64>,
}

#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot read {stream}: {cause}")]
pub struct ReadError {
    stream: &'static str,
    cause: String,
}

impl Bus {
    /// The last message on `subject`, if there is one. For a subject with wildcards the server goes through all subjects of
    /// the stream: [`Bus::catch_up`] does not.
    ///
    /// # Errors
    /// When the server does not answer within 5 s or has no such stream.
    pub async fn last(&self, stream: &Stream, subject: &str) -> Result<Option<Stored>, ReadError> {
        let handle = self.handle(stream).await?;
        match handle.get_last_raw_message_by_subject(subject).await {
            Ok(message) => Ok(Some(message.into())),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(failed(stream, &error)),
        }
    }

    /// The first message on `subject` at or after `sequence`, if there is one; the subject may hold wildcards.
    ///
    /// # Errors
    /// As [`Bus::last`].
    pub async fn next(&self, stream: &Stream, subject: &str, sequence: u64) -> Result<Option<Stored>, ReadError> {
        let handle = self.handle(stream).await?;
        match handle.get_first_raw_message_by_subject(subject, sequence.max(1)).await {
            Ok(message) => Ok(Some(message.into())),
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(failed(stream, &error)),
        }
    }

    /// Sequence of the last message that `stream` has taken; 0 for none.
    ///
    /// # Errors
    /// As [`Bus::last`].
    pub async fn last_sequence(&self, stream: &Stream) -> Result<u64, ReadError> {
        let found = self.jetstream.get_stream(stream.name).await.map_err(|error| failed(stream, &error))?;
        Ok(found.cached_info().state.last_sequence)
    }

    /// Waits until a tail of `subject`, which tells by `seen` how far it is, has all that is stored by now; answers up to
    /// which sequence that is.
    ///
    /// It asks for what comes after `seen` and not for the last there is: for a subject with wildcards the server goes
    /// through all subjects of the stream to find that, which takes it a tenth of a second of processor for a million.
    ///
    /// # Errors
    /// As [`Bus::last`], and when the tail has it not within 5 s.
    pub async fn catch_up(
        &self,
        stream: &Stream,
        subject: &str,
        mut seen: watch::Receiver<u64>,
    ) -> Result<u64, ReadError> {
        let until = self.last_sequence(stream).await?;
        let waiting = async {
            loop {
                let known = *seen.borrow_and_update();
                if known >= until {
                    return Ok(until);
                }
                // What is of another subject, or has expired, is not waited for: the tail never sees it.
                let next = self.next(stream, subject, known + 1).await?;
                let Some(next) = next.filter(|next| next.sequence <= until) else { return Ok(until) };
                seen.wait_for(|seen| *seen >= next.sequence).await.map_err(|error| failed(stream, &error))?;
            }
        };
        let behind = |_| ReadError { stream: stream.name, cause: "what is known of it is behind the log".into() };
        tokio::time::timeout(CATCH_UP, waiting).await.map_err(behind)?
    }

    /// How full `stream` is.
    ///
    /// # Errors
    /// As [`Bus::last`].
    pub async fn level(&self, stream: &Stream) -> Result<Level, ReadError> {
        let found = self.jetstream.get_stream(stream.name).await.map_err(|error| failed(stream, &error))?;
        let info = found.cached_info();
        let limit = Some(info.config.max_bytes).filter(|limit| *limit > 0);
        Ok(Level { used: i64::try_from(info.state.bytes).unwrap_or(i64::MAX), limit })
    }

    /// What a durable consumer still has before it.
    ///
    /// # Errors
    /// As [`Bus::last`].
    pub async fn backlog(&self, consumer: &Consumer) -> Result<Backlog, ReadError> {
        let found: Result<async_nats::jetstream::consumer::Consumer<pull::Config>, _> =
            self.jetstream.get_consumer_from_stream(consumer.name, consumer.stream.name).await;
        let found = found.map_err(|error| failed(&consumer.stream, &error))?;
        let info = found.cached_info();
        let settled = info.ack_floor.stream_sequence;
        Ok(Backlog { waiting: info.num_pending, unacknowledged: info.num_ack_pending as u64, settled })
    }

    pub(crate) async fn handle(&self, stream: &Stream) -> Result<async_nats::jetstream::stream::Stream<()>, ReadError> {
        self.jetstream.get_stream_no_info(stream.name).await.map_err(|error| failed(stream, &error))
    }
}

fn failed(stream: &Stream, error: &dyn std::error::Error) -> ReadError {
    ReadError { stream: stream.name, cause: error.to_string() }
}

impl From<StreamMessage> for Stored {
    fn from(message: StreamMessage) -> Self {
        let stored_at = jiff::Timestamp::from_nanosecond(message.time.unix_timestamp_nanos()).unwrap_or_default();
        Self {
            subject: message.subject.to_string(),
            payload: message.payload,
            headers: message.headers,
            sequence: message.sequence,
            stored_at,
        }
    }
}
