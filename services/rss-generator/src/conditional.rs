//! What a request's headers allow and ask for: conditional requests (RFC 9110, section 13), codings (12.5.3), media types
//! (12.5.1), and what RFC 3229 adds.
//!
//! Nothing here allocates: most requests are answered with 304, in less time than that would take.

use axum::http::{HeaderMap, HeaderName, header};

use crate::encode::Coding;

const A_IM: HeaderName = HeaderName::from_static("a-im");

/// The members of a list that may stand in several lines.
fn members(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|member| !member.is_empty())
}

/// The tags that the reader has, without `W/`, in their quotes; or `*`. None of ours has a comma in it.
fn tags(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    members(headers, header::IF_NONE_MATCH).map(|tag| tag.strip_prefix("W/").unwrap_or(tag))
}

/// What is before the suffix of a coding, `-gzip` say. Proxies that compress append suffixes of their own making to tags.
fn content(tag: &str) -> Option<&str> {
    let opaque = tag.strip_prefix('"')?.strip_suffix('"')?;
    Some(opaque.split_once('-').map_or(opaque, |(content, _)| content))
}

/// The tag with which the reader says that it has this document already, in quotes; `*` if it said only that it has one.
///
/// Comparison is weak, and the suffix does not count: it is the same news in another envelope. Of several tags the one
/// whose coding is acceptable: a shared cache names all the forms it has, and hands out the one it is told (RFC 9111,
/// section 4.3.4). `If-Modified-Since` is not looked at, as section 13.1.3 permits: a date has whole seconds, in which a
/// feed may change twice, and an article that left a feed leaves no date behind for a replica that starts later. Every
/// answer has a tag.
pub(crate) fn known<'a>(headers: &'a HeaderMap, tag: &str, accepted: &Accepted) -> Option<&'a str> {
    let mut any = None;
    for candidate in tags(headers).filter(|candidate| *candidate == "*" || content(candidate) == Some(tag)) {
        if accepted.takes(candidate) {
            return Some(candidate);
        }
        any = any.or(Some(candidate));
    }
    any
}

/// Whether the request is conditional at all, in whatever way.
pub(crate) fn is_conditional(headers: &HeaderMap) -> bool {
    headers.contains_key(header::IF_NONE_MATCH) || headers.contains_key(header::IF_MODIFIED_SINCE)
}

/// The versions that the reader has, by their tags in quotes and the tags of their contents, if it would rather have only
/// what is new since (`A-IM: feed`, RFC 3229 and what feed readers made of it).
pub(crate) fn delta_bases(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let wanted = members(headers, A_IM).any(|member| {
        let (name, weight) = weight(member);
        name.eq_ignore_ascii_case("feed") && weight > 0
    });
    tags(headers).filter(move |_| wanted).filter_map(|tag| Some((tag, content(tag)?)))
}

/// What `Accept-Encoding` allows, each with its weight: 0 (not acceptable) to 1000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Accepted {
    codings: [u16; Coding::ALL.len()],
    identity: u16,
    /// Zstandard with a dictionary, RFC 9842.
    dictionary: u16,
}

impl Accepted {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let (mut codings, mut identity, mut dictionary, mut others) = ([None; Coding::ALL.len()], None, 0, None);
        for member in members(headers, header::ACCEPT_ENCODING) {
            let (name, weight) = weight(member);
            let is = |other: &str| name.eq_ignore_ascii_case(other);
            if is("*") {
                others = Some(weight);
            } else if is("identity") {
                identity = Some(weight);
            } else if is("dcz") {
                dictionary = weight;
            } else if let Some(coding) =
                Coding::ALL.into_iter().find(|coding| is(coding.name()) || (*coding == Coding::Gzip && is("x-gzip")))
            {
                codings[coding as usize] = Some(weight);
            }
        }
        Self {
            codings: codings.map(|weight| weight.or(others).unwrap_or(0)),
            // Acceptable unless excluded, though nobody who names codings means to have it.
            identity: identity.unwrap_or(if others == Some(0) { 0 } else { 1 }),
            dictionary,
        }
    }

    /// What is acceptable (`None`: no coding), the best first: by the reader's weight, then by size.
    pub(crate) fn choices(&self) -> impl Iterator<Item = Option<Coding>> {
        let [gzip, zstd, brotli] = Coding::ALL.map(|coding| (self.codings[coding as usize], Some(coding)));
        let mut choices = [gzip, zstd, brotli, (self.identity, None)];
        choices.sort_unstable_by(|a, b| b.cmp(a));
        choices.into_iter().take_while(|(weight, _)| *weight > 0).map(|(_, coding)| coding)
    }

    /// Whether the form with this tag, in quotes, is acceptable as far as its suffix tells.
    fn takes(&self, tag: &str) -> bool {
        let Some((_, suffix)) = tag.trim_end_matches('"').split_once('-') else { return self.identity > 0 };
        let coding = Coding::ALL.into_iter().find(|coding| suffix.starts_with(coding.name()));
        match coding {
            Some(coding) => self.codings[coding as usize] > 0,
            None => !suffix.starts_with("dcz") || self.dictionary > 0,
        }
    }

    /// Whether a dictionary is used if both have one: when nothing else is liked better.
    pub(crate) fn dictionary(&self) -> bool {
        self.dictionary > 0 && self.codings.iter().chain([&self.identity]).all(|weight| *weight <= self.dictionary)
    }
}

/// A member's name, and its weight in thousandths. A weight that cannot be read is 1.
fn weight(member: &str) -> (&str, u16) {
    let mut parts = member.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    let weight = weight.and_then(|weight| weight.trim().parse::<f32>().ok()).filter(|weight| weight.is_finite());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000")]
    (name, weight.map_or(1000, |weight| (weight.clamp(0.0, 1.0) * 1000.0).round() as u16))
}

/// The members of a list with weights in thousandths: `a;q=0.5, B` → `("a", 500), ("B", 1000)`.
pub(crate) fn weighted(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = (&str, u16)> {
    members(headers, name).map(weight)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn every_form_of_a_tag_is_known_again() {
        let nothing = Accepted::of(&HeaderMap::new());
        for (value, known_as) in [
            ("\"abc\"", Some("\"abc\"")),
            ("W/\"abc\"", Some("\"abc\"")),
            ("\"abc-gzip\"", Some("\"abc-gzip\"")),
            ("W/\"abc-br9\"", Some("\"abc-br9\"")),
            ("\"abc-dcz-00112233\"", Some("\"abc-dcz-00112233\"")),
            ("\"abc--gzip\"", Some("\"abc--gzip\"")),
            ("\"x\", W/\"abc\" ,\"y\"", Some("\"abc\"")),
            ("*", Some("*")),
            ("\"abd\"", None),
            ("\"abcd\"", None),
            ("\"ab\"", None),
            ("abc", None),
            ("\"\"", None),
            ("\"", None),
            ("", None),
        ] {
            assert_eq!(known(&headers(&[("if-none-match", value)]), "abc", &nothing), known_as, "{value}");
        }
        let twice = headers(&[("if-none-match", "\"x\""), ("if-none-match", "\"abc\"")]);
        let mut lines = HeaderMap::new();
        lines.append("if-none-match", "\"x\"".parse().unwrap());
        lines.append("if-none-match", "\"abc\"".parse().unwrap());
        assert_eq!(known(&twice, "abc", &nothing), Some("\"abc\""));
        assert_eq!(known(&lines, "abc", &nothing), Some("\"abc\""));
        let dated = headers(&[("if-modified-since", "Fri, 01 Jan 2027 00:00:00 GMT")]);
        assert_eq!(known(&dated, "abc", &nothing), None, "a date proves nothing");
        assert!(is_conditional(&dated) && !is_conditional(&HeaderMap::new()));
    }

    #[test]
    fn of_several_forms_a_cache_is_told_one_that_its_client_takes() {
        const FORMS: &str = r#""abc-br9", "abc-dcz-00112233", "abc-gzip", "abc", "abc-zstd""#;
        for (accepts, tags, known_as) in [
            ("gzip", FORMS, r#""abc-gzip""#),
            ("br;q=0, zstd", FORMS, r#""abc""#),
            ("zstd, identity;q=0", FORMS, r#""abc-zstd""#),
            ("br, gzip", FORMS, r#""abc-br9""#),
            ("dcz, identity;q=0", FORMS, r#""abc-dcz-00112233""#),
            ("", FORMS, r#""abc""#),
            // A suffix of somebody else's tells nothing, and a reader that has one form has the news.
            ("gzip", r#""abc-br9", "abc--deflate""#, r#""abc--deflate""#),
            ("gzip", r#""abc-br9""#, r#""abc-br9""#),
            ("identity;q=0, gzip", r#""other-gzip", "abc""#, r#""abc""#),
        ] {
            let headers = headers(&[("accept-encoding", accepts), ("if-none-match", tags)]);
            assert_eq!(known(&headers, "abc", &Accepted::of(&headers)), Some(known_as), "{accepts}: {tags}");
        }
    }

    #[test]
    fn what_is_new_is_told_to_whoever_asks_and_says_since_when() {
        for (a_im, none_match, bases) in [
            ("feed", "\"a-gzip\", W/\"b\"", &[("\"a-gzip\"", "a"), ("\"b\"", "b")][..]),
            ("gzip, FEED;q=0.5", "\"a\"", &[("\"a\"", "a")]),
            ("feed;q=0", "\"a\"", &[]),
            ("vcdiff", "\"a\"", &[]),
            ("feed", "*", &[]),
            ("feed", "", &[]),
        ] {
            let headers = headers(&[("a-im", a_im), ("if-none-match", none_match)]);
            assert_eq!(delta_bases(&headers).collect::<Vec<_>>(), bases, "{a_im} {none_match}");
        }
    }

    #[test]
    fn codings_are_taken_as_they_are_liked() {
        const GZIP: Option<Coding> = Some(Coding::Gzip);
        const ZSTD: Option<Coding> = Some(Coding::Zstd);
        const BR: Option<Coding> = Some(Coding::Brotli);
        for (value, choices, dictionary) in [
            ("", &[None][..], false),
            ("gzip", &[GZIP, None], false),
            ("gzip, deflate, br, zstd", &[BR, ZSTD, GZIP, None], false),
            ("br;q=0.5, GZIP", &[GZIP, BR, None], false),
            ("x-gzip", &[GZIP, None], false),
            ("gzip;q=0", &[None], false),
            ("*", &[BR, ZSTD, GZIP, None], false),
            ("gzip;q=0, *", &[BR, ZSTD, None], false),
            ("identity, gzip;q=0.9", &[None, GZIP], false),
            ("identity;q=0.5, gzip;q=0.5", &[GZIP, None], false),
            ("gzip, identity;q=0", &[GZIP], false),
            ("gzip, *;q=0", &[GZIP], false),
            ("identity, *;q=0", &[None], false),
            ("identity;q=0", &[], false),
            ("*;q=0", &[], false),
            ("compress;q=1", &[None], false),
            ("gzip;q=nonsense", &[GZIP, None], false),
            ("gzip;q=nan", &[GZIP, None], false),
            ("gzip;q=-1", &[None], false),
            ("gzip, br, zstd, dcb, dcz", &[BR, ZSTD, GZIP, None], true),
            ("gzip, dcz;q=0.9", &[GZIP, None], false),
            ("dcz", &[None], true),
            ("dcz;q=0", &[None], false),
        ] {
            let accepted = Accepted::of(&headers(&[("accept-encoding", value)]));
            assert_eq!(accepted.choices().collect::<Vec<_>>(), choices, "{value}");
            assert_eq!(accepted.dictionary(), dictionary, "{value}");
        }
        assert_eq!(Accepted::of(&HeaderMap::new()).choices().collect::<Vec<_>>(), [None]);
    }

    fn weights() -> impl Strategy<Value = u16> {
        prop_oneof![Just(0u16), Just(1000), 0..=1000u16]
    }

    proptest! {
        #[test]
        fn nothing_excluded_is_chosen_and_nothing_liked_is_passed_over(
            weights in proptest::array::uniform4(proptest::option::of(weights())), star in proptest::option::of(weights())
        ) {
            let names = ["gzip", "zstd", "br", "identity", "*"];
            let told = weights.iter().chain([&star]).zip(names).filter_map(|(weight, name)| {
                weight.map(|weight| format!("{name};q={}.{:03}", weight / 1000, weight % 1000))
            });
            let value = told.collect::<Vec<_>>().join(", ");
            let accepted = Accepted::of(&headers(&[("accept-encoding", &value)]));
            let choices: Vec<_> = accepted.choices().collect();
            let weight_of = |choice: &Option<Coding>| {
                let place = choice.map_or(3, |coding| coding as usize);
                weights[place].or(star).unwrap_or(u16::from(place == 3))
            };
            for (place, choice) in [Some(Coding::Gzip), Some(Coding::Zstd), Some(Coding::Brotli), None].iter().enumerate() {
                let excluded = weights[place].or(star.filter(|star| place < 3 || *star == 0)).unwrap_or(u16::from(place == 3)) == 0;
                prop_assert_eq!(!choices.contains(choice), excluded, "{} {:?}", value, choice);
            }
            let codings: Vec<_> = choices.iter().filter(|choice| choice.is_some()).map(weight_of).collect();
            prop_assert!(codings.is_sorted_by(|a, b| a >= b), "{} {:?}", value, choices);
        }

        #[test]
        fn no_header_is_too_strange(value in "[ -~]{0,80}") {
            let headers = headers(&[("accept-encoding", &value), ("if-none-match", &value), ("a-im", &value)]);
            let accepted = Accepted::of(&headers);
            let _ = (accepted.choices().count(), known(&headers, "abc", &accepted), delta_bases(&headers).count());
        }
    }
}
