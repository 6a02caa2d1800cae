//! What comes back after a mail was sent, in one shape: bounces as mail (RFC 3464, and the common ones that are not),
//! complaints as mail (RFC 5965), and the webhooks of providers.
//!
//! Read, not believed: whose mail it was follows from an envelope sender that only we can have made, and whether a
//! webhook is the provider's from its signature; both are the caller's to check. Whatever cannot be told without
//! guessing is [`Report::Unclear`], because who is suppressed by mistake never learns of it.
//!
//! Pure: bytes in, a value out; no clock, no network. Time and memory grow with the size of what is read, which is cut
//! at [`MAX_MAIL`] and [`MAX_WEBHOOK`].

mod arf;
mod dsn;
pub mod generic;
mod mail;
mod mime;
pub mod postmark;
pub mod ses;
pub mod sns;
mod status;
mod strip;
mod words;

pub use mail::{MAX_MAIL, read_mail};
pub use status::Status;

use serde::{Deserialize, Serialize};

/// Bytes of a webhook's body that are read; a longer one is refused. SNS sends at most 256 KiB.
pub const MAX_WEBHOOK: usize = 512 * 1024;

/// What one mail or one record of a webhook says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    pub report: Report,
    /// Envelope senders of the mail that it is about, best first, as they were written; at most 4. For the caller to
    /// verify: anybody may write anything here.
    pub mail_from: Vec<String>,
    /// The reader's address, where a provider says it.
    pub address: Option<String>,
    /// What names this report among all of its sender's, so that the same one twice is seen.
    pub reference: Option<String>,
}

/// What became of a mail of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// It was not delivered and will not be.
    Bounce(Bounce),
    /// Its reader calls it spam.
    Complaint,
    /// A program answered for its reader: a vacation notice, a receipt.
    AutoReply,
    /// It is late, was delivered, relayed, or opened: nothing to act on.
    NoFailure,
    /// It may be a bounce, and does not say clearly of what kind.
    Unclear,
}

/// A mail that did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounce {
    pub class: Class,
    /// `None`: it follows from words, or from the provider's own terms.
    pub status: Option<Status>,
    /// What the receiver said, on one line, at most 500 characters, without addresses.
    pub diagnostic: String,
}

/// Whose fault it is, and whether it will pass. The order is that of severity for the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// We, our words or a relay: says nothing of the reader.
    Sender,
    /// The mailbox, and it may pass: full, disabled, its host unreachable for days.
    Soft,
    /// There is no such mailbox.
    Hard,
}

/// The body of a webhook is not what its sender sends.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRead {
    #[error("the body is longer than {MAX_WEBHOOK} bytes")]
    TooLong,
    #[error("the body is not the JSON that is expected here: {0}")]
    Json(String),
    #[error("{0} is missing, or is not what it should be")]
    Field(&'static str),
}

/// Reads JSON of a bounded size.
fn json<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, NotRead> {
    if bytes.len() > MAX_WEBHOOK {
        return Err(NotRead::TooLong);
    }
    // What serde says of a wrong value repeats the value, which may be an address.
    serde_json::from_slice(bytes)
        .map_err(|error| NotRead::Json(format!("line {}, {:?}", error.line(), error.classify())))
}
