//! Reads every format with feed-rs and compares the fields with the article's.

use feed::Format;
use feed_rs::model::Feed;

use crate::samples::{at, chinese, create, english, feed};

pub(crate) fn parse(written: &str) -> Feed {
    feed_rs::parser::parse(written.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{written}"))
}

#[test]
fn every_format_tells_the_same_story() {
    for document in [english(), chinese()] {
        let article = create(1, &document);
        for format in Format::ALL {
            let written = feed(format, std::slice::from_ref(&article));
            let parsed = parse(&written);
            assert_eq!(parsed.title.unwrap().content, "Riverton news", "{format:?}");
            let [entry] = parsed.entries.as_slice() else { panic!("{format:?}: one entry expected") };
            assert_eq!(entry.id, article.id.to_string(), "{format:?}");
            assert_eq!(entry.title.as_ref().unwrap().content, article.headline, "{format:?}");
            let published = entry.published.unwrap().timestamp();
            assert_eq!(published, article.published.as_ref().unwrap().at.as_second(), "{format:?}");
            assert_eq!(entry.authors[0].name, article.byline, "{format:?}");
            let content = entry.content.as_ref().unwrap().body.as_ref().unwrap();
            assert_eq!(content.trim(), article.body.as_ref().unwrap(), "{format:?}");
            if let Some(summary) = &article.summary {
                assert!(entry.summary.as_ref().unwrap().content.contains(summary), "{format:?}");
            }
            let link = format!("https://news.example/articles/{}", article.id.token());
            assert_eq!(entry.links[0].href, link, "{format:?}");
            if format != Format::Json {
                let categories: Vec<&str> = entry.categories.iter().map(|category| category.term.as_str()).collect();
                for name in article.section.iter().chain(&article.keywords) {
                    assert!(categories.contains(&name.as_str()), "{format:?}: {name} in {categories:?}");
                }
            }
            for source in &article.sources {
                assert!(written.contains(&source.name), "{format:?}: {}", source.name);
            }
        }
    }
}

#[test]
fn a_date_keeps_its_newsrooms_day_and_offset() {
    let article = create(1, &english());
    let rss = feed(Format::Rss, std::slice::from_ref(&article));
    assert!(rss.contains("<pubDate>Mon, 26 Nov 2018 00:00:00 +0800</pubDate>"), "{rss}");
    let atom = feed(Format::Atom, std::slice::from_ref(&article));
    assert!(atom.contains("<published>2018-11-26T00:00:00+08:00</published>"), "{atom}");
    let json: serde_json::Value = serde_json::from_str(&feed(Format::Json, &[article])).unwrap();
    let item = &json["items"][0];
    assert_eq!(item["date_published"], "2018-11-26T00:00:00+08:00");
    assert_eq!(item["_newswire"]["date_precision"], "date");
    assert_eq!(item["_newswire"]["sources"][0]["name"], "Riverton Evening News");
    assert_eq!(
        item["tags"],
        serde_json::json!(["Open justice and clean government", "courts", "archives", "judiciary"])
    );
}

#[test]
fn articles_of_one_midnight_have_updates_of_their_own() {
    let articles: Vec<_> = (0..50).map(|n| create(n, &english())).collect();
    let parsed = parse(&feed(Format::Atom, &articles));
    let mut updates: Vec<_> = parsed.entries.iter().map(|entry| entry.updated.unwrap()).collect();
    updates.sort();
    updates.dedup();
    assert_eq!(updates.len(), 50);
    for updated in updates {
        assert_eq!(updated.timestamp(), at("2018-11-25T16:00:00Z").as_second(), "the second stays what it was");
    }
}

#[test]
fn what_is_for_editors_stays_with_them() {
    let article = create(1, &english());
    assert!(article.ed_note.is_some());
    for format in Format::ALL {
        assert!(!feed(format, std::slice::from_ref(&article)).contains("EDITORS-ONLY"), "{format:?}");
    }
}

#[test]
fn an_empty_feed_is_a_feed() {
    for format in Format::ALL {
        let parsed = parse(&feed(format, &[]));
        assert!(parsed.entries.is_empty(), "{format:?}");
    }
}
