//! What a file in the folder asks for. Pure.

use std::path::Path;

use article::ArticleId;
use interchange::Wish;
use publisher::token::sha256_hex;
use serde_json::Value;

use crate::import::{Mistake, Reading, is_page};
use crate::intake::{self, Item, WATCHED_JSON, WATCHED_NINJS, WATCHED_PAGE, Way};

/// The most bytes of a JSON document: what the publisher takes.
const MAX_JSON: usize = 1 << 20;

/// What is to be done.
#[derive(Debug)]
pub(super) enum Parcel {
    /// Publish it, once.
    Article { item: Item, way: Way },
    /// Give an article a new text: minor, major, correction or reinstate.
    Revision { whose: Whose, base: Option<u32>, document: Value },
    /// Hold, release, withdraw or kill an article.
    Change { whose: Whose, base: Option<u32>, kind: String, note: Option<String> },
}

/// Which article is meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Id(ArticleId),
    /// The one that was published under this key: the newsroom's own identity for it.
    Key(String),
}

type Read = Result<Parcel, Vec<Mistake>>;

/// Reads a file called `name`.
pub(super) fn read(name: &str, bytes: &[u8], reading: &Reading) -> Read {
    let ending = Path::new(name).extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    if is_page(Path::new(name)) {
        return Ok(Parcel::Article { item: reading.page(bytes)?, way: WATCHED_PAGE });
    }
    if ending.as_deref() != Some("json") {
        let advice = "name pages .txt or .html, and articles or ninjs .json";
        return wrong("E_UNKNOWN_KIND", format!("the name does not say what it is; {advice}"));
    }
    if bytes.len() > MAX_JSON {
        return wrong("E_TOO_LARGE", format!("more than {MAX_JSON} bytes; send pictures and files as links"));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let document: Value = match serde_json::from_slice(bytes) {
        Ok(document) => document,
        Err(error) => return wrong("E_NOT_JSON", format!("it is not JSON: {error}")),
    };
    // ninjs cannot be without it, and our own articles cannot have it.
    if document.get("uri").is_some() { foreign(&document, reading) } else { article(document, bytes) }
}

/// ninjs: its newest text, or that it is no longer for use.
fn foreign(document: &Value, reading: &Reading) -> Read {
    let foreign = match interchange::ninjs::read(document, &reading.defaults()) {
        Ok(foreign) => foreign,
        Err(problem) => return wrong("E_NINJS", problem.to_string()),
    };
    // As it stands in the `alt_ids` of the article: by them our own JSON can change what came as ninjs.
    let key = key(interchange::ninjs::ROLE, &foreign.id);
    match foreign.wish {
        Wish::Publish(mut document) => {
            if let Some(at) = foreign.changed_at {
                intake::note_change(&mut document, at);
            }
            Ok(Parcel::Article { item: Item { document, key }, way: WATCHED_NINJS })
        }
        Wish::Withdraw { note, .. } => {
            let note = note.unwrap_or_else(|| "This article was withdrawn by its source.".to_owned());
            Ok(Parcel::Change { whose: Whose::Key(key), base: None, kind: "withdraw".to_owned(), note: Some(note) })
        }
        Wish::Nothing { why } => wrong("E_NO_ARTICLE", why),
    }
}

fn wrong(code: &str, text: impl Into<String>) -> Read {
    Err(vec![Mistake::other(code, text)])
}

/// Our own JSON: a new article, or a change of one.
fn article(document: Value, bytes: &[u8]) -> Read {
    let Some(fields) = document.as_object() else {
        return wrong(
            "E_NOT_AN_ARTICLE",
            "an article is a JSON object: {\"headline\": …, \"body\": …, \"language\": …}",
        );
    };
    let own = own_key(&document);
    let kind = match document.pointer("/change/kind") {
        None | Some(Value::Null) => "new",
        Some(Value::String(kind)) => kind.as_str(),
        Some(_) => return wrong("E_CHANGE", KINDS),
    };
    if kind == "new" {
        if said(fields, "id").is_some() {
            let text = "it has an id, so the article is there already; say in change.kind what is to become of it";
            return wrong("E_CHANGE", format!("{text}: {KINDS}"));
        }
        let key = own.unwrap_or_else(|| format!("json-{}", sha256_hex(bytes)));
        return Ok(Parcel::Article { item: Item { document, key }, way: WATCHED_JSON });
    }
    let whose = match (said(fields, "id"), own) {
        (Some(id), _) => match id.as_str().and_then(|id| id.parse().ok()) {
            Some(id) => Whose::Id(id),
            None => return wrong("E_WHICH_ARTICLE", format!("{id} is not the id of an article")),
        },
        (None, Some(key)) => Whose::Key(key),
        (None, None) => {
            let text = "say which article is meant: by its id (in done/, beside the file that made it), or by the alt_ids \
                        it was published with";
            return wrong("E_WHICH_ARTICLE", text);
        }
    };
    // Whoever names a revision wants no other one changed.
    let base = match said(fields, "revision") {
        None => None,
        Some(revision) => match revision.as_u64().and_then(|revision| u32::try_from(revision).ok()) {
            Some(revision) => Some(revision),
            None => return wrong("E_CHANGE", format!("{revision} is no revision: write a number, such as 3")),
        },
    };
    match kind {
        "minor" | "major" | "correction" | "reinstate" => Ok(Parcel::Revision { whose, base, document }),
        "hold" | "release" | "withdraw" | "kill" => {
            let note = document.pointer("/change/note").and_then(Value::as_str).map(str::to_owned);
            Ok(Parcel::Change { whose, base, kind: kind.to_owned(), note })
        }
        _ => wrong("E_CHANGE", KINDS),
    }
}

/// A field that is there; null is as good as nothing.
fn said<'a>(fields: &'a serde_json::Map<String, Value>, name: &str) -> Option<&'a Value> {
    fields.get(name).filter(|value| !value.is_null())
}

const KINDS: &str = "change.kind is new, minor, major, correction, hold, release, withdraw, kill or reinstate";

/// The key of an article that the newsroom identifies itself, by the first of its `alt_ids`.
fn own_key(document: &Value) -> Option<String> {
    let first = document.pointer("/alt_ids/0")?;
    Some(key(first.get("role")?.as_str()?, first.get("value")?.as_str()?))
}

fn key(role: &str, value: &str) -> String {
    format!("alt-{}", sha256_hex(format!("{role}\n{value}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "urn:uuid:0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f";

    fn of(document: &Value) -> Read {
        read("a.json", document.to_string().as_bytes(), &Reading::default())
    }

    fn code(read: Read) -> String {
        read.expect_err("refused")[0].code.clone()
    }

    #[test]
    fn a_new_article_is_known_by_the_newsrooms_own_id_or_by_its_content() {
        let key = |document: Value| match of(&document) {
            Ok(Parcel::Article { item, .. }) => item.key,
            other => panic!("{other:?}"),
        };
        let cms = |text: &str| json!({ "headline": text, "alt_ids": [{ "role": "cms", "value": "4711" }] });
        assert_eq!(key(cms("a")), key(cms("b")));
        assert_ne!(key(json!({ "headline": "a" })), key(json!({ "headline": "b" })));
        assert_eq!(key(json!({ "headline": "a", "change": { "kind": "new" } })).len(), "json-".len() + 64);
    }

    #[test]
    fn a_change_names_its_article() {
        let change = |kind: &str| json!({ "id": ID, "revision": 3, "change": { "kind": kind, "note": "Why." } });
        for kind in ["minor", "major", "correction", "reinstate"] {
            let Ok(Parcel::Revision { whose, base, .. }) = of(&change(kind)) else { panic!("{kind}") };
            assert_eq!((whose, base), (Whose::Id(ID.parse().unwrap()), Some(3)));
        }
        for wanted in ["hold", "release", "withdraw", "kill"] {
            let Ok(Parcel::Change { kind, note, base, .. }) = of(&change(wanted)) else { panic!("{wanted}") };
            assert_eq!((kind.as_str(), note.as_deref(), base), (wanted, Some("Why."), Some(3)));
        }
        let by_cms =
            json!({ "alt_ids": [{ "role": "cms", "value": "4711" }], "change": { "kind": "kill", "note": "N" } });
        let Ok(Parcel::Change { whose: Whose::Key(key), base: None, .. }) = of(&by_cms) else { panic!() };
        assert!(key.starts_with("alt-"));
    }

    #[test]
    fn ninjs_is_an_article_of_its_own_identity() {
        let ninjs = |status: &str, body: &str| {
            json!({
                "uri": "https://agency.example/1", "language": "en", "pubStatus": status,
                "versionCreated": "2026-11-22T10:00:00Z", "headlines": [{ "value": "Bridge" }],
                "bodies": [{ "contentType": "text/plain", "value": body }],
            })
        };
        let Ok(Parcel::Article { item, way }) = of(&ninjs("usable", "One.")) else { panic!() };
        assert_eq!(way.channel, "watch-ninjs");
        assert_eq!(own_key(&item.document).as_ref(), Some(&item.key), "our own JSON finds it by its alt_ids");
        article::Draft::from_json(&item.document, "2026-11-22T11:00:00Z".parse().unwrap()).unwrap();
        let Ok(Parcel::Change { whose, kind, note, .. }) = of(&ninjs("canceled", "One.")) else { panic!() };
        assert_eq!((whose, kind.as_str(), note.is_some()), (Whose::Key(item.key), "withdraw", true));
        assert_eq!(code(of(&json!({ "uri": "https://agency.example/1" }))), "E_NINJS");
    }

    #[test]
    fn what_is_not_clear_is_refused() {
        for (document, expected) in [
            (json!([]), "E_NOT_AN_ARTICLE"),
            (json!({ "id": ID }), "E_CHANGE"),
            (json!({ "id": ID, "change": { "kind": "new" } }), "E_CHANGE"),
            (json!({ "id": ID, "change": { "kind": "delete" } }), "E_CHANGE"),
            (json!({ "id": ID, "change": { "kind": 1 } }), "E_CHANGE"),
            (json!({ "id": "x", "change": { "kind": "kill" } }), "E_WHICH_ARTICLE"),
            (
                json!({ "id": 1, "alt_ids": [{ "role": "cms", "value": "4711" }], "change": { "kind": "kill" } }),
                "E_WHICH_ARTICLE",
            ),
            (json!({ "id": ID, "revision": "3", "change": { "kind": "kill" } }), "E_CHANGE"),
            (json!({ "id": ID, "revision": -1, "change": { "kind": "minor" } }), "E_CHANGE"),
            (json!({ "id": ID, "revision": 1u64 << 32, "change": { "kind": "hold" } }), "E_CHANGE"),
            (json!({ "change": { "kind": "kill" } }), "E_WHICH_ARTICLE"),
            (json!({ "alt_ids": [{ "role": "cms" }], "change": { "kind": "minor" } }), "E_WHICH_ARTICLE"),
        ] {
            assert_eq!(code(of(&document)), expected, "{document}");
        }
        for (name, bytes, expected) in [
            ("a.json", &b"{"[..], "E_NOT_JSON"),
            ("a.pdf", b"%PDF", "E_UNKNOWN_KIND"),
            ("json", b"{}", "E_UNKNOWN_KIND"),
            ("a.txt", b"", "E_EMPTY"),
            ("a.JSON", &[b' '; MAX_JSON + 1], "E_TOO_LARGE"),
        ] {
            assert_eq!(code(read(name, bytes, &Reading::default())), expected, "{name}");
        }
        assert!(read("a.json", b"\xef\xbb\xbf{\"headline\":\"x\"}", &Reading::default()).is_ok(), "a byte order mark");
    }
}
