//! Turns what ought to be a feed in XML, of whatever dialect, into one well-formed Atom entry per item.
//!
//! An end without a beginning is dropped and a beginning without an end is ended, so that no mistake reaches further
//! than the element it is in, and never beyond its item. Markup that somebody forgot to escape is escaped. One reader
//! for good feeds and bad ones, and for each item by itself: if a feed breaks for an hour, the items that can still be
//! read must come out as they did before, or each of them would be a revision.

mod atom;
mod head;
mod item;
mod names;

use std::borrow::Cow;
use std::rc::Rc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use url::Url;

pub(crate) use self::head::Head;
use self::item::{ItemWriter, Text};
pub(crate) use self::item::{MendedItem, Notes};
use self::names::{Meaning, Prefixes, Vocabulary, lower, meaning};
use crate::MAX_ITEMS;
use crate::entity::resolve;
use crate::item::Format;
use crate::scan::{Scan, Tag, Token};
use crate::text::legal;

/// How deep elements may nest before the rest is taken for flat.
const MAX_DEPTH: usize = 256;

/// How deep an item may begin, so that there is room in it.
const MAX_ITEM_DEPTH: usize = MAX_DEPTH - 32;

/// How deep Media RSS may nest: groups hold files, files hold what is said of them. feed-rs recurses at each level.
const MAX_MEDIA_DEPTH: usize = 8;

/// A feed, mended.
pub(crate) struct Mended {
    pub(crate) head: Head,
    pub(crate) items: Vec<MendedItem>,
    /// Items beyond [`MAX_ITEMS`].
    pub(crate) left_out: usize,
    /// Whether the document ends in the middle.
    pub(crate) cut_off: bool,
    /// The name of the first element; the document has none without it.
    pub(crate) root: Option<String>,
}

pub(crate) fn mend(text: &str, feed_url: &Url) -> Mended {
    let mut mender = Mender::new(feed_url);
    for token in Scan::new(text) {
        match token {
            Token::Start(tag) => mender.start(tag),
            Token::End(name) => mender.end(name),
            Token::Text(raw) => mender.text(&resolve(raw)),
            Token::Verbatim(text) => mender.text(&legal(text)),
        }
    }
    mender.finish()
}

/// What is being read inside an item, or in the head.
enum Inside {
    /// An element whose text counts, and markup in it as text.
    Leaf(Leaf),
    /// `author` of Atom: elements inside elements. The text of the innermost is collected by its name.
    Parts { of: Meaning, field: String, parts: Vec<(String, String)> },
    /// Media RSS is given on as it is.
    Media,
    /// Nothing in it counts.
    Nothing,
}

struct Leaf {
    vocabulary: Vocabulary,
    local: String,
    meaning: Meaning,
    /// The dialect's own word on what the text is: `type` and `mode` of Atom.
    form: Form,
    text: Text,
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

struct Mender<'a> {
    head: Head,
    items: Vec<MendedItem>,
    left_out: usize,
    root: Option<String>,
    prefixes: Prefixes,
    open: Vec<&'a str>,
    /// `xml:base`, by the depth at which it was given; the first is the feed's own address.
    bases: Vec<(usize, Rc<Url>)>,
    languages: Vec<(usize, String)>,
    /// The item being written and the depth at which it began.
    item: Option<(usize, ItemWriter)>,
    /// What is being read, and the depth at which it began.
    inside: Option<(usize, Inside)>,
}

impl<'a> Mender<'a> {
    fn new(feed_url: &Url) -> Self {
        Self {
            head: Head::new(),
            items: Vec::new(),
            left_out: 0,
            root: None,
            prefixes: Prefixes::default(),
            open: Vec::new(),
            bases: vec![(0, Rc::new(feed_url.clone()))],
            languages: Vec::new(),
            item: None,
            inside: None,
        }
    }

    fn base(&self) -> Rc<Url> {
        Rc::clone(&self.bases.last().expect("the first is never taken away").1)
    }

    fn start(&mut self, tag: Tag<'a>) {
        // Most tags are markup in a text, and of no vocabulary.
        if let Some((_, Inside::Leaf(_))) = &self.inside
            && !tag.name.contains(':')
            && !is_item(&lower(tag.name))
        {
            self.start_inside(&tag, Vocabulary::Core, &lower(tag.name));
            return self.end_if_empty(&tag);
        }
        self.prefixes.declare(&tag);
        let (vocabulary, local) = self.prefixes.resolve(&tag);
        if self.root.is_none() {
            self.root = Some(local.clone().into_owned());
            self.head.format = match &*local {
                "rdf" => Format::Rdf,
                "feed" | "entry" => Format::Atom,
                _ => Format::Rss,
            };
        }
        let begins_item = matches!(vocabulary, Vocabulary::Core | Vocabulary::Atom) && is_item(&local);
        if begins_item {
            self.begin_item(&tag, &local);
        } else if self.inside.is_some() {
            self.start_inside(&tag, vocabulary, &local);
        } else if self.item.is_some() {
            self.push(&tag);
            self.start_in_item(&tag, vocabulary, &local);
        } else {
            self.push(&tag);
            self.start_in_head(&tag, vocabulary, &local);
        }
        self.end_if_empty(&tag);
    }

    /// A tag that was not opened, for its depth or its kind, is not to end another of its name.
    fn end_if_empty(&mut self, tag: &Tag<'a>) {
        if tag.empty && self.open.last().is_some_and(|open| std::ptr::eq(*open, tag.name)) {
            self.close_to(self.open.len() - 1);
        }
    }

    /// Opens an element, and takes note of its `xml:base` and `xml:lang`.
    fn push(&mut self, tag: &Tag<'a>) {
        if self.open.len() == MAX_DEPTH {
            return;
        }
        self.open.push(tag.name);
        if !tag.written_attributes().contains("xml:") {
            return;
        }
        let depth = self.open.len();
        if let Some(base) = tag.attribute("xml:base").and_then(|base| self.base().join(base.trim()).ok()) {
            self.bases.push((depth, Rc::new(base)));
        }
        if let Some(language) = tag.attribute("xml:lang") {
            if self.item.is_none() && depth == 1 {
                self.head.language = Some(language.trim().into());
            }
            self.languages.push((depth, language.trim().into()));
        }
    }

    fn begin_item(&mut self, tag: &Tag<'a>, local: &str) {
        // An item that begins in another ends it, and whatever is open in it.
        if let Some((depth, _)) = &self.item {
            let depth = *depth;
            self.close_to(depth - 1);
        }
        self.inside = None;
        if self.items.len() == MAX_ITEMS {
            self.left_out += 1;
            self.push(tag);
            self.inside = Some((self.open.len(), Inside::Nothing));
            return;
        }
        self.close_to(MAX_ITEM_DEPTH);
        self.push(tag);
        let about = tag.attribute("rdf:about").map(Cow::into_owned).filter(|about| !about.trim().is_empty());
        // What `xml:lang` of the document says, the feed says for all its items.
        let language = self.languages.iter().rev().find(|(depth, _)| *depth > 1).map(|(_, language)| language.clone());
        let base = (self.bases.len() > 1).then(|| Url::clone(&self.base()));
        let mut item = ItemWriter::new(about, language, base);
        if local == "item"
            && let Some(address) = tag.attribute("href")
        {
            item.link(&[("href", &absolute(&self.base(), &address)), ("rel", "alternate")]);
        }
        self.item = Some((self.open.len(), item));
    }

    fn start_in_head(&mut self, tag: &Tag<'a>, vocabulary: Vocabulary, local: &str) {
        if local == "link" && tag.attribute("href").is_some() {
            let base = self.base();
            return self.head.link(tag, &base);
        }
        let is_leaf = matches!(
            local,
            "title"
                | "link"
                | "language"
                | "ttl"
                | "hour"
                | "day"
                | "creator"
                | "name"
                | "updateperiod"
                | "updatefrequency"
        );
        if is_leaf {
            self.begin_leaf(tag, vocabulary, local, Meaning::Nothing);
        }
    }

    fn begin_leaf(&mut self, tag: &Tag<'a>, vocabulary: Vocabulary, local: &str, meaning: Meaning) {
        let form = if vocabulary == Vocabulary::Xhtml { Form::Xhtml } else { form(tag) };
        let text = Text { is_markup: form == Form::Xhtml, ..Text::default() };
        let scheme = tag.attribute("domain").or_else(|| tag.attribute("scheme")).map(Cow::into_owned);
        let leaf = Leaf { vocabulary, local: local.into(), meaning, form, text, scheme };
        self.inside = Some((self.open.len(), Inside::Leaf(leaf)));
    }

    fn start_in_item(&mut self, tag: &Tag<'a>, vocabulary: Vocabulary, local: &str) {
        let meaning = meaning(vocabulary, local);
        let depth = self.open.len();
        let base = self.base();
        let Some((_, item)) = &mut self.item else { return };
        let inside = match meaning {
            Meaning::Nothing => Inside::Nothing,
            Meaning::Link => {
                let Some(href) = tag.attribute("href").or_else(|| tag.attribute("rdf:resource")) else {
                    return self.begin_leaf(tag, vocabulary, local, meaning);
                };
                let mut attributes = vec![("href", absolute(&base, &href))];
                for name in ["rel", "type", "title", "length"] {
                    attributes.extend(tag.attribute(name).map(|value| (name, value.into_owned())));
                }
                let attributes: Vec<(&str, &str)> = attributes.iter().map(|(name, value)| (*name, &**value)).collect();
                item.link(&attributes);
                Inside::Nothing
            }
            Meaning::Enclosure => {
                if let Some(url) = tag.attribute("url").or_else(|| tag.attribute("href")) {
                    let url = absolute(&base, &url);
                    let mime = tag.attribute("type").unwrap_or_default();
                    let length = tag.attribute("length").unwrap_or_default();
                    item.link(&[("href", &*url), ("rel", "enclosure"), ("type", &*mime), ("length", &*length)]);
                }
                Inside::Nothing
            }
            Meaning::Category => {
                let Some(term) = tag.attribute("term").filter(|term| !term.trim().is_empty()) else {
                    return self.begin_leaf(tag, vocabulary, local, meaning);
                };
                item.category(&term, tag.attribute("scheme").as_deref(), tag.attribute("label").as_deref());
                Inside::Nothing
            }
            Meaning::Source => {
                let parts = tag.attribute("url").map(|url| ("url".into(), url.into_owned())).into_iter().collect();
                Inside::Parts { of: meaning, field: String::new(), parts }
            }
            Meaning::Person => Inside::Parts { of: meaning, field: String::new(), parts: Vec::new() },
            Meaning::Media => {
                media_start(item, local, tag, &base);
                Inside::Media
            }
            _ => {
                if matches!(meaning, Meaning::Id(_)) {
                    item.notes.guid_is_no_link =
                        tag.attribute("isPermaLink").is_some_and(|word| word.trim().eq_ignore_ascii_case("false"));
                }
                if matches!(meaning, Meaning::Content(_)) && self.bases.last().is_some_and(|(at, _)| *at == depth) {
                    item.notes.base = Some(Url::clone(&base));
                }
                return self.begin_leaf(tag, vocabulary, local, meaning);
            }
        };
        self.inside = Some((depth, inside));
    }

    fn start_inside(&mut self, tag: &Tag<'a>, vocabulary: Vocabulary, local: &str) {
        let base = self.base();
        match &mut self.inside {
            Some((_, Inside::Leaf(leaf))) => {
                let name = if vocabulary == Vocabulary::Other { &lower(tag.name) } else { local };
                leaf.text.start(name, tag);
                // Never to be ended, so never to be opened.
                if atom::is_void(local) {
                    return;
                }
            }
            Some((_, Inside::Parts { field, parts, .. })) => {
                *field = local.into();
                if let Some(url) = tag.attribute("href").filter(|_| local == "link") {
                    let is_page = tag.attribute("rel").is_none_or(|rel| rel == "alternate");
                    parts.extend(is_page.then(|| ("url".into(), absolute(&base, &url))));
                }
            }
            Some((began, Inside::Media))
                if vocabulary == Vocabulary::Media && self.open.len() < *began + MAX_MEDIA_DEPTH =>
            {
                if let Some((_, item)) = &mut self.item {
                    media_start(item, local, tag, &base);
                }
            }
            _ => {}
        }
        self.push(tag);
    }

    fn text(&mut self, text: &str) {
        match &mut self.inside {
            Some((_, Inside::Leaf(leaf))) => leaf.text.push(text),
            Some((_, Inside::Parts { field, parts, .. })) => match parts.last_mut() {
                Some((name, value)) if name == field => value.push_str(text),
                _ => parts.push((field.clone(), text.into())),
            },
            Some((_, Inside::Media)) => {
                let is_media = self.open.last().is_some_and(|name| {
                    matches!(name.rsplit(':').next(), Some("title" | "description" | "credit" | "text"))
                });
                if let (true, Some((_, item))) = (is_media, &mut self.item) {
                    item.media_text(text);
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        let Some(at) = self.open.iter().rposition(|open| *open == name || open.eq_ignore_ascii_case(name)) else {
            return;
        };
        self.close_to(at);
    }

    /// Ends the innermost elements until `depth` are left.
    fn close_to(&mut self, depth: usize) {
        while self.open.len() > depth {
            let at = self.open.len();
            let name = self.open[at - 1];
            if self.inside.as_ref().is_some_and(|(began, _)| *began == at) {
                if let Some((_, inside)) = self.inside.take() {
                    self.close_inside(name, inside);
                }
            } else {
                match &mut self.inside {
                    Some((_, Inside::Leaf(leaf))) => leaf.text.end(name),
                    Some((_, Inside::Parts { field, .. })) => field.clear(),
                    Some((began, Inside::Media)) if at <= *began + MAX_MEDIA_DEPTH => self.media_end(name),
                    _ => {}
                }
            }
            if self.item.as_ref().is_some_and(|(began, _)| *began == at)
                && let Some((_, item)) = self.item.take()
            {
                self.items.push(item.finish());
            }
            self.open.pop();
            self.bases.pop_if(|(began, _)| *began == at);
            self.languages.pop_if(|(began, _)| *began == at);
        }
    }

    fn close_inside(&mut self, name: &str, inside: Inside) {
        let base = self.base();
        match inside {
            Inside::Nothing => {}
            Inside::Media => self.media_end(name),
            Inside::Parts { of, parts, .. } => {
                let Some((_, item)) = &mut self.item else { return };
                let part = |names: &[&str]| {
                    parts.iter().find(|(name, text)| names.contains(&&**name) && !text.trim().is_empty())
                };
                let url = part(&["url", "uri", "homepage"]).map(|(_, url)| absolute(&base, url));
                // Text outside any part is what RSS has.
                let title = part(&["name", "title"]).or_else(|| part(&[""])).or_else(|| part(&["email"]));
                let Some((_, title)) = title else { return };
                if of == Meaning::Person {
                    item.person(title.trim(), url.as_deref());
                } else {
                    item.notes.source_title = Some(title.trim().into());
                    item.notes.source_url = url.and_then(|url| Url::parse(&url).ok());
                }
            }
            Inside::Leaf(leaf) => self.close_leaf(leaf, &base),
        }
    }

    fn close_leaf(&mut self, leaf: Leaf, base: &Url) {
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
                let href = absolute(base, &text.text);
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

    fn media_end(&mut self, name: &str) {
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        if self.prefixes.named(prefix) == Vocabulary::Media
            && let Some((_, item)) = &mut self.item
        {
            item.media_end(&lower(local));
        }
    }

    fn finish(mut self) -> Mended {
        // Where only ends of elements are missing nothing is lost; text that breaks off may be any part of the whole.
        let in_text = matches!(&self.inside, Some((_, Inside::Leaf(_))));
        let cut_off = in_text && self.item.is_some();
        if let Some((_, item)) = &mut self.item {
            item.notes.cut_off = cut_off;
        }
        self.close_to(0);
        Mended { head: self.head, items: self.items, left_out: self.left_out, cut_off, root: self.root }
    }
}

impl Text {
    fn push(&mut self, text: &str) {
        if self.is_markup {
            self.text.push_str(&atom::escaped(text));
        } else {
            self.text.push_str(text);
        }
    }

    /// Markup inside an element of text: what came so far was text, and is to be escaped from now on.
    fn start(&mut self, name: &str, tag: &Tag<'_>) {
        if !self.is_markup {
            self.text = atom::escaped(&self.text).into_owned();
            self.is_markup = true;
        }
        self.text.push('<');
        self.text.push_str(name);
        for (name, value) in tag.attributes().filter(|(name, _)| !name.starts_with("xmlns")) {
            atom::attribute(&mut self.text, name, &value);
        }
        self.text.push('>');
    }

    fn end(&mut self, name: &str) {
        atom::end(&mut self.text, &lower(name.rsplit(':').next().unwrap_or(name)));
    }
}

fn is_item(local: &str) -> bool {
    matches!(local, "item" | "entry")
}

/// Media RSS with what feed-rs refuses a whole item for put right.
fn media_start(item: &mut ItemWriter, local: &str, tag: &Tag<'_>, base: &Url) {
    let is_text = matches!(local, "title" | "description");
    let mut attributes = Vec::new();
    for (name, value) in tag.attributes() {
        match name {
            "type" if is_text && !matches!(&*value, "plain" | "html") => {}
            "url" => attributes.push((name, absolute(base, &value))),
            _ if name.starts_with("xml") => {}
            _ => attributes.push((name, value.into_owned())),
        }
    }
    let attributes: Vec<(&str, &str)> = attributes.iter().map(|(name, value)| (*name, &**value)).collect();
    item.media_start(local, &attributes);
    if is_text {
        item.media_text(" ");
    }
}

/// The address that `written` is at `base`; as written if it is none.
fn absolute(base: &Url, written: &str) -> String {
    let written = written.trim();
    base.join(written).map_or_else(|_| written.into(), String::from)
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
