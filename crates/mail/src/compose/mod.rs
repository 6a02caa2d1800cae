//! From an article to the bytes of a mail.

mod access;
mod alert;
mod body;
mod confirmation;
mod digest;
mod facts;
mod frame;
mod message;
mod notice;
mod part;
mod topic;

pub use access::{Access, access};
pub use alert::compile_alert;
pub use confirmation::{Confirmation, confirmation};
pub use digest::{DigestContent, DigestItem, compile_digest};
pub use message::{Issue, Message, Personal};
pub use notice::{Notice, compile_notice};
pub use topic::{Topic, Why};
