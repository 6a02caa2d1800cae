//! Mail to readers: what is in it, and how it reaches the relay.
//!
//! [`compose`] is pure: an article becomes an [`Issue`] once per revision and language, and a mail per reader is a
//! splice of what is personal, about a microsecond. [`smtp`] submits windows of finished mails over pipelined
//! connections and says of every one what became of it. Neither knows NATS, plans, ledgers or where addresses are
//! kept, and nothing here reads a clock.

mod address;
pub mod compose;
pub mod dkim;
mod encode;
mod header;
mod locale;
mod site;
pub mod smtp;
mod token;

pub use address::{Address, InvalidAddress};
pub use compose::{
    Access, Confirmation, DigestContent, DigestItem, Issue, Message, Notice, Personal, Topic, Why, access,
    compile_alert, compile_digest, compile_notice, confirmation,
};
pub use locale::{Locale, Words};
pub use site::{InvalidLink, InvalidSite, Link, Site};
pub use smtp::{Connection, Outcome, Outgoing, Relay, Reply};
pub use token::{Key, MessageId, return_path, subscriber_of_return_path};
