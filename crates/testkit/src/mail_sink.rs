//! The local mailbox as the other end of a test.

use std::sync::{Arc, Mutex};

use mailbox::{Config, Faults, Mailbox, Taken};
use tokio_util::sync::CancellationToken;

/// A mailbox on free ports of loopback, in memory, that keeps 512 MiB of mail however many that are. It ends when
/// dropped.
///
/// # Panics
/// When no port can be bound.
pub async fn mail_sink(faults: impl Into<Faults>) -> Mailbox {
    open(Config { faults: faults.into(), keep: usize::MAX, ..config() }).await
}

/// A mailbox that keeps of every mail who got it, and no content, and what it has taken: for more mail than memory holds.
///
/// # Panics
/// As [`mail_sink`].
pub async fn counting_sink(faults: impl Into<Faults>) -> (Mailbox, Tally) {
    let tally = Tally::default();
    let receipts = tally.clone();
    let witness = Box::new(move |taken: &Taken<'_>| receipts.lock().extend(Receipt::of(taken)));
    (open(Config { faults: faults.into(), keep: 1, witness: Some(witness), ..config() }).await, tally)
}

/// One mail that was taken for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub to: String,
    /// Empty where it has none.
    pub message_id: String,
    /// Whether the sender was told.
    pub told: bool,
}

impl Receipt {
    fn of(taken: &Taken<'_>) -> Vec<Self> {
        let message_id = message_id(taken.raw);
        taken.to.iter().map(|to| Self { to: to.clone(), message_id: message_id.clone(), told: taken.told }).collect()
    }
}

/// The field as it stands, of the first mail header that is one: to parse a hundred thousand mails takes longer than to
/// send them.
fn message_id(raw: &[u8]) -> String {
    let lines = raw.split(|byte| *byte == b'\n').take_while(|line| line.len() > 1);
    let mut fields = lines.filter_map(|line| std::str::from_utf8(line).ok()?.split_once(':'));
    let found = fields.find(|(name, _)| name.eq_ignore_ascii_case("message-id"));
    found.map_or_else(String::new, |(_, id)| id.trim().to_owned())
}

/// Every mail taken so far, for each recipient, in the order they came. Clones see the same.
#[derive(Debug, Clone, Default)]
pub struct Tally(Arc<Mutex<Vec<Receipt>>>);

impl Tally {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    pub fn receipts(&self) -> Vec<Receipt> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Receipt>> {
        self.0.lock().expect("no holder of this lock panics")
    }
}

fn config() -> Config {
    #[expect(clippy::disallowed_methods, reason = "tests stand outside the services, whose one clock this is not")]
    Config::new(jiff::Timestamp::now)
}

async fn open(config: Config) -> Mailbox {
    Mailbox::start(config, &CancellationToken::new()).await.expect("a mailbox on loopback")
}
