//! Reads feeds and prints what is in them as JSON, one line each, next to what feed-rs by itself makes of the bytes.
//!
//! For `tests/foreign/feed_corpora.py`, or by hand:
//! `echo '{"path": "feed.xml", "content_type": "text/xml"}' | cargo run -p upstream --example read`

#![expect(clippy::print_stdout, reason = "an example prints what it found")]

use std::io::BufRead;
use std::panic::catch_unwind;

use serde_json::{Value, json};
use upstream::{DraftOptions, Feed};
use url::Url;

fn main() {
    // What feed-rs panics at is part of the answer.
    std::panic::set_hook(Box::new(|_| {}));
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("standard input is text");
        let asked: Value = serde_json::from_str(&line).expect("each line is an object");
        let path = asked["path"].as_str().expect("each line has a path");
        let bytes = std::fs::read(path).expect("the file can be read");
        println!("{}", answer(path, &bytes, asked["content_type"].as_str()));
    }
}

fn answer(path: &str, bytes: &[u8], content_type: Option<&str>) -> Value {
    let address = Url::parse("http://127.0.0.1:8097/").expect("it is an address");
    let plain = match catch_unwind(|| feed_rs::parser::parse(bytes)) {
        Ok(Ok(feed)) => json!(feed.entries.len()),
        Ok(Err(error)) => json!(error.to_string()),
        Err(_) => json!("panic"),
    };
    let (entries, error) = match upstream::read(bytes, content_type, &address) {
        Ok(feed) => (feed.items.iter().map(|item| entry(&feed, item)).collect(), Value::Null),
        Err(error) => (Vec::new(), error.to_string().into()),
    };
    json!({ "path": path, "feed_rs": plain, "entries": entries, "error": error })
}

fn entry(feed: &Feed, item: &upstream::Item) -> Value {
    let now = "2026-11-23T00:00:00Z".parse().expect("it is a time");
    let options = DraftOptions { language: "en".into(), ..DraftOptions::default() };
    let draft = match item.draft(feed, &options, now) {
        Ok(draft) => match article::Draft::from_json(&draft, now) {
            Ok(_) => "valid".into(),
            Err(problems) => format!("refused: {problems:?}"),
        },
        Err(error) => error.to_string(),
    };
    json!({
        "id": item.guid,
        "title": item.title,
        "link": item.link.as_ref().map(Url::as_str),
        "published": item.published.as_ref().map(|date| date.at.as_second()),
        "updated": item.updated.as_ref().map(|date| date.at.as_second()),
        "draft": draft,
    })
}
