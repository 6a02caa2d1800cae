//! Recipients of record: who has been sent what of an article, read from its alert's plan and ledger.
//!
//! A worker writes its intent before it reads the article, and whoever asks here has the new revision on the log
//! already. So either the intent is seen here, or its worker sees the new revision: nobody gets the old text unnoticed.

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

/// Whoever may have a revision of the alert's article before `revision`.
///
/// # Errors
/// When the server does not answer, or a record does not read.
pub(crate) async fn of_record(bus: &Bus, alert: &Head, revision: u32) -> Result<OfRecord, String> {
    let chunks = stream::iter(0..alert.chunks).map(|chunk| of_chunk(bus, alert, chunk, revision));
    let whole = OfRecord::default();
    let add = |mut whole: OfRecord, part: OfRecord| async move {
        whole.recipients.extend(part.recipients);
        whole.on_their_way |= part.on_their_way;
        Ok(whole)
    };
    chunks.buffered(AT_ONCE).try_fold(whole, add).await
}

async fn of_chunk(bus: &Bus, alert: &Head, chunk: u32, revision: u32) -> Result<OfRecord, String> {
    let stored = bus.last(&LEDGER, &subjects::ledger(&alert.plan, chunk)).await.map_err(|error| error.to_string())?;
    // Nobody has begun with it: whoever does will read the newest revision.
    let Some(stored) = stored else { return Ok(OfRecord::default()) };
    let ledger = Ledger::read(&stored.payload).map_err(|error| error.to_string())?;
    let before: Vec<usize> = ledger.has_before(revision).collect();
    if before.is_empty() {
        return Ok(OfRecord::default());
    }
    let subject = subjects::chunk(alert.lane.as_str(), &alert.plan, chunk);
    let stored = bus.last(&JOBS, &subject).await.map_err(|error| error.to_string())?;
    let stored = stored.ok_or_else(|| format!("{subject} is gone"))?;
    let chunk: Chunk = serde_json::from_slice(&stored.payload).map_err(|error| error.to_string())?;
    let on_their_way = before.iter().any(|recipient| ledger.states()[*recipient] == State::Submitting);
    let recipients = before.into_iter().filter_map(|recipient| chunk.recipients.get(recipient).copied());
    Ok(OfRecord { recipients: recipients.collect(), on_their_way })
}
