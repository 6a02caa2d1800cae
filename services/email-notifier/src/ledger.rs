//! What became of every recipient of one chunk. Pure: the caller reads, writes and sends.
//!
//! The record is written by compare-and-set before a window is sent (the intent) and with the next one's intent
//! after it (the outcome). So after a crash at most one window is uncertain, and of two workers on one chunk only
//! one gets its intent written: the sequence of the record is the fencing token.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

mod orders;
mod slowed;
mod state;
mod totals;
mod wire;
pub(crate) use state::{State, Why};
pub(crate) use totals::Totals;
use wire::{letters, runs};

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

/// How long what may not be sent yet, and must not be forgotten, waits before it is looked at again.
const PAUSE: SignedDuration = SignedDuration::from_mins(5);

/// Recipients of a chunk of whom it is kept what was said; the counts are always complete.
const MAX_REASONS: usize = 200;

/// What was last said of one recipient who does not have it.
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
    /// The earliest revision that each recipient may have, because the relay took it or its answer was lost; 0: none.
    /// A correction is for whoever has an earlier one.
    #[serde(default, with = "runs")]
    has: Vec<u32>,
    /// The least revision that the window on its way can be of.
    #[serde(default)]
    sending: u32,
    /// How often a recipient was submitted while an earlier answer was unknown: an upper bound of the duplicates.
    #[serde(default)]
    pub resent_uncertain: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// Numbers of retries that are not counted: nothing might be sent then, or they were of before the last order to
    /// try the failures again. Numbers are never given twice, for a wake-up call is known by its own.
    #[serde(default)]
    pauses: u32,
    /// When whoever is deferred or uncertain is tried again, where a retry before that is for those who are slowed only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
    /// When the first of those who are slowed is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slowed_until: Option<Timestamp>,
    /// Whether what is open waits because its plan is held.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    held: bool,
    /// Of the orders to try the failures again, the last that was carried out.
    #[serde(default, skip_serializing_if = "is_none_yet")]
    retried: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// When each recipient came to where they stand, in milliseconds since 1970; 0: nothing was tried yet, or by an older
    /// version. A window has one time, so there are few different ones.
    #[serde(default, with = "runs")]
    noted: Vec<i64>,
    /// The time of what is noted now.
    #[serde(skip)]
    clock: i64,
}

impl Ledger {
    pub(crate) fn new(recipients: usize) -> Self {
        Self {
            writer: Uuid::nil(),
            states: vec![State::Planned; recipients],
            has: vec![0; recipients],
            sending: 0,
            resent_uncertain: 0,
            retry: None,
            pauses: 0,
            due: None,
            slowed_until: None,
            held: false,
            retried: 0,
            reasons: Vec::new(),
            noted: vec![0; recipients],
            clock: 0,
        }
    }

    /// What is noted from now on happened at `now`.
    pub(crate) fn note_at(&mut self, now: Timestamp) {
        self.clock = now.as_millisecond();
    }

    /// When a recipient came to where they stand; `None` before the first attempt.
    pub(crate) fn noted(&self, recipient: usize) -> Option<Timestamp> {
        let at = self.noted.get(recipient).copied().filter(|at| *at > 0)?;
        Timestamp::from_millisecond(at).ok()
    }

    /// What was last said of a recipient who does not have it.
    pub(crate) fn said(&self, recipient: usize) -> Option<&str> {
        let reason = self.reasons.iter().find(|reason| reason.recipient == recipient)?;
        Some(&reason.reply)
    }

    pub(crate) fn states(&self) -> &[State] {
        &self.states
    }

    pub(crate) fn count(&self, state: State) -> usize {
        self.states.iter().filter(|known| **known == state).count()
    }

    /// Everybody who may still get it.
    pub(crate) fn open(&self) -> usize {
        self.states.iter().filter(|state| !state.is_final()).count()
    }

    /// Everybody who was not to be sent anything, whatever the reason.
    pub(crate) fn suppressed(&self) -> usize {
        self.states.iter().filter(|state| matches!(state, State::Suppressed(_))).count()
    }

    /// After a crash: what was being submitted has no answer. It goes back to be sent again.
    pub(crate) fn recover(&mut self) {
        for recipient in 0..self.states.len() {
            if self.states[recipient] == State::Submitting {
                self.set(recipient, State::Uncertain);
                self.states[recipient] = State::Planned;
                self.resent_uncertain += 1;
            }
        }
    }

    /// Of digests, after a window or a crash: what has no answer gets none, and is not sent again.
    pub(crate) fn let_go(&mut self) {
        for recipient in 0..self.states.len() {
            if matches!(self.states[recipient], State::Submitting | State::Uncertain) {
                self.set(recipient, State::Unanswered);
            }
        }
    }

    /// Reads a record. One of an older version does not say who has which revision: the first, then.
    ///
    /// # Errors
    /// When the bytes are no record, or a newer version's.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let mut ledger: Self = serde_json::from_slice(bytes)?;
        let has = |state: &State| u32::from(matches!(state, State::Accepted | State::Uncertain));
        let known = ledger.has.len().min(ledger.states.len());
        ledger.has.truncate(known);
        ledger.has.extend(ledger.states[known..].iter().map(has));
        ledger.noted.resize(ledger.states.len(), 0);
        Ok(ledger)
    }

    /// The revision that whatever is sent from now on is of, at least: what was read last. It never goes back.
    pub(crate) fn sends(&mut self, revision: u32) {
        self.sending = self.sending.max(revision).max(1);
    }

    /// The earliest revision that a recipient may have; `None` while they have none.
    pub(crate) fn has(&self, recipient: usize) -> Option<u32> {
        self.has.get(recipient).copied().filter(|revision| *revision > 0)
    }

    /// Whoever may have, or be getting just now, a revision before `revision`.
    pub(crate) fn has_before(&self, revision: u32) -> impl Iterator<Item = usize> {
        (0..self.states.len()).filter(move |recipient| {
            let coming = self.states[*recipient] == State::Submitting && self.sending < revision;
            coming || self.has(*recipient).is_some_and(|has| has < revision)
        })
    }

    /// The next recipients to be submitted; empty when none is left to be tried yet.
    pub(crate) fn next_window(&self) -> Vec<usize> {
        let planned = self.states.iter().enumerate().filter(|(_, state)| **state == State::Planned);
        planned.map(|(recipient, _)| recipient).take(WINDOW).collect()
    }

    pub(crate) fn set(&mut self, recipient: usize, state: State) {
        if matches!(state, State::Accepted | State::Uncertain | State::Unanswered) && self.has(recipient).is_none() {
            self.has[recipient] = self.sending.max(1);
        }
        if state == State::Accepted {
            self.reasons.retain(|reason| reason.recipient != recipient);
        }
        self.states[recipient] = state;
        // An intent is no attempt until something has come of it.
        if !matches!(state, State::Planned | State::Submitting) {
            self.noted[recipient] = self.clock;
        }
    }

    /// Keeps what was said of a recipient, without their address. The newest words stand.
    pub(crate) fn say(&mut self, recipient: usize, reply: String) {
        if let Some(known) = self.reasons.iter_mut().find(|reason| reason.recipient == recipient) {
            known.reply = reply;
        } else if self.reasons.len() < MAX_REASONS {
            self.reasons.push(Reason { recipient, reply });
        }
    }

    /// Ends everything that is still open.
    pub(crate) fn end_open(&mut self, end: State) {
        for recipient in 0..self.states.len() {
            if !self.states[recipient].is_final() {
                self.set(recipient, end);
            }
        }
        self.retry = None;
    }

    pub(crate) fn refuse(&mut self, recipient: usize, reply: String) {
        self.set(recipient, State::Failed);
        self.say(recipient, reply);
    }

    /// Once no recipient is planned: the retry that is due for the rest, or none and everything is final. What still
    /// fails after the last attempt is given up.
    pub(crate) fn plan_retry(&mut self, now: Timestamp) -> Option<Retry> {
        self.note_at(now);
        if self.states.iter().all(|state| state.is_final()) {
            self.retry = None;
            return None;
        }
        if self.due.is_none() && self.states.iter().any(|state| matches!(state, State::Deferred | State::Uncertain)) {
            self.attempted(now);
        }
        self.wake(now)
    }

    /// An attempt at whoever is deferred or uncertain has failed.
    fn attempted(&mut self, now: Timestamp) {
        match BACKOFF.get((self.next_attempt() - self.pauses) as usize - 1) {
            Some(pause) => self.due = Some(now + *pause),
            None => {
                for recipient in 0..self.states.len() {
                    if matches!(self.states[recipient], State::Deferred | State::Uncertain) {
                        let last = self.said(recipient).map_or_else(String::new, |said| format!("; the last: {said}"));
                        self.refuse(recipient, format!("given up after {} attempts{last}", BACKOFF.len() + 1));
                    }
                }
            }
        }
    }

    /// Puts everything open off for a while: nothing of it may be sent now. It costs no attempt. What is uncertain stays
    /// so, or a second copy would not be counted.
    pub(crate) fn pause(&mut self, now: Timestamp) {
        self.put_off(now + PAUSE);
    }

    fn put_off(&mut self, at: Timestamp) {
        self.retry = Some(Retry { attempt: self.next_attempt(), at });
        self.pauses += 1;
        (self.due, self.slowed_until) = (None, None);
        for state in self.states.iter_mut().filter(|state| matches!(state, State::Planned | State::Submitting)) {
            *state = State::Deferred;
        }
    }

    fn next_attempt(&self) -> u32 {
        self.retry.map_or(self.pauses, |retry| retry.attempt) + 1
    }

    /// Begins the retry `attempt`: the open recipients are planned again. False when that retry is not the one due,
    /// because it has begun before or was overtaken.
    pub(crate) fn begin_retry(&mut self, attempt: u32) -> bool {
        if self.retry.is_none_or(|retry| retry.attempt != attempt) {
            return false;
        }
        self.held = false;
        if self.is_early() {
            self.plan_slowed()
        } else {
            self.plan_open()
        }
        true
    }

    fn plan_open(&mut self) {
        self.due = None;
        self.plan_slowed();
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
    }
}

/// For serde.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes what it asks about by reference")]
fn is_none_yet(count: &u32) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests;
