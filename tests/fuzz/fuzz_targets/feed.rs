//! A feed of any format and encoding; the first byte chooses what its server says of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use upstream::identity::{Known, identities};
use upstream::{DraftOptions, revision::Fingerprint};
use url::Url;

const SERVED_AS: [Option<&str>; 4] =
    [None, Some("text/xml; charset=gb18030"), Some("application/json"), Some("text/xml; charset=utf-16")];

fuzz_target!(|bytes: &[u8]| {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let address = Url::parse("https://news.example/feed").expect("it is an address");
    let now = "2026-11-23T10:00:00Z".parse().expect("it is a time");
    let Ok(feed) = upstream::read(bytes, SERVED_AS[usize::from(first % 4)], &address) else { return };
    let options = DraftOptions { language: "en".into(), ..DraftOptions::default() };
    for item in &feed.items {
        let _ = Fingerprint::of(item);
        if let Ok(draft) = item.draft(&feed, &options, now) {
            let read = article::Draft::from_json(&draft, now);
            assert!(read.is_ok(), "{read:?}: {draft}");
        }
    }
    let mut known = Known::default();
    for (n, (_, identity)) in identities(&feed.items, feed.format).into_iter().enumerate() {
        known.insert(identity, n);
    }
    let again = identities(&feed.items, feed.format);
    let found = known.recognise(again.iter().map(|(_, identity)| identity));
    for ((_, identity), found) in again.iter().zip(found) {
        assert!(found.is_some() || (identity.guid.is_none() && identity.page.is_none()));
    }
});
