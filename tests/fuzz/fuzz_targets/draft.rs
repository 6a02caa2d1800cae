//! Our own JSON: whatever is read as a draft becomes an article that its consumers can read.
#![no_main]

use article::wire::v1::Envelope;
use article::{ArticleId, Command, Draft, Provenance, apply};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(document) = serde_json::from_slice(bytes) else { return };
    let now: jiff::Timestamp = "2026-11-22T10:00:00Z".parse().expect("a time");
    let Ok(draft) = Draft::from_json(&document, now) else { return };
    let publisher = "fuzz".parse().expect("a publisher");
    let provenance =
        Provenance { channel: "fuzz".into(), raw_sha256: String::new(), importer: None, warnings: Vec::new() };
    let create = Command::Create { id: ArticleId::new(now, [0; 10]), publisher, draft: Box::new(draft), provenance };
    let Ok(article) = apply(None, create, now) else { return };
    let envelope = Envelope::new(article, None);
    // JSON nested too deep is what the publisher refuses after this very test.
    let Ok(again) = Envelope::from_bytes(&envelope.to_bytes()) else { return };
    assert_eq!(again.data, envelope.data);
});
