//! What was found in a page, field by field, with where it came from, what was dropped, and what is doubtful.

use std::path::Path;

use import::{Field, Imported};
use serde_json::{Value, json};

use super::{Found, Mistake, Outcome, draft, machine_answer};
use crate::output::{Table, beginning, count, plain};

/// Of a body, enough to recognise it, in columns.
const SHOWN_BODY: usize = 72;
/// Of what was not taken, enough to find it on the page, in columns.
const SHOWN_REJECTED: usize = 60;

/// What was found; with `trace`, also what was not taken for each field and why.
pub(super) fn for_people(file: &Path, found: &Found, trace: bool) -> String {
    let page = &found.page;
    let mut table = Table::new();
    for field in &page.trace {
        let value = if field.field == Field::Body { body(page) } else { field.value.clone() };
        table.row([&field.field.to_string(), &field.origin, &value]);
        for rejected in field.rejected.iter().filter(|_| trace) {
            let value = beginning(&rejected.value, SHOWN_REJECTED);
            table.row(["  not", &rejected.origin, &format!("“{value}”: {}", rejected.why)]);
        }
    }
    for dropped in &page.dropped {
        table.row(["dropped", &format!("line {}", dropped.line), &format!("“{}”: {}", dropped.text, dropped.why)]);
    }
    for warning in &page.warnings {
        let from = warning.line.map_or(String::new(), |line| format!("line {line}"));
        table.row(["warning", &from, &format!("{} [{}]", warning.text, warning.code)]);
    }
    format!("{}\n{table}", plain(&file.display().to_string()))
}

fn body(page: &Imported) -> String {
    let characters: usize = page.paragraphs.iter().map(|paragraph| paragraph.chars().count()).sum();
    let mut size = format!("{}, {}", count(page.paragraphs.len(), "paragraph"), count(characters, "character"));
    if page.pictures > 0 {
        size = format!("{size}, {}", count(page.pictures, "picture"));
    }
    let first = page.paragraphs.first().map_or(String::new(), |first| beginning(first, SHOWN_BODY));
    format!("{size}: {first}")
}

fn traced(trace: &import::Trace) -> Value {
    let rejected: Vec<Value> = trace
        .rejected
        .iter()
        .map(|rejected| json!({ "value": rejected.value, "origin": rejected.origin, "why": rejected.why }))
        .collect();
    json!({ "field": trace.field.to_string(), "origin": trace.origin, "value": trace.value, "rejected": rejected })
}

/// Why a file went no further, for standard error; nothing when it did.
pub(super) fn mistakes(file: &Path, mistakes: &[Mistake]) -> String {
    if mistakes.is_empty() {
        return String::new();
    }
    let list: String = mistakes.iter().map(|mistake| format!("  {}\n", plain(&mistake.text))).collect();
    format!(
        "{}: not {}\n{list}",
        plain(&file.display().to_string()),
        if is_read(mistakes) { "published" } else { "imported" }
    )
}

/// Whether the page itself was good, so that what is wrong is wrong with publishing it.
fn is_read(mistakes: &[Mistake]) -> bool {
    mistakes.iter().all(|mistake| !mistake.code.starts_with("E_"))
}

/// One line of JSON.
pub(super) fn for_machines(file: &Path, outcome: &Outcome, trace: bool) -> Value {
    let mistakes: Vec<Value> = outcome.mistakes.iter().map(Mistake::for_machines).collect();
    let mut document = json!({ "file": file.display().to_string(), "ok": mistakes.is_empty() });
    if !mistakes.is_empty() {
        document["errors"] = mistakes.into();
    }
    if let Some(found) = &outcome.found {
        document["draft"] = found.draft.clone();
        if trace {
            document["trace"] = found.page.trace.iter().map(traced).collect();
        }
        document["dropped"] = found.page.dropped.iter().map(draft::dropped).collect();
        document["warnings"] = found.page.warnings.iter().map(draft::warning).collect();
    }
    if let Some(answer) = &outcome.published {
        document["published"] = machine_answer(answer);
    }
    document
}
