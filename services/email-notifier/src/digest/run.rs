//! Runs of digests: each quarter of an hour, what is due to whom is planned, all of it or nothing.
//!
//! A run begins where the last one ended, however long ago that was. Where, what it knew of the news, and its plan are
//! one atomic batch that expects the cursor as it was read. So of two notifiers one plans, and a crash at any moment
//! leaves either the whole run or none of it, which the next to come makes up for.

use std::sync::Arc;
use std::time::Duration;

use article::wire::v1::Envelope;
use bus::{BatchError, BatchMessage, Bus, HeaderMap};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use subscription::{Features, Matcher};
use tokio_util::sync::CancellationToken;
use topology::{ARTICLES, JOBS, PLANNER, subjects};

use super::chunk::{self, DigestChunk, Run, chunks, plan_key};
use super::due::{Days, Dues, SLOT, Window, slot};
use super::edition::{Content, Edition, Lists, Over};
use super::news::{Alerted, Known, News};
use crate::cap::Caps;
use crate::plan::{Head, Kind, Lane};
use crate::readers::{Reader, Readers};
use crate::subscriber::SubscriberId;

/// How long after its slot a run is made: whoever pressed a button before it is known by then, and most of what was
/// published before it is planned.
const GRACE: SignedDuration = SignedDuration::from_secs(10);

/// How often it is looked whether a run is due.
const LOOK: Duration = Duration::from_secs(5);

/// How long a run waits for news that is not planned yet. It is in time for the next one; after an outage there may
/// be a day's.
const PATIENCE: Duration = Duration::from_secs(60);

/// Articles read at one time, and matched before another task may have the thread.
const AT_ONCE: usize = 16;
const MATCHED_AT_ONCE: usize = 64;

/// Plans digests.
#[derive(Clone)]
pub(crate) struct Runner {
    pub bus: Bus,
    pub readers: Arc<Readers>,
    pub news: Arc<News>,
    pub caps: Arc<Caps>,
}

/// What became of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Made {
    /// It is planned, by whomever.
    Whole,
    /// Another notifier wrote one at the same time; perhaps an earlier one.
    Overtaken,
}

/// A run before it is written.
struct Plan {
    edition: Edition,
    contents: Vec<Content>,
    /// By the number of their content.
    recipients: Vec<(u32, SubscriberId)>,
}

impl Runner {
    /// Makes every run that is due until `shutdown`.
    pub(crate) async fn run(&self, shutdown: CancellationToken) {
        let mut made = None;
        while !shutdown.is_cancelled() {
            let due = slot(service_kit::now() - GRACE);
            if made != Some(due) {
                match shutdown.run_until_cancelled(self.make(due)).await {
                    Some(Ok(Made::Whole)) => made = Some(due),
                    Some(Ok(Made::Overtaken)) | None => {}
                    Some(Err(cause)) => tracing::warn!(slot = %due, cause, "digests are planned later"),
                }
            }
            shutdown.run_until_cancelled(tokio::time::sleep(LOOK)).await;
        }
    }

    /// Makes the run of `slot`, unless that or a later one was made.
    ///
    /// # Errors
    /// When the server does not answer, or something is behind its log: nothing is written then, or all of it.
    pub(crate) async fn make(&self, slot: Timestamp) -> Result<Made, String> {
        let (cursor, sequence) = self.cursor().await?;
        if cursor.is_some_and(|cursor| cursor.slot >= slot) {
            return Ok(Made::Whole);
        }
        let window = Window { after: cursor.map_or(slot - SLOT, |cursor| cursor.slot), until: slot };
        self.wait_for_the_planner().await?;
        self.readers.catch_up(&self.bus).await?;
        self.news.catch_up(&self.bus).await?;
        self.caps.has_seen(self.news.caps_seen()).await?;
        let (readers, caps) = (self.readers.clone(), self.caps.clone());
        let (dues, days, selections) = blocking(move || asked(&readers, &caps, Dues::new(window))).await?;
        let (news, seen) = self.news.known(&days);
        let edition = self.edition(Edition::new(window, news), selections).await?;
        let (readers, caps) = (self.readers.clone(), self.caps.clone());
        let plan = blocking(move || plan(&readers, &caps, edition, dues)).await?;
        self.write(&plan, Run { slot, seen }, sequence).await
    }

    /// The last run, and the sequence of the message that says so.
    async fn cursor(&self) -> Result<(Option<Run>, u64), String> {
        let stored = self.bus.last(&JOBS, subjects::DIGEST_CURSOR).await.map_err(|error| error.to_string())?;
        let Some(stored) = stored else { return Ok((None, 0)) };
        let run = serde_json::from_slice(&stored.payload);
        let run = run.map_err(|error| format!("{} does not read: {error}", subjects::DIGEST_CURSOR))?;
        Ok((Some(run), stored.sequence))
    }

    async fn wait_for_the_planner(&self) -> Result<(), String> {
        let until = tokio::time::Instant::now() + PATIENCE;
        while !self.bus.backlog(&PLANNER).await.map_err(|error| error.to_string())?.is_empty() {
            if tokio::time::Instant::now() >= until {
                tracing::info!("not all news is planned; it comes with the next digests");
                break;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Ok(())
    }

    /// Reads each article as it was alerted to, and notes who asked for it.
    async fn edition(&self, mut edition: Edition, mut selections: Matcher<()>) -> Result<Edition, String> {
        let mut from = 0;
        while from < edition.news.len() {
            let some = edition.news[from..edition.news.len().min(from + MATCHED_AT_ONCE)].to_vec();
            // In their order: lists hold them so.
            let features: Vec<Option<Features>> =
                stream::iter(some).map(|known| self.features(known)).buffered(AT_ONCE).try_collect().await?;
            let read = features.len();
            (edition, selections) = blocking(move || {
                for (place, features) in (from as u32..).zip(&features) {
                    let matching = features.iter().flat_map(|features| selections.matching(features));
                    edition.note(place, matching.map(|(selection, ())| selection));
                }
                (edition, selections)
            })
            .await?;
            from += read;
        }
        Ok(edition)
    }

    /// `None`: nothing of it is left.
    async fn features(&self, known: Known) -> Result<Option<Features>, String> {
        let alerted = known.alerted;
        let subject = subjects::article(&alerted.publisher, &alerted.article);
        // Of an article that was killed, or revised very often, the first revision that is still there.
        let stored = self.bus.next(&ARTICLES, &subject, alerted.sequence).await.map_err(|error| error.to_string())?;
        // Whoever plans alerts reports what does not read.
        let article = stored.and_then(|stored| Envelope::from_bytes(&stored.payload).ok());
        Ok(article.map(|envelope| Features::of(&envelope.data)))
    }

    async fn write(&self, plan: &Plan, run: Run, cursor: u64) -> Result<Made, String> {
        let now = service_kit::now().max(run.slot);
        let chunks = chunks(run.slot, now, &plan.edition, &plan.contents, &plan.recipients);
        let told = chunk::Made::of(run, &chunks);
        let cursor = BatchMessage { expected: Some(cursor), ..first_on(subjects::DIGEST_CURSOR.into(), &run) };
        let mut batch = vec![cursor, first_on(subjects::digest_run(&run.slot.as_second().to_string()), &told)];
        if !chunks.is_empty() {
            let head = head(run, &chunks, now);
            batch.push(first_on(subjects::plan(&head.plan), &head));
            let lane = Lane::Digest.as_str();
            batch.extend(chunks.iter().map(|chunk| first_on(subjects::chunk(lane, &chunk.plan, chunk.chunk), chunk)));
        }
        match self.bus.publish_batch(batch).await {
            Ok(_) => {
                let (recipients, news) = (plan.recipients.len(), plan.edition.news.len());
                let (lists, chunks) = (plan.contents.len(), chunks.len());
                let plan = plan_key(run.slot);
                tracing::info!(slot = %run.slot, plan, recipients, news, lists, chunks, "digests planned");
                Ok(Made::Whole)
            }
            Err(BatchError::Conflict) => Ok(Made::Overtaken),
            // If it was stored all the same, the next attempt finds the cursor.
            Err(error @ (BatchError::Unavailable(_) | BatchError::InProgress)) => Err(error.to_string()),
            Err(error @ BatchError::Refused(_)) => {
                tracing::error!(slot = %run.slot, %error, "cannot write a run of digests; is JOBS full? its limit can be raised");
                Err(error.to_string())
            }
        }
    }
}

/// Who is due at all: on which days what they get became known, and what of it they asked for.
fn asked(readers: &Readers, caps: &Caps, mut dues: Dues) -> (Dues, Days, Matcher<()>) {
    let (mut days, mut selections, mut from) = (Days::default(), Matcher::default(), 0);
    let mut is_due = |reader: &Reader| dues.since(&reader.terms(), caps.may_be_over(&reader.id), &mut days).is_some();
    while let Some((due, next)) = readers.some(from, &mut is_due) {
        for span in due.iter().flat_map(|reader| &reader.spans) {
            if selections.get(&span.selection).is_none() {
                selections.insert(span.selection.clone(), ());
            }
        }
        from = next;
    }
    (dues, days, selections)
}

/// What each of them is sent.
fn plan(readers: &Readers, caps: &Caps, edition: Edition, mut dues: Dues) -> Plan {
    let (mut lists, mut recipients, mut from) = (Lists::new(&edition), Vec::new(), 0);
    let mut days = Days::default();
    let mut since = |reader: &Reader| dues.since(&reader.terms(), caps.may_be_over(&reader.id), &mut days);
    while !edition.news.is_empty()
        && let Some((due, next)) = readers.some(from, |reader| since(reader).is_some())
    {
        for reader in &due {
            let over = |alerted: &Alerted| {
                !alerted.breaking && caps.over_at(&reader.id, &reader.caps, alerted.published, alerted.caps_seen)
            };
            let over: Option<Over<'_>> = caps.may_be_over(&reader.id).then_some(&over);
            let list = since(reader).and_then(|since| lists.of(reader, since, over));
            recipients.extend(list.map(|list| (list, reader.id)));
        }
        from = next;
    }
    let contents = lists.contents();
    recipients.sort_by_key(|(list, _)| *list);
    Plan { edition, contents, recipients }
}

fn head(run: Run, chunks: &[DigestChunk], now: Timestamp) -> Head {
    Head {
        plan: plan_key(run.slot),
        article: None,
        publisher: None,
        kind: Kind::Digest,
        revision: 0,
        lane: Lane::Digest,
        matched: chunks.iter().map(|chunk| chunk.recipients.len()).sum(),
        chunks: chunks.len() as u32,
        planned_at: now,
        published: None,
        article_sequence: 0,
        section: String::new(),
        caps_seen: 0,
    }
}

/// Work that would keep others from their turn, on a thread of its own.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.map_err(|error| format!("planning digests: {error}"))
}

fn first_on<T: Serialize>(subject: String, value: &T) -> BatchMessage {
    let payload = serde_json::to_vec(value).expect("runs have string keys only");
    BatchMessage { subject, headers: HeaderMap::new(), payload: payload.into(), expected: Some(0) }
}

#[cfg(test)]
mod measure;
