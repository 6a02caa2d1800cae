//! Why a page was refused: a code for programs; the line, what was seen and what to do for people.

use std::fmt;

/// What is wrong, as a stable code. New codes may be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    Empty,
    TooLarge,
    Encoding,
    ControlChar,
    LooksLikeHtml,
    LooksLikeText,
    /// HTML that takes a parser more time or memory than any article is worth.
    TooTangled,
    NoLabelLine,
    NoHeadline,
    NoDate,
    DateInvalid,
    DateAmbiguous,
    NoBody,
    TwoArticles,
    /// A fault of the importer itself: a character of the page went nowhere or was used twice.
    Unaccounted,
}

impl Code {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "E_EMPTY",
            Self::TooLarge => "E_TOO_LARGE",
            Self::Encoding => "E_ENCODING",
            Self::ControlChar => "E_CONTROL_CHAR",
            Self::LooksLikeHtml => "E_LOOKS_LIKE_HTML",
            Self::LooksLikeText => "E_LOOKS_LIKE_TEXT",
            Self::TooTangled => "E_TOO_TANGLED",
            Self::NoLabelLine => "E_NO_LABEL_LINE",
            Self::NoHeadline => "E_NO_HEADLINE",
            Self::NoDate => "E_NO_DATE",
            Self::DateInvalid => "E_DATE_INVALID",
            Self::DateAmbiguous => "E_DATE_AMBIGUOUS",
            Self::NoBody => "E_NO_BODY",
            Self::TwoArticles => "E_TWO_ARTICLES",
            Self::Unaccounted => "E_UNACCOUNTED",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One reason why a page cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}, line {line}: {seen}; {advice}")]
pub struct ImportError {
    pub code: Code,
    /// 1-based line of the page.
    pub line: u32,
    /// What the importer met there; quotes at most 80 characters of the page.
    pub seen: String,
    /// What the newsroom can do about it.
    pub advice: &'static str,
}

impl ImportError {
    pub(crate) fn new(code: Code, line: u32, seen: impl Into<String>, advice: &'static str) -> Self {
        Self { code, line, seen: seen.into(), advice }
    }
}

/// Longest quotation from a page in a message, in characters: a log line stays a line.
const SEEN_CHARS: usize = 80;

/// Quotes a piece of the page for a message, cut to a readable length.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::from("“");
    quoted.extend(text.chars().take(SEEN_CHARS));
    if text.chars().nth(SEEN_CHARS).is_some() {
        quoted.push('…');
    }
    quoted.push('”');
    quoted
}
