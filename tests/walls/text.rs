//! What every file owes its reader.

use crate::assert_none;
use crate::repository::{files, root, text};

/// Lines at which a file is questioned.
const LONG: usize = 400;

/// Files that may be longer, each with its reason.
const LONG_FOR_A_REASON: [(&str, &str); 0] = [];

fn sources() -> impl Iterator<Item = (String, String)> {
    let rust = files().into_iter().filter(|file| file.ends_with(".rs"));
    rust.map(|file| {
        let source = text(&file).expect("Rust is UTF-8");
        (file, source)
    })
}

#[test]
fn no_file_is_long_without_a_reason() {
    let long = sources().filter_map(|(file, source)| {
        let lines = source.lines().count();
        let excused = LONG_FOR_A_REASON.iter().any(|(path, _)| *path == file);
        (lines > LONG && !excused).then(|| format!("{file} has {lines} lines: split it by concept, or say why not"))
    });
    assert_none(long.collect());
}

#[test]
fn every_module_says_what_it_is_for() {
    let silent = sources().filter(|(_, source)| !source.starts_with("//!"));
    assert_none(silent.map(|(file, _)| format!("{file} must open with `//!` and its purpose")).collect());
}

/// Lint exceptions in `source` that do not say why, by line.
fn silent_exceptions(source: &str) -> Vec<usize> {
    let mut found = Vec::new();
    for (at, _) in source.match_indices('#') {
        let attribute = source[at + 1..].trim_start_matches('!');
        let (allow, expect) = (attribute.starts_with("[allow("), attribute.starts_with("[expect("));
        let end = attribute.find(")]").unwrap_or(attribute.len());
        if allow || (expect && !attribute[..end].contains("reason = ")) {
            found.push(source[..at].lines().count().max(1));
        }
    }
    found
}

#[test]
fn every_lint_exception_states_its_reason() {
    let silent = sources().filter(|(file, _)| file != "tests/walls/text.rs").flat_map(|(file, source)| {
        silent_exceptions(&source)
            .into_iter()
            .map(move |line| format!("{file}:{line}: use #[expect(lint, reason = …)]"))
    });
    assert_none(silent.collect());
}

#[test]
fn a_silent_exception_is_seen() {
    assert_eq!(silent_exceptions("//! x\n#[expect(a)]\nfn f() {}\n").len(), 1);
    assert_eq!(silent_exceptions("#![allow(a, reason = \"it stays when it no longer applies\")]").len(), 1);
    assert_eq!(silent_exceptions("#[expect(\n    a,\n    reason = \"b\"\n)]\n").len(), 0);
}

/// `topology` alone knows how subjects are spelt, `bus` how JetStream's own are.
#[test]
fn subjects_are_spelt_in_one_place() {
    let mut wrong = Vec::new();
    for (file, source) in sources() {
        let code = source.split("#[cfg(test)]").next().unwrap_or_default();
        let is_test = file.contains("/tests/") || file.starts_with("tests/") || file.ends_with("tests.rs");
        let ours = file.starts_with("crates/topology/") || is_test;
        if !ours && code.contains("\"nw.") {
            wrong.push(format!("{file} spells a subject: take it from topology::subjects"));
        }
        if !ours && !file.starts_with("crates/bus/") && (code.contains("\"$JS.") || code.contains("\"_INBOX")) {
            wrong.push(format!("{file} talks to JetStream's API: that is the bus's"));
        }
    }
    assert_none(wrong);
}

#[test]
fn nothing_points_into_somebodys_machine() {
    // In two pieces, so that this file does not hold what it looks for.
    let places = [
        concat!("/wo", "rk/"),
        concat!("/tm", "p/"),
        concat!("/ho", "me/"),
        concat!("/Us", "ers/"),
        concat!("/ro", "ot/"),
    ];
    let mut wrong = Vec::new();
    for file in files() {
        let Some(text) = text(&file) else { continue };
        for (line, content) in text.lines().enumerate() {
            // Where a path begins; a folder of that name in another one is anybody's.
            let begins = |at: usize| !content[..at].ends_with(|c: char| c.is_alphanumeric());
            if let Some(place) = places.iter().find(|place| content.match_indices(**place).any(|(at, _)| begins(at))) {
                wrong.push(format!("{file}:{}: {place} exists on one machine only", line + 1));
            }
        }
    }
    assert_none(wrong);
}

#[test]
fn a_stranger_finds_the_way_in() {
    let expected = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "LICENSE", "Cargo.lock", "rust-toolchain.toml"];
    assert_none(
        expected.iter().filter(|file| !root().join(file).is_file()).map(|file| format!("{file} is missing")).collect(),
    );
}
