//! Articles for this crate's own tests, made the way a publisher makes them.

use std::sync::Arc;

use article::wire::v1::Envelope;
use article::{Article, ArticleId, Command, Draft, Provenance, apply};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::config::Config;
use crate::counts::Counts;
use crate::document::Document;
use crate::encode::Packer;
use crate::library::{Key, Library};
use crate::site::Site;
use crate::stand::{Making, Stand};
use crate::state::Revision;

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

/// As the log has it.
pub(crate) fn logged(article: &Article) -> Revision {
    Revision::read(&Envelope::new(article.clone(), None).to_bytes()).unwrap()
}

fn config() -> Config {
    Config {
        nats: bus::Server { url: String::new(), credentials: bus::Credentials::None },
        listen: "127.0.0.1:0".parse().unwrap(),
        metrics: None,
        tls: None,
        public_url: "https://news.example/".parse().unwrap(),
        site_title: "Riverton".into(),
        subscribe_url: Some("https://mail.example/subscribe".parse().unwrap()),
        allowed: fetch::Networks::default(),
        client_ip_header: None,
        pinned: Vec::new(),
        memory: 256 << 20,
    }
}

pub(crate) fn site() -> Site {
    Site::new(&config())
}

/// What a replica without its network serves from.
pub(crate) fn stand() -> (Stand, Arc<Library>) {
    let (config, library) = (config(), Arc::new(Library::new(Packer::new().0)));
    (Stand::new(site(), library.clone(), config.pinned, config.memory, Counts::default()), library)
}

/// What a reader is answered.
pub(crate) fn make(stand: &mut Stand, key: &Key, now: Timestamp) -> Option<Arc<Document>> {
    match stand.make(key, now) {
        Making::Done(document) => Some(document),
        Making::Nothing => None,
        Making::Failed | Making::Unread(_) => panic!("{key:?}"),
    }
}
