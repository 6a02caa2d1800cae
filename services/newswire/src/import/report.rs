//! What was found in a page, field by field, with where it came from, what was dropped, and what is doubtful.

use std::path::Path;

use import::{BylineFrom, LanguageFrom, Page, Precision, What, ZoneFrom};
use serde_json::{Value, json};

use super::{Found, Mistake, Outcome, draft, machine_answer};
use crate::output::{Table, beginning, count, plain};

/// Of a body, enough to recognise it, in columns.
const SHOWN_BODY: usize = 72;

pub(super) fn for_people(file: &Path, found: &Found) -> String {
    let page = &found.page;
    let mut table = Table::new();
    let mut row = |field: &str, from: String, value: &str| table.row([field, &from, value]);
    if let Some(section) = &page.section {
        row("section", lines(page, What::Section), section);
    }
    row("headline", lines(page, What::Headline), &page.headline);
    let precision = match page.date.precision {
        Precision::Date => "a date without a time",
        Precision::Minute => "to the minute",
        Precision::Second => "to the second",
    };
    row("date", lines(page, What::Date), &format!("{} ({precision}), printed as “{}”", page.date, page.date.printed));
    let (from, why) = zone_from(&page.date.zone_from);
    row("time zone", from.into(), &format!("{}{why}", page.date.timezone));
    if let Some(byline) = &page.byline {
        let how = match page.byline_from {
            Some(BylineFrom::Signoff) => ", the sign-off",
            _ => ", the label",
        };
        row("byline", lines(page, What::Byline) + how, byline);
    }
    for author in &page.authors {
        row("author", "the byline".into(), author);
    }
    if let Some(source) = &page.source {
        row("source", lines(page, What::Source), source);
    }
    for editor in &page.editors {
        row("editor", lines(page, What::Editor), editor);
    }
    let from = match page.language_from {
        LanguageFrom::Option => "--language",
        LanguageFrom::Script => "the script",
        LanguageFrom::Assumed => "assumed",
    };
    row("language", from.into(), &page.language);
    let characters: usize = page.body.iter().map(|paragraph| paragraph.chars().count()).sum();
    let size = format!("{}, {}", count(page.body.len(), "paragraph"), count(characters, "character"));
    row("body", lines(page, What::Body), &format!("{size}: {}", beginning(&page.body[0], SHOWN_BODY)));
    for dropped in &page.dropped {
        row("dropped", format!("line {}", dropped.line), &format!("“{}”: {}", dropped.text, dropped.why));
    }
    for warning in &page.warnings {
        let from = warning.line.map_or(String::new(), |line| format!("line {line}"));
        row("warning", from, &format!("{} [{}]", warning.text, warning.code));
    }
    format!("{}\n{table}", plain(&file.display().to_string()))
}

/// `line 3`, `lines 5 to 11`: where pieces of a field stand.
fn lines(page: &Page, what: What) -> String {
    let mut claimed = page.claims.iter().filter(|claim| claim.what == what).map(|claim| claim.line);
    let Some(first) = claimed.next() else { return String::new() };
    match claimed.next_back() {
        Some(last) if last != first => format!("lines {first} to {last}"),
        _ => format!("line {first}"),
    }
}

/// Who decided the zone, and by what.
fn zone_from(from: &ZoneFrom) -> (&'static str, String) {
    match from {
        ZoneFrom::Printed => ("the date", String::new()),
        ZoneFrom::Profile(profile) => ("--profile", format!(", as of {profile}")),
        ZoneFrom::Option => ("--timezone", String::new()),
        ZoneFrom::Recognised(profile, tell) => ("recognised", format!(", as of {profile}: there is {tell}")),
        ZoneFrom::Assumed => ("assumed", String::new()),
    }
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
pub(super) fn for_machines(file: &Path, outcome: &Outcome) -> Value {
    let mistakes: Vec<Value> = outcome
        .mistakes
        .iter()
        .map(|mistake| json!({ "code": mistake.code, "line": mistake.line, "text": mistake.text }))
        .collect();
    let mut document = json!({ "file": file.display().to_string(), "ok": mistakes.is_empty() });
    if !mistakes.is_empty() {
        document["errors"] = mistakes.into();
    }
    if let Some(found) = &outcome.found {
        document["draft"] = found.draft.clone();
        document["dropped"] = found.page.dropped.iter().map(draft::dropped).collect();
        document["warnings"] = found.page.warnings.iter().map(draft::warning).collect();
    }
    if let Some(answer) = &outcome.published {
        document["published"] = machine_answer(answer);
    }
    document
}
