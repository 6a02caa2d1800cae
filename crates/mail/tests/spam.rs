//! Every kind of mail before SpamAssassin, which knows what looks like spam without asking anybody (`-L`).

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

/// The mails as they were looked at; another test holds them to what is sent.
const GOLDEN: &str = "tests/golden";

/// A mail that scores this is none of ours.
const LIMIT: f64 = 1.0;

#[test]
fn no_kind_of_mail_looks_like_spam() {
    let installed = Command::new("spamassassin").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !installed.is_ok_and(|status| status.success()) {
        println!("skipped: SpamAssassin is not installed");
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/spam_scores.py");
    let home = tempfile::tempdir().unwrap();
    let scores = home.path().join("scores.json");
    let status = Command::new("python3")
        .arg(script)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(GOLDEN))
        .env("HOME", home.path())
        .stdout(File::create(&scores).unwrap())
        .status();
    assert!(status.unwrap().success());
    let scores: std::collections::BTreeMap<String, (f64, String)> =
        serde_json::from_slice(&std::fs::read(scores).unwrap()).unwrap();
    assert!(scores.len() >= 17, "{scores:?}");
    for (name, (score, rules)) in scores {
        println!("{name}: {score} ({rules})");
        if name == "spam" {
            assert!(score >= 5.0, "what is spam is not found: {rules}");
        } else {
            assert!(score < LIMIT, "{name} scores {score}: {rules}");
        }
    }
}
