//! Reads a feed: bytes in, items out.

use std::panic::{AssertUnwindSafe, catch_unwind};

use feed_rs::model::Entry;
use feed_rs::parser::{Builder, Parser};
use url::Url;

use crate::decode::decode;
use crate::entry::item;
use crate::json;
use crate::mend::{MendedItem, mend};
use crate::text::head;
use crate::{Feed, Rejected, Unreadable};

/// The most items read of one feed. Archives of whole blogs have more; news does not.
pub const MAX_ITEMS: usize = 5000;

/// The most bytes kept of an item that could not be read.
const MAX_REJECTED: usize = 64 * 1024;

/// Root elements of the formats that we know: without items such a document is an empty feed, any other is none.
const ROOTS: [&str; 5] = ["rss", "rdf", "feed", "entry", "channel"];

/// Reads what was found at `feed_url`; `content_type` is the HTTP header of that name.
///
/// For a thread that may block: the largest document takes a quarter of a second, one made to be slow a few.
///
/// # Errors
/// The document is no feed, too large, or has nothing but items that cannot be read.
pub fn read(bytes: &[u8], content_type: Option<&str>, feed_url: &Url) -> Result<Feed, Unreadable> {
    let text = decode(bytes, content_type)?;
    if text.trim_start().starts_with(['{', '[']) {
        return json::read(&text, feed_url);
    }
    let mended = mend(&text, feed_url);
    let is_feed = mended.root.as_deref().is_some_and(|root| ROOTS.contains(&root));
    if mended.items.is_empty() && !is_feed {
        return Err(Unreadable::NotAFeed { seen: seen(&text, mended.root.as_deref()) });
    }
    let mut items = Vec::with_capacity(mended.items.len());
    let mut rejected = Vec::new();
    let mut parser = parser();
    for (position, MendedItem { entry, notes }) in mended.items.into_iter().enumerate() {
        match parse(&parser, &entry) {
            Ok(parsed) => items.push(item(parsed, notes, feed_url)),
            Err(reason) => {
                // After an error feed-rs 3.0 refuses the next item for what is left of this one.
                parser = self::parser();
                rejected.push(Rejected { position, reason, text: head(&entry, MAX_REJECTED).into() });
            }
        }
    }
    if items.is_empty() && !rejected.is_empty() {
        return Err(Unreadable::NoItemReadable(rejected));
    }
    let found = mended.head;
    Ok(Feed {
        format: found.format,
        title: found.title,
        home: found.home,
        language: found.language,
        authors: found.authors,
        own_address: found.own_address,
        hubs: found.hubs,
        hints: found.hints,
        items,
        rejected,
        left_out: mended.left_out,
        cut_off: mended.cut_off,
    })
}

/// An item without an id must not be given one: feed-rs would make it of chance, or of link and headline, which
/// change. Dates are read by [`crate::Date`].
fn parser() -> Parser {
    Builder::new().sanitize_content(false).id_generator(|_, _, _| String::new()).timestamp_parser(|_| None).build()
}

fn parse(parser: &Parser, entry: &str) -> Result<Entry, String> {
    let parsed = catch_unwind(AssertUnwindSafe(|| parser.parse(entry.as_bytes())));
    match parsed {
        Ok(Ok(mut feed)) => feed.entries.pop().ok_or_else(|| "feed-rs finds no entry in it".into()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(panic) => {
            let message = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            Err(format!("feed-rs panics: {}", message.unwrap_or("without a message")))
        }
    }
}

/// What a document that is no feed begins with.
fn seen(text: &str, root: Option<&str>) -> String {
    match root {
        Some("html" | "head" | "body" | "meta" | "script" | "div") => "a web page".into(),
        Some("opml") => "a list of feeds (OPML)".into(),
        Some(root) => format!("its root element is <{}>", head(root, 40)),
        None => format!("it begins with {:?}", head(text.trim_start(), 40)),
    }
}

#[cfg(test)]
mod tests;
