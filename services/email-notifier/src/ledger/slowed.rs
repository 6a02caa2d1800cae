//! Recipients who wait for their domain, or for our standing: it is not about them, and costs them no attempt. Pure.

use jiff::{SignedDuration, Timestamp};

use super::{Ledger, Retry, State};

/// The earliest that a chunk comes again for them, or its record would be written for every single mail.
const SOON: SignedDuration = SignedDuration::from_secs(5);

impl Ledger {
    /// Puts a recipient off until `until`, or whenever somebody else of the chunk is tried again.
    pub(crate) fn slow(&mut self, recipient: usize, until: Timestamp) {
        self.set(recipient, State::Slowed);
        self.slowed_until = Some(self.slowed_until.map_or(until, |known| known.min(until)));
    }

    /// Whether the retry that has begun comes before whoever is deferred is to be tried again.
    pub(super) fn is_early(&self) -> bool {
        self.due.zip(self.retry).is_some_and(|(due, retry)| retry.at < due)
    }

    pub(super) fn plan_slowed(&mut self) {
        self.slowed_until = None;
        for state in self.states.iter_mut().filter(|state| **state == State::Slowed) {
            *state = State::Planned;
        }
    }

    /// The retry that comes first: of those who are slowed, which counts for nobody, or of the others.
    pub(super) fn wake(&mut self, now: Timestamp) -> Option<Retry> {
        let waits = self.states.contains(&State::Slowed);
        let slowed = waits.then(|| self.slowed_until.unwrap_or(now).max(now + SOON));
        let at = match (self.due, slowed) {
            (Some(due), Some(slowed)) => due.min(slowed),
            (one, other) => match one.or(other) {
                Some(at) => at,
                None => {
                    self.retry = None;
                    return None;
                }
            },
        };
        let attempt = self.next_attempt();
        if self.due != Some(at) {
            self.pauses += 1;
        }
        self.retry = Some(Retry { attempt, at });
        self.retry
    }
}

#[cfg(test)]
mod tests {
    use super::super::BACKOFF;
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    /// Through the log, as between two passes.
    fn next(ledger: &mut Ledger, now: Timestamp) -> Retry {
        let retry = ledger.plan_retry(now).unwrap();
        *ledger = Ledger::read(&serde_json::to_vec(ledger).unwrap()).unwrap();
        assert!(ledger.begin_retry(retry.attempt));
        retry
    }

    #[test]
    fn a_domain_that_waits_costs_no_attempt_and_holds_up_nobody_else() {
        let mut ledger = Ledger::new(3);
        ledger.set(0, State::Accepted);
        ledger.set(1, State::Deferred);
        ledger.slow(2, at(20));
        assert_eq!(next(&mut ledger, at(0)).at, at(20));
        assert_eq!(ledger.next_window(), [2], "the other's turn is in a minute");
        ledger.slow(2, at(21));
        assert_eq!(next(&mut ledger, at(20)).at, at(25), "not for every mail");
        ledger.slow(2, at(900));
        assert_eq!(next(&mut ledger, at(25)).at, at(0) + BACKOFF[0]);
        assert_eq!(ledger.next_window(), [1, 2], "whoever waits may be asked for with the others");
        ledger.set(1, State::Deferred);
        ledger.slow(2, at(900));
        assert_eq!(next(&mut ledger, at(60)).at, at(60) + BACKOFF[1]);
    }

    #[test]
    fn who_is_slowed_is_never_given_up() {
        let mut ledger = Ledger::new(2);
        for n in 0..100 {
            for recipient in ledger.next_window() {
                if recipient == 0 { ledger.set(0, State::Deferred) } else { ledger.slow(1, at(1000 * n + 900)) }
            }
            next(&mut ledger, at(1000 * n));
        }
        assert_eq!(ledger.states(), [State::Failed, State::Planned]);
        assert_eq!(ledger.plan_retry(at(0)), None, "nobody waits");
        ledger.slow(1, at(0));
        ledger.plan_retry(at(0));
        ledger.end_open(State::Expired);
        assert_eq!((ledger.states(), ledger.retry), (&[State::Failed, State::Expired][..], None));
    }

    #[test]
    fn a_crash_forgets_no_wait() {
        let mut ledger = Ledger::new(2);
        ledger.slow(0, at(50));
        ledger.pause(at(0));
        let retry = ledger.retry.unwrap();
        assert!(ledger.begin_retry(retry.attempt));
        assert_eq!(ledger.next_window(), [0, 1]);
        // Its last write was an intent: who waits is known, until when is not.
        ledger.slow(0, at(50));
        ledger.set(1, State::Accepted);
        ledger.slowed_until = None;
        assert!(ledger.plan_retry(at(0)).is_some(), "somebody who waits is always called for");
    }
}
