//! Feeds that nobody asked for before, their pages of older articles, and the lists of everything.

use article::{Article, Command, RevisionKind};
use reqwest::StatusCode;
use serde_json::json;

use super::*;

/// The addresses of feeds are of the public site, this replica listens somewhere else.
fn path(url: &str) -> &str {
    url.strip_prefix("https://news.example").unwrap()
}

fn older(feed: &feed_rs::model::Feed) -> Option<String> {
    let link = feed.links.iter().find(|link| link.rel.as_deref() == Some("prev-archive"))?;
    Some(path(&link.href).to_owned())
}

fn numbered(n: u8) -> Article {
    let mut document = document();
    document["headline"] = format!("Number {n}").into();
    document["keywords"] = json!([if n.is_multiple_of(2) { "even" } else { "odd" }]);
    document["published"] = json!({"at": format!("2026-01-{:02}T{:02}:00:00Z", n % 28 + 1, n % 23), "tz": "UTC"});
    create(n, &document)
}

#[tokio::test]
async fn every_article_is_reached_from_the_feed_whoever_asks_first() {
    let (nats, bus) = provisioned().await;
    for n in 0..130 {
        publish(&bus, &numbered(n)).await;
    }
    let replica = Replica::start(&nats).await;
    for (selection, expected) in [("keyword/odd", 65), ("all", 130), ("text/number", 130), ("!keyword/odd", 65)] {
        for form in [".atom", ".rss"] {
            let (mut seen, mut next) = (std::collections::BTreeSet::new(), Some(format!("/feeds/{selection}{form}")));
            while let Some(address) = next {
                let response = replica.get(&address).await;
                assert_eq!(response.status(), StatusCode::OK, "{address}");
                let page = address.replace(form, "");
                assert_eq!(replica.get(&page).await.status(), StatusCode::OK, "{page}");
                let feed = feed_rs::parser::parse(&response.bytes().await.unwrap()[..]).unwrap();
                seen.extend(feed.entries.iter().map(|entry| entry.id.clone()));
                next = older(&feed);
            }
            assert_eq!(seen.len(), expected, "{selection}{form}");
        }
    }
    // A page that was linked goes when its articles move, and its successor is linked.
    let feed = feed_rs::parser::parse(replica.text("/feeds/all.atom").await.as_bytes()).unwrap();
    let before = older(&feed).unwrap();
    let mut old = document();
    old["headline"] = "Older than all others".into();
    publish(&bus, &create(200, &old)).await;
    eventually("the page has moved", async || match replica.get(&before).await.status() {
        StatusCode::NOT_FOUND => Ok(()),
        other => Err(other),
    })
    .await;
    let feed = feed_rs::parser::parse(replica.text("/feeds/all.atom").await.as_bytes()).unwrap();
    assert_eq!(replica.get(&older(&feed).unwrap()).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_feed_of_words_is_kept_up_once_it_was_asked_for() {
    let (nats, bus) = provisioned().await;
    let first = numbered(1);
    publish(&bus, &first).await;
    let replica = Replica::start(&nats).await;
    let empty = replica.text("/feeds/text/harbour-news.atom").await;
    assert!(empty.contains("<feed") && !empty.contains("<entry"), "{empty}");
    let mut document = document();
    document["headline"] = "Harbour news".into();
    document["keywords"] = json!(["odd"]);
    document["published"] = json!({"at": "2026-01-02T01:00:00Z", "tz": "UTC"});
    let (kind, draft) = (RevisionKind::Major, draft(&document));
    let second = then(&first, Command::Revise { kind, note: None, draft, provenance: provenance() });
    publish(&bus, &second).await;
    replica.says("/feeds/text/harbour-news.atom", "Harbour news").await;
    publish(&bus, &then(&second, Command::Kill { note: "Order.".into() })).await;
    let feed = replica.says("/feeds/section/open-justice.atom", "Order.").await;
    assert!(!feed.contains("Since Monday"), "{feed}");
    let words = replica.text("/feeds/text/harbour-news.atom").await;
    assert!(words.contains("Order."), "its headline is left to it: {words}");
    // Its keywords went with it, and with them its place here.
    assert_eq!(replica.get("/feeds/keyword/odd.atom").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn lists_are_of_what_there_is() {
    let (nats, bus) = provisioned().await;
    let replica = Replica::start(&nats).await;
    for address in ["/feeds/section/open-justice", "/feeds/keyword/odd.rss", "/feeds/language/en.atom"] {
        assert_eq!(replica.get(address).await.status(), StatusCode::NOT_FOUND, "{address}");
    }
    let empty = replica.get("/feeds.opml").await;
    assert!(!empty.text().await.unwrap().contains("open-justice"));
    let mut today = document();
    today["published"] = Value::Null;
    publish(&bus, &create(1, &today)).await;
    replica.says("/feeds.opml", "https://news.example/feeds/section/open-justice.atom").await;
    replica.says("/sitemap-news.xml", "Court opens its archive").await;
    publish(&bus, &then(&create(1, &today), Command::Withdraw { note: "Doubtful.".into() })).await;
    eventually("the sitemap is without it", async || {
        let text = replica.text("/sitemap-news.xml").await;
        if text.contains("<loc>") { Err(text) } else { Ok(()) }
    })
    .await;
    for address in ["/feeds/section/open-justice", "/feeds/language/en.atom"] {
        assert_eq!(replica.get(address).await.status(), StatusCode::OK, "{address}");
    }
}
