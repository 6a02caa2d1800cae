//! Asks a durable consumer for one message at a time, and notices within two seconds that the server is gone.
//!
//! The client library's own ways will not do: its stream reads ahead, and what is read ahead of a free worker ages
//! towards its redelivery unseen; its batch does not watch the heartbeats, and sat out 15 s after a kill of the server.

use std::time::Duration;

use async_nats::jetstream::Message;
use async_nats::{StatusCode, Subscriber};
use futures::StreamExt;
use tokio::time::{Instant, timeout_at};
use topology::Consumer;

use crate::Bus;

/// How long one request waits for a message at the server before it is renewed.
const EXPIRES: Duration = Duration::from_secs(30);
/// The server says this often that it still holds the request.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// Two heartbeats missed: the request is lost.
const SILENCE: Duration = Duration::from_millis(2500);

/// One worker's line to a durable consumer.
pub(crate) struct Puller {
    bus: Bus,
    request_subject: String,
    inbox: String,
    replies: Subscriber,
}

impl Puller {
    pub(crate) async fn open(bus: &Bus, consumer: &Consumer) -> Result<Self, String> {
        let inbox = bus.client.new_inbox();
        let replies = bus.client.subscribe(inbox.clone()).await.map_err(|error| error.to_string())?;
        let request_subject = format!("$JS.API.CONSUMER.MSG.NEXT.{}.{}", consumer.stream.name, consumer.name);
        Ok(Self { bus: bus.clone(), request_subject, inbox, replies })
    }

    /// The next message. Dropping the future loses none: the request ends with the subscription, which the caller
    /// drops too, and a message that was on its way comes again.
    pub(crate) async fn next(&mut self) -> Result<Message, String> {
        loop {
            if !self.bus.is_connected() {
                return Err("not connected to NATS".into());
            }
            self.request().await?;
            if let Some(message) = self.answer().await? {
                return Ok(message);
            }
        }
    }

    async fn request(&self) -> Result<(), String> {
        let request = serde_json::json!({
            "batch": 1,
            "expires": EXPIRES.as_nanos() as u64,
            "idle_heartbeat": HEARTBEAT.as_nanos() as u64,
        });
        let sent = self.bus.client.publish_with_reply(
            self.request_subject.clone(),
            self.inbox.clone(),
            request.to_string().into(),
        );
        sent.await.map_err(|error| error.to_string())
    }

    /// A message, or `None` when the request has run out and is to be renewed.
    async fn answer(&mut self) -> Result<Option<Message>, String> {
        loop {
            let reply = timeout_at(Instant::now() + SILENCE, self.replies.next()).await;
            let reply = reply.map_err(|_| "the server is silent".to_owned())?.ok_or("the subscription ended")?;
            match reply.status {
                None | Some(StatusCode::OK) => {
                    return Ok(Some(Message { message: reply, context: self.bus.jetstream.clone() }));
                }
                Some(StatusCode::IDLE_HEARTBEAT) => {}
                // The request's time is over, or a leader change ended it.
                Some(StatusCode::TIMEOUT) => return Ok(None),
                Some(status) => {
                    return Err(format!("{status} {}", reply.description.unwrap_or_default()));
                }
            }
        }
    }
}
