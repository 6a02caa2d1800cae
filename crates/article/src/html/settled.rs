//! Recognises markup that sanitising would return byte for byte, in one pass and without building a tree.
//!
//! Everything behind the intake sanitises what the intake has already sanitised; parsing it each time cost most of
//! what writing a feed costs. The language accepted here is smaller than what the sanitiser writes: wherever the
//! parser would move, close, reopen or drop anything, or could, the answer is no, and the markup is parsed. Saying
//! yes to anything that parsing would change is a security defect; saying no costs time only.

use super::elements::{ADDRESSES, Element, Kind, LINK_REL, is_allowed_address, named};
use super::plain::unescape;
use crate::text::is_illegal_in_text;

/// The deepest nesting read here: bounds the looks back at open elements that each tag costs.
pub(super) const MAX_DEPTH: usize = 64;

/// Bytes that stand for themselves wherever they are: ASCII but for controls and markup, and whatever continues or
/// begins a character, but for the first bytes of those that may be illegal or have an entity of their own.
pub(super) static PLAIN: [bool; 256] = {
    let mut plain = [true; 256];
    let mut byte = 0;
    while byte < 256 {
        plain[byte] = match byte as u8 {
            b'\t' | b'\n' => true,
            0..0x20 | 0x7F | b'"' | b'&' | b'<' | b'>' => false,
            // U+0080 to U+00BF; U+F000 to U+FFFF; all beyond.
            0xC2 | 0xEF | 0xF0.. => false,
            _ => true,
        };
        byte += 1;
    }
    plain
};

/// Whether sanitising would return `html` as it is, whatever its base address.
pub(super) fn is_settled(html: &str) -> bool {
    // The tokenizer takes U+FEFF in front for a byte order mark and drops it.
    !html.starts_with('\u{FEFF}') && document(html).is_some()
}

/// `None` at the first thing that is not surely as the sanitiser writes it.
fn document(html: &str) -> Option<()> {
    let mut open: Vec<&'static Element> = Vec::new();
    let mut rest = html;
    loop {
        let text = characters(rest, b'<')?;
        let in_frame = open.last().is_some_and(|element| element.is_table_frame());
        if in_frame && !text.bytes().all(|b| matches!(b, b' ' | b'\n' | b'\t')) {
            return None;
        }
        let Some(tag) = rest[text.len()..].strip_prefix('<') else {
            return open.is_empty().then_some(());
        };
        rest = match tag.strip_prefix('/') {
            Some(end) => end.strip_prefix(open.pop()?.name)?.strip_prefix('>')?,
            None => start_tag(tag, &mut open)?,
        };
    }
}

/// Reads what follows the `<` of a start tag; returns what follows its `>`.
fn start_tag<'a>(tag: &'a str, open: &mut Vec<&'static Element>) -> Option<&'a str> {
    let (name, rest) = tag.split_at(tag.bytes().position(|b| !b.is_ascii_alphanumeric())?);
    let element = named(name)?;
    if open.len() >= MAX_DEPTH || !stays_in_place(element, open) {
        return None;
    }
    let rest = attributes(rest, element)?;
    if !element.is_empty() {
        open.push(element);
    }
    // The parser drops a line feed that begins preformatted text, and the serialiser does not write it twice.
    (name != "pre" || !rest.starts_with('\n')).then_some(rest)
}

/// Whether the parser puts `element` where its tag stands and leaves everything open that is open.
pub(super) fn stays_in_place(element: &Element, open: &[&Element]) -> bool {
    let parent = open.last();
    if let Kind::Part(parents) = element.kind {
        return parent.is_some_and(|parent| parents.contains(&parent.name));
    }
    if parent.is_some_and(|parent| parent.is_table_frame()) {
        return false;
    }
    match element.kind {
        Kind::Empty | Kind::Phrasing => true,
        // A link ends the one around it, and of many equal ones around each other some are forgotten.
        Kind::Formatting => open.iter().all(|outer| outer.name != element.name),
        Kind::Rule | Kind::Block => !in_paragraph(open),
        Kind::Heading => !in_paragraph(open) && parent.is_none_or(|parent| parent.kind != Kind::Heading),
        Kind::Part(_) => false,
    }
}

/// Whether a paragraph is open that a block would end ("in button scope"; tables never stand in a paragraph here).
fn in_paragraph(open: &[&Element]) -> bool {
    open.iter().rev().take_while(|outer| !matches!(outer.name, "caption" | "td" | "th")).any(|outer| outer.name == "p")
}

/// Reads the attributes of a start tag; returns what follows its `>`.
fn attributes<'a>(mut rest: &'a str, element: &Element) -> Option<&'a str> {
    let is_link = element.name == "a";
    let mut seen: Vec<&str> = Vec::new();
    while let Some(attribute) = rest.strip_prefix(' ') {
        if is_link && let Some(rel) = attribute.strip_prefix("rel=\"") {
            // The sanitiser appends it: it is there, and last, or the link would change.
            return rel.strip_prefix(LINK_REL)?.strip_prefix("\">");
        }
        let (name, after) = attribute.split_once("=\"")?;
        // The parser drops an attribute that is there already.
        if !element.may_have(name) || seen.contains(&name) {
            return None;
        }
        seen.push(name);
        let value = characters(after, b'"')?;
        rest = after[value.len()..].strip_prefix('"')?;
        if ADDRESSES.contains(&name) && !is_allowed_address(&unescape(value)) {
            return None;
        }
    }
    if is_link { None } else { rest.strip_prefix('>') }
}

/// The text up to `end` (`<` for words, `"` for the value of an attribute) or to the end of the input, if all of it
/// is legal and escaped as the serialiser escapes it.
fn characters(text: &str, end: u8) -> Option<&str> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        at += bytes[at..].iter().position(|b| !PLAIN[usize::from(*b)]).unwrap_or(bytes.len() - at);
        at += match bytes.get(at) {
            None => return Some(text),
            Some(&byte) if byte == end => return Some(&text[..at]),
            Some(b'"') => 1,
            Some(b'&') => entity(&text[at..], end)?.len(),
            Some(0x80..) => text[at..].chars().next().filter(|c| *c != '\u{A0}' && !is_illegal_in_text(*c))?.len_utf8(),
            // A control character, or `<` or `>` where an entity should stand. The parser makes CR a line feed.
            Some(_) => return None,
        };
    }
}

fn entity(text: &str, end: u8) -> Option<&'static str> {
    let entities = ["&amp;", "&nbsp;", "&lt;", "&gt;"];
    match entities.into_iter().find(|entity| text.starts_with(entity)) {
        // Only an attribute has its quotation marks escaped.
        None if end == b'"' => Some("&quot;").filter(|entity| text.starts_with(entity)),
        found => found,
    }
}

#[cfg(test)]
mod tests;
