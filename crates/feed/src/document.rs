//! A whole feed: its own description, and items spliced in.

use std::ops::Deref;

use article::ArticleId;
use jiff::Timestamp;

use crate::item::Item;
use crate::paging::Paging;
use crate::xml::Xml;
use crate::{atom, json, rss};

/// Entries of a live feed.
pub const MAX_ENTRIES: usize = 50;

/// Size of a live feed: readers poll it whole, and some give up on more.
pub const MAX_DOCUMENT_BYTES: usize = 1_000_000;

/// How long a reader may wait before it asks again; the HTTP answer's `max-age` says the same.
pub(crate) const TTL_MINUTES: u32 = 1;

/// The forms a feed comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    Rss,
    Atom,
    Json,
}

impl Format {
    pub const ALL: [Self; 3] = [Self::Rss, Self::Atom, Self::Json];

    /// File name extension, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Rss => "rss",
            Self::Atom => "atom",
            Self::Json => "json",
        }
    }

    /// For a person.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rss => "RSS",
            Self::Atom => "Atom",
            Self::Json => "JSON Feed",
        }
    }

    /// Media type without parameters, as autodiscovery links want it.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Rss => "application/rss+xml",
            Self::Atom => "application/atom+xml",
            Self::Json => "application/feed+json",
        }
    }

    /// The `Content-Type` of an answer. JSON is UTF-8 by definition and has no parameter for it (RFC 8259).
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Rss => "application/rss+xml; charset=utf-8",
            Self::Atom => "application/atom+xml; charset=utf-8",
            Self::Json => "application/feed+json",
        }
    }
}

/// What a feed says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedMeta {
    pub title: String,
    /// Who runs the site; the feed's author.
    pub site_title: String,
    /// One sentence: what the feed holds.
    pub description: String,
    /// The document's own HTML page, absolute; with an extension it is the document itself. A live feed's is also what
    /// the feed is known by: the id of the Atom feed.
    pub page_url: String,
    /// BCP 47; `None` where the entries are in several languages.
    pub language: Option<String>,
    /// The WebSub hub that announces changes, absolute. Archives do not name it: they are no topics.
    pub hub: Option<String>,
}

impl FeedMeta {
    /// The address of the feed in one format.
    pub fn url(&self, format: Format) -> String {
        with_extension(&self.page_url, format)
    }
}

/// The address of a page's document in one format.
pub(crate) fn with_extension(page_url: &str, format: Format) -> String {
    format!("{page_url}.{}", format.extension())
}

/// A feed as it is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub bytes: Vec<u8>,
    /// The articles in it, in order.
    pub ids: Vec<ArticleId>,
}

/// Writes a feed of `items`, in their order. At most [`MAX_ENTRIES`]; where they would take the document past
/// [`MAX_DOCUMENT_BYTES`], the longest are given as summary and link. None is left out for its length: an archive is
/// the only place where its articles are.
///
/// The feed's own date is its newest entry's `updated`; an empty feed is dated 1970, for Atom requires a date and
/// the clock would make two replicas differ.
pub fn document<I: Deref<Target = Item>>(format: Format, meta: &FeedMeta, paging: &Paging, items: &[I]) -> Document {
    let items: Vec<&Item> = items.iter().take(MAX_ENTRIES).map(Deref::deref).collect();
    let newest = items.iter().map(|item| item.updated).max();
    let head = match format {
        Format::Rss => rss::head(meta, paging, newest).finish(),
        Format::Atom => atom::head(meta, paging, newest.unwrap_or(Timestamp::UNIX_EPOCH)).finish(),
        Format::Json => json::head(meta, paging),
    };
    let chosen = chosen(format, head.len(), items);
    let ids = chosen.iter().map(|item| item.id).collect();
    let text = match format {
        Format::Json => json::spliced(head, &chosen.iter().map(|item| item.written(format)).collect::<Vec<_>>()),
        Format::Rss => spliced(head, format, &chosen, &["channel", "rss"]),
        Format::Atom => spliced(head, format, &chosen, &["feed"]),
    };
    Document { bytes: text.into_bytes(), ids }
}

/// Room for the closing tags and separators.
const TAIL_BYTES: usize = 1_000;

/// The items that a feed holds: all of them, the longest in their short form if they do not fit otherwise. So every
/// format has the same articles, however often it says the same.
fn chosen(format: Format, head: usize, items: Vec<&Item>) -> Vec<&Item> {
    let size = |item: &Item| item.written(format).len() + item.tombstone.as_ref().map_or(0, String::len) + 2;
    let mut chosen = items;
    let mut total = head + TAIL_BYTES + chosen.iter().map(|item| size(item)).sum::<usize>();
    while total > MAX_DOCUMENT_BYTES {
        let long = chosen.iter().enumerate().filter_map(|(n, &item)| Some((size(item), n, item.short.as_deref()?)));
        // Of two of one length the older one.
        let Some((longest, n, short)) = long.max_by_key(|(size, n, _)| (*size, *n)) else { break };
        total = total - longest + size(short);
        chosen[n] = short;
    }
    chosen
}

fn spliced(head: String, format: Format, items: &[&Item], close: &[&'static str]) -> String {
    let mut xml = Xml::default();
    xml.splice(&head);
    for tombstone in items.iter().filter_map(|item| item.tombstone.as_deref()) {
        xml.splice(tombstone);
    }
    for item in items {
        xml.splice(item.written(format));
    }
    for name in close {
        xml.close(name);
    }
    xml.finish()
}
