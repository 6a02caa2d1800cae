//! A delivery from its signature to the log.
//!
//! Ghost waits two seconds and sends nothing a second time, and WordPress's plugins do not even look at the answer. A
//! delivery that was signed is therefore worked on to its end, whatever its sender has been told by then: it is
//! answered when the log has it, or after [`BUDGET`] with 503, and every repetition is harmless.

use std::sync::Arc;
use std::time::{Duration, Instant};

use article::ArticleId;
use bytes::Bytes;
use interchange::Wish;
use interchange::signature::TOLERANCE;
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::memory::Memory;
use super::wish::{News, Step, step};
use super::{HookId, HookRecord};
use crate::desk::{Accepted, Desk, Submission, parse};
use crate::refusal::Refusal;

/// The longest a sender waits for its answer: Ghost's two seconds, less the way there and back.
const BUDGET: Duration = Duration::from_millis(1700);

/// Deliveries under way at one time; each holds a document of 1 MiB at most.
const MAX_UNDER_WAY: usize = 64;

/// How long a delivery is tried again when the log cannot be reached: a leader is elected, a server restarted by then.
const PATIENCE: Duration = Duration::from_secs(120);

/// Pause before it is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// How often a delivery looks again at an article that somebody else has just changed.
const RACES: u32 = 10;

/// The longest that a stopping service waits for deliveries under way.
const AT_THE_END: Duration = Duration::from_secs(20);

/// One signed document.
#[derive(Clone)]
pub(crate) struct Delivery {
    pub(crate) hook: HookId,
    pub(crate) record: Arc<HookRecord>,
    pub(crate) body: Bytes,
    /// When it was signed, where the signature says.
    pub(crate) sent_at: Option<Timestamp>,
    pub(crate) importer: Option<String>,
    pub(crate) traceparent: String,
}

/// What has become of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Outcome {
    /// `created`, `revised`, `withdrawn`, `killed` or `nothing`.
    outcome: &'static str,
    /// Why nothing was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    article: Option<ArticleId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u32>,
}

/// Everything that is under way.
#[derive(Clone)]
pub(crate) struct Deliveries {
    desk: Desk,
    memory: Memory,
    places: Arc<Semaphore>,
    tracker: TaskTracker,
}

impl Deliveries {
    pub(crate) fn new(desk: Desk) -> Self {
        let (memory, places) = (Memory::default(), Arc::new(Semaphore::new(MAX_UNDER_WAY)));
        Self { desk, memory, places, tracker: TaskTracker::new() }
    }

    /// Carries a delivery out. What takes longer than [`BUDGET`] goes on after the answer.
    pub(crate) async fn take(&self, delivery: Delivery) -> Result<Outcome, Refusal> {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { return Err(Refusal::Busy) };
        let this = self.clone();
        let working = self.tracker.spawn(async move {
            let _place = place;
            this.patiently(&delivery).await
        });
        match tokio::time::timeout(BUDGET, working).await {
            Ok(Ok(done)) => done,
            Ok(Err(panicked)) => {
                tracing::error!("a webhook's delivery broke off: {panicked}");
                Err(Refusal::Unavailable)
            }
            Err(_) => Err(Refusal::Unavailable),
        }
    }

    /// Waits for what is under way when the service stops.
    pub(crate) async fn finish(&self) {
        self.tracker.close();
        if tokio::time::timeout(AT_THE_END, self.tracker.wait()).await.is_err() {
            tracing::error!("stopped with deliveries of webhooks under way; their senders were answered 503");
        }
    }

    async fn patiently(&self, delivery: &Delivery) -> Result<Outcome, Refusal> {
        let (hook, name) = (delivery.hook.as_str(), delivery.record.name.as_str());
        let started = Instant::now();
        loop {
            match self.settle(delivery).await {
                Err(Refusal::Unavailable) if started.elapsed() < PATIENCE => tokio::time::sleep(AGAIN).await,
                Err(refusal @ (Refusal::Unavailable | Refusal::Full | Refusal::Unreadable)) => {
                    tracing::error!(hook, name, "a webhook's delivery is lost: {refusal:?}");
                    return Err(refusal);
                }
                Ok(outcome) => {
                    tracing::info!(hook, name, outcome = outcome.outcome, why = outcome.why, "webhook");
                    return Ok(outcome);
                }
                Err(refusal) => {
                    tracing::warn!(hook, name, "a webhook's delivery was refused: {refusal:?}");
                    return Err(refusal);
                }
            }
        }
    }

    async fn settle(&self, delivery: &Delivery) -> Result<Outcome, Refusal> {
        let record = &delivery.record;
        let document = parse(&delivery.body)?;
        let now = service_kit::now();
        let foreign =
            record.format.read(&document, &record.defaults()).map_err(|problem| Refusal::Invalid(vec![problem]))?;
        let news = News {
            wish: foreign.wish,
            // A time that lies ahead would make everything after it look out of date.
            changed_at: foreign.changed_at.or(delivery.sent_at).unwrap_or(now).min(now + TOLERANCE),
            warnings: foreign.warnings,
            from: record.name.clone(),
        };
        if let Wish::Nothing { why } = news.wish {
            return Ok(Outcome { outcome: "nothing", why: Some(why), article: None, revision: None });
        }
        let id = record.article(&foreign.id);
        for _ in 0..RACES {
            match self.once(delivery, &foreign.id, id, &news, now).await {
                // Somebody was quicker: what is there now decides.
                Err(Refusal::Stale { .. } | Refusal::KeyReused { .. } | Refusal::KeyForgotten { .. }) => {}
                done => return done,
            }
        }
        Err(Refusal::Unavailable)
    }

    async fn once(
        &self,
        delivery: &Delivery,
        foreign: &str,
        id: ArticleId,
        news: &News,
        now: Timestamp,
    ) -> Result<Outcome, Refusal> {
        let record = &delivery.record;
        let current = match self.desk.current(&record.publisher, id).await {
            Ok(article) => Some(article),
            Err(Refusal::NoSuchArticle) => None,
            Err(refusal) => return Err(refusal),
        };
        if current.is_none() && matches!(news.wish, Wish::Withdraw { .. }) {
            self.memory.taken_down(id, news.changed_at);
        }
        let submission = |document: serde_json::Value| Submission {
            publisher: record.publisher.clone(),
            body: Bytes::from(document.to_string()),
            channel: "webhook".into(),
            importer: delivery.importer.clone(),
            traceparent: delivery.traceparent.clone(),
        };
        match step(current.as_ref(), self.memory.when(id), news) {
            Step::Create(document) => {
                let key = record.key(foreign);
                let accepted = self.desk.create(&submission(document), Some(&key), now).await?;
                Ok(outcome("created", accepted))
            }
            Step::Revise { base, document } => {
                Ok(outcome("revised", self.desk.revise(&submission(document), id, base, now).await?))
            }
            Step::Change { base, change } => {
                let traceparent = &delivery.traceparent;
                let accepted = self.desk.change(&record.publisher, id, &change, Some(base), traceparent, now).await?;
                let word = accepted.article.status.as_str();
                Ok(outcome(word, accepted))
            }
            Step::Nothing(why) => {
                let revision = current.map(|article| article.revision);
                Ok(Outcome { outcome: "nothing", why: Some(why), article: revision.map(|_| id), revision })
            }
        }
    }
}

fn outcome(word: &'static str, accepted: Accepted) -> Outcome {
    let (article, revision) = (Some(accepted.article.id), Some(accepted.article.revision));
    Outcome { outcome: word, why: None, article, revision }
}
