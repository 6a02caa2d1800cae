//! The published schema and the reader of drafts say the same: every property, required field, limit and word.

use article::{Draft, draft_schema};
use serde_json::{Map, Value, json};

fn problems(document: &Value) -> Vec<(String, String)> {
    match Draft::from_json(document, "2026-11-21T10:00:00Z".parse().expect("a time")) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.into_iter().map(|p| (p.pointer, p.code)).collect(),
    }
}

/// A place in the document: pointers of the schema and of a document that reaches it.
fn visit(schema: &Value, pointer: &str, check: &mut impl FnMut(&str, &Value)) {
    check(pointer, schema);
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        visit(property, &format!("{pointer}/{name}"), check);
    }
    if let Some(items) = schema.get("items") {
        visit(items, &format!("{pointer}/0"), check);
    }
}

/// A valid draft in which `pointer` holds `value`: containers on the way are made, with a valid sibling where needed.
fn document_with(pointer: &str, value: Value) -> Value {
    let mut root = json!({"headline": "H", "language": "en"});
    let mut at = &mut root;
    let parts: Vec<&str> = pointer.split('/').skip(1).collect();
    for (n, part) in parts.iter().enumerate() {
        let last = n + 1 == parts.len();
        let next_is_item = parts.get(n + 1).is_some_and(|next| *next == "0");
        let fresh = if last {
            value.clone()
        } else if next_is_item {
            json!([])
        } else {
            siblings(&parts[..=n])
        };
        at = match at {
            Value::Array(items) => {
                items.push(fresh);
                &mut items[0]
            }
            other => {
                other[*part] = fresh;
                &mut other[*part]
            }
        };
    }
    if !pointer.starts_with("/body") {
        root["body_text"] = json!("B");
    }
    root
}

/// The required fields of an object at this place, valid.
fn siblings(path: &[&str]) -> Value {
    match path[0] {
        "change" => json!({"kind": "minor"}),
        "contributors" => json!({"name": "N", "role": "author"}),
        "sources" => json!({"name": "N"}),
        "subjects" => json!({"scheme": "s", "code": "11000000"}),
        "published" => json!({"at": "2026-11-20T00:00:00Z", "tz": "UTC"}),
        "translations" => json!({"language": "fr", "rel": "has_translation", "url": "https://x.example/fr"}),
        "associations" => json!({"type": "video", "uri": "https://x.example/v"}),
        "alt_ids" => json!({"role": "cms", "value": "1"}),
        _ => Value::Object(Map::new()),
    }
}

fn refused(pointer: &str, value: Value, codes: &[&str]) {
    let found = problems(&document_with(pointer, value.clone()));
    let ok = found.iter().any(|(at, code)| at == pointer && codes.contains(&code.as_str()));
    let shown: String = value.to_string().chars().take(60).collect();
    assert!(ok, "{pointer} = {shown}: expected {codes:?}, got {found:?}");
}

fn accepted(pointer: &str, value: Value) {
    let shown: String = value.to_string().chars().take(60).collect();
    assert_eq!(problems(&document_with(pointer, value)), [], "{pointer} = {shown}");
}

#[test]
fn every_property_is_known_to_the_reader_and_the_reverse() {
    let schema = draft_schema();
    let mut places = 0;
    visit(&schema, "", &mut |pointer, schema| {
        if pointer.is_empty() {
            return;
        }
        places += 1;
        let found = problems(&document_with(pointer, json!(null)));
        assert!(!found.iter().any(|(_, code)| code == "unknown_field"), "{pointer}: {found:?}");
        if schema["type"] == "object" && pointer != "/ext" {
            refused(&format!("{pointer}/no_such_field"), json!(1), &["unknown_field"]);
        }
    });
    assert!(places > 70, "the schema is walked whole: {places}");

    // The reverse: every field of the model's own serialised form is a property of the schema.
    let model = article::wire::v1::article_schema();
    for name in model["properties"].as_object().unwrap().keys() {
        assert!(schema["properties"].get(name).is_some(), "{name} is missing in the draft's schema");
    }
    for (kind, field) in [
        ("Change", "change"),
        ("Published", "published"),
        ("Contributor", "contributors"),
        ("Source", "sources"),
        ("Subject", "subjects"),
        ("Translation", "translations"),
        ("Association", "associations"),
        ("AltId", "alt_ids"),
    ] {
        let ours = &schema["properties"][field];
        let ours = ours.get("items").unwrap_or(ours)["properties"].as_object().unwrap();
        let theirs = model["$defs"][kind]["properties"].as_object().unwrap();
        assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>(), "{field}");
    }
}

#[test]
fn limits_words_types_and_required_fields_agree() {
    let schema = draft_schema();
    visit(&schema, "", &mut |pointer, schema| {
        if pointer.is_empty() || schema["readOnly"] == true {
            return;
        }
        let wrong_type = if schema["type"] == "string" { json!(7) } else { json!("x") };
        refused(pointer, wrong_type, &["type", "range"]);
        let free_text = schema.get("pattern").is_none() && schema.get("format").is_none() && !pointer.ends_with("/at");
        if let (Some(max), true) = (schema["maxLength"].as_u64(), free_text) {
            let max = max as usize;
            if !["language", "tz"].iter().any(|name| pointer.ends_with(name)) {
                accepted(pointer, json!("党".repeat(max)));
                accepted(pointer, json!("x"));
            }
            refused(pointer, json!("党".repeat(max + 1)), &["too_long"]);
            refused(pointer, json!(""), &["blank"]);
        }
        for word in schema["enum"].as_array().into_iter().flatten() {
            let found = problems(&document_with(pointer, word.clone()));
            assert!(!found.iter().any(|(_, code)| code == "unknown_word"), "{pointer} {word}: {found:?}");
        }
        if schema.get("enum").is_some() {
            refused(pointer, json!("no such word"), &["unknown_word"]);
        }
        if let (Some(min), Some(max)) = (schema["minimum"].as_u64(), schema["maximum"].as_u64()) {
            accepted(pointer, json!(min));
            accepted(pointer, json!(max));
            refused(pointer, json!(min - 1), &["range"]);
            refused(pointer, json!(max + 1), &["range"]);
        }
        if let Some(max) = schema["maxItems"].as_u64() {
            let item = if schema["items"]["type"] == "object" { siblings(&[&pointer[1..]]) } else { json!("x") };
            accepted(pointer, json!(vec![item.clone(); max as usize]));
            refused(pointer, json!(vec![item; max as usize + 1]), &["too_many"]);
        }
        for example in schema["examples"].as_array().into_iter().flatten() {
            accepted(pointer, example.clone());
        }
        for required in schema["required"].as_array().into_iter().flatten() {
            let mut object = siblings(&[pointer.split('/').nth(1).unwrap()]);
            let name = required.as_str().unwrap();
            object.as_object_mut().unwrap().remove(name);
            let found = problems(&document_with(pointer, object));
            assert!(found.contains(&(format!("{pointer}/{name}"), "required".into())), "{pointer}: {found:?}");
        }
    });
    for name in ["headline", "body", "language"] {
        assert!(problems(&json!({})).contains(&(format!("/{name}"), "required".into())), "{name}");
    }
}
