//! One entry written in every format, and the dates in it.

use article::{Article, ArticleId};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::document::{Format, MAX_DOCUMENT_BYTES, MAX_ENTRIES};
use crate::entry::{Entry, Links, Standing};
use crate::{atom, json, rss};

/// An item longer than this in any format is written without its body, so that one article cannot fill a feed.
const MAX_ITEM_BYTES: usize = 400_000;

/// A longer one has a short form, too, for the day when a feed would grow too large: fifty of this size fit.
const SMALL_ITEM_BYTES: usize = MAX_DOCUMENT_BYTES / MAX_ENTRIES - 1_000;

/// An entry ready to be spliced into documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub(crate) id: ArticleId,
    pub(crate) updated: Timestamp,
    pub(crate) language: String,
    rss: String,
    atom: String,
    json: String,
    /// For feeds in XML; JSON Feed says it inside the item.
    pub(crate) tombstone: Option<String>,
    /// The same without the body, where that makes a difference.
    pub(crate) short: Option<Box<Item>>,
}

impl Item {
    /// `None` while readers may not have the article (see [`Entry::of`]).
    pub fn render(article: &Article, links: &Links) -> Option<Self> {
        let entry = Entry::of(article, links)?;
        let mut item = Self::write(&entry, links);
        let longest = [&item.rss, &item.atom, &item.json].map(String::len).into_iter().max().unwrap_or_default();
        if longest > SMALL_ITEM_BYTES {
            let short = Self::write(&entry.shortened(), links);
            if longest > MAX_ITEM_BYTES {
                return Some(short);
            }
            item.short = Some(Box::new(short));
        }
        Some(item)
    }

    fn write(entry: &Entry<'_>, links: &Links) -> Self {
        Self {
            id: entry.article.id,
            updated: entry.updated,
            language: entry.article.language.clone(),
            rss: rss::item(entry),
            atom: atom::entry(entry, links),
            json: json::item(entry),
            tombstone: (entry.standing == Standing::Killed).then(|| atom::tombstone(entry)),
            short: None,
        }
    }

    pub(crate) fn written(&self, format: Format) -> &str {
        match format {
            Format::Rss => &self.rss,
            Format::Atom => &self.atom,
            Format::Json => &self.json,
        }
    }

    /// BCP 47, the article's.
    pub fn language(&self) -> &str {
        &self.language
    }
}

/// `updated` on the newsroom's clock, to the microsecond.
pub(crate) fn rfc3339(entry: &Entry<'_>) -> String {
    let zone = entry.published.zoned().time_zone().clone();
    let updated = entry.updated.to_zoned(zone);
    // Local mean time had seconds in its offset, which the format has not.
    if updated.offset().seconds() % 60 != 0 {
        return rfc3339_utc(entry.updated);
    }
    updated.strftime("%Y-%m-%dT%H:%M:%S.%6f%:z").to_string()
}

pub(crate) fn rfc3339_utc(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

pub(crate) fn rfc5322_utc(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S %z").to_string()
}
