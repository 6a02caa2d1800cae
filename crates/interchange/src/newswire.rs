//! Our own webhook event, in the shape that Standard Webhooks recommends: `{"type", "timestamp", "data"}`.
//!
//! `article.published` carries a draft as the HTTP API takes it, `article.withdrawn` what identifies it and, if there is
//! one, the note for readers under `change.note`. Its identity is the first of `alt_ids`: a system that has no id of its
//! own for an article cannot say which one it changes.

use article::Problem;
use jiff::Timestamp;
use serde_json::Value;

use crate::shape::{identity, string};
use crate::{Defaults, Foreign, Wish};

/// Reads an event.
///
/// # Errors
/// What is missing for the document to be an event of ours.
pub fn read(document: &Value, defaults: &Defaults) -> Result<Foreign, Problem> {
    let kind = string(document, "type").ok_or_else(|| {
        Problem::new("/type", "required", "say what happened: article.published or article.withdrawn")
    })?;
    let changed_at = changed_at(document)?;
    let data = document.get("data").filter(|data| data.is_object());
    let data = data.ok_or_else(|| Problem::new("/data", "required", "expected the article, as an object"))?;
    let known = data.pointer("/alt_ids/0").unwrap_or(&Value::Null);
    let wish = match kind {
        "article.published" => {
            let mut draft = data.clone();
            if draft.get("language").is_none()
                && let Some(language) = &defaults.language
            {
                draft["language"] = language.as_str().into();
            }
            if draft.get("section").is_none() && !defaults.section.is_empty() {
                draft["section"] = defaults.section.clone().into();
            }
            Wish::Publish(draft)
        }
        "article.withdrawn" => {
            let note = data.get("change").and_then(|change| string(change, "note"));
            Wish::Withdraw { why: "it was withdrawn".into(), note: note.map(str::to_owned) }
        }
        other => {
            let other: String = other.chars().filter(|c| !c.is_control()).take(60).collect();
            let wish = Wish::Nothing { why: format!("{other} is no event of an article") };
            return Ok(Foreign { id: String::new(), changed_at, wish, warnings: Vec::new() });
        }
    };
    let id = identity(known, "value", "/data/alt_ids/0/value")?;
    Ok(Foreign { id, changed_at, wish, warnings: Vec::new() })
}

fn changed_at(document: &Value) -> Result<Option<Timestamp>, Problem> {
    let Some(said) = document.get("timestamp") else { return Ok(None) };
    let at = said.as_str().and_then(|text| text.parse().ok());
    at.map(Some).ok_or_else(|| Problem::new("/timestamp", "format", "not an RFC 3339 time with an offset"))
}
