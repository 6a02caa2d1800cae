//! What is wrong with a selection, where, and what to write instead.

/// The text names no selection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no selection: {problem} (character {at})")]
pub struct InvalidSelection {
    /// What was seen, at most its first 100 characters.
    pub text: String,
    /// Where, in characters from 1.
    pub at: usize,
    pub problem: Problem,
}

/// Why a text, or a combination, is no selection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("something is missing here; write all, or for example section/world")]
    Missing,
    #[error(
        "nobody knows what kind of thing this is; use all, test, section/…, publisher/…, keyword/…, source/…, \
         language/…, subject/<scheme>/<code>, urgency/<1–9>, text/<words> or story/<article's id>"
    )]
    Kind,
    #[error("a section has 1 to 5 names, as in section/world/asia")]
    Section,
    #[error("a publisher is lower-case letters, digits and hyphens, as in publisher/city-desk")]
    Publisher,
    #[error("a name needs at least one letter or digit, and no slash")]
    Name,
    #[error("a language is a tag such as zh, zh-Hans or en-GB")]
    Language,
    #[error("a subject is a scheme and a code, as in subject/medtop/20000344")]
    Subject,
    #[error("an urgency is a digit from 1 to 9, as in urgency/2 for 1 and 2")]
    Urgency,
    #[error("write + for all of them or , for any of them between two parts")]
    Operator,
    #[error("this parenthesis is not closed")]
    Open,
    #[error("this parenthesis closes nothing")]
    Close,
    #[error("nothing can ever be in this: its parts exclude each other; a comma means any of them")]
    Nothing,
    #[error("test stands alone: rehearsals are in no other selection")]
    Test,
    #[error("a story stands alone, under its article's id, as in story/019ab2f0-7c1e-7b3a-9d52-0c1f4e6a8b90")]
    Story,
    #[error("more than {} parentheses within each other", crate::expression::MAX_DEPTH)]
    Deep,
    #[error("more than {} parts", crate::expression::MAX_ATOMS)]
    Many,
    #[error("more than {} bytes", crate::expression::MAX_BYTES)]
    Long,
}
