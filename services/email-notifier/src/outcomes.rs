//! What the relay's answers mean for the ledger, and what of them may be kept.

use jiff::{SignedDuration, Timestamp};
use mail::smtp::Cause;
use mail::{Address, Outcome};

use crate::counts::Counts;
use crate::ledger::{Ledger, State};
use crate::plan::Lane;
use crate::pool::{Fate, Sent, is_about_us};
use crate::shaping::asks_for_less;

/// How long whoever waits for their domain does at most: it may be at full speed long before it was expected.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_mins(2);

/// How long a mail waits whose domain asked for less.
const ASKED: SignedDuration = SignedDuration::from_mins(1);

/// How long a mail waits that was refused for what we are: nothing of it changes until somebody changes it.
const REFUSED: SignedDuration = SignedDuration::from_mins(15);

/// What a window is noted in.
pub(crate) struct Notes<'a> {
    pub ledger: &'a mut Ledger,
    pub counts: &'a Counts,
    pub lane: Lane,
    /// When it was planned.
    pub planned: Timestamp,
    pub now: Timestamp,
    /// What is said of the window in one line, however many of its mails it was said of.
    refused: Option<String>,
    about_us: Option<String>,
    accepted: usize,
}

impl<'a> Notes<'a> {
    pub(crate) fn new(
        ledger: &'a mut Ledger,
        counts: &'a Counts,
        lane: Lane,
        planned: Timestamp,
        now: Timestamp,
    ) -> Self {
        Self { ledger, counts, lane, planned, now, refused: None, about_us: None, accepted: 0 }
    }

    /// Notes what became of a window; answers why the connection broke, if it did.
    pub(crate) fn take<'b>(
        mut self,
        recipients: impl Iterator<Item = (usize, &'b Address)>,
        sent: Sent,
    ) -> Option<String> {
        let (mut broken, mut first) = (None, sent.fresh);
        for ((recipient, to), fate) in recipients.zip(sent.fates) {
            match fate {
                Fate::Untried => self.ledger.set(recipient, State::Planned),
                Fate::Waits(until) => {
                    self.ledger.slow(recipient, until.min(self.now + LOOK_AGAIN));
                    self.counts.mail(self.lane, "slowed");
                }
                Fate::Answered(Outcome::Unsent(cause)) => {
                    broken = Some(without_address(&cause.to_string(), to));
                    // A new connection that breaks at its very first mail breaks because of it, and would again at once:
                    // it waits its turn, so that the others are not kept waiting with it.
                    self.ledger.set(recipient, if first { State::Deferred } else { State::Planned });
                    first = false;
                }
                Fate::Answered(outcome) => {
                    self.note(recipient, to, outcome);
                    first = false;
                }
            }
        }
        self.counts.accepted(self.lane, self.planned, self.now, self.accepted);
        if let Some(reply) = self.refused {
            tracing::error!(reply, "the relay refuses our mail; trying again later");
        }
        if let Some(reply) = self.about_us {
            tracing::warn!(reply, "mail is refused for what we are; those readers wait");
        }
        broken
    }

    fn note(&mut self, recipient: usize, to: &Address, outcome: Outcome) {
        let outcome = match outcome {
            Outcome::Accepted(_) => {
                self.accepted += 1;
                return self.ledger.set(recipient, State::Accepted);
            }
            Outcome::Deferred(reply) if asks_for_less(&reply) => {
                self.slow(recipient, ASKED, without_address(&reply.to_string(), to))
            }
            Outcome::Failed(reply) if is_about_us(&reply) => {
                let reply = without_address(&reply.to_string(), to);
                self.about_us.get_or_insert_with(|| reply.clone());
                self.slow(recipient, REFUSED, reply)
            }
            Outcome::Deferred(reply) => self.defer(recipient, without_address(&reply.to_string(), to)),
            Outcome::Failed(reply) if reply.cause() == Cause::Recipient => {
                let reply = without_address(&reply.to_string(), to);
                tracing::info!(to = to.masked(), reply, "refused for good");
                self.ledger.refuse(recipient, reply);
                "failed"
            }
            // Not the reader's fault: it is our words or the relay that somebody must look at.
            Outcome::Failed(reply) => {
                let reply = without_address(&reply.to_string(), to);
                self.refused.get_or_insert_with(|| reply.clone());
                self.defer(recipient, reply)
            }
            Outcome::Unsent(broken) => self.defer(recipient, without_address(&broken.to_string(), to)),
            Outcome::Unknown(broken) => {
                let cause = without_address(&broken.to_string(), to);
                tracing::warn!(to = to.masked(), cause, "no answer to a mail that was on its way");
                self.ledger.set(recipient, State::Uncertain);
                self.ledger.say(recipient, cause);
                "uncertain"
            }
        };
        self.counts.mail(self.lane, outcome);
    }

    fn defer(&mut self, recipient: usize, said: String) -> &'static str {
        self.ledger.set(recipient, State::Deferred);
        self.ledger.say(recipient, said);
        "deferred"
    }

    fn slow(&mut self, recipient: usize, wait: SignedDuration, said: String) -> &'static str {
        self.ledger.slow(recipient, self.now + wait);
        self.ledger.say(recipient, said);
        "slowed"
    }
}

/// A relay's words as they may be kept and logged: relays like to repeat the address, whole or its local part.
pub(crate) fn without_address(words: &str, address: &Address) -> String {
    let mut out = words.to_owned();
    for part in [address.as_str(), address.local()] {
        out = without(&out, part);
    }
    out
}

/// Replaces every occurrence of `part` that stands by itself, in whatever case.
fn without(words: &str, part: &str) -> String {
    let (lower, part) = (words.to_ascii_lowercase(), part.to_ascii_lowercase());
    let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let (mut out, mut from) = (String::new(), 0);
    while let Some(at) = lower[from..].find(&part).map(|at| from + at) {
        let end = at + part.len();
        let alone = !letter(words[..at].chars().next_back()) && !letter(words[end..].chars().next());
        out.push_str(&words[from..at]);
        out.push_str(if alone { "…" } else { &words[at..end] });
        from = end;
    }
    out.push_str(&words[from..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relays_words_lose_the_address() {
        let address: Address = "Jo.Doe@Example.org".parse().unwrap();
        for (words, kept) in [
            ("550 <jo.doe@EXAMPLE.org> no such user \"jo.doe\"", "550 <…> no such user \"…\""),
            ("<jo.doe>: unknown", "<…>: unknown"),
            ("mojo.doe@example.org is somebody else", "mojo.doe@example.org is somebody else"),
            ("合肥 jo.doe@example.org 没有", "合肥 … 没有"),
        ] {
            assert_eq!(without_address(words, &address), kept);
        }
    }
}
