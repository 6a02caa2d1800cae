//! Conditional requests and encodings (RFC 9110, sections 12.5.3 and 13).

use axum::http::{HeaderMap, header};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

/// Whether the reader has this document already. `If-None-Match` rules out `If-Modified-Since` (section 13.2.2).
pub(crate) fn is_unchanged(headers: &HeaderMap, tag: &str, last_modified: Timestamp) -> bool {
    let mut none_match = headers.get_all(header::IF_NONE_MATCH).iter().peekable();
    if none_match.peek().is_some() {
        return none_match.filter_map(|value| value.to_str().ok()).any(|list| matches(list, tag));
    }
    let since = headers.get(header::IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok());
    let since = since.and_then(|date| DateTimeParser::new().parse_timestamp(date).ok());
    // The header has whole seconds.
    since.is_some_and(|since| last_modified.as_second() <= since.as_second())
}

/// Weak comparison; the encoding's suffix does not count, for it is the same news in another envelope. Proxies that
/// compress answer with suffixes of their own making, `-gzip` among them.
fn matches(list: &str, tag: &str) -> bool {
    list.split(',').map(str::trim).any(|candidate| {
        let candidate = candidate.strip_prefix("W/").unwrap_or(candidate);
        let opaque = candidate.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        candidate == "*" || opaque.is_some_and(|opaque| opaque.strip_suffix("-gzip").unwrap_or(opaque) == tag)
    })
}

/// Whether the reader takes gzip: named, or covered by `*`, and not with `q=0`.
pub(crate) fn takes_gzip(headers: &HeaderMap) -> bool {
    let codings = weighted(headers, header::ACCEPT_ENCODING);
    let named = codings.iter().find(|(name, _)| name == "gzip" || name == "x-gzip");
    named.or_else(|| codings.iter().find(|(name, _)| name == "*")).is_some_and(|(_, weight)| *weight > 0.0)
}

/// The members of a list with weights, in lower case: `gzip;q=0.5, br` → `[("gzip", 0.5), ("br", 1.0)]`. A weight
/// that cannot be read is 1.
pub(crate) fn weighted(headers: &HeaderMap, name: header::HeaderName) -> Vec<(String, f32)> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let members = values.flat_map(|value| value.split(',')).map(str::trim).filter(|member| !member.is_empty());
    members
        .map(|member| {
            let mut parts = member.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
            (name, weight.and_then(|weight| weight.parse().ok()).unwrap_or(1.0))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn every_form_of_a_tag_is_known_again() {
        let at: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        for (value, unchanged) in [
            ("\"abc\"", true),
            ("W/\"abc\"", true),
            ("\"abc-gzip\"", true),
            ("W/\"abc-gzip\"", true),
            ("\"x\", W/\"abc\" ,\"y\"", true),
            ("*", true),
            ("\"abd\"", false),
            ("abc", false),
            ("\"\"", false),
            ("", false),
        ] {
            assert_eq!(is_unchanged(&headers(&[("if-none-match", value)]), "abc", at), unchanged, "{value}");
        }
        let both = headers(&[("if-none-match", "\"x\""), ("if-modified-since", "Fri, 01 Jan 2027 00:00:00 GMT")]);
        assert!(!is_unchanged(&both, "abc", at), "a tag that differs outweighs the date");
    }

    #[test]
    fn dates_compare_by_the_second() {
        let at: Timestamp = "2026-01-01T00:00:00.9Z".parse().unwrap();
        for (value, unchanged) in [
            ("Thu, 01 Jan 2026 00:00:00 GMT", true),
            ("Thu, 01 Jan 2026 00:00:01 GMT", true),
            ("Wed, 31 Dec 2025 23:59:59 GMT", false),
            ("yesterday", false),
        ] {
            assert_eq!(is_unchanged(&headers(&[("if-modified-since", value)]), "abc", at), unchanged, "{value}");
        }
    }

    #[test]
    fn gzip_is_taken_only_where_it_is_wanted() {
        for (value, wanted) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("*", true),
            ("x-gzip", true),
            ("gzip;q=0", false),
            ("gzip;q=0, *", false),
            ("identity", false),
            ("", false),
        ] {
            assert_eq!(takes_gzip(&headers(&[("accept-encoding", value)])), wanted, "{value}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
