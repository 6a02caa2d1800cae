//! Recipients of record by digests: who had an article in one, as it was before a revision.
//!
//! A digest's record notes how far the log had been followed when its articles were looked at, after the intent was
//! durable: whoever asks here has the new revision on the log already, so either the intent is seen, or its worker sees
//! the revision.

use std::sync::Arc;

use article::wire::v1::Envelope;
use article::{Article, ArticleId, Status};
use bus::Bus;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use topology::{ARTICLES, JOBS, LEDGER, subjects};

use super::chunk::{DigestChunk, Made, plan_key};
use super::news::News;
use crate::ledger::{Ledger, State};
use crate::plan::Head;
use crate::recipients::OfRecord;

/// Messages read at one time.
const AT_ONCE: usize = 16;

/// A place in the log, where the record of an alert has a revision.
pub(crate) fn as_revision(sequence: u64) -> u32 {
    u32::try_from(sequence).unwrap_or(u32::MAX)
}

/// What is looked for: an article's revision at a place in the log.
pub(crate) struct Before<'a> {
    pub article: &'a Article,
    /// When its alert was called for: no digest before has it.
    pub published: Timestamp,
    /// Of the revision, in ARTICLES.
    pub sequence: u64,
}

/// Whoever may have had the article in a digest before that.
///
/// # Errors
/// When the server does not answer, or a record does not read.
pub(crate) async fn of_record(bus: &Bus, news: &Arc<News>, before: &Before<'_>) -> Result<OfRecord, String> {
    news.catch_up(bus).await?;
    let id = before.article.id;
    let slots = stream::iter(news.runs_after(before.published)).map(|slot| with(bus, slot, id)).buffered(AT_ONCE);
    let heads: Vec<Head> = slots.try_filter_map(async |head| Ok(head)).try_collect().await?;
    if heads.is_empty() {
        return Ok(OfRecord::default());
    }
    let shown = Shown::read(bus, before).await?;
    let mut chunks = Vec::new();
    for (run, head) in heads.iter().enumerate() {
        chunks.extend((0..head.chunks).map(|chunk| (run, chunk)));
    }
    let chunks = stream::iter(chunks).map(|(run, chunk)| of_chunk(bus, &heads[run], chunk, before, &shown));
    let add = |mut whole: OfRecord, part: OfRecord| async move {
        whole.recipients.extend(part.recipients);
        whole.on_their_way |= part.on_their_way;
        Ok(whole)
    };
    chunks.buffered(AT_ONCE).try_fold(OfRecord::default(), add).await
}

/// The head of a run's plan, if it has the article.
///
/// # Errors
/// When the server does not answer, or what the run wrote does not read.
pub(crate) async fn with(bus: &Bus, slot: Timestamp, article: ArticleId) -> Result<Option<Head>, String> {
    let subject = subjects::digest_run(&slot.as_second().to_string());
    match read::<Made>(bus, &subject).await? {
        Some(made) if made.articles.contains(&article) => read(bus, &subjects::plan(&plan_key(slot))).await,
        _ => Ok(None),
    }
}

async fn read<T: serde::de::DeserializeOwned>(bus: &Bus, subject: &str) -> Result<Option<T>, String> {
    let stored = bus.last(&JOBS, subject).await.map_err(|error| error.to_string())?;
    let read = stored.map(|stored| serde_json::from_slice(&stored.payload)).transpose();
    read.map_err(|error| format!("{subject} does not read: {error}"))
}

async fn of_chunk(bus: &Bus, head: &Head, chunk: u32, before: &Before<'_>, shown: &Shown) -> Result<OfRecord, String> {
    let record = subjects::ledger(&head.plan, chunk);
    let stored = bus.last(&LEDGER, &record).await.map_err(|error| error.to_string())?;
    // Nobody has begun with it: whoever does will see the revision.
    let Some(stored) = stored else { return Ok(OfRecord::default()) };
    let ledger = Ledger::read(&stored.payload).map_err(|error| format!("{record} does not read: {error}"))?;
    let earlier: Vec<usize> = ledger.has_before(as_revision(before.sequence)).collect();
    if earlier.is_empty() {
        return Ok(OfRecord::default());
    }
    let subject = subjects::chunk(head.lane.as_str(), &head.plan, chunk);
    let chunk: DigestChunk = read(bus, &subject).await?.ok_or_else(|| format!("{subject} is gone"))?;
    let Some(place) = chunk.items.iter().position(|item| item.article == before.article.id) else {
        return Ok(OfRecord::default());
    };
    let listed = |recipient: &usize| {
        let list = chunk.list_of(*recipient);
        list.is_some_and(|list| list.items.contains(&(place as u32)))
            && ledger.has(*recipient).is_none_or(|sequence| shown.at(sequence))
    };
    let earlier: Vec<usize> = earlier.into_iter().filter(listed).collect();
    let on_their_way = earlier.iter().any(|recipient| ledger.states()[*recipient] == State::Submitting);
    let recipients = earlier.into_iter().filter_map(|recipient| chunk.recipients.get(recipient).copied());
    Ok(OfRecord { recipients: recipients.collect(), on_their_way })
}

/// From which place in the log on the article could be read, or not.
struct Shown(Vec<(u32, bool)>);

impl Shown {
    async fn read(bus: &Bus, before: &Before<'_>) -> Result<Self, String> {
        let subject = subjects::article(&before.article.publisher, &before.article.id);
        let (mut revisions, mut from) = (Vec::new(), 1);
        while let Some(stored) = bus.next(&ARTICLES, &subject, from).await.map_err(|error| error.to_string())? {
            if stored.sequence >= before.sequence {
                break;
            }
            if let Ok(envelope) = Envelope::from_bytes(&stored.payload) {
                revisions.push((as_revision(stored.sequence), envelope.data.status == Status::Published));
            }
            from = stored.sequence + 1;
        }
        Ok(Self(revisions))
    }

    /// Whether a digest that knew the log up to `sequence` showed it. What the log has no more counts as shown: rather
    /// somebody too many is told that a story is gone than one too few.
    fn at(&self, sequence: u32) -> bool {
        self.0.iter().rev().find(|(of, _)| *of <= sequence).is_none_or(|(_, readable)| *readable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_held_when_a_digest_went_out_was_not_in_it() {
        let shown = Shown(vec![(3, true), (7, false), (9, true)]);
        assert_eq!([2, 3, 6, 7, 8, 9, 20].map(|at| shown.at(at)), [true, true, true, false, false, true, true]);
    }
}
