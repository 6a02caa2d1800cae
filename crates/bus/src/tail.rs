//! Follows a stream from its beginning for ever: first the last message of every subject, then whatever comes.
//!
//! A named ephemeral consumer without acknowledgements, made anew when the server went away, resuming after the last
//! sequence seen. (`pull::OrderedConfig` stalled 15–28 s after a reconnect where this takes 0.4 s.)

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, ReplayPolicy, pull};
use bytes::Bytes;
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use topology::Stream;

use crate::{Bus, HeaderMap};

/// What a tail sees.
#[derive(Debug, Clone)]
pub enum TailEvent {
    Message {
        subject: String,
        headers: HeaderMap,
        /// Empty in a tail of headers.
        payload: Bytes,
        sequence: u64,
        stored_at: jiff::Timestamp,
    },
    /// Everything that was in the stream when the tail started has been seen. Comes once.
    CaughtUp,
}

/// The receiving end of a tail; dropping it ends the tail.
pub struct Tail {
    events: mpsc::Receiver<TailEvent>,
}

/// Messages read ahead of a slow reader.
const READ_AHEAD: usize = 1024;
/// Two missed heartbeats and the consumer is made anew.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// How long the server keeps a consumer whose tail died.
const INACTIVE: Duration = Duration::from_secs(30);

impl Tail {
    /// The next event; `None` once the tail was shut down.
    pub async fn next(&mut self) -> Option<TailEvent> {
        self.events.recv().await
    }
}

impl Bus {
    /// Follows `stream` until `shutdown`. Server outages are waited out; nothing is skipped and nothing comes twice.
    ///
    /// Of a stream with several kinds of subjects it follows the first; [`Bus::tail_subject`] follows another.
    pub fn tail(&self, stream: &Stream, shutdown: CancellationToken) -> Tail {
        self.tail_subject(stream, stream.subjects[0], shutdown)
    }

    /// As [`Bus::tail`], of the messages on `subject`, which is one of the stream's own.
    pub fn tail_subject(&self, stream: &Stream, subject: &'static str, shutdown: CancellationToken) -> Tail {
        self.follow(stream, subject, false, shutdown)
    }

    /// As [`Bus::tail`], without the payloads: to know what is there it need not travel.
    pub fn tail_headers(&self, stream: &Stream, shutdown: CancellationToken) -> Tail {
        self.follow(stream, stream.subjects[0], true, shutdown)
    }

    fn follow(&self, stream: &Stream, subject: &'static str, headers_only: bool, shutdown: CancellationToken) -> Tail {
        let (sender, events) = mpsc::channel(READ_AHEAD);
        let (bus, stream) = (self.clone(), *stream);
        let follower = Follower { bus, stream, subject, headers_only, sender, last: 0, caught_up: false };
        tokio::spawn(async move {
            shutdown.run_until_cancelled(follower.run()).await;
        });
        Tail { events }
    }
}

struct Follower {
    bus: Bus,
    stream: Stream,
    /// One filter, which the consumer's permission names.
    subject: &'static str,
    headers_only: bool,
    sender: mpsc::Sender<TailEvent>,
    last: u64,
    caught_up: bool,
}

/// Nobody listens any more.
struct Closed;

impl Follower {
    async fn run(mut self) {
        let mut pause = Duration::from_millis(50);
        loop {
            let before = self.last;
            match self.follow().await {
                Err(Closed) => return,
                Ok(cause) => {
                    tracing::warn!(stream = self.stream.name, last = self.last, cause, "following the log again");
                }
            }
            pause =
                if self.last > before { Duration::from_millis(50) } else { (pause * 2).min(Duration::from_secs(2)) };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.sender.closed() => return,
            }
        }
    }

    /// Follows with one consumer until it breaks; answers why it did.
    async fn follow(&mut self) -> Result<String, Closed> {
        match self.bus.last_sequence(&self.stream).await {
            Ok(last) if last < self.last => {
                tracing::error!(
                    stream = self.stream.name,
                    last,
                    seen = self.last,
                    "the log is shorter than it was; reading it anew"
                );
                self.last = 0;
            }
            Ok(_) => {}
            Err(error) => return Ok(error.to_string()),
        }
        let name = format!("tail-{}-{}", self.bus.service, self.instance());
        let deliver_policy = match self.last {
            0 => DeliverPolicy::LastPerSubject,
            last => DeliverPolicy::ByStartSequence { start_sequence: last + 1 },
        };
        let config = pull::Config {
            name: Some(name.clone()),
            filter_subject: self.subject.to_owned(),
            headers_only: self.headers_only,
            deliver_policy,
            ack_policy: AckPolicy::None,
            replay_policy: ReplayPolicy::Instant,
            inactive_threshold: INACTIVE,
            memory_storage: true,
            num_replicas: 1,
            ..pull::Config::default()
        };
        let consumer = match self.bus.jetstream.create_consumer_on_stream(config, self.stream.name).await {
            Ok(consumer) => consumer,
            Err(error) => return Ok(error.to_string()),
        };
        if consumer.cached_info().num_pending == 0 {
            self.report_caught_up().await?;
        }
        let stream = consumer.stream().max_messages_per_batch(READ_AHEAD).heartbeat(HEARTBEAT).expires(INACTIVE);
        let mut messages = match stream.messages().await {
            Ok(messages) => messages,
            Err(error) => return Ok(error.to_string()),
        };
        let sender = self.sender.clone();
        // Without acknowledgements nothing comes again: what died in a broken connection shows only as a gap here.
        let mut expected = 0;
        loop {
            let message = tokio::select! {
                message = messages.next() => message,
                () = sender.closed() => {
                    // The server would drop it after a while; a replica that restarts often should not leave a trail.
                    let _ = self.bus.jetstream.delete_consumer_from_stream(&name, self.stream.name).await;
                    return Err(Closed);
                }
            };
            match message {
                Some(Ok(message)) => {
                    expected += 1;
                    let number = message.info().map_or(0, |info| info.consumer_sequence);
                    if number != expected {
                        return Ok(format!("message {expected} of the consumer is missing, got {number}"));
                    }
                    self.forward(message).await?;
                }
                Some(Err(error)) => return Ok(error.to_string()),
                None => return Ok("the consumer ended".into()),
            }
        }
    }

    async fn forward(&mut self, message: async_nats::jetstream::Message) -> Result<(), Closed> {
        let (sequence, pending, stored_at) = match message.info() {
            Ok(info) => (info.stream_sequence, info.pending, info.published.unix_timestamp_nanos()),
            Err(error) => {
                tracing::error!(stream = self.stream.name, %error, "a message without its position in the log");
                return Ok(());
            }
        };
        // A consumer made anew may start at a message already seen.
        if sequence > self.last {
            self.last = sequence;
            let event = TailEvent::Message {
                subject: message.subject.to_string(),
                headers: message.headers.clone().unwrap_or_default(),
                payload: message.payload.clone(),
                sequence,
                stored_at: jiff::Timestamp::from_nanosecond(stored_at).unwrap_or_default(),
            };
            self.sender.send(event).await.map_err(|_| Closed)?;
        }
        if pending == 0 {
            self.report_caught_up().await?;
        }
        Ok(())
    }

    async fn report_caught_up(&mut self) -> Result<(), Closed> {
        if !self.caught_up {
            self.caught_up = true;
            self.sender.send(TailEvent::CaughtUp).await.map_err(|_| Closed)?;
        }
        Ok(())
    }

    /// A token that no other consumer has.
    fn instance(&self) -> String {
        self.bus.client.new_inbox().rsplit('.').next().unwrap_or_default().to_owned()
    }
}
