//! Cleans markup of everyday kinds in one pass, without building a tree: what feeds and content systems send.
//!
//! Building the tree costs most of what taking an article in costs. What is written here is exactly what the parser and
//! the sanitiser behind it would write; wherever that is not plain, the answer is `None` and they do it. Two guards
//! stand behind the reasoning: nothing is returned but what [`is_settled`] knows to be safe as it is, and a test
//! compares the two ways on markup made for the purpose.

use std::borrow::Cow;
use std::collections::BTreeSet;

use html5ever::data::NAMED_ENTITIES;
use url::{ParseError, Url};

use super::Sanitised;
use super::elements::{ADDRESSES, Element, Kind, LINK_REL, SCHEMES, is_allowed_address, named};
use super::settled::{MAX_DEPTH, PLAIN, is_settled, stays_in_place};
use super::tangle::MAX_NAMES;
use crate::text::is_illegal_in_text;

/// The most attributes of a tag read here: each is compared with all before it.
const MAX_ATTRIBUTES: usize = 24;

/// The longest name of a reference, in bytes: `&CounterClockwiseContourIntegral;`.
const MAX_REFERENCE: usize = 32;

/// Elements that may not stand in a body and lose their tags, where the parser treats them as one of those that may.
static DROPPED: [Element; 19] = [
    dropped("acronym", Kind::Phrasing),
    dropped("address", Kind::Block),
    dropped("article", Kind::Block),
    dropped("aside", Kind::Block),
    dropped("audio", Kind::Phrasing),
    dropped("big", Kind::Formatting),
    dropped("center", Kind::Block),
    dropped("font", Kind::Formatting),
    dropped("footer", Kind::Block),
    dropped("header", Kind::Block),
    dropped("label", Kind::Phrasing),
    dropped("main", Kind::Block),
    dropped("nav", Kind::Block),
    dropped("picture", Kind::Phrasing),
    dropped("section", Kind::Block),
    dropped("source", Kind::Empty),
    dropped("strike", Kind::Formatting),
    dropped("tt", Kind::Formatting),
    dropped("video", Kind::Phrasing),
];

const fn dropped(name: &'static str, kind: Kind) -> Element {
    Element { name, kind, attributes: &[] }
}

/// `html` cleaned, if that can be done in one pass.
pub(super) fn direct(html: &str, base: Option<&Url>) -> Option<Sanitised> {
    // The tokenizer takes U+FEFF in front for a byte order mark and drops it.
    if html.starts_with('\u{FEFF}') {
        return None;
    }
    let mut pass = Pass { out: String::with_capacity(html.len()), open: Vec::new(), removed: BTreeSet::new(), base };
    let mut rest = html;
    loop {
        let end = rest.find('<').unwrap_or(rest.len());
        let in_frame = pass.open.last().is_some_and(|element| element.is_table_frame());
        if in_frame && !rest[..end].bytes().all(|b| matches!(b, b' ' | b'\n' | b'\t')) {
            return None;
        }
        pass.write(&rest[..end], Place::Words)?;
        let Some(tag) = rest[end..].strip_prefix('<') else { break };
        rest = if let Some(name) = tag.strip_prefix('/') {
            pass.end_tag(name)?
        } else if let Some(comment) = tag.strip_prefix("!--") {
            let (inside, after) = comment.split_once("-->")?;
            // `<!-->` is a comment, too, and so is what ends in `--!>`.
            if inside.starts_with(['>', '-']) || inside.contains("--") || inside.contains(['\0', '\r']) {
                return None;
            }
            after
        } else {
            pass.start_tag(tag)?
        };
    }
    let html = pass.out;
    (pass.open.is_empty() && is_settled(&html))
        .then(|| Sanitised { html, removed: pass.removed.into_iter().map(Into::into).collect() })
}

struct Pass<'a> {
    out: String,
    /// Elements that are open, those that are not written among them.
    open: Vec<&'static Element>,
    removed: BTreeSet<&'static str>,
    base: Option<&'a Url>,
}

impl Pass<'_> {
    /// Writes text as the serialiser does, once it is read as the parser does.
    fn write(&mut self, raw: &str, place: Place) -> Option<()> {
        if raw.bytes().all(|b| PLAIN[usize::from(b)]) {
            self.out.push_str(raw);
        } else {
            escape(&mut self.out, &text(raw, place)?, place == Place::Attribute);
        }
        Some(())
    }

    /// Reads what follows `</`; returns what follows the `>`.
    fn end_tag<'b>(&mut self, tag: &'b str) -> Option<&'b str> {
        let element = self.open.pop()?;
        let (name, after) = tag.split_at_checked(element.name.len())?;
        if !name.eq_ignore_ascii_case(element.name) {
            return None;
        }
        if named(element.name).is_some() {
            self.out.push_str("</");
            self.out.push_str(element.name);
            self.out.push('>');
        }
        after.trim_start_matches([' ', '\n', '\t']).strip_prefix('>')
    }

    /// Reads what follows the `<` of a start tag; returns what follows its `>`.
    fn start_tag<'b>(&mut self, tag: &'b str) -> Option<&'b str> {
        let (name, rest) = tag.split_at(tag.bytes().position(|b| !b.is_ascii_alphanumeric())?);
        let lower = lower(name);
        let kept = named(&lower);
        let element = kept.or_else(|| DROPPED.iter().find(|element| element.name == lower))?;
        if self.open.len() >= MAX_DEPTH || !stays_in_place(element, &self.open) {
            return None;
        }
        if kept.is_some() {
            self.out.push('<');
            self.out.push_str(element.name);
        } else if self.removed.len() < MAX_NAMES {
            self.removed.insert(element.name);
        }
        let (closed, rest) = self.attributes(rest, kept)?;
        if kept.is_some() {
            if element.name == "a" {
                self.out.push_str(" rel=\"");
                self.out.push_str(LINK_REL);
                self.out.push('"');
            }
            self.out.push('>');
        }
        match (element.is_empty(), closed) {
            (true, _) => {}
            // HTML has no elements that close themselves: what follows is inside.
            (false, true) => return None,
            (false, false) => self.open.push(element),
        }
        // The parser drops a line feed that begins preformatted text.
        (element.name != "pre" || !rest.starts_with('\n')).then_some(rest)
    }

    /// Reads the attributes of a tag and writes those that `element` may have; tells whether `/` ends the tag, and
    /// what follows it.
    fn attributes<'b>(&mut self, mut rest: &'b str, element: Option<&Element>) -> Option<(bool, &'b str)> {
        let mut seen: Vec<Cow<'_, str>> = Vec::new();
        loop {
            let trimmed = rest.trim_start_matches([' ', '\n', '\t']);
            if let Some(after) = trimmed.strip_prefix('>') {
                return Some((false, after));
            }
            if let Some(after) = trimmed.strip_prefix("/>") {
                return Some((true, after));
            }
            let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b':');
            let (name, after) = trimmed.split_at(trimmed.bytes().position(|b| !is_name(b))?);
            let name = lower(name);
            // Attributes stand apart; of two of one name the parser keeps the first.
            if name.is_empty() || trimmed.len() == rest.len() || seen.len() >= MAX_ATTRIBUTES || seen.contains(&name) {
                return None;
            }
            let (value, after) = value(after)?;
            if element.is_some_and(|element| element.may_have(&name)) {
                self.attribute(&name, value)?;
            }
            seen.push(name);
            rest = after;
        }
    }

    /// Writes an attribute that may stand, but for an address that leads nowhere.
    fn attribute(&mut self, name: &str, raw: &str) -> Option<()> {
        let address = if ADDRESSES.contains(&name) {
            let Some(address) = self.address(name, text(raw, Place::Attribute)?)? else { return Some(()) };
            Some(address)
        } else {
            None
        };
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("=\"");
        match address {
            Some(address) => escape(&mut self.out, &address, true),
            None => self.write(raw, Place::Attribute)?,
        }
        self.out.push('"');
        Some(())
    }

    /// What becomes of an address; nothing, if it leads nowhere.
    fn address<'b>(&self, name: &str, value: Cow<'b, str>) -> Option<Option<Cow<'b, str>>> {
        if name == "cite" {
            return Some(is_allowed_address(&value).then_some(value));
        }
        match (Url::parse(&value), self.base) {
            (Ok(url), _) => Some(SCHEMES.contains(&url.scheme()).then_some(value)),
            (Err(ParseError::RelativeUrlWithoutBase), None) => Some(None),
            (Err(ParseError::RelativeUrlWithoutBase), Some(base)) => {
                Some(Some(String::from(base.join(&value).ok()?).into()))
            }
            (Err(_), _) => Some(None),
        }
    }
}

fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|b| b.is_ascii_uppercase()) { name.to_ascii_lowercase().into() } else { name.into() }
}

/// The value after an attribute's name, raw, and what follows it.
fn value(rest: &str) -> Option<(&str, &str)> {
    let Some(value) = rest.strip_prefix('=') else {
        // An attribute without a value; `a = b` is left to the parser.
        return (!rest.trim_start().starts_with('=')).then_some(("", rest));
    };
    match value.as_bytes().first()? {
        b'"' => value[1..].split_once('"'),
        b'\'' => value[1..].split_once('\''),
        _ => {
            let end = value.bytes().position(|b| matches!(b, b' ' | b'\n' | b'\t' | b'>'))?;
            let (value, after) = value.split_at(end);
            (!value.is_empty() && !value.contains(['"', '\'', '<', '=', '`'])).then_some((value, after))
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Words,
    Attribute,
}

/// The characters that `raw` stands for, without those that no article may hold; `None` if a reference or a line break
/// in it is one that takes the parser to read.
fn text(raw: &str, place: Place) -> Option<Cow<'_, str>> {
    if raw.bytes().any(|b| matches!(b, b'\r' | 0)) {
        return None;
    }
    if !raw.contains('&') {
        return Some(legal(raw.into()));
    }
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let run = after.bytes().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(after.len());
        let (name, follows) = after.split_at(run);
        rest = after;
        match (name, follows.strip_prefix(';')) {
            ("", _) if follows.starts_with('#') => {
                let (number, after) = follows[1..].split_once(';')?;
                out.push(numbered(number)?);
                rest = after;
            }
            ("", _) => out.push('&'),
            (_, Some(after)) if run <= MAX_REFERENCE => {
                let (first, second) = *NAMED_ENTITIES.get(&rest[..=run]).filter(|found| found.0 != 0)?;
                out.push(char::from_u32(first)?);
                out.extend(char::from_u32(second).filter(|_| second != 0));
                rest = after;
            }
            // `?a=1&b=2` has no reference in it (WHATWG HTML, section 13.2.5.73).
            (_, None) if place == Place::Attribute && follows.starts_with('=') => out.push('&'),
            _ => return None,
        }
    }
    out.push_str(rest);
    Some(legal(out.into()))
}

/// The character of a number, if the parser takes it for that and for nothing else.
fn numbered(number: &str) -> Option<char> {
    let digits = number.strip_prefix(['x', 'X']);
    let all =
        |text: &str, is_digit: fn(&u8) -> bool| (1..=6).contains(&text.len()) && text.bytes().all(|b| is_digit(&b));
    let code = match digits {
        Some(hex) if all(hex, u8::is_ascii_hexdigit) => u32::from_str_radix(hex, 16).ok()?,
        None if all(number, u8::is_ascii_digit) => number.parse().ok()?,
        _ => return None,
    };
    // Others are mistakes that the parser mends, or characters that go.
    char::from_u32(code).filter(|c| (*c >= ' ' || *c == '\n' || *c == '\t') && !is_illegal_in_text(*c))
}

fn legal(text: Cow<'_, str>) -> Cow<'_, str> {
    // Only what begins with one of these bytes may be illegal: see `PLAIN`, which has the special characters, too.
    let is_plain = |b: u8| PLAIN[usize::from(b)] || matches!(b, b'"' | b'&' | b'<' | b'>');
    if text.bytes().all(is_plain) || !text.chars().any(is_illegal_in_text) {
        return text;
    }
    text.replace(is_illegal_in_text, "").into()
}

/// Writes text as the serialiser does.
fn escape(out: &mut String, text: &str, attribute: bool) {
    let mut rest = text;
    // 0xC2 begins the no-break space, and others that stay.
    let is_special = |b: u8| matches!(b, b'&' | b'<' | b'>' | 0xC2) || (attribute && b == b'"');
    while let Some(at) = rest.bytes().position(is_special) {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let (written, length) = match after.as_bytes()[0] {
            b'&' => ("&amp;", 1),
            b'<' => ("&lt;", 1),
            b'>' => ("&gt;", 1),
            b'"' => ("&quot;", 1),
            _ if after.starts_with('\u{A0}') => ("&nbsp;", 2),
            _ => (&after[..2], 2),
        };
        out.push_str(written);
        rest = &after[length..];
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests;
