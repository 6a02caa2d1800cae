//! Caps on alerts: who has had as many as they want for today, and whom a storm of news would bury.
//!
//! Who is over is written in the log once for each subscriber and day, by the plan that fills it, in that plan's own
//! batch. A plan's head says how much of that was known when it was made. So whether an article was too much for somebody
//! is, for everybody and for ever, a function of their record, the article's head and the log: what the planner leaves
//! out is exactly what a digest brings.
//!
//! Breaking news is never held back, and does not count.

mod storm;
#[cfg(test)]
mod tests;
mod word;

use std::collections::HashMap;
use std::sync::{Mutex, RwLock};
use std::time::Duration;

use bus::{Bus, Tail, TailEvent};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use roaring::RoaringBitmap;
use tokio::sync::watch;
use topology::{JOBS, subjects};

use self::storm::Storm;
pub(crate) use self::word::{Tally, Word};
use crate::span::{Cap, CapSpan};
use crate::subscriber::SubscriberId;

/// What was over is asked for as long as a digest may bring it: two weeks where a country skipped a day, and a day.
pub(crate) const KNOWN_FOR: SignedDuration = SignedDuration::from_hours(17 * 24);

/// Waiting for what the log has and we have not seen yet.
const CATCH_UP: Duration = Duration::from_secs(5);

/// The caps of all subscribers, as far as they are filled. Some 100 bytes for each who was over lately.
pub(crate) struct Caps {
    inner: RwLock<Inner>,
    storm: Mutex<Storm>,
    /// Sequence of the last word taken over; all before it were.
    seen: watch::Sender<u64>,
}

#[derive(Default)]
struct Inner {
    /// By the number that `full` knows them by.
    fills: HashMap<u32, Fill>,
    next: u32,
    full: HashMap<SubscriberId, Vec<u32>>,
    /// Alerts on the newest of their days, which ends then.
    counts: HashMap<SubscriberId, (Timestamp, u32)>,
    /// When what nobody asks for any more was last let go.
    pruned: Timestamp,
}

/// That somebody is over.
#[derive(Debug, Clone, Copy)]
struct Fill {
    sequence: u64,
    /// When the article was published that filled it.
    at: Timestamp,
    until: Timestamp,
    storm: bool,
}

impl Caps {
    pub(crate) fn new() -> Self {
        Self { inner: RwLock::default(), storm: Mutex::default(), seen: watch::Sender::new(0) }
    }

    /// Whether an article that is not breaking news, and was `published` then, was more than the caps of somebody let
    /// through at once, `seen` being what its planner knew ([`crate::plan::Head::caps_seen`]). It comes with a digest.
    ///
    /// From memory: whoever asks about the heads of others waits for [`Caps::has_seen`] first.
    pub(crate) fn over_at(&self, id: &SubscriberId, caps: &[CapSpan], published: Timestamp, seen: u64) -> bool {
        let inner = self.inner.read().expect("no code panics while it holds this lock");
        let Some(fills) = inner.full.get(id) else { return false };
        let cap = caps.iter().find(|cap| cap.covers(published));
        fills.iter().filter_map(|fill| inner.fills.get(fill)).any(|fill| {
            // Whoever has another cap since begins anew.
            let theirs = cap.map_or(fill.storm, |cap| !fill.storm && cap.since <= fill.at);
            theirs && fill.sequence <= seen && published < fill.until
        })
    }

    /// Whether anything may be over for them.
    pub(crate) fn may_be_over(&self, id: &SubscriberId) -> bool {
        self.inner.read().expect("no code panics while it holds this lock").full.contains_key(id)
    }

    /// Alerts that count for somebody on the day that ends at `until`.
    pub(crate) fn count(&self, id: &SubscriberId, until: Timestamp) -> u32 {
        let inner = self.inner.read().expect("no code panics while it holds this lock");
        inner.counts.get(id).filter(|(known, _)| *known == until).map_or(0, |(_, count)| *count)
    }

    /// Of these readers, by their numbers in the index, those for whom the alert planned at `now` is the last for a while.
    pub(crate) fn filled_by_storm(&self, numbers: &RoaringBitmap, now: Timestamp) -> RoaringBitmap {
        self.storm().filled(numbers, now)
    }

    /// Notes that they were planned an alert at `now`.
    pub(crate) fn planned(&self, numbers: &RoaringBitmap, now: Timestamp) {
        self.storm().learn(numbers, now);
    }

    /// Up to which sequence all that was said of caps is known.
    pub(crate) fn seen(&self) -> u64 {
        *self.seen.borrow()
    }

    /// Waits until everything that counts against caps is known, and answers the sequence of the last word of that: whoever
    /// counts, too, expects it to be the last still.
    ///
    /// # Errors
    /// When the log cannot be read or is not caught up with in 5 s.
    pub(crate) async fn catch_up(&self, bus: &Bus) -> Result<u64, String> {
        let last = bus.last(&JOBS, subjects::CAPPED_TURN).await.map_err(|error| error.to_string())?;
        let sequence = last.map_or(0, |last| last.sequence);
        self.has_seen(sequence).await.map(|()| sequence)
    }

    /// Waits until all that was said of caps up to `sequence`, of a head's `caps_seen`, is known here.
    ///
    /// # Errors
    /// When it is not in 5 s.
    pub(crate) async fn has_seen(&self, sequence: u64) -> Result<(), String> {
        let mut seen = self.seen.subscribe();
        match tokio::time::timeout(CATCH_UP, seen.wait_for(|seen| *seen >= sequence)).await {
            Ok(_) => Ok(()),
            Err(_) => Err("what is known of caps is behind the log".into()),
        }
    }

    /// Until the tail, of [`subjects::CAPPED`], ends.
    pub(crate) async fn follow(&self, mut tail: Tail) {
        while let Some(event) = tail.next().await {
            let TailEvent::Message { subject, payload, sequence, .. } = event else { continue };
            // The turn says nothing but that it was taken, and what has expired nothing at all.
            if subject != subjects::CAPPED_TURN && !payload.is_empty() {
                match serde_json::from_slice(&payload) {
                    Ok(word) => self.learn(&word, sequence, service_kit::now()),
                    Err(error) => tracing::error!(subject, %error, "what a plan says of caps does not read"),
                }
            }
            self.saw(sequence);
        }
    }

    fn saw(&self, sequence: u64) {
        self.seen.send_replace(sequence);
    }

    fn learn(&self, word: &Word, sequence: u64, now: Timestamp) {
        let mut inner = self.inner.write().expect("no code panics while it holds this lock");
        for day in &word.days {
            for id in day.counted.iter().chain(&day.full).filter(|_| !day.storm) {
                let count = inner.counts.entry(*id).or_insert((day.until, 0));
                // What is planned late counts for no day that is over.
                if count.0 < day.until {
                    *count = (day.until, 0);
                }
                count.1 += u32::from(count.0 == day.until);
            }
            if !day.full.is_empty() {
                let fill = inner.next;
                inner.next = fill.wrapping_add(1);
                inner.fills.insert(fill, Fill { sequence, at: word.at, until: day.until, storm: day.storm });
                day.full.iter().for_each(|id| inner.full.entry(*id).or_default().push(fill));
            }
        }
        inner.prune(now);
    }

    fn storm(&self) -> std::sync::MutexGuard<'_, Storm> {
        self.storm.lock().expect("no code panics while it holds this lock")
    }
}

impl Inner {
    /// Once an hour: it goes through everybody.
    fn prune(&mut self, now: Timestamp) {
        if now.duration_since(self.pruned) < SignedDuration::from_hours(1) {
            return;
        }
        self.pruned = now;
        self.counts.retain(|_, (until, _)| *until > now);
        let before = self.fills.len();
        self.fills.retain(|_, fill| now.duration_since(fill.until) < KNOWN_FOR);
        if self.fills.len() < before {
            let fills = &self.fills;
            self.full.retain(|_, of| {
                of.retain(|fill| fills.contains_key(fill));
                !of.is_empty()
            });
        }
    }
}

/// Whether one more alert after `before` of them is the last under this cap.
pub(crate) fn fills(cap: Cap, before: u32) -> bool {
    before + 1 >= u32::from(cap.alerts)
}

/// When the day of `at` ends in `zone`.
pub(crate) fn end_of_day(at: Timestamp, zone: &TimeZone) -> Timestamp {
    let tomorrow = zone.to_datetime(at).date().checked_add(1.day());
    let midnight = tomorrow.ok().and_then(|day| zone.to_ambiguous_timestamp(day.at(0, 0, 0, 0)).compatible().ok());
    // Where clocks were put back over midnight, the hour before it comes again after it.
    midnight.filter(|midnight| *midnight > at).unwrap_or(at + SignedDuration::from_hours(1))
}
