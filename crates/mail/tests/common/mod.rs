//! A site, a reader and articles to render.
#![expect(unreachable_pub, reason = "shared by test binaries, none of which is a library")]

use article::Article;
use mail::{Address, Issue, Key, Link, Locale, Message, MessageId, Personal, Site, Topic, Why};
use serde_json::{Value, json};

pub fn site() -> Site {
    Site::new(
        "Hefei News",
        "https://news.example/wire".parse().unwrap(),
        "https://mail.news.example/".parse().unwrap(),
        address("news@news.example"),
        "mail.news.example",
    )
    .unwrap()
}

pub fn address(text: &str) -> Address {
    text.parse().unwrap()
}

/// A whole article; `fields` replace those of the default.
pub fn article(fields: Value) -> Article {
    let mut value = json!({
        "id": "urn:uuid:0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f",
        "revision": 3,
        "publisher": "hefei",
        "status": "published",
        "change": {"kind": "new"},
        "headline": "Court opens an inquiry into the hospital",
        "summary": "What the court asked, and what the hospital answered.",
        "body": "<p>First paragraph.</p>\n<p>.Second begins with a dot &amp; holds a <a href=\"https://x.example/?a=1&amp;b=2\">link</a>.</p>",
        "language": "en",
        "byline": "Sun Lu",
        "sources": [{"name": "Hefei Evening News", "role": "originator", "url": "https://evening.example/"}],
        "located": "HEFEI",
        "section": ["World", "Asia & Pacific"],
        "urgency": 5,
        "first_created": "2026-11-22T10:00:00Z",
        "version_created": "2026-11-22T10:00:00Z",
        "published": {"at": "2018-11-25T16:00:00Z", "precision": "date", "tz": "Asia/Shanghai"},
        "updated_at": "2018-11-25T16:00:00Z",
        "copyright_notice": "© 2018 Hefei Evening News",
        "ed_note": "NEVER-LEAVES-THE-NEWSROOM",
        "provenance": {"channel": "api", "raw_sha256": "00"},
    });
    for (name, field) in fields.as_object().unwrap() {
        value[name] = field.clone();
    }
    serde_json::from_value(value).unwrap()
}

pub fn unsubscribe() -> Link {
    Link::new("https://mail.news.example/unsubscribe?s=1&t=abc".parse().unwrap()).unwrap()
}

pub fn manage() -> Link {
    Link::new("https://mail.news.example/preferences/abc?x=1&y=2".parse().unwrap()).unwrap()
}

/// The mail for one reader.
pub fn splice(issue: &Issue, to: &Address, locale: Locale, topic: &Topic) -> Message {
    spliced(issue, to, None, &Why::new(&site(), locale, topic))
}

pub fn spliced(issue: &Issue, to: &Address, about: Option<&MessageId>, why: &Why) -> Message {
    let key = Key::new([7; 32]);
    issue.splice(&Personal {
        to,
        message_id: &MessageId::derive(&key, "plan", to.as_str(), "mail.news.example"),
        about,
        date: "2026-11-22T10:00:05Z".parse().unwrap(),
        unsubscribe: &unsubscribe(),
        unsubscribe_mailto: Some(&address("unsubscribe+abc.def@mail.news.example")),
        manage: &manage(),
        why,
    })
}

pub fn alert(article: &Article, locale: Locale) -> Message {
    let issue = mail::compile_alert(article, &site(), locale);
    splice(&issue, &address("reader@example.org"), locale, &Topic::Section(article.section.clone()))
}
