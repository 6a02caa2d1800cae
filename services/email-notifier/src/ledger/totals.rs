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
    /// The earliest of the attempts that are due.
    pub next_retry_at: Option<Timestamp>,
}

impl States {
    pub(crate) fn all(&self) -> usize {
        self.ended() + self.open()
    }

    /// Recipients whose state will not change.
    fn ended(&self) -> usize {
        self.accepted + self.failed + self.suppressed + self.expired
    }

    /// Recipients who may still get it.
    pub(crate) fn open(&self) -> usize {
        self.planned + self.submitting + self.deferred + self.uncertain
    }
}

impl Totals {
    /// Counts the record of one chunk, which the log took at `stored`.
    pub(crate) fn add(&mut self, ledger: &Ledger, stored: Timestamp) {
        ledger.states().iter().for_each(|state| self.count(*state));
        self.resent_uncertain += u64::from(ledger.resent_uncertain);
        self.last_at = self.last_at.max(Some(stored));
        if let Some(retry) = ledger.retry {
            self.next_retry_at = Some(self.next_retry_at.map_or(retry.at, |known| known.min(retry.at)));
        }
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
            State::Deferred => &mut states.deferred,
            State::Uncertain => &mut states.uncertain,
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
        for (recipient, (state, _)) in State::ALL.into_iter().enumerate() {
            ledger.set(recipient, state);
        }
        ledger.resent_uncertain = 2;
        let mut other = Ledger::new(1);
        other.set(0, State::Deferred);
        other.plan_retry(at(100));
        let mut totals = Totals::default();
        totals.add(&ledger, at(20));
        totals.add(&other, at(10));
        assert!(!totals.close(14), "fewer than the records have");
        assert!(totals.close(20));
        let States { planned, submitting, deferred, uncertain, accepted, failed, suppressed, expired } = totals.states;
        assert_eq!((planned, submitting, deferred, uncertain), (6, 1, 2, 1));
        assert_eq!((accepted, failed, suppressed, expired), (1, 1, 7, 1));
        let Reasons { left, withdrawn, paused, bounced, complained, cancelled, empty } = totals.suppressed;
        assert_eq!([left, withdrawn, paused, bounced, complained, cancelled, empty], [1; 7]);
        assert_eq!((totals.states.all(), totals.states.open()), (20, 10));
        assert_eq!((totals.resent_uncertain, totals.last_at, totals.next_retry_at), (2, Some(at(20)), Some(at(160))));
    }
}
