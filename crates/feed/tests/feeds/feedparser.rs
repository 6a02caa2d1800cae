//! Reads the feeds with Python's feedparser, the parser most of the world's readers grew up with.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use feed::Format;
use serde_json::Value;

use crate::samples::{chinese, create, english, feed};

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
