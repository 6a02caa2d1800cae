//! What became of all mail about an article: plans by their heads, recipients by the chunks' records.

use article::wire::v1::Envelope;
use article::{ArticleId, PublisherId};
use bus::Bus;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use serde::Serialize;
use topology::{ARTICLES, JOBS, LEDGER, subjects};

use super::AT_ONCE;
use crate::control::Control;
use crate::digest::chunk::{plan_key, slot_of};
use crate::ledger::{Ledger, Totals};
use crate::plan::{Head, Kind, key};

/// Revisions that are asked for their notices, the newest: each costs four reads.
const MAX_REVISIONS: u32 = 250;

/// Plans in an answer, the newest notices: with the alert's they fit a message many times over.
const MAX_PLANS: usize = 500;

/// One plan: `matched` is the sum of `states`, at any time.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    #[serde(flatten)]
    head: Head,
    open: usize,
    #[serde(flatten)]
    totals: Totals,
    /// Mails a second while it was sent.
    accepted_per_second: Option<u64>,
    /// What was ordered; `None` while it just runs.
    control: Option<Control>,
}

/// The plans of an article.
pub(super) async fn plans(bus: &Bus, publisher: &PublisherId, article: ArticleId) -> Result<Vec<Summary>, String> {
    let heads = heads(bus, publisher, article).await?;
    stream::iter(heads).then(|head| summary(bus, head)).try_collect().await
}

/// The plan of a digest by its name; `None`: there is no such plan.
pub(super) async fn digest(bus: &Bus, plan: &str) -> Result<Option<Summary>, String> {
    let Some(slot) = slot_of(plan) else { return Ok(None) };
    let Some(head) = head(bus, plan_key(slot)).await? else { return Ok(None) };
    summary(bus, head).await.map(Some)
}

/// The alert to an article, and its notices, the earliest revision's first.
pub(super) async fn heads(bus: &Bus, publisher: &PublisherId, article: ArticleId) -> Result<Vec<Head>, String> {
    let stored =
        bus.last(&ARTICLES, &subjects::article(publisher, &article)).await.map_err(|error| error.to_string())?;
    // Not public yet: an article under embargo has no mail.
    let Some(stored) = stored else { return Ok(Vec::new()) };
    let current = Envelope::from_bytes(&stored.payload).map_err(|error| error.to_string())?.data.revision;
    let revisions = current.saturating_sub(MAX_REVISIONS).max(1) + 1..=current;
    let notices = revisions.flat_map(|revision| {
        [Kind::Correction, Kind::Withdrawal, Kind::Kill, Kind::Update].map(|kind| key(&article, kind, revision))
    });
    let keys: Vec<String> = [key(&article, Kind::Alert, 1)].into_iter().chain(notices).collect();
    let heads = stream::iter(keys).map(|plan| head(bus, plan)).buffered(AT_ONCE);
    let mut heads: Vec<Head> = heads.try_filter_map(async |head| Ok(head)).try_collect().await?;
    heads.retain(|head| head.publisher.as_ref() == Some(publisher));
    if heads.len() > MAX_PLANS {
        heads.drain(1..heads.len() - MAX_PLANS);
    }
    Ok(heads)
}

async fn head(bus: &Bus, plan: String) -> Result<Option<Head>, String> {
    let stored = bus.last(&JOBS, &subjects::plan(&plan)).await.map_err(|error| error.to_string())?;
    stored.map(|stored| serde_json::from_slice(&stored.payload)).transpose().map_err(|error| format!("{plan}: {error}"))
}

/// Counts what the chunks' records say; the chunks themselves, which hold the recipients, are not read.
async fn summary(bus: &Bus, head: Head) -> Result<Summary, String> {
    let records = stream::iter(0..head.chunks).map(|chunk| record(bus, &head.plan, chunk));
    let add = async |mut totals: Totals, record: Option<Kept>| {
        if let Some(Kept { ledger, at, .. }) = record {
            totals.add(&ledger, at);
        }
        Ok(totals)
    };
    let totals = records.buffer_unordered(AT_ONCE).try_fold(Totals::default(), add).await?;
    let control = bus.last(&JOBS, &subjects::control(&head.plan)).await.map_err(|error| error.to_string())?;
    let control = control.map(|stored| Control::of_bytes(&head.plan, &stored.payload));
    Ok(Summary { control, ..closed(head, totals)? })
}

fn closed(head: Head, mut totals: Totals) -> Result<Summary, String> {
    if !totals.close(head.matched) {
        return Err(format!("{}: its records have more recipients than it has", head.plan));
    }
    Ok(Summary { open: totals.states.open(), accepted_per_second: totals.rate(), control: None, head, totals })
}

/// The record of a chunk as the log has it.
pub(super) struct Kept {
    pub ledger: Ledger,
    sequence: u64,
    at: Timestamp,
}

/// `None`: nobody has begun with it.
pub(super) async fn record(bus: &Bus, plan: &str, chunk: u32) -> Result<Option<Kept>, String> {
    let stored = bus.last(&LEDGER, &subjects::ledger(plan, chunk)).await.map_err(|error| error.to_string())?;
    let Some(stored) = stored else { return Ok(None) };
    let ledger = Ledger::read(&stored.payload).map_err(|error| format!("{plan}, chunk {chunk}: {error}"))?;
    Ok(Some(Kept { ledger, sequence: stored.sequence, at: stored.stored_at }))
}

/// Says so when the whole plan has ended with the record that was written at `sequence`: of several that are written at
/// the same time, the last one's writer does.
pub(crate) async fn tell_if_ended(bus: &Bus, plan: &str, chunk: u32, sequence: u64) {
    match ended(bus, plan, chunk, sequence).await {
        Ok(None) => {}
        Ok(Some(Summary { head, totals, accepted_per_second, .. })) => {
            let took = totals.last_accepted_at.map_or(0, |last| last.duration_since(head.planned_at).as_millis());
            let (states, matched) = (totals.states, head.matched);
            tracing::info!(
                plan,
                matched,
                accepted = states.accepted,
                failed = states.failed,
                suppressed = states.suppressed,
                expired = states.expired,
                unanswered = states.unanswered,
                resent_uncertain = totals.resent_uncertain,
                duration.ms = took as u64,
                per_second = accepted_per_second,
                "plan ended"
            );
        }
        // The ledger itself says all of this, whenever it is asked.
        Err(error) => tracing::debug!(plan, error, "nobody knows whether the plan has ended"),
    }
}

/// Looks at the chunk behind this one first: while a plan is sent, that one is open, and one look is enough.
async fn ended(bus: &Bus, plan: &str, chunk: u32, sequence: u64) -> Result<Option<Summary>, String> {
    let Some(head) = head(bus, plan.to_owned()).await? else { return Ok(None) };
    let mut totals = Totals::default();
    for chunk in (chunk + 1..head.chunks).chain(0..=chunk) {
        let kept = record(bus, plan, chunk).await?.filter(|kept| kept.sequence <= sequence);
        let Some(Kept { ledger, at, .. }) = kept else { return Ok(None) };
        if !ledger.states().iter().all(|state| state.is_final()) {
            return Ok(None);
        }
        totals.add(&ledger, at);
    }
    closed(head, totals).map(Some)
}
