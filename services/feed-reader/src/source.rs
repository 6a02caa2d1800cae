//! A source: an upstream feed that a publisher takes news from, as the operator entered it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

/// The record of a source. It is the operator's alone: what the reader learns is in its own records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    pub url: Url,
    /// What the newsroom calls it; it stands as the source of its articles. Without one, the feed's own title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The section of its articles, from the outermost level.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub section: Vec<String>,
    /// Of articles whose feed names no language, or names a wrong one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    pub added_at: Timestamp,
    /// When an operator last said that it be read: added, or resumed. It is read at once then, also if it had been
    /// given up.
    pub asked_at: Timestamp,
    #[serde(default)]
    pub paused: bool,
    /// From then on it is read no more. The record stays, so that nobody wonders where it went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_at: Option<Timestamp>,
}

/// Hex digits of a source's id: enough that no two of some million sources share one.
const ID_LENGTH: usize = 16;

impl Source {
    /// The id of the source at `url`: the same address is the same source, however often it is added.
    pub fn id(url: &Url) -> String {
        let mut id = sha256_hex(url.as_str().as_bytes());
        id.truncate(ID_LENGTH);
        id
    }

    /// Whether it is to be read.
    pub fn is_read(&self) -> bool {
        !self.paused && self.removed_at.is_none()
    }

    /// The bytes that are stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings and times always serialise")
    }

    /// Reads a stored record.
    ///
    /// # Errors
    /// When the bytes are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}

/// Lower-case hex of a hash.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_is_one_source_and_a_token_of_a_subject() {
        let id = |url: &str| Source::id(&url.parse().unwrap());
        assert_eq!(id("https://News.example:443/feed"), id("https://news.example/feed"));
        assert_ne!(id("https://news.example/feed"), id("https://news.example/feed/"));
        assert_eq!(id("https://新闻.example/é").len(), ID_LENGTH);
    }

    #[test]
    fn a_record_reads_back_and_a_newer_field_passes() {
        let json = r#"{"url":"https://news.example/feed","added_at":"2026-11-22T10:00:00Z","asked_at":"2026-11-22T10:00:00Z","later":1}"#;
        let source = Source::from_bytes(json.as_bytes()).unwrap();
        assert!(source.is_read());
        assert_eq!(Source::from_bytes(&source.to_bytes()).unwrap(), source);
        assert!(!Source { paused: true, ..source.clone() }.is_read());
        assert!(!Source { removed_at: Some(source.added_at), ..source }.is_read());
    }
}
