//! Tags and text of a document that ought to be XML.
//!
//! Whatever is there is a token; nothing is an error, and each byte is looked at a bounded number of times. Document
//! types are skipped, so that no entity they declare is ever expanded.

use std::borrow::Cow;

use memchr::memmem;

use crate::entity::resolve;

/// The most attributes of a tag that are looked at.
const MAX_ATTRIBUTES: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    Start(Tag<'a>),
    /// The name as written.
    End(&'a str),
    /// Text as written, its references not yet resolved.
    Text(&'a str),
    /// Text in which nothing is special.
    Verbatim(&'a str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag<'a> {
    /// As written, with its prefix.
    pub(crate) name: &'a str,
    attributes: &'a str,
    /// `<name/>`
    pub(crate) empty: bool,
}

impl<'a> Tag<'a> {
    /// Names as written and values with their references resolved, in order.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> + use<'a> {
        Attributes { rest: self.attributes }.take(MAX_ATTRIBUTES)
    }

    /// The value of the attribute `name`, in whatever case it is written.
    pub(crate) fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        self.attributes().find(|(written, _)| written.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Attributes as they stand in the document.
    pub(crate) fn written_attributes(&self) -> &'a str {
        self.attributes
    }
}

struct Attributes<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a str, Cow<'a, str>);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\''));
        let end = rest.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let Some(value) = after.trim_start().strip_prefix('=').map(str::trim_start) else {
            self.rest = after;
            return (!name.is_empty()).then_some((name, Cow::Borrowed("")));
        };
        let (value, after) = match value.as_bytes().first() {
            Some(quote @ (b'"' | b'\'')) => {
                let value = &value[1..];
                value.split_once(*quote as char).unwrap_or((value, ""))
            }
            _ => value.split_at(value.find(char::is_whitespace).unwrap_or(value.len())),
        };
        self.rest = after;
        Some((name, resolve(value)))
    }
}

/// An iterator of [`Token`]s.
pub(crate) struct Scan<'a> {
    text: &'a str,
    at: usize,
    /// Where what cannot be found any more was looked for in vain, so that it is not looked for again.
    no_comment_end: bool,
    no_cdata_end: bool,
    no_subset_end: bool,
}

impl<'a> Scan<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0, no_comment_end: false, no_cdata_end: false, no_subset_end: false }
    }

    fn text_to(&mut self, end: usize) -> Token<'a> {
        let text = &self.text[self.at..end];
        self.at = end;
        Token::Text(text)
    }

    /// The tag at the current `<`; `None` if it is none.
    fn tag(&mut self) -> Option<Token<'a>> {
        let rest = &self.text[self.at + 1..];
        let closing = rest.starts_with('/');
        let inside = &rest[usize::from(closing)..];
        if !inside.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return None;
        }
        let length = tag_length(inside)?;
        let inside = &inside[..length];
        self.at += 1 + usize::from(closing) + length + 1;
        let end = inside.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(length);
        let (name, attributes) = inside.split_at(end);
        if closing {
            return Some(Token::End(name));
        }
        let empty = attributes.ends_with('/');
        Some(Token::Start(Tag { name, attributes: attributes.strip_suffix('/').unwrap_or(attributes), empty }))
    }

    /// Skips a comment, an instruction or a document type at the current `<`, or reads CDATA; `None` if it is none.
    fn declaration(&mut self) -> Option<Option<Token<'a>>> {
        let rest = &self.text[self.at..];
        if rest.starts_with("<!--") {
            let end = if self.no_comment_end { None } else { memmem::find(&rest.as_bytes()[4..], b"-->") };
            self.no_comment_end = end.is_none();
            // A comment without an end is one as far as the first `>`.
            let length = end.map(|end| 4 + end + 3).or_else(|| rest.find('>').map(|end| end + 1));
            self.at += length.unwrap_or(rest.len());
            return Some(None);
        }
        if let Some(content) = rest.strip_prefix("<![CDATA[") {
            let end = if self.no_cdata_end { None } else { memmem::find(content.as_bytes(), b"]]>") };
            self.no_cdata_end = end.is_none();
            self.at += "<![CDATA[".len();
            // CDATA without an end: what follows is as if it had not been begun.
            return Some(end.map(|end| {
                self.at += end + 3;
                Token::Verbatim(&content[..end])
            }));
        }
        if rest.starts_with("<?") {
            self.at += rest.find('>').map_or(rest.len(), |end| end + 1);
            return Some(None);
        }
        if rest.starts_with("<!") {
            self.at += self.document_type(rest);
            return Some(None);
        }
        None
    }

    /// The length of a document type: its internal subset, in brackets, may have `>` in it.
    fn document_type(&mut self, rest: &str) -> usize {
        let end = rest.find('>').map_or(rest.len(), |end| end + 1);
        let Some(open) = rest[..end].find('[').filter(|_| !self.no_subset_end) else { return end };
        let Some(close) = rest[open..].find(']') else {
            self.no_subset_end = true;
            return open + 1;
        };
        let after = open + close;
        rest[after..].find('>').map_or(rest.len(), |end| after + end + 1)
    }
}

/// The length of what stands in a tag, up to its `>`. A `>` in quotes is none; a `<` shows that the quotes are broken.
fn tag_length(inside: &str) -> Option<usize> {
    let bytes = inside.as_bytes();
    let mut at = 0;
    loop {
        at += bytes[at..].iter().position(|b| matches!(b, b'>' | b'<' | b'"' | b'\''))?;
        match bytes[at] {
            b'>' => return Some(at),
            b'<' => return bytes[..at].iter().position(|b| *b == b'>'),
            quote => {
                let value = &bytes[at + 1..];
                match memchr::memchr2(quote, b'<', value).filter(|end| value[*end] == quote) {
                    Some(end) => at += 1 + end + 1,
                    None => {
                        let limit = memchr::memchr(b'<', value).unwrap_or(value.len());
                        return memchr::memchr(b'>', &value[..limit]).map(|end| at + 1 + end);
                    }
                }
            }
        }
    }
}

impl<'a> Iterator for Scan<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        while self.at < self.text.len() {
            let rest = &self.text.as_bytes()[self.at..];
            match memchr::memchr(b'<', rest) {
                None => return Some(self.text_to(self.text.len())),
                Some(0) => {}
                Some(length) => return Some(self.text_to(self.at + length)),
            }
            match self.declaration() {
                Some(Some(token)) => return Some(token),
                Some(None) => continue,
                None => {}
            }
            if let Some(token) = self.tag() {
                return Some(token);
            }
            // A `<` that begins nothing is text, and so is what follows it.
            let end = memchr::memchr(b'<', &rest[1..]).map_or(rest.len(), |length| 1 + length);
            return Some(self.text_to(self.at + end));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(text: &str) -> Vec<String> {
        let shown = |token| match token {
            Token::Start(tag) => {
                let attributes: String = tag.attributes().map(|(name, value)| format!(" {name}={value:?}")).collect();
                format!("<{}{attributes}{}>", tag.name, if tag.empty { "/" } else { "" })
            }
            Token::End(name) => format!("</{name}>"),
            Token::Text(text) => text.into(),
            Token::Verbatim(text) => format!("[{text}]"),
        };
        Scan::new(text).map(shown).collect()
    }

    #[test]
    fn tokens_of_good_and_of_bad_markup() {
        let cases: [(&str, &[&str]); 18] = [
            ("<?xml version='1.0'?><a>x</a>", &["<a>", "x", "</a>"]),
            ("<a b='c>d' e=\"f&amp;g\"/>", &["<a b=\"c>d\" e=\"f&g\"/>"]),
            ("<a b=c d e='f'>", &["<a b=\"c\" d=\"\" e=\"f\">"]),
            ("<a b = 'c'>", &["<a b=\"c\">"]),
            ("<a\nb='c'\n/>", &["<a b=\"c\"/>"]),
            ("<![CDATA[<b>]]>x", &["[<b>]", "x"]),
            ("<a><![CDATA[x</a>", &["<a>", "x", "</a>"]),
            ("a<!-- <b> -->c", &["a", "c"]),
            ("a<!-- b>c", &["a", "c"]),
            ("1 < 2 <3", &["1 ", "< 2 ", "<3"]),
            ("<a b='c>d<e>", &["<a b=\"c\">", "d", "<e>"]),
            ("<a", &["<a"]),
            ("<!DOCTYPE r [<!ENTITY a \"<>\">]><r>", &["<r>"]),
            ("<!DOCTYPE rss><r>", &["<r>"]),
            ("<!DOCTYPE r [ <r>", &[" ", "<r>"]),
            ("</a ></:b>", &["</a>", "</:b>"]),
            ("<党 风='1'/>", &["<党 风=\"1\"/>"]),
            ("<!", &[]),
        ];
        for (text, tokens) in cases {
            assert_eq!(scan(text), tokens, "{text}");
        }
    }

    #[test]
    fn an_attribute_is_found_in_whatever_case() {
        let Some(Token::Start(tag)) = Scan::new("<outline XMLURL='a' xmlUrl='b'>").next() else { panic!("no tag") };
        assert_eq!(tag.attribute("xmlurl").as_deref(), Some("a"));
        assert_eq!(tag.attribute("url"), None);
    }
}
