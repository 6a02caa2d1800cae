//! Character references, as feeds write them: XML's, HTML's, and a bare `&`.

use std::borrow::Cow;

use crate::text::{legal, legal_char};

/// The longest name of a reference, in bytes: `&CounterClockwiseContourIntegral;`.
const MAX_NAME: usize = 32;

/// Resolves every reference of `raw` that XML or HTML knows; the rest stays as it is written, and characters that XML
/// forbids go. Nothing a document declares itself is expanded, so its text never grows.
pub(crate) fn resolve(raw: &str) -> Cow<'_, str> {
    if memchr::memchr(b'&', raw.as_bytes()).is_none() {
        return legal(raw);
    }
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        text.push_str(&legal(&rest[..at]));
        rest = &rest[at + 1..];
        match reference(rest) {
            Some((resolved, length)) => {
                text.push_str(&resolved);
                rest = &rest[length..];
            }
            None => text.push('&'),
        }
    }
    text.push_str(&legal(rest));
    Cow::Owned(text)
}

/// What the reference at the beginning of `rest`, after its `&`, stands for, and its length.
fn reference(rest: &str) -> Option<(Cow<'static, str>, usize)> {
    let window = &rest.as_bytes()[..rest.len().min(MAX_NAME + 1)];
    let end = memchr::memchr(b';', window)?;
    let name = &rest[..end];
    let resolved = match name.strip_prefix('#') {
        Some(number) => number_of(number).map(character)?,
        None => quick_xml::escape::resolve_html5_entity(name)?.into(),
    };
    Some((resolved, end + 1))
}

fn number_of(digits: &str) -> Option<u32> {
    match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => digits.parse().ok(),
    }
}

/// The character of a number: 128 to 159 are windows-1252, as in HTML (WHATWG HTML, section 13.2.5.80).
fn character(number: u32) -> Cow<'static, str> {
    char::from_u32(number).and_then(legal_char).map_or(Cow::Borrowed(""), |c| c.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved_and_the_rest_stays() {
        let cases = [
            ("a &amp; b", "a & b"),
            ("AT&T R&D & x", "AT&T R&D & x"),
            ("&eacute;&nbsp;&mdash;&CounterClockwiseContourIntegral;", "é\u{A0}—∳"),
            ("&#8217;&#x2019;&#X2019;&#146;", "’’’’"),
            ("&#0;&#11;&#xFFFE;&#xD800;a", "a"),
            ("&#99999999999;&#;&#x;&;&bogus;", "&#99999999999;&#;&#x;&;&bogus;"),
            ("&amp;lt;", "&lt;"),
            ("党&", "党&"),
            ("&党风廉政建设;", "&党风廉政建设;"),
            ("\u{B}a\u{FFFE}b\u{7F}", "ab"),
        ];
        for (raw, expected) in cases {
            assert_eq!(resolve(raw), expected, "{raw}");
        }
    }
}
