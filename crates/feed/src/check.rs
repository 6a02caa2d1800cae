//! A feed document as a stranger reads it, for whoever is about to serve it: well-formed, every entry whole, which
//! articles.
//!
//! Nothing of the writers is used here: XML is read by quick-xml, JSON by serde_json. What those let pass although the
//! specifications forbid it is looked for beside them.

mod json;
mod xml;

use article::ArticleId;

use crate::document::Format;

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
