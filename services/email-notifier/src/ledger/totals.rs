//! What became of a plan's recipients, all chunks together. Pure.

use jiff::Timestamp;
use serde::Serialize;

use super::{Ledger, State, Why};

/// Recipients by state; each is in exactly one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct States {
    pub planned: usize,
    pub submitting: usize,
    pub deferred: usize,
    pub uncertain: usize,
    /// In digests only: an answer was lost, and that is that.
    #[serde(skip_serializing_if = "is_zero")]
    pub unanswered: usize,
    pub accepted: usize,
    pub failed: usize,
    pub suppressed: usize,
    pub expired: usize,
}

/// Those that are suppressed, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Reasons {
    pub left: usize,
    pub withdrawn: usize,
    pub paused: usize,
    pub bounced: usize,
    pub complained: usize,
    pub cancelled: usize,
    pub empty: usize,
}

/// The sum of the records of a plan's chunks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Totals {
    pub states: States,
    pub suppressed: Reasons,
    /// How often somebody was submitted while an earlier answer was unknown: an upper bound of the duplicates.
    pub resent_uncertain: u64,
    /// When a record was last written.
    pub last_at: Option<Timestamp>,
    /// When the relay took the first and the last of those it took.
    pub first_accepted_at: Option<Timestamp>,
    pub last_accepted_at: Option<Timestamp>,
    /// The earliest of the attempts that are due.
    pub next_retry_at: Option<Timestamp>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl States {
    pub(crate) fn all(&self) -> usize {
        self.ended() + self.open()
    }

    /// Recipients whose state will not change.
    fn ended(&self) -> usize {
        self.accepted + self.unanswered + self.failed + self.suppressed + self.expired
    }

    /// Recipients who may still get it.
    pub(crate) fn open(&self) -> usize {
        self.planned + self.submitting + self.deferred + self.uncertain
    }
}

impl Totals {
    /// Counts the record of one chunk, which the log took at `stored`.
    pub(crate) fn add(&mut self, ledger: &Ledger, stored: Timestamp) {
        for (recipient, state) in ledger.states().iter().enumerate() {
            self.count(*state);
            if let (State::Accepted, Some(at)) = (state, ledger.noted(recipient)) {
                self.first_accepted_at = Some(self.first_accepted_at.map_or(at, |first| first.min(at)));
                self.last_accepted_at = self.last_accepted_at.max(Some(at));
            }
        }
        self.resent_uncertain += u64::from(ledger.resent_uncertain);
        self.last_at = self.last_at.max(Some(stored));
        if let Some(retry) = ledger.retry {
            self.next_retry_at = Some(self.next_retry_at.map_or(retry.at, |known| known.min(retry.at)));
        }
    }

    /// Mails a second, from the first that the relay took to the last; `None` where that is no time.
    pub(crate) fn rate(&self) -> Option<u64> {
        let took = self.last_accepted_at?.duration_since(self.first_accepted_at?).as_millis();
        u64::try_from(self.states.accepted as i128 * 1000 / Some(took).filter(|took| *took > 0)?).ok()
    }

    /// Those of the `matched` whose chunks nobody has begun with are planned. False when there are more than matched:
    /// the records are of another plan.
    pub(crate) fn close(&mut self, matched: usize) -> bool {
        let Some(untouched) = matched.checked_sub(self.states.all()) else { return false };
        self.states.planned += untouched;
        true
    }

    fn count(&mut self, state: State) {
        let Self { states, suppressed, .. } = self;
        *match state {
            State::Planned => &mut states.planned,
            State::Submitting => &mut states.submitting,
            State::Accepted => &mut states.accepted,
            State::Deferred | State::Slowed => &mut states.deferred,
            State::Uncertain => &mut states.uncertain,
            State::Unanswered => &mut states.unanswered,
            State::Failed => &mut states.failed,
            State::Suppressed(_) => &mut states.suppressed,
            State::Expired => &mut states.expired,
        } += 1;
        if let State::Suppressed(why) = state {
            *match why {
                Why::Left => &mut suppressed.left,
                Why::Withdrawn => &mut suppressed.withdrawn,
                Why::Paused => &mut suppressed.paused,
                Why::Bounced => &mut suppressed.bounced,
                Why::Complained => &mut suppressed.complained,
                Why::Cancelled => &mut suppressed.cancelled,
                Why::Empty => &mut suppressed.empty,
            } += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recipient_is_counted_in_one_state_and_the_sum_closes() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut ledger = Ledger::new(State::ALL.len());
        ledger.note_at(at(3));
        for (recipient, (state, _)) in State::ALL.into_iter().enumerate() {
            ledger.set(recipient, state);
        }
        ledger.resent_uncertain = 2;
        let mut other = Ledger::new(1);
        other.set(0, State::Deferred);
        other.plan_retry(at(100));
        let mut later = Ledger::new(2);
        later.note_at(at(5));
        later.set(1, State::Accepted);
        let mut totals = Totals::default();
        assert_eq!(totals.rate(), None);
        totals.add(&ledger, at(20));
        totals.add(&other, at(10));
        assert_eq!((totals.last_accepted_at, totals.rate()), (Some(at(3)), None), "one moment is no time");
        totals.add(&later, at(9));
        assert_eq!((totals.first_accepted_at, totals.last_accepted_at), (Some(at(3)), Some(at(5))));
        assert_eq!(totals.rate(), Some(1), "two in two seconds");
        assert!(!totals.close(18), "fewer than the records have");
        assert!(totals.close(24));
        let States { planned, submitting, deferred, uncertain, unanswered, accepted, failed, suppressed, expired } =
            totals.states;
        assert_eq!((planned, submitting, deferred, uncertain, unanswered), (7, 1, 3, 1, 1));
        assert_eq!((accepted, failed, suppressed, expired), (2, 1, 7, 1));
        let Reasons { left, withdrawn, paused, bounced, complained, cancelled, empty } = totals.suppressed;
        assert_eq!([left, withdrawn, paused, bounced, complained, cancelled, empty], [1; 7]);
        assert_eq!((totals.states.all(), totals.states.open()), (24, 12));
        assert_eq!((totals.resent_uncertain, totals.last_at, totals.next_retry_at), (2, Some(at(20)), Some(at(160))));
    }
}
