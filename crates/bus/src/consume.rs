//! The one loop that works off a durable consumer: handlers answer what is to become of a message, the loop does it.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::{AckKind, Message};
use bytes::Bytes;
use futures::FutureExt;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use topology::{Consumer, DEAD, subjects};

use crate::pull::Puller;
use crate::{Bus, HeaderMap};

/// A message whose handler panics at this delivery or a later one is dead: it would do so again.
pub const MAX_PANICS: i64 = 3;

/// How long a shutdown waits for handlers to finish before their messages go back.
const DRAIN: Duration = Duration::from_secs(20);

/// What is to become of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// Its effect is durable.
    Done,
    /// Something passing is in the way; deliver it again after this long. Up to a minute: a message that waits
    /// counts against the consumer's limit, longer waits belong into a schedule.
    Retry(Duration),
    /// It can never be handled. It goes to the dead letters with this reason.
    Discard(String),
}

/// One delivery of a message.
pub struct Delivery {
    pub subject: String,
    pub payload: Bytes,
    pub sequence: u64,
    /// When the server stored it.
    pub stored_at: jiff::Timestamp,
    /// 1 for the first.
    pub attempt: i64,
}

impl Bus {
    /// Works off `consumer` with up to `concurrency` messages at a time until `shutdown`, then finishes what it
    /// began, gives back what it cannot finish within 20 s, and returns.
    ///
    /// `Done` is committed by a confirmed acknowledgement; of plain ones a kill -9 of the server lost 1,161 in 10,000.
    /// Even so a handler must be idempotent: the server writes a consumer's state down a moment after it confirms,
    /// and a kill -9 within that moment brought back all 20 of 20 messages just confirmed.
    pub async fn consume<H, F>(&self, consumer: &Consumer, concurrency: usize, handler: H, shutdown: CancellationToken)
    where
        H: Fn(Arc<Delivery>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Disposition> + Send + 'static,
    {
        let abort = CancellationToken::new();
        let workers = TaskTracker::new();
        for _ in 0..concurrency {
            let worker = Worker { bus: self.clone(), consumer: *consumer, abort: abort.clone() };
            workers.spawn(worker.run(handler.clone(), shutdown.clone()));
        }
        workers.close();
        shutdown.cancelled().await;
        if tokio::time::timeout(DRAIN, workers.wait()).await.is_err() {
            tracing::warn!(consumer = consumer.name, "handlers did not finish in time; their messages go back");
            abort.cancel();
            workers.wait().await;
        }
    }
}

struct Worker {
    bus: Bus,
    consumer: Consumer,
    abort: CancellationToken,
}

impl Worker {
    async fn run<H, F>(self, handler: H, shutdown: CancellationToken)
    where
        H: Fn(Arc<Delivery>) -> F + Send + Sync,
        F: Future<Output = Disposition> + Send,
    {
        let mut pause = Duration::from_millis(50);
        loop {
            let Err(cause) = self.work(&handler, &shutdown, &mut pause).await else { return };
            tracing::warn!(consumer = self.consumer.name, cause, "pulling again");
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = shutdown.cancelled() => return,
            }
            pause = (pause * 2).min(Duration::from_secs(2));
        }
    }
    /// Handles one message after the other until the shutdown (`Ok`) or until the server goes away.
    async fn work<H, F>(&self, handler: &H, shutdown: &CancellationToken, pause: &mut Duration) -> Result<(), String>
    where
        H: Fn(Arc<Delivery>) -> F + Send + Sync,
        F: Future<Output = Disposition> + Send,
    {
        let mut puller = Puller::open(&self.bus, &self.consumer).await?;
        loop {
            // Only the waiting is cut short by a shutdown, never the handling.
            let Some(message) = shutdown.run_until_cancelled(puller.next()).await else { return Ok(()) };
            let message = message?;
            *pause = Duration::from_millis(50);
            self.settle(message, handler).await;
        }
    }

    async fn settle<H, F>(&self, message: Message, handler: &H)
    where
        H: Fn(Arc<Delivery>) -> F,
        F: Future<Output = Disposition>,
    {
        let consumer = &self.consumer;
        let Some(delivery) = delivery(&message) else {
            tracing::error!(consumer = consumer.name, "a message without its position in the log");
            return;
        };
        let delivery = Arc::new(delivery);
        // The handler is called inside the guard: a panic may come before its first await, too.
        let guarded = AssertUnwindSafe(async { handler(delivery.clone()).await }).catch_unwind();
        let disposition = match self.abort.run_until_cancelled(keep_alive(&message, consumer.ack_wait, guarded)).await {
            None => Disposition::Retry(Duration::ZERO),
            Some(Ok(disposition)) => disposition,
            Some(Err(_)) if delivery.attempt >= MAX_PANICS => {
                Disposition::Discard(format!("the handler panicked at delivery {}", delivery.attempt))
            }
            Some(Err(_)) => Disposition::Retry(Duration::from_secs(1)),
        };
        let outcome = match &disposition {
            Disposition::Done => message.double_ack().await.map_err(|error| error.to_string()),
            Disposition::Retry(after) => {
                let kind = AckKind::Nak((*after > Duration::ZERO).then_some(*after));
                message.ack_with(kind).await.map_err(|error| error.to_string())
            }
            Disposition::Discard(reason) => self.bury(&message, &delivery, reason).await,
        };
        if let Err(cause) = outcome {
            // It comes again after ack_wait; the handler's effect is idempotent.
            tracing::warn!(consumer = consumer.name, subject = delivery.subject, cause, "not acknowledged");
        }
    }

    /// First the dead letter, then the end of the delivery: the other way round a crash would lose it.
    async fn bury(&self, message: &Message, delivery: &Delivery, reason: &str) -> Result<(), String> {
        let consumer = &self.consumer;
        tracing::error!(consumer = consumer.name, subject = delivery.subject, reason, "dead letter");
        let mut headers = HeaderMap::new();
        let printable: String = reason.chars().map(|c| if c.is_control() { ' ' } else { c }).take(1000).collect();
        headers.insert("Newswire-Reason", printable.as_str());
        headers.insert("Newswire-Subject", delivery.subject.as_str());
        headers.insert("Newswire-Stream", consumer.stream.name);
        headers.insert("Newswire-Sequence", delivery.sequence.to_string());
        let message_id = format!("{}/{}/{}", consumer.stream.name, delivery.sequence, consumer.name);
        self.bus
            .publish(&DEAD, &subjects::dead(consumer.name), &message_id, headers, message.payload.clone(), None)
            .await
            .map_err(|error| error.to_string())?;
        message.double_ack_with(AckKind::Term).await.map_err(|error| error.to_string())
    }
}

/// Tells the server, while `work` goes on, that it does: no other worker gets the message, and when this process dies
/// another has it within `ack_wait`.
async fn keep_alive<T>(message: &Message, ack_wait: Duration, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        match tokio::time::timeout(ack_wait / 3, &mut work).await {
            Ok(done) => return done,
            Err(_) => {
                if let Err(error) = message.ack_with(AckKind::Progress).await {
                    tracing::debug!(%error, "could not report progress");
                }
            }
        }
    }
}

fn delivery(message: &Message) -> Option<Delivery> {
    let info = message.info().ok()?;
    Some(Delivery {
        subject: message.subject.to_string(),
        payload: message.payload.clone(),
        sequence: info.stream_sequence,
        stored_at: jiff::Timestamp::from_nanosecond(info.published.unix_timestamp_nanos()).unwrap_or_default(),
        attempt: info.delivered,
    })
}
