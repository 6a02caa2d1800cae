//! The news, as digests know it: which articles were alerted to, and what earlier runs knew of them. In memory, by a tail.
//!
//! The head of an alert's plan makes its article news for digests, too. Heads and runs are in one stream, so a run that
//! says up to which sequence it knew them says exactly which: every other is for a later run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use article::{ArticleId, PublisherId};
use bus::{Bus, Tail, TailEvent};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use topology::{JOBS, subjects};

use super::chunk::{Run, slot_of};
use super::due::Days;
use crate::plan::{Head, Kind, Lane};

/// As long as JOBS has them: what was published before a long pause is due after it. About 150 bytes an article.
const KNOWN_FOR: SignedDuration = SignedDuration::from_hours(400 * 24);

/// An article that was alerted to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Alerted {
    pub article: ArticleId,
    pub publisher: PublisherId,
    /// When and where the log stored the revision that called for the alert.
    pub published: Timestamp,
    pub sequence: u64,
    /// Whether no cap held it back.
    pub breaking: bool,
    /// As [`Head::caps_seen`].
    pub caps_seen: u64,
}

/// An article, and from when on runs knew it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub alerted: Alerted,
    /// Its publication, or the slot of the last run that was made before it was planned.
    pub since: Timestamp,
}

/// What the log said, up to a sequence.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// By the sequence of their heads.
    alerted: BTreeMap<u64, Alerted>,
    /// What each run knew.
    runs: BTreeMap<Timestamp, u64>,
    /// Those of them that had something to send.
    digests: BTreeSet<Timestamp>,
    seen: u64,
    caps_seen: u64,
}

impl Log {
    pub(crate) fn plan(&mut self, head: Head, sequence: u64) {
        if head.kind == Kind::Digest {
            self.digests.extend(slot_of(&head.plan));
        }
        let (Kind::Alert, Some(article), Some(publisher)) = (head.kind, head.article, head.publisher) else { return };
        // Older versions did not say when.
        let published = head.published.unwrap_or(head.planned_at);
        let (breaking, caps_seen) = (head.lane == Lane::Breaking, head.caps_seen);
        let alerted = Alerted { article, publisher, published, sequence: head.article_sequence, breaking, caps_seen };
        self.caps_seen = self.caps_seen.max(caps_seen);
        self.alerted.insert(sequence, alerted);
    }

    pub(crate) fn run(&mut self, run: Run) {
        self.runs.insert(run.slot, run.seen);
        let past = |at: Timestamp| run.slot.duration_since(at) > KNOWN_FOR;
        while self.runs.first_key_value().is_some_and(|(slot, _)| past(*slot)) {
            self.runs.pop_first();
        }
        while self.digests.first().is_some_and(|slot| past(*slot)) {
            self.digests.pop_first();
        }
        while self.alerted.first_key_value().is_some_and(|(_, alerted)| past(alerted.published)) {
            self.alerted.pop_first();
        }
    }

    pub(crate) fn saw(&mut self, sequence: u64) {
        self.seen = self.seen.max(sequence);
    }

    /// The slots of the runs after `since`.
    pub(crate) fn runs_after(&self, since: Timestamp) -> Vec<Timestamp> {
        self.runs.range(since..).map(|(slot, _)| *slot).collect()
    }

    /// The news that was published or became known on one of `days`, the first known first; and the sequence up to which
    /// this is all. Both count: what is published before a pause and known within it is due after it.
    pub(crate) fn known(&self, days: &Days) -> (Vec<Known>, u64) {
        let runs = self.runs();
        let since = |head: u64, published: Timestamp| known_from(&runs, head, published).1;
        let all = self.alerted.iter().map(|(head, alerted)| (since(*head, alerted.published), alerted));
        let wanted = all.filter(|(since, alerted)| days.has(*since) || days.has(alerted.published));
        let mut known: Vec<Known> = wanted.map(|(since, alerted)| Known { alerted: alerted.clone(), since }).collect();
        known.sort_by_key(|known| known.since);
        (known, self.seen)
    }

    /// Since when an article is known that was `published` then and whose alert's head is at `head`; and the slots of the
    /// digests that may have it, the first first.
    pub(crate) fn digests_after(&self, head: u64, published: Timestamp) -> (Timestamp, Vec<Timestamp>) {
        let runs = self.runs();
        let (missed, since) = known_from(&runs, head, published);
        let digests = runs[missed..].iter().map(|(slot, _)| *slot).filter(|slot| self.digests.contains(slot));
        (since, digests.collect())
    }

    fn runs(&self) -> Vec<(Timestamp, u64)> {
        self.runs.iter().map(|(slot, seen)| (*slot, *seen)).collect()
    }
}

/// How many of `runs` did not know the article whose head is at `head`, and since when the others do. A later run knows no
/// less, so the newest that did not know an article is right before the first that did.
fn known_from(runs: &[(Timestamp, u64)], head: u64, published: Timestamp) -> (usize, Timestamp) {
    let missed = runs.partition_point(|(_, seen)| *seen < head);
    (missed, missed.checked_sub(1).map_or(published, |last| published.max(runs[last].0)))
}

/// The log in memory.
#[derive(Debug)]
pub(crate) struct News {
    log: Mutex<Log>,
    seen: watch::Sender<u64>,
}

impl News {
    pub(crate) fn new() -> Self {
        Self { log: Mutex::default(), seen: watch::Sender::new(0) }
    }

    /// Until the tail, of [`subjects::PLANNED`], ends; calls `caught_up` once all that was there is in memory.
    pub(crate) async fn follow(&self, mut tail: Tail, caught_up: impl FnOnce()) {
        let mut caught_up = Some(caught_up);
        while let Some(event) = tail.next().await {
            match event {
                TailEvent::CaughtUp => drop(caught_up.take().map(|caught_up| caught_up())),
                TailEvent::Message { subject, payload, sequence, .. } => self.learn(&subject, &payload, sequence),
            }
        }
    }

    fn learn(&self, subject: &str, payload: &[u8], sequence: u64) {
        let mut log = self.lock();
        let read = match subjects::planned(subject) {
            Some(subjects::Planned::Plan) => serde_json::from_slice(payload).map(|head| log.plan(head, sequence)),
            Some(subjects::Planned::Run) => serde_json::from_slice(payload).map(|run| log.run(run)),
            None => Ok(()),
        };
        log.saw(sequence);
        drop(log);
        if let Err(error) = read {
            tracing::error!(subject, %error, "a plan does not read; digests will not have its article");
        }
        self.seen.send_replace(sequence);
    }

    /// Waits until everything that was planned until now is known.
    ///
    /// # Errors
    /// When the log cannot be read or is not caught up with in 5 s.
    pub(crate) async fn catch_up(&self, bus: &Bus) -> Result<(), String> {
        let caught_up = bus.catch_up(&JOBS, subjects::PLANNED, self.seen.subscribe()).await;
        caught_up.map(drop).map_err(|error| error.to_string())
    }

    /// The most that any of the heads so far says was known of caps.
    pub(crate) fn caps_seen(&self) -> u64 {
        self.lock().caps_seen
    }

    /// As [`Log::runs_after`].
    pub(crate) fn runs_after(&self, since: Timestamp) -> Vec<Timestamp> {
        self.lock().runs_after(since)
    }

    /// As [`Log::digests_after`].
    pub(crate) fn digests_after(&self, head: u64, published: Timestamp) -> (Timestamp, Vec<Timestamp>) {
        self.lock().digests_after(head, published)
    }

    /// As [`Log::known`].
    pub(crate) fn known(&self, days: &Days) -> (Vec<Known>, u64) {
        self.lock().known(days)
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().expect("no code panics while it holds this lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::belong::Terms;
    use crate::digest::due::{Dues, Window};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn head(n: u64, kind: &str, published: Option<&str>) -> Head {
        let publisher: PublisherId = "test".parse().unwrap();
        let article = ArticleId::derived(&publisher, "test", &n.to_be_bytes());
        let head = serde_json::json!({
            "plan": "p", "article": article, "publisher": publisher, "kind": kind, "revision": 1, "lane": "normal",
            "matched": 0, "chunks": 0, "planned_at": "2026-11-23T09:30:00Z", "published": published, "article_sequence": n,
        });
        serde_json::from_value(head).unwrap()
    }

    fn all_days() -> Days {
        let spans = [crate::span::Span {
            selection: subscription::Selection::everything(),
            frequency: "weekly@tue@00".parse().unwrap(),
            since: at("2026-01-01T00:00:00Z"),
            until: None,
            left: false,
            zone: None,
        }];
        let zone = jiff::tz::TimeZone::UTC;
        let terms = Terms { zone: &zone, spans: &spans, pauses: &[], caps: &[] };
        let window = Window { after: at("2026-11-23T23:45:00Z"), until: at("2026-11-24T00:00:00Z") };
        let mut days = Days::default();
        Dues::new(window).since(&terms, false, &mut days);
        days
    }

    #[test]
    fn what_a_run_did_not_know_is_known_from_that_run_on() {
        let mut log = Log::default();
        let run = |slot, seen| Run { slot: at(slot), seen };
        log.plan(head(1, "alert", Some("2026-11-23T08:00:00Z")), 10);
        log.run(run("2026-11-23T08:15:00Z", 10));
        // Planned late: the run of 8:15 had seen up to 10, the one of 8:30 up to 11.
        log.plan(head(2, "alert", Some("2026-11-23T08:10:00Z")), 12);
        log.run(run("2026-11-23T08:30:00Z", 11));
        log.run(run("2026-11-23T08:45:00Z", 12));
        log.plan(head(3, "alert", Some("2026-11-23T09:00:00Z")), 13);
        log.plan(head(4, "withdrawal", Some("2026-11-23T09:00:00Z")), 14);
        log.plan(head(5, "alert", None), 15);
        log.plan(head(6, "alert", Some("2026-11-01T09:00:00Z")), 16);
        log.saw(17);
        let (known, seen) = log.known(&all_days());
        let since: Vec<(u64, Timestamp)> = known.iter().map(|known| (known.alerted.sequence, known.since)).collect();
        let expected = [
            (1, "2026-11-23T08:00:00Z"),
            (2, "2026-11-23T08:30:00Z"),
            // Of no day that is asked for, but it was planned now.
            (6, "2026-11-23T08:45:00Z"),
            (3, "2026-11-23T09:00:00Z"),
            (5, "2026-11-23T09:30:00Z"),
        ];
        assert_eq!(since, expected.map(|(n, since)| (n, at(since))));
        assert_eq!(seen, 17);
    }

    #[test]
    fn the_digests_that_may_have_an_article_are_those_that_knew_it() {
        let mut log = Log::default();
        let slots = ["2026-11-23T08:15:00Z", "2026-11-23T08:30:00Z", "2026-11-23T08:45:00Z", "2027-11-23T08:45:00Z"];
        for (slot, seen) in slots.map(at).into_iter().zip([11, 11, 15, 20]) {
            log.run(Run { slot, seen });
        }
        let digest = |slot| Head { plan: crate::digest::chunk::plan_key(at(slot)), ..head(0, "digest", None) };
        for (sequence, slot) in [slots[0], slots[2], slots[3]].into_iter().enumerate() {
            log.plan(digest(slot), sequence as u64);
        }
        let published = at("2026-11-23T08:10:00Z");
        let cases = [
            (11, published, &[slots[0], slots[2], slots[3]][..]),
            (12, at(slots[1]), &[slots[2], slots[3]]),
            (16, at(slots[2]), &[slots[3]]),
            (21, at(slots[3]), &[]),
        ];
        for (head, since, digests) in cases {
            let digests: Vec<Timestamp> = digests.iter().map(|slot| at(slot)).collect();
            assert_eq!(log.digests_after(head, published), (since, digests), "{head}");
        }
    }

    #[test]
    fn what_jobs_has_no_more_takes_no_room() {
        let mut log = Log::default();
        log.plan(head(1, "alert", Some("2026-11-23T08:00:00Z")), 1);
        log.plan(Head { plan: "digest-1795421700".into(), ..head(0, "digest", None) }, 1);
        log.run(Run { slot: at("2026-11-23T08:15:00Z"), seen: 1 });
        log.run(Run { slot: at("2027-12-20T08:15:00Z"), seen: 1 });
        assert_eq!((log.alerted.len(), log.runs.len(), log.digests.len()), (1, 2, 1));
        log.run(Run { slot: at("2028-01-20T08:15:00Z"), seen: 1 });
        assert_eq!((log.alerted.len(), log.runs.len(), log.digests.len()), (0, 2, 0));
    }
}
