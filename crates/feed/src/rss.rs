//! One entry as an RSS 2.0 item, with Dublin Core, content and Media RSS where RSS itself is too narrow: its
//! `author` demands an e-mail address, its `source` a URL, its `enclosure` may stand once.

use article::{Association, AssociationKind};

use crate::address::address;
use crate::atom::{NS_DC, NS_HISTORY, NS_TOMBSTONE};
use crate::category::categories;
use crate::document::{FeedMeta, Format, TTL_MINUTES};
use crate::entry::Entry;
use crate::item::rfc5322_utc;
use crate::paging::Paging;
use crate::xml::Xml;

/// The channel's own elements; items, `</channel>` and `</rss>` follow.
pub(crate) fn head(meta: &FeedMeta, paging: &Paging, updated: Option<jiff::Timestamp>) -> Xml {
    let mut xml = Xml::document();
    let mut attributes = vec![
        ("version", "2.0"),
        ("xmlns:atom", "http://www.w3.org/2005/Atom"),
        ("xmlns:at", NS_TOMBSTONE),
        ("xmlns:content", "http://purl.org/rss/1.0/modules/content/"),
        ("xmlns:dc", NS_DC),
        ("xmlns:media", "http://search.yahoo.com/mrss/"),
    ];
    attributes.extend(paging.is_archive().then_some(("xmlns:fh", NS_HISTORY)));
    attributes.extend(meta.language.as_deref().map(|language| ("xml:lang", language)));
    xml.open("rss", &attributes);
    xml.open("channel", &[]);
    xml.plain("title", &[], &meta.title);
    xml.element("link", &[], paging.feed_url(meta));
    xml.plain("description", &[], &meta.description);
    if let Some(language) = &meta.language {
        xml.element("language", &[], language);
    }
    if let Some(updated) = updated {
        xml.element("lastBuildDate", &[], &rfc5322_utc(updated));
    }
    xml.element("generator", &[], "newswire");
    xml.element("ttl", &[], &TTL_MINUTES.to_string());
    paging.write(&mut xml, "atom:link", meta, Format::Rss);
    xml
}

pub(crate) fn item(entry: &Entry<'_>) -> String {
    let article = entry.article;
    let mut xml = Xml::default();
    xml.open("item", &[("xml:lang", &article.language)]);
    xml.plain("title", &[], &entry.title);
    xml.element("link", &[], &entry.link);
    // Readers take whichever comes last, so the short text stands before the long one. It is markup by convention.
    xml.element("description", &[], &article::paragraphs_to_html(&[entry.excerpt()]));
    xml.element("content:encoded", &[], &entry.html);
    for (name, _) in entry.answerable() {
        xml.plain("dc:creator", &[], name);
    }
    for contributor in entry.contributors() {
        xml.plain("dc:contributor", &[], &contributor.name);
    }
    for category in categories(entry) {
        let domain: Vec<_> = category.scheme.as_deref().map(|scheme| ("domain", scheme)).into_iter().collect();
        xml.plain("category", &domain, category.label.as_ref().unwrap_or(&category.term));
    }
    xml.element("guid", &[("isPermaLink", "false")], &article.id.to_string());
    xml.element("pubDate", &[], &entry.published.rfc5322());
    xml.element("dc:language", &[], &article.language);
    if entry.is_told() {
        sources(&mut xml, entry);
        if let Some(rights) = entry.rights() {
            xml.plain("dc:rights", &[], &rights);
        }
        files(&mut xml, entry.associations);
    }
    xml.close("item");
    xml.finish()
}

/// RSS has room for one source, and only with a URL; the others are Dublin Core's, in one element, as readers keep but
/// one of several.
fn sources(xml: &mut Xml, entry: &Entry<'_>) {
    let sources = &entry.article.sources;
    let linked = sources.iter().position(|source| source.url.is_some());
    if let Some((source, url)) = linked.and_then(|n| Some((&sources[n], sources[n].url.as_ref()?))) {
        xml.plain("source", &[("url", &address(url))], &source.name);
    }
    let others = sources.iter().enumerate().filter(|(n, _)| Some(*n) != linked);
    let others: Vec<&str> = others.map(|(_, source)| source.name.as_str()).collect();
    if !others.is_empty() {
        xml.plain("dc:source", &[], &others.join("; "));
    }
}

fn files(xml: &mut Xml, files: &[Association]) {
    // More than one enclosure is undefined, and readers differ; media:content carries them all.
    if let Some((file, mime)) = files.iter().find_map(|file| Some((file, file.mime.as_deref()?))) {
        // The length is required; 0 says unknown (RSS Advisory Board profile).
        let length = file.size.unwrap_or(0).to_string();
        xml.empty("enclosure", &[("url", &address(&file.uri)), ("length", &length), ("type", mime)]);
    }
    for file in files {
        let number = |n: Option<u64>| n.map(|n| n.to_string());
        let (width, height) = (number(file.width.map(u64::from)), number(file.height.map(u64::from)));
        let size = number(file.size);
        let uri = address(&file.uri);
        let mut attributes = vec![("url", uri.as_str())];
        attributes.extend(file.mime.as_deref().map(|mime| ("type", mime)));
        attributes.extend(medium(file.kind).map(|medium| ("medium", medium)));
        attributes.extend(width.as_deref().map(|width| ("width", width)));
        attributes.extend(height.as_deref().map(|height| ("height", height)));
        attributes.extend(size.as_deref().map(|size| ("fileSize", size)));
        xml.open("media:content", &attributes);
        for (name, text) in [
            ("media:title", &file.alt_text),
            ("media:description", &file.caption),
            ("media:credit", &file.credit),
            ("media:copyright", &file.usage_terms),
        ] {
            if let Some(text) = text {
                xml.plain(name, &[], text);
            }
        }
        xml.close("media:content");
    }
}

fn medium(kind: AssociationKind) -> Option<&'static str> {
    match kind {
        AssociationKind::Picture => Some("image"),
        AssociationKind::Video => Some("video"),
        AssociationKind::Audio => Some("audio"),
        AssociationKind::Document => Some("document"),
        AssociationKind::Unknown => None,
    }
}
