//! Turns what ought to be a feed in XML, of whatever dialect, into one well-formed Atom entry per item.
//!
//! An end without a beginning is dropped and a beginning without an end is ended, so that no mistake reaches further
//! than the element it is in, and never beyond its item. Markup that somebody forgot to escape is escaped. One reader
//! for good feeds and bad ones, and for each item by itself: if a feed breaks for an hour, the items that can still be
//! read must come out as they did before, or each of them would be a revision.

mod absolute;
mod atom;
mod child;
mod head;
mod item;
mod leaf;
mod names;

use std::borrow::Cow;
use std::rc::Rc;

use url::Url;

use self::absolute::Resolver;
use self::child::media_start;
pub(crate) use self::head::Head;
use self::item::ItemWriter;
pub(crate) use self::item::{MendedItem, Notes};
use self::leaf::Leaf;
use self::names::{Meaning, Prefixes, Vocabulary, lower};
use crate::MAX_ITEMS;
use crate::entity::resolve;
use crate::item::Format;
use crate::scan::{Scan, Tag, Token};
use crate::text::{MAX_SHARED, head, legal};

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

struct Mender<'a> {
    head: Head,
    items: Vec<MendedItem>,
    left_out: usize,
    root: Option<String>,
    prefixes: Prefixes,
    open: Vec<&'a str>,
    /// `xml:base`, by the depth at which it was given; the first is the feed's own address.
    bases: Vec<(usize, Rc<Url>)>,
    resolver: Resolver,
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
            resolver: Resolver::new(),
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
        let base = tag.attribute("xml:base").and_then(|base| self.base().join(base.trim()).ok());
        if let Some(base) = base.filter(|base| base.as_str().len() <= MAX_SHARED) {
            self.bases.push((depth, Rc::new(base)));
        }
        if let Some(language) = tag.attribute("xml:lang") {
            let language = head(language.trim(), MAX_SHARED);
            if self.item.is_none() && depth == 1 {
                self.head.language = Some(language.into());
            }
            self.languages.push((depth, language.into()));
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
            item.link(&[("href", &self.resolver.absolute(&self.base(), &address)), ("rel", "alternate")]);
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
                    parts.extend(is_page.then(|| ("url".into(), self.resolver.absolute(&base, &url))));
                }
            }
            Some((began, Inside::Media))
                if vocabulary == Vocabulary::Media && self.open.len() < *began + MAX_MEDIA_DEPTH =>
            {
                if let Some((_, item)) = &mut self.item {
                    media_start(item, local, tag, &base, &self.resolver);
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
                let url = part(&["url", "uri", "homepage"]).map(|(_, url)| self.resolver.absolute(&base, url));
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

fn is_item(local: &str) -> bool {
    matches!(local, "item" | "entry")
}
