//! JSON Feed 1.1, as far as a reader needs it.

use std::borrow::Cow;
use std::fmt;

use article::ArticleId;
use jiff::Timestamp;
use serde::de::{Deserialize, Deserializer, Error, Visitor};

use super::Unreadable;

#[derive(serde::Deserialize)]
struct Feed<'a> {
    #[serde(borrow)]
    version: Cow<'a, str>,
    #[serde(rename = "title")]
    _title: Text,
    #[serde(rename = "feed_url")]
    _feed_url: Text,
    items: Vec<Item>,
}

#[derive(serde::Deserialize)]
struct Item {
    id: ArticleId,
    #[serde(rename = "url")]
    _url: Text,
    #[serde(rename = "title")]
    _title: Text,
    #[serde(rename = "content_html")]
    _content: Text,
    #[serde(rename = "date_published")]
    _published: Timestamp,
    #[serde(rename = "date_modified")]
    _modified: Timestamp,
}

/// A string that is there; what it says is no matter.
struct Text;

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyText;
        impl Visitor<'_> for AnyText {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: Error>(self, _text: &str) -> Result<Text, E> {
                Ok(Text)
            }
        }
        deserializer.deserialize_str(AnyText)
    }
}

pub(super) fn read(text: &str) -> Result<Vec<ArticleId>, Unreadable> {
    let feed: Feed<'_> = serde_json::from_str(text).map_err(|error| Unreadable::new(offset(text, &error), &error))?;
    if feed.version != "https://jsonfeed.org/version/1.1" {
        return Err(Unreadable::new(0, format!("the version is {:?}", feed.version)));
    }
    Ok(feed.items.into_iter().map(|item| item.id).collect())
}

/// Line and column as a number of bytes.
fn offset(text: &str, error: &serde_json::Error) -> usize {
    let before: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    before + error.column()
}
