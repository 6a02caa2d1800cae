//! Whole documents against golden files. `UPDATE_GOLDEN=1` writes them anew; read the difference before it is committed.

use std::path::PathBuf;

use feed::{FeedMeta, Format, Item, Paging};

use crate::lifecycle::killed;
use crate::samples::{chinese, create, english, feed, links, meta, written};

pub(crate) fn is_golden(name: &str, written: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/feeds/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, written).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    assert_eq!(written, golden, "{} differs; if that is intended, run with UPDATE_GOLDEN=1", path.display());
}

#[test]
fn feeds_are_byte_for_byte_what_they_were() {
    let articles = [create(1, &chinese()), create(2, &english())];
    for format in Format::ALL {
        is_golden(&format!("two-articles.{}", format.extension()), &feed(format, &articles));
    }
}

#[test]
fn archives_and_deltas_are_byte_for_byte_what_they_were() {
    let page = |n: u32| format!("https://news.example/feeds/all;{n}-0badcafe");
    let archive = FeedMeta { page_url: page(2), hub: Some("https://news.example/hub".into()), ..meta() };
    let current = meta().page_url;
    let paging = Paging::Archive { current, prev: Some(page(1)), next: Some(page(3)) };
    let items = [Item::render(&killed(&create(1, &english())), &links()).unwrap()];
    for format in Format::ALL {
        is_golden(&format!("archive.{}", format.extension()), &written(format, &archive, &paging, &items));
        let live = FeedMeta { hub: archive.hub.clone(), ..meta() };
        is_golden(&format!("delta.{}", format.extension()), &written(format, &live, &Paging::Delta, &items));
        let paging = Paging::Live { prev: Some(page(2)) };
        is_golden(&format!("live.{}", format.extension()), &written(format, &live, &paging, &[]));
    }
}
