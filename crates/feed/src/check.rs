//! A feed document as a stranger reads it, for whoever is about to serve it: well-formed, every entry whole, which
//! articles.
//!
//! Nothing of the writers is used here: XML is read by quick-xml, JSON by serde_json. What those let pass although the
//! specifications forbid it is looked for beside them.

mod json;
mod xml;

use std::ops::Deref;

use article::ArticleId;

use crate::document::Format;
use crate::item::Item;
use crate::json::BETWEEN;

/// The document would fail in somebody's reader.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unreadable at byte {at}: {problem}")]
pub struct Unreadable {
    /// Where reading ended.
    pub at: usize,
    pub problem: String,
}

impl Unreadable {
    fn new(at: usize, problem: impl ToString) -> Self {
        Self { at, problem: problem.to_string() }
    }
}

/// The articles in a document, in its order.
///
/// # Errors
/// What a strict reader would fail at: not UTF-8, not well-formed, a character that XML forbids, an element that
/// nothing declares, a feed or an entry without what its format (or a reader) cannot do without, a date that is none,
/// an id that is no article's.
pub fn check(format: Format, document: &[u8]) -> Result<Vec<ArticleId>, Unreadable> {
    let text = std::str::from_utf8(document).map_err(|error| Unreadable::new(error.valid_up_to(), "not UTF-8"))?;
    match format {
        Format::Rss => xml::read(text, &xml::RSS),
        Format::Atom => xml::read(text, &xml::ATOM),
        Format::Json => json::read(text),
    }
}

/// As [`check`], of a feed made of `items`, each of which has passed it in a feed of its own.
///
/// Elements that are whole by themselves are whole one after the other. So it is enough that the feed is read back with
/// the first of them, and that in its place stand, byte for byte, all of them. Any other document is read whole.
///
/// # Errors
/// As [`check`].
pub fn check_spliced<I: Deref<Target = Item>>(
    format: Format,
    document: &[u8],
    items: &[I],
) -> Result<Vec<ArticleId>, Unreadable> {
    if let [first, ..] = items
        && let Some(short) = with_the_first_only(format, document, items)
        && check(format, &short).is_ok_and(|found| found == [first.id])
    {
        return Ok(items.iter().map(|item| item.id).collect());
    }
    check(format, document)
}

/// The document without its items but the first; `None` if they are not in it as they are, in this order.
fn with_the_first_only<I: Deref<Target = Item>>(format: Format, document: &[u8], items: &[I]) -> Option<Vec<u8>> {
    let (first, others) = items.split_first()?;
    let first = first.written(format).as_bytes();
    let start = document.windows(first.len()).position(|bytes| bytes == first)?;
    let (before, mut rest) = document.split_at(start + first.len());
    let between = if format == Format::Json { BETWEEN } else { "" };
    for item in others {
        rest = rest.strip_prefix(between.as_bytes())?.strip_prefix(item.written(format).as_bytes())?;
    }
    Some([before, rest].concat())
}
