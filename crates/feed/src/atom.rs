//! One entry as Atom 1.0 (RFC 4287), and its tombstone (RFC 6721).

use article::AssociationKind;

use crate::address::address;
use crate::category::categories;
use crate::document::{FeedMeta, Format};
use crate::entry::{Entry, Links};
use crate::item::{rfc3339, rfc3339_utc};
use crate::paging::Paging;
use crate::xml::Xml;

const NS: &str = "http://www.w3.org/2005/Atom";
pub(crate) const NS_TOMBSTONE: &str = "http://purl.org/atompub/tombstones/1.0";
pub(crate) const NS_DC: &str = "http://purl.org/dc/elements/1.1/";
/// Feed Paging and Archiving (RFC 5005).
pub(crate) const NS_HISTORY: &str = "http://purl.org/syndication/history/1.0";

/// The feed's own elements; entries and `</feed>` follow.
pub(crate) fn head(meta: &FeedMeta, paging: &Paging, updated: jiff::Timestamp) -> Xml {
    let mut xml = Xml::document();
    let feed_url = paging.feed_url(meta);
    let mut attributes = vec![("xmlns", NS), ("xmlns:at", NS_TOMBSTONE), ("xmlns:dc", NS_DC)];
    attributes.extend(paging.is_archive().then_some(("xmlns:fh", NS_HISTORY)));
    attributes.extend(meta.language.as_deref().map(|language| ("xml:lang", language)));
    xml.open("feed", &attributes);
    xml.element("id", &[], feed_url);
    xml.element("title", &[("type", "text")], &meta.title);
    xml.element("subtitle", &[("type", "text")], &meta.description);
    xml.element("updated", &[], &rfc3339_utc(updated));
    xml.open("author", &[]);
    xml.element("name", &[], &meta.site_title);
    xml.close("author");
    paging.write(&mut xml, "link", meta, Format::Atom);
    xml.empty("link", &[("rel", "alternate"), ("type", "text/html"), ("href", feed_url)]);
    xml.element("generator", &[], "newswire");
    xml
}

pub(crate) fn entry(entry: &Entry<'_>, links: &Links) -> String {
    let article = entry.article;
    let mut xml = Xml::default();
    xml.open("entry", &[("xml:lang", &article.language)]);
    xml.element("id", &[], &article.id.to_string());
    xml.element("title", &[("type", "text")], &entry.title);
    xml.empty("link", &[("rel", "alternate"), ("type", "text/html"), ("href", &entry.link)]);
    xml.element("published", &[], &entry.published.rfc3339());
    xml.element("updated", &[], &rfc3339(entry));
    people(&mut xml, entry);
    for category in categories(entry) {
        let mut attributes = vec![("term", category.term.as_str())];
        attributes.extend(category.scheme.as_deref().map(|scheme| ("scheme", scheme)));
        attributes.extend(category.label.as_deref().map(|label| ("label", label)));
        xml.empty("category", &attributes);
    }
    if let Some(summary) = &entry.summary {
        xml.element("summary", &[("type", "text")], summary);
    }
    xml.element("content", &[("type", "html")], &entry.html);
    if entry.is_told() {
        origin(&mut xml, entry, links);
    }
    xml.close("entry");
    xml.finish()
}

fn people(xml: &mut Xml, entry: &Entry<'_>) {
    for (name, uri) in entry.answerable() {
        xml.open("author", &[]);
        xml.element("name", &[], name);
        if let Some(uri) = uri {
            xml.element("uri", &[], &address(uri));
        }
        xml.close("author");
    }
    for contributor in entry.contributors() {
        xml.open("contributor", &[]);
        xml.element("name", &[], &contributor.name);
        if let Some(uri) = &contributor.uri {
            xml.element("uri", &[], &address(uri));
        }
        xml.close("contributor");
    }
}

/// Sources, rights, translations and files.
fn origin(xml: &mut Xml, entry: &Entry<'_>, links: &Links) {
    let article = entry.article;
    for source in &article.sources {
        match &source.url {
            Some(url) => xml.empty("link", &[("rel", "via"), ("href", &address(url)), ("title", &source.name)]),
            // atom:source would want the id of a feed, which nobody has here.
            None => xml.element("dc:source", &[], &source.name),
        }
    }
    if let Some(rights) = entry.rights() {
        xml.element("rights", &[("type", "text")], &rights);
    }
    if let Some(url) = &article.rights_url {
        // RFC 4946.
        xml.empty("link", &[("rel", "license"), ("href", &address(url))]);
    }
    for translation in &article.translations {
        let own = translation.id.map(|id| links.article(id));
        if let Some(href) = translation.url.as_ref().map(address).or(own) {
            // By RFC 4287 it is an alternate; but common readers take the last of several alternates for the entry's link.
            let attributes =
                [("rel", "related"), ("type", "text/html"), ("hreflang", &*translation.language), ("href", &*href)];
            xml.empty("link", &attributes);
        }
    }
    for file in entry.associations {
        let (uri, size) = (address(&file.uri), file.size.map(|bytes| bytes.to_string()));
        let title = if file.kind == AssociationKind::Picture { &file.alt_text } else { &file.caption };
        let mut attributes = vec![("rel", "enclosure"), ("href", uri.as_str())];
        attributes.extend(file.mime.as_deref().map(|mime| ("type", mime)));
        attributes.extend(size.as_deref().map(|size| ("length", size)));
        attributes.extend(title.as_deref().map(|title| ("title", title)));
        xml.empty("link", &attributes);
    }
}

/// What tells a reader that knows RFC 6721 to drop the article. `when` equals the notice's `updated`: a later
/// `updated` would make the entry outlive its deletion (RFC 6721, section 3).
pub(crate) fn tombstone(entry: &Entry<'_>) -> String {
    let mut xml = Xml::default();
    let (id, when) = (entry.article.id.to_string(), rfc3339(entry));
    xml.open("at:deleted-entry", &[("ref", &id), ("when", &when), ("xml:lang", &entry.article.language)]);
    xml.element("at:comment", &[], entry.summary.as_deref().unwrap_or_default());
    xml.close("at:deleted-entry");
    xml.finish()
}
