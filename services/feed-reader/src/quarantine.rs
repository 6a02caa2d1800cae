//! What a source sent and nobody could make anything of: kept with the reason, for a person to look at.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

/// Bytes kept of one document. In base64 and with the rest of the record it stays below the store's largest message.
pub const MAX_KEPT: usize = 640 * 1024;

/// Characters of a reason.
const MAX_REASON: usize = 2000;

/// One thing that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    pub url: Url,
    pub at: Timestamp,
    /// What is wrong with it.
    pub reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// How many bytes there were.
    pub size: usize,
    /// The first [`MAX_KEPT`] of them.
    #[serde(with = "base64_bytes")]
    pub bytes: Vec<u8>,
}

impl Quarantined {
    pub fn new(url: Url, at: Timestamp, reason: &str, content_type: Option<String>, bytes: &[u8]) -> Self {
        let reason = reason.chars().take(MAX_REASON).collect();
        Self { url, at, reason, content_type, size: bytes.len(), bytes: bytes[..bytes.len().min(MAX_KEPT)].to_vec() }
    }

    /// The bytes that are stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings, numbers and times always serialise")
    }

    /// Reads a stored record.
    ///
    /// # Errors
    /// When the bytes are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}

mod base64_bytes {
    //! Bytes as text.

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::{Engine, STANDARD};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        STANDARD.decode(String::deserialize(from)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use topology::QUARANTINE;

    use super::*;

    #[test]
    fn the_largest_record_fits_the_store_and_reads_back() {
        let (url, bytes) = ("https://news.example/feed".parse().unwrap(), vec![0xff; 20 << 20]);
        let kept = Quarantined::new(url, Timestamp::UNIX_EPOCH, &"新".repeat(9000), None, &bytes);
        let stored = kept.to_bytes();
        assert!(stored.len() + 1024 < QUARANTINE.max_message_bytes as usize, "{}", stored.len());
        let read = Quarantined::from_bytes(&stored).unwrap();
        assert_eq!((read.size, read.bytes.len()), (20 << 20, MAX_KEPT));
        assert_eq!(read, kept);
    }
}
