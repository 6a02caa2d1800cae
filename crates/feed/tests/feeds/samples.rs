//! Articles and feeds for the tests, made the way a publisher makes them.

use article::{Article, ArticleId, Command, Draft, Provenance, RevisionKind, apply};
use feed::{FeedMeta, Format, Item, Links, Paging};
use jiff::Timestamp;
use serde_json::{Value, json};

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn english() -> Value {
    json!({
        "headline": "Riverton Municipal Court opens \"its\" archive <free> & in full",
        "body_text": "Since Monday anyone may read the court's decisions.\n\nThe reading room is open \"from nine to five\".",
        "language": "en",
        "byline": "Lin Mei",
        "contributors": [
            {"name": "Lin Mei", "role": "author"},
            {"name": "Ada Osei", "role": "photographer", "uri": "https://people.example/ada"}
        ],
        "sources": [
            {"name": "Riverton Evening News"},
            {"name": "River Wire", "role": "reference", "url": "https://wire.example/"}
        ],
        "section": ["Open justice and clean government"],
        "keywords": ["courts", "archives"],
        "subjects": [{"scheme": "medtop", "code": "20000106", "name": "judiciary"}],
        "published": {"at": "2018-11-26", "tz": "Asia/Shanghai"},
        "associations": [{
            "type": "picture", "uri": "https://img.example/court.jpg", "mime": "image/jpeg", "width": 1200,
            "height": 800, "size": 90210, "alt_text": "The reading room", "caption": "Open since Monday", "credit": "A. Osei"
        }],
        "copyright_notice": "© 2018 Riverton Evening News",
        "rights_url": "https://rights.example/terms",
        "translations": [{"language": "zh-Hans", "rel": "has_translation", "url": "https://news.example/zh/1"}],
        "ed_note": "EDITORS-ONLY: the judge asked us to call back"
    })
}

pub(crate) fn chinese() -> Value {
    json!({
        "headline": "临江市新图书馆十二月开馆",
        "summary": "新馆藏书三十万册，周末开放至二十一时。",
        "body_text": "记者从市文化局获悉，新图书馆将于十二月一日开馆。\n\n新馆设有儿童阅览区。",
        "language": "zh-Hans",
        "byline": "周岚",
        "sources": [{"name": "临江晚报"}],
        "section": ["文化", "图书馆"],
        "published": {"at": "2018-11-26 09:30", "tz": "Asia/Shanghai"},
        "urgency": 3
    })
}

pub(crate) fn provenance() -> Provenance {
    Provenance { channel: "api".into(), raw_sha256: "00".repeat(32), importer: None, warnings: Vec::new() }
}

pub(crate) fn draft(document: &Value) -> Box<Draft> {
    Box::new(Draft::from_json(document, at("2026-01-01T00:00:00Z")).unwrap())
}

/// Article number `n` of the publisher `riverton`, created at a fixed time.
pub(crate) fn create(n: u8, document: &Value) -> Article {
    let publisher: article::PublisherId = "riverton".parse().unwrap();
    let id = ArticleId::derived(&publisher, "sample", &[n]);
    let command = Command::Create { id, publisher, draft: draft(document), provenance: provenance() };
    apply(None, command, at("2026-01-01T00:00:00Z")).unwrap()
}

pub(crate) fn correct(article: &Article, document: &Value, note: &str, now: &str) -> Article {
    let kind = RevisionKind::Correction;
    let command = Command::Revise { kind, note: Some(note.into()), draft: draft(document), provenance: provenance() };
    apply(Some(article), command, at(now)).unwrap()
}

pub(crate) fn links() -> Links {
    Links::new(&"https://news.example/".parse().unwrap())
}

pub(crate) fn meta() -> FeedMeta {
    FeedMeta {
        title: "Riverton news".into(),
        site_title: "Riverton newsroom".into(),
        description: "Everything the newsroom publishes".into(),
        page_url: "https://news.example/feeds/all".into(),
        language: Some("en".into()),
        hub: None,
    }
}

pub(crate) fn live() -> Paging {
    Paging::Live { prev: None }
}

pub(crate) fn feed(format: Format, articles: &[Article]) -> String {
    let items: Vec<Item> = articles.iter().filter_map(|article| Item::render(article, &links())).collect();
    written(format, &meta(), &live(), &items)
}

/// A document as text, once a stranger has found in it what it says it holds.
pub(crate) fn written(format: Format, meta: &FeedMeta, paging: &Paging, items: &[Item]) -> String {
    let document = feed::document(format, meta, paging, &items.iter().collect::<Vec<_>>());
    let text = String::from_utf8(document.bytes).unwrap();
    let read = feed::check(format, text.as_bytes()).unwrap_or_else(|error| panic!("{format:?}: {error}\n{text}"));
    assert_eq!(read, document.ids, "{format:?}");
    text
}
