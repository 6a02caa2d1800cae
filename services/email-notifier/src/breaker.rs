//! Whether the relay is worth asking. Pure: the caller says what time it is.
//!
//! A relay that cannot be reached, or breaks off before it has answered anything, is tried again after 1 s, then 2 s, up to
//! every half a minute, by one window; all other mail waits where it is and costs nobody an attempt. A relay that refuses
//! us (our address, our standing, RFC 3463's X.7.X) is tried by one mail after 1 min, then 5, 15, and every half an hour:
//! what it refuses so, it would refuse of everybody's mail, and each refusal makes our standing worse.

use jiff::{SignedDuration, Timestamp};

/// Mails in a row that a relay refuses for what we are before all mail waits: a few readers' servers refuse everybody.
const REFUSALS: u32 = 10;

/// How long a relay may be away without anybody being told: it is restarted now and then.
const UNTOLD: SignedDuration = SignedDuration::from_secs(10);

/// How long a try may take before somebody else tries, too: whoever began may have stopped.
const TRY: SignedDuration = SignedDuration::from_secs(5);

const AWAY: [SignedDuration; 6] = [
    SignedDuration::from_secs(1),
    SignedDuration::from_secs(2),
    SignedDuration::from_secs(4),
    SignedDuration::from_secs(8),
    SignedDuration::from_secs(16),
    SignedDuration::from_secs(30),
];

const REFUSED: [SignedDuration; 4] = [
    SignedDuration::from_mins(1),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(15),
    SignedDuration::from_mins(30),
];

/// What is wrong with the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It cannot be reached, or breaks off.
    Away,
    /// It refuses whatever is ours.
    Refuses,
}

/// What may be sent to the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permit {
    Everything,
    /// One window, to see whether it is there.
    Window,
    /// One mail, to see whether it takes ours.
    Mail,
}

/// What a window met with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Met {
    /// Whether the relay has answered to any mail.
    pub answered: bool,
    /// Whether it took one.
    pub accepted: bool,
    /// Mails refused for what we are since the last it took.
    pub refused: u32,
    /// Whether it refused our address as sender: it would in every mail.
    pub sender_refused: bool,
}

/// What somebody should be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    Trouble(Trouble),
    /// It takes mail again, after this long.
    Back(SignedDuration),
}

#[derive(Debug)]
pub(crate) enum Breaker {
    Closed {
        /// Mails in a row that were refused for what we are.
        refused: u32,
    },
    Open {
        trouble: Trouble,
        since: Timestamp,
        /// When it is tried again.
        until: Timestamp,
        tries: usize,
        told: bool,
    },
}

impl Default for Breaker {
    fn default() -> Self {
        Self::Closed { refused: 0 }
    }
}

impl Breaker {
    /// What may be sent now. Whoever is given a try sends at once: nobody else is for 5 s.
    ///
    /// # Errors
    /// When to ask again.
    pub(crate) fn enter(&mut self, now: Timestamp) -> Result<Permit, Timestamp> {
        match self {
            Self::Closed { .. } => Ok(Permit::Everything),
            Self::Open { until, .. } if now < *until => Err(*until),
            Self::Open { until, trouble, .. } => {
                *until = now + TRY;
                Ok(if *trouble == Trouble::Away { Permit::Window } else { Permit::Mail })
            }
        }
    }

    /// What is wrong with the relay, as far as is known.
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Closed { .. } => None,
            Self::Open { trouble, .. } => Some(*trouble),
        }
    }

    /// Learns from what was sent with `permit`.
    pub(crate) fn learn(&mut self, permit: Permit, met: Met, now: Timestamp) -> Option<News> {
        match self {
            // It began before the relay was known to be in trouble, and says nothing of what is now.
            Self::Open { .. } if permit == Permit::Everything => None,
            Self::Open { trouble: Trouble::Refuses, .. } if !met.accepted => self.still(met, now),
            Self::Open { .. } if !met.answered => self.still(met, now),
            Self::Open { since, told, .. } => {
                let back = told.then(|| News::Back(now.duration_since(*since)));
                *self = Self::default();
                self.count(met, now).or(back)
            }
            Self::Closed { .. } if !met.answered => {
                *self = Self::open(Trouble::Away, now);
                None
            }
            Self::Closed { .. } => self.count(met, now),
        }
    }

    fn open(trouble: Trouble, now: Timestamp) -> Self {
        let until = now + pause(trouble, 0);
        Self::Open { trouble, since: now, until, tries: 1, told: trouble == Trouble::Refuses }
    }

    /// A try that has failed.
    fn still(&mut self, met: Met, now: Timestamp) -> Option<News> {
        let Self::Open { trouble, since, until, tries, told } = self else { return None };
        if *trouble == Trouble::Refuses && met.refused == 0 {
            // Its answer was about the reader, or none at all: it is to be asked with another mail.
            *until = now + UNTOLD;
            return None;
        }
        *until = now + pause(*trouble, *tries);
        *tries += 1;
        let tell = *trouble == Trouble::Refuses || (!*told && now.duration_since(*since) >= UNTOLD);
        *told |= tell;
        tell.then_some(News::Trouble(*trouble))
    }

    fn count(&mut self, met: Met, now: Timestamp) -> Option<News> {
        let Self::Closed { refused } = self else { return None };
        *refused = if met.accepted { met.refused } else { refused.saturating_add(met.refused) };
        if *refused < REFUSALS && !met.sender_refused {
            return None;
        }
        *self = Self::open(Trouble::Refuses, now);
        Some(News::Trouble(Trouble::Refuses))
    }
}

fn pause(trouble: Trouble, tries: usize) -> SignedDuration {
    let pauses: &[SignedDuration] = if trouble == Trouble::Away { &AWAY } else { &REFUSED };
    pauses[tries.min(pauses.len() - 1)]
}

#[cfg(test)]
mod tests;
