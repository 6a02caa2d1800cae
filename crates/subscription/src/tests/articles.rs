//! Articles to select from.

use article::{Article, ArticleId, Command, Draft, Provenance};
use serde_json::{Value, json};

/// An article of the publisher `hefei`; `fields` beside a headline, a language and a body, or in place of them.
pub(super) fn article(fields: &Value) -> Article {
    let mut document = json!({"headline": "H", "language": "en", "body_text": "B"});
    for (name, value) in fields.as_object().unwrap() {
        document[name] = value.clone();
    }
    if document.get("body").is_some() {
        document.as_object_mut().unwrap().remove("body_text");
    }
    let now = "2026-11-22T10:00:00Z".parse().unwrap();
    let provenance =
        Provenance { channel: "api".into(), raw_sha256: String::new(), importer: None, warnings: Vec::new() };
    let (publisher, draft) = ("hefei".parse().unwrap(), Box::new(Draft::from_json(&document, now).unwrap()));
    let command = Command::Create { id: ArticleId::new(now, [0; 10]), publisher, draft, provenance };
    article::apply(None, command, now).unwrap()
}

/// Three that have nothing in common.
pub(super) fn samples() -> [Article; 3] {
    [
        article(&json!({
            "headline": "Climate talks open", "language": "en-GB", "section": ["World News", "Asia"], "urgency": 2,
            "keywords": ["Climate", "Tech/Science"], "sources": [{"name": "Reuters", "role": "originator"}],
            "subjects": [{"scheme": "medtop", "code": "20000418", "name": "climate change"}],
        })),
        article(&json!({
            "headline": "党风廉政建设", "language": "zh-Hans", "section": ["要闻"], "urgency": 5, "keywords": ["廉政"],
            "body": "<p>坚持<b>党</b>风建设</p><p>全面</p>",
        })),
        article(&json!({"headline": "Party in the rain", "language": "fr", "urgency": 8, "keywords": ["sport", "🎉"]})),
    ]
}
