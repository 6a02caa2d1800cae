//! Articles as feed entries: RSS 2.0, Atom 1.0 (RFC 4287) and JSON Feed 1.1.
//!
//! [`Entry`] says what readers see of an article. Atom is the fullest form of it, the other formats are projections
//! of the same entry. An [`Item`] is one entry written in every format, once per change of the article; a
//! [`document`] splices items into a feed, so that a new article in twenty feeds costs one rendering and twenty
//! copies. [`check`] reads a document as a stranger would, before anybody else does.
//!
//! Beside the feeds: [`opml`], the list of them all, and [`news_sitemap`] for search engines.
//!
//! Pure and deterministic: no clock, no network; the same articles give the same bytes on every replica.

mod address;
mod atom;
mod category;
mod check;
mod document;
mod entry;
mod item;
mod json;
mod opml;
mod paging;
mod rss;
mod sitemap;
mod words;
mod xml;

pub use check::{Unreadable, check, check_spliced};
pub use document::{Document, FeedMeta, Format, MAX_DOCUMENT_BYTES, MAX_ENTRIES, document};
pub use entry::{Entry, Links, Standing};
pub use item::Item;
pub use opml::{MAX_OPML_BYTES, OPML_CONTENT_TYPE, Outline, opml};
pub use paging::Paging;
pub use sitemap::{MAX_NEWS_URLS, news_sitemap};
