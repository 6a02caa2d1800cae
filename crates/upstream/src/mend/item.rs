//! One item on its way to an Atom entry.

use std::collections::BTreeMap;

use url::Url;

use super::atom;
use super::names::Meaning;

/// What an item says beside what its Atom entry holds: feed-rs would drop it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Notes {
    /// As written.
    pub(crate) published: Option<String>,
    pub(crate) updated: Option<String>,
    pub(crate) language: Option<String>,
    pub(crate) source_title: Option<String>,
    pub(crate) source_url: Option<Url>,
    /// `xml:base`, resolved, if the document has one.
    pub(crate) base: Option<Url>,
    /// `isPermaLink="false"`: the guid may look like an address and is none.
    pub(crate) guid_is_no_link: bool,
    /// Whether the document ends inside it.
    pub(crate) cut_off: bool,
}

/// An item, mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MendedItem {
    /// An Atom entry.
    pub(crate) entry: String,
    pub(crate) notes: Notes,
}

/// Text of an element, with what it was written as.
#[derive(Debug, Default)]
pub(super) struct Text {
    pub(super) text: String,
    /// Whether `text` is HTML for sure; else it is whatever the dialect says.
    pub(super) is_markup: bool,
}

pub(super) struct ItemWriter {
    out: String,
    pub(super) notes: Notes,
    /// How well what was written so far says it, by meaning.
    ranks: BTreeMap<&'static str, u8>,
    /// A name of its own that is no element: `rdf:about`.
    about: Option<String>,
}

impl ItemWriter {
    pub(super) fn new(about: Option<String>, language: Option<String>, base: Option<Url>) -> Self {
        let notes = Notes { language, base, ..Notes::default() };
        Self { out: atom::ENTRY.into(), notes, ranks: BTreeMap::new(), about }
    }

    /// Whether nothing has said `what` as well as `rank` does.
    fn outranks(&mut self, what: &'static str, rank: u8) -> bool {
        let best = self.ranks.entry(what).or_insert(0);
        // Of equals the first stays: a second title is a caption, a second date a mistake.
        let better = rank > *best;
        *best = rank.max(*best);
        better
    }

    /// What an element with nothing but text says.
    pub(super) fn says(&mut self, meaning: Meaning, text: &Text, is_html: bool) {
        let value = text.text.trim();
        if value.is_empty() {
            return;
        }
        let form = if is_html || text.is_markup { "html" } else { "text" };
        let typed = [("type", form)];
        match meaning {
            Meaning::Id(rank) if self.outranks("id", rank) => atom::element(&mut self.out, "id", &[], value),
            Meaning::Title(rank) if self.outranks("title", rank) => {
                atom::element(&mut self.out, "title", &typed, value);
            }
            Meaning::Summary(rank) if self.outranks("summary", rank) => {
                atom::element(&mut self.out, "summary", &typed, value);
            }
            Meaning::Content(rank) if self.outranks("content", rank) => {
                atom::element(&mut self.out, "content", &typed, value);
            }
            Meaning::Published(rank) if self.outranks("published", rank) => self.notes.published = Some(value.into()),
            Meaning::Updated(rank) if self.outranks("updated", rank) => self.notes.updated = Some(value.into()),
            Meaning::Language => self.notes.language = Some(value.into()),
            Meaning::Category => self.category(value, None, None),
            _ => {}
        }
    }

    pub(super) fn category(&mut self, term: &str, scheme: Option<&str>, label: Option<&str>) {
        let mut attributes = vec![("term", term)];
        attributes.extend(scheme.map(|scheme| ("scheme", scheme)));
        attributes.extend(label.map(|label| ("label", label)));
        atom::element(&mut self.out, "category", &attributes, "");
    }

    pub(super) fn link(&mut self, attributes: &[(&str, &str)]) {
        atom::element(&mut self.out, "link", attributes, "");
    }

    pub(super) fn person(&mut self, name: &str, url: Option<&str>) {
        atom::start(&mut self.out, "author", &[]);
        atom::element(&mut self.out, "name", &[], name);
        if let Some(url) = url {
            atom::element(&mut self.out, "uri", &[], url);
        }
        atom::end(&mut self.out, "author");
    }

    pub(super) fn media_start(&mut self, local: &str, attributes: &[(&str, &str)]) {
        atom::start(&mut self.out, &format!("media:{local}"), attributes);
    }

    pub(super) fn media_text(&mut self, text: &str) {
        atom::verbatim(&mut self.out, text);
    }

    pub(super) fn media_end(&mut self, local: &str) {
        atom::end(&mut self.out, &format!("media:{local}"));
    }

    pub(super) fn finish(mut self) -> MendedItem {
        if let Some(about) = self.about.take()
            && self.outranks("id", 2)
        {
            atom::element(&mut self.out, "id", &[], &about);
        }
        atom::end(&mut self.out, "entry");
        MendedItem { entry: self.out, notes: self.notes }
    }
}
