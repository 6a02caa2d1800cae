//! How many calls one host gets at a time, and all that are slow together, so that whoever hangs holds up nobody else. Each
//! replica keeps to it for itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Calls under way to one host.
const CALLS: usize = 2;
/// Workers at one host, those included that wait for one of its calls to end; the next call is then made without delay.
const WORKERS: usize = 4;
/// Workers at hosts that were slow, and at those that are asked something and were never heard of: whoever owns a domain has
/// names without end. Half of all there are.
const DOUBTFUL: usize = 16;
/// A call that takes no longer is quick.
const QUICK: Duration = Duration::from_secs(2);
/// How long a worker waits for a call to end.
const PATIENCE: Duration = Duration::from_secs(2);
/// Hosts remembered, some 300 bytes each, before those that nobody is at are forgotten.
const SWEEP_AT: usize = 20_000;

#[derive(Default)]
pub(crate) struct Hosts {
    known: Arc<Mutex<HashMap<String, Host>>>,
    doubtful: Doubtful,
}

struct Doubtful(Arc<Semaphore>);

impl Default for Doubtful {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(DOUBTFUL)))
    }
}

#[derive(Clone)]
struct Host {
    workers: Arc<Semaphore>,
    calls: Arc<Semaphore>,
    /// Whether the last call was; `None` before the first.
    quick: Option<bool>,
}

/// Leave to call a host; ends when it is dropped.
pub(crate) struct Leave {
    _worker: OwnedSemaphorePermit,
    _call: OwnedSemaphorePermit,
    _doubtful: Option<OwnedSemaphorePermit>,
    since: Instant,
    host: String,
    known: Arc<Mutex<HashMap<String, Host>>>,
}

impl Drop for Leave {
    fn drop(&mut self) {
        if let Some(host) = lock(&self.known).get_mut(&self.host) {
            host.quick = Some(self.since.elapsed() <= QUICK);
        }
    }
}

impl Hosts {
    /// Leave to call `host`, of which nobody knows yet whether it wants that if it `is_asked`. `None`: too many are there,
    /// and waiting would keep others from their work.
    pub(crate) async fn enter(&self, host: &str, is_asked: bool) -> Option<Leave> {
        let at = self.at(host);
        let is_doubtful = !at.quick.unwrap_or(!is_asked);
        let worker = at.workers.try_acquire_owned().ok()?;
        let doubtful = match is_doubtful {
            true => Some(self.doubtful.0.clone().try_acquire_owned().ok()?),
            false => None,
        };
        let call = tokio::time::timeout(PATIENCE, at.calls.acquire_owned()).await.ok()?.ok()?;
        Some(Leave {
            _worker: worker,
            _call: call,
            _doubtful: doubtful,
            since: Instant::now(),
            host: host.to_owned(),
            known: self.known.clone(),
        })
    }

    fn at(&self, host: &str) -> Host {
        let mut known = lock(&self.known);
        if known.len() >= SWEEP_AT {
            known.retain(|_, host| host.workers.available_permits() < WORKERS);
        }
        let fresh =
            || Host { workers: Arc::new(Semaphore::new(WORKERS)), calls: Arc::new(Semaphore::new(CALLS)), quick: None };
        known.entry(host.to_owned()).or_insert_with(fresh).clone()
    }
}

fn lock(known: &Mutex<HashMap<String, Host>>) -> MutexGuard<'_, HashMap<String, Host>> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_host_holds_four_workers_at_most_and_gets_two_calls_at_a_time() {
        let hosts = Arc::new(Hosts::default());
        let (first, second) = (hosts.enter("slow", false).await.unwrap(), hosts.enter("slow", false).await.unwrap());
        let waiting = tokio::spawn({
            let hosts = hosts.clone();
            async move { hosts.enter("slow", false).await }
        });
        let in_vain = tokio::spawn({
            let hosts = hosts.clone();
            async move { hosts.enter("slow", false).await.is_none() }
        });
        tokio::task::yield_now().await;
        assert!(hosts.enter("slow", false).await.is_none(), "the fifth does not wait");
        assert!(hosts.enter("quick", false).await.is_some(), "another host is no worse off");
        drop(first);
        let third = waiting.await.unwrap().expect("who waited is next");
        assert!(in_vain.await.unwrap(), "nobody waits for ever");
        drop((second, third));
        assert!(hosts.enter("slow", false).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn slow_hosts_together_leave_half_of_the_workers_to_the_others() {
        let hosts = Hosts::default();
        drop(hosts.enter("quick", true).await);
        let mut at_strangers = Vec::new();
        for n in 0..DOUBTFUL {
            at_strangers.extend(hosts.enter(&format!("stranger-{n}"), true).await);
        }
        assert_eq!(at_strangers.len(), DOUBTFUL);
        assert!(hosts.enter("stranger", true).await.is_none(), "however many names there are");
        assert!(hosts.enter("quick", true).await.is_some(), "it was quick the last time");
        assert!(hosts.enter("subscriber", false).await.is_some(), "it has said that it wants to be called");
        tokio::time::advance(QUICK * 2).await;
        at_strangers.clear();
        for n in 0..DOUBTFUL {
            at_strangers.extend(hosts.enter(&format!("stranger-{n}"), false).await);
        }
        assert!(hosts.enter("stranger-0", false).await.is_none(), "it was slow");
        at_strangers.clear();
        assert!(hosts.enter("stranger-0", false).await.is_some());
    }
}
