//! What a run of digests writes: where it stands, what it knew, and chunks of recipients with what each is to be sent.

use std::collections::{BTreeSet, HashMap};

use article::{ArticleId, PublisherId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::edition::{Content, Edition};
use crate::plan::{Lane, ids};
use crate::subscriber::SubscriberId;

/// Recipients in a chunk, as in the plan of an article. There are more in a chunk where a run would have too many chunks
/// otherwise, and fewer where it would be too large.
const CHUNK: usize = 1000;

/// Chunks by the number of recipients: with those that are split for their size all fit into a batch of 1,000 messages,
/// of which cursor, run and head are three.
const MAX_CHUNKS: usize = 600;

/// Bytes of lists and items in a chunk, about: the server takes 960 KiB, and 2,000 ids are 43 KiB.
const MAX_BYTES: usize = 640 * 1024;

/// A run, and as the cursor the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Run {
    /// What was due until then is planned.
    pub slot: Timestamp,
    /// Sequence in JOBS up to which it knew the news: the heads of alerts.
    pub seen: u64,
}

/// A run as its own message has it: with the articles that its digests have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Made {
    #[serde(flatten)]
    pub run: Run,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub articles: Vec<ArticleId>,
}

impl Made {
    pub(crate) fn of(run: Run, chunks: &[DigestChunk]) -> Self {
        let articles: BTreeSet<ArticleId> =
            chunks.iter().flat_map(|chunk| &chunk.items).map(|item| item.article).collect();
        Self { run, articles: articles.into_iter().collect() }
    }
}

/// An article in a digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Item {
    pub article: ArticleId,
    pub publisher: PublisherId,
}

/// The key of a run's plan.
pub(crate) fn plan_key(slot: Timestamp) -> String {
    format!("digest-{}", slot.as_second())
}

/// The slot of the run whose plan has this key; `None`: no run's has.
pub(crate) fn slot_of(plan: &str) -> Option<Timestamp> {
    let second = plan.strip_prefix("digest-")?.parse().ok()?;
    Timestamp::from_second(second).ok().filter(|slot| plan_key(*slot) == plan)
}

/// What several recipients in a row are sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct List {
    /// Places in the chunk's items, the newest article first.
    pub items: Vec<u32>,
    /// Articles beyond those.
    #[serde(default, skip_serializing_if = "is_none")]
    pub more: u32,
    /// When it was due; of several dues that a run makes up for, the last.
    pub due: Timestamp,
    /// How many of the chunk's recipients, after those of the lists before.
    pub readers: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_none(more: &u32) -> bool {
    *more == 0
}

/// Some of a run's recipients, and what they are sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DigestChunk {
    pub plan: String,
    /// [`Lane::Digest`].
    pub lane: Lane,
    pub chunk: u32,
    /// The Date of its mails, as in the plan of an article.
    pub planned_at: Timestamp,
    pub items: Vec<Item>,
    pub lists: Vec<List>,
    #[serde(with = "ids")]
    pub recipients: Vec<SubscriberId>,
}

impl DigestChunk {
    /// What a recipient is sent, by their place.
    pub(crate) fn list_of(&self, recipient: usize) -> Option<&List> {
        let mut before = 0;
        self.lists.iter().find(|list| {
            before += list.readers as usize;
            recipient < before
        })
    }
}

/// The chunks of a run. `recipients` are with the numbers of their `contents`, in the order of those.
pub(crate) fn chunks(
    slot: Timestamp,
    planned_at: Timestamp,
    edition: &Edition,
    contents: &[Content],
    recipients: &[(u32, SubscriberId)],
) -> Vec<DigestChunk> {
    let size = CHUNK.max(recipients.len().div_ceil(MAX_CHUNKS));
    let mut chunks: Vec<DigestChunk> = Vec::new();
    let mut open = Open::new(edition);
    for of_one in recipients.chunk_by(|one, next| one.0 == next.0) {
        let content = &contents[of_one[0].0 as usize];
        let mut rest = of_one;
        while !rest.is_empty() {
            let room = if open.bytes >= MAX_BYTES { 0 } else { size - open.recipients.len() };
            let (now, later) = rest.split_at(rest.len().min(room));
            if !now.is_empty() {
                open.add(content, now);
            }
            if !later.is_empty() {
                chunks.push(open.close(slot, planned_at, chunks.len()));
                open = Open::new(edition);
            }
            rest = later;
        }
    }
    if !open.recipients.is_empty() {
        chunks.push(open.close(slot, planned_at, chunks.len()));
    }
    chunks
}

/// A chunk that is being filled.
struct Open<'a> {
    edition: &'a Edition,
    /// The edition's places → the chunk's.
    places: HashMap<u32, u32>,
    items: Vec<Item>,
    lists: Vec<List>,
    recipients: Vec<SubscriberId>,
    bytes: usize,
}

impl<'a> Open<'a> {
    fn new(edition: &'a Edition) -> Self {
        let (places, items, lists, recipients) = (HashMap::new(), Vec::new(), Vec::new(), Vec::new());
        Self { edition, places, items, lists, recipients, bytes: 0 }
    }

    fn add(&mut self, content: &Content, recipients: &[(u32, SubscriberId)]) {
        let items = content.items.iter().map(|place| self.place(*place)).collect();
        let readers = recipients.len() as u32;
        self.lists.push(List { items, more: content.more, due: content.due, readers });
        self.bytes += 80 + 6 * content.items.len();
        self.recipients.extend(recipients.iter().map(|(_, id)| *id));
    }

    fn place(&mut self, place: u32) -> u32 {
        let (items, bytes) = (&mut self.items, &mut self.bytes);
        *self.places.entry(place).or_insert_with(|| {
            let alerted = &self.edition.news[place as usize].alerted;
            let item = Item { article: alerted.article, publisher: alerted.publisher.clone() };
            *bytes += 70 + item.publisher.as_str().len();
            items.push(item);
            items.len() as u32 - 1
        })
    }

    fn close(self, slot: Timestamp, planned_at: Timestamp, number: usize) -> DigestChunk {
        let Self { items, lists, recipients, .. } = self;
        let (plan, lane, chunk) = (plan_key(slot), Lane::Digest, number as u32);
        DigestChunk { plan, lane, chunk, planned_at, items, lists, recipients }
    }
}

#[cfg(test)]
mod tests;
