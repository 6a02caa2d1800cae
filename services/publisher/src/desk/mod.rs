//! What happens to an article: created, revised, read. Accepted means durable: the log has confirmed it.
//!
//! Nothing is kept here between requests. That a request is carried out once, however often it is sent, rests on the log
//! alone: the article's id follows from the idempotency key, its subject takes the next revision only from whoever knows
//! the last, and each revision carries the hash of the request that made it.

mod revision;

use std::time::Duration;

use article::wire::v1::{self, Envelope};
use article::{Article, ArticleId, PublisherId};
use bus::{Bus, HeaderMap, PublishError, RETRY_FOR, Stored};
use bytes::Bytes;
use jiff::Timestamp;
use topology::{ARTICLES, subjects};

use self::revision::{fingerprint, first_revision, next_revision};
use crate::refusal::Refusal;

/// Pause before a read that failed is tried again.
const READ_AGAIN: Duration = Duration::from_millis(250);

/// An article as somebody sent it.
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
pub(crate) struct Accepted {
    pub(crate) article: Article,
    pub(crate) replayed: bool,
}

#[derive(Clone)]
pub(crate) struct Desk {
    bus: Bus,
}

impl Desk {
    pub(crate) fn new(bus: Bus) -> Self {
        Self { bus }
    }

    /// A new article. With a `key` the same request makes it once, however often it comes.
    pub(crate) async fn create(
        &self,
        submission: &Submission,
        key: Option<&str>,
        now: Timestamp,
    ) -> Result<Accepted, Refusal> {
        let id = match key {
            Some(key) => ArticleId::derived(&submission.publisher, "idempotency-key", key.as_bytes()),
            None => ArticleId::new(now, random()),
        };
        let written = match first_revision(id, submission, now) {
            Ok(article) => self.write(submission, article, 0).await.map_err(Unwritten::from),
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

    /// What the key has made before, if anything.
    async fn earlier(&self, submission: &Submission, id: ArticleId) -> Result<Option<Accepted>, Refusal> {
        let subject = subjects::article(&submission.publisher, &id);
        let Some(first) = self.bus.next(&ARTICLES, &subject, 0).await.map_err(unavailable)? else { return Ok(None) };
        let first = read(&first)?;
        if first.revision == 1 && first.provenance.raw_sha256 == fingerprint(&submission.body) {
            return Ok(Some(Accepted { article: first, replayed: true }));
        }
        let revision = self.current(&submission.publisher, id).await?.0.revision;
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
        let (current, sequence) = loop {
            match self.current(&submission.publisher, id).await {
                Err(Refusal::Unavailable) => tokio::time::sleep(READ_AGAIN).await,
                other => break other?,
            }
        };
        if current.revision != base {
            return self.already_revised(submission, id, base).await;
        }
        let article = next_revision(&current, submission, now)?;
        match self.write(submission, article, sequence).await.map_err(Unwritten::from) {
            Ok(article) => Ok(Accepted { article, replayed: false }),
            Err(Unwritten::Conflict) => self.already_revised(submission, id, base).await,
            Err(Unwritten::Refused(refusal)) => Err(refusal),
        }
    }

    /// The revision after `base`, if this very request made it.
    async fn already_revised(&self, submission: &Submission, id: ArticleId, base: u32) -> Result<Accepted, Refusal> {
        let subject = subjects::article(&submission.publisher, &id);
        let (mut sequence, mut current) = (0, base);
        // Bounded by the history that the log keeps of one article.
        while let Some(stored) = self.bus.next(&ARTICLES, &subject, sequence).await.map_err(unavailable)? {
            let article = read(&stored)?;
            if article.revision == base.saturating_add(1)
                && article.provenance.raw_sha256 == fingerprint(&submission.body)
            {
                return Ok(Accepted { article, replayed: true });
            }
            (sequence, current) = (stored.sequence + 1, article.revision);
        }
        Err(Refusal::Stale { current })
    }

    /// The current revision of one of the publisher's articles, and its place in the log.
    pub(crate) async fn current(&self, publisher: &PublisherId, id: ArticleId) -> Result<(Article, u64), Refusal> {
        let last = self.bus.last(&ARTICLES, &subjects::article(publisher, &id)).await.map_err(unavailable)?;
        let last = last.ok_or(Refusal::NoSuchArticle)?;
        Ok((read(&last)?, last.sequence))
    }

    /// Writes a revision to the log, after the message at `expected`.
    async fn write(&self, submission: &Submission, article: Article, expected: u64) -> Result<Article, PublishError> {
        let subject = subjects::article(&article.publisher, &article.id);
        let envelope = Envelope::new(article, Some(submission.traceparent.clone()));
        let mut headers = HeaderMap::new();
        headers.insert("Content-Type", v1::CONTENT_TYPE);
        headers.insert("traceparent", submission.traceparent.as_str());
        let payload = Bytes::from(envelope.to_bytes());
        self.bus.publish(&ARTICLES, &subject, &envelope.id, headers, payload, Some(expected)).await?;
        Ok(envelope.data)
    }
}

/// Why a revision is not in the log.
enum Unwritten {
    /// Somebody wrote the subject first: another client, or this request when it was first sent.
    Conflict,
    Refused(Refusal),
}

impl From<PublishError> for Unwritten {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Conflict { .. } => Self::Conflict,
            PublishError::TooLarge => {
                let limit = ARTICLES.max_message_bytes / 1024;
                Self::Refused(Refusal::TooLarge(format!("the article is larger than {limit} KiB with all its fields")))
            }
            PublishError::Refused(_) => {
                tracing::error!("an article was not stored: {error}");
                Self::Refused(Refusal::Full)
            }
            PublishError::Unavailable(_) => {
                tracing::warn!("an article could not be stored: {error}");
                Self::Refused(Refusal::Unavailable)
            }
        }
    }
}

fn unavailable(error: bus::ReadError) -> Refusal {
    tracing::warn!("{error}");
    Refusal::Unavailable
}

fn read(stored: &Stored) -> Result<Article, Refusal> {
    let envelope = Envelope::from_bytes(&stored.payload).map_err(|error| {
        tracing::error!(subject = stored.subject, sequence = stored.sequence, "a revision cannot be read: {error}");
        Refusal::Unreadable
    })?;
    Ok(envelope.data)
}

fn random() -> [u8; 10] {
    let mut random = [0; 10];
    getrandom::fill(&mut random).expect("the operating system gives random bytes once it has started");
    random
}
