//! JSON Feed 1.x, and what passes for it.
//!
//! Read from JSON as it comes: a number for an id, `null` for anything, one author where a list belongs. feed-rs
//! takes exact types only, and by the time they are exact nothing is left for it to do.

use article::is_blank;
use serde_json::Value;
use url::Url;

use crate::date::Date;
use crate::entry::{base_of, distinct, web_address};
use crate::item::{Author, Category, Feed, Format, Item, Markup, Media};
use crate::schedule::Hints;
use crate::text::{MAX_SHARED, head, legal, line};
use crate::websub::MAX_HUBS;
use crate::{MAX_ITEMS, Rejected, Unreadable};

pub(crate) fn read(text: &str, feed_url: &Url) -> Result<Feed, Unreadable> {
    let (document, cut_off) = match serde_json::from_str(text) {
        Ok(document) => (document, false),
        Err(error) => match salvage(text) {
            Some(document) => (document, error.is_eof()),
            None => return Err(Unreadable::NotJson(error.to_string())),
        },
    };
    let found = match &document {
        Value::Array(items) => Some(items),
        document => document.get("items").and_then(Value::as_array),
    };
    let Some(found) = found else {
        return Err(Unreadable::NotAFeed { seen: "JSON without a list of items".into() });
    };
    let mut items = Vec::new();
    let mut rejected = Vec::new();
    for (position, value) in found.iter().take(MAX_ITEMS).enumerate() {
        if value.is_object() {
            items.push(item(value, feed_url));
        } else {
            let text = head(&value.to_string(), 1024).into();
            rejected.push(Rejected { position, reason: "an item must be an object".into(), text });
        }
    }
    if items.is_empty() && !rejected.is_empty() {
        return Err(Unreadable::NoItemReadable(rejected));
    }
    let address = |field| string(&document, field).and_then(|text| feed_url.join(&text).ok());
    let hubs = document.get("hubs").and_then(Value::as_array).map_or(&[] as &[Value], Vec::as_slice);
    Ok(Feed {
        format: Format::Json,
        title: string(&document, "title").map(|title| line(head(&title, MAX_SHARED))),
        home: address("home_page_url"),
        language: string(&document, "language").map(|language| head(&language, MAX_SHARED).into()),
        authors: authors(&document),
        own_address: address("feed_url"),
        hubs: hubs.iter().filter_map(|hub| web_address(&string(hub, "url")?)).take(MAX_HUBS).collect(),
        hints: Hints::default(),
        items,
        rejected,
        left_out: found.len().saturating_sub(MAX_ITEMS),
        cut_off,
    })
}

fn item(value: &Value, feed_url: &Url) -> Item {
    let link = ["url", "external_url"].iter().find_map(|field| feed_url.join(&string(value, field)?).ok());
    let link = link.filter(|link| matches!(link.scheme(), "http" | "https"));
    let guid = string(value, "id").map(|id| line(&id));
    let link = link.or_else(|| guid.as_deref().and_then(web_address));
    let html = string(value, "content_html").map(Markup::Html);
    let content = html.or_else(|| string(value, "content_text").map(Markup::Text));
    let pictures = ["image", "banner_image"].iter().filter_map(|field| web_address(&string(value, field)?));
    let pictures = pictures.map(|url| Media { mime: Some("image/*".into()), ..Media::at(url) });
    let attachments = list(value, "attachments").filter_map(|attachment| {
        let size = attachment.get("size_in_bytes").and_then(Value::as_u64);
        let (mime, title) = (string(attachment, "mime_type"), string(attachment, "title").map(|title| line(&title)));
        Some(Media { mime, size, title, ..Media::at(web_address(&string(attachment, "url")?)?) })
    });
    Item {
        guid,
        title: string(value, "title").map(|title| line(&title)).filter(|title| !is_blank(title)),
        content,
        summary: string(value, "summary").map(Markup::Text),
        authors: authors(value),
        published: string(value, "date_published").and_then(|date| Date::parse(&date)),
        updated: string(value, "date_modified").and_then(|date| Date::parse(&date)),
        categories: list(value, "tags").filter_map(text_of).map(|term| Category::named(&term)).collect(),
        media: distinct(attachments.chain(pictures)),
        language: string(value, "language"),
        source: None,
        cut_off: false,
        base: Some(base_of(link.as_ref(), feed_url)),
        link,
    }
}

impl Category {
    fn named(term: &str) -> Self {
        Self { term: line(term), scheme: None, label: None }
    }
}

/// `authors` of version 1.1, `author` of version 1.0, and names where objects belong.
fn authors(value: &Value) -> Vec<Author> {
    let all = list(value, "authors").chain(list(value, "author"));
    let author = |author: &Value| {
        let name = string(author, "name").or_else(|| text_of(author)).map(|name| line(head(&name, MAX_SHARED)))?;
        Some(Author { name, url: string(author, "url").and_then(|url| web_address(&url)) })
    };
    all.filter_map(author).take(20).collect()
}

/// The members of a list; one value is a list of one.
fn list<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    let found = value.get(field);
    let many = found.and_then(Value::as_array).map_or(&[] as &[Value], Vec::as_slice);
    many.iter().chain(found.filter(|found| !found.is_array()))
}

fn string(value: &Value, field: &str) -> Option<String> {
    value.get(field).and_then(text_of)
}

/// The text of a value, without what XML forbids; `None` if there is nothing to read.
fn text_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => legal(text).into_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(text).filter(|text: &String| !text.trim().is_empty())
}

/// What can be had of a document that is not quite JSON: raw line breaks in its strings made spaces, and every item
/// that is whole.
fn salvage(text: &str) -> Option<Value> {
    let text: String = text.chars().map(|c| if c < ' ' { ' ' } else { c }).collect();
    if let Ok(document) = serde_json::from_str(&text) {
        return Some(document);
    }
    let list = text.find("\"items\"").map_or(0, |at| at + "\"items\"".len());
    let start = list + text[list..].find('[')? + 1;
    let items: Vec<Value> = objects(&text[start..]).filter_map(|object| serde_json::from_str(object).ok()).collect();
    (!items.is_empty()).then(|| {
        // What stands before its items is whole, if they are what it ends in.
        let head = format!("{}null}}", &text[..start - 1]);
        let mut document = serde_json::from_str(&head).unwrap_or_else(|_| Value::Object(serde_json::Map::new()));
        document["items"] = items.into();
        document
    })
}

/// The objects of a list, as text, up to the one that is cut off.
fn objects(text: &str) -> impl Iterator<Item = &str> {
    let (mut depth, mut start, mut in_string, mut escaped) = (0_u32, 0, false, false);
    text.bytes().enumerate().filter_map(move |(at, b)| {
        match (in_string, b) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'{') => {
                if depth == 0 {
                    start = at;
                }
                depth += 1;
            }
            (false, b'}') => {
                depth = depth.saturating_sub(1);
                return (depth == 0).then(|| &text[start..=at]);
            }
            _ => {}
        }
        None
    })
}
