//! The list of all feeds and the news sitemap.

use article::{Article, Command};
use feed::{MAX_NEWS_URLS, MAX_OPML_BYTES, Outline, news_sitemap, opml};
use proptest::prelude::*;
use quick_xml::events::Event;
use serde_json::json;

use crate::golden::is_golden;
use crate::hostile::forbidden;
use crate::lifecycle::{killed, step};
use crate::samples::{chinese, create, draft, english, links, provenance};

fn outline(title: &str, below: Vec<Outline>) -> Outline {
    Outline {
        title: title.into(),
        page_url: format!("https://news.example/feeds/section/{}", article::slug(title)),
        below,
    }
}

/// Every element's name with its attributes, and every text, as somebody else reads them.
fn read(document: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(document).unwrap();
    let mut reader = quick_xml::Reader::from_str(text);
    let mut found = Vec::new();
    let mut depth = 0_i32;
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error}\n{text}")) {
            Event::Start(start) => {
                depth += 1;
                found.push(element(&start));
            }
            Event::Empty(start) => found.push(element(&start)),
            Event::End(_) => depth -= 1,
            Event::Text(words) if words.trim().is_empty() => {}
            Event::Text(words) => found.push(words.to_string()),
            Event::GeneralRef(reference) => found.push(format!("&{};", &*reference)),
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0, "{text}");
    assert!(!text.chars().any(forbidden), "{text:?}");
    found
}

fn element(start: &quick_xml::events::BytesStart<'_>) -> String {
    let attributes: Vec<String> =
        start.attributes().map(|attribute| format!(" {:?}", attribute.unwrap().value)).collect();
    format!("{}{}", String::from_utf8_lossy(start.name().into_inner().as_bytes()), attributes.concat())
}

#[test]
fn a_list_of_feeds_has_an_end() {
    let short: Vec<Outline> =
        (0..20_000).map(|n| outline(&format!("Section of the newsroom {n}"), Vec::new())).collect();
    assert_eq!(read(&opml("Newswire", &short)).iter().filter(|found| found.starts_with("outline")).count(), 20_000);
    let folder = outline("World", vec![outline(&"党".repeat(2_000), Vec::new()); 2]);
    let long = vec![folder; 2_000];
    let written = opml("Newswire", &long);
    read(&written);
    assert!((MAX_OPML_BYTES * 9 / 10..=MAX_OPML_BYTES).contains(&written.len()), "{}", written.len());
}

#[test]
fn the_list_of_feeds_is_what_it_was() {
    let outlines = [
        outline("All news", Vec::new()),
        outline("World", vec![outline("World › Asia", vec![outline("World › Asia › \"East\"", Vec::new())])]),
        outline("文化 & <藝術>", Vec::new()),
    ];
    is_golden("feeds.opml", &String::from_utf8(opml("Riverton news", &outlines)).unwrap());
}

#[test]
fn outlines_without_end_have_one() {
    let mut deep = outline("leaf", Vec::new());
    for _ in 0..1_000 {
        deep = outline("node", vec![deep]);
    }
    assert_eq!(
        read(&opml("Deep", &[deep])).iter().filter(|found| found.contains("xmlUrl") || found.contains("rss")).count(),
        8
    );
}

#[test]
fn a_sitemap_has_what_can_be_read_and_says_when_and_in_what_language() {
    let mut elsewhere = english();
    elsewhere["canonical_url"] = "https://riverton.example/a/1".into();
    let mut rehearsal = english();
    rehearsal["test"] = true.into();
    let mut embargoed = english();
    embargoed["published"] = json!(null);
    embargoed["embargoed_until"] = "2026-01-02T00:00:00Z".into();
    let first = create(4, &english());
    let articles = [
        create(1, &chinese()),
        create(2, &elsewhere),
        create(3, &rehearsal),
        killed(&first),
        step(&first, Command::Withdraw { note: "In doubt.".into() }),
        step(&first, Command::Hold { note: None }),
        create(5, &embargoed),
    ];
    let written = news_sitemap("Riverton news", &links(), &articles);
    is_golden("sitemap-news.xml", &String::from_utf8(written).unwrap());
    let again = Command::Reinstate { note: None, draft: draft(&english()), provenance: provenance() };
    let back = step(&killed(&first), again);
    assert!(read(&news_sitemap("Riverton news", &links(), [&back])).contains(&links().article(back.id)));
}

#[test]
fn a_sitemap_is_no_longer_than_it_may_be() {
    let article = create(1, &english());
    let articles = std::iter::repeat_n(&article, MAX_NEWS_URLS + 500);
    let found = read(&news_sitemap("Riverton news", &links(), articles));
    assert_eq!(found.iter().filter(|found| *found == "loc").count(), MAX_NEWS_URLS);
    assert_eq!(read(&news_sitemap("Riverton news", &links(), &[] as &[Article])).len(), 1, "an empty one is one");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_words_give_well_formed_lists(title in any::<String>(), name in any::<String>(), url in any::<String>()) {
        let leaf = Outline { title: name.clone(), page_url: url, below: Vec::new() };
        let found = read(&opml(&title, &[Outline { below: vec![leaf.clone()], ..leaf.clone() }, leaf]));
        prop_assert_eq!(found.iter().filter(|found| found.starts_with("outline")).count(), 4);
        let mut article = create(1, &english());
        article.headline = name;
        article.language = title.clone();
        let found = read(&news_sitemap(&title, &links(), [&article]));
        prop_assert_eq!(found.iter().filter(|found| *found == "url").count(), 1);
    }
}
