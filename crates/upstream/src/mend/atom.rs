//! Writes one item as an Atom entry that any reader of Atom can read.

use std::borrow::Cow;

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
    let is_special = |b: u8| matches!(b, b'&' | b'<' | b'>' | b'"');
    if !text.bytes().any(is_special) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut rest = text;
    while let Some(at) = rest.bytes().position(is_special) {
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            _ => "&quot;",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
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
        attribute(out, name, value);
    }
    out.push('>');
}

pub(super) fn attribute(out: &mut String, name: &str, value: &str) {
    out.push(' ');
    out.push_str(name);
    out.push_str("=\"");
    out.push_str(&escaped(value));
    out.push('"');
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
