//! Other people's shapes of an article, in and out, and the signatures of the webhooks that carry them.
//!
//! In: ninjs, Ghost, WordPress and our own event become a [`Foreign`]: whose article it is, what is to become of it, and
//! the document that [`article::Draft::from_json`] takes. Out: [`ninjs::write`] and [`json_ld`].
//!
//! Nothing is rewritten on the way in: text is taken as it is or left out with a warning. What decides whether readers
//! may see an article (an embargo, a status) is never guessed: what cannot be read there is refused.
//!
//! Pure: this crate must not know about clocks, networks, or what the newsroom's desk does with a wish.

pub mod ghost;
mod json_ld;
pub mod newswire;
pub mod ninjs;
mod shape;
pub mod signature;
pub mod wordpress;

use jiff::Timestamp;
use serde_json::Value;

pub use json_ld::{in_script, json_ld};

/// What a foreign document says of an article.
#[derive(Debug, Clone, PartialEq)]
pub struct Foreign {
    /// The article's identity over there: 1 to 500 bytes, the same in every version.
    pub id: String,
    /// When it was last changed over there: an older document than the one we have is out of date.
    pub changed_at: Option<Timestamp>,
    pub wish: Wish,
    /// What was not taken over, or taken with a doubt; at most 20.
    pub warnings: Vec<String>,
}

/// What is to become of the article.
#[derive(Debug, Clone, PartialEq)]
pub enum Wish {
    /// It is public, and this is its text: a draft without `id` and `publisher`. It has a `change` only where the
    /// other side knows what kind of change it made.
    Publish(Value),
    /// It is not public over there, or no longer.
    Withdraw {
        /// For the newsroom: `its status is draft`.
        why: String,
        /// For readers, where the other side has a word for them.
        note: Option<String>,
    },
    /// It is no article.
    Nothing { why: String },
}

/// What the documents of one sender leave unsaid.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defaults {
    /// BCP 47; of a document that names no language.
    pub language: Option<String>,
    /// Of a document that names no section.
    pub section: Vec<String>,
    /// IANA name of the newsroom's time zone, in which its dates are printed.
    pub tz: Option<String>,
}
