//! Thousands of hostile articles as live feeds, archives and deltas in every format, with what a reader should find in
//! them. A few are read here; all of them, written into a folder, are for the programs in tests/foreign.

use std::collections::BTreeMap;
use std::path::PathBuf;

use article::{Article, Status};
use feed::{Entry, FeedMeta, Format, Item, Outline, Paging, check, news_sitemap, opml};
use feed_rs::model;
use serde::Serialize;

use crate::hostile::forbidden;
use crate::hostile_articles::hostile;
use crate::parsed_back::parse;
use crate::samples::{links, meta};

/// As many as an archive has.
const PAGE: usize = 25;
/// As many as a live feed has.
const LIVE: usize = 50;

/// What every reader should find of an article, white space at both ends aside.
#[derive(Debug, Serialize)]
struct Expected {
    title: String,
    link: String,
    /// Unix seconds.
    published: i64,
    updated: i64,
    language: String,
    summary: Option<String>,
    excerpt: String,
    content: String,
    authors: Vec<String>,
    categories: Vec<Category>,
    enclosures: Vec<Enclosure>,
    deleted: bool,
}

#[derive(Debug, Serialize, PartialEq, Clone)]
struct Category {
    term: String,
    label: Option<String>,
}

#[derive(Debug, Serialize, PartialEq)]
struct Enclosure {
    url: String,
    #[serde(rename = "type")]
    mime: Option<String>,
    length: Option<u64>,
}

/// What XML 1.0 discourages, and intake refuses.
fn discouraged(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
        || matches!(c, '\u{FDD0}'..='\u{FDEF}')
        || u32::from(c) % 0x10000 >= 0xFFFE
}

fn legal(text: &str) -> String {
    text.chars().filter(|c| !forbidden(*c) && !discouraged(*c)).collect()
}

impl Expected {
    fn of(article: &Article) -> Option<Self> {
        let entry = Entry::of(article, &links())?;
        let readable = article.status == Status::Published;
        let mut authors: Vec<String> = entry.authors().into_iter().map(|(name, _)| legal(name)).collect();
        if authors.is_empty() {
            authors.push(article.publisher.to_string());
        }
        let enclosures = article.associations.iter().filter(|_| readable).map(|file| Enclosure {
            url: file.uri.to_string(),
            mime: file.mime.clone(),
            length: file.size,
        });
        Some(Self {
            title: entry.title.clone(),
            link: entry.link.clone(),
            published: entry.published.at.as_second(),
            // Rounded down, before 1970 too.
            updated: entry.updated.as_microsecond().div_euclid(1_000_000),
            language: article.language.clone(),
            summary: entry.summary.clone(),
            excerpt: entry.excerpt(),
            content: entry.html.clone(),
            authors,
            categories: categories(article),
            enclosures: enclosures.collect(),
            deleted: article.status == Status::Killed,
        })
    }
}

/// Each of what an article is about, once.
fn categories(article: &Article) -> Vec<Category> {
    let plain = |term: &str| Category { term: legal(term), label: None };
    let mut categories: Vec<Category> = article.section.iter().map(|name| plain(name)).collect();
    categories.dedup();
    let mut about: Vec<Category> = article.keywords.iter().map(|keyword| plain(keyword)).collect();
    about.dedup();
    categories.extend(about);
    categories.extend(
        article
            .subjects
            .iter()
            .map(|subject| Category { term: legal(&subject.code), label: subject.name.as_deref().map(legal) }),
    );
    categories.extend(article.genre.iter().map(|genre| plain(genre.as_str())));
    categories.extend(article.slugline.iter().map(|slugline| plain(slugline)));
    if article.status == Status::Killed { Vec::new() } else { categories }
}

struct Written {
    name: String,
    format: Format,
    text: String,
}

/// All documents of the first `count` articles that have an entry: live feeds of fifty, each with the two archives
/// that hold the same articles, and a delta.
fn documents(articles: &[Article]) -> Vec<Written> {
    let items: Vec<Item> = articles.iter().filter_map(|article| Item::render(article, &links())).collect();
    let page = |n: usize| format!("https://news.example/feeds/all;{n}-0badcafe");
    let hub = Some("https://news.example/hub".to_owned());
    let mut documents = Vec::new();
    for (n, live) in items.chunks(LIVE).enumerate() {
        let meta = FeedMeta { hub: hub.clone(), language: None, ..meta() };
        let (first, last) = (n * LIVE / PAGE + 1, items.len().div_ceil(PAGE));
        let archives = live.chunks(PAGE).zip(first..).map(|(items, n)| {
            let current = meta.page_url.clone();
            let paging =
                Paging::Archive { current, prev: (n > 1).then(|| page(n - 1)), next: (n < last).then(|| page(n + 1)) };
            (format!("{n:04}-archive"), FeedMeta { page_url: page(n), ..meta.clone() }, paging, items)
        });
        let kinds = [
            (format!("{n:04}-live"), meta.clone(), Paging::Live { prev: Some(page(first)) }, live),
            (format!("{n:04}-delta"), meta.clone(), Paging::Delta, &live[..live.len().min(3)]),
        ];
        for (name, meta, paging, items) in kinds.into_iter().chain(archives) {
            for format in Format::ALL {
                let document = feed::document(format, &meta, &paging, &items.iter().collect::<Vec<_>>());
                let ids: Vec<_> = items.iter().map(Item::id).collect();
                assert_eq!(check(format, &document.bytes).as_ref(), Ok(&ids), "{name} {format:?}");
                let items: Vec<&Item> = items.iter().collect();
                assert_eq!(feed::check_spliced(format, &document.bytes, &items), Ok(ids), "{name} {format:?}");
                let name = format!("{name}.{}", format.extension());
                documents.push(Written { name, format, text: String::from_utf8(document.bytes).unwrap() });
            }
        }
    }
    documents
}

/// `found` is `expected`, white space at both ends aside.
#[track_caller]
fn same(found: Option<&str>, expected: &str, what: &str, document: &Written) {
    assert_eq!(found.unwrap_or_default().trim(), expected.trim(), "{what} in {}", document.name);
}

fn agrees(entry: &model::Entry, expected: &Expected, document: &Written) {
    let format = document.format;
    same(entry.title.as_ref().map(|title| title.content.as_str()), &expected.title, "title", document);
    let content = entry.content.as_ref().and_then(|content| content.body.as_deref());
    // The longest are there in short.
    if !content.is_some_and(|content| {
        expected.content.len() > 10_000 && content.trim_end_matches("\n</div>").ends_with("</a></p>")
    }) {
        same(content, &expected.content, "content", document);
    }
    assert_eq!(entry.published.unwrap().timestamp(), expected.published, "{}", document.name);
    if format != Format::Rss {
        assert_eq!(entry.updated.unwrap().timestamp(), expected.updated, "{}", document.name);
    }
    assert!(entry.links.iter().any(|link| link.href == expected.link), "{:?} in {}", entry.links, document.name);
    for category in &expected.categories {
        let term =
            if format == Format::Atom { &category.term } else { category.label.as_ref().unwrap_or(&category.term) };
        let found = entry.categories.iter().any(|found| found.term.trim() == term.trim());
        // feed-rs keeps no tags of JSON Feed.
        assert!(found || format == Format::Json, "{term} in {:?} of {}", entry.categories, document.name);
    }
    // Of JSON Feed, feed-rs takes the plain text for the summary.
    if format == Format::Atom {
        same(
            entry.summary.as_ref().map(|summary| summary.content.as_str()),
            expected.summary.as_deref().unwrap_or_default(),
            "summary",
            document,
        );
    }
    let authors: Vec<&str> = entry.authors.iter().filter_map(|author| author.name.as_deref()).map(str::trim).collect();
    let expected_authors: Vec<&str> = expected.authors.iter().map(|author| author.trim()).collect();
    if format != Format::Rss {
        assert_eq!(authors, expected_authors, "{}", document.name);
    }
}

#[test]
fn a_strangers_reader_finds_in_hostile_articles_what_we_wrote() {
    let articles: Vec<Article> = (0..160).map(|n| hostile(1, n)).collect();
    let expected: BTreeMap<String, Expected> =
        articles.iter().filter_map(|article| Some((article.id.to_string(), Expected::of(article)?))).collect();
    for status in [Status::Published, Status::Withdrawn, Status::Killed, Status::Held] {
        assert!(articles.iter().any(|article| article.status == status), "{status:?}");
    }
    for document in documents(&articles) {
        assert!(!document.text.chars().any(|c| forbidden(c) || discouraged(c)), "{}", document.name);
        for entry in &parse(&document.text).entries {
            agrees(entry, &expected[&entry.id], &document);
        }
    }
}

/// Not part of the test run. Writes a collection for the programs in tests/foreign, which say how to read it:
/// `FEEDS_TO=FOLDER cargo test --release -p feed --test feeds collection -- --ignored`. `FEEDS` is how many articles
/// it is made of, 10,000 if it is not set; `SEED` makes it another one.
#[test]
#[ignore = "writes files"]
fn write_a_collection_of_hostile_feeds() {
    let number = |name: &str, default: u32| std::env::var(name).map_or(default, |number| number.parse().unwrap());
    let folder = PathBuf::from(std::env::var_os("FEEDS_TO").expect("FEEDS_TO names the folder"));
    std::fs::create_dir_all(&folder).unwrap();
    let seed = u64::from(number("SEED", 1));
    let articles: Vec<Article> = (0..number("FEEDS", 10_000)).map(|n| hostile(seed, n)).collect();
    let expected: BTreeMap<String, Expected> =
        articles.iter().filter_map(|article| Some((article.id.to_string(), Expected::of(article)?))).collect();
    std::fs::write(folder.join("expected.json"), serde_json::to_vec(&expected).unwrap()).unwrap();
    let documents = documents(&articles);
    eprintln!("{} articles, {} of them with an entry, {} documents", articles.len(), expected.len(), documents.len());
    for document in documents {
        std::fs::write(folder.join(&document.name), &document.text).unwrap();
    }
    let outlines: Vec<Outline> = articles
        .iter()
        .take(200)
        .map(|article| Outline {
            title: article.headline.clone(),
            page_url: links().article(article.id),
            below: vec![Outline {
                title: article.section.join(" "),
                page_url: links().article(article.id),
                below: Vec::new(),
            }],
        })
        .collect();
    std::fs::write(folder.join("feeds.opml"), opml(&articles[0].headline, &outlines)).unwrap();
    let sitemap = news_sitemap("Riverton news", &links(), &articles);
    std::fs::write(folder.join("sitemap-news.xml"), sitemap).unwrap();
}
