//! Who is to be sent what: the plan of one article, and the chunks it is worked off in. Pure.

use article::{Article, ArticleId, PublisherId, Status};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::subscriber::SubscriberId;

/// Recipients in a chunk, at least. A larger plan has larger chunks, so that one atomic batch always holds it all.
const CHUNK: usize = 1000;

/// Chunks in a plan at most: the server takes 1,000 messages in a batch, and the head is one.
const MAX_CHUNKS: usize = 999;

/// An article is news for this long. A notifier or a relay that was away for longer does not alert to what it missed.
pub(crate) const ALERT_HORIZON: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Which queue a plan is worked off in. Breaking news never waits behind anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Lane {
    Breaking,
    Normal,
}

impl Lane {
    pub(crate) fn of(article: &Article) -> Self {
        if article.is_breaking() { Self::Breaking } else { Self::Normal }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Breaking => "breaking",
            Self::Normal => "normal",
        }
    }
}

/// Who gets this article, once: the key is the article and what is sent of it, never the subscription.
pub(crate) fn plan_key(article: &ArticleId) -> String {
    format!("{}-published", article.token())
}

/// Whether this revision is one whose readers are to be alerted, if they have not been.
///
/// Every published revision is, not only the first: a notifier that was away may never see the first one.
pub(crate) fn calls_for_an_alert(article: &Article, now: Timestamp) -> bool {
    article.status == Status::Published
        && article.is_readable(now)
        && now.duration_since(article.first_created) < ALERT_HORIZON
}

/// The head of a plan: it exists once, and whoever wrote it has planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub plan: String,
    pub article: ArticleId,
    pub publisher: PublisherId,
    /// The revision that called for it. What is sent is the newest at the moment of sending.
    pub revision: u32,
    pub lane: Lane,
    pub matched: usize,
    pub chunks: u32,
    pub planned_at: Timestamp,
}

/// Some of a plan's recipients, by id: an address is read at the moment of sending and stored nowhere else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Chunk {
    pub plan: String,
    pub article: ArticleId,
    pub publisher: PublisherId,
    pub lane: Lane,
    pub chunk: u32,
    /// The Date of its mails: the same on every attempt, or a receiver takes two copies for two mails.
    pub planned_at: Timestamp,
    pub recipients: Vec<SubscriberId>,
}

/// A wake-up call for the deferred recipients of a chunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RetryCall {
    pub plan: String,
    pub lane: Lane,
    pub chunk: u32,
    pub attempt: u32,
}

/// The plan to alert `recipients` to `article`.
pub(crate) fn make_plan(article: &Article, recipients: &[SubscriberId], now: Timestamp) -> (Head, Vec<Chunk>) {
    let plan = plan_key(&article.id);
    let lane = Lane::of(article);
    let size = CHUNK.max(recipients.len().div_ceil(MAX_CHUNKS));
    let chunks: Vec<Chunk> = recipients
        .chunks(size)
        .zip(0..)
        .map(|(recipients, chunk)| Chunk {
            plan: plan.clone(),
            article: article.id,
            publisher: article.publisher.clone(),
            lane,
            chunk,
            planned_at: now,
            recipients: recipients.to_vec(),
        })
        .collect();
    let head = Head {
        plan,
        article: article.id,
        publisher: article.publisher.clone(),
        revision: article.revision,
        lane,
        matched: recipients.len(),
        chunks: chunks.len() as u32,
        planned_at: now,
    };
    (head, chunks)
}
