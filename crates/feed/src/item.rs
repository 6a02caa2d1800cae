//! One entry written in every format, and the dates in it.

use article::{Article, ArticleId};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::document::Format;
use crate::entry::{Entry, Links, Standing};
use crate::{atom, json, rss};

/// An item longer than this in any format is written without its body, so that one article cannot fill a feed.
const MAX_ITEM_BYTES: usize = 400_000;

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
}

impl Item {
    /// `None` while readers may not have the article (see [`Entry::of`]).
    pub fn render(article: &Article, links: &Links) -> Option<Self> {
        let entry = Entry::of(article, links)?;
        let item = Self::write(&entry, links);
        let fits = [&item.rss, &item.atom, &item.json].iter().all(|written| written.len() <= MAX_ITEM_BYTES);
        Some(if fits { item } else { Self::write(&entry.shortened(), links) })
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
