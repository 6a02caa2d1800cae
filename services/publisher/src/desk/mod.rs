//! What happens to an article: created, revised, read. Accepted means durable: the log has confirmed it.
//!
//! Nothing is kept here between requests. That a request is carried out once, however often it is sent, rests on the log
//! alone: the article's id follows from the idempotency key, its subject takes the next revision only from whoever knows
//! the last, and each revision carries the hash of the request that made it.
//!
//! ```text
//! revision, change (pure: what a request makes of an article)
//!   →  store (where it is kept)  →  embargo (from the embargoed to the log), erasure (of what was killed)
//! due (both, at their time), room (what they need of a store that is full)
//! ```

mod change;
mod due;
mod embargo;
mod erasure;
mod history;
mod revision;
mod room;
mod store;
mod trial;

use std::sync::Arc;

use article::{Article, ArticleId, ChangeKind, PublisherId, Status};
use bus::{Bus, Group, RETRY_FOR};
use bytes::Bytes;
use jiff::Timestamp;
use topology::ARTICLES;

pub(crate) use self::change::Change;
pub(crate) use self::history::Receipts;
pub(crate) use self::revision::parse;
use self::revision::{fingerprint, first_revision, next_revision};
use self::room::Room;
use self::store::{Place, Unwritten};
use crate::refusal::Refusal;

/// Reading a text of this many bytes and cleaning its markup takes milliseconds, which other requests would wait for.
const LARGE: usize = 32 * 1024;

/// An article as somebody sent it.
#[derive(Clone)]
pub(crate) struct Submission {
    /// Whom the token speaks for.
    pub(crate) publisher: PublisherId,
    pub(crate) body: Bytes,
    /// How it came in: `api`, or what the client calls its own way.
    pub(crate) channel: String,
    /// The software that sent it.
    pub(crate) importer: Option<String>,
    /// W3C Trace Context.
    pub(crate) traceparent: String,
}

/// A request that has been carried out: now, or when it was first sent.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) article: Article,
    pub(crate) replayed: bool,
}

#[derive(Clone)]
pub(crate) struct Desk {
    bus: Bus,
    /// Writes to the log: what is published at the same time waits for the disk once.
    log: Group,
    room: Arc<Room>,
}

impl Desk {
    pub(crate) fn new(bus: Bus) -> Self {
        let log = bus.group(ARTICLES);
        Self { bus, log, room: Arc::default() }
    }

    /// A new article. With a `key` the same request makes it once, however often it comes.
    pub(crate) async fn create(
        &self,
        submission: &Submission,
        key: Option<&str>,
        now: Timestamp,
    ) -> Result<Accepted, Refusal> {
        let id = Self::id_for(submission, key, now);
        let written = match self.first_revision(id, submission, now).await {
            Ok(article) => self.write_first(article, key.is_some(), submission).await,
            Err(refusal) => Err(Unwritten::Refused(refusal)),
        };
        match written {
            Ok(article) => Ok(Accepted { article, replayed: false }),
            // Time passes between a request and its repetition: what was valid then may have expired since.
            Err(Unwritten::Refused(refusal @ Refusal::Invalid(_))) if key.is_some() => {
                Ok(self.earlier(submission, id).await?.ok_or(refusal)?)
            }
            Err(Unwritten::Refused(refusal)) => Err(refusal),
            Err(Unwritten::Conflict) => self.earlier(submission, id).await?.ok_or(Refusal::Unavailable),
        }
    }

    /// The id of the article that a key names, or a new one.
    fn id_for(submission: &Submission, key: Option<&str>, now: Timestamp) -> ArticleId {
        match key {
            Some(key) => keyed_id(&submission.publisher, key),
            None => ArticleId::new(now, random()),
        }
    }

    /// What a submission makes of nothing. Nothing is written.
    pub(crate) async fn first_revision(
        &self,
        id: ArticleId,
        submission: &Submission,
        now: Timestamp,
    ) -> Result<Article, Refusal> {
        let submission = submission.clone();
        beside_others(submission.body.len(), move || first_revision(id, &submission, now)).await
    }

    async fn write_first(&self, article: Article, keyed: bool, submission: &Submission) -> Result<Article, Unwritten> {
        let (place, other) = match article.status {
            Status::Embargoed => (Place::Embargoes, Place::Log),
            _ => (Place::Log, Place::Embargoes),
        };
        // The same key may have made an article in the other place: with another time, or at another time.
        if keyed && self.last(other, &article.publisher, article.id).await?.is_some() {
            return Err(Unwritten::Conflict);
        }
        self.write(article, &submission.traceparent, place, 0).await
    }

    /// What the key has made before, if anything.
    async fn earlier(&self, submission: &Submission, id: ArticleId) -> Result<Option<Accepted>, Refusal> {
        let Some(current) = self.find(&submission.publisher, id).await? else { return Ok(None) };
        let first = self.first(current.place, &submission.publisher, id).await?;
        let first = first.map_or_else(|| current.article.clone(), |first| first.article);
        // After an embargo and after a kill the first revision is gone; the next one still knows its request.
        if first.provenance.raw_sha256 == fingerprint(&submission.body) {
            return Ok(Some(Accepted { article: first, replayed: true }));
        }
        let revision = current.article.revision;
        Err(match first.revision {
            1 => Refusal::KeyReused { id, revision },
            _ => Refusal::KeyForgotten { id, revision },
        })
    }

    /// A new text for the article whose revision `base` is current.
    ///
    /// A repetition of the request that made revision `base + 1` is answered with it: its first answer was lost.
    pub(crate) async fn revise(
        &self,
        submission: &Submission,
        id: ArticleId,
        base: u32,
        now: Timestamp,
    ) -> Result<Accepted, Refusal> {
        // Reading and writing wait for the server; together they wait no longer than one of them.
        let revised = tokio::time::timeout(RETRY_FOR, self.revise_patiently(submission, id, base, now)).await;
        revised.unwrap_or(Err(Refusal::Unavailable))
    }

    async fn revise_patiently(
        &self,
        submission: &Submission,
        id: ArticleId,
        base: u32,
        now: Timestamp,
    ) -> Result<Accepted, Refusal> {
        let current = self.settled(&submission.publisher, id, Some(now)).await?;
        if current.article.revision != base {
            return self.already_revised(submission, id, base).await;
        }
        let article = self.next_revision(current.article, submission, now).await?;
        match self.write(article, &submission.traceparent, current.place, current.sequence).await {
            Ok(article) => Ok(Accepted { article, replayed: false }),
            Err(Unwritten::Conflict) => self.already_revised(submission, id, base).await,
            Err(Unwritten::Refused(refusal)) => Err(refusal),
        }
    }

    /// What a submission makes of the `current` revision. Nothing is written.
    pub(crate) async fn next_revision(
        &self,
        current: Article,
        submission: &Submission,
        now: Timestamp,
    ) -> Result<Article, Refusal> {
        let submission = submission.clone();
        beside_others(submission.body.len(), move || next_revision(&current, &submission, now)).await
    }

    /// The revision after `base`, if this very request made it.
    async fn already_revised(&self, submission: &Submission, id: ArticleId, base: u32) -> Result<Accepted, Refusal> {
        let ours = fingerprint(&submission.body);
        // A hold keeps the text before it, and with it the text's hash.
        let made_by_it = |article: &Article| article.provenance.raw_sha256 == ours && brings_text(article.change.kind);
        self.revision_after(&submission.publisher, id, base, made_by_it).await
    }

    /// The current revision of one of the publisher's articles.
    pub(crate) async fn current(&self, publisher: &PublisherId, id: ArticleId) -> Result<Article, Refusal> {
        Ok(self.find(publisher, id).await?.ok_or(Refusal::NoSuchArticle)?.article)
    }
}

/// Whether a change is somebody's text; the others take text back, or put back what was there.
fn brings_text(kind: ChangeKind) -> bool {
    use ChangeKind as K;
    matches!(kind, K::New | K::Minor | K::Major | K::Correction | K::Reinstate)
}

/// Runs `work` where it holds nobody up if it is about many `bytes`.
async fn beside_others<T: Send + 'static>(bytes: usize, work: impl FnOnce() -> T + Send + 'static) -> T {
    if bytes < LARGE {
        return work();
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// The id of the article that a key makes.
pub(crate) fn keyed_id(publisher: &PublisherId, key: &str) -> ArticleId {
    ArticleId::derived(publisher, "idempotency-key", key.as_bytes())
}

fn random() -> [u8; 10] {
    let mut random = [0; 10];
    getrandom::fill(&mut random).expect("the operating system gives random bytes once it has started");
    random
}
