//! Writes one item as an Atom entry that any reader of Atom can read.

use std::borrow::Cow;
use std::fmt::Write;

/// Elements without content and end tag in HTML: feeds that forget to escape leave them open.
pub(super) fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area" | "br" | "col" | "embed" | "hr" | "img" | "input" | "link" | "meta" | "source" | "track" | "wbr"
    )
}

pub(super) const ENTRY: &str =
    "<entry xmlns=\"http://www.w3.org/2005/Atom\" xmlns:media=\"http://search.yahoo.com/mrss/\">";

/// Text with what is special in markup escaped.
pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|b| matches!(b, b'&' | b'<' | b'>' | b'"')) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out.into()
}

/// `<name attributes>text</name>`; the text verbatim, which costs no reader anything.
pub(super) fn element(out: &mut String, name: &str, attributes: &[(&str, &str)], text: &str) {
    start(out, name, attributes);
    verbatim(out, text);
    end(out, name);
}

pub(super) fn start(out: &mut String, name: &str, attributes: &[(&str, &str)]) {
    out.push('<');
    out.push_str(name);
    for (name, value) in attributes {
        let _ = write!(out, " {name}=\"{}\"", escaped(value));
    }
    out.push('>');
}

pub(super) fn end(out: &mut String, name: &str) {
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

pub(super) fn verbatim(out: &mut String, text: &str) {
    if !text.bytes().any(|b| matches!(b, b'&' | b'<' | b'>' | b'\r')) {
        out.push_str(text);
        return;
    }
    for (n, part) in text.split("]]>").enumerate() {
        if n > 0 {
            out.push_str("]]&gt;");
        }
        out.push_str("<![CDATA[");
        out.push_str(part);
        out.push_str("]]>");
    }
}
