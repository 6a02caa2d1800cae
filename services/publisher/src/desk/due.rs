//! What the desk does of its own accord: ends embargoes at their time and erases killed text, called by the server, and
//! sweeps for what no call has come for. Any number of replicas do this at once; each step is safe to repeat.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use article::wire::v1::Envelope;
use article::{ArticleId, PublisherId, Status};
use bus::{Delivery, Disposition, TailEvent};
use jiff::{SignedDuration, Timestamp};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use topology::subjects::{DueCall, due_call};
use topology::{DESK_DUE, EMBARGOES};

use super::Desk;
use crate::refusal::Refusal;

/// Calls worked on at one time.
const WORKERS: usize = 4;

/// How often the sweep looks. The stream of calls drops the oldest when it is full, so a call may never come.
const SWEEP: Duration = Duration::from_secs(60);

/// The longest that a call which came early is held back here instead of being scheduled anew.
const HELD_BACK: SignedDuration = SignedDuration::from_secs(30);

/// How long after the call for it a kill may still be written: twice what a request may take.
const KILL_FOLLOWS: SignedDuration = SignedDuration::from_secs(60);

/// Looks for that kill before its call is let go, a minute of them: the server's clock, which dates the call, and ours
/// may disagree.
const LOOKS: i64 = 40;

impl Desk {
    /// Works until `shutdown`.
    pub(crate) async fn keep_hours(self, shutdown: CancellationToken) {
        let desk = self.clone();
        let handler = move |delivery: Arc<Delivery>| {
            let desk = desk.clone();
            async move { desk.called(&delivery).await }
        };
        tokio::join!(
            self.bus.consume(&DESK_DUE, WORKERS, handler, shutdown.clone()),
            self.sweep(shutdown.clone()),
            self.watch_room(shutdown),
        );
    }

    async fn called(&self, delivery: &Delivery) -> Disposition {
        let Some((call, publisher, id)) = due_call(&delivery.subject) else {
            return Disposition::Discard("not a call of the publisher's".into());
        };
        let now = service_kit::now();
        let done = match call {
            DueCall::Release => match self.end_embargo(&publisher, id, now).await {
                Ok(Some(until)) if until.duration_since(now) > HELD_BACK => {
                    self.call_at(&publisher, id, until).await;
                    Ok(Disposition::Done)
                }
                Ok(Some(until)) => {
                    let wait = until.duration_since(now).unsigned_abs();
                    Ok(Disposition::Retry(wait.max(Duration::from_millis(1))))
                }
                Ok(None) => Ok(Disposition::Done),
                Err(refusal) => Err(refusal),
            },
            DueCall::Erasure => match self.erase_killed(&publisher, id).await {
                Ok(true) => Ok(Disposition::Done),
                Ok(false) => Ok(until_the_kill(delivery, now).map_or(Disposition::Done, Disposition::Retry)),
                Err(refusal) => Err(refusal),
            },
        };
        done.unwrap_or_else(|refusal| match refusal {
            Refusal::Unavailable => Disposition::Retry(Duration::from_secs(1)),
            Refusal::Full => Disposition::Retry(Duration::from_secs(5)),
            Refusal::Unreadable => Disposition::Discard("a revision of the article cannot be read".into()),
            other => Disposition::Discard(format!("the article cannot go on: {other:?}")),
        })
    }

    /// Follows the embargoes and ends those whose time is over, or whose move to the log was interrupted.
    async fn sweep(&self, shutdown: CancellationToken) {
        let mut tail = self.bus.tail(&EMBARGOES, shutdown.clone());
        let mut ticks = tokio::time::interval(SWEEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Bounded by the stream's own limit.
        let mut waiting = Waiting::default();
        let mut caught_up = false;
        loop {
            tokio::select! {
                event = tail.next() => match event {
                    None => return,
                    Some(TailEvent::Message { subject, payload, .. }) => {
                        waiting.note(&subject, &payload);
                        continue;
                    }
                    Some(TailEvent::CaughtUp) => caught_up = true,
                },
                _ = ticks.tick() => {}
            }
            // Whatever a shutdown interrupts is taken up again by the next sweep.
            let ending = Box::pin(self.end_overdue(&mut waiting, service_kit::now()));
            if caught_up && shutdown.run_until_cancelled(ending).await.is_none() {
                return;
            }
        }
    }

    async fn end_overdue(&self, waiting: &mut Waiting, now: Timestamp) {
        for (publisher, id) in waiting.overdue(now) {
            match self.end_embargo(&publisher, id, now).await {
                Ok(None) => waiting.0.remove(&(publisher, id)),
                Ok(Some(until)) => waiting.0.insert((publisher, id), until),
                Err(refusal) => {
                    tracing::error!(article = %id, "an embargo is over and could not be ended: {refusal:?}");
                    None
                }
            };
        }
    }
}

/// The pause before the next look for the kill that a call announces, which is usually milliseconds behind; `None` once
/// it cannot come any more.
fn until_the_kill(delivery: &Delivery, now: Timestamp) -> Option<Duration> {
    let over = delivery.attempt >= LOOKS && now.duration_since(delivery.stored_at) >= KILL_FOLLOWS;
    (!over).then(|| Duration::from_millis(if delivery.attempt < 8 { 100 } else { 2000 }))
}

/// When each embargo ends.
#[derive(Default)]
struct Waiting(HashMap<(PublisherId, ArticleId), Timestamp>);

impl Waiting {
    fn note(&mut self, subject: &str, payload: &[u8]) {
        let article = match Envelope::from_bytes(payload) {
            Ok(envelope) => envelope.data,
            Err(error) => return tracing::error!(subject, "an embargoed revision cannot be read: {error}"),
        };
        let key = (article.publisher, article.id);
        match article.status {
            Status::Embargoed => self.0.insert(key, article.embargoed_until.unwrap_or(Timestamp::MIN)),
            // On its way to the log.
            Status::Published => self.0.insert(key, Timestamp::MIN),
            _ => self.0.remove(&key),
        };
    }

    fn overdue(&self, now: Timestamp) -> Vec<(PublisherId, ArticleId)> {
        self.0.iter().filter(|(_, until)| **until <= now).map(|(key, _)| key.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_wrong_does_not_leave_a_killed_text() {
        let stored_at: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let waits = |attempt: i64, seconds: i64| {
            let (subject, payload) = (String::new(), bytes::Bytes::new());
            let delivery = Delivery { subject, payload, sequence: 1, stored_at, attempt };
            until_the_kill(&delivery, stored_at + SignedDuration::from_secs(seconds)).is_some()
        };
        for (attempt, seconds, expected) in
            [(1, 0, true), (1, 3600, true), (39, 3600, true), (40, 59, true), (1, -3600, true), (40, 60, false)]
        {
            assert_eq!(waits(attempt, seconds), expected, "delivery {attempt} after {seconds} s");
        }
        let all: Duration = (1..LOOKS)
            .filter_map(|attempt| {
                let (subject, payload) = (String::new(), bytes::Bytes::new());
                until_the_kill(&Delivery { subject, payload, sequence: 1, stored_at, attempt }, stored_at)
            })
            .sum();
        assert!(all > Duration::from_secs(60), "{all:?}");
    }
}
