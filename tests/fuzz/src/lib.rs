//! What every decoder's targets ask of its outcome.

use article::wire::v1::Envelope;
use article::{Article, ArticleId, Command, Draft, Problem, Provenance, apply};
use interchange::{Defaults, Foreign, Wish};
use serde_json::Value;

/// The article that a draft becomes, read again by its consumers; `None` for a draft with mistakes.
pub fn published(document: &Value) -> Option<Article> {
    let now: jiff::Timestamp = "2026-11-22T10:00:00Z".parse().expect("a time");
    let draft = Draft::from_json(document, now).ok()?;
    let publisher = "fuzz".parse().expect("a publisher");
    let provenance =
        Provenance { channel: "fuzz".into(), raw_sha256: String::new(), importer: None, warnings: Vec::new() };
    let create = Command::Create { id: ArticleId::new(now, [0; 10]), publisher, draft: Box::new(draft), provenance };
    let envelope = Envelope::new(apply(None, create, now).ok()?, None);
    // JSON nested too deep is what the publisher refuses after this very test.
    let again = Envelope::from_bytes(&envelope.to_bytes()).ok()?;
    assert_eq!(again.data, envelope.data);
    Some(envelope.data)
}

/// A foreign document: whatever is read of it has an identity and few warnings, and what is published becomes an
/// article or a list of mistakes.
pub fn foreign(bytes: &[u8], read: fn(&Value, &Defaults) -> Result<Foreign, Problem>) -> Option<Article> {
    let document = serde_json::from_slice(bytes).ok()?;
    let defaults = Defaults { language: Some("zh-Hans".into()), section: vec!["News".into()], tz: None };
    let foreign = read(&document, &defaults).ok()?;
    assert!(foreign.warnings.len() <= 20 && foreign.id.len() <= 500);
    assert!(!foreign.id.is_empty() || matches!(foreign.wish, Wish::Nothing { .. }));
    match foreign.wish {
        Wish::Publish(document) => published(&document),
        _ => None,
    }
}

/// A page that was read has all that an article needs, and its body survives the sanitiser as it is but for what the
/// sanitiser adds to links.
pub fn imported(page: &import::Imported) {
    assert!(!page.headline.is_empty() && !page.paragraphs.is_empty() && !page.body.is_empty());
    let clean = article::sanitise(&page.body, None);
    assert!(clean.removed.is_empty(), "{:?} in {}", clean.removed, page.body);
}
