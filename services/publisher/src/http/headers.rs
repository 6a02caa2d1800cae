//! The headers that decide something: preconditions, keys, where a request came from.

use std::fmt::Write;

use axum::http::{HeaderMap, HeaderValue, header};

use crate::refusal::Refusal;

/// The key under which a request is carried out once, however often it is sent.
pub(super) const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Set on an answer to a request that had been carried out before.
pub(super) const REPLAYED: &str = "idempotency-replayed";
/// What the client calls the way an article came in; `api` without it.
const CHANNEL: &str = "newswire-channel";
const TRACEPARENT: &str = "traceparent";

/// A strong entity tag: the revision is what identifies a representation here.
pub(super) fn etag(revision: u32) -> HeaderValue {
    HeaderValue::try_from(format!("\"{revision}\"")).expect("digits and quotes are legal in a header")
}

/// The revision in `If-Match` (RFC 9110, section 13.1.1).
///
/// One tag and no `*`: both would let a change through that was made to another revision than the one it replaces.
pub(super) fn if_match(headers: &HeaderMap) -> Result<u32, Refusal> {
    let text = one(headers, header::IF_MATCH.as_str(), "If-Match")?.ok_or(Refusal::PreconditionRequired)?;
    // A proxy that compresses may have weakened the tag on its way out; the revision is the same one.
    let tag = text.strip_prefix("W/").unwrap_or(text);
    let revision = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).and_then(|tag| tag.parse().ok());
    revision.ok_or_else(|| Refusal::BadHeader {
        header: "If-Match",
        detail: "expected the one ETag of the revision you changed, such as \"3\" with its quotes".into(),
    })
}

/// Whether `If-None-Match` names the entity tag `ours` (RFC 9110, section 13.1.2: weak comparison, lists, `*`).
pub(super) fn none_match(headers: &HeaderMap, ours: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == ours)
}

/// The `Idempotency-Key`, 1 to 255 visible ASCII characters.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    const NAME: &str = "Idempotency-Key";
    let key = one(headers, IDEMPOTENCY_KEY, NAME)?;
    if key.is_some_and(|key| !(1..=255).contains(&key.len()) || !key.bytes().all(|b| b.is_ascii_graphic())) {
        let detail = "expected 1 to 255 visible ASCII characters without spaces".into();
        return Err(Refusal::BadHeader { header: NAME, detail });
    }
    Ok(key)
}

/// How the article came in: a word of 1 to 32 lower-case letters, digits and hyphens.
pub(super) fn channel(headers: &HeaderMap) -> Result<String, Refusal> {
    const NAME: &str = "Newswire-Channel";
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    match one(headers, CHANNEL, NAME)? {
        None => Ok("api".to_owned()),
        Some(word) if (1..=32).contains(&word.len()) && word.bytes().all(legal) => Ok(word.to_owned()),
        Some(_) => {
            let detail = "expected a word of 1 to 32 lower-case letters, digits and hyphens".into();
            Err(Refusal::BadHeader { header: NAME, detail })
        }
    }
}

/// The software that sent it, as it calls itself; the first 200 characters.
pub(super) fn importer(headers: &HeaderMap) -> Option<String> {
    let agent = headers.get(header::USER_AGENT)?.to_str().ok()?;
    Some(agent.chars().take(200).collect()).filter(|agent: &String| !agent.trim().is_empty())
}

/// The client's trace context if it is a good one, otherwise a new one (W3C Trace Context, section 3.2).
pub(super) fn traceparent(headers: &HeaderMap) -> String {
    let sent = headers.get(TRACEPARENT).and_then(|value| value.to_str().ok());
    sent.filter(|text| is_traceparent(text)).map_or_else(new_traceparent, ToOwned::to_owned)
}

fn is_traceparent(text: &str) -> bool {
    let hex = |part: &str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let named = |id: &str| hex(id) && id.bytes().any(|b| b != b'0');
    match text.split('-').collect::<Vec<_>>()[..] {
        ["00", trace, parent, flags] => {
            (trace.len(), parent.len(), flags.len()) == (32, 16, 2) && named(trace) && named(parent) && hex(flags)
        }
        _ => false,
    }
}

fn new_traceparent() -> String {
    let mut random = [0; 24];
    getrandom::fill(&mut random).expect("the operating system gives random bytes once it has started");
    // All zeros would mean that there is no trace.
    (random[0], random[16]) = (random[0] | 1, random[16] | 1);
    let mut text = String::from("00-");
    for (n, byte) in random.iter().enumerate() {
        let separator = if n == 16 { "-" } else { "" };
        write!(text, "{separator}{byte:02x}").expect("writing to a string cannot fail");
    }
    text.push_str("-00");
    text
}

/// A header that may come once.
fn one<'a>(headers: &'a HeaderMap, name: &str, shown: &'static str) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let (value, second) = (values.next(), values.next());
    let bad = |detail: &str| Refusal::BadHeader { header: shown, detail: detail.into() };
    if second.is_some() {
        return Err(bad("it came more than once; send it once"));
    }
    value
        .map(|value| value.to_str().map(str::trim).map_err(|_| bad("only ASCII characters may stand here")))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_precondition_is_one_revision() {
        for (text, revision) in [("\"3\"", 3), (" \"12\" ", 12), ("W/\"3\"", 3)] {
            assert_eq!(if_match(&headers("if-match", &[text])), Ok(revision), "{text}");
        }
        assert_eq!(if_match(&HeaderMap::new()), Err(Refusal::PreconditionRequired));
        for wrong in ["*", "3", "\"3\", \"4\"", "\"x\"", "\"-1\"", "\"99999999999\"", ""] {
            assert!(matches!(if_match(&headers("if-match", &[wrong])), Err(Refusal::BadHeader { .. })), "{wrong}");
        }
        assert!(matches!(if_match(&headers("if-match", &["\"1\"", "\"1\""])), Err(Refusal::BadHeader { .. })));
    }

    #[test]
    fn a_reader_that_has_it_is_recognised() {
        for yes in [&["\"3\""][..], &["W/\"3\""], &["\"1\", W/\"3\""], &["*"], &["\"2\"", "\"3\""]] {
            assert!(none_match(&headers("if-none-match", yes), "\"3\""), "{yes:?}");
        }
        for no in [&[][..], &["3"], &["\"33\""], &["\"2\""]] {
            assert!(!none_match(&headers("if-none-match", no), "\"3\""), "{no:?}");
        }
    }

    #[test]
    fn keys_and_channels_are_short_words() {
        let key = |text: &str| idempotency_key(&headers(IDEMPOTENCY_KEY, &[text])).map(|key| key.map(str::len));
        assert_eq!(key(&"k".repeat(255)), Ok(Some(255)));
        for wrong in ["", "a b", &"k".repeat(256)] {
            assert!(key(wrong).is_err(), "{wrong}");
        }
        assert_eq!(channel(&HeaderMap::new()).unwrap(), "api");
        assert_eq!(channel(&headers(CHANNEL, &["cli-import"])).unwrap(), "cli-import");
        assert!(channel(&headers(CHANNEL, &["CLI import"])).is_err());
    }

    #[test]
    fn a_good_trace_goes_on_and_a_bad_one_is_replaced() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(traceparent(&headers(TRACEPARENT, &[good])), good);
        let zeros = format!("00-{}-{}-01", "0".repeat(32), "0".repeat(16));
        for bad in ["", "x", &good.to_uppercase(), &good[..54], &format!("{good}-x"), &zeros] {
            let ours = traceparent(&headers(TRACEPARENT, &[bad]));
            assert!(is_traceparent(&ours) && ours != *bad, "{bad} became {ours}");
        }
    }
}
