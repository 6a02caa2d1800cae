//! Recipients of record: who has been sent what of an article, read from the plans and ledgers of its alert, and of what
//! those who follow the story were sent.
//!
//! A worker writes its intent before it reads the article, and whoever asks here has the new revision on the log
//! already. So either the intent is seen here, or its worker sees the new revision: nobody gets the old text unnoticed.

use std::collections::HashSet;

use bus::Bus;
use futures::{StreamExt, TryStreamExt, stream};
use topology::{JOBS, LEDGER, subjects};

use crate::ledger::{Ledger, State};
use crate::plan::{Chunk, Head};
use crate::subscriber::SubscriberId;

/// Chunks read at one time.
const AT_ONCE: usize = 16;

/// Who may have a revision before the one asked about.
#[derive(Debug, Default)]
pub(crate) struct OfRecord {
    pub recipients: Vec<SubscriberId>,
    /// Whether mails to some of them are being submitted right now.
    pub on_their_way: bool,
}

impl OfRecord {
    /// And those; nobody twice.
    pub(crate) fn also(&mut self, others: Self) {
        self.on_their_way |= others.on_their_way;
        if others.recipients.is_empty() {
            return;
        }
        let mut known: HashSet<SubscriberId> = self.recipients.iter().copied().collect();
        self.recipients.extend(others.recipients.into_iter().filter(|id| known.insert(*id)));
    }
}

/// Whoever may have, by any of these plans of one article, a revision of it before `revision`; each once.
///
/// # Errors
/// When the server does not answer, or a record does not read.
pub(crate) async fn of_record(bus: &Bus, plans: &[Head], revision: u32) -> Result<OfRecord, String> {
    let mut chunks = Vec::new();
    for (plan, head) in plans.iter().enumerate() {
        chunks.extend((0..head.chunks).map(|chunk| (plan, chunk)));
    }
    let chunks = stream::iter(chunks).map(|(plan, chunk)| of_chunk(bus, &plans[plan], chunk, revision));
    let add = |(mut whole, mut known): (OfRecord, HashSet<SubscriberId>), part: OfRecord| async move {
        // By the alert alone nobody is there twice.
        let fresh = part.recipients.into_iter().filter(|id| plans.len() == 1 || known.insert(*id));
        whole.recipients.extend(fresh);
        whole.on_their_way |= part.on_their_way;
        Ok((whole, known))
    };
    chunks.buffered(AT_ONCE).try_fold(Default::default(), add).await.map(|(whole, _)| whole)
}

async fn of_chunk(bus: &Bus, plan: &Head, chunk: u32, revision: u32) -> Result<OfRecord, String> {
    // Nobody has begun with it: whoever does will read the newest revision.
    let Some(ledger) = ledger(bus, plan, chunk).await? else { return Ok(OfRecord::default()) };
    let before: Vec<usize> = ledger.has_before(revision).collect();
    if before.is_empty() {
        return Ok(OfRecord::default());
    }
    let ids = ids(bus, plan, chunk).await?;
    let on_their_way = before.iter().any(|recipient| ledger.states()[*recipient] == State::Submitting);
    let recipients = before.into_iter().filter_map(|recipient| ids.get(recipient).copied());
    Ok(OfRecord { recipients: recipients.collect(), on_their_way })
}

/// Whoever has `revision` by this plan, or a later one, or is to be sent what is the newest then: whoever follows the story
/// need not be told of that revision, too.
///
/// # Errors
/// As [`of_record`].
pub(crate) async fn shown(bus: &Bus, alert: &Head, revision: u32) -> Result<HashSet<SubscriberId>, String> {
    let chunks = stream::iter(0..alert.chunks).map(|chunk| shown_of_chunk(bus, alert, chunk, revision));
    let add = |mut whole: HashSet<SubscriberId>, part: Vec<SubscriberId>| async move {
        whole.extend(part);
        Ok(whole)
    };
    chunks.buffered(AT_ONCE).try_fold(HashSet::new(), add).await
}

async fn shown_of_chunk(bus: &Bus, alert: &Head, chunk: u32, revision: u32) -> Result<Vec<SubscriberId>, String> {
    let Some(ledger) = ledger(bus, alert, chunk).await? else { return ids(bus, alert, chunk).await };
    let before: HashSet<usize> = ledger.has_before(revision).collect();
    let states = ledger.states().iter().enumerate().filter(|(recipient, _)| !before.contains(recipient));
    let shown = states.filter(|(recipient, state)| ledger.has(*recipient).is_some() || !state.is_final());
    let shown: Vec<usize> = shown.map(|(recipient, _)| recipient).collect();
    if shown.is_empty() {
        return Ok(Vec::new());
    }
    let ids = ids(bus, alert, chunk).await?;
    Ok(shown.into_iter().filter_map(|recipient| ids.get(recipient).copied()).collect())
}

async fn ledger(bus: &Bus, plan: &Head, chunk: u32) -> Result<Option<Ledger>, String> {
    let stored = bus.last(&LEDGER, &subjects::ledger(&plan.plan, chunk)).await.map_err(|error| error.to_string())?;
    stored.map(|stored| Ledger::read(&stored.payload).map_err(|error| error.to_string())).transpose()
}

async fn ids(bus: &Bus, plan: &Head, chunk: u32) -> Result<Vec<SubscriberId>, String> {
    let subject = subjects::chunk(plan.lane.as_str(), &plan.plan, chunk);
    let stored = bus.last(&JOBS, &subject).await.map_err(|error| error.to_string())?;
    let stored = stored.ok_or_else(|| format!("{subject} is gone"))?;
    let chunk: Chunk = serde_json::from_slice(&stored.payload).map_err(|error| error.to_string())?;
    Ok(chunk.recipients)
}
