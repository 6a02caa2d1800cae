//! The page of a feed, and of its older articles.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

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
    name: Name,
    url: String,
    /// Feeds of one thing are known to the directory anyhow; combinations are for people, not for crawlers.
    followed: bool,
}

/// Whose word a name is.
enum Name {
    Newsroom(String),
    /// A language's own.
    Language {
        tag: String,
        own: String,
        direction: &'static str,
    },
    Ours(&'static str),
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
    days: String,
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
    let is_archive = matches!(paging, Paging::Archive { .. });
    let chrome = Chrome::new(site, feed.meta.language.as_deref());
    let narrower = if is_archive { Vec::new() } else { narrower(&chrome, feed, cards) };
    rendered(&Page { chrome, feed, live_url, is_archive, days: days(cards), newer, older, narrower, cards })
}

fn own_name(tag: &str) -> Name {
    let own = language_name(tag).map_or(tag, |name| name.own).to_owned();
    Name::Language { tag: tag.to_owned(), own, direction: direction(tag).as_str() }
}

fn days(cards: &[&Card]) -> String {
    let first = cards.iter().map(|card| card.day.as_str()).min().unwrap_or_default();
    let last = cards.iter().map(|card| card.day.as_str()).max().unwrap_or_default();
    if first == last { first.to_owned() } else { format!("{first} – {last}") }
}

/// Parts of what the page shows, where that differs: by language, by section, the urgent.
fn narrower(chrome: &Chrome<'_>, feed: &FeedRef, cards: &[&Card]) -> Vec<Narrower> {
    // What was narrowed three times is small enough, and crawlers that follow all the same come to an end.
    if feed.selection.is_test() || feed.selection.parts().atoms().count() > 2 {
        return Vec::new();
    }
    let narrowed = |part: &str| -> Option<(Selection, bool)> {
        // A section stands for those above it.
        let deeper = part.strip_prefix(feed.selection.as_str()).is_some_and(|rest| rest.starts_with('/'));
        let plain = feed.selection.is_everything() || deeper;
        let text = if plain { part.to_owned() } else { format!("({})+{part}", feed.selection) };
        let selection: Selection = text.parse().ok()?;
        (selection != feed.selection).then_some((selection, plain))
    };
    let sections = sections(feed, cards).into_iter();
    let sections = sections.map(|(slugs, name)| (format!("section/{slugs}"), Name::Newsroom(name)));
    let languages: BTreeSet<&str> = cards.iter().map(|card| card.language.as_str()).collect();
    let languages = languages.into_iter().filter(|_| feed.meta.language.is_none()).take(MAX_NARROWER);
    let languages = languages.map(|tag| (format!("language/{}", tag.to_lowercase()), own_name(tag)));
    let breaking = cards.iter().filter(|card| card.is_breaking).count();
    let urgent =
        (breaking > 0 && breaking < cards.len()).then(|| ("urgency/2".into(), Name::Ours(chrome.words.urgent_news)));
    let links = sections.chain(languages).chain(urgent).filter_map(|(part, name)| {
        let (selection, followed) = narrowed(&part)?;
        Some(Narrower { name, url: chrome.site.feed(&selection), followed })
    });
    links.collect()
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
    let mut found: BTreeMap<String, (String, usize)> = BTreeMap::new();
    for (slugs, name) in paths {
        found.entry(slugs).or_insert((name, 0)).1 += 1;
    }
    if found.len() == 1 && found.values().all(|(_, count)| *count == cards.len()) {
        return Vec::new();
    }
    let mut most: Vec<(String, (String, usize))> = found.into_iter().collect();
    most.sort_by_key(|(_, (_, count))| Reverse(*count));
    most.truncate(MAX_NARROWER);
    most.sort_unstable();
    most.into_iter().map(|(slugs, (name, _))| (slugs, name)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::samples::{create, document};
    use ::article::Article;

    fn cards(of: &[(&str, &[&str], u8)]) -> Vec<Card> {
        let site = Site::sample();
        let numbered = of.iter().zip(1..);
        let articles = numbered.map(|((language, section, urgency), n)| {
            let mut document = document("World", "2026-01-10T10:00:00Z");
            document["language"] = json!(language);
            document["section"] = json!(section);
            document["urgency"] = json!(urgency);
            create(n, &document, "2026-01-10T10:00:00Z")
        });
        articles.map(|article| card(&site, &Entry::of(&article, &site.links).unwrap())).collect()
    }

    fn page(selection: &str, language: Option<&str>, cards: &[Card], paging: &Paging) -> String {
        let (site, selection) = (Site::sample(), selection.parse().unwrap());
        let mut of = FeedRef::new(&site, &selection, None::<&Article>, language.map(str::to_owned));
        if matches!(paging, Paging::Archive { .. }) {
            of.meta.page_url = "https://news.example/feeds/all;2-0a".into();
        }
        String::from_utf8(feed(&site, &of, &cards.iter().collect::<Vec<_>>(), paging)).unwrap()
    }

    #[test]
    fn a_page_leads_to_the_parts_of_what_it_shows() {
        let live = Paging::Live { prev: None };
        let mixed =
            cards(&[("en", &["World", "Asia"], 2), ("ar", &["World", "Africa"], 5), ("zh-Hans", &["Culture"], 5)]);
        let world = cards(&[("en", &["World", "Asia"], 5), ("en", &["World"], 5)]);
        let alike = cards(&[("en", &["World"], 5), ("en", &["World"], 5)]);
        for (selection, language, cards, wanted) in [
            (
                "all",
                None,
                &mixed,
                ["section/culture", "section/world", "language/ar", "language/en", "language/zh-hans", "urgency/2"]
                    .as_slice(),
            ),
            (
                "keyword/ferries",
                Some("en"),
                &mixed,
                &["section/culture+keyword/ferries", "section/world+keyword/ferries", "keyword/ferries+urgency/2"],
            ),
            ("section/world", Some("en"), &world, &["section/world/asia"]),
            ("section/world", Some("en"), &alike, &[]),
            ("all", Some("en"), &alike, &[]),
            ("test", None, &mixed, &[]),
            ("section/world+language/en+keyword/a", None, &mixed, &[]),
        ] {
            let html = page(selection, language, cards, &live);
            let links =
                html.split_once("class=\"narrow\"").map_or("", |(_, rest)| rest.split_once("</nav>").unwrap().0);
            let found: Vec<&str> = links
                .split("href=\"https://news.example/feeds/")
                .skip(1)
                .map(|link| link.split('"').next().unwrap())
                .collect();
            assert_eq!(found, wanted, "{selection}");
            assert_eq!(links.matches("nofollow").count(), wanted.iter().filter(|link| link.contains('+')).count());
        }
        let many: Vec<String> = (0..30).map(|n| format!("Section {n}")).collect();
        let many: Vec<[&str; 1]> = many.iter().map(|name| [name.as_str()]).collect();
        let many: Vec<(&str, &[&str], u8)> = many.iter().map(|section| ("en", section.as_slice(), 5)).collect();
        assert_eq!(page("all", Some("en"), &cards(&many), &live).matches("feeds/section/").count(), MAX_NARROWER);
    }

    #[test]
    fn an_archive_stands_between_its_neighbours() {
        let cards = cards(&[("en", &["World"], 2), ("ar", &["World"], 5)]);
        let url = |name: &str| format!("https://news.example/feeds/all{name}");
        let archive = Paging::Archive { current: url(""), prev: Some(url(";1-0b")), next: None };
        let html = page("all", None, &cards, &archive);
        for wanted in [
            "<title>All news: Older articles 2026-01-10 – Riverton</title>",
            "<link rel=\"canonical\" href=\"https://news.example/feeds/all;2-0a\">",
            "href=\"https://news.example/feeds/all.atom\"",
            "<a rel=\"prev\" href=\"https://news.example/feeds/all\">",
            "<a rel=\"next\" href=\"https://news.example/feeds/all;1-0b\">",
        ] {
            assert!(html.contains(wanted), "{wanted} in {html}");
        }
        assert!(!html.contains("class=\"narrow\""), "{html}");
        let newest = page("all", None, &cards, &Paging::Live { prev: Some(url(";2-0a")) });
        assert!(newest.contains("<a rel=\"next\" href=\"https://news.example/feeds/all;2-0a\">"), "{newest}");
        assert!(!newest.contains("rel=\"prev\""), "{newest}");
    }

    #[test]
    fn our_words_on_a_page_of_another_direction_are_marked() {
        let cards = cards(&[("ar", &["العالم"], 5)]);
        let html = page("section/العالم", Some("ar"), &cards, &Paging::Live { prev: None });
        assert!(html.contains("<html lang=\"ar\" dir=\"rtl\">"), "{html}");
        assert!(html.contains("<a class=\"skip\" href=\"#main\" lang=\"en\" dir=\"ltr\">"), "{html}");
        let chinese = page("all", Some("zh-Hans"), &[], &Paging::Live { prev: None });
        assert!(chinese.contains("<html lang=\"zh-Hans\" dir=\"ltr\">") && chinese.contains("全部新闻"), "{chinese}");
        assert!(!chinese.contains("lang=\"en\""), "{chinese}");
    }
}
