//! How many calls one host gets at a time, so that one that hangs does not hold every worker. Each replica keeps to it
//! for itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Calls under way to one host.
const CALLS: usize = 2;
/// Workers at one host, those included that wait for one of its calls to end; the next call is then made without delay.
const WORKERS: usize = 4;
/// How long a worker waits for that.
const PATIENCE: Duration = Duration::from_secs(2);
/// Hosts remembered before those that nobody is at are forgotten.
const SWEEP_AT: usize = 1024;

#[derive(Default)]
pub(crate) struct Hosts {
    busy: Mutex<HashMap<String, Host>>,
}

#[derive(Clone)]
struct Host {
    workers: Arc<Semaphore>,
    calls: Arc<Semaphore>,
}

/// Leave to call a host; ends when it is dropped.
pub(crate) struct Leave {
    _worker: OwnedSemaphorePermit,
    _call: OwnedSemaphorePermit,
}

impl Hosts {
    /// Leave to call `host`; `None`: too many are there, and waiting would keep others from their work.
    pub(crate) async fn enter(&self, host: &str) -> Option<Leave> {
        let at = self.at(host);
        let worker = at.workers.try_acquire_owned().ok()?;
        let call = tokio::time::timeout(PATIENCE, at.calls.acquire_owned()).await.ok()?.ok()?;
        Some(Leave { _worker: worker, _call: call })
    }

    fn at(&self, host: &str) -> Host {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        if busy.len() >= SWEEP_AT {
            busy.retain(|_, host| host.workers.available_permits() < WORKERS);
        }
        let fresh = || Host { workers: Arc::new(Semaphore::new(WORKERS)), calls: Arc::new(Semaphore::new(CALLS)) };
        busy.entry(host.to_owned()).or_insert_with(fresh).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_host_holds_four_workers_at_most_and_gets_two_calls_at_a_time() {
        let hosts = Arc::new(Hosts::default());
        let (first, second) = (hosts.enter("slow").await.unwrap(), hosts.enter("slow").await.unwrap());
        let waiting = tokio::spawn({
            let hosts = hosts.clone();
            async move { hosts.enter("slow").await }
        });
        let in_vain = tokio::spawn({
            let hosts = hosts.clone();
            async move { hosts.enter("slow").await.is_none() }
        });
        tokio::task::yield_now().await;
        assert!(hosts.enter("slow").await.is_none(), "the fifth does not wait");
        assert!(hosts.enter("quick").await.is_some(), "another host is no worse off");
        drop(first);
        let third = waiting.await.unwrap().expect("who waited is next");
        assert!(in_vain.await.unwrap(), "nobody waits for ever");
        drop((second, third));
        assert!(hosts.enter("slow").await.is_some());
    }
}
