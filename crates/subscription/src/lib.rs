//! Which articles somebody asked for: one expression for feeds and for email subscriptions alike.
//!
//! Pure: it knows articles and nothing of feeds, mail, HTTP or storage.

mod error;
mod expression;
mod features;
mod index;
mod matcher;
mod parse;
mod program;
mod selection;
#[cfg(test)]
mod tests;
mod words;

pub use error::{InvalidSelection, Problem};
pub use expression::{Atom, Expression};
pub use features::Features;
pub use index::Index;
pub use matcher::Matcher;
pub use selection::Selection;
