//! The page of a feed, and of its older articles.

use std::collections::BTreeMap;

use ::article::{direction, language_name, slug};
use ::feed::{Entry, Paging};
use askama::Template;
use subscription::Selection;

use super::{Chrome, FeedRef, When, authors, is_readable, rendered};
use crate::site::Site;

/// Links to narrower feeds that a page offers, of each kind.
const MAX_NARROWER: usize = 8;

/// What an article is on pages of feeds, written once.
pub(crate) struct Card {
    /// An element of a list of articles.
    html: String,
    /// The same in one line.
    line: String,
    language: String,
    section: Vec<String>,
    is_breaking: bool,
    /// When it was published: a date.
    day: String,
}

impl Card {
    /// In one line, for lists of headlines.
    pub(super) fn line(&self) -> &str {
        &self.line
    }
}

#[derive(Template)]
#[template(path = "card.html")]
struct CardPage<'a> {
    entry: &'a Entry<'a>,
    readable: bool,
    direction: &'static str,
    url: String,
    excerpt: String,
    when: When,
    authors: Vec<&'a str>,
    sources: Vec<&'a str>,
}

#[derive(Template)]
#[template(path = "line.html")]
struct LinePage<'a> {
    entry: &'a Entry<'a>,
    direction: &'static str,
    url: String,
    when: When,
}

/// One article in a feed's page.
pub(crate) fn card(site: &Site, entry: &Entry<'_>) -> Card {
    let article = entry.article;
    let readable = is_readable(entry);
    let direction = direction(&article.language).as_str();
    let sources = article.sources.iter().filter(|_| readable).map(|source| source.name.as_str());
    let whole = CardPage {
        entry,
        readable,
        direction,
        url: site.article(article.id),
        excerpt: entry.excerpt(),
        when: When::new(entry.published),
        authors: authors(entry),
        sources: sources.collect(),
    };
    let line = LinePage { entry, direction, url: site.article(article.id), when: When::new(entry.published) };
    Card {
        html: text(rendered(&whole)),
        line: text(rendered(&line)),
        language: article.language.clone(),
        section: if readable { article.section.clone() } else { Vec::new() },
        is_breaking: article.is_breaking(),
        day: entry.published.zoned().strftime("%Y-%m-%d").to_string(),
    }
}

fn text(page: Vec<u8>) -> String {
    String::from_utf8(page).expect("templates write UTF-8")
}

/// A link to a part of what a page shows.
struct Narrower {
    before: &'static str,
    name: String,
    /// Of the name, where it is not the page's.
    language: Option<(String, &'static str)>,
    url: String,
    /// Feeds of one thing are known to the directory anyhow; combinations are for people, not for crawlers.
    followed: bool,
}

#[derive(Template)]
#[template(path = "feed.html")]
struct Page<'a> {
    chrome: Chrome<'a>,
    feed: &'a FeedRef,
    /// The page of the newest articles, of which this may be an older part.
    live_url: &'a str,
    is_archive: bool,
    /// First and last day of the articles shown.
    days: Option<(&'a str, &'a str)>,
    newer: Option<&'a str>,
    older: Option<&'a str>,
    narrower: Vec<Narrower>,
    cards: &'a [&'a Card],
}

/// A selection's page; `cards` are what [`card`] made of its articles.
pub(crate) fn feed(site: &Site, feed: &FeedRef, cards: &[&Card], paging: &Paging) -> Vec<u8> {
    let (live_url, newer, older) = match paging {
        Paging::Archive { current, prev, next } => {
            (current.as_str(), Some(next.as_ref().unwrap_or(current).as_str()), prev.as_deref())
        }
        Paging::Live { prev } => (feed.meta.page_url.as_str(), None, prev.as_deref()),
        Paging::Delta => (feed.meta.page_url.as_str(), None, None),
    };
    let days =
        || Some((cards.iter().map(|card| card.day.as_str()).min()?, cards.iter().map(|card| card.day.as_str()).max()?));
    let is_archive = matches!(paging, Paging::Archive { .. });
    let chrome = Chrome::new(site, feed.meta.language.as_deref());
    let narrower = if is_archive { Vec::new() } else { narrower(&chrome, feed, cards) };
    rendered(&Page { chrome, feed, live_url, is_archive, days: days(), newer, older, narrower, cards })
}

/// Parts of what the page shows, where that differs: by language, by section, the urgent.
fn narrower(chrome: &Chrome<'_>, feed: &FeedRef, cards: &[&Card]) -> Vec<Narrower> {
    // What was narrowed three times is small enough, and crawlers that follow all the same come to an end.
    if feed.selection.is_test() || feed.selection.parts().atoms().count() > 2 {
        return Vec::new();
    }
    let narrowed = |part: &str| -> Option<(Selection, bool)> {
        let plain = feed.selection.is_everything();
        let text = if plain { part.to_owned() } else { format!("({})+{part}", feed.selection) };
        let selection: Selection = text.parse().ok()?;
        (selection != feed.selection).then_some((selection, plain))
    };
    let mut links = Vec::new();
    let mut offer = |part: String, before: &'static str, name: String, language: Option<(String, &'static str)>| {
        if let Some((selection, followed)) = narrowed(&part) {
            links.push(Narrower { before, name, language, url: chrome.site.feed(&selection), followed });
        }
    };
    for (slugs, name) in sections(feed, cards) {
        offer(format!("section/{slugs}"), chrome.words.only, name, None);
    }
    let languages: BTreeMap<String, usize> = counted(cards.iter().map(|card| card.language.clone()));
    for tag in languages.into_keys().take(MAX_NARROWER).filter(|_| feed.meta.language.is_none()) {
        let name = language_name(&tag).map_or(tag.clone(), |name| name.own.to_owned());
        let own = (tag.clone(), direction(&tag).as_str());
        offer(format!("language/{}", tag.to_lowercase()), chrome.words.only, name, Some(own));
    }
    let breaking = cards.iter().filter(|card| card.is_breaking).count();
    if breaking > 0 && breaking < cards.len() {
        offer("urgency/2".into(), chrome.words.only_urgent, String::new(), None);
    }
    links
}

/// The sections that divide what the page shows: those below its own section, or the outermost; by their slugs, the ones
/// with most articles.
fn sections(feed: &FeedRef, cards: &[&Card]) -> Vec<(String, String)> {
    let own = feed.selection.to_string();
    let own = own.strip_prefix("section/").unwrap_or_default();
    let depth = own.split('/').filter(|slug| !slug.is_empty()).count();
    let paths = cards.iter().filter_map(|card| {
        let path = card.section.get(..=depth)?;
        let slugs: Vec<String> = path.iter().map(|name| slug(name)).collect();
        Some((slugs.join("/"), path[depth].clone()))
    });
    // Two spellings of one section are one; the newest is taken.
    let mut names = BTreeMap::new();
    let counts = counted(paths.map(|(slugs, name)| {
        names.entry(slugs.clone()).or_insert(name);
        slugs
    }));
    let all_in_one = counts.len() == 1 && counts.values().all(|count| *count == cards.len());
    if all_in_one {
        return Vec::new();
    }
    let mut most: Vec<(String, usize)> = counts.into_iter().collect();
    most.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    most.truncate(MAX_NARROWER);
    most.sort();
    most.into_iter().filter_map(|(slugs, _)| names.remove_entry(&slugs)).collect()
}

fn counted(values: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    values.for_each(|value| *counts.entry(value).or_default() += 1);
    counts
}
