//! What an address was sent of an article, and why it was or was not.
//!
//! A newsroom hears what became of its own article, and nothing of whoever did not get it: whether an address is
//! subscribed at all is its owner's business. The operator, who keeps the records, hears everything.

use article::wire::v1::Envelope;
use article::{Article, ArticleId, PublisherId};
use bus::Bus;
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use mail::Address;
use serde::{Deserialize, Serialize};
use subscription::Features;
use topology::{ARTICLES, JOBS, subjects};

use super::AT_ONCE;
use super::because::{Because, Case, because};
use super::ledger::{head, heads, record};
use crate::digest::chunk::{Run, plan_key};
use crate::digest::due::{SLOT, slot};
use crate::ledger::State;
use crate::plan::{Head, Kind};
use crate::store::Store;
use crate::subscriber::{Subscriber, SubscriberId};
use crate::worker::Job;

/// Runs after a due that are looked through for the one that made up for it: two days of them.
const MAX_RUNS: usize = 192;

/// What became of one mail to somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    pub plan: String,
    pub kind: String,
    pub revision: u32,
    pub planned_at: Timestamp,
    /// As in the ledger: `planned`, `submitting`, `deferred`, `uncertain`, `unanswered`, `accepted`, `failed`,
    /// `suppressed`, `expired`.
    pub state: String,
    /// When it came to that; `None` before the first attempt.
    pub at: Option<Timestamp>,
    /// When it is tried again.
    pub next_attempt_at: Option<Timestamp>,
    /// Why it was suppressed, and what the relay said last, without the address. The operator's alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
}

/// The operator's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub plans: Vec<Sent>,
    /// Why it was not sent at once; empty when it was.
    pub because: Vec<Because>,
}

/// What became of the mails about an article to `address`, as its newsroom may know.
pub(super) async fn outcomes(
    bus: &Bus,
    store: &Store,
    publisher: &PublisherId,
    article: ArticleId,
    address: &Address,
) -> Result<Vec<Sent>, String> {
    let Some(record) = store.at(address).await.map_err(|error| error.to_string())? else { return Ok(Vec::new()) };
    let mut sent = sent(bus, publisher, article, record.id).await?;
    sent.extend(digests(bus, publisher, article, &record).await?);
    Ok(sent.into_iter().map(|sent| Sent { why: None, reply: None, ..sent }).collect())
}

/// What became of them, and why it was not sent at once if it was not.
///
/// # Errors
/// One line that says what to do.
pub(crate) async fn told(bus: &Bus, store: &Store, article: ArticleId, address: &Address) -> Result<Told, String> {
    let away = |error: &dyn std::fmt::Display| format!("{error}; ask again");
    let record = store.at(address).await.map_err(|error| away(&error))?;
    let suppressed = store.suppressed(address).await.map_err(|error| away(&error))?;
    let suppressed = suppressed.map(|why| Because::Suppressed { why });
    let Some(record) = record else {
        return Ok(Told { plans: Vec::new(), because: vec![suppressed.unwrap_or(Because::NoSubscriber)] });
    };
    let stored = bus.last(&ARTICLES, &subjects::article_of_anybody(&article)).await.map_err(|error| away(&error))?;
    let Some(stored) = stored else { return Ok(Told { plans: Vec::new(), because: vec![Because::NoAlert] }) };
    let publisher = Envelope::from_bytes(&stored.payload).map_err(|error| away(&error))?.data.publisher;
    let mut plans = sent(bus, &publisher, article, record.id).await.map_err(|error| away(&error))?;
    let mut reasons: Vec<Because> = suppressed.into_iter().collect();
    if !plans.iter().any(|sent| sent.kind == "alert") {
        match alert(bus, &publisher, article).await.map_err(|error| away(&error))? {
            None => reasons.push(Because::NoAlert),
            Some(alert) => {
                reasons.extend(because(&alert.case(&record)));
                plans.extend(digests(bus, &publisher, article, &record).await.map_err(|error| away(&error))?);
            }
        }
    }
    Ok(Told { plans, because: reasons })
}

/// An alert, and what decided whom it was for.
struct Alert {
    features: Features,
    published: Timestamp,
}

impl Alert {
    fn case<'a>(&'a self, record: &'a Subscriber) -> Case<'a> {
        Case { record, features: &self.features, published: self.published, now: service_kit::now() }
    }
}

/// `None`: nobody was alerted.
async fn alert(bus: &Bus, publisher: &PublisherId, article: ArticleId) -> Result<Option<Alert>, String> {
    let Some(head) = head(bus, crate::plan::plan_key(&article)).await? else { return Ok(None) };
    let Some(article) = revision(bus, publisher, article, head.article_sequence).await? else { return Ok(None) };
    let published = head.published.unwrap_or(head.planned_at);
    Ok(Some(Alert { features: Features::of(&article), published }))
}

/// The revision at `sequence`, or the oldest there is after it.
async fn revision(
    bus: &Bus,
    publisher: &PublisherId,
    article: ArticleId,
    sequence: u64,
) -> Result<Option<Article>, String> {
    let subject = subjects::article(publisher, &article);
    let stored = bus.next(&ARTICLES, &subject, sequence).await.map_err(|error| error.to_string())?;
    let article = stored.map(|stored| Envelope::from_bytes(&stored.payload)).transpose();
    article.map(|envelope| envelope.map(|envelope| envelope.data)).map_err(|error| error.to_string())
}

/// What the article's own plans have of a subscriber.
async fn sent(bus: &Bus, publisher: &PublisherId, article: ArticleId, id: SubscriberId) -> Result<Vec<Sent>, String> {
    let mut sent = Vec::new();
    for head in heads(bus, publisher, article).await? {
        sent.extend(in_plan(bus, &head, id, |_, _, _| true, article).await?);
    }
    Ok(sent)
}

/// The digest that had the article for them, if its run was made. One that was planned late is in a later one.
async fn digests(
    bus: &Bus,
    publisher: &PublisherId,
    article: ArticleId,
    record: &Subscriber,
) -> Result<Option<Sent>, String> {
    let Some(alert) = alert(bus, publisher, article).await? else { return Ok(None) };
    let due = because(&alert.case(record)).into_iter().find_map(|because| match because {
        Because::Digest { due } | Because::OverCap { due, .. } => due,
        _ => None,
    });
    let (Some(due), Some(made)) = (due, cursor(bus).await?) else { return Ok(None) };
    let first = slot(due - SignedDuration::from_secs(1)) + SLOT;
    let slots = std::iter::successors(Some(first), |slot| Some(*slot + SLOT)).take_while(|slot| *slot <= made);
    for slot in slots.take(MAX_RUNS) {
        let Some(head) = head(bus, plan_key(slot)).await? else { continue };
        if let Some(sent) = in_plan(bus, &head, record.id, has, article).await? {
            return Ok(Some(sent));
        }
    }
    Ok(None)
}

/// The slot until which digests are planned.
async fn cursor(bus: &Bus) -> Result<Option<Timestamp>, String> {
    let stored = bus.last(&JOBS, subjects::DIGEST_CURSOR).await.map_err(|error| error.to_string())?;
    let run: Option<Run> =
        stored.map(|stored| serde_json::from_slice(&stored.payload)).transpose().map_err(|error| error.to_string())?;
    Ok(run.map(|run| run.slot))
}

/// What a plan has of a subscriber: its chunks are looked through, for none says whom it has.
async fn in_plan(
    bus: &Bus,
    head: &Head,
    id: SubscriberId,
    counts: fn(&Job, usize, ArticleId) -> bool,
    article: ArticleId,
) -> Result<Option<Sent>, String> {
    let mut place = None;
    for first in (0..head.chunks).step_by(AT_ONCE) {
        let some = first..head.chunks.min(first + AT_ONCE as u32);
        let jobs = try_join_all(some.clone().map(|chunk| job(bus, head, chunk))).await?;
        place = some.zip(&jobs).find_map(|(chunk, job)| {
            let recipient = job.recipients().iter().position(|recipient| *recipient == id)?;
            counts(job, recipient, article).then_some((chunk, recipient))
        });
        if place.is_some() {
            break;
        }
    }
    let Some((chunk, recipient)) = place else { return Ok(None) };
    let kept = record(bus, &head.plan, chunk).await?;
    let ledger = kept.as_ref().map(|kept| &kept.ledger);
    let state = ledger.and_then(|ledger| ledger.states().get(recipient).copied()).unwrap_or(State::Planned);
    let why = match state {
        State::Suppressed(why) => Some(why.word().to_owned()),
        _ => None,
    };
    Ok(Some(Sent {
        plan: head.plan.clone(),
        kind: kind(head.kind).to_owned(),
        revision: head.revision,
        planned_at: head.planned_at,
        state: state.word().to_owned(),
        at: ledger.and_then(|ledger| ledger.noted(recipient)),
        next_attempt_at: ledger.filter(|_| !state.is_final()).and_then(|ledger| Some(ledger.retry?.at)),
        why,
        reply: ledger.and_then(|ledger| ledger.said(recipient)).map(str::to_owned),
    }))
}

async fn job(bus: &Bus, head: &Head, chunk: u32) -> Result<Job, String> {
    let subject = subjects::chunk(head.lane.as_str(), &head.plan, chunk);
    let stored = bus.last(&JOBS, &subject).await.map_err(|error| error.to_string())?;
    let stored = stored.ok_or_else(|| format!("{subject} is gone"))?;
    Job::read(&stored.payload).map_err(|error| format!("{subject}: {error}"))
}

/// Whether what somebody is sent by a digest has the article.
fn has(job: &Job, recipient: usize, article: ArticleId) -> bool {
    let Job::Digest(chunk) = job else { return false };
    let items = chunk.list_of(recipient).map(|list| list.items.as_slice()).unwrap_or_default();
    items.iter().any(|item| chunk.items.get(*item as usize).is_some_and(|item| item.article == article))
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Alert => "alert",
        Kind::Update => "update",
        Kind::Correction => "correction",
        Kind::Withdrawal => "withdrawal",
        Kind::Kill => "kill",
        Kind::Digest => "digest",
    }
}
