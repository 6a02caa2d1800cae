//! From a page to the article it becomes, and to the key under which it becomes that once.

use import::{Format, Imported, Precision};
use publisher::token::sha256_hex;
use serde_json::{Map, Value, json};
use unicode_normalization::UnicodeNormalization;

/// What was dropped is kept beside the article up to this size, in bytes: `ext` may have 64 KiB.
const MAX_DROPPED: usize = 32 * 1024;

/// The document that the publisher gets. Nothing in it depends on the time or the version of the importer, so that the
/// same page is recognised when it comes again.
pub(super) fn document(page: &Imported, urgency: Option<u8>) -> Value {
    let precision = match page.date.precision {
        Precision::Date => "date",
        Precision::Minute => "minute",
        Precision::Second => "second",
    };
    let person = |role: &'static str| move |name: &String| json!({ "name": name, "role": role });
    let contributors: Vec<Value> =
        page.authors.iter().map(person("author")).chain(page.editors.iter().map(person("editor"))).collect();
    let mut document = json!({
        "headline": page.headline,
        "body": page.body,
        "language": page.language,
        "published": { "at": page.date.to_string(), "precision": precision, "tz": page.date.timezone },
        "contributors": contributors,
        "ext": { "newswire.import": account(page) },
    });
    let optional = [
        ("section", page.section.as_ref().map(|section| json!([section]))),
        ("byline", page.byline.as_ref().map(|byline| json!(byline))),
        ("sources", page.source.as_ref().map(|name| json!([{ "name": name }]))),
        ("canonical_url", page.canonical_url.as_ref().map(|url| json!(url))),
        ("urgency", urgency.map(|urgency| json!(urgency))),
    ];
    for (field, value) in optional {
        if let Some(value) = value {
            document[field] = value;
        }
    }
    document
}

/// What an editor may ask for later: which page it was, what was left out of it, what was doubtful.
fn account(page: &Imported) -> Value {
    let mut kept = 0;
    let fits = |dropped: &&import::Dropped| {
        kept += dropped.text.len();
        kept <= MAX_DROPPED
    };
    let dropped: Vec<Value> = page.dropped.iter().take_while(fits).map(dropped).collect();
    let mut account = Map::new();
    if page.format == Format::Html {
        let origins = page.trace.iter().map(|trace| (trace.field.to_string(), json!(trace.origin)));
        account.insert("origins".into(), Value::Object(origins.collect()));
    }
    if dropped.len() < page.dropped.len() {
        account.insert("dropped_not_kept".into(), json!(page.dropped.len() - dropped.len()));
    }
    if !dropped.is_empty() {
        account.insert("dropped".into(), dropped.into());
    }
    if !page.warnings.is_empty() {
        let warnings: Vec<Value> = page.warnings.iter().map(warning).collect();
        account.insert("warnings".into(), warnings.into());
    }
    account.into()
}

pub(super) fn dropped(dropped: &import::Dropped) -> Value {
    json!({ "line": dropped.line, "text": dropped.text, "why": dropped.why.to_string() })
}

pub(super) fn warning(warning: &import::Warning) -> Value {
    json!({ "code": warning.code.as_str(), "line": warning.line, "text": warning.text })
}

/// The idempotency key of a page: its address if it is known, otherwise what makes a page that page. The same page
/// copied again, with other blanks or composed characters, has the same key.
pub(super) fn key(page: &Imported) -> String {
    let identity = match &page.canonical_url {
        Some(url) => format!("url\n{url}"),
        None => {
            let section = page.section.as_deref().unwrap_or_default();
            format!("page\n{}\n{}\n{}", folded(section), folded(&page.headline), page.date)
        }
    };
    format!("import-{}", sha256_hex(identity.as_bytes()))
}

fn folded(text: &str) -> String {
    let composed: String = text.nfkc().collect();
    composed.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use article::Draft;
    use import::{Options, import_bytes};

    use super::*;

    fn page_at(text: &str, url: Option<&str>) -> Imported {
        let options = Options { url: url.map(|url| url.parse().unwrap()), ..Options::default() };
        import_bytes(text.as_bytes(), &options).unwrap()
    }

    fn page(text: &str) -> Imported {
        page_at(text, None)
    }

    #[test]
    fn every_field_arrives_verbatim() {
        let text = "党建\n标题 <b>&\n时间：2018-11-26 09:30 作者：孙路 来源：合肥晚报 责任编辑：王五 【字号：大 中 小\n\n第一段 <i>&amp;\n\n第二段\n";
        let url = "https://news.example/1";
        let document = document(&page_at(text, Some(url)), Some(2));
        let draft = Draft::from_json(&document, "2026-11-22T00:00:00Z".parse().unwrap()).unwrap();
        assert_eq!((draft.headline.as_str(), &draft.section[..]), ("标题 <b>&", &["党建".to_owned()][..]));
        assert_eq!(draft.body, "<p>第一段 &lt;i&gt;&amp;amp;</p>\n<p>第二段</p>");
        assert_eq!(draft.warnings, [] as [String; 0], "nothing was altered");
        let published = draft.published.unwrap();
        assert_eq!(
            (published.rfc3339(), published.for_people()),
            ("2018-11-26T09:30:00+08:00".into(), "2018-11-26 09:30".into())
        );
        assert_eq!(published.tz, "Asia/Shanghai");
        let people: Vec<_> = draft.contributors.iter().map(|c| (c.name.as_str(), c.role.as_str())).collect();
        assert_eq!(people, [("孙路", "author"), ("王五", "editor")]);
        assert_eq!((draft.byline.as_deref(), draft.sources[0].name.as_str()), (Some("孙路"), "合肥晚报"));
        assert_eq!((draft.urgency, draft.canonical_url.unwrap().as_str()), (2, url));
        assert!(draft.ext["newswire.import"]["dropped"][0]["text"].as_str().unwrap().contains("字号"));
    }

    #[test]
    fn a_key_is_the_pages_identity() {
        let seed = page("S\nA  headline\nTime: 2018-11-26 Source: X\n\nText");
        let same = page("S\nA headline\nTime: 2018-11-26 Source: Y\n\nCorrected text");
        let other = page("S\nA headline\nTime: 2018-11-27 Source: X\n\nText");
        assert_eq!(key(&seed), key(&same));
        assert_ne!(key(&seed), key(&other));
        let url = Some("https://news.example/1");
        let seed = page_at("S\nA headline\nTime: 2018-11-26 Source: X\n\nText", url);
        let other = page_at("S\nA headline\nTime: 2018-11-27 Source: X\n\nText", url);
        assert_eq!(key(&seed), key(&other));
        assert_eq!(key(&seed).len(), "import-".len() + 64);
    }

    #[test]
    fn a_page_that_is_mostly_dropped_still_fits() {
        let text = format!("H\n{}\nTime: 2018-11-26 Source: X\n\nText", "x\n".repeat(10));
        let mut page = page(&text);
        let long = import::Dropped { line: 1, text: "长".repeat(8000), why: import::Why::AboveSection };
        page.dropped = vec![long.clone(), long];
        let document = document(&page, None);
        assert_eq!(document["ext"]["newswire.import"]["dropped_not_kept"], 1);
        Draft::from_json(&document, "2026-11-22T00:00:00Z".parse().unwrap()).unwrap();
    }
}
