//! What is written for people names what there is: words go stale, tests do not.

use topology::{CONSUMERS, STREAMS};

use crate::assert_none;
use crate::repository::{files, root, text};

#[test]
fn every_stream_and_consumer_is_described() {
    let described = text("ARCHITECTURE.md").expect("ARCHITECTURE.md is text");
    let streams = STREAMS.iter().map(|stream| format!("| {} |", stream.name));
    let consumers = CONSUMERS.iter().map(|consumer| format!("| `{}` |", consumer.name));
    let missing = streams.chain(consumers).filter(|row| !described.contains(row));
    assert_none(missing.map(|row| format!("ARCHITECTURE.md has no row that begins {row}")).collect());
}

/// The longest piece of fixed text in the message of each `tracing::error!` and `tracing::warn!` of `source`.
fn alarms(source: &str) -> Vec<&str> {
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let calls = code.split("tracing::").filter(|call| call.starts_with("error!(") || call.starts_with("warn!("));
    let texts = calls.filter_map(|call| {
        // The call ends its line or its statement; no message holds such an end, or an escaped quote.
        let end = [");", ")\n", "),\n"].iter().filter_map(|end| call.find(end)).min()?;
        let message = call[..end].split('"').skip(1).step_by(2).last()?;
        let piece = message.split(['{', '}']).max_by_key(|piece| piece.len())?;
        Some(piece.trim_matches([' ', ':']))
    });
    texts.filter(|text| text.len() >= 8).collect()
}

#[test]
fn an_alarm_is_seen() {
    let source = "tracing::warn!(a, \"not that\");\ntracing::error!(%x, name = \"no\", \"{a} is {b}: whatever it is\");\n\
                  x => tracing::error!(\"an arm, too\"),\ntracing::info!(\"no alarm\")\n";
    assert_eq!(alarms(source), ["not that", "whatever it is", "an arm, too"]);
}

#[test]
fn every_alarm_is_in_the_runbook() {
    let runbook = text("docs/runbook.md").expect("docs/runbook.md is text");
    let ours = |file: &String| {
        let shipped =
            file.starts_with("services/") || file.starts_with("crates/bus/") || file.starts_with("crates/service-kit/");
        shipped && file.ends_with(".rs") && file.contains("/src/") && !file.ends_with("tests.rs")
    };
    let mut missing = Vec::new();
    for file in files().into_iter().filter(ours) {
        let source = text(&file).expect("Rust is UTF-8");
        for alarm in alarms(&source) {
            if !runbook.contains(alarm) {
                missing.push(format!("{file}: docs/runbook.md does not say what to do about {alarm:?}"));
            }
        }
    }
    assert_none(missing);
}

/// The targets of the links and images in `markdown` that are files of the repository.
fn targets(markdown: &str) -> Vec<&str> {
    let targets = markdown.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    targets.filter(|target| !target.is_empty() && !target.contains(':')).collect()
}

#[test]
fn every_link_leads_somewhere() {
    assert_eq!(targets("[a](b/c.md#d) ![e](f.png) [g](https://h.example/) [i](#j)"), ["b/c.md", "f.png"]);
    let mut dead = Vec::new();
    for file in files().into_iter().filter(|file| file.ends_with(".md")) {
        let markdown = text(&file).expect("Markdown is text");
        let folder = root().join(&file).parent().expect("a file is in a folder").to_owned();
        let missing = targets(&markdown).into_iter().filter(|target| !folder.join(target).exists());
        dead.extend(missing.map(|target| format!("{file} links to {target}, which is not there")));
    }
    assert_none(dead);
}
