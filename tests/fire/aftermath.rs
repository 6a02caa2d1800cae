//! What the relay has afterwards, beside what the ledger says it has.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use serde_json::Value;
use testkit::Tally;

use super::schedule::{Victim, draw};
use super::{Fire, relay};

/// Recipients whose intent one worker writes at a time (`ledger::WINDOW`).
const WINDOW: usize = 50;

/// Workers of a notifier that such a mail keeps busy: those of the lane, and of its retries.
const WORKERS: usize = 4 + 2;

#[derive(Debug)]
pub(crate) struct Aftermath {
    pub(crate) took: Duration,
    /// Readers by how many mails they have: nobody at 0 who should have one.
    lost: Vec<String>,
    /// Mails to readers that the relay always refuses.
    wrong: usize,
    /// Copies of a reader's mail that have another Message-ID than the first.
    strangers: usize,
    mails: usize,
    readers: usize,
    /// Mails more than readers who have one; those of them that follow one whose answer the relay kept to itself.
    copies: usize,
    unanswered: usize,
    plan: Value,
}

impl Aftermath {
    pub(crate) fn of(fire: &Fire, tally: &Tally, plan: Value, took: Duration) -> Self {
        let mails = tally.receipts();
        let mut of_reader: HashMap<&str, Vec<&testkit::Receipt>> = HashMap::new();
        for mail in &mails {
            of_reader.entry(&mail.to).or_default().push(mail);
        }
        let expected = (0..fire.readers).map(|n| relay::address(fire.seed, n));
        let lost = expected.filter(|to| !relay::refuses(to) && !of_reader.contains_key(to.as_str())).collect();
        let untold = |mails: &Vec<&testkit::Receipt>| mails.iter().filter(|mail| !mail.told).count();
        Self {
            took,
            lost,
            wrong: mails.iter().filter(|mail| relay::refuses(&mail.to)).count(),
            strangers: of_reader
                .values()
                .flatten()
                .filter(|mail| mail.message_id != of_reader[&*mail.to][0].message_id)
                .count(),
            mails: mails.len(),
            readers: of_reader.len(),
            copies: mails.len() - of_reader.len(),
            unanswered: of_reader.values().map(|mails| untold(mails).min(mails.len() - 1)).sum(),
            plan,
        }
    }

    /// Copies because of kills alone.
    fn of_kills(&self) -> usize {
        self.copies - self.unanswered
    }

    /// # Panics
    /// When anything is not as it must be.
    pub(crate) fn judge(&self, fire: &Fire) {
        let number = |value: &Value| usize::try_from(value.as_u64().expect("a count")).expect("a small count");
        let state = |name: &str| number(&self.plan["states"][name]);
        let refused = (0..fire.readers).filter(|n| relay::refuses(&relay::address(fire.seed, *n))).count();
        assert!(self.lost.is_empty(), "{} are lost, such as {:?}\n{self}", self.lost.len(), self.lost[0]);
        assert_eq!((self.wrong, self.strangers), (0, 0), "{self}");
        assert_eq!((number(&self.plan["matched"]), number(&self.plan["open"])), (fire.readers, 0), "{self}");
        assert_eq!((state("accepted"), state("failed")), (fire.readers - refused, refused), "{self}");
        assert!(self.copies <= number(&self.plan["resent_uncertain"]), "a copy was not counted\n{self}");
        let deaths = draw(fire).iter().filter(|kill| kill.victim != Victim::Server).count();
        assert!(self.of_kills() <= deaths * WORKERS * WINDOW, "more than a window for each worker that died\n{self}");
    }
}

impl fmt::Display for Aftermath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mails, readers, copies, .. } = self;
        writeln!(
            f,
            "{mails} mails to {readers} readers in {:.1} s, {} lost",
            self.took.as_secs_f64(),
            self.lost.len()
        )?;
        writeln!(
            f,
            "{copies} copies: {} after an answer that was lost, {} after a kill",
            self.unanswered,
            self.of_kills()
        )?;
        write!(f, "the ledger: {}", self.plan)
    }
}
