//! What a feed says of itself.

use url::Url;

use super::names::Vocabulary;
use crate::item::{Author, Format};
use crate::scan::Tag;
use crate::schedule::Hints;
use crate::text::{MAX_SHARED, head, line};
use crate::websub;

/// The most authors a feed may have of its own.
const MAX_AUTHORS: usize = 20;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Head {
    pub(crate) format: Format,
    pub(crate) title: Option<String>,
    pub(crate) home: Option<Url>,
    pub(crate) language: Option<String>,
    pub(crate) authors: Vec<Author>,
    pub(crate) own_address: Option<Url>,
    pub(crate) hubs: Vec<Url>,
    pub(crate) hints: Hints,
}

impl Head {
    pub(super) fn new() -> Self {
        Self {
            format: Format::Rss,
            title: None,
            home: None,
            language: None,
            authors: Vec::new(),
            own_address: None,
            hubs: Vec::new(),
            hints: Hints::default(),
        }
    }

    /// A link with attributes: Atom's, wherever it stands.
    pub(super) fn link(&mut self, tag: &Tag<'_>, base: &Url) {
        let Some(address) = tag.attribute("href").and_then(|href| base.join(href.trim()).ok()) else { return };
        let rel = tag.attribute("rel").unwrap_or_default().to_ascii_lowercase();
        match rel.trim() {
            "" | "alternate" if self.home.is_none() => self.home = Some(address),
            "self" if self.own_address.is_none() => self.own_address = Some(address),
            "hub" if self.hubs.len() < websub::MAX_HUBS && !self.hubs.contains(&address) => self.hubs.push(address),
            _ => {}
        }
    }

    /// An element with text; `parent` is the element around it, in lower case.
    pub(super) fn says(&mut self, vocabulary: Vocabulary, local: &str, parent: &str, text: &str, base: &Url) {
        let text = line(head(text, MAX_SHARED));
        if text.is_empty() {
            return;
        }
        match (vocabulary, parent, local) {
            (Vocabulary::Core | Vocabulary::Atom, "author", "name") => self.author(text),
            (Vocabulary::Core, "skiphours", "hour") => self.hints.skip_hour(&text),
            (Vocabulary::Core, "skipdays", "day") => self.hints.skip_day(&text),
            (_, "author" | "image" | "textinput" | "skiphours" | "skipdays", _) => {}
            (Vocabulary::Core | Vocabulary::Atom, _, "title") => drop(self.title.get_or_insert(text)),
            (Vocabulary::Core, _, "link") if self.home.is_none() => self.home = base.join(&text).ok(),
            (Vocabulary::Core | Vocabulary::Dublin, _, "language") => self.language = Some(text),
            (Vocabulary::Dublin, _, "creator") => self.author(text),
            (Vocabulary::Core, _, "ttl") => self.hints.ttl(&text),
            (Vocabulary::Syndication, _, "updateperiod") => self.hints.period(&text),
            (Vocabulary::Syndication, _, "updatefrequency") => self.hints.frequency(&text),
            _ => {}
        }
    }

    fn author(&mut self, name: String) {
        if self.authors.len() < MAX_AUTHORS {
            self.authors.push(Author { name, url: None });
        }
    }
}
