//! Turns article revisions into plans. A plan is one atomic batch: its head exists once, so that two planners, a
//! crash or a redelivery never send twice, and there is no half of a plan.

use std::sync::Arc;
use std::time::Duration;

use article::wire::v1::Envelope;
use bus::{BatchError, BatchMessage, Bus, Delivery, Disposition, HeaderMap, PublishError};
use serde::Serialize;
use topology::{JOBS, subjects};

use crate::plan::{calls_for_an_alert, make_plan, plan_key};
use crate::readers::Readers;

#[derive(Clone)]
pub(crate) struct Planner {
    pub bus: Bus,
    pub readers: Arc<Readers>,
}

impl Planner {
    /// Handles one revision; its acknowledgement follows the plan, never precedes it.
    pub(crate) async fn handle(&self, delivery: &Delivery) -> Disposition {
        let article = match Envelope::from_bytes(&delivery.payload) {
            Ok(envelope) => envelope.data,
            Err(error) => return Disposition::Discard(format!("not an article event: {error}")),
        };
        // What the log took as public is public, even if this host's clock is behind.
        let now = service_kit::now().max(delivery.stored_at);
        if !calls_for_an_alert(&article, now) {
            return Disposition::Done;
        }
        let plan = plan_key(&article.id);
        match self.bus.last(&JOBS, &subjects::plan(&plan)).await {
            Ok(Some(_)) => return Disposition::Done,
            Ok(None) => {}
            Err(error) => return later(&plan, &error.to_string()),
        }
        if let Err(cause) = self.readers.catch_up(&self.bus).await {
            return later(&plan, &cause);
        }
        let recipients = self.readers.matching(&article, delivery.stored_at);
        let (head, chunks) = make_plan(&article, &recipients, now);
        let mut batch = vec![first_on(subjects::plan(&plan), &head)];
        batch.extend(
            chunks.iter().map(|chunk| first_on(subjects::chunk(head.lane.as_str(), &plan, chunk.chunk), chunk)),
        );
        match self.write(batch).await {
            Ok(_) => {
                let (matched, chunks, lane) = (head.matched, head.chunks, head.lane.as_str());
                tracing::info!(plan, article = %article.id, revision = article.revision, matched, chunks, lane, "planned");
                Disposition::Done
            }
            // Another planner was first, or this one before a crash.
            Err(BatchError::Conflict) => Disposition::Done,
            // If it was stored all the same, the next attempt finds the head.
            Err(error @ (BatchError::Unavailable(_) | BatchError::InProgress)) => later(&plan, &error.to_string()),
            Err(error @ BatchError::Refused(_)) => {
                tracing::error!(plan, %error, "cannot write a plan; is JOBS full? its limit can be raised");
                Disposition::Retry(Duration::from_secs(30))
            }
        }
    }
}

impl Planner {
    /// A plan for nobody is one message, which costs the server a twentieth of a batch.
    async fn write(&self, mut batch: Vec<BatchMessage>) -> Result<(), BatchError> {
        if batch.len() > 1 {
            return self.bus.publish_batch(batch).await.map(|_| ());
        }
        let Some(head) = batch.pop() else { return Ok(()) };
        let id = head.subject.clone();
        match self.bus.publish(&JOBS, &head.subject, &id, head.headers, head.payload, head.expected).await {
            Ok(_) => Ok(()),
            Err(PublishError::Conflict { .. }) => Err(BatchError::Conflict),
            Err(error @ PublishError::Unavailable(_)) => Err(BatchError::Unavailable(error.to_string())),
            Err(error) => Err(BatchError::Refused(error.to_string())),
        }
    }
}

fn first_on<T: Serialize>(subject: String, value: &T) -> BatchMessage {
    let payload = serde_json::to_vec(value).expect("plans have string keys only");
    BatchMessage { subject, headers: HeaderMap::new(), payload: payload.into(), expected: Some(0) }
}

fn later(plan: &str, cause: &str) -> Disposition {
    tracing::warn!(plan, cause, "planning later");
    Disposition::Retry(Duration::from_secs(1))
}
