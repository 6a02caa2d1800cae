//! What we write of an article: ninjs against the IPTC's own schema, and back again; JSON-LD without what must not leave.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};

use article::wire::v1::Envelope;
use article::{Article, ArticleId, Command, Draft, Provenance, RevisionKind, apply};
use interchange::{Defaults, Wish, in_script, json_ld, ninjs};
use jiff::Timestamp;
use serde_json::{Value, json};

fn path(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

/// The article of the wire format's golden file that has every field.
fn full() -> Article {
    let golden = std::fs::read(path("../article/tests/golden/v1/full.json")).unwrap();
    // Other formats do not know rehearsals.
    Article { test: false, ..Envelope::from_bytes(&golden).unwrap().data }
}

fn created(document: &Value) -> Article {
    let draft = Box::new(Draft::from_json(document, now()).unwrap());
    let create = Command::Create { id: id(), publisher: "hefei".parse().unwrap(), draft, provenance: provenance() };
    apply(None, create, now()).unwrap()
}

fn id() -> ArticleId {
    ArticleId::new(now(), [7; 10])
}

fn provenance() -> Provenance {
    Provenance { channel: "api".into(), raw_sha256: "00".into(), importer: None, warnings: Vec::new() }
}

fn minimal() -> Value {
    json!({ "headline": "党 عربي 👩‍👩‍👧 \"<&>\"", "body_text": "一\n\n二 & <三>", "language": "zh-Hans" })
}

/// An article in every state there is.
fn every_state() -> Vec<Article> {
    let published = created(&minimal());
    let mut embargoed = minimal();
    embargoed["embargoed_until"] = json!("2026-11-23T10:00:00Z");
    let held = apply(Some(&published), Command::Hold { note: None }, now()).unwrap();
    let withdrawn = apply(Some(&full()), Command::Withdraw { note: "错了".into() }, now()).unwrap();
    let killed = apply(Some(&full()), Command::Kill { note: "court order".into() }, now()).unwrap();
    let draft = Box::new(Draft::from_json(&minimal(), now()).unwrap());
    let correction =
        Command::Revise {
            kind: RevisionKind::Correction, note: Some("更正".into()), draft, provenance: provenance()
        };
    let corrected = apply(Some(&published), correction, now()).unwrap();
    vec![full(), published, created(&embargoed), held, withdrawn, killed, corrected]
}

/// Python's jsonschema, as `tests/run` installs it; skipped where it is missing.
#[test]
fn ninjs_is_valid_against_the_iptcs_schema() {
    let checker = r#"
import json, sys
from jsonschema import Draft202012Validator, FormatChecker
v = Draft202012Validator(json.load(open(sys.argv[1])), format_checker=FormatChecker())
for d in json.loads(sys.argv[2]):
    for e in v.iter_errors(d): sys.exit(f"{e.json_path}: {e.message}")
for d in json.loads(sys.argv[3]):
    if v.is_valid(d): sys.exit(f"accepted: {json.dumps(d)[:200]}")
"#;
    let venv = path("../../tests/.tools/venv/bin/python");
    let python = if venv.exists() { venv } else { "python3".into() };
    let usable = Process::new(&python).args(["-c", "import jsonschema"]).stderr(Stdio::null()).status();
    if !usable.is_ok_and(|status| status.success()) {
        println!("skipped: Python's jsonschema is not installed");
        return;
    }
    let good: Vec<Value> = every_state().iter().map(ninjs::write).collect();
    // The validator must be able to say no.
    let mut bad = good[0].clone();
    bad["ed_note"] = json!("x");
    let bad = json!([bad, {}, { "uri": "urn:x:1", "pubStatus": "held" }]);
    let run = Process::new(&python)
        .args(["-c", checker])
        .arg(path("tests/schemas/ninjs-schema_3.1.json"))
        .args([json!(good).to_string(), bad.to_string()])
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

#[test]
fn what_was_written_reads_back_the_same() {
    for article in [full(), created(&minimal())] {
        let foreign = ninjs::read(&ninjs::write(&article), &Defaults::default()).unwrap();
        assert_eq!(
            (foreign.id.as_str(), foreign.changed_at),
            (article.id.to_string().as_str(), Some(article.version_created))
        );
        assert_eq!(foreign.warnings, Vec::<String>::new());
        let Wish::Publish(document) = foreign.wish else { panic!("{:?}", foreign.wish) };
        let draft = Draft::from_json(&document, now()).unwrap_or_else(|problems| panic!("{problems:#?}"));
        let again = apply(
            None,
            Command::Create {
                id: article.id,
                publisher: article.publisher.clone(),
                draft: Box::new(draft),
                provenance: provenance(),
            },
            now(),
        );
        let (was, is) = (serde_json::to_value(&article).unwrap(), serde_json::to_value(again.unwrap()).unwrap());
        // The rest is the log's own, or not for others.
        let theirs = [
            "alt_ids",
            "change",
            "corrections",
            "ed_note",
            "ext",
            "first_created",
            "provenance",
            "published",
            "revision",
            "updated_at",
            "version_created",
        ];
        let names = was.as_object().unwrap().keys().filter(|name| !theirs.contains(&name.as_str()));
        for name in names {
            assert_eq!(was[name], is[name], "{name}");
        }
        assert_eq!(was["published"]["at"], is["published"]["at"]);
    }
}

#[test]
fn what_is_not_public_has_no_text_and_the_editors_note_stays() {
    for article in every_state() {
        let secret = article.ed_note.clone().unwrap_or("no such words".into());
        let ninjs = ninjs::write(&article);
        let ld = json_ld(&article, &article.headline, &|id| Some(format!("https://news.example/{}", id.token())));
        assert!(!ninjs.to_string().contains(&secret) && !ld.to_string().contains(&secret), "{secret}");
        let (status, word) = (article.status.as_str(), ninjs["pubStatus"].as_str().unwrap());
        let expected = match status {
            "published" => ("usable", "Published", true),
            "held" => ("withheld", "Held", true),
            "embargoed" => ("withheld", "Embargoed", true),
            "withdrawn" => ("canceled", "Withdrawn", false),
            _ => ("canceled", "Removed", false),
        };
        assert_eq!((word, ld["creativeWorkStatus"].as_str().unwrap()), (expected.0, expected.1), "{status}");
        assert_eq!(
            (ninjs.get("bodies").is_some(), ld.get("articleBody").is_some()),
            (expected.2, expected.2),
            "{status}"
        );
        if !expected.2 {
            assert_eq!(ninjs["descriptions"][0]["value"].as_str(), article.change.note.as_deref());
            assert_eq!(ld["url"], ld["mainEntityOfPage"], "a notice is on our page");
        }
        let script = in_script(&ld);
        assert!(!script.contains(['<', '>', '&']), "{script}");
        assert_eq!(serde_json::from_str::<Value>(&script).unwrap(), ld);
    }
}

#[test]
fn a_rehearsal_is_nothing_to_print() {
    assert_eq!(ninjs::write(&Article { test: true, ..full() })["pubStatus"], "withheld");
}

#[test]
fn json_ld_without_a_site_has_no_page() {
    let ld = json_ld(&created(&minimal()), "t", &|_| None);
    assert!(ld.get("url").is_none() && ld.get("mainEntityOfPage").is_none());
    assert_eq!((ld["@type"].as_str(), ld["headline"].as_str()), (Some("NewsArticle"), Some("t")));
    assert_eq!(ld["articleBody"], "一\n\n二 & <三>");
}
