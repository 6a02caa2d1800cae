//! An article's own page.

use ::article::{Article, Association, AssociationKind, Direction, direction, language_name, sanitise};
use ::feed::Entry;
use askama::Template;
use interchange::{in_script, json_ld};
use subscription::{Atom, Expression, Selection};
use url::Url;

use super::{Chrome, FeedRef, When, authors, is_readable, rendered};
use crate::site::Site;

/// The article in another language.
struct Translation<'a> {
    language: &'a str,
    /// The language's name in itself.
    name: &'a str,
    direction: &'static str,
    url: String,
}

#[derive(Template)]
#[template(path = "article.html")]
struct Page<'a> {
    chrome: Chrome<'a>,
    feed: &'a FeedRef,
    entry: &'a Entry<'a>,
    readable: bool,
    excerpt: String,
    summary: Option<&'a str>,
    /// The sections it is in, from the outermost in, with their pages.
    path: Vec<(&'a str, String)>,
    located: Option<&'a str>,
    body: String,
    when: When,
    updated: Option<When>,
    corrections: Vec<(When, &'a str)>,
    authors: Vec<&'a str>,
    sources: Vec<(&'a str, Option<&'a Url>)>,
    pictures: Vec<&'a Association>,
    files: Vec<&'a Association>,
    translations: Vec<Translation<'a>>,
    rights: Option<String>,
    /// Where to ask for what is new in this story by email.
    story: Option<String>,
    json_ld: String,
}

/// An article's own page, or its notice. `feed` is the feed to follow for more of the kind.
pub(crate) fn article(site: &Site, feed: &FeedRef, entry: &Entry<'_>) -> Vec<u8> {
    let of = entry.article;
    let readable = is_readable(entry);
    // Of what is no longer there nothing is told but the notice.
    let shown = Some(of).filter(|_| readable);
    let is_picture = |file: &&Association| file.kind == AssociationKind::Picture;
    let corrections = shown.iter().flat_map(|of| of.corrections.iter().rev());
    let sources = shown.iter().flat_map(|of| &of.sources);
    rendered(&Page {
        chrome: Chrome::new(site, Some(&of.language)),
        feed,
        entry,
        readable,
        excerpt: entry.excerpt(),
        // A notice is its own summary.
        summary: entry.summary.as_deref().filter(|_| readable),
        path: shown.map(|of| path(site, of)).unwrap_or_default(),
        located: shown.and_then(|of| of.located.as_deref()),
        // Feeds have the corrections in the text; here they stand apart, with their dates.
        body: match shown {
            Some(of) => sanitise(of.body.as_deref().unwrap_or_default(), of.canonical_url.as_ref()).html,
            None => entry.html.clone(),
        },
        when: When::new(entry.published),
        updated: shown
            .filter(|of| of.updated_at > entry.published.at)
            .map(|of| When::at(of.updated_at, entry.published)),
        corrections: corrections
            .map(|correction| (When::at(correction.at, entry.published), correction.note.as_str()))
            .collect(),
        authors: authors(entry),
        sources: sources.map(|source| (source.name.as_str(), source.url.as_ref())).collect(),
        pictures: entry.associations.iter().filter(is_picture).collect(),
        files: entry.associations.iter().filter(|file| !is_picture(file)).collect(),
        translations: shown.map(|of| translations(site, of)).unwrap_or_default(),
        rights: entry.rights().filter(|_| readable),
        story: shown.filter(|of| !of.test).and_then(|of| site.subscribe(&Selection::following(of.id))),
        json_ld: in_script(&json_ld(of, &entry.title, &|id| Some(site.article(id)))),
    })
}

fn path<'a>(site: &Site, article: &'a Article) -> Vec<(&'a str, String)> {
    if article.test {
        return Vec::new();
    }
    let is_section = |selection: &Selection| matches!(selection.parts(), Expression::Atom(Atom::Section(_)));
    let sections = Selection::of(article).into_iter().filter(is_section);
    article.section.iter().map(String::as_str).zip(sections.map(|section| site.feed(&section))).collect()
}

fn translations<'a>(site: &Site, article: &'a Article) -> Vec<Translation<'a>> {
    let known = article.translations.iter().filter_map(|translation| {
        let url = translation.url.as_ref().map(|url| url.as_str().to_owned());
        let url = url.or_else(|| translation.id.map(|id| site.article(id)))?;
        let language = translation.language.as_str();
        let name = language_name(language).map_or(language, |name| name.own);
        let direction = if name == language { Direction::Ltr } else { direction(language) };
        Some(Translation { language, name, direction: direction.as_str(), url })
    });
    known.collect()
}
