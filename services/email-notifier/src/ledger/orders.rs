//! What an order to a plan makes of the record of one of its chunks. Pure.

use jiff::{SignedDuration, Timestamp};

use super::{BACKOFF, Ledger, State, Why};
use crate::control::{Control, Phase};

/// How long what an operator or the guard holds waits before it is looked at again. Whoever lets it go calls for it at
/// once: this only finds what time has ended, and what was let go by somebody who died in the middle of it.
const HELD: SignedDuration = SignedDuration::from_mins(15);

impl Ledger {
    /// Puts everything open off until whoever holds the plan lets it go. It costs no attempt, as a pause costs none.
    pub(crate) fn hold(&mut self, now: Timestamp) {
        self.put_off(now + HELD);
        self.held = true;
    }

    /// Whether [`Ledger::obey`] has anything to send, or to end.
    pub(crate) fn is_concerned(&self, control: &Control) -> bool {
        let again = |state: &State| matches!(state, State::Failed | State::Deferred | State::Slowed | State::Uncertain);
        match control.state {
            Phase::Paused | Phase::Waiting => false,
            Phase::Cancelled => self.states.iter().any(|state| !state.is_final()),
            Phase::Running => self.held || (control.retry > self.retried && self.states.iter().any(again)),
        }
    }

    /// Carries out what was ordered since: what was held and may go is planned; what failed and is to be tried again is,
    /// too; what was cancelled ends. False when that is nothing.
    pub(crate) fn obey(&mut self, control: &Control) -> bool {
        let concerned = self.is_concerned(control);
        match control.state {
            Phase::Cancelled => self.end_open(State::Suppressed(Why::Cancelled)),
            Phase::Running if concerned => {
                self.held = false;
                self.plan_open();
                self.try_failures(control.retry);
            }
            // What fails from now on was not meant.
            Phase::Running => self.retried = self.retried.max(control.retry),
            Phase::Paused | Phase::Waiting => {}
        }
        concerned
    }

    /// Their attempts begin anew, with numbers behind every one that was given.
    fn try_failures(&mut self, order: u32) {
        if order <= self.retried {
            return;
        }
        self.retried = order;
        for state in self.states.iter_mut().filter(|state| **state == State::Failed) {
            *state = State::Planned;
        }
        self.reasons.clear();
        self.pauses = self.retry.map_or(self.pauses + BACKOFF.len() as u32, |retry| retry.attempt);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    fn control(state: Phase, retry: u32) -> Control {
        Control { state, retry, ..Control::default() }
    }

    #[test]
    fn what_is_held_goes_on_where_it_was_and_costs_no_attempt() {
        let (running, paused) = (control(Phase::Running, 0), control(Phase::Paused, 0));
        let mut ledger = Ledger::new(4);
        ledger.set(0, State::Accepted);
        ledger.set(1, State::Uncertain);
        ledger.set(2, State::Deferred);
        assert!(!ledger.obey(&running), "nobody has held it");
        for _ in 0..20 {
            ledger.hold(now());
            assert_eq!(ledger.states(), [State::Accepted, State::Uncertain, State::Deferred, State::Deferred]);
            assert!(!ledger.obey(&paused));
            let record = serde_json::to_vec(&ledger).unwrap();
            ledger = Ledger::read(&record).unwrap();
            assert!(ledger.is_concerned(&running) && ledger.obey(&running));
            assert_eq!(ledger.next_window(), [1, 2, 3]);
            assert!(!ledger.obey(&running), "once");
            ledger.set(1, State::Uncertain);
        }
        assert_eq!(ledger.resent_uncertain, 20);
        ledger.set(2, State::Deferred);
        ledger.set(3, State::Accepted);
        assert_eq!(ledger.plan_retry(now()).unwrap().at, now() + BACKOFF[0], "the first attempt was this one");
    }

    #[test]
    fn who_failed_is_tried_again_as_often_as_it_is_ordered_and_as_anew() {
        let mut ledger = Ledger::new(3);
        let mut numbers = std::collections::BTreeSet::new();
        for order in 1..4 {
            ledger.set(0, State::Accepted);
            ledger.refuse(1, "550 5.1.1 no such user".into());
            ledger.set(2, State::Deferred);
            let mut attempts = 0;
            while let Some(retry) = ledger.plan_retry(now()) {
                assert!(numbers.insert(retry.attempt), "{} was given before", retry.attempt);
                assert!(ledger.begin_retry(retry.attempt));
                ledger.set(2, State::Deferred);
                attempts += 1;
            }
            assert_eq!((attempts, ledger.count(State::Failed)), (BACKOFF.len(), 2));
            assert!(ledger.obey(&control(Phase::Running, order)));
            assert!(!ledger.obey(&control(Phase::Running, order)), "once for each order");
            assert_eq!((ledger.next_window(), ledger.reasons.len()), (vec![1, 2], 0));
        }
    }

    #[test]
    fn who_is_to_be_tried_later_is_tried_with_the_failures_and_nobody_else_is() {
        let mut ledger = Ledger::new(4);
        ledger.set(0, State::Accepted);
        ledger.set(1, State::Deferred);
        ledger.refuse(2, "554 5.7.1 policy".into());
        ledger.set(3, State::Suppressed(Why::Left));
        let before = ledger.plan_retry(now()).unwrap().attempt;
        assert!(ledger.obey(&control(Phase::Running, 1)));
        assert_eq!(ledger.next_window(), [1, 2]);
        ledger.set(1, State::Deferred);
        ledger.set(2, State::Accepted);
        let next = ledger.plan_retry(now()).unwrap();
        assert_eq!((next.attempt, next.at), (before + 1, now() + BACKOFF[0]));
        let mut begun = Ledger::new(1);
        assert!(!begun.obey(&control(Phase::Running, 1)));
        begun.refuse(0, "550".into());
        assert!(!begun.obey(&control(Phase::Running, 1)), "it failed after the order");
    }

    #[test]
    fn what_is_cancelled_ends_and_what_was_sent_stays_sent() {
        let cancelled = control(Phase::Cancelled, 1);
        let mut ledger = Ledger::new(5);
        ledger.set(0, State::Accepted);
        ledger.refuse(1, "550".into());
        ledger.set(2, State::Uncertain);
        ledger.set(3, State::Deferred);
        assert!(ledger.obey(&cancelled) && !ledger.obey(&cancelled));
        const ENDED: State = State::Suppressed(Why::Cancelled);
        assert_eq!(ledger.states(), [State::Accepted, State::Failed, ENDED, ENDED, ENDED]);
        assert_eq!(ledger.has(2), Some(1), "the relay may have it: a correction is for them, too");
        assert_eq!(ledger.plan_retry(now()), None);
    }
}
