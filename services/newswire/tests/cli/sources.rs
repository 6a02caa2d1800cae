//! `newswire source`: what is entered is there, what is wrong is said, and lists of other programs come in and go out.

use bus::{Bus, Credentials, HeaderMap, Server};
use feed_reader::quarantine::Quarantined;
use feed_reader::source::Source;
use jiff::Timestamp;
use topology::{QUARANTINE, subjects};

use crate::desk::Desk;

const FEED: &str = "https://echo.example/feed";

async fn desk() -> Desk {
    let desk = Desk::bare().await;
    desk.ok(&["provision"]).await;
    desk
}

#[tokio::test]
async fn a_source_is_added_changed_paused_resumed_and_removed() {
    let desk = desk().await;
    let source = async |args: &[&str]| desk.ok(&[&["source"], args, &["--publisher", "hefei"]].concat()).await.out;
    assert!(source(&["list"]).await.contains("there are no sources"));
    let id = Source::id(&FEED.parse().unwrap());
    assert_eq!(
        source(&["add", FEED, "--section", "World/Asia", "--language", "ZH-hans"]).await,
        format!("added: {id}\n")
    );
    assert_eq!(source(&["add", &format!("{FEED}#part"), "--name", "回声报"]).await, format!("changed: {id}\n"));
    let shown: serde_json::Value = serde_json::from_str(&source(&["show", "回声报", "--json"]).await).unwrap();
    assert_eq!(shown["source"]["section"], serde_json::json!(["World", "Asia"]), "what is not said stays");
    assert_eq!((&shown["source"]["language"], &shown["id"]), (&"zh-Hans".into(), &id.as_str().into()));
    assert!(source(&["list"]).await.contains("not read yet"));
    source(&["pause", FEED]).await;
    assert!(source(&["list"]).await.contains("paused"));
    assert!(source(&["pause", FEED]).await.contains("already"));
    source(&["resume", &id[..6]]).await;
    assert!(source(&["show", FEED]).await.contains("not read yet"));
    source(&["remove", &id]).await;
    assert!(source(&["list"]).await.contains("there are no sources"));
    let gone = desk.run(&["source", "show", FEED, "--publisher", "hefei"]).await;
    assert!(gone.code == 1 && gone.err.contains("source list"), "{gone:?}");
    assert_eq!(source(&["add", FEED]).await, format!("added: {id}\n"), "who was removed may come back");
    let fresh: serde_json::Value = serde_json::from_str(&source(&["show", &id, "--json"]).await).unwrap();
    assert_eq!(fresh["source"].get("name"), None, "as somebody new");
}

#[tokio::test]
async fn what_cannot_be_a_source_is_refused_in_words() {
    let desk = desk().await;
    for (args, said) in [
        (&["add", "ftp://echo.example/feed"][..], "http://"),
        (&["add", "https://user:hunter2@echo.example/feed"], "not read"),
        (&["add", "echo"], "relative URL"),
        (&["add", FEED, "--language", "Chinese (simplified)"], "language tag"),
        (&["add", FEED, "--section", "a//b"], "levels"),
        (&["add", FEED, "--name", ""], "120"),
    ] {
        let ran = desk.run(&[&["source"], args, &["--publisher", "hefei"]].concat()).await;
        assert!(ran.code == 2 && ran.err.contains(said) && !ran.err.contains("hunter2 "), "{args:?}: {ran:?}");
    }
}

#[tokio::test]
async fn lists_come_in_once_and_go_out_as_they_are() {
    let desk = desk().await;
    let opml = r#"<opml version="1.0"><body><outline text="World &amp; Asia"><outline title="Échos" XMLURL="https://echo.example/feed"/>
        <outline text="回声" xmlUrl="https://回声.example/feed?a=1&b=2"/></outline><outline text="No feed" xmlUrl="nonsense"/></body></opml>"#;
    let args = ["source", "import-opml", "-", "--publisher", "hefei"];
    let ran = desk.run_with(&args, &[], opml.as_bytes()).await;
    assert_eq!((ran.code, ran.out.as_str()), (0, "added 2 of 2 feeds\n"), "{ran:?}");
    assert!(ran.err.contains("nonsense"), "{ran:?}");
    desk.ok(&["source", "add", FEED, "--name", "The Echo", "--publisher", "hefei"]).await;
    let again = desk.run_with(&args, &[], opml.as_bytes()).await;
    assert_eq!(again.out, "added 0 of 2 feeds\n");
    let out = desk.ok(&["source", "export-opml", "--publisher", "hefei"]).await.out;
    let list = upstream::opml::read(out.as_bytes()).unwrap();
    let mut named: Vec<_> = list.outlines.iter().map(|o| (o.title.clone().unwrap(), o.folders.clone())).collect();
    named.sort();
    let folders = vec!["World & Asia".to_owned()];
    assert_eq!(named, [("The Echo".to_owned(), folders.clone()), ("回声".to_owned(), folders)]);
    let none = desk.run_with(&args, &[], b"<html>").await;
    assert!(none.code == 1 && none.err.contains("not a list of feeds"), "{none:?}");
}

#[tokio::test]
async fn what_nobody_could_read_can_be_looked_at() {
    let desk = desk().await;
    assert!(desk.ok(&["source", "quarantine", "list", "--publisher", "hefei"]).await.out.contains("nothing"));
    let server = Server { url: desk.nats.url().into(), credentials: Credentials::None };
    let bus = Bus::connect(&server, "test").await.unwrap();
    let bytes = b"\x1b[31m<rss>\xff";
    let found = Quarantined::new(FEED.parse().unwrap(), Timestamp::UNIX_EPOCH, "not\na feed", None, bytes);
    let subject = subjects::quarantine(&"hefei".parse().unwrap(), "a1", "0123456789abcdef");
    bus.publish(&QUARANTINE, &subject, &subject, HeaderMap::new(), found.to_bytes().into(), None).await.unwrap();
    let list = desk.ok(&["source", "quarantine", "list", "--publisher", "hefei"]).await.out;
    assert!(
        list.contains("0123456789ab") && list.contains("11 bytes") && list.contains("not\\u{000a}a feed"),
        "{list}"
    );
    let mut show = testkit::built("newswire");
    show.args(["source", "quarantine", "show", "0123", "--publisher", "hefei"])
        .env("NEWSWIRE_NATS_URL", desk.nats.url());
    let shown = show.output().unwrap();
    assert_eq!(shown.stdout, bytes, "as they came");
    let none = desk.run(&["source", "quarantine", "show", "ffff", "--publisher", "hefei"]).await;
    assert!(none.code == 1 && none.err.contains("quarantine list"), "{none:?}");
}
