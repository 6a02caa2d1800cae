//! Which articles somebody asked for: one expression for feeds and for email subscriptions alike.
//!
//! Pure: it knows articles and nothing of feeds, mail, HTTP or storage.

mod index;
mod selection;

pub use index::Index;
pub use selection::{InvalidSelection, Selection};
