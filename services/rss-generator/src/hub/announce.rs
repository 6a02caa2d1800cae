//! Sees to it that everybody who should be told is called for: at once when a feed changes, and once a minute whoever
//! was forgotten.
//!
//! Every replica does so for every change; the calls carry ids by which the server takes each once.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bus::{Bus, Level, TailEvent};
use futures::StreamExt;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use topology::{HUB, HUB_DELIVERIES, subjects};

use crate::hub::index::{Index, Wanted};
use crate::hub::metrics::Counts;
use crate::hub::record::{Call, Progress, SubscriberId, Subscription};
use crate::hub::store::{Store, StoreError};
use crate::library::{Key, Library};
use crate::maker::{Made, Maker};

/// From one look for the forgotten to the next.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Before the library has caught up, or when there was no room to make a feed.
const LOOK_SOON: Duration = Duration::from_secs(1);
/// Calls written at one time. The server writes what arrives together to the disk together.
const AT_A_TIME: usize = 64;
/// Seconds in which one version of a topic is called for once. A feed that goes back to what it was is called for again
/// after that, or at the next look.
const SAME_CALL: i64 = 10;

#[derive(Clone)]
pub(crate) struct Announcer {
    pub(crate) bus: Bus,
    pub(crate) store: Store,
    pub(crate) index: Arc<Index>,
    pub(crate) library: Arc<Library>,
    pub(crate) maker: Maker,
    pub(crate) applied: Arc<AtomicU64>,
    pub(crate) counts: Arc<Counts>,
    /// A topic has changed.
    pub(crate) news: Arc<Notify>,
    /// A topic is new to this process.
    pub(crate) strange: Arc<Notify>,
}

impl Announcer {
    /// Follows who subscribes, and tells when all is known that was there at the start.
    pub(crate) async fn follow_subscriptions(self, known: CancellationToken, shutdown: CancellationToken) {
        let mut tail = self.bus.tail_subject(&HUB, subjects::HUB_SUBSCRIPTIONS, shutdown);
        while let Some(event) = tail.next().await {
            let TailEvent::Message { subject, payload, .. } = event else {
                known.cancel();
                continue;
            };
            let Some(id) = SubscriberId::of_subject(&subject) else { continue };
            let record = (!payload.is_empty()).then(|| Subscription::from_bytes(&payload)).transpose();
            match record {
                Ok(record) => {
                    if self.index.subscription(id, record.as_ref(), service_kit::now()) {
                        self.strange.notify_one();
                    }
                }
                Err(error) => tracing::error!(subject, %error, "a WebSub subscription does not read"),
            }
        }
    }

    /// Follows what each subscriber has been sent.
    pub(crate) async fn follow_progress(self, known: CancellationToken, shutdown: CancellationToken) {
        let mut tail = self.bus.tail_subject(&HUB, subjects::HUB_PROGRESS, shutdown);
        while let Some(event) = tail.next().await {
            let TailEvent::Message { subject, payload, .. } = event else {
                known.cancel();
                continue;
            };
            // Whoever works with it says so when it does not read.
            if let Some(id) = SubscriberId::of_subject(&subject) {
                self.index.progress(id, Progress::from_bytes(&payload).ok());
            }
        }
    }

    /// Calls for everybody whose topic has changed, until `shutdown`.
    pub(crate) async fn announce(self, shutdown: CancellationToken) {
        loop {
            let (wanted, again) = self.index.announce(service_kit::now(), Instant::now());
            self.call(wanted).await;
            let rested = async {
                match again {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.news.notified() => {}
                () = rested => {}
                () = shutdown.cancelled() => return,
            }
        }
    }

    /// Once a minute, and when a topic is new to this process: has the feeds kept up that somebody subscribes to, looks at
    /// each, and calls for those who were forgotten.
    pub(crate) async fn look(self, shutdown: CancellationToken) {
        let mut kept = HashSet::new();
        loop {
            let looked = self.library.is_caught_up() && self.look_once(&mut kept).await;
            let pause = if looked { LOOK_EVERY } else { LOOK_SOON };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.strange.notified() => {}
                () = shutdown.cancelled() => return,
            }
        }
    }

    /// `false`: some feeds could not be looked at.
    ///
    /// Of a request that comes to nothing some 900 bytes stay in the stream for an hour or two, and strangers can make many.
    async fn look_once(&self, kept: &mut HashSet<Key>) -> bool {
        self.index.sweep(service_kit::now());
        let topics = self.index.topics();
        if topics != *kept {
            self.maker.keep(topics.clone());
            kept.clone_from(&topics);
        }
        let (subscriptions, unconfirmed) = self.index.counts();
        self.counts.topics.set(count(topics.len()));
        self.counts.subscriptions.set(count(subscriptions));
        self.counts.unconfirmed.set(count(unconfirmed));
        if let Ok(backlog) = self.bus.backlog(&HUB_DELIVERIES).await {
            self.counts.waiting.set(i64::try_from(backlog.waiting + backlog.unacknowledged).unwrap_or(i64::MAX));
        }
        if let Ok(Level { used, limit: Some(limit) }) = self.bus.level(&HUB).await {
            self.index.crowded(used > limit / 4 * 3);
        }
        let mut looked = true;
        for key in topics {
            match self.maker.get(&key).await {
                Made::Document(document) => {
                    let wanted = self.index.missed(&key, &document, service_kit::now());
                    self.call(wanted).await;
                }
                Made::Nothing => {}
                Made::Starting | Made::Busy => looked = false,
            }
        }
        looked
    }

    async fn call(&self, wanted: Vec<Wanted>) {
        let (now, sequence) = (service_kit::now(), self.applied.load(Ordering::Acquire));
        let calls = futures::stream::iter(wanted).map(|wanted| async move {
            let Wanted { id, until, tag } = wanted;
            let reason = format!("{}/{}", tag.as_deref().unwrap_or("look"), now.as_second() / SAME_CALL);
            let call = Call { tag, sequence };
            Some((id, self.store.call(&id, &call, &reason, until, now).await.err()?))
        });
        let failed = calls.buffer_unordered(AT_A_TIME).filter_map(std::future::ready);
        let (ids, errors): (Vec<SubscriberId>, Vec<StoreError>) = failed.unzip().await;
        if let Some(error) = errors.first() {
            tracing::warn!(subscribers = ids.len(), %error, "WebSub subscribers cannot be called for yet");
            self.index.again(&ids, Instant::now());
            self.news.notify_one();
        }
    }
}

fn count(of: usize) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}
