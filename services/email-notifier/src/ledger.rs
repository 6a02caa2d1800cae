//! What became of every recipient of one chunk. Pure: the caller reads, writes and sends.
//!
//! The record is written by compare-and-set before a window is sent (the intent) and with the next one's intent
//! after it (the outcome). So after a crash at most one window is uncertain, and of two workers on one chunk only
//! one gets its intent written: the sequence of the record is the fencing token.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Recipients submitted between two writes of the record, and so at most uncertain after a crash.
pub(crate) const WINDOW: usize = 50;

/// How long after each attempt the next one follows. Greylisting lifts within minutes, full mailboxes within hours;
/// news of yesterday is no alert.
const BACKOFF: [SignedDuration; 8] = [
    SignedDuration::from_mins(1),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(15),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(1),
    SignedDuration::from_hours(3),
    SignedDuration::from_hours(6),
    SignedDuration::from_hours(12),
];

/// Refusals kept word for word in a chunk's record; the counts are always complete.
const MAX_REASONS: usize = 200;

/// Where one recipient stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum State {
    Planned,
    /// The intent is written; the answer is not.
    Submitting,
    /// The relay took responsibility. It is not delivery.
    Accepted,
    /// The relay said later, or could not be asked.
    Deferred,
    /// It was being submitted when its answer was lost: the relay may have it. It is sent again under the same
    /// Message-ID.
    Uncertain,
    /// Refused for good, or given up after the last attempt.
    Failed,
    /// Not to be sent: unsubscribed since, or the article was withdrawn.
    Suppressed,
    /// Too late to be news.
    Expired,
}

impl State {
    const ALL: [(Self, char); 8] = [
        (Self::Planned, 'p'),
        (Self::Submitting, 's'),
        (Self::Accepted, 'a'),
        (Self::Deferred, 'd'),
        (Self::Uncertain, 'u'),
        (Self::Failed, 'f'),
        (Self::Suppressed, 'x'),
        (Self::Expired, 'e'),
    ];

    fn letter(self) -> char {
        Self::ALL.into_iter().find(|(state, _)| *state == self).map_or('p', |(_, letter)| letter)
    }

    fn from_letter(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == letter).map(|(state, _)| state)
    }

    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Accepted | Self::Failed | Self::Suppressed | Self::Expired)
    }
}

/// Why one recipient was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reason {
    /// Position in the chunk.
    pub recipient: usize,
    pub reply: String,
}

/// The next attempt for the recipients that are neither final nor untried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Retry {
    /// 1 for the first retry.
    pub attempt: u32,
    pub at: Timestamp,
}

/// The record of one chunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ledger {
    /// Who wrote it: random for every pass over the chunk. Two workers that begin with the same record would write
    /// the same bytes otherwise, and each take the other's write for its own.
    pub writer: Uuid,
    #[serde(with = "letters")]
    states: Vec<State>,
    /// How often a recipient was submitted while an earlier answer was unknown: an upper bound of the duplicates.
    #[serde(default)]
    pub resent_uncertain: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
}

/// One letter for each recipient: a thousand of them are a kilobyte.
mod letters {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::State;

    pub(super) fn serialize<S: Serializer>(states: &[State], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&states.iter().map(|state| state.letter()).collect::<String>())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<State>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let states: Option<Vec<State>> = text.chars().map(State::from_letter).collect();
        states.ok_or_else(|| D::Error::custom("an unknown state; it was written by a newer version"))
    }
}

impl Ledger {
    pub(crate) fn new(recipients: usize) -> Self {
        Self {
            writer: Uuid::nil(),
            states: vec![State::Planned; recipients],
            resent_uncertain: 0,
            retry: None,
            reasons: Vec::new(),
        }
    }

    pub(crate) fn states(&self) -> &[State] {
        &self.states
    }

    pub(crate) fn count(&self, state: State) -> usize {
        self.states.iter().filter(|known| **known == state).count()
    }

    /// After a crash: what was being submitted has no answer. It goes back to be sent again.
    pub(crate) fn recover(&mut self) {
        for state in &mut self.states {
            if *state == State::Submitting {
                *state = State::Planned;
                self.resent_uncertain += 1;
            }
        }
    }

    /// The next recipients to be submitted; empty when none is left to be tried yet.
    pub(crate) fn next_window(&self) -> Vec<usize> {
        let planned = self.states.iter().enumerate().filter(|(_, state)| **state == State::Planned);
        planned.map(|(recipient, _)| recipient).take(WINDOW).collect()
    }

    pub(crate) fn set(&mut self, recipient: usize, state: State) {
        self.states[recipient] = state;
    }

    /// Ends everything that is still open.
    pub(crate) fn end_open(&mut self, end: State) {
        for state in self.states.iter_mut().filter(|state| !state.is_final()) {
            *state = end;
        }
        self.retry = None;
    }

    pub(crate) fn refuse(&mut self, recipient: usize, reply: String) {
        self.states[recipient] = State::Failed;
        if self.reasons.len() < MAX_REASONS {
            self.reasons.push(Reason { recipient, reply });
        }
    }

    /// Once no recipient is planned: the retry that is due for the rest, or none and everything is final. What still
    /// fails after the last attempt is given up.
    pub(crate) fn plan_retry(&mut self, now: Timestamp) -> Option<Retry> {
        if self.states.iter().all(|state| state.is_final()) {
            self.retry = None;
            return None;
        }
        let attempt = self.retry.map_or(1, |retry| retry.attempt + 1);
        match BACKOFF.get(attempt as usize - 1) {
            Some(pause) => self.retry = Some(Retry { attempt, at: now + *pause }),
            None => {
                for recipient in 0..self.states.len() {
                    if !self.states[recipient].is_final() {
                        self.refuse(recipient, format!("given up after {} attempts", BACKOFF.len() + 1));
                    }
                }
                self.retry = None;
            }
        }
        self.retry
    }

    /// Begins the retry `attempt`: the open recipients are planned again. False when that retry is not the one due,
    /// because it has begun before or was overtaken.
    pub(crate) fn begin_retry(&mut self, attempt: u32) -> bool {
        if self.retry.is_none_or(|retry| retry.attempt != attempt) {
            return false;
        }
        for state in &mut self.states {
            match state {
                State::Deferred => *state = State::Planned,
                State::Uncertain => {
                    *state = State::Planned;
                    self.resent_uncertain += 1;
                }
                _ => {}
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn the_record_is_small_and_reads_back() {
        let mut ledger = Ledger::new(1000);
        ledger.refuse(3, "550 5.1.1 no such user".into());
        ledger.set(4, State::Accepted);
        let json = serde_json::to_string(&ledger).unwrap();
        assert!(json.len() < 1200, "{}", json.len());
        assert_eq!(serde_json::from_str::<Ledger>(&json).unwrap(), ledger);
        assert!(
            serde_json::from_str::<Ledger>(r#"{"writer":"00000000-0000-0000-0000-000000000000","states":"pz"}"#)
                .is_err()
        );
    }

    #[test]
    fn a_crash_leaves_one_window_to_be_sent_again() {
        let mut ledger = Ledger::new(120);
        for recipient in ledger.next_window() {
            ledger.set(recipient, State::Accepted);
        }
        for recipient in ledger.next_window() {
            ledger.set(recipient, State::Submitting);
        }
        ledger.recover();
        assert_eq!(ledger.resent_uncertain as usize, WINDOW);
        assert_eq!(ledger.next_window(), (WINDOW..2 * WINDOW).collect::<Vec<_>>());
    }

    #[test]
    fn a_retry_begins_once() {
        let mut ledger = Ledger::new(2);
        ledger.set(0, State::Accepted);
        ledger.set(1, State::Deferred);
        let retry = ledger.plan_retry(now()).unwrap();
        assert_eq!((retry.attempt, retry.at), (1, now() + BACKOFF[0]));
        assert!(!ledger.begin_retry(2));
        assert!(ledger.begin_retry(1));
        assert_eq!(ledger.next_window(), [1]);
    }

    #[test]
    fn every_recipient_ends_somewhere_even_if_the_relay_never_helps() {
        let mut ledger = Ledger::new(3);
        let mut attempts = 0;
        loop {
            for recipient in ledger.next_window() {
                ledger.set(recipient, if recipient == 0 { State::Uncertain } else { State::Deferred });
            }
            attempts += 1;
            let Some(retry) = ledger.plan_retry(now()) else { break };
            assert!(ledger.begin_retry(retry.attempt));
        }
        assert_eq!(attempts, BACKOFF.len() + 1);
        assert_eq!(ledger.count(State::Failed), 3);
        assert_eq!(ledger.resent_uncertain as usize, BACKOFF.len());
        assert!(ledger.reasons[0].reply.contains("given up"));
    }

    proptest! {
        /// Whatever happens, the counts of the states are the recipients, and a final state stays.
        #[test]
        fn the_ledger_closes(size in 1usize..120, steps in proptest::collection::vec(0u8..6, 0..60)) {
            let mut ledger = Ledger::new(size);
            for step in steps {
                let ended: Vec<(usize, State)> =
                    ledger.states().iter().copied().enumerate().filter(|(_, state)| state.is_final()).collect();
                match step {
                    0 => for recipient in ledger.next_window() { ledger.set(recipient, State::Submitting); },
                    1 => ledger.recover(),
                    2 => for recipient in ledger.next_window() { ledger.set(recipient, State::Accepted); },
                    3 => for recipient in ledger.next_window() { ledger.set(recipient, State::Deferred); },
                    4 => for recipient in ledger.next_window() { ledger.refuse(recipient, "no".into()); },
                    _ => if ledger.next_window().is_empty() && let Some(retry) = ledger.plan_retry(now()) {
                        ledger.begin_retry(retry.attempt);
                    },
                }
                for (recipient, state) in ended {
                    prop_assert_eq!(ledger.states()[recipient], state);
                }
                let sum: usize = State::ALL.iter().map(|(state, _)| ledger.count(*state)).sum();
                prop_assert_eq!(sum, size);
            }
        }
    }
}
