//! What the relay's answers mean for the ledger, and what of them may be kept.

use mail::smtp::Cause;
use mail::{Address, Outcome};

use crate::ledger::{Ledger, State};
use crate::pool::Sent;

/// Notes the outcomes of a window; answers why the connection broke, if it did.
pub(crate) fn note_all<'a>(
    ledger: &mut Ledger,
    recipients: impl Iterator<Item = (usize, &'a Address)>,
    sent: Sent,
) -> Option<String> {
    let mut broken = None;
    for (n, ((recipient, to), outcome)) in recipients.zip(sent.outcomes).enumerate() {
        if let Outcome::Unsent(cause) = &outcome {
            broken = Some(without_address(&cause.to_string(), to));
            // A new connection that breaks at its very first mail breaks because of it, and would again in five
            // seconds: it waits its turn, so that the others are not kept waiting with it.
            ledger.set(recipient, if n == 0 && sent.fresh { State::Deferred } else { State::Planned });
        } else {
            note(ledger, recipient, to, outcome);
        }
    }
    broken
}

fn note(ledger: &mut Ledger, recipient: usize, to: &Address, outcome: Outcome) {
    match outcome {
        Outcome::Accepted(_) => ledger.set(recipient, State::Accepted),
        Outcome::Deferred(_) | Outcome::Unsent(_) => ledger.set(recipient, State::Deferred),
        Outcome::Failed(reply) if reply.cause() == Cause::Recipient => {
            let reply = without_address(&reply.to_string(), to);
            tracing::info!(to = to.masked(), reply, "refused for good");
            ledger.refuse(recipient, reply);
        }
        // Not the reader's fault: it is us, our words or the relay that somebody must look at.
        Outcome::Failed(reply) => {
            let reply = without_address(&reply.to_string(), to);
            tracing::error!(reply, "the relay refuses our mail; trying again later");
            ledger.set(recipient, State::Deferred);
        }
        Outcome::Unknown(broken) => {
            let cause = without_address(&broken.to_string(), to);
            tracing::warn!(to = to.masked(), cause, "no answer to a mail that was on its way");
            ledger.set(recipient, State::Uncertain);
        }
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
