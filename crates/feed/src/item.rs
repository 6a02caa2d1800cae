//! One entry written in every format, and the dates in it.

use article::{Article, ArticleId};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

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
    /// The same without the body, where that makes a difference; it may have a shorter form of its own.
    pub(crate) short: Option<Box<Item>>,
    fingerprint: u64,
}

impl Item {
    /// `None` while readers may not have the article (see [`Entry::of`]).
    pub fn render(article: &Article, links: &Links) -> Option<Self> {
        let entry = Entry::of(article, links)?;
        let mut item = Self::write(&entry, links);
        if item.longest() > SMALL_ITEM_BYTES {
            let entry = entry.shortened();
            let mut short = Self::write(&entry, links);
            if short.longest() > SMALL_ITEM_BYTES {
                short.short = Some(Box::new(Self::write(&entry.bared(links), links)));
            }
            if item.longest() > MAX_ITEM_BYTES {
                return Some(short);
            }
            item.short = Some(Box::new(short));
        }
        Some(item)
    }

    fn write(entry: &Entry<'_>, links: &Links) -> Self {
        let (rss, atom, json) = (rss::item(entry), atom::entry(entry, links), json::item(entry));
        let tombstone = (entry.standing == Standing::Killed).then(|| atom::tombstone(entry));
        let fingerprint = fingerprint([&rss, &atom, &json, tombstone.as_deref().unwrap_or_default()]);
        Self {
            id: entry.article.id,
            updated: entry.updated,
            language: entry.article.language.clone(),
            rss,
            atom,
            json,
            tombstone,
            short: None,
            fingerprint,
        }
    }

    /// Bytes of its longest form.
    fn longest(&self) -> usize {
        [&self.rss, &self.atom, &self.json].map(String::len).into_iter().max().unwrap_or_default()
    }

    pub(crate) fn written(&self, format: Format) -> &str {
        match format {
            Format::Rss => &self.rss,
            Format::Atom => &self.atom,
            Format::Json => &self.json,
        }
    }

    pub fn id(&self) -> ArticleId {
        self.id
    }

    /// Changes if anything that is written of the article changes in any format; the same on every replica and for
    /// every version of this program that writes the same.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Whether it is the notice of an article that was killed: whoever holds its earlier form must let go of it.
    pub fn is_killed(&self) -> bool {
        self.tombstone.is_some()
    }

    /// BCP 47, the article's.
    pub fn language(&self) -> &str {
        &self.language
    }
}

fn fingerprint(forms: [&str; 4]) -> u64 {
    let mut hash = Sha256::new();
    for form in forms {
        // The length keeps what moves from one form into the next apart.
        hash.update(u64::try_from(form.len()).expect("a length in memory").to_be_bytes());
        hash.update(form);
    }
    let digest: [u8; 32] = hash.finalize().into();
    let (first, _) = digest.split_first_chunk().expect("32 bytes are more than 8");
    u64::from_be_bytes(*first)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Replicas of two versions of the program tell deltas by it.
    #[test]
    fn a_fingerprint_is_the_same_on_every_replica_and_next_year() {
        assert_eq!(format!("{:016x}", fingerprint(["a", "b", "c", ""])), "fe50b806593d3a84");
        assert_ne!(fingerprint(["a", "bc", "", ""]), fingerprint(["ab", "c", "", ""]));
    }
}
