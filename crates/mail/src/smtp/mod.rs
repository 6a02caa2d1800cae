//! Submitting finished mails to a relay.
//!
//! One [`Connection`] belongs to one worker, which sends windows of mails over it, opens the next when it is no
//! longer usable, and closes it after as many mails as it likes. Pooling is not wanted: a pool gives a connection
//! back in the middle of a transaction when a timeout wraps its `send`, and the next mail is then reported sent
//! though it was refused.

mod connection;
mod relay;
mod reply;
mod stream;
mod window;

pub use connection::{Connection, OpenError, check_roots};
pub use relay::{Auth, Relay, Timeouts, Tls};
pub use reply::{Broken, Cause, Outcome, Reply, Stage};
pub use window::Outgoing;
