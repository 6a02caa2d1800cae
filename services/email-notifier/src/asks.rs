//! What a newsroom asks about its mail, over the bus: the publisher has checked who asks and whose the article is.

use article::wire::v1::Envelope;
use article::{ArticleId, PublisherId};
use bus::Bus;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use topology::{ARTICLES, JOBS, LEDGER, subjects};

use crate::ledger::{Ledger, Totals};
use crate::plan::{Head, Kind, key};

/// Records read at one time.
const AT_ONCE: usize = 16;

/// Revisions that are asked for their notices, the newest: each costs four reads.
const MAX_REVISIONS: u32 = 250;

/// Plans in an answer, the newest notices: with the alert's they fit a message many times over.
const MAX_PLANS: usize = 500;

#[derive(Debug, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
enum Question {
    /// What became of all mail about an article.
    Ledger { publisher: PublisherId, article: ArticleId },
}

#[derive(Debug, Serialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
enum Answer {
    Ledger {
        plans: Vec<Summary>,
    },
    /// A record cannot be read now, or at all.
    Unavailable,
}

/// One plan: `matched` is the sum of `states`, at any time.
#[derive(Debug, Serialize)]
struct Summary {
    #[serde(flatten)]
    head: Head,
    open: usize,
    #[serde(flatten)]
    totals: Totals,
}

/// The answer to a question; `None` to what is none.
pub(crate) async fn answer(bus: &Bus, question: &[u8]) -> Option<Bytes> {
    let Question::Ledger { publisher, article } = serde_json::from_slice(question).ok()?;
    let answer = match plans(bus, &publisher, article).await {
        Ok(plans) => Answer::Ledger { plans },
        Err(error) => {
            tracing::warn!(%article, error, "a question about mail cannot be answered");
            Answer::Unavailable
        }
    };
    Some(serde_json::to_vec(&answer).expect("an answer has string keys only").into())
}

/// The alert to an article, and its notices, the earliest revision's first.
async fn plans(bus: &Bus, publisher: &PublisherId, article: ArticleId) -> Result<Vec<Summary>, String> {
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
    stream::iter(heads).then(|head| summary(bus, head)).try_collect().await
}

async fn head(bus: &Bus, plan: String) -> Result<Option<Head>, String> {
    let stored = bus.last(&JOBS, &subjects::plan(&plan)).await.map_err(|error| error.to_string())?;
    stored.map(|stored| serde_json::from_slice(&stored.payload)).transpose().map_err(|error| format!("{plan}: {error}"))
}

/// Counts what the chunks' records say; the chunks themselves, which hold the recipients, are not read.
async fn summary(bus: &Bus, head: Head) -> Result<Summary, String> {
    let plan = head.plan.as_str();
    let records = stream::iter(0..head.chunks).map(async |chunk| {
        let stored = bus.last(&LEDGER, &subjects::ledger(plan, chunk)).await.map_err(|error| error.to_string())?;
        let read = stored.map(|stored| Ledger::read(&stored.payload).map(|ledger| (ledger, stored.stored_at)));
        read.transpose().map_err(|error| format!("{plan}, chunk {chunk}: {error}"))
    });
    let add = async |mut totals: Totals, record: Option<(Ledger, jiff::Timestamp)>| {
        if let Some((ledger, stored)) = record {
            totals.add(&ledger, stored);
        }
        Ok(totals)
    };
    let mut totals = records.buffer_unordered(AT_ONCE).try_fold(Totals::default(), add).await?;
    if !totals.close(head.matched) {
        return Err(format!("{plan}: its records have more recipients than it has"));
    }
    Ok(Summary { open: totals.states.open(), head, totals })
}
