//! What the elements of every dialect are in Atom.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::scan::Tag;

/// The vocabularies that say something about an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vocabulary {
    /// RSS of any version, CDF, and names without a namespace.
    Core,
    Atom,
    /// Dublin Core, elements and terms.
    Dublin,
    /// RSS 1.0 content module.
    Content,
    Media,
    Itunes,
    /// RSS 1.0 syndication module.
    Syndication,
    Xhtml,
    Rdf,
    Other,
}

/// What an element means for an item. The number is how well it says so: a better one outranks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Id(u8),
    Title(u8),
    Summary(u8),
    Content(u8),
    Published(u8),
    Updated(u8),
    Link,
    Enclosure,
    Person,
    Category,
    Language,
    Source,
    Media,
    Nothing,
}

/// The most prefixes that a document may declare.
const MAX_PREFIXES: usize = 64;

/// Prefixes as the document declares them. A declaration is taken to hold everywhere: no feed uses one prefix for two.
#[derive(Default)]
pub(super) struct Prefixes(BTreeMap<String, Vocabulary>);

impl Prefixes {
    pub(super) fn declare(&mut self, tag: &Tag<'_>) {
        if !tag.written_attributes().contains("xmlns:") {
            return;
        }
        for (name, address) in tag.attributes() {
            if let Some(prefix) = name.strip_prefix("xmlns:")
                && self.0.len() < MAX_PREFIXES
            {
                self.0.insert(prefix.to_ascii_lowercase(), by_address(&address));
            }
        }
    }

    /// The vocabulary of a tag, and its local name in lower case.
    pub(super) fn resolve<'a>(&self, tag: &Tag<'a>) -> (Vocabulary, Cow<'a, str>) {
        let (prefix, local) = tag.name.split_once(':').unwrap_or(("", tag.name));
        let vocabulary = if prefix.is_empty() {
            // What surrounds it says what its own default namespace is, but for those few that declare one themselves.
            let own = tag.written_attributes().contains("xmlns=").then(|| tag.attribute("xmlns")).flatten();
            own.map_or(Vocabulary::Core, |address| by_address(&address))
        } else {
            self.named(prefix)
        };
        (vocabulary, lower(local))
    }

    /// The vocabulary of a prefix.
    pub(super) fn named(&self, prefix: &str) -> Vocabulary {
        let prefix = lower(prefix);
        self.0.get(&*prefix).copied().unwrap_or_else(|| by_custom(&prefix))
    }
}

pub(super) fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|b| b.is_ascii_uppercase()) { name.to_ascii_lowercase().into() } else { name.into() }
}

/// By the part of a namespace's address that its versions and misspellings have in common.
fn by_address(address: &str) -> Vocabulary {
    let address = address.to_ascii_lowercase();
    const KNOWN: [(&str, Vocabulary); 15] = [
        ("modules/content", Vocabulary::Content),
        ("modules/syndication", Vocabulary::Syndication),
        ("purl.org/dc/", Vocabulary::Dublin),
        ("w3.org/2005/atom", Vocabulary::Atom),
        ("purl.org/atom/", Vocabulary::Atom),
        ("search.yahoo.com/mrss", Vocabulary::Media),
        ("itunes.com/dtds", Vocabulary::Itunes),
        ("w3.org/1999/xhtml", Vocabulary::Xhtml),
        ("22-rdf-syntax-ns", Vocabulary::Rdf),
        ("rss/1.0/modules", Vocabulary::Other),
        ("purl.org/rss/", Vocabulary::Core),
        ("purl.org/net/rss", Vocabulary::Core),
        ("my.netscape.com", Vocabulary::Core),
        ("channel.netscape.com", Vocabulary::Core),
        ("userland.com/rss", Vocabulary::Core),
    ];
    KNOWN.iter().find(|(part, _)| address.contains(part)).map_or(Vocabulary::Other, |(_, vocabulary)| *vocabulary)
}

/// Prefixes that a document uses and does not declare.
fn by_custom(prefix: &str) -> Vocabulary {
    match prefix {
        "dc" | "dcterms" => Vocabulary::Dublin,
        "content" => Vocabulary::Content,
        "media" => Vocabulary::Media,
        "itunes" => Vocabulary::Itunes,
        "atom" | "atom10" | "atom03" | "a10" => Vocabulary::Atom,
        "sy" => Vocabulary::Syndication,
        "xhtml" => Vocabulary::Xhtml,
        "rdf" => Vocabulary::Rdf,
        "rss" => Vocabulary::Core,
        _ => Vocabulary::Other,
    }
}

/// What an element of an item means; `local` is in lower case.
pub(super) fn meaning(vocabulary: Vocabulary, local: &str) -> Meaning {
    use Vocabulary::{Atom, Content, Core, Dublin, Itunes, Media, Xhtml};
    match (vocabulary, local) {
        (Core | Atom, "title") => Meaning::Title(3),
        (Dublin, "title") => Meaning::Title(2),
        (Itunes, "title") => Meaning::Title(1),
        (Core | Atom, "summary" | "description") => Meaning::Summary(3),
        (Core, "abstract") | (Dublin, "description" | "abstract") => Meaning::Summary(2),
        (Itunes, "summary" | "subtitle") => Meaning::Summary(1),
        (Content, "encoded") | (Core | Atom, "content") => Meaning::Content(3),
        (Xhtml, "body" | "div") | (Core, "body" | "fullitem" | "fulltext") => Meaning::Content(2),
        (Core | Atom, "guid" | "id") => Meaning::Id(3),
        (Dublin, "identifier") => Meaning::Id(1),
        (Core | Atom, "link" | "url") => Meaning::Link,
        (Core, "enclosure") => Meaning::Enclosure,
        (Core | Atom, "author") | (Dublin, "creator" | "author") | (Itunes, "author") => Meaning::Person,
        (Core | Atom, "category") | (Dublin, "subject") => Meaning::Category,
        (Core | Atom, "pubdate" | "published" | "issued") => Meaning::Published(3),
        (Dublin, "date" | "issued") | (Core, "date") => Meaning::Published(2),
        (Atom | Core | Dublin, "created") => Meaning::Published(1),
        (Core | Atom, "updated" | "modified" | "lastmod" | "lastbuilddate") => Meaning::Updated(3),
        (Dublin, "modified") => Meaning::Updated(2),
        (Dublin | Core, "language") => Meaning::Language,
        (Core | Atom | Dublin, "source") => Meaning::Source,
        (Media, _) => Meaning::Media,
        _ => Meaning::Nothing,
    }
}
