//! Reads the feeds with Python's feedparser, the parser most of the world's readers grew up with.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use feed::{FeedMeta, Format, Item, Paging};
use serde_json::{Value, json};

use crate::lifecycle::killed;
use crate::samples::{chinese, create, english, feed, links, meta, written};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// `None`, with a line that says so, where the tools are not installed (`tests/run` installs them).
fn read(written: &str) -> Option<Value> {
    let python = root().join("tests/.tools/venv/bin/python");
    if !python.exists() {
        eprintln!("skipped: {} is not there; tests/run makes it", python.display());
        return None;
    }
    let mut child = Command::new(python)
        .arg(root().join("tests/foreign/read_feed.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(written.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "read_feed.py failed");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn feedparser_reads_the_same_fields() {
    for document in [english(), chinese()] {
        let article = create(1, &document);
        // feedparser reads XML only.
        for format in [Format::Rss, Format::Atom] {
            let Some(parsed) = read(&feed(format, std::slice::from_ref(&article))) else { return };
            assert_eq!(parsed["bozo"], false, "{format:?}: {}", parsed["problem"]);
            assert_eq!(parsed["title"], "Riverton news", "{format:?}");
            let entry = &parsed["entries"][0];
            assert_eq!(entry["id"], article.id.to_string(), "{format:?}");
            assert_eq!(entry["title"], article.headline, "{format:?}");
            assert_eq!(entry["author"], *article.byline.as_ref().unwrap(), "{format:?}");
            let published = article.published.as_ref().unwrap();
            assert_eq!(entry["published_unix"], published.at.as_second(), "{format:?}");
            let as_written = if format == Format::Rss { published.rfc5322() } else { published.rfc3339() };
            assert_eq!(entry["published"], as_written, "{format:?}");
            assert_eq!(
                entry["content"].as_str().unwrap().trim(),
                article.body.as_ref().unwrap().as_str(),
                "{format:?}"
            );
            let tags: Vec<&str> = entry["tags"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            assert!(tags.contains(&article.section[0].as_str()), "{format:?}: {tags:?}");
            let sources: Vec<&str> = entry["sources"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            assert!(sources.contains(&article.sources[0].name.as_str()), "{format:?}: {sources:?}");
        }
    }
}

#[test]
fn feedparser_finds_the_neighbours_of_an_archive_and_the_notice_in_it() {
    let page = |n: u32| format!("https://news.example/feeds/all;{n}-0badcafe");
    let archive = FeedMeta { page_url: page(2), ..meta() };
    let paging = Paging::Archive { current: meta().page_url, prev: Some(page(1)), next: Some(page(3)) };
    let articles = [killed(&create(1, &english())), create(2, &chinese())];
    let items = articles.each_ref().map(|article| Item::render(article, &links()).unwrap());
    for format in [Format::Rss, Format::Atom] {
        let extension = format.extension();
        let Some(parsed) = read(&written(format, &archive, &paging, &items)) else { return };
        assert_eq!(parsed["bozo"], false, "{format:?}: {}", parsed["problem"]);
        let found = parsed["links"].as_array().unwrap();
        for (relation, address) in
            [("self", page(2)), ("current", meta().page_url), ("prev-archive", page(1)), ("next-archive", page(3))]
        {
            assert!(
                found.contains(&json!([relation, format!("{address}.{extension}")])),
                "{format:?}: {relation} in {found:?}"
            );
        }
        let ids: Vec<&str> =
            parsed["entries"].as_array().unwrap().iter().filter_map(|entry| entry["id"].as_str()).collect();
        assert_eq!(ids, articles.each_ref().map(|article| article.id.to_string()), "{format:?}");
        assert_eq!(parsed["entries"][0]["author"], "riverton", "{format:?}");

        let live = FeedMeta { hub: Some("https://news.example/hub".into()), ..meta() };
        let Some(delta) = read(&written(format, &live, &Paging::Delta, &items[..1])) else { return };
        assert_eq!(delta["entries"], json!([parsed["entries"][0]]), "{format:?}");
        let found = delta["links"].as_array().unwrap();
        assert!(found.contains(&json!(["hub", "https://news.example/hub"])), "{format:?}: {found:?}");
    }
}
