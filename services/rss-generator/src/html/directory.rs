//! The directory: where all feeds are to be found.

use ::article::{direction, language_name};
use askama::Template;
use subscription::Selection;

use super::{Card, Chrome, FeedRef, rendered};
use crate::site::Site;
use crate::words::fill;

/// Lines of each list of the directory, and its bytes; the OPML file has more.
const MAX_LISTED: usize = 2_000;
const MAX_LIST_BYTES: usize = 1_500_000;

/// A feed in the directory.
pub(crate) struct Listed {
    pub(crate) selection: Selection,
    /// Of a section its innermost name, of a publisher its own. Languages are named here.
    pub(crate) name: String,
    pub(crate) articles: usize,
}

/// What the directory lists.
#[derive(Default)]
pub(crate) struct Contents<'a> {
    /// The newest articles, a handful.
    pub(crate) latest: Vec<&'a Card>,
    pub(crate) articles: usize,
    pub(crate) sections: Vec<Listed>,
    pub(crate) publishers: Vec<Listed>,
    pub(crate) languages: Vec<Listed>,
}

#[derive(Template)]
#[template(path = "row.html")]
struct Row<'a> {
    chrome: &'a Chrome<'a>,
    name: &'a str,
    /// Of the name, where it is not the page's.
    language: Option<(&'a str, &'static str)>,
    articles: String,
    url: &'a str,
    subscribe: Option<&'a str>,
}

struct Group {
    id: &'static str,
    heading: &'static str,
    /// Nested lists.
    list: String,
    /// Whether some did not fit.
    more: bool,
}

#[derive(Template)]
#[template(path = "directory.html")]
struct Page<'a> {
    chrome: Chrome<'a>,
    /// Of everything.
    feed: &'a FeedRef,
    latest: Vec<&'a str>,
    everything: String,
    groups: Vec<Group>,
    opml_url: String,
}

/// `all` is the feed of everything.
pub(crate) fn directory(site: &Site, all: &FeedRef, contents: Contents<'_>) -> Vec<u8> {
    let chrome = Chrome::new(site, all.meta.language.as_deref());
    let words = chrome.words;
    let everything = Listed { selection: all.selection.clone(), name: all.name.clone(), articles: contents.articles };
    let groups = [
        ("sections", words.sections, contents.sections),
        ("publishers", words.publishers, contents.publishers),
        ("languages", words.languages, contents.languages),
    ];
    let groups = groups.into_iter().filter(|(.., listed)| !listed.is_empty());
    let groups = groups.map(|(id, heading, listed)| {
        let (list, more) = tree(&chrome, listed);
        Group { id, heading, list, more }
    });
    rendered(&Page {
        feed: all,
        latest: contents.latest.iter().map(|card| card.line()).collect(),
        everything: row(&chrome, &everything),
        groups: groups.collect(),
        opml_url: site.links.to("/feeds.opml"),
        chrome,
    })
}

/// Lists in lists, as deep as the addresses are; and whether some had to be left out.
fn tree(chrome: &Chrome<'_>, listed: Vec<Listed>) -> (String, bool) {
    let mut paths: Vec<(Vec<String>, Listed)> = listed
        .into_iter()
        .map(|listed| (listed.selection.to_string().split('/').map(str::to_owned).collect(), listed))
        .collect();
    paths.sort_by(|(a, _), (b, _)| a.cmp(b));
    let (mut html, mut depth, mut count) = (String::new(), 0, 0);
    for (path, listed) in &paths {
        if count == MAX_LISTED || html.len() > MAX_LIST_BYTES {
            break;
        }
        count += 1;
        // `section/world` is the outermost level; one list is opened at a time, whatever level is missing between.
        let level = (path.len() - 1).min(depth + 1);
        if level > depth {
            html.push_str("<ul class=\"feeds\">");
        } else {
            html.push_str(&"</li></ul>".repeat(depth - level));
            html.push_str("</li>");
        }
        depth = level;
        html.push_str("\n<li>");
        html.push_str(&row(chrome, listed));
    }
    html.push_str(&"</li></ul>".repeat(depth));
    (html, count < paths.len())
}

fn row(chrome: &Chrome<'_>, listed: &Listed) -> String {
    let text = listed.selection.to_string();
    let tag = text.strip_prefix("language/");
    let own = tag.and_then(|tag| Some((tag, language_name(tag)?.own)));
    let subscribe = chrome.site.subscribe(&listed.selection);
    let row = Row {
        chrome,
        name: own.map_or(&listed.name, |(_, name)| name),
        language: own.map(|(tag, _)| (tag, direction(tag).as_str())),
        articles: fill(
            if listed.articles == 1 { chrome.words.article } else { chrome.words.articles },
            &listed.articles.to_string(),
        ),
        url: &chrome.site.feed(&listed.selection),
        subscribe: subscribe.as_deref(),
    };
    row.render().expect("templates of strings do not fail")
}

#[cfg(test)]
mod tests {
    use ::article::Article;

    use super::*;
    use crate::words::ENGLISH;

    fn page(sections: &[String]) -> String {
        with(Contents { sections: sections.iter().map(|section| listed(section)).collect(), ..Contents::default() })
    }

    fn with(contents: Contents<'_>) -> String {
        let site = Site::sample();
        let all = FeedRef::new(&site, &Selection::everything(), None::<&Article>, None);
        String::from_utf8(directory(&site, &all, contents)).unwrap()
    }

    fn listed(selection: &str) -> Listed {
        let name = selection.rsplit('/').next().unwrap().to_owned();
        Listed { selection: selection.parse().unwrap(), name, articles: 12 }
    }

    #[test]
    fn sections_are_listed_within_those_they_are_in() {
        let sections =
            ["section/world-news", "section/world", "section/world/asia/japan", "section/world/asia", "section/art"];
        let html = page(&sections.map(str::to_owned));
        let list = html.split_once("id=\"sections\"").unwrap().1.split_once("</section>").unwrap().0;
        let mut shape = Vec::new();
        let mut depth = 0;
        for line in list.split('<') {
            match line {
                _ if line.starts_with("ul ") => depth += 1,
                _ if line.starts_with("/ul>") => depth -= 1,
                _ => {}
            }
            if let Some(name) = line.strip_prefix("bdi>") {
                shape.push((depth, name));
            }
        }
        assert_eq!(shape, [(1, "art"), (1, "world"), (2, "asia"), (3, "japan"), (1, "world-news")]);
        assert_eq!(depth, 0);
        assert_eq!(list.matches("<li>").count(), list.matches("</li>").count());
        // Its page, three formats, email.
        assert_eq!(
            list.matches("section/world/asia/japan").count() + list.matches("section%2Fworld%2Fasia%2Fjapan").count(),
            5
        );
    }

    #[test]
    fn a_directory_has_an_end() {
        let thousands: Vec<String> = (0..2_000).map(|n| format!("section/section-of-the-newsroom-{n}")).collect();
        let html = page(&thousands);
        assert_eq!(html.matches("class=\"name\"").count(), 2_001);
        assert!(!html.contains(ENGLISH.more_listed));
        assert!(html.len() < 1_300_000, "{}", html.len());
        let more: Vec<String> = (0..2_001).map(|n| format!("section/{n}")).collect();
        assert!(page(&more).contains(ENGLISH.more_listed));
        let publishers = (0..5_000).map(|n| listed(&format!("publisher/newsroom-{n}")));
        let html = with(Contents { publishers: publishers.collect(), ..Contents::default() });
        assert_eq!(html.matches("class=\"name\"").count(), 2_001);
        let (_, rest) = html.split_once(ENGLISH.more_listed).expect("a word about the others");
        assert!(rest.contains("/feeds.opml"), "which are there");
        let long: Vec<String> = (0..2_000).map(|n| format!("section/{}{n}", "党".repeat(300))).collect();
        let html = page(&long);
        assert!(html.len() < MAX_LIST_BYTES + 100_000 && html.contains(ENGLISH.more_listed), "{}", html.len());
    }
}
