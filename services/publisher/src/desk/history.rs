//! What can be read of an article's past: its revisions, and who has carried out its kill.

use article::{Article, ArticleId, ChangeKind, PublisherId, Status};
use jiff::Timestamp;
use serde::Serialize;
use topology::{RECEIPTS, subjects};

use super::Desk;
use super::erasure::{Receipt, STORE, last_kill};
use super::store::{Place, unavailable};
use crate::refusal::Refusal;

/// Receipts read of one article: many more than there are instances.
const MAX_RECEIPTS: usize = 1000;

/// One revision in a list.
#[derive(Debug, Serialize)]
pub(crate) struct Revision {
    pub(crate) revision: u32,
    status: Status,
    kind: ChangeKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    headline: String,
    version_created: Timestamp,
    /// How it came in.
    channel: String,
}

impl From<Article> for Revision {
    fn from(article: Article) -> Self {
        Self {
            revision: article.revision,
            status: article.status,
            kind: article.change.kind,
            note: article.change.note,
            headline: article.headline,
            version_created: article.version_created,
            channel: article.provenance.channel,
        }
    }
}

/// How far a kill has come.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Receipts {
    /// `None`: the article was never killed, or so long ago that the log has forgotten.
    killed_at: Option<Timestamp>,
    /// When the text had been erased from the store.
    erased_at: Option<Timestamp>,
    receipts: Vec<Applied>,
}

/// What one instance of a service has done.
#[derive(Debug, Serialize)]
struct Applied {
    service: String,
    instance: String,
    applied_at: Timestamp,
    /// Milliseconds since the kill; clocks that disagree make it 0, never negative.
    latency_ms: i64,
}

impl Desk {
    /// The revisions that are kept, newest first.
    pub(crate) async fn revisions(&self, publisher: &PublisherId, id: ArticleId) -> Result<Vec<Revision>, Refusal> {
        let mut revisions = Vec::new();
        for place in [Place::Log, Place::Embargoes, Place::Log] {
            let history = self.history(place, publisher, id).await?;
            revisions.extend(history.into_iter().rev().map(|kept| Revision::from(kept.article)));
            if !revisions.is_empty() {
                return Ok(revisions);
            }
        }
        Err(Refusal::NoSuchArticle)
    }

    /// Who has carried out the article's last kill.
    pub(crate) async fn receipts(&self, publisher: &PublisherId, id: ArticleId) -> Result<Receipts, Refusal> {
        let place = self.find(publisher, id).await?.ok_or(Refusal::NoSuchArticle)?.place;
        let history = self.history(place, publisher, id).await?;
        let Some(kill) = last_kill(&history) else { return Ok(Receipts::default()) };
        let (revision, killed_at) = (kill.article.revision, kill.article.version_created);
        let mut found = Receipts { killed_at: Some(killed_at), ..Receipts::default() };
        let (all, mut from) = (subjects::receipts_of(&id), 0);
        while let Some(stored) = self.bus.next(&RECEIPTS, &all, from).await.map_err(unavailable)? {
            from = stored.sequence + 1;
            let Ok(receipt) = serde_json::from_slice::<Receipt>(&stored.payload) else { continue };
            let Some((service, instance)) = subjects::receipt_of(&stored.subject) else { continue };
            if receipt.revision != revision {
                continue;
            }
            if (service, instance) == STORE {
                found.erased_at = Some(receipt.applied_at);
            } else if found.receipts.len() < MAX_RECEIPTS {
                found.receipts.push(Applied {
                    service: service.to_owned(),
                    instance: instance.to_owned(),
                    applied_at: receipt.applied_at,
                    latency_ms: (receipt.applied_at.as_millisecond() - killed_at.as_millisecond()).max(0),
                });
            }
        }
        Ok(found)
    }
}
