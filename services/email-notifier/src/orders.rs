//! Carries out an order to a plan: its control is written, then whatever has to do something about it is called for.
//!
//! Who dies in between is repeated by whoever asked; the call of a chunk is the same whoever makes it. A chunk that is at
//! work reads the control itself, one that nobody has begun with will.

use article::{ArticleId, PublisherId};
use bus::{Bus, HeaderMap, PublishError};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use topology::{JOBS, LEDGER, RETRIES, subjects};
use uuid::Uuid;

use crate::control::{Control, Order, Refused};
use crate::ledger::Ledger;
use crate::plan::{Head, RetryCall};

/// Chunks looked at, and called for, at one time.
const AT_ONCE: usize = 32;

/// How often an order that meets another one looks again.
const RACES: usize = 5;

/// Characters of a plan's name, and of who ordered, at most.
const MAX_NAME: usize = 128;

/// Whose a plan has to be.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Owner {
    pub publisher: PublisherId,
    pub article: ArticleId,
}

/// Why an order is not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotDone {
    #[error("there is no such plan")]
    NoSuchPlan,
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It may have been written: the same order again completes it.
    #[error("{0}")]
    Unavailable(String),
}

/// Carries out `order`, given by `by`, and answers with what stands then. Without an `owner` it is the operator's.
///
/// # Errors
/// [`NotDone`].
pub(crate) async fn give(
    bus: &Bus,
    plan: &str,
    owner: Option<&Owner>,
    order: Order,
    by: &str,
) -> Result<Control, NotDone> {
    let head = head(bus, plan).await?.ok_or(NotDone::NoSuchPlan)?;
    let is_theirs =
        |owner: &Owner| head.publisher.as_ref() == Some(&owner.publisher) && head.article == Some(owner.article);
    if !owner.is_none_or(is_theirs) {
        return Err(NotDone::NoSuchPlan);
    }
    let by: String = by.chars().take(MAX_NAME).collect();
    let (control, sequence) = write(bus, plan, order, &by).await?;
    let chunks = stream::iter(0..head.chunks).map(Ok);
    chunks.try_for_each_concurrent(AT_ONCE, |chunk| call_for(bus, &head, chunk, &control, sequence)).await?;
    tracing::info!(plan, ?order, by, state = ?control.state, "a plan was given an order");
    Ok(control)
}

/// What stands on the plan's control, and where; written if the order changes it.
async fn write(bus: &Bus, plan: &str, order: Order, by: &str) -> Result<(Control, u64), NotDone> {
    let subject = subjects::control(plan);
    for _ in 0..RACES {
        let stored = bus.last(&JOBS, &subject).await.map_err(unavailable)?;
        let (current, sequence) = match stored {
            // Whoever orders anew is not kept from it by what does not read.
            Some(stored) => (Control::of_bytes(plan, &stored.payload), stored.sequence),
            None => (Control::default(), 0),
        };
        let Some(next) = current.ordered(order, by, service_kit::now())? else { return Ok((current, sequence)) };
        let payload = serde_json::to_vec(&next).expect("a control has string keys only");
        let id = Uuid::new_v4().to_string();
        match bus.publish(&JOBS, &subject, &id, HeaderMap::new(), payload.into(), Some(sequence)).await {
            Ok(published) => return Ok((next, published.sequence)),
            Err(PublishError::Conflict { .. }) => {}
            Err(error) => return Err(unavailable(error)),
        }
    }
    Err(NotDone::Unavailable("others order the same plan at the same time".into()))
}

/// Calls for a chunk now if the control concerns it.
async fn call_for(bus: &Bus, head: &Head, chunk: u32, control: &Control, sequence: u64) -> Result<(), NotDone> {
    let stored = bus.last(&LEDGER, &subjects::ledger(&head.plan, chunk)).await.map_err(unavailable)?;
    // One that does not read is reported by whoever works on it, and must not stop the others.
    let Some(Ok(ledger)) = stored.map(|stored| Ledger::read(&stored.payload)) else { return Ok(()) };
    if !ledger.is_concerned(control) {
        return Ok(());
    }
    let attempt = ledger.retry.map_or(0, |retry| retry.attempt);
    let call = RetryCall { plan: head.plan.clone(), lane: head.lane, chunk, attempt };
    let subject = subjects::retry_due(head.lane.retries(), &head.plan, chunk, attempt);
    let payload = serde_json::to_vec(&call).expect("a call has string keys only");
    let id = format!("{subject}/{sequence}");
    let called = bus.publish(&RETRIES, &subject, &id, HeaderMap::new(), payload.into(), None).await;
    called.map(|_| ()).map_err(unavailable)
}

async fn head(bus: &Bus, plan: &str) -> Result<Option<Head>, NotDone> {
    let is_token = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if plan.is_empty() || plan.len() > MAX_NAME || !is_token(plan) {
        return Ok(None);
    }
    let stored = bus.last(&JOBS, &subjects::plan(plan)).await.map_err(unavailable)?;
    let head = stored.map(|stored| serde_json::from_slice(&stored.payload)).transpose();
    head.map_err(|error| NotDone::Unavailable(format!("the head of {plan} does not read: {error}")))
}

fn unavailable(error: impl std::fmt::Display) -> NotDone {
    NotDone::Unavailable(error.to_string())
}
