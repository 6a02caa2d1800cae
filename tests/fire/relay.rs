//! The relay of the fire: what it refuses for good, and what goes wrong at random.

use std::time::Duration;

use testkit::mailbox::{Action, Fault, Faults, Stage};

/// Where no mailbox is: refused at RCPT, always.
const GONE: &str = "@gone.example.org";
/// Where none takes mail: refused after the content, always.
const CLOSED: &str = "@closed.example.org";

/// Of a hundred readers one is gone, and of two hundred one is closed.
pub(super) fn address(seed: u64, n: usize) -> String {
    let domain = match fastrand::Rng::with_seed(seed ^ (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)).u32(0..200) {
        0 | 1 => GONE,
        2 => CLOSED,
        _ => "@example.org",
    };
    format!("reader{n}{domain}")
}

/// Whether it never takes mail for this address.
pub(super) fn refuses(address: &str) -> bool {
    address.ends_with(GONE) || address.ends_with(CLOSED)
}

/// Only what is refused for good.
pub(super) fn refusals() -> Faults {
    Faults::from(vec![
        Fault::reply(Stage::Rcpt, 550, "5.1.1 no such mailbox").to(GONE),
        Fault::reply(Stage::Content, 554, "5.2.1 the mailbox is closed").to(CLOSED),
    ])
}

/// Everything that a relay may do wrong.
pub(super) fn faults(seed: u64) -> Faults {
    let ms = |n| Action::Delay(Duration::from_millis(n));
    let mut faults = refusals();
    faults.seed = seed;
    faults.rules.extend([
        Fault::reply(Stage::Connect, 421, "4.3.2 too busy").chance(0.05),
        Fault::new(Stage::Connect, Action::Cut).chance(0.05),
        Fault::reply(Stage::Mail, 421, "4.7.0 too many mails").chance(0.0005),
        Fault::reply(Stage::Mail, 451, "4.3.0 try later").chance(0.001),
        Fault::reply(Stage::Rcpt, 450, "4.2.0 greylisted").chance(0.008),
        Fault::reply(Stage::Rcpt, 554, "5.3.0 the relay is unwell").chance(0.001),
        Fault::new(Stage::Rcpt, Action::Cut).chance(0.0002),
        // Later than a notifier waits, and merely slow.
        Fault::new(Stage::Rcpt, ms(4_000)).chance(0.0001),
        Fault::new(Stage::Content, ms(200)).chance(0.0005),
        Fault::reply(Stage::Data, 451, "4.3.1 disk full").chance(0.001),
        Fault::reply(Stage::Content, 452, "4.2.2 mailbox full").chance(0.008),
        Fault::reply(Stage::Content, 421, "4.3.2 shutting down").chance(0.0003),
        Fault::new(Stage::Content, Action::CutAfter(700)).chance(0.0005),
        Fault::new(Stage::Content, Action::Cut).chance(0.0003),
        Fault::new(Stage::Content, Action::KeepThenCut).chance(0.0005),
    ]);
    faults
}
