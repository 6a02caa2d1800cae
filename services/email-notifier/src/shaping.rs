//! How fast each mail domain takes our mail. Pure: the caller says what time it is.
//!
//! A relay shapes its own connections to the readers' servers, so nothing is held back until answers ask for it. Answers
//! that do (421, or 4.7.X, RFC 3463) slow down the domain they were given for, and no other: its readers get one mail
//! and then wait, longer each time it says so again. Every mail it takes halves the wait, so a domain that takes mail again
//! is at full speed after a dozen.

use std::num::NonZeroUsize;

use jiff::{SignedDuration, Timestamp};
use lru::LruCache;
use mail::smtp::{Reply, Stage};

/// Domains that are remembered; the one that was heard of least recently makes way, and is at full speed again.
const DOMAINS: NonZeroUsize = NonZeroUsize::new(10_000).expect("it is not zero");

/// Answers in a row that ask for less before a domain is slowed down: one or two may be about a single mailbox.
const PATIENCE: u32 = 3;

/// Between two mails to a domain: at first, at most, and when it is not worth waiting for any more.
const FIRST: SignedDuration = SignedDuration::from_secs(30);
const LONGEST: SignedDuration = SignedDuration::from_mins(15);
const SHORTEST: SignedDuration = SignedDuration::from_millis(10);

/// The domains that do not take everything at once.
pub(crate) struct Domains(LruCache<Box<str>, Domain>);

struct Domain {
    /// Answers in a row that asked for less.
    asked: u32,
    /// What it is slowed down to.
    pace: Option<Pace>,
}

#[derive(Clone, Copy)]
struct Pace {
    between: SignedDuration,
    /// When the next mail may go.
    next: Timestamp,
    /// When it became this slow: what was sent before says nothing new.
    since: Timestamp,
}

/// Whether an answer asks for less mail to its domain, and not for this mail to be changed or for the relay to be left
/// in peace.
pub(crate) fn asks_for_less(reply: &Reply) -> bool {
    let about_it = matches!(reply.stage, Stage::Rcpt | Stage::Data | Stage::Content);
    match (reply.code, reply.enhanced) {
        // X.3.X is about the relay's own state.
        (421, enhanced) => about_it && enhanced.is_none_or(|(_, subject, _)| subject != 3),
        (400..500, Some((_, 7, _))) => about_it,
        _ => false,
    }
}

impl Default for Domains {
    fn default() -> Self {
        Self(LruCache::new(DOMAINS))
    }
}

impl Domains {
    /// Whether a mail to `domain` may go now.
    ///
    /// # Errors
    /// When the next one may.
    pub(crate) fn admit(&mut self, domain: &str, now: Timestamp) -> Result<(), Timestamp> {
        // Of nearly every window nothing is known.
        if self.0.is_empty() {
            return Ok(());
        }
        let Some(pace) = self.0.peek_mut(domain).and_then(|domain| domain.pace.as_mut()) else { return Ok(()) };
        if now < pace.next {
            return Err(pace.next);
        }
        pace.next = now + pace.between;
        Ok(())
    }

    /// A mail was taken.
    pub(crate) fn took(&mut self, domain: &str) {
        if self.0.is_empty() {
            return;
        }
        let Some(known) = self.0.get_mut(domain) else { return };
        let faster = known.pace.map(|pace| {
            let between = pace.between / 2;
            Pace { between, next: pace.next - between, ..pace }
        });
        known.pace = faster.filter(|pace| pace.between >= SHORTEST);
        if known.pace.is_none() {
            self.0.pop(domain);
        }
    }

    /// An answer to a mail that was admitted at `sent` [asked for less](asks_for_less). The answer is how long its
    /// readers wait from now on between two mails, if that is longer than before.
    pub(crate) fn asked(&mut self, domain: &str, sent: Timestamp, now: Timestamp) -> Option<SignedDuration> {
        let known = self.0.get_or_insert_mut(domain.into(), || Domain { asked: 0, pace: None });
        known.asked = known.asked.saturating_add(1);
        let between = match known.pace {
            None if known.asked < PATIENCE => return None,
            None => FIRST,
            Some(pace) if sent < pace.since => return None,
            Some(pace) => (pace.between * 2).clamp(FIRST, LONGEST),
        };
        known.pace = Some(Pace { between, next: now + between, since: now });
        Some(between)
    }

    /// How many domains wait.
    pub(crate) fn slowed(&self) -> usize {
        self.0.iter().filter(|(_, domain)| domain.pace.is_some()).count()
    }
}

#[cfg(test)]
mod tests;
