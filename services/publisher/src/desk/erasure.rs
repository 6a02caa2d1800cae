//! A killed text goes from the store, not only from what is shown: every revision before the kill is erased, under
//! embargo, in the log and in the dead letters.
//!
//! The call for it is durable before the kill is, so that no crash leaves a kill whose text stays. A call whose kill
//! never came is let go.

use article::wire::v1::Envelope;
use article::{ArticleId, PublisherId, Status};
use bus::HeaderMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use topology::{ARTICLES, CONSUMERS, DEAD, DESK, RECEIPTS, subjects};

use super::Desk;
use super::store::{Kept, Place, Unwritten, unavailable};
use crate::refusal::Refusal;

/// What stands in the receipts for the store itself.
pub(super) const STORE: (&str, &str) = ("publisher", "store");

/// What a service has done about a kill, as it writes it down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Receipt {
    /// The revision that kills.
    pub(super) revision: u32,
    pub(super) applied_at: Timestamp,
}

impl Desk {
    /// Has the article's text erased once its kill is written.
    pub(super) async fn call_for_erasure(&self, publisher: &PublisherId, id: ArticleId) -> Result<(), Unwritten> {
        let subject = subjects::erasure_due(publisher, &id);
        let message_id = format!("{subject}/{}", service_kit::now().as_nanosecond());
        self.bus.publish(&DESK, &subject, &message_id, HeaderMap::new(), "{}".into(), None).await?;
        Ok(())
    }

    /// Erases what was before the article's last kill and notes when that was done; `false` when there is no kill.
    pub(super) async fn erase_killed(&self, publisher: &PublisherId, id: ArticleId) -> Result<bool, Refusal> {
        let log = self.remains(Place::Log, publisher, id).await?;
        let embargoed = self.remains(Place::Embargoes, publisher, id).await?;
        let revision = if let Some((sequence, revision)) = log.kill {
            self.erase_before(Place::Log, &log, sequence).await?;
            // Once the log has an article, what is left under embargo is a copy.
            self.erase_before(Place::Embargoes, &embargoed, u64::MAX).await?;
            self.erase_dead_letters(&subjects::article(publisher, &id)).await?;
            revision
        } else if let Some((sequence, revision)) = embargoed.kill {
            self.erase_before(Place::Embargoes, &embargoed, sequence).await?;
            revision
        } else {
            return Ok(false);
        };
        self.note_erasure(id, revision).await?;
        Ok(true)
    }

    /// What `place` has of the article. A revision that cannot be read is there to be erased all the same.
    async fn remains(&self, place: Place, publisher: &PublisherId, id: ArticleId) -> Result<Remains, Refusal> {
        let subject = place.subject(publisher, &id);
        let (mut remains, mut from) = (Remains::default(), 0);
        while let Some(stored) = self.bus.next(place.stream(), &subject, from).await.map_err(unavailable)? {
            from = stored.sequence + 1;
            remains.sequences.push(stored.sequence);
            let article = Envelope::from_bytes(&stored.payload).ok().map(|envelope| envelope.data);
            if let Some(killed) = article.filter(|article| article.status == Status::Killed) {
                remains.kill = Some((stored.sequence, killed.revision));
            }
        }
        Ok(remains)
    }

    /// Erases the oldest revision before `revision` pushes it out: what a stream's limit drops keeps its bytes on the
    /// disk, where no kill finds them any more.
    pub(super) async fn make_room(&self, place: Place, subject: &str, revision: u32) -> Result<(), Refusal> {
        let kept = place.stream().max_messages_per_subject;
        if i64::from(revision) <= kept {
            return Ok(());
        }
        let first = self.bus.next(place.stream(), subject, 0).await.map_err(unavailable)?;
        if let Some(first) = first
            && let Ok(envelope) = Envelope::from_bytes(&first.payload)
            && i64::from(envelope.data.revision) + kept <= i64::from(revision)
        {
            self.bus.erase(place.stream(), first.sequence).await.map_err(unavailable)?;
        }
        Ok(())
    }

    /// Erases every message of `subject` up to and with the one at `last`, oldest first.
    pub(super) async fn erase_up_to(&self, place: Place, subject: &str, last: u64) -> Result<(), Refusal> {
        let mut from = 0;
        while let Some(stored) = self.bus.next(place.stream(), subject, from).await.map_err(unavailable)? {
            if stored.sequence > last {
                break;
            }
            self.bus.erase(place.stream(), stored.sequence).await.map_err(unavailable)?;
            from = stored.sequence + 1;
        }
        Ok(())
    }

    async fn erase_before(&self, place: Place, remains: &Remains, end: u64) -> Result<(), Refusal> {
        for sequence in remains.sequences.iter().filter(|sequence| **sequence < end) {
            self.bus.erase(place.stream(), *sequence).await.map_err(unavailable)?;
        }
        Ok(())
    }

    /// Dead letters are few: somebody is called for each of them.
    async fn erase_dead_letters(&self, article: &str) -> Result<(), Refusal> {
        for consumer in CONSUMERS.iter().filter(|consumer| consumer.stream == ARTICLES) {
            let letters = subjects::dead(consumer.name);
            let mut from = 0;
            while let Some(letter) = self.bus.next(&DEAD, &letters, from).await.map_err(unavailable)? {
                from = letter.sequence + 1;
                if letter.headers.get("Newswire-Subject").is_some_and(|subject| subject.as_str() == article) {
                    self.bus.erase(&DEAD, letter.sequence).await.map_err(unavailable)?;
                }
            }
        }
        Ok(())
    }

    /// The first time counts: erasing is done again whenever somebody is not sure that it was.
    async fn note_erasure(&self, id: ArticleId, revision: u32) -> Result<(), Refusal> {
        let (service, instance) = STORE;
        let subject = subjects::receipt(&id, service, instance);
        let noted = self.bus.last(&RECEIPTS, &subject).await.map_err(unavailable)?;
        let noted = noted.and_then(|stored| serde_json::from_slice::<Receipt>(&stored.payload).ok());
        if noted.is_some_and(|receipt| receipt.revision == revision) {
            return Ok(());
        }
        let receipt = Receipt { revision, applied_at: service_kit::now() };
        let payload = serde_json::to_vec(&receipt).expect("a number and a time always serialise");
        let message_id = format!("{subject}/{revision}");
        let written = self.bus.publish(&RECEIPTS, &subject, &message_id, HeaderMap::new(), payload.into(), None).await;
        written.map(|_| ()).map_err(unavailable)
    }
}

/// What one stream has of an article.
#[derive(Default)]
struct Remains {
    /// Oldest first.
    sequences: Vec<u64>,
    /// The last kill, and its revision.
    kill: Option<(u64, u32)>,
}

pub(super) fn last_kill(history: &[Kept]) -> Option<&Kept> {
    history.iter().rfind(|kept| kept.article.status == Status::Killed)
}
