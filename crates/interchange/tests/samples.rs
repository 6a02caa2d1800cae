//! Samples of what others send, and what becomes of them: `samples/<format>/<name>.json` beside its `.expected`.
//!
//! `UPDATE_GOLDEN=1` writes today's outcome; read the difference before it is committed.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::fmt::Write;
use std::path::{Path, PathBuf};

use article::{Draft, Problem};
use interchange::{Defaults, Foreign, Wish, ghost, ninjs, wordpress};
use serde_json::Value;

type Read = fn(&Value, &Defaults) -> Result<Foreign, Problem>;

const FORMATS: [(&str, Read); 3] = [("ninjs", ninjs::read), ("ghost", ghost::read), ("wordpress", wordpress::read)];

fn defaults() -> Defaults {
    Defaults { language: Some("zh-Hans".into()), section: vec!["News".into()], tz: Some("Asia/Shanghai".into()) }
}

fn samples(format: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(format);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    assert!(!files.is_empty(), "{format}");
    files
}

/// What a person checks: the identity, the wish, the article.
fn outcome(read: Result<Foreign, Problem>) -> String {
    let foreign = match read {
        Ok(foreign) => foreign,
        Err(problem) => return format!("refused: {problem}\n"),
    };
    let mut out = format!("id: {}\nchanged_at: {:?}\n", foreign.id, foreign.changed_at.map(|at| at.to_string()));
    for warning in &foreign.warnings {
        writeln!(out, "warning: {warning}").unwrap();
    }
    match &foreign.wish {
        Wish::Publish(document) => {
            let draft = Draft::from_json(document, "2026-11-22T10:00:00Z".parse().unwrap());
            let draft = draft.unwrap_or_else(|problems| panic!("{problems:#?}\n{document:#}"));
            writeln!(out, "publish: {document:#}\nbody as kept: {}", draft.body).unwrap();
        }
        Wish::Withdraw { why, note } => writeln!(out, "withdraw: {why}; note {note:?}").unwrap(),
        Wish::Nothing { why } => writeln!(out, "nothing: {why}").unwrap(),
    }
    out
}

#[test]
fn every_sample_becomes_what_it_should() {
    let mut wrong = Vec::new();
    for (format, read) in FORMATS {
        for sample in samples(format) {
            let document = serde_json::from_slice(&std::fs::read(&sample).unwrap()).unwrap();
            let (today, expected) = (outcome(read(&document, &defaults())), sample.with_extension("expected"));
            if std::env::var_os("UPDATE_GOLDEN").is_some() {
                std::fs::write(&expected, &today).unwrap();
            }
            if std::fs::read_to_string(&expected).unwrap_or_default() != today {
                wrong.push(format!("{}:\n{today}", sample.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every sample with each of its values, one at a time, turned into something else: nothing panics, and what is still
/// published has an identity.
#[test]
fn any_value_may_be_of_another_kind() {
    let odd = [
        Value::Null,
        true.into(),
        (-1).into(),
        "".into(),
        "\u{202E}\u{0}x".into(),
        Value::Array(vec![]),
        serde_json::json!([[{}]]),
        serde_json::json!({"a": 1}),
    ];
    let mut read_so_far = 0;
    for (format, read) in FORMATS {
        for sample in samples(format) {
            let document: Value = serde_json::from_slice(&std::fs::read(&sample).unwrap()).unwrap();
            for pointer in pointers(&document, String::new()) {
                for odd in &odd {
                    let mut changed = document.clone();
                    *changed.pointer_mut(&pointer).unwrap() = odd.clone();
                    if let Ok(foreign) = read(&changed, &defaults())
                        && matches!(foreign.wish, Wish::Publish(_) | Wish::Withdraw { .. })
                    {
                        read_so_far += 1;
                        assert!(!foreign.id.is_empty() && foreign.id.len() <= 500, "{format} {pointer} {odd}");
                    }
                }
            }
        }
    }
    assert!(read_so_far > 1000, "{read_so_far}");
}

fn pointers(value: &Value, at: String) -> Vec<String> {
    let inner: Vec<String> = match value {
        Value::Object(map) => map
            .iter()
            .flat_map(|(k, v)| pointers(v, format!("{at}/{}", k.replace('~', "~0").replace('/', "~1"))))
            .collect(),
        Value::Array(items) => items.iter().enumerate().flat_map(|(n, v)| pointers(v, format!("{at}/{n}"))).collect(),
        _ => Vec::new(),
    };
    [at].into_iter().chain(inner).collect()
}
