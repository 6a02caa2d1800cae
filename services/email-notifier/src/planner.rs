//! Turns article revisions into plans. A plan is one atomic batch: its head exists once, so that two planners, a
//! crash or a redelivery never send twice, and there is no half of a plan.

mod audience;
mod turns;

use std::sync::Arc;
use std::time::Duration;

use article::wire::v1::Envelope;
use article::{Article, ChangeKind, Status};
use bus::{BatchError, BatchMessage, Bus, Delivery, Disposition, HeaderMap, PublishError};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use topology::{JOBS, RECEIPTS, subjects};

use self::audience::{Audience, Counting, Made, first_on, made};
pub(crate) use self::turns::Turns;
use crate::cap::Caps;
use crate::control::{Control, Controls};
use crate::digest::news::News;
use crate::digest::record::{self, Before};
use crate::guard::{Guard, Verdict};
use crate::plan::{Cause, Due, Head, Kind, calls_for_an_alert, calls_for_an_update, key, notices_due, plan_key};
use crate::readers::Readers;
use crate::recipients::{of_record, shown};

/// How long a notice waits for windows that are on their way: whoever they reach in time is told exactly what concerns
/// them. Then everybody in them is told.
const WAITS_FOR_WINDOWS: SignedDuration = SignedDuration::from_secs(20);

/// How far a publisher's clock may be ahead of ours.
const MAX_SKEW: SignedDuration = SignedDuration::from_mins(10);

/// Kills older than this are not answered: nobody waits for it.
const LIVE: SignedDuration = SignedDuration::from_hours(1);

/// Revisions that are asked for what those who follow the story got, the newest: each is a read.
const MAX_UPDATES: u32 = 250;

/// Heads read at one time.
const AT_ONCE: usize = 16;

#[derive(Clone)]
pub(crate) struct Planner {
    pub bus: Bus,
    pub readers: Arc<Readers>,
    pub guard: Arc<Guard>,
    pub controls: Arc<Controls>,
    pub caps: Arc<Caps>,
    pub turns: Turns,
    pub news: Arc<News>,
    /// Under what name kills are answered.
    pub instance: String,
}

/// Why a revision is put aside, or is done with for another reason.
type Put<T> = Result<T, Disposition>;

impl Planner {
    /// Handles one revision; its acknowledgement follows the plans, never precedes them.
    pub(crate) async fn handle(&self, delivery: &Delivery) -> Disposition {
        let article = match Envelope::from_bytes(&delivery.payload) {
            Ok(envelope) => Arc::new(envelope.data),
            Err(error) => return Disposition::Discard(format!("not an article event: {error}")),
        };
        match self.plan(&article, delivery).await {
            Ok(()) => Disposition::Done,
            Err(disposition) => disposition,
        }
    }

    async fn plan(&self, article: &Arc<Article>, delivery: &Delivery) -> Put<()> {
        // What the log took as public is public, even if this host's clock is behind.
        let now = service_kit::now().max(delivery.stored_at);
        embargo_is_over(article, now)?;
        // A rehearsal goes this way up to here, and to nobody.
        if !article.test {
            if calls_for_an_alert(article, now) {
                self.alert(article, delivery, now).await?;
            }
            if calls_for_an_update(article, delivery.stored_at, now) {
                self.update(article, delivery, now).await?;
            }
            self.notices(article, delivery, now).await?;
        }
        if article.status == Status::Killed && article.change.kind == ChangeKind::Kill {
            self.answer_kill(article, delivery.stored_at).await?;
        }
        Ok(())
    }

    async fn alert(&self, article: &Arc<Article>, delivery: &Delivery, now: Timestamp) -> Put<()> {
        let plan = plan_key(&article.id);
        if self.head(&plan).await?.is_some() {
            return Ok(());
        }
        self.readers.catch_up(&self.bus).await.map_err(|cause| later(&plan, &cause))?;
        let (readers, of) = (self.readers.clone(), article.clone());
        let asked = blocking(move || readers.asked(&of)).await?;
        let mut audience = Audience::default();
        let mut turn = None;
        if !asked.is_empty() {
            // What is known of caps must be so still when the plan is written.
            let mut counting = None;
            if !article.is_breaking() {
                turn = Some(self.turns.of_alerts().await?);
                let last = self.caps.catch_up(&self.bus).await.map_err(|cause| later(&plan, &cause))?;
                counting = Some(Counting { caps: self.caps.clone(), seen: self.caps.seen(), last });
            }
            let (readers, published) = (self.readers.clone(), delivery.stored_at);
            audience = blocking(move || Audience::of(&readers, &asked, published, counting, now)).await?;
        }
        let uncapped = std::mem::take(&mut audience.uncapped);
        if self.store(article, (Kind::Alert, article.revision), delivery, audience, now).await? {
            self.caps.planned(&uncapped, now);
        }
        drop(turn);
        Ok(())
    }

    /// The revision, as an article of its own, for those who follow the story; but for whoever gets it by the alert.
    async fn update(&self, article: &Arc<Article>, delivery: &Delivery, now: Timestamp) -> Put<()> {
        let plan = key(&article.id, Kind::Update, article.revision);
        if self.head(&plan).await?.is_some() {
            return Ok(());
        }
        self.readers.catch_up(&self.bus).await.map_err(|cause| later(&plan, &cause))?;
        let mut followers = self.readers.followers(article.id, delivery.stored_at);
        if followers.is_empty() {
            return Ok(());
        }
        let _turn = self.turns.of_others(article).await?;
        if let Some(alert) = self.head(&plan_key(&article.id)).await? {
            if alert.revision >= article.revision {
                return Ok(());
            }
            let shown = shown(&self.bus, &alert, article.revision).await.map_err(|cause| later(&plan, &cause))?;
            followers.retain(|follower| !shown.contains(follower));
        }
        let audience = Audience::only(followers);
        self.store(article, (Kind::Update, article.revision), delivery, audience, now).await.map(|_| ())
    }

    /// Plans what readers of earlier revisions are owed. The plans of what they got and the ledgers say who they are:
    /// nobody else can get a notice, whatever is subscribed to by now.
    async fn notices(&self, article: &Arc<Article>, delivery: &Delivery, now: Timestamp) -> Put<()> {
        let mut plans = None;
        for Due { plan, kind, revision, void } in notices_due(article, now) {
            if self.head(&plan).await?.is_some() {
                continue;
            }
            let _turn = self.turns.of_others(article).await?;
            let plans: &Vec<Head> = match &mut plans {
                Some(plans) => plans,
                None => plans.insert(self.sent(article).await?),
            };
            // Without any nobody has anything: what may still be planned is of this revision, or is not sent.
            if plans.is_empty() {
                return Ok(());
            }
            let mut recipients = Vec::new();
            if !void {
                let mut record = of_record(&self.bus, plans, revision).await.map_err(|cause| later(&plan, &cause))?;
                let before = Before { article, published: first_published(plans), sequence: delivery.sequence };
                let digests = record::of_record(&self.bus, &self.news, &before).await;
                record.also(digests.map_err(|cause| later(&plan, &cause))?);
                if record.on_their_way && now.duration_since(delivery.stored_at) < WAITS_FOR_WINDOWS {
                    tracing::debug!(plan, "waiting for mails that are on their way");
                    return Err(Disposition::Retry(Duration::from_secs(1)));
                }
                recipients = record.recipients;
            }
            let audience = Audience::only(recipients);
            self.store(article, (kind, revision), delivery, audience, now).await?;
        }
        Ok(())
    }

    /// The heads of all plans by which somebody may have been sent the article itself.
    async fn sent(&self, article: &Article) -> Put<Vec<Head>> {
        let revisions = article.revision.saturating_sub(MAX_UPDATES).max(1) + 1..=article.revision;
        let updates = revisions.map(|revision| key(&article.id, Kind::Update, revision));
        let keys = std::iter::once(plan_key(&article.id)).chain(updates);
        let heads = stream::iter(keys).map(async |plan| self.head(&plan).await).buffered(AT_ONCE);
        heads.try_filter_map(async |head| Ok(head)).try_collect().await
    }

    async fn head(&self, plan: &str) -> Put<Option<Head>> {
        let stored = self.bus.last(&JOBS, &subjects::plan(plan)).await;
        let stored = stored.map_err(|error| later(plan, &error.to_string()))?;
        let head = stored.map(|stored| serde_json::from_slice(&stored.payload)).transpose();
        head.map_err(|error| Disposition::Discard(format!("the head of {plan} does not read: {error}")))
    }

    /// Whether the plan was written now; `false`: it was there.
    async fn store(
        &self,
        article: &Arc<Article>,
        (kind, revision): (Kind, u32),
        delivery: &Delivery,
        audience: Audience,
        now: Timestamp,
    ) -> Put<bool> {
        let (of, published, sequence) = (article.clone(), delivery.stored_at, delivery.sequence);
        let made = blocking(move || {
            let cause = Cause { article: &of, kind, revision, published, sequence };
            made(&cause, audience, now)
        });
        let Made { head, messages } = made.await?;
        let plan = &head.plan;
        let mut batch = vec![first_on(subjects::plan(plan), &head)];
        let verdict = self.guard.verdict(&head, &self.controls);
        if let Verdict::Waits(usual) = verdict {
            batch.push(first_on(subjects::control(plan), &Control::waiting(usual, now)));
        }
        batch.extend(messages);
        match self.write(batch).await {
            Ok(()) => {
                let (matched, chunks, lane) = (head.matched, head.chunks, head.lane.as_str());
                tracing::info!(plan, article = %article.id, revision, matched, chunks, lane, "planned");
                if let Verdict::Urgent(usual) = verdict {
                    tracing::error!(
                        plan,
                        matched,
                        usual,
                        "breaking news to far more readers than usual goes out; to stop it: newswire plan pause {plan}"
                    );
                }
                Ok(true)
            }
            // Another planner was first, or this one before a crash; or another plan counted against caps meanwhile.
            Err(BatchError::Conflict) => match self.head(plan).await? {
                Some(_) => Ok(false),
                None => Err(Disposition::Retry(turns::AGAIN)),
            },
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

/// When the alert was called for. Older versions did not say when.
fn first_published(plans: &[Head]) -> Timestamp {
    plans.iter().map(|plan| plan.published.unwrap_or(plan.planned_at)).min().unwrap_or_default()
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

/// Work that would keep others from their turn, on a thread of its own.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Put<T> {
    match tokio::task::spawn_blocking(work).await.map_err(tokio::task::JoinError::try_into_panic) {
        Ok(done) => Ok(done),
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // The process ends.
        Err(Err(_)) => Err(Disposition::Retry(Duration::from_secs(1))),
    }
}

fn later(plan: &str, cause: &str) -> Disposition {
    tracing::warn!(plan, cause, "planning later");
    Disposition::Retry(Duration::from_secs(1))
}
