//! From what feed-rs read to an item.

use std::collections::HashSet;

use article::is_blank;
use feed_rs::model::{Content, Entry, MediaObject, Person, Text};
use url::Url;

use crate::date::Date;
use crate::html::words;
use crate::item::{Author, Category, Item, ItemSource, Markup, Media};
use crate::mend::Notes;
use crate::text::{MAX_SHARED, line};

/// The most files of one item.
pub(crate) const MAX_MEDIA: usize = 50;

pub(crate) fn item(entry: Entry, notes: Notes, feed_url: &Url) -> Item {
    let guid = Some(line(&entry.id)).filter(|id| !id.is_empty());
    let pages = entry.links.iter().filter(|link| link.rel.as_deref().is_none_or(|rel| rel == "alternate"));
    let link = pages.filter_map(|link| web_address(&link.href)).next();
    let guid_address = || guid.as_deref().filter(|_| !notes.guid_is_no_link).and_then(web_address);
    let link = link.or_else(guid_address);
    let base = notes.base.unwrap_or_else(|| base_of(link.as_ref(), feed_url));
    let files = entry.links.iter().filter(|link| link.rel.as_deref() == Some("enclosure")).filter_map(|link| {
        let mime = link.media_type.clone().filter(|mime| !mime.is_empty());
        Some(Media { mime, size: link.length, title: link.title.clone(), ..Media::at(web_address(&link.href)?) })
    });
    let media = distinct(entry.media.iter().flat_map(files_of).chain(files));
    let title = entry.title.map(|title| plain_line(&title)).filter(|title| !is_blank(title));
    Item {
        guid,
        link,
        title: title.or_else(|| media.iter().find_map(|media| media.title.clone())),
        content: entry.content.and_then(markup_of_content),
        summary: entry.summary.and_then(|summary| markup(summary.content, summary.content_type.as_str())),
        authors: entry.authors.iter().filter_map(author).collect(),
        published: notes.published.as_deref().and_then(Date::parse),
        updated: notes.updated.as_deref().and_then(Date::parse),
        categories: entry
            .categories
            .into_iter()
            .map(|category| Category {
                term: line(&category.term),
                scheme: category.scheme,
                label: category.label.map(|label| line(&label)).filter(|label| !label.is_empty()),
            })
            .filter(|category| !category.term.is_empty())
            .collect(),
        media,
        language: notes.language,
        source: notes
            .source_title
            .map(|title| ItemSource { title: line(&title), url: notes.source_url })
            .filter(|source| !source.title.is_empty()),
        base: Some(base),
        cut_off: notes.cut_off,
    }
}

impl Media {
    pub(crate) fn at(url: Url) -> Self {
        Self { url, mime: None, width: None, height: None, size: None, title: None, description: None, credit: None }
    }
}

/// The first of each address, and no more than anybody wants.
pub(crate) fn distinct(media: impl Iterator<Item = Media>) -> Vec<Media> {
    let mut seen = HashSet::new();
    media.filter(|media| seen.insert(media.url.clone())).take(MAX_MEDIA).collect()
}

/// What addresses in the text of an item are relative to, unless the feed says so itself.
pub(crate) fn base_of(link: Option<&Url>, feed_url: &Url) -> Url {
    link.filter(|link| link.as_str().len() <= MAX_SHARED).unwrap_or(feed_url).clone()
}

pub(crate) fn web_address(text: &str) -> Option<Url> {
    Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

fn files_of(object: &MediaObject) -> Vec<Media> {
    let text = |text: &Option<Text>| text.as_ref().map(plain_line).filter(|text| !text.is_empty());
    let described = |media: Media| Media {
        title: text(&object.title),
        description: text(&object.description),
        credit: object.credits.first().map(|credit| line(&credit.entity)).filter(|credit| !credit.is_empty()),
        ..media
    };
    let files = object.content.iter().filter_map(|content| {
        let url = content.url.clone().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        let mime = content.content_type.as_ref().map(ToString::to_string);
        let (width, height, size) = (content.width, content.height, content.size);
        Some(described(Media { mime, width, height, size, ..Media::at(url) }))
    });
    files.collect()
}

fn markup_of_content(content: Content) -> Option<Markup> {
    markup(content.body?, content.content_type.as_str())
}

fn markup(text: String, content_type: &str) -> Option<Markup> {
    match text.trim() {
        "" => None,
        _ if content_type == "text/plain" => Some(Markup::Text(text)),
        _ => Some(Markup::Html(text)),
    }
}

fn plain_line(text: &Text) -> String {
    match text.content_type.as_str() {
        "text/plain" => line(&text.content),
        _ => words(&text.content),
    }
}

/// A person's name. RSS wants an e-mail address, `desk@news.example (Sun Lu)`, which is nobody's business here.
fn author(person: &Person) -> Option<Author> {
    let written = line(person.name.as_deref()?);
    let (before, after) = written.split_once(['(', '<']).unwrap_or((&written, ""));
    let (before, after) = (before.trim(), after.trim_end_matches([')', '>']).trim());
    let name = if !before.contains('@') { if after.contains('@') { before } else { &written } } else { after };
    let url = person.uri.as_deref().and_then(web_address);
    (!name.is_empty()).then(|| Author { name: name.into(), url })
}
