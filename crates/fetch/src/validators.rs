//! What a server said of the version it sent, to be sent back to it verbatim (RFC 9110, section 13.1).

use reqwest::header::{ETAG, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use serde::{Deserialize, Serialize};

/// The validators of an answer. Each byte of a header is one character here, so that also what is no ASCII comes back as
/// it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validators {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

/// A longer one is none: it would be kept, and sent with every request.
const MAX_LENGTH: usize = 1024;

impl Validators {
    /// Those of an answer.
    pub fn of(headers: &HeaderMap) -> Self {
        Self { etag: kept(headers, ETAG), last_modified: kept(headers, LAST_MODIFIED) }
    }

    /// The headers that ask for whatever is newer.
    pub fn conditions(&self) -> HeaderMap {
        let pairs = [(IF_NONE_MATCH, &self.etag), (IF_MODIFIED_SINCE, &self.last_modified)];
        pairs.into_iter().filter_map(|(name, value)| Some((name, verbatim(value.as_ref()?)?))).collect()
    }
}

fn kept(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let bytes = headers.get(name)?.as_bytes();
    (1..=MAX_LENGTH).contains(&bytes.len()).then(|| bytes.iter().map(|&byte| char::from(byte)).collect())
}

fn verbatim(text: &str) -> Option<HeaderValue> {
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c).ok()).collect();
    HeaderValue::from_bytes(&bytes?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_goes_back_byte_by_byte() {
        for etag in [&b"\"abc\""[..], b"W/\"x\"", b"not even quoted", b"\"caf\xe9 \xe6\x96\xb0\""] {
            let mut headers = HeaderMap::new();
            headers.insert(ETAG, HeaderValue::from_bytes(etag).unwrap());
            headers.insert(LAST_MODIFIED, HeaderValue::from_static("yesterday"));
            let conditions = Validators::of(&headers).conditions();
            assert_eq!(conditions[IF_NONE_MATCH].as_bytes(), etag);
            assert_eq!(conditions[IF_MODIFIED_SINCE], "yesterday");
        }
        let long = HeaderMap::from_iter([(ETAG, HeaderValue::from_str(&"x".repeat(MAX_LENGTH + 1)).unwrap())]);
        assert_eq!(Validators::of(&long), Validators::default());
        let forged = Validators { etag: Some("\"a\"\r\nx: y".into()), last_modified: Some("新".into()) };
        assert!(forged.conditions().is_empty());
    }
}
