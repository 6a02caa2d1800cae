//! The local mailbox as the other end of a test.

use mailbox::{Config, Faults, Mailbox};
use tokio_util::sync::CancellationToken;

/// A mailbox on free ports of loopback, in memory, that keeps 512 MiB of mail however many that are. It ends when
/// dropped.
///
/// # Panics
/// When no port can be bound.
pub async fn mail_sink(faults: impl Into<Faults>) -> Mailbox {
    #[expect(clippy::disallowed_methods, reason = "tests stand outside the services, whose one clock this is not")]
    let config = Config { faults: faults.into(), keep: usize::MAX, ..Config::new(jiff::Timestamp::now) };
    Mailbox::start(config, &CancellationToken::new()).await.expect("a mailbox on loopback")
}
