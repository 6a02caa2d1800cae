//! Where an article's revisions are kept, and how the next one is written: by compare-and-set on the last.
//!
//! What nobody may know of yet is in a stream of its own, which the publisher alone may read. An article is in the log
//! or under embargo: once the log has anything of it, the log is the truth and the rest a leftover to be erased.

use std::time::Duration;

use article::wire::v1::{self, Envelope};
use article::{Article, ArticleId, PublisherId, Status};
use bus::{HeaderMap, PublishError, Stored};
use bytes::Bytes;
use jiff::Timestamp;
use topology::{ARTICLES, EMBARGOES, Stream, subjects};

use super::{Desk, brings_text};
use crate::index::STATUS_HEADER;
use crate::refusal::Refusal;

/// Pause before a read that failed is tried again.
const READ_AGAIN: Duration = Duration::from_millis(250);

/// What a release adds to an article, in bytes: what could be stored under embargo and not in the log would never
/// become public.
const ROOM_FOR_RELEASE: usize = 1024;

/// Which stream has an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Log,
    Embargoes,
}

impl Place {
    pub(super) fn stream(self) -> &'static Stream {
        match self {
            Self::Log => &ARTICLES,
            Self::Embargoes => &EMBARGOES,
        }
    }

    pub(super) fn subject(self, publisher: &PublisherId, id: &ArticleId) -> String {
        match self {
            Self::Log => subjects::article(publisher, id),
            Self::Embargoes => subjects::embargo(publisher, id),
        }
    }
}

/// A revision as it is kept.
pub(super) struct Kept {
    pub(super) place: Place,
    pub(super) sequence: u64,
    pub(super) article: Article,
    /// The envelope's own bytes.
    pub(super) payload: Bytes,
    /// W3C Trace Context of the request that made it.
    pub(super) traceparent: Option<String>,
}

impl Kept {
    fn read(place: Place, stored: Stored) -> Result<Self, Refusal> {
        let envelope = Envelope::from_bytes(&stored.payload).map_err(|error| {
            tracing::error!(subject = stored.subject, sequence = stored.sequence, "a revision cannot be read: {error}");
            Refusal::Unreadable
        })?;
        let Stored { sequence, payload, .. } = stored;
        Ok(Self { place, sequence, article: envelope.data, payload, traceparent: envelope.traceparent })
    }
}

/// Why a revision is not kept.
#[derive(Debug)]
pub(super) enum Unwritten {
    /// Somebody wrote the subject first: another client, or this request when it was first sent.
    Conflict,
    Refused(Refusal),
}

impl From<PublishError> for Unwritten {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Conflict { .. } => Self::Conflict,
            PublishError::TooLarge => too_large(),
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

impl From<Refusal> for Unwritten {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

fn too_large() -> Unwritten {
    let limit = ARTICLES.max_message_bytes / 1024;
    Unwritten::Refused(Refusal::TooLarge(format!("the article is larger than {limit} KiB with all its fields")))
}

impl Desk {
    /// The current revision, wherever it is.
    pub(super) async fn find(&self, publisher: &PublisherId, id: ArticleId) -> Result<Option<Kept>, Refusal> {
        // Between the first two looks it may have moved from the second place to the first.
        for place in [Place::Log, Place::Embargoes, Place::Log] {
            if let Some(kept) = self.last(place, publisher, id).await? {
                return Ok(Some(kept));
            }
        }
        Ok(None)
    }

    pub(super) async fn last(
        &self,
        place: Place,
        publisher: &PublisherId,
        id: ArticleId,
    ) -> Result<Option<Kept>, Refusal> {
        let last = self.bus.last(place.stream(), &place.subject(publisher, &id)).await.map_err(unavailable)?;
        last.map(|stored| Kept::read(place, stored)).transpose()
    }

    /// The first revision of those that `place` still has.
    pub(super) async fn first(
        &self,
        place: Place,
        publisher: &PublisherId,
        id: ArticleId,
    ) -> Result<Option<Kept>, Refusal> {
        let first = self.bus.next(place.stream(), &place.subject(publisher, &id), 0).await.map_err(unavailable)?;
        first.map(|stored| Kept::read(place, stored)).transpose()
    }

    /// Every revision that `place` still has, oldest first. The streams keep sixteen of each article.
    pub(super) async fn history(
        &self,
        place: Place,
        publisher: &PublisherId,
        id: ArticleId,
    ) -> Result<Vec<Kept>, Refusal> {
        let subject = place.subject(publisher, &id);
        let (mut history, mut from) = (Vec::new(), 0);
        while let Some(stored) = self.bus.next(place.stream(), &subject, from).await.map_err(unavailable)? {
            from = stored.sequence + 1;
            history.push(Kept::read(place, stored)?);
        }
        Ok(history)
    }

    /// The current revision, ready for the next one: what was interrupted is finished, and an embargo that is over at
    /// `lift` is ended. Outages are waited out; the caller sets the limit.
    pub(super) async fn settled(
        &self,
        publisher: &PublisherId,
        id: ArticleId,
        lift: Option<Timestamp>,
    ) -> Result<Kept, Refusal> {
        loop {
            let kept = match self.find(publisher, id).await {
                Err(Refusal::Unavailable) => {
                    tokio::time::sleep(READ_AGAIN).await;
                    continue;
                }
                found => found?.ok_or(Refusal::NoSuchArticle)?,
            };
            match (kept.place, kept.article.status, lift) {
                (Place::Embargoes, Status::Published, _) => Box::pin(self.finish(&kept)).await?,
                (Place::Embargoes, Status::Embargoed, Some(now))
                    if kept.article.embargoed_until.is_none_or(|until| until <= now) =>
                {
                    // Boxed, for they are rare and would make every request's future as large as theirs.
                    Box::pin(self.end_embargo(publisher, id, now)).await?;
                }
                _ => return Ok(kept),
            }
        }
    }

    /// Writes the revision that follows the one at `expected` in `place`, and what comes of it: an embargo gets its
    /// wake-up call, and what is public from now on moves to the log.
    pub(super) async fn write(
        &self,
        article: Article,
        traceparent: &str,
        place: Place,
        expected: u64,
    ) -> Result<Article, Unwritten> {
        let envelope = Envelope::new(article, Some(traceparent.to_owned()));
        let (payload, article) = (Bytes::from(envelope.to_bytes()), envelope.data);
        let more = if article.status == Status::Embargoed { ROOM_FOR_RELEASE } else { 0 };
        // The server would refuse it as well, and everything that is written together with it.
        if payload.len() + more > ARTICLES.max_message_bytes as usize {
            return Err(too_large());
        }
        if brings_text(article.change.kind) {
            self.room.take(place, payload.len())?;
        }
        let subject = place.subject(&article.publisher, &article.id);
        self.make_room(place, &subject, article.revision).await?;
        let headers = headers(&article, Some(traceparent));
        let message_id = envelope.id;
        let written = match place {
            Place::Log => self.log.publish(subject, message_id, headers, payload.clone(), expected).await?,
            Place::Embargoes => {
                self.bus.publish(&EMBARGOES, &subject, &message_id, headers, payload.clone(), Some(expected)).await?
            }
        };
        match (place, article.status) {
            (Place::Embargoes, Status::Embargoed) => Box::pin(self.call_at_end(&article)).await,
            (Place::Embargoes, Status::Published) => {
                let sequence = written.sequence;
                let marker = Kept { place, sequence, article, payload, traceparent: Some(traceparent.to_owned()) };
                Box::pin(self.move_to_log(&marker)).await?;
                return Ok(marker.article);
            }
            _ => {}
        }
        Ok(article)
    }
}

/// The headers of an envelope's message.
pub(super) fn headers(article: &Article, traceparent: Option<&str>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("Content-Type", v1::CONTENT_TYPE);
    headers.insert(STATUS_HEADER, article.status.as_str());
    if let Some(traceparent) = traceparent {
        headers.insert("traceparent", traceparent);
    }
    headers
}

pub(super) fn unavailable(error: impl std::fmt::Display) -> Refusal {
    tracing::warn!("{error}");
    Refusal::Unavailable
}
