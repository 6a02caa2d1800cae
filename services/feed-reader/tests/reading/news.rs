//! What is new becomes an article, once; what changes becomes a revision; what is gone stays.

use reqwest::Method;
use serde_json::json;

use crate::desk::Desk;
use crate::upstream::{Upstream, item, rss};

#[tokio::test]
async fn news_becomes_articles_once_and_changes_become_revisions() {
    let (desk, upstream) = (Desk::open().await, Upstream::start().await);
    let items = |host: &str, text: &str| {
        rss(&[
            item(&format!("{host}/a?utm_source=rss"), 3, "新闻三", "第三条新闻的正文。"),
            item(&format!("{host}/b"), 2, "Second", text),
            item(&format!("{host}/c"), 1, "First &nbsp;with & a bare one", "The first text."),
        ])
    };
    upstream.feed("/feed", "W/\"1\"", &items("http://echo.example", "The second text, as it was first written."));
    desk.reader(None).await;
    let id = desk.source(&upstream.url("/feed")).await;
    let state = desk.settled(&id, "it was read", |state| state.read_at.is_some()).await;
    assert_eq!((state.title.as_deref(), state.trouble), (Some("The Echo"), None));
    let articles = desk.articles().await;
    assert_eq!(articles.len(), 3, "{:?}", articles.keys());
    let second = &articles["Second"];
    assert_eq!((&second["revision"], &second["provenance"]["channel"]), (&json!(1), &json!("feed")));
    assert_eq!((&second["section"], &second["language"]), (&json!(["World"]), &json!("en")));
    assert_eq!(second["sources"][0]["name"], "The Echo");
    assert!(articles["新闻三"]["body"].as_str().unwrap().contains("第三条新闻"));

    desk.next_turn(&id).await;
    let asked = upstream.asked("/feed");
    assert!(asked[1].contains("if-none-match: W/\"1\""), "{}", asked[1]);
    assert!(asked[0].contains("newswire-feed-reader/") && asked[0].contains("(+https://riverton.example/about)"));

    // Another host and scheme in every guid: the same items.
    upstream.feed("/feed", "\"2\"", &items("https://www.echo.example", "The second text, as it was first written."));
    desk.next_turn(&id).await;
    assert_eq!(desk.revisions().await, (3, 3), "nothing is new");

    upstream.feed("/feed", "\"3\"", &items("https://www.echo.example", "The second text, as it was written at last."));
    desk.next_turn(&id).await;
    assert_eq!(desk.revisions().await, (4, 3));
    let second = &desk.articles().await["Second"];
    assert_eq!((&second["revision"], &second["change"]["kind"]), (&json!(2), &json!("minor")));
    assert!(second["body"].as_str().unwrap().contains("at last"));

    // Two are no longer there, one is new.
    upstream.feed("/feed", "\"4\"", &rss(&[item("https://echo.example/d", 4, "Fourth", "Text.")]));
    desk.next_turn(&id).await;
    let articles = desk.articles().await;
    assert_eq!(articles.len(), 4);
    assert!(articles.values().all(|article| article["status"] == "published"), "absence is no deletion");
}

#[tokio::test]
async fn what_the_newsroom_has_changed_its_source_no_longer_does() {
    let (desk, upstream) = (Desk::open().await, Upstream::start().await);
    upstream.feed("/feed", "\"1\"", &rss(&[item("a", 1, "Ours", "As the source has it.")]));
    desk.reader(None).await;
    let id = desk.source(&upstream.url("/feed")).await;
    desk.settled(&id, "it was read", |state| state.read_at.is_some()).await;
    let article = desk.articles().await["Ours"].clone();
    let path = format!("v1/articles/{}", article["id"].as_str().unwrap().trim_start_matches("urn:uuid:"));
    let edited = json!({ "headline": "Ours", "body": "As the newsroom has it.", "language": "en", "change": { "kind": "minor" } });
    desk.newsroom(Method::PUT, &path, &[("if-match", "\"1\"")], edited).await;

    for (etag, text) in [("\"2\"", "The source has changed its mind."), ("\"3\"", "And once more.")] {
        upstream.feed("/feed", etag, &rss(&[item("a", 1, "Ours", text)]));
        let state = desk.next_turn(&id).await;
        assert_eq!(state.trouble, None);
    }
    assert_eq!(desk.revisions().await, (2, 1));
    assert!(desk.articles().await["Ours"]["body"].as_str().unwrap().contains("newsroom"));
}

#[tokio::test]
async fn a_new_source_brings_its_newest_items_only() {
    let (desk, upstream) = (Desk::open().await, Upstream::start().await);
    let all: Vec<String> = (0..80)
        .rev()
        .map(|n| item(&format!("g{n}"), n, &format!("Headline {n}"), &format!("Text number {n}.")))
        .collect();
    upstream.feed("/feed", "\"1\"", &rss(&all));
    desk.reader(None).await;
    let id = desk.source(&upstream.url("/feed")).await;
    desk.settled(&id, "it was read", |state| state.read_at.is_some()).await;
    let articles = desk.articles().await;
    assert_eq!(articles.len(), 50);
    assert!(articles.contains_key("Headline 79") && articles.contains_key("Headline 30"));
    assert!(!articles.contains_key("Headline 29"));
    upstream.feed("/feed", "\"2\"", &rss(&[vec![item("g80", 80, "Headline 80", "Text number 80.")], all].concat()));
    desk.next_turn(&id).await;
    assert_eq!(desk.revisions().await, (51, 51), "those that were left out stay out");
}
