//! Identity: articles and publishers, in the forms that URLs, subjects and feeds need.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An article's identity, immutable through every revision, slug, host and scheme change.
///
/// Written `urn:uuid:…` in documents and feeds (RFC 9562) and as the bare UUID in URLs and subjects. New articles
/// get version 7, imported and idempotent ones version 5, so that the same input names the same article twice.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, schemars::JsonSchema)]
#[schemars(with = "String", extend("format" = "uri", "pattern" = "^urn:uuid:"))]
pub struct ArticleId(Uuid);

/// The text is not an article id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidId(String);

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidId {}

impl ArticleId {
    /// A fresh, time-ordered id (UUID v7) for an article created at `now`; `random` fills its 74 random bits.
    pub fn new(now: jiff::Timestamp, random: [u8; 10]) -> Self {
        let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// The id that `name` always has for this publisher (UUID v5): an imported page's identity, an idempotency key.
    pub fn derived(publisher: &PublisherId, kind: &str, name: &[u8]) -> Self {
        let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("newswire:{publisher}:{kind}").as_bytes());
        Self(Uuid::new_v5(&namespace, name))
    }

    pub fn uuid(&self) -> Uuid {
        self.0
    }

    /// The bare UUID: one subject token, one path segment.
    pub fn token(&self) -> String {
        self.0.hyphenated().to_string()
    }
}

impl fmt::Display for ArticleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "urn:uuid:{}", self.0.hyphenated())
    }
}

impl fmt::Debug for ArticleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ArticleId {
    type Err = InvalidId;

    /// Accepts `urn:uuid:…` and the bare UUID.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let bare = text.strip_prefix("urn:uuid:").unwrap_or(text);
        // Only the hyphenated form: one article must not have five spellings.
        if bare.len() != 36 {
            return Err(InvalidId(format!("{text:?} is not an article id; expected urn:uuid: and 36 characters")));
        }
        Uuid::parse_str(bare).map(Self).map_err(|error| InvalidId(format!("{text:?} is not an article id: {error}")))
    }
}

impl Serialize for ArticleId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ArticleId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A publisher's slug: 1–64 of `a-z`, `0-9` and inner hyphens. It is a subject token, a URL segment and a List-Id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[schemars(extend("pattern" = "^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$"))]
pub struct PublisherId(String);

impl PublisherId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PublisherId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PublisherId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let ok =
            (1..=64).contains(&text.len()) && text.bytes().all(legal) && !text.starts_with('-') && !text.ends_with('-');
        if !ok {
            return Err(InvalidId(format!(
                "{text:?} is not a publisher: use 1 to 64 lower-case letters, digits and inner hyphens"
            )));
        }
        Ok(Self(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for PublisherId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_from_both_its_forms() {
        let id = ArticleId::new("2026-11-22T10:00:00Z".parse().unwrap(), [7; 10]);
        assert_eq!(id.uuid().get_version_num(), 7);
        assert_eq!(id.to_string().parse::<ArticleId>().unwrap(), id);
        assert_eq!(id.token().parse::<ArticleId>().unwrap(), id);
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"urn:uuid:{}\"", id.token()));
    }

    #[test]
    fn one_spelling_only() {
        for wrong in ["", "urn:uuid:", "0192d3f0a1b27c3d8e4f5a6b7c8d9e0f", "{0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f}"] {
            assert!(wrong.parse::<ArticleId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn derived_ids_depend_on_publisher_kind_and_name() {
        let (a, b) = ("hefei".parse().unwrap(), "wuhan".parse().unwrap());
        let id = ArticleId::derived(&a, "import", b"x");
        assert_eq!(id, ArticleId::derived(&a, "import", b"x"));
        assert_eq!(id.uuid().get_version_num(), 5);
        for other in [
            ArticleId::derived(&b, "import", b"x"),
            ArticleId::derived(&a, "key", b"x"),
            ArticleId::derived(&a, "import", b"y"),
        ] {
            assert_ne!(id, other);
        }
    }

    #[test]
    fn a_publisher_is_one_safe_subject_token() {
        for ok in ["a", "hefei-procuratorate", "x1", &"a".repeat(64)] {
            assert!(ok.parse::<PublisherId>().is_ok(), "{ok}");
        }
        for bad in ["", "A", "a.b", "a*", ">", "-a", "a-", "合肥", "a b", &"a".repeat(65)] {
            assert!(bad.parse::<PublisherId>().is_err(), "{bad}");
        }
    }
}
