//! Carries out what came back. Each event may come again, and in another order: the record decides what is new.

use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, Delivery, Disposition};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use topology::INBOUND_EVENTS;

use super::{Event, What};
use crate::store::{Store, StoreError};
use crate::subscriber::Subscriber;

/// Pause before an event is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// Events at work at one time.
const WORKERS: usize = 2;

/// Works off what came back until `shutdown`.
pub(crate) async fn run(bus: Bus, store: Store, shutdown: CancellationToken) {
    let handler = move |delivery: Arc<Delivery>| {
        let store = store.clone();
        async move { handle(&store, &delivery).await }
    };
    bus.consume(&INBOUND_EVENTS, WORKERS, handler, shutdown).await;
}

async fn handle(store: &Store, delivery: &Delivery) -> Disposition {
    let event: Event = match serde_json::from_slice(&delivery.payload) {
        Ok(event) => event,
        Err(error) => return Disposition::Discard(format!("not an event of what came back: {error}")),
    };
    match carry_out(store, &event, service_kit::now()).await {
        Ok(changed) => {
            let kind = event.what.as_str();
            tracing::info!(subscriber = %event.subscriber, event = kind, changed, "carried out what came back");
            Disposition::Done
        }
        Err(StoreError::Unreadable { cause, .. }) => Disposition::Discard(cause),
        Err(error) => {
            tracing::warn!(subscriber = %event.subscriber, %error, "what came back waits to be carried out");
            Disposition::Retry(AGAIN)
        }
    }
}

/// Whether anything changed. Whoever is erased by now has nothing left to change.
async fn carry_out(store: &Store, event: &Event, now: Timestamp) -> Result<bool, StoreError> {
    let Event { subscriber: id, at, what } = event;
    if *what == What::Complaint {
        // First what outlives the record; done twice it is done once.
        store.suppress(*id, "complained").await?;
    }
    let mut changed = false;
    let change = |subscriber: &mut Subscriber| {
        changed = match what {
            What::Bounce { class, status, .. } => subscriber.bounces.bounced(*class, *status, *at),
            What::Complaint => subscriber.bounces.complained(*at),
            What::Leave => subscriber.leave(*at, now),
        };
        changed
    };
    store.update(*id, change).await?;
    Ok(changed)
}
