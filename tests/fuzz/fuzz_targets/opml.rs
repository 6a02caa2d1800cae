//! A list of feeds, and what we write of it again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use upstream::opml;

fuzz_target!(|bytes: &[u8]| {
    let Ok(list) = opml::read(bytes) else { return };
    let now = "2026-11-23T10:00:00Z".parse().expect("it is a time");
    let written = opml::write("List", now, &list.outlines);
    if list.outlines.is_empty() {
        return;
    }
    let again = opml::read(written.as_bytes()).expect("what we write, we read");
    assert_eq!(again.outlines.len(), list.outlines.len());
});
