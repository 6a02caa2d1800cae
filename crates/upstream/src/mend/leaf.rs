//! Elements that hold text: what the text is, and what it says.

use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use url::Url;

use super::item::Text;
use super::names::{Meaning, Vocabulary, lower};
use super::{Inside, Mender, atom};
use crate::entity::resolve;
use crate::item::Format;
use crate::scan::Tag;
use crate::text::legal;

pub(super) struct Leaf {
    vocabulary: Vocabulary,
    local: String,
    meaning: Meaning,
    /// The dialect's own word on what the text is: `type` and `mode` of Atom.
    form: Form,
    pub(super) text: Text,
    scheme: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Unsaid,
    Text,
    Html,
    /// Markup that is not escaped.
    Xhtml,
    Base64,
}

impl<'a> Mender<'a> {
    pub(super) fn begin_leaf(&mut self, tag: &Tag<'a>, vocabulary: Vocabulary, local: &str, meaning: Meaning) {
        let form = if vocabulary == Vocabulary::Xhtml { Form::Xhtml } else { form(tag) };
        let text = Text { is_markup: form == Form::Xhtml, ..Text::default() };
        let scheme = tag.attribute("domain").or_else(|| tag.attribute("scheme")).map(Cow::into_owned);
        let leaf = Leaf { vocabulary, local: local.into(), meaning, form, text, scheme };
        self.inside = Some((self.open.len(), Inside::Leaf(leaf)));
    }

    pub(super) fn close_leaf(&mut self, leaf: Leaf, base: &Url) {
        let Some((_, item)) = &mut self.item else {
            let parent = self.open.len().checked_sub(2).map_or("", |at| self.open[at]);
            let parent = lower(parent.rsplit(':').next().unwrap_or(parent));
            return self.head.says(leaf.vocabulary, &leaf.local, &parent, &leaf.text.text, base);
        };
        let mut text = leaf.text;
        if leaf.form == Form::Base64
            && let Ok(bytes) = BASE64_STANDARD.decode(text.text.split_whitespace().collect::<String>())
            && let Ok(decoded) = String::from_utf8(bytes)
        {
            text.text = legal(&decoded).into_owned();
        }
        match leaf.meaning {
            Meaning::Link => {
                let href = self.resolver.absolute(base, &text.text);
                if !text.text.trim().is_empty() {
                    item.link(&[("href", &*href), ("rel", "alternate")]);
                }
            }
            Meaning::Category if !text.text.trim().is_empty() => {
                item.category(text.text.trim(), leaf.scheme.as_deref(), None);
            }
            meaning => {
                let is_html = match (leaf.form, meaning, leaf.vocabulary) {
                    (Form::Text, ..) => false,
                    (Form::Html | Form::Xhtml | Form::Base64, ..) => true,
                    (_, Meaning::Content(_), _) => true,
                    // RSS says of descriptions that they are HTML, and of titles nothing.
                    (_, Meaning::Summary(_), _) => self.head.format != Format::Atom || looks_like_html(&text.text),
                    _ => looks_like_html(&text.text),
                };
                item.says(meaning, &text, is_html);
            }
        }
    }
}

impl Text {
    pub(super) fn push(&mut self, text: &str) {
        if self.is_markup {
            self.text.push_str(&atom::escaped(text));
        } else {
            self.text.push_str(text);
        }
    }

    /// Markup inside an element of text: what came so far was text, and is to be escaped from now on.
    pub(super) fn start(&mut self, name: &str, tag: &Tag<'_>) {
        if !self.is_markup {
            self.text = atom::escaped(&self.text).into_owned();
            self.is_markup = true;
        }
        self.text.push('<');
        self.text.push_str(name);
        let written = tag.written_attributes();
        let quotes = written.bytes().filter(|b| *b == b'"').count();
        if quotes % 2 == 0 && !written.contains(['\'', '>']) {
            // As HTML has them, too.
            self.text.push_str(&legal(written));
        } else {
            for (name, value) in tag.attributes().filter(|(name, _)| !name.starts_with("xmlns")) {
                atom::attribute(&mut self.text, name, &value);
            }
        }
        self.text.push('>');
    }

    pub(super) fn end(&mut self, name: &str) {
        atom::end(&mut self.text, &lower(name.rsplit(':').next().unwrap_or(name)));
    }
}

/// What Atom says of the text of an element. Atom 0.3 has `mode`, and media types where Atom 1.0 has words.
fn form(tag: &Tag<'_>) -> Form {
    if !tag.written_attributes().contains(['t', 'T', 'm', 'M']) {
        return Form::Unsaid;
    }
    let mode = tag.attribute("mode").unwrap_or_default();
    if mode.eq_ignore_ascii_case("base64") {
        return Form::Base64;
    }
    let Some(written) = tag.attribute("type") else { return Form::Unsaid };
    let written = written.to_ascii_lowercase();
    match written.split(';').next().unwrap_or_default().trim() {
        "text" | "text/plain" if mode.eq_ignore_ascii_case("escaped") => Form::Unsaid,
        "text" | "text/plain" => Form::Text,
        "xhtml" | "application/xhtml+xml" if !mode.eq_ignore_ascii_case("escaped") => Form::Xhtml,
        _ => Form::Html,
    }
}

/// Whether text that may be either has a tag or a reference in it.
fn looks_like_html(text: &str) -> bool {
    let end = text.rfind('>').unwrap_or_default();
    let is_tag = |at: usize| text[at + 1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    let has_tag = text[..end].match_indices('<').any(|(at, _)| is_tag(at));
    has_tag || text.contains('&') && resolve(text) != text
}
