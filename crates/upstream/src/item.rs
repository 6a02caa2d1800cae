//! What a feed says, whatever format it says it in.

use thiserror::Error;
use url::Url;

use crate::date::Date;
use crate::schedule::Hints;

/// The family of formats a feed was written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RSS 0.9x and 2.0, and what looks like it.
    Rss,
    /// RSS 0.9 and 1.0.
    Rdf,
    /// Atom 0.3 and 1.0.
    Atom,
    /// JSON Feed 1.x.
    Json,
}

/// A feed as it was read: what it says of itself, its items in its own order, and what had to be left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Feed {
    pub format: Format,
    pub title: Option<String>,
    /// The page it belongs to.
    pub home: Option<Url>,
    /// As written; not always a language tag.
    pub language: Option<String>,
    /// Authors of items that name none.
    pub authors: Vec<Author>,
    /// Where it says that it lives (`rel="self"`).
    pub own_address: Option<Url>,
    /// WebSub hubs that it names, in its own order; at most [`crate::websub::MAX_HUBS`].
    pub hubs: Vec<Url>,
    /// How often it wants to be asked.
    pub hints: Hints,
    /// At most [`crate::MAX_ITEMS`].
    pub items: Vec<Item>,
    /// Items that could not be read.
    pub rejected: Vec<Rejected>,
    /// How many items there were beyond the limit.
    pub left_out: usize,
    /// Whether the document ended in the middle; what stood before that is here, and says so if it is not whole.
    pub cut_off: bool,
}

/// One item.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Item {
    /// The feed's own name for it, trimmed: `guid`, `atom:id`, `rdf:about`, `id`. Never invented: see
    /// [`crate::identity`] for items without one.
    pub guid: Option<String>,
    /// The page it stands on.
    pub link: Option<Url>,
    /// One line of plain text, never blank.
    pub title: Option<String>,
    pub content: Option<Markup>,
    pub summary: Option<Markup>,
    pub authors: Vec<Author>,
    pub published: Option<Date>,
    /// Only if the feed says so itself.
    pub updated: Option<Date>,
    pub categories: Vec<Category>,
    pub media: Vec<Media>,
    /// As written; not always a language tag.
    pub language: Option<String>,
    /// Where the feed took it from.
    pub source: Option<ItemSource>,
    /// What relative addresses in it are relative to: `xml:base`, else its page, else the feed.
    pub base: Option<Url>,
    /// Whether the document ends inside it: its text may be any part of what it is, and it makes no draft.
    pub cut_off: bool,
}

/// Text in one of two forms, as the feed sent it: not yet safe to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Markup {
    Html(String),
    Text(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    pub name: String,
    pub url: Option<Url>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    pub term: String,
    pub scheme: Option<String>,
    pub label: Option<String>,
}

/// A file that belongs to an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    pub url: Url,
    /// As written; not always a media type.
    pub mime: Option<String>,
    /// Pixels.
    pub width: Option<u32>,
    /// Pixels.
    pub height: Option<u32>,
    /// Bytes.
    pub size: Option<u64>,
    /// What the feed says of it, as plain text.
    pub title: Option<String>,
    pub description: Option<String>,
    pub credit: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemSource {
    pub title: String,
    pub url: Option<Url>,
}

/// An item that could not be read, for the quarantine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Its place in the feed, from 0.
    pub position: usize,
    pub reason: String,
    /// What it looked like when the reader was given it; at most 64 KiB.
    pub text: String,
}

/// A document that holds no feed. The text says what was seen.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unreadable {
    #[error("the document is empty")]
    Empty,
    #[error("{bytes} bytes of text; a feed may have {}", crate::MAX_BYTES)]
    TooLarge { bytes: usize },
    #[error("not a feed: {seen}")]
    NotAFeed { seen: String },
    #[error("not JSON: {0}")]
    NotJson(String),
    /// Nothing but items that could not be read.
    #[error("none of its {} items could be read; the first: {}", .0.len(), .0.first().map_or("", |first| &first.reason))]
    NoItemReadable(Vec<Rejected>),
}
