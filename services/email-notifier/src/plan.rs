//! Who is to be sent what: the alert to an article, the notices of what became of it, and the chunks they are worked
//! off in. Pure.

pub(crate) mod ids;

use article::{Article, ArticleId, ChangeKind, PublisherId, Status, section_slug};
use jiff::{SignedDuration, Timestamp};
use mail::Notice;
use serde::{Deserialize, Serialize};

use crate::subscriber::SubscriberId;

/// Recipients in a chunk, at least. A larger plan has larger chunks, so that one atomic batch always holds it all.
const CHUNK: usize = 1000;

/// Chunks in a plan at most: the server takes 1,000 messages in a batch, and the head, what the guard says, and what there
/// is to say of caps are in it, too.
const MAX_CHUNKS: usize = 900;

/// Messages of a plan's batch that say whose caps it fills, at most: four million readers'.
pub(crate) const MAX_WORDS: usize = 96;

/// An article is news for this long. A notifier or a relay that was away for longer does not alert to what it missed.
pub(crate) const ALERT_HORIZON: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A notice is owed for this long: an article may be held for weeks before its correction goes out.
const NOTICE_HORIZON: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Corrections of one article that are looked at, the newest.
const MAX_CORRECTIONS: usize = 16;

/// Which queue a plan is worked off in. Breaking news never waits behind anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Lane {
    Breaking,
    Normal,
    Digest,
}

impl Lane {
    pub(crate) fn of(article: &Article) -> Self {
        if article.is_breaking() { Self::Breaking } else { Self::Normal }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Breaking => "breaking",
            Self::Normal => "normal",
            Self::Digest => "digest",
        }
    }

    /// Which queue its wake-up calls wait in.
    pub(crate) fn retries(self) -> &'static str {
        match self {
            Self::Breaking => "breaking",
            Self::Normal => "other",
            Self::Digest => "digest",
        }
    }
}

/// What is sent of an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The article itself.
    #[default]
    Alert,
    /// What was wrong in a revision before the plan's.
    Correction,
    Withdrawal,
    Kill,
    /// The article as it is now, to those who follow the story.
    Update,
    /// What several articles say, together. Its plans are of no single article.
    Digest,
}

impl Kind {
    /// How long after the plan it may still be sent.
    pub(crate) fn horizon(self) -> SignedDuration {
        match self {
            Self::Alert | Self::Update | Self::Digest => ALERT_HORIZON,
            Self::Correction | Self::Withdrawal | Self::Kill => NOTICE_HORIZON,
        }
    }

    /// `None` for the article itself, and for many.
    pub(crate) fn notice(self, revision: u32) -> Option<Notice> {
        match self {
            Self::Alert | Self::Digest => None,
            Self::Correction => Some(Notice::Correction { revision }),
            Self::Withdrawal => Some(Notice::Withdrawal),
            Self::Kill => Some(Notice::Kill),
            Self::Update => Some(Notice::Update { revision }),
        }
    }
}

/// Who gets this article, once: the key is the article and what is sent of it, never the subscription.
pub(crate) fn plan_key(article: &ArticleId) -> String {
    format!("{}-published", article.token())
}

/// The plan of what is sent of an article because of its revision `revision`.
pub(crate) fn key(article: &ArticleId, kind: Kind, revision: u32) -> String {
    let token = article.token();
    match kind {
        Kind::Alert => plan_key(article),
        Kind::Correction => format!("{token}-correction-{revision}"),
        Kind::Withdrawal => format!("{token}-withdrawal-{revision}"),
        Kind::Kill => format!("{token}-kill-{revision}"),
        Kind::Update => format!("{token}-update-{revision}"),
        Kind::Digest => unreachable!("digests are of no article: `digest-<slot>`"),
    }
}

/// A notice that a revision may call for. It is planned once, by whoever comes first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Due {
    pub plan: String,
    pub kind: Kind,
    /// Of the correction, the withdrawal or the kill.
    pub revision: u32,
    /// Whether nobody gets it, for another notice says more.
    pub void: bool,
}

/// The notices that have to have a plan after this revision.
///
/// Corrections go out once the article can be read: those that were made while it was held, with its release. Whoever
/// is told that the story is gone need not hear any more what was wrong in it.
pub(crate) fn notices_due(article: &Article, now: Timestamp) -> Vec<Due> {
    let due = |kind, revision, void| Due { plan: key(&article.id, kind, revision), kind, revision, void };
    let corrections = article.corrections.iter().rev().take(MAX_CORRECTIONS).map(|correction| correction.revision);
    match (article.status, article.change.kind) {
        (Status::Published, _) if article.is_readable(now) => {
            corrections.map(|revision| due(Kind::Correction, revision, false)).collect()
        }
        (Status::Withdrawn, ChangeKind::Withdraw) => {
            let untold = corrections.map(|revision| due(Kind::Correction, revision, true));
            [due(Kind::Withdrawal, article.revision, false)].into_iter().chain(untold).collect()
        }
        (Status::Killed, ChangeKind::Kill) => vec![due(Kind::Kill, article.revision, false)],
        _ => Vec::new(),
    }
}

/// Whether this revision is one whose readers are to be alerted, if they have not been.
///
/// Every published revision is, not only the first: a notifier that was away may never see the first one.
pub(crate) fn calls_for_an_alert(article: &Article, now: Timestamp) -> bool {
    // An embargo may end long after the article was written; a page of last year may be written today.
    let news_since = article.published.as_ref().map_or(article.first_created, |published| published.at);
    !article.test
        && article.is_readable(now)
        && now.duration_since(news_since.max(article.first_created)) < ALERT_HORIZON
}

/// Whether those who follow the story are to be told of this revision.
pub(crate) fn calls_for_an_update(article: &Article, stored: Timestamp, now: Timestamp) -> bool {
    let news = now.duration_since(stored) < ALERT_HORIZON;
    !article.test && article.change.kind == ChangeKind::Major && article.is_readable(now) && news
}

/// The head of a plan: it exists once, and whoever wrote it has planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub plan: String,
    /// `None`, as its publisher: a digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub article: Option<ArticleId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<PublisherId>,
    #[serde(default)]
    pub kind: Kind,
    /// The revision that called for it. What is sent is the newest at the moment of sending.
    pub revision: u32,
    pub lane: Lane,
    pub matched: usize,
    pub chunks: u32,
    pub planned_at: Timestamp,
    /// When the log stored the revision that called for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Timestamp>,
    /// Where in ARTICLES that revision is; 0 in digests.
    #[serde(default)]
    pub article_sequence: u64,
    /// Its section's slug path, outermost first; empty without one.
    #[serde(default)]
    pub section: String,
    /// The last word in JOBS on who is over their cap that was known when it was planned; 0: none.
    #[serde(default)]
    pub caps_seen: u64,
}

/// Some of a plan's recipients, by id: an address is read at the moment of sending and stored nowhere else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Chunk {
    pub plan: String,
    pub article: ArticleId,
    pub publisher: PublisherId,
    #[serde(default)]
    pub kind: Kind,
    /// As in its head; 0 in what older versions planned.
    #[serde(default)]
    pub revision: u32,
    pub lane: Lane,
    pub chunk: u32,
    /// The Date of its mails: the same on every attempt, or a receiver takes two copies for two mails.
    pub planned_at: Timestamp,
    #[serde(with = "ids")]
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

/// What a plan is made for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cause<'a> {
    pub article: &'a Article,
    pub kind: Kind,
    pub revision: u32,
    /// When and where the log stored the revision that calls for it.
    pub published: Timestamp,
    pub sequence: u64,
}

/// The plan to send `recipients` what `cause` calls for.
pub(crate) fn make_plan(cause: &Cause<'_>, recipients: &[SubscriberId], now: Timestamp) -> (Head, Vec<Chunk>) {
    let &Cause { article, kind, revision, published, sequence } = cause;
    let plan = key(&article.id, kind, revision);
    let lane = Lane::of(article);
    let size = CHUNK.max(recipients.len().div_ceil(MAX_CHUNKS));
    let chunks: Vec<Chunk> = recipients
        .chunks(size)
        .zip(0..)
        .map(|(recipients, chunk)| Chunk {
            plan: plan.clone(),
            article: article.id,
            publisher: article.publisher.clone(),
            kind,
            revision,
            lane,
            chunk,
            planned_at: now,
            recipients: recipients.to_vec(),
        })
        .collect();
    let head = Head {
        plan,
        article: Some(article.id),
        publisher: Some(article.publisher.clone()),
        kind,
        revision,
        lane,
        matched: recipients.len(),
        chunks: chunks.len() as u32,
        planned_at: now,
        published: Some(published),
        article_sequence: sequence,
        section: section_slug(&article.section),
        caps_seen: 0,
    };
    (head, chunks)
}
