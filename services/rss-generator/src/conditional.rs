//! Conditional requests and encodings (RFC 9110, sections 12.5.3 and 13).

use axum::http::{HeaderMap, header};

/// Whether the reader has this document already, by `If-None-Match`.
///
/// `If-Modified-Since` is not looked at, as section 13.1.3 permits: a date has whole seconds, in which a feed may change
/// twice, and an article that left a feed leaves no date behind for a replica that starts later. Every answer has a tag.
pub(crate) fn is_unchanged(headers: &HeaderMap, tag: &str) -> bool {
    let lists = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    lists.into_iter().any(|list| matches(list, tag))
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
            assert_eq!(is_unchanged(&headers(&[("if-none-match", value)]), "abc"), unchanged, "{value}");
        }
        let dated = headers(&[("if-modified-since", "Fri, 01 Jan 2027 00:00:00 GMT")]);
        assert!(!is_unchanged(&dated, "abc"), "a date proves nothing");
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
