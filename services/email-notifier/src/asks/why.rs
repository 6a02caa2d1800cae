//! What an address was sent of an article, and why it was or was not.
//!
//! A newsroom hears what became of its own article, and nothing of whoever did not get it: whether an address is
//! subscribed at all is its owner's business. The operator, who keeps the records, hears everything.

use std::pin::pin;
use std::time::Duration;

use article::wire::v1::Envelope;
use article::{Article, ArticleId, PublisherId};
use bus::Bus;
use futures::future::try_join_all;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use mail::Address;
use serde::{Deserialize, Serialize};
use subscription::Features;
use topology::{ARTICLES, JOBS, subjects};

use super::AT_ONCE;
use super::because::{Because, Case, because, due_in};
use super::ledger::{heads, record};
use crate::digest::news::News;
use crate::digest::record::with;
use crate::ledger::State;
use crate::plan::{Head, Kind};
use crate::store::Store;
use crate::subscriber::{Subscriber, SubscriberId};
use crate::worker::Job;

/// How long digests are looked through: less than the publisher, and the operator's command, wait for an answer.
const NEWSROOM_WAITS: Duration = Duration::from_secs(8);
const OPERATOR_WAITS: Duration = Duration::from_secs(50);

/// Where all of it stands.
pub(crate) struct Records<'a> {
    pub bus: &'a Bus,
    pub store: &'a Store,
    pub news: &'a News,
}

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
    /// Why it was not sent at once, as their record is now; empty when it was, or when that record says that they do not
    /// get it at all and a digest had it.
    pub because: Vec<Because>,
}

/// What became of the mails about an article to `address`, as its newsroom may know.
pub(super) async fn outcomes(
    records: &Records<'_>,
    publisher: &PublisherId,
    article: ArticleId,
    address: &Address,
) -> Result<Vec<Sent>, String> {
    let Some(record) = records.store.at(address).await.map_err(|error| error.to_string())? else {
        return Ok(Vec::new());
    };
    let mut sent = sent(records.bus, publisher, article, record.id).await?;
    if !alerted(&sent)
        && let Some(alert) = alert(records, publisher, article).await?
    {
        sent.extend(alert.digest(records.bus, &record, NEWSROOM_WAITS).await?);
    }
    Ok(sent.into_iter().map(|sent| Sent { why: None, reply: None, ..sent }).collect())
}

/// What became of them, and why it was not sent at once if it was not.
///
/// # Errors
/// One line that says what to do.
pub(crate) async fn told(records: &Records<'_>, article: ArticleId, address: &Address) -> Result<Told, String> {
    let Records { bus, store, .. } = records;
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
    if !alerted(&plans) {
        match alert(records, &publisher, article).await.map_err(|error| away(&error))? {
            None => reasons.push(Because::NoAlert),
            Some(alert) => {
                reasons.extend(because(&alert.case(&record)));
                let digest = alert.digest(bus, &record, OPERATOR_WAITS).await.map_err(|error| away(&error))?;
                if let Some(digest) = digest {
                    reasons.retain(|because| !because.denies());
                    plans.push(digest);
                }
            }
        }
    }
    Ok(Told { plans, because: reasons })
}

/// Who has the alert has it in no digest.
fn alerted(sent: &[Sent]) -> bool {
    sent.iter().any(|sent| sent.kind == "alert")
}

/// An alert, what decided whom it was for, and the digests that may have it.
struct Alert {
    article: ArticleId,
    features: Features,
    published: Timestamp,
    /// Since when the runs of digests know it.
    known: Timestamp,
    /// By the slots of their runs, the first first.
    digests: Vec<Timestamp>,
}

impl Alert {
    fn case<'a>(&'a self, record: &'a Subscriber) -> Case<'a> {
        let (published, known) = (self.published, self.known);
        Case { record, features: &self.features, published, known, now: service_kit::now() }
    }

    /// The digest that had it for them, looked for no longer than `within`.
    async fn digest(&self, bus: &Bus, record: &Subscriber, within: Duration) -> Result<Option<Sent>, String> {
        let found = tokio::time::timeout(within, self.find(bus, record)).await;
        found.unwrap_or_else(|_| {
            Err(format!("{} digests cannot be looked through in {} s", self.digests.len(), within.as_secs()))
        })
    }

    /// It is in the first run at or after its due, or later where runs were missed. But a due is worked out from their
    /// record, which forgets what it was ([`crate::span::KNOWN_FOR`]): then it is any of those that name the article.
    async fn find(&self, bus: &Bus, record: &Subscriber) -> Result<Option<Sent>, String> {
        let likely = due_in(&self.case(record)).and_then(|due| self.digests.iter().find(|slot| **slot >= due)).copied();
        let others = self.digests.iter().copied().filter(|slot| Some(*slot) != likely);
        let slots: Vec<Timestamp> = likely.into_iter().chain(others).collect();
        let mut heads = pin!(stream::iter(slots).map(|slot| with(bus, slot, self.article)).buffered(AT_ONCE));
        while let Some(head) = heads.try_next().await? {
            let Some(head) = head else { continue };
            if let Some(sent) = in_plan(bus, &head, record.id, has, self.article).await? {
                return Ok(Some(sent));
            }
        }
        Ok(None)
    }
}

/// `None`: nobody was alerted.
async fn alert(records: &Records<'_>, publisher: &PublisherId, article: ArticleId) -> Result<Option<Alert>, String> {
    let Records { bus, news, .. } = records;
    let plan = crate::plan::plan_key(&article);
    let stored = bus.last(&JOBS, &subjects::plan(&plan)).await.map_err(|error| error.to_string())?;
    let Some(stored) = stored else { return Ok(None) };
    let head: Head = serde_json::from_slice(&stored.payload).map_err(|error| format!("{plan}: {error}"))?;
    let Some(revision) = revision(bus, publisher, article, head.article_sequence).await? else { return Ok(None) };
    let published = head.published.unwrap_or(head.planned_at);
    news.catch_up(bus).await?;
    let (known, digests) = news.digests_after(stored.sequence, published);
    Ok(Some(Alert { article, features: Features::of(&revision), published, known, digests }))
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
