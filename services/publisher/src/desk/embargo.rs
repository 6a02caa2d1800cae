//! The end of an embargo. It has two phases, either of which may be interrupted and is then taken up again:
//!
//! 1. the revision that is public goes behind the embargoed ones, by compare-and-set: from then on there is no way back,
//!    and no revision that was accepted before is lost;
//! 2. the same bytes become the first message of the article in the log, and everything under embargo is erased.

use article::wire::v1;
use article::{Article, ArticleId, Command, PublisherId, Status, apply};
use bus::{HeaderMap, PublishError};
use jiff::{RoundMode, SignedDuration, Timestamp, TimestampRound, Unit};
use topology::{ARTICLES, DESK, subjects};

use super::Desk;
use super::store::{Kept, Place, Unwritten, headers};
use crate::refusal::Refusal;

impl Desk {
    /// Ends the article's embargo if its time has come; otherwise answers when that is.
    pub(super) async fn end_embargo(
        &self,
        publisher: &PublisherId,
        id: ArticleId,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Refusal> {
        loop {
            let Some(kept) = self.last(Place::Embargoes, publisher, id).await? else { return Ok(None) };
            let ended = match kept.article.status {
                Status::Published => self.move_to_log(&kept).await,
                Status::Embargoed => match apply(Some(&kept.article), Command::Lift, now) {
                    Ok(article) => {
                        let traceparent = kept.traceparent.as_deref().unwrap_or_default();
                        self.write(article, traceparent, Place::Embargoes, kept.sequence).await.map(|_| ())
                    }
                    Err(_) => return Ok(kept.article.embargoed_until),
                },
                _ => return Ok(None),
            };
            match ended {
                Ok(()) => return Ok(None),
                // It was revised, or another replica ends it: the next look shows which.
                Err(Unwritten::Conflict) => {}
                Err(Unwritten::Refused(refusal)) => return Err(refusal),
            }
        }
    }

    /// The second phase, of a revision that is public and still among the embargoed ones.
    pub(super) async fn move_to_log(&self, marker: &Kept) -> Result<(), Unwritten> {
        let Article { id, publisher, revision, .. } = &marker.article;
        let subject = subjects::article(publisher, id);
        let headers = headers(&marker.article, marker.traceparent.as_deref());
        let message_id = v1::message_id(&marker.article);
        match self.bus.publish(&ARTICLES, &subject, &message_id, headers, marker.payload.clone(), Some(0)).await {
            Ok(_) => {}
            Err(PublishError::Conflict { .. }) => {
                // It was moved before, by another replica or before a crash, and has been changed since.
                let first = self.first(Place::Log, publisher, *id).await?;
                if first.is_some_and(|first| first.article.revision < *revision) {
                    tracing::error!(
                        article = %id,
                        "an embargoed article is dropped: its Idempotency-Key made a public one at the same moment"
                    );
                }
            }
            Err(error) => return Err(error.into()),
        }
        let subject = Place::Embargoes.subject(publisher, id);
        if let Err(error) = self.erase_up_to(Place::Embargoes, &subject, marker.sequence).await {
            // The marker goes last, so the sweep finds what is left.
            tracing::warn!(article = %id, "text that was under embargo is not erased yet: {error:?}");
        }
        Ok(())
    }

    /// [`Desk::move_to_log`] where nothing else is written.
    pub(super) async fn finish(&self, marker: &Kept) -> Result<(), Refusal> {
        match self.move_to_log(marker).await {
            Err(Unwritten::Refused(refusal)) => Err(refusal),
            // What is in the log already is what was to get there.
            Ok(()) | Err(Unwritten::Conflict) => Ok(()),
        }
    }

    /// Has the server call when the embargo ends. Without the call it ends up to a minute late, when the sweep finds it.
    pub(super) async fn call_at_end(&self, article: &Article) {
        if let Some(until) = article.embargoed_until {
            self.call_at(&article.publisher, article.id, until).await;
        }
    }

    pub(super) async fn call_at(&self, publisher: &PublisherId, id: ArticleId, until: Timestamp) {
        let subject = subjects::release_later(publisher, &id);
        let mut headers = HeaderMap::new();
        headers.insert("Nats-Schedule", format!("@at {}", whole_second(until).strftime("%Y-%m-%dT%H:%M:%SZ")));
        headers.insert("Nats-Schedule-Target", subjects::release_due(publisher, &id));
        // A call is made again after one that came early, so no two may look like copies of each other.
        let message_id = format!("{subject}/{}", service_kit::now().as_nanosecond());
        if let Err(error) = self.bus.publish(&DESK, &subject, &message_id, headers, "{}".into(), None).await {
            tracing::warn!(article = %id, "the end of an embargo is not scheduled; the sweep will end it: {error}");
        }
    }
}

/// The server's schedules know whole seconds; a call that comes early would be for nothing.
fn whole_second(until: Timestamp) -> Timestamp {
    let up = TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Ceil);
    until.round(up).unwrap_or(until + SignedDuration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_never_early() {
        for (until, called) in [
            ("2026-11-22T10:00:00Z", "2026-11-22T10:00:00Z"),
            ("2026-11-22T10:00:00.000000001Z", "2026-11-22T10:00:01Z"),
            ("2026-11-22T10:00:59.5Z", "2026-11-22T10:01:00Z"),
        ] {
            assert_eq!(whole_second(until.parse().unwrap()).to_string(), called);
        }
    }
}
