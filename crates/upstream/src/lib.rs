//! Feeds of others: bytes to items, whose items they are, when to ask again.
//!
//! Pure: no clock, network, chance or log. The bytes come from strangers, so everything here is bounded, and reading
//! never fails by panicking: what cannot be read is an [`Unreadable`] with its reason, one bad item is a [`Rejected`].
//! The work is for a thread that may block: fifteen megabytes take a quarter of a second, and a
//! few seconds if they were made to be slow.
//!
//! ```text
//! bytes ─ decode ─▶ text ─ mend ─▶ one Atom entry per item ─ feed-rs ─▶ Item ─▶ draft, identity, revision
//!                        └ json ─────────────────────────────────────▶ Item
//! ```

mod address;
mod date;
mod decode;
mod draft;
mod entity;
mod entry;
mod html;
pub mod identity;
mod item;
mod json;
mod mend;
pub mod opml;
mod read;
pub mod revision;
mod scan;
pub mod schedule;
mod text;
pub mod websub;

pub use self::date::Date;
pub use self::decode::MAX_BYTES;
pub use self::draft::{DraftOptions, Undraftable};
pub use self::item::{Author, Category, Feed, Format, Item, ItemSource, Markup, Media, Rejected, Unreadable};
pub use self::read::{MAX_ITEMS, read};
