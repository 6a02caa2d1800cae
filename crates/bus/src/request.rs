//! Questions between services, over plain NATS: nothing is stored, and an answer that does not come is a possible one.

use std::future::Future;
use std::time::Duration;

use async_nats::Request;
use bytes::Bytes;
use futures::StreamExt;
use tokio_util::sync::CancellationToken;

use crate::Bus;

/// Questions worked on at one time by one instance. More wait in the client's own buffer, and their askers give up.
const AT_ONCE: usize = 4;

/// Pause before a subscription that the server ended is made again.
const AGAIN: Duration = Duration::from_secs(1);

impl Bus {
    /// Asks whoever answers on `subject`; `None` when nobody has answered `within` that time.
    pub async fn request(&self, subject: &'static str, question: Bytes, within: Duration) -> Option<Bytes> {
        // While disconnected the client would keep the question, and ask it when nobody waits any more.
        if !self.is_connected() {
            return None;
        }
        let request = Request::new().payload(question).timeout(Some(within));
        match self.client.send_request(subject, request).await {
            Ok(answer) => Some(answer.payload),
            Err(error) => {
                tracing::debug!(subject, %error, "a question without an answer");
                None
            }
        }
    }

    /// Answers the questions on `subject` until `shutdown`, each by one of the service's instances. A question to which
    /// `answer` gives `None` stays without one.
    pub async fn answer<F>(&self, subject: &'static str, answer: impl Fn(Bytes) -> F, shutdown: CancellationToken)
    where
        F: Future<Output = Option<Bytes>>,
    {
        let answer = &answer;
        let answering = async {
            loop {
                match self.client.queue_subscribe(subject, self.service.clone()).await {
                    Ok(questions) => {
                        let each = questions.for_each_concurrent(AT_ONCE, |question| async move {
                            let Some(reply) = question.reply else { return };
                            let Some(text) = answer(question.payload).await else { return };
                            if let Err(error) = self.client.publish(reply, text).await {
                                tracing::debug!(subject, %error, "an answer could not be sent");
                            }
                        });
                        each.await;
                    }
                    Err(error) => tracing::debug!(subject, %error, "cannot listen for questions"),
                }
                tokio::time::sleep(AGAIN).await;
            }
        };
        shutdown.run_until_cancelled(answering).await;
    }
}
