//! Turns article revisions into plans. A plan is one atomic batch: its head exists once, so that two planners, a
//! crash or a redelivery never send twice, and there is no half of a plan.

use std::sync::Arc;
use std::time::Duration;

use article::wire::v1::Envelope;
use article::{Article, ChangeKind, Status};
use bus::{BatchError, BatchMessage, Bus, Delivery, Disposition, HeaderMap, PublishError};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use topology::{JOBS, RECEIPTS, subjects};

use crate::control::{Control, Controls};
use crate::guard::{Guard, Verdict};
use crate::plan::{Cause, Due, Head, Kind, calls_for_an_alert, make_plan, notices_due, plan_key};
use crate::readers::Readers;
use crate::recipients::of_record;
use crate::subscriber::SubscriberId;

/// Deliveries for which a notice waits for windows that are on their way, a second each: whoever they reach in time is
/// told exactly what concerns them. Then everybody in them is told.
const MAX_WAITS: i64 = 20;

/// How far a publisher's clock may be ahead of ours.
const MAX_SKEW: SignedDuration = SignedDuration::from_mins(10);

/// Kills older than this are not answered: nobody waits for it.
const LIVE: SignedDuration = SignedDuration::from_hours(1);

#[derive(Clone)]
pub(crate) struct Planner {
    pub bus: Bus,
    pub readers: Arc<Readers>,
    pub guard: Arc<Guard>,
    pub controls: Arc<Controls>,
    /// Under what name kills are answered.
    pub instance: String,
}

/// Why a revision is put aside, or is done with for another reason.
type Put<T> = Result<T, Disposition>;

impl Planner {
    /// Handles one revision; its acknowledgement follows the plans, never precedes them.
    pub(crate) async fn handle(&self, delivery: &Delivery) -> Disposition {
        let article = match Envelope::from_bytes(&delivery.payload) {
            Ok(envelope) => envelope.data,
            Err(error) => return Disposition::Discard(format!("not an article event: {error}")),
        };
        match self.plan(&article, delivery).await {
            Ok(()) => Disposition::Done,
            Err(disposition) => disposition,
        }
    }

    async fn plan(&self, article: &Article, delivery: &Delivery) -> Put<()> {
        // What the log took as public is public, even if this host's clock is behind.
        let now = service_kit::now().max(delivery.stored_at);
        embargo_is_over(article, now)?;
        // A rehearsal goes this way up to here, and to nobody.
        if !article.test {
            if calls_for_an_alert(article, now) {
                self.alert(article, delivery, now).await?;
            }
            self.notices(article, delivery, now).await?;
        }
        if article.status == Status::Killed && article.change.kind == ChangeKind::Kill {
            self.answer_kill(article, delivery.stored_at).await?;
        }
        Ok(())
    }

    async fn alert(&self, article: &Article, delivery: &Delivery, now: Timestamp) -> Put<()> {
        let plan = plan_key(&article.id);
        if self.head(&plan).await?.is_some() {
            return Ok(());
        }
        self.readers.catch_up(&self.bus).await.map_err(|cause| later(&plan, &cause))?;
        let recipients = self.readers.matching(article, delivery.stored_at);
        self.store(&cause(article, Kind::Alert, article.revision, delivery), &recipients, now).await
    }

    /// Plans what readers of earlier revisions are owed. The alert's plan and its ledger say who they are: nobody else
    /// can get a notice, whatever is subscribed to by now.
    async fn notices(&self, article: &Article, delivery: &Delivery, now: Timestamp) -> Put<()> {
        let due = notices_due(article, now);
        if due.is_empty() {
            return Ok(());
        }
        // Without an alert nobody has anything: what may still be planned of it is of this revision, or is not sent.
        let Some(alert) = self.head(&plan_key(&article.id)).await? else { return Ok(()) };
        for Due { plan, kind, revision, void } in due {
            if self.head(&plan).await?.is_some() {
                continue;
            }
            let mut recipients = Vec::new();
            if !void {
                let record = of_record(&self.bus, &alert, revision).await.map_err(|cause| later(&plan, &cause))?;
                if record.on_their_way && delivery.attempt < MAX_WAITS {
                    tracing::debug!(plan, "waiting for mails that are on their way");
                    return Err(Disposition::Retry(Duration::from_secs(1)));
                }
                recipients = record.recipients;
            }
            self.store(&cause(article, kind, revision, delivery), &recipients, now).await?;
        }
        Ok(())
    }

    async fn head(&self, plan: &str) -> Put<Option<Head>> {
        let stored = self.bus.last(&JOBS, &subjects::plan(plan)).await;
        let stored = stored.map_err(|error| later(plan, &error.to_string()))?;
        let head = stored.map(|stored| serde_json::from_slice(&stored.payload)).transpose();
        head.map_err(|error| Disposition::Discard(format!("the head of {plan} does not read: {error}")))
    }

    async fn store(&self, cause: &Cause<'_>, recipients: &[SubscriberId], now: Timestamp) -> Put<()> {
        let (head, chunks) = make_plan(cause, recipients, now);
        let plan = &head.plan;
        let mut batch = vec![first_on(subjects::plan(plan), &head)];
        let verdict = self.guard.verdict(&head, &self.controls);
        if let Verdict::Waits(usual) = verdict {
            batch.push(first_on(subjects::control(plan), &Control::waiting(usual, now)));
        }
        batch
            .extend(chunks.iter().map(|chunk| first_on(subjects::chunk(head.lane.as_str(), plan, chunk.chunk), chunk)));
        match self.write(batch).await {
            Ok(_) => {
                let (matched, chunks, lane) = (head.matched, head.chunks, head.lane.as_str());
                tracing::info!(plan, article = %cause.article.id, revision = cause.revision, matched, chunks, lane, "planned");
                if let Verdict::Urgent(usual) = verdict {
                    tracing::error!(plan, matched, usual, "breaking news to far more readers than usual goes out; to stop it: newswire plan pause {plan}");
                }
                Ok(())
            }
            // Another planner was first, or this one before a crash.
            Err(BatchError::Conflict) => Ok(()),
            // If it was stored all the same, the next attempt finds the head.
            Err(error @ (BatchError::Unavailable(_) | BatchError::InProgress)) => Err(later(plan, &error.to_string())),
            Err(error @ BatchError::Refused(_)) => {
                tracing::error!(plan, %error, "cannot write a plan; is JOBS full? its limit can be raised");
                Err(Disposition::Retry(Duration::from_secs(30)))
            }
        }
    }

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

    /// Says on the log that the kill is carried out here: no window that begins now holds the text, for each reads the
    /// newest revision first, and the notices are planned. The first answer of an instance stands.
    async fn answer_kill(&self, article: &Article, stored: Timestamp) -> Put<()> {
        let now = service_kit::now();
        if now.duration_since(stored) >= LIVE {
            return Ok(());
        }
        let subject = subjects::receipt(&article.id, "email-notifier", &self.instance);
        let unwritten = |cause: &dyn std::fmt::Display| later(&subject, &cause.to_string());
        let standing = self.bus.last(&RECEIPTS, &subject).await.map_err(|error| unwritten(&error))?;
        let standing = standing.and_then(|stored| serde_json::from_slice::<serde_json::Value>(&stored.payload).ok());
        if standing.is_some_and(|receipt| receipt["revision"].as_u64() >= Some(article.revision.into())) {
            return Ok(());
        }
        let receipt = serde_json::json!({ "revision": article.revision, "applied_at": now }).to_string();
        let id = format!("{subject}/{}", article.revision);
        let written = self.bus.publish(&RECEIPTS, &subject, &id, HeaderMap::new(), receipt.into(), None).await;
        written.map(|_| ()).map_err(|error| unwritten(&error))
    }
}

/// Whatever the log says: what is under embargo by our clock, too, waits here until it is not.
fn embargo_is_over(article: &Article, now: Timestamp) -> Put<()> {
    let left = match article.embargoed_until {
        Some(until) if article.status == Status::Published && until > now => until.duration_since(now),
        _ => return Ok(()),
    };
    if left > MAX_SKEW {
        let until = article.embargoed_until.unwrap_or_default();
        return Err(Disposition::Discard(format!("published under an embargo until {until}; is a clock wrong?")));
    }
    let left = Duration::try_from(left).unwrap_or_default();
    Err(Disposition::Retry(left.clamp(Duration::from_millis(50), Duration::from_secs(30))))
}

fn cause<'a>(article: &'a Article, kind: Kind, revision: u32, delivery: &Delivery) -> Cause<'a> {
    Cause { article, kind, revision, published: delivery.stored_at, sequence: delivery.sequence }
}

fn first_on<T: Serialize>(subject: String, value: &T) -> BatchMessage {
    let payload = serde_json::to_vec(value).expect("plans have string keys only");
    BatchMessage { subject, headers: HeaderMap::new(), payload: payload.into(), expected: Some(0) }
}

fn later(plan: &str, cause: &str) -> Disposition {
    tracing::warn!(plan, cause, "planning later");
    Disposition::Retry(Duration::from_secs(1))
}
