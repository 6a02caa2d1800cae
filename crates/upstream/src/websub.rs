//! Whether a feed tells of news by itself: discovery of WebSub hubs (W3C WebSub, section 4).

use url::Url;

use crate::Feed;

/// The most hubs of a feed that are looked at; a subscriber needs one.
pub const MAX_HUBS: usize = 4;

/// The longest `Link` header read, in bytes.
const MAX_HEADER: usize = 8 * 1024;

/// Where to subscribe, and to what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovery {
    /// In the order of preference; never empty.
    pub hubs: Vec<Url>,
    /// The address that the hub knows the feed by.
    pub topic: Url,
}

/// Hubs and topic of a feed that was read from `address`, by its `Link` headers or, without those, by its text.
pub fn discover<'a>(link_headers: impl IntoIterator<Item = &'a str>, feed: &Feed, address: &Url) -> Option<Discovery> {
    let (mut hubs, mut topic) = (Vec::new(), None);
    for header in link_headers {
        for (target, relations) in links(header) {
            let Ok(url) = address.join(target) else { continue };
            for relation in relations.split_ascii_whitespace() {
                if relation.eq_ignore_ascii_case("hub") && hubs.len() < MAX_HUBS && !hubs.contains(&url) {
                    hubs.push(url.clone());
                } else if relation.eq_ignore_ascii_case("self") && topic.is_none() {
                    topic = Some(url.clone());
                }
            }
        }
    }
    if hubs.is_empty() {
        hubs.clone_from(&feed.hubs);
    }
    hubs.retain(|hub| matches!(hub.scheme(), "http" | "https"));
    let topic = topic.or_else(|| feed.own_address.clone()).unwrap_or_else(|| address.clone());
    (!hubs.is_empty()).then_some(Discovery { hubs, topic })
}

/// Targets and relations of a `Link` header (RFC 8288, section 3).
fn links(header: &str) -> Vec<(&str, &str)> {
    let mut links = Vec::new();
    let mut rest = crate::text::head(header, MAX_HEADER);
    while let Some((_, after)) = rest.split_once('<') {
        let Some((target, after)) = after.split_once('>') else { break };
        let end = end_of_parameters(after);
        rest = &after[end..];
        let relation = after[..end]
            .split(';')
            .filter_map(|parameter| parameter.split_once('='))
            .find_map(|(name, value)| name.trim().eq_ignore_ascii_case("rel").then(|| value.trim().trim_matches('"')));
        links.extend(relation.map(|relation| (target.trim(), relation)));
    }
    links
}

/// The first comma that is not in quotes.
fn end_of_parameters(text: &str) -> usize {
    let mut quoted = false;
    let comma = text.bytes().position(|b| {
        quoted ^= b == b'"';
        b == b',' && !quoted
    });
    comma.unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(inside: &str) -> Feed {
        let text = format!("<feed xmlns='http://www.w3.org/2005/Atom'>{inside}<entry><id>1</id></entry></feed>");
        crate::read(text.as_bytes(), None, &address()).unwrap()
    }

    fn address() -> Url {
        Url::parse("https://news.example/feed").unwrap()
    }

    fn found(headers: &[&str], inside: &str) -> Option<(Vec<String>, String)> {
        let found = discover(headers.iter().copied(), &feed(inside), &address())?;
        Some((found.hubs.iter().map(Url::to_string).collect(), found.topic.into()))
    }

    #[test]
    fn headers_come_first_then_the_feed() {
        const IN_FEED: &str = "<link rel='hub' href='https://b.example/'/><link rel='self' href='/own'/>";
        let hubs = |hubs: &[&str], topic: &str| Some((hubs.iter().map(|hub| (*hub).into()).collect(), topic.into()));
        let cases: [(&[&str], &str, _); 8] = [
            (&[], "", None),
            (&[], IN_FEED, hubs(&["https://b.example/"], "https://news.example/own")),
            (&["<https://a.example/>; rel=hub"], IN_FEED, hubs(&["https://a.example/"], "https://news.example/own")),
            (
                &["<https://a.example/>; title=\"a, b\"; rel=\"hub x\", </t>;rel=\"self\""],
                "",
                hubs(&["https://a.example/"], "https://news.example/t"),
            ),
            (
                &["<https://a.example/>; rel=HUB", "<h2>; rel=hub"],
                "",
                hubs(&["https://a.example/", "https://news.example/h2"], "https://news.example/feed"),
            ),
            (&["<file:///etc/passwd>; rel=hub"], "", None),
            (&["<<<<>>>>;;;===,,,\"", "<a", "<>"], "", None),
            (&["</t>; rel=self"], "", None),
        ];
        for (headers, inside, expected) in cases {
            assert_eq!(found(headers, inside), expected, "{headers:?} {inside}");
        }
    }
}
