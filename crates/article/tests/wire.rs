//! Wire format version 1, held to files: what was written once is read for ever, and is written the same today.
//!
//! `UPDATE_GOLDEN=1 cargo test -p article --test wire` writes the files anew; a released version may only gain fields.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};

use article::wire::v1::{Envelope, article_schema};
use article::{
    Article, AssociationKind, ChangeKind, Command, Draft, Precision, RevisionKind, Status, apply, draft_schema,
};
use common::{create, draft, full, minimal, now, provenance};
use serde_json::{Value, json};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The file's text, which becomes `actual` when the files are written anew.
fn golden(name: &str, actual: &str) -> String {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path(name), actual).expect("the source tree can be written");
    }
    fs::read_to_string(path(name)).unwrap_or_default()
}

fn pretty(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).expect("string-keyed") + "\n"
}

fn corrected() -> Article {
    let note = Some("The toll is 3 euros".to_owned());
    let revise =
        Command::Revise { kind: RevisionKind::Correction, note, draft: draft(&full()), provenance: provenance() };
    apply(Some(&create(&full())), revise, now()).expect("a legal change")
}

fn envelopes() -> [(&'static str, Envelope); 3] {
    let killed =
        apply(Some(&corrected()), Command::Kill { note: "On legal advice".into() }, now()).expect("a legal change");
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    [
        ("full", Envelope::new(corrected(), Some(trace.into()))),
        ("minimal", Envelope::new(create(&minimal()), None)),
        ("killed", Envelope::new(killed, None)),
    ]
}

#[test]
fn released_events_are_read_and_written_as_they_were() {
    for (name, envelope) in envelopes() {
        let file = format!("tests/golden/v1/{name}.json");
        let today = pretty(&envelope);
        let kept = golden(&file, &today);
        assert!(kept == today, "{file} is not what is written today:\n{today}");
        let read = Envelope::from_bytes(kept.as_bytes()).unwrap();
        assert_eq!(read, envelope, "{name}");
        assert_eq!(Envelope::from_bytes(&read.to_bytes()).unwrap(), envelope, "{name}");
    }
}

#[test]
fn the_full_event_has_every_field() {
    let (_, envelope) = &envelopes()[0];
    let data = serde_json::to_value(&envelope.data).unwrap();
    for name in article_schema()["properties"].as_object().unwrap().keys() {
        assert!(data.get(name).is_some(), "{name} is in no golden file");
    }
}

#[test]
fn newer_fields_and_words_are_read_as_unknown() {
    let mut event = serde_json::to_value(&envelopes()[0].1).unwrap();
    event["newattribute"] = json!("x");
    let data = &mut event["data"];
    data["new_field"] = json!({"deep": [1]});
    data["status"] = json!("archived");
    data["change"]["kind"] = json!("retold");
    data["associations"][0]["type"] = json!("hologram");
    data["associations"][0]["new_field"] = json!(1);
    data["published"]["precision"] = json!("century");
    let read = Envelope::from_bytes(&serde_json::to_vec(&event).unwrap()).unwrap().data;
    assert_eq!((read.status, read.change.kind), (Status::Unknown, ChangeKind::Unknown));
    assert_eq!(read.associations[0].kind, AssociationKind::Unknown);
    assert_eq!(read.published.as_ref().unwrap().precision, Precision::Date, "the least that can be claimed");
    assert!(!read.is_readable(now()), "an unknown state is not shown");
    assert!(apply(Some(&read), Command::Hold { note: None }, now()).is_err());
}

#[test]
fn other_events_are_refused() {
    let event = serde_json::to_value(&envelopes()[1].1).unwrap();
    for (field, value) in
        [("specversion", json!("2.0")), ("type", json!("newswire.article.new.v2")), ("data", json!(null))]
    {
        let mut other = event.clone();
        other[field] = value;
        assert!(Envelope::from_bytes(&serde_json::to_vec(&other).unwrap()).is_err(), "{field}");
    }
    assert!(Envelope::from_bytes(b"").is_err());
    // An event that carries another article, or another revision, than it says.
    for (pointer, value) in [
        ("/id", json!("urn:uuid:0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f/2")),
        ("/subject", json!("urn:uuid:0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e00")),
        ("/data/revision", json!(2)),
        ("/data/id", json!("urn:uuid:0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e00")),
    ] {
        let mut other = event.clone();
        *other.pointer_mut(pointer).unwrap() = value;
        assert!(Envelope::from_bytes(&serde_json::to_vec(&other).unwrap()).is_err(), "{pointer}");
    }
}

#[test]
fn schemas_are_the_published_ones() {
    for (file, today) in
        [("schemas/article-v1.json", article_schema()), ("schemas/article-draft-v1.json", draft_schema())]
    {
        // As values: the order of a schema's members depends on how serde_json is built.
        let kept: Value = serde_json::from_str(&golden(file, &pretty(&today))).unwrap_or_default();
        assert!(kept == today, "{file} is not today's schema:\n{}", pretty(&today));
    }
}

/// The golden events and drafts against the published schemas, by Python's jsonschema. Skipped where it is missing.
#[test]
fn a_foreign_validator_agrees() {
    let checker = r#"
import json, sys
from jsonschema import Draft202012Validator
schema, good, bad = (json.load(open(p)) if i == 0 else json.loads(p) for i, p in enumerate(sys.argv[1:]))
Draft202012Validator.check_schema(schema)
v = Draft202012Validator(schema)
for d in good:
    for e in v.iter_errors(d): sys.exit(f"{e.json_path}: {e.message}")
for d in bad:
    if v.is_valid(d): sys.exit(f"accepted: {json.dumps(d)[:200]}")
"#;
    let venv = path("../../tests/.tools/venv/bin/python");
    let python = if venv.exists() { venv } else { "python3".into() };
    let usable = Process::new(&python).args(["-c", "import jsonschema"]).stderr(Stdio::null()).status();
    if !usable.is_ok_and(|status| status.success()) {
        println!("skipped: Python's jsonschema is not installed");
        return;
    }
    let events: Vec<Value> =
        envelopes().iter().map(|(_, envelope)| serde_json::to_value(&envelope.data).unwrap()).collect();
    let mut both = minimal();
    both["body_text"] = json!("x");
    let mut misspelt = minimal();
    misspelt["headlin"] = json!("x");
    let cases = [
        ("schemas/article-v1.json", json!(events), json!([{}, minimal()])),
        (
            "schemas/article-draft-v1.json",
            json!([minimal(), full(), events[0], events[1]]),
            json!([{}, both, misspelt]),
        ),
    ];
    for (schema, good, bad) in cases {
        let run = Process::new(&python)
            .args(["-c", checker])
            .arg(path(schema))
            .args([good.to_string(), bad.to_string()])
            .output()
            .unwrap();
        assert!(run.status.success(), "{schema}: {}", String::from_utf8_lossy(&run.stderr));
    }
}

#[test]
fn an_article_sent_back_is_accepted_unchanged() {
    for article in [create(&full()), create(&minimal()), corrected()] {
        let sent = serde_json::to_value(&article).unwrap();
        let draft = Draft::from_json(&sent, now()).unwrap();
        let kind = RevisionKind::Minor;
        let command =
            Command::Revise { kind, note: None, draft: Box::new(draft), provenance: article.provenance.clone() };
        let again = apply(Some(&article), command, now()).unwrap();
        let expected = Article { revision: article.revision + 1, change: again.change.clone(), ..article };
        assert_eq!(again, expected);
    }
}
