//! The documents that the tests of this crate start from.

use article::{Article, Command, Draft, Provenance, apply};
use jiff::Timestamp;
use serde_json::{Value, json};

pub(crate) const ID: &str = "urn:uuid:0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f";

pub(crate) fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().expect("valid by construction")
}

pub(crate) fn minimal() -> Value {
    json!({"headline": "Bridge reopens", "language": "en", "body": "<p>The bridge reopened.</p>"})
}

/// Every field a newsroom can send.
pub(crate) fn full() -> Value {
    json!({
        "id": ID,
        "publisher": "city-desk",
        "change": {"kind": "new", "note": "First publication"},
        "test": true,
        "headline": "桥梁重新开放 – “all clear” 👩‍👩‍👧",
        "summary": "The bridge is open.\nTraffic was light.",
        "body": "<p>The bridge <b>reopened</b> on Monday.</p>\n<p>市民欢迎。</p>",
        "language": "zh-Hans",
        "byline": "记者 孙璐",
        "contributors": [{"name": "Ana Silva", "role": "photographer", "uri": "https://news.example/ana"}],
        "sources": [{"name": "合肥晚报", "role": "publisher", "url": "https://evening.example/"}],
        "located": "合肥",
        "section": ["World", "Asia"],
        "subjects": [{"scheme": "medtop", "code": "11000000", "name": "politics"}],
        "keywords": ["bridge", "桥"],
        "genre": "http://cv.iptc.org/newscodes/genre/Current",
        "slugline": "BRIDGE-REOPENS",
        "urgency": 2,
        "published": {"at": "2018-11-25T16:00:00Z", "precision": "date", "tz": "Asia/Shanghai"},
        "embargoed_until": "2018-11-25T00:00:00Z",
        "expires_at": "2030-01-01T00:00:00Z",
        "canonical_url": "https://news.example/2018/bridge",
        "translations": [{"language": "en", "rel": "has_translation", "url": "https://news.example/en/bridge"}],
        "associations": [{
            "type": "picture", "uri": "https://news.example/bridge.jpg", "mime": "image/jpeg", "width": 1200,
            "height": 800, "size": 250_000, "alt_text": "The bridge at dawn", "caption": "Open again", "credit": "A. Silva",
            "usage_terms": "Editorial use only",
        }],
        "copyright_holder": "City Desk",
        "copyright_notice": "© 2018 City Desk",
        "usage_terms": "No resale",
        "rights_url": "https://news.example/rights",
        "ed_note": "Check the toll before the next revision",
        "alt_ids": [{"role": "cms", "value": "4711"}],
        "ext": {"org.example": {"desk": "night"}},
    })
}

pub(crate) fn draft(document: &Value) -> Box<Draft> {
    Box::new(Draft::from_json(document, now()).expect("valid by construction"))
}

pub(crate) fn provenance() -> Provenance {
    Provenance {
        channel: "api".into(),
        raw_sha256: "ab".repeat(32),
        importer: Some("page 1".into()),
        warnings: vec!["markup removed from the body: font".into()],
    }
}

pub(crate) fn create(document: &Value) -> Article {
    let command = Command::Create {
        id: ID.parse().expect("valid by construction"),
        publisher: "city-desk".parse().expect("valid by construction"),
        draft: draft(document),
        provenance: provenance(),
    };
    apply(None, command, now()).expect("valid by construction")
}
