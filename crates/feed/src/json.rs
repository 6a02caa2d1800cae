//! One entry as a JSON Feed 1.1 item. What JSON Feed has no word for stands in the `_newswire` object.

use std::io;

use article::{AssociationKind, Contributor, Precision, Source, Subject, Translation};
use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter};

use crate::address::address;
use crate::category::tags;
use crate::document::{FeedMeta, Format, with_extension};
use crate::entry::{Entry, Standing};
use crate::item::rfc3339;
use crate::paging::Paging;
use crate::xml::is_legal;

#[derive(Serialize)]
struct Feed<'a> {
    version: &'static str,
    title: &'a str,
    home_page_url: &'a str,
    feed_url: String,
    description: &'a str,
    /// Where older entries are: the next page for whoever reads on.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_url: Option<String>,
    authors: [Author<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hubs: Vec<Hub<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    _newswire: Option<Archive>,
}

#[derive(Serialize)]
struct Hub<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    url: &'a str,
}

/// What RFC 5005 says by links and JSON Feed has no word for.
#[derive(Serialize)]
struct Archive {
    archive: bool,
    /// This document; `feed_url` is the feed that it is a part of.
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_archive: Option<String>,
}

#[derive(Serialize)]
struct Item<'a> {
    id: String,
    url: &'a str,
    title: &'a str,
    content_html: &'a str,
    content_text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    date_published: String,
    date_modified: String,
    authors: Vec<Author<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    language: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<Attachment<'a>>,
    _newswire: Extension<'a>,
}

#[derive(Serialize)]
struct Author<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

#[derive(Serialize)]
struct Attachment<'a> {
    url: String,
    mime_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size_in_bytes: Option<u64>,
}

/// Our extension; fields are only ever added.
#[derive(Serialize)]
struct Extension<'a> {
    revision: u32,
    status: &'static str,
    /// The article is gone and this entry is its notice: drop what you hold under this id.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    deleted: bool,
    publisher: &'a str,
    date_precision: Precision,
    urgency: u8,
    #[serde(flatten)]
    detail: Option<Detail<'a>>,
}

/// What a notice does not repeat.
#[derive(Serialize)]
struct Detail<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    section: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    sources: &'a [Source],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    contributors: &'a [Contributor],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    subjects: &'a [Subject],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    translations: &'a [Translation],
    #[serde(skip_serializing_if = "Option::is_none")]
    copyright_holder: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    copyright_notice: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_terms: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rights_url: Option<&'a str>,
}

/// The feed's own members, as an object without its closing brace.
pub(crate) fn head(meta: &FeedMeta, paging: &Paging) -> String {
    let json = |page: &str| with_extension(page, Format::Json);
    let feed_url = paging.feed_url(meta);
    let archive = paging.is_archive().then(|| Archive {
        archive: true,
        url: meta.url(Format::Json),
        next_archive: paging.newer().map(json),
    });
    let feed = Feed {
        version: "https://jsonfeed.org/version/1.1",
        title: &meta.title,
        home_page_url: feed_url,
        feed_url: json(feed_url),
        description: &meta.description,
        next_url: paging.older().map(json),
        authors: [Author { name: &meta.site_title, url: None }],
        language: meta.language.as_deref(),
        hubs: paging.hub(meta).map(|url| Hub { kind: "WebSub", url }).into_iter().collect(),
        _newswire: archive,
    };
    let mut json = written(&feed);
    json.pop();
    json
}

/// What stands between two items.
pub(crate) const BETWEEN: &str = ",\n";

/// The feed of `items` that are written already, after its [`head`].
pub(crate) fn spliced(mut head: String, items: &[&str]) -> String {
    let (before, after) = (",\"items\":[\n", "\n]}\n");
    let items_bytes: usize = items.iter().map(|item| item.len() + BETWEEN.len()).sum();
    head.reserve_exact(before.len() + items_bytes + after.len());
    head.push_str(before);
    for (n, item) in items.iter().enumerate() {
        if n > 0 {
            head.push_str(BETWEEN);
        }
        head.push_str(item);
    }
    head.push_str(after);
    head
}

pub(crate) fn item(entry: &Entry<'_>) -> String {
    let article = entry.article;
    let authors = entry.answerable().into_iter().map(|(name, url)| Author { name, url: url.map(address) }).collect();
    let picture = entry.associations.iter().find(|file| file.kind == AssociationKind::Picture);
    // A media type is required; a file that came without one is not guessed at.
    let attachments = entry.associations.iter().filter_map(|file| {
        Some(Attachment {
            url: address(&file.uri),
            mime_type: file.mime.as_deref()?,
            title: file.alt_text.as_deref().or(file.caption.as_deref()),
            size_in_bytes: file.size,
        })
    });
    written(&Item {
        id: article.id.to_string(),
        url: &entry.link,
        title: &entry.title,
        content_html: &entry.html,
        content_text: article::to_text(&entry.html),
        summary: entry.summary.as_deref(),
        image: picture.map(|file| address(&file.uri)),
        date_published: entry.published.rfc3339(),
        date_modified: rfc3339(entry),
        authors,
        tags: tags(entry),
        language: &article.language,
        attachments: attachments.collect(),
        _newswire: extension(entry),
    })
}

fn extension<'a>(entry: &Entry<'a>) -> Extension<'a> {
    let article = entry.article;
    let detail = entry.is_told().then(|| Detail {
        section: &article.section,
        sources: &article.sources,
        contributors: &article.contributors,
        subjects: &article.subjects,
        translations: &article.translations,
        copyright_holder: article.copyright_holder.as_deref(),
        copyright_notice: article.copyright_notice.as_deref(),
        usage_terms: article.usage_terms.as_deref(),
        rights_url: article.rights_url.as_ref().map(url::Url::as_str),
    });
    Extension {
        revision: article.revision,
        status: article.status.as_str(),
        deleted: entry.standing == Standing::Killed,
        publisher: article.publisher.as_str(),
        date_precision: entry.published.precision,
        urgency: article.urgency,
        detail,
    }
}

fn written(value: &impl Serialize) -> String {
    let mut json = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut json, LegalText);
    value.serialize(&mut serializer).expect("strings and numbers under string keys always serialise");
    String::from_utf8(json).expect("serde_json writes UTF-8")
}

/// Leaves out of every string what XML 1.0 forbids, so that one article has one text in all formats.
struct LegalText;

impl Formatter for LegalText {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        fragment.split(|c| !is_legal(c)).try_for_each(|piece| writer.write_all(piece.as_bytes()))
    }

    fn write_char_escape<W: ?Sized + io::Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        match escape {
            CharEscape::AsciiControl(_) | CharEscape::Backspace | CharEscape::FormFeed => Ok(()),
            CharEscape::Tab => writer.write_all(b"\\t"),
            CharEscape::LineFeed => writer.write_all(b"\\n"),
            CharEscape::CarriageReturn => writer.write_all(b"\\r"),
            CharEscape::Quote => writer.write_all(b"\\\""),
            CharEscape::ReverseSolidus => writer.write_all(b"\\\\"),
            CharEscape::Solidus => writer.write_all(b"/"),
        }
    }
}
