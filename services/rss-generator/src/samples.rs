//! Articles for this crate's own tests, made the way a publisher makes them.

use article::{Article, ArticleId, Command, Draft, Provenance, apply};
use jiff::Timestamp;
use serde_json::{Value, json};

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn provenance() -> Provenance {
    Provenance { channel: "api".into(), raw_sha256: "00".repeat(32), importer: None, warnings: Vec::new() }
}

pub(crate) fn document(section: &str, published: &str) -> Value {
    json!({
        "headline": format!("News of {section} at {published}"), "body_text": "One.\n\nTwo.", "language": "en",
        "section": [section], "published": {"at": published, "tz": "UTC"},
    })
}

pub(crate) fn draft(document: &Value) -> Box<Draft> {
    Box::new(Draft::from_json(document, at("2026-06-01T00:00:00Z")).unwrap())
}

pub(crate) fn create(n: u16, document: &Value, now: &str) -> Article {
    let publisher: article::PublisherId = "riverton".parse().unwrap();
    let id = ArticleId::derived(&publisher, "sample", &n.to_be_bytes());
    let command = Command::Create { id, publisher, draft: draft(document), provenance: provenance() };
    apply(None, command, at(now)).unwrap()
}

pub(crate) fn reinstate(article: &Article, document: &Value, now: &str) -> Article {
    then(article, Command::Reinstate { note: None, draft: draft(document), provenance: provenance() }, now)
}

pub(crate) fn revise(article: &Article, kind: article::RevisionKind, document: &Value, now: &str) -> Article {
    let note = (kind == article::RevisionKind::Correction).then(|| "It was wrong.".to_owned());
    then(article, Command::Revise { kind, note, draft: draft(document), provenance: provenance() }, now)
}

pub(crate) fn then(article: &Article, command: Command, now: &str) -> Article {
    apply(Some(article), command, at(now)).unwrap()
}
