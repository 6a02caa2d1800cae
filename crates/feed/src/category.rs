//! What an article is about, as categories and tags: section, keywords, subjects, genre, slugline.

use article::Subject;
use url::Url;

use crate::entry::{Entry, Standing};
use crate::xml::legal;

/// Tells a section from a keyword of the same name.
const SECTION_SCHEME: &str = "urn:newswire:section";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Category {
    pub(crate) scheme: Option<String>,
    pub(crate) term: String,
    /// What a person reads, where the term is a code.
    pub(crate) label: Option<String>,
}

/// Section levels from the outermost in, then keywords, subjects, genre and slugline; none twice. A killed article
/// keeps none: they may be what it was killed for.
pub(crate) fn categories(entry: &Entry<'_>) -> Vec<Category> {
    if entry.standing == Standing::Killed || entry.is_bare() {
        return Vec::new();
    }
    let article = entry.article;
    let plain = |scheme: Option<&str>, term: &str| Category {
        scheme: scheme.map(str::to_owned),
        term: legal(term),
        label: None,
    };
    let sections = article.section.iter().map(|name| plain(Some(SECTION_SCHEME), name));
    let keywords = article.keywords.iter().map(|keyword| plain(None, keyword));
    let subjects = article.subjects.iter().map(|subject| Category {
        scheme: Some(subject_scheme(subject)),
        term: legal(&subject.code),
        label: subject.name.as_deref().map(legal),
    });
    let genre = article.genre.iter().map(|genre| plain(Some("urn:newswire:genre"), genre.as_str()));
    let slugline = article.slugline.iter().map(|slugline| plain(Some("urn:newswire:slugline"), slugline));
    let mut categories: Vec<Category> = Vec::new();
    for category in sections.chain(keywords).chain(subjects).chain(genre).chain(slugline) {
        if !categories.contains(&category) {
            categories.push(category);
        }
    }
    categories
}

/// Plain words for JSON Feed's `tags`.
pub(crate) fn tags(entry: &Entry<'_>) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for category in categories(entry) {
        let tag = category.label.unwrap_or(category.term);
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags
}

/// Atom wants an IRI (RFC 4287, 4.2.2.2).
fn subject_scheme(subject: &Subject) -> String {
    match subject.scheme.as_str() {
        "medtop" => "http://cv.iptc.org/newscodes/mediatopic/".into(),
        scheme if Url::parse(scheme).is_ok() => scheme.into(),
        scheme => format!("urn:newswire:scheme:{}", article::slug(scheme)),
    }
}
