//! What became of many files: counts for people, every file for machines.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};

use super::Mistake;
use crate::output::{Table, beginning};

/// Of the first example of each mistake, in columns.
const SHOWN: usize = 160;

/// What became of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    Published,
    Revised,
    Unchanged,
    /// Good, and only looked at.
    Read,
    /// Published before with other words, which stay.
    Changed,
    Failed,
}

impl Fate {
    fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Revised => "revised",
            Self::Unchanged => "unchanged",
            Self::Read => "read",
            Self::Changed => "changed",
            Self::Failed => "failed",
        }
    }

    fn means(self) -> &'static str {
        match self {
            Self::Published => "",
            Self::Revised => "the new text has replaced the old one",
            Self::Unchanged => "published before, in the same words",
            Self::Read => "not published: that takes --publish",
            Self::Changed => "published before, in other words, which stay; --revise minor replaces them",
            Self::Failed => "",
        }
    }
}

/// A line of the report.
pub(super) struct Row {
    pub(super) file: String,
    pub(super) fate: Fate,
    pub(super) id: Option<String>,
    pub(super) revision: Option<u64>,
    pub(super) mistakes: Vec<Mistake>,
}

impl Row {
    pub(super) fn for_machines(&self) -> Value {
        let errors: Vec<Value> = self.mistakes.iter().map(Mistake::for_machines).collect();
        json!({
            "file": self.file, "outcome": self.fate.as_str(), "id": self.id, "revision": self.revision, "errors": errors,
        })
    }

    fn csv(&self) -> String {
        let codes: Vec<_> = self.mistakes.iter().map(|mistake| mistake.code.as_str()).collect();
        let texts: Vec<_> = self.mistakes.iter().map(|mistake| mistake.text.as_str()).collect();
        let revision = self.revision.map(|revision| revision.to_string()).unwrap_or_default();
        let id = self.id.as_deref().unwrap_or_default();
        let cells = [&self.file, self.fate.as_str(), id, &revision, &codes.join(" "), &texts.join("\n")];
        format!("{}\r\n", cells.map(quoted).join(","))
    }
}

/// A cell of CSV (RFC 4180). All are quoted: no text of a page can end its cell.
fn quoted(cell: &str) -> String {
    format!("\"{}\"", cell.replace('"', "\"\""))
}

/// Everything that happened in a run.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) rows: Vec<Row>,
    /// Files of the folders that are no pages.
    pub(super) passed_over: usize,
    /// Files that the run did not get to.
    pub(super) untried: usize,
}

impl Tally {
    pub(super) fn of(&self, fate: Fate) -> usize {
        self.rows.iter().filter(|row| row.fate == fate).count()
    }

    /// Whether nothing is left to do.
    pub(super) fn is_good(&self) -> bool {
        self.untried == 0 && self.of(Fate::Failed) == 0 && self.of(Fate::Changed) == 0
    }

    pub(super) fn for_people(&self) -> String {
        let mut counts: BTreeMap<Fate, usize> = BTreeMap::new();
        let mut codes: BTreeMap<&str, (usize, &str, &str)> = BTreeMap::new();
        for row in &self.rows {
            *counts.entry(row.fate).or_default() += 1;
            if row.fate == Fate::Failed {
                for mistake in &row.mistakes {
                    codes.entry(&mistake.code).or_insert((0, &row.file, &mistake.text)).0 += 1;
                }
            }
        }
        let mut table = Table::new();
        for (fate, count) in counts {
            table.row([fate.as_str(), &count.to_string(), fate.means()]);
        }
        if self.passed_over > 0 {
            table.row(["passed over", &self.passed_over.to_string(), "no pages by their names (.txt, .html, .htm)"]);
        }
        if self.untried > 0 {
            table.row([
                "not tried",
                &self.untried.to_string(),
                "run the same command again: nothing is published twice",
            ]);
        }
        let mut out = table.to_string();
        if !codes.is_empty() {
            let mut table = Table::new();
            for (code, (count, file, text)) in codes {
                table.row([code, &count.to_string(), &beginning(&format!("{file}: {text}"), SHOWN)]);
            }
            let _ = write!(out, "\nwhy, and the first file of each:\n{table}");
        }
        out
    }

    /// Writes every file's fate: CSV when the name ends in `.csv`, otherwise JSON.
    pub(super) fn write(&self, file: &Path) -> anyhow::Result<()> {
        let text = if file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv")) {
            let head = "file,outcome,id,revision,codes,text\r\n".to_owned();
            self.rows.iter().fold(head, |csv, row| csv + &row.csv())
        } else {
            let counts: BTreeMap<&str, usize> = self.rows.iter().fold(BTreeMap::new(), |mut counts, row| {
                *counts.entry(row.fate.as_str()).or_default() += 1;
                counts
            });
            let files: Vec<Value> = self.rows.iter().map(Row::for_machines).collect();
            let report = json!({
                "counts": counts, "passed_over": self.passed_over, "not_tried": self.untried, "files": files,
            });
            format!("{report:#}\n")
        };
        std::fs::write(file, text).with_context(|| format!("cannot write the report {}", file.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(file: &str, fate: Fate, mistakes: Vec<Mistake>) -> Row {
        Row { file: file.into(), fate, id: Some("urn:x".into()), revision: Some(1), mistakes }
    }

    #[test]
    fn a_report_counts_and_gives_an_example_of_each_mistake() {
        let bad = |code: &str| vec![Mistake::other(code, format!("{code} because, \"so\"\nand so"))];
        let tally = Tally {
            rows: vec![
                row("a.txt", Fate::Published, Vec::new()),
                row("b.txt", Fate::Failed, bad("E_NO_DATE")),
                row("c.txt", Fate::Failed, bad("E_NO_DATE")),
                row("\u{1b}[31m.txt", Fate::Failed, bad("E_EMPTY")),
            ],
            passed_over: 2,
            untried: 0,
        };
        let said = tally.for_people();
        let squeezed = said.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in ["published 1", "failed 3", "passed over 2", "E_NO_DATE 2 b.txt: E_NO_DATE because", "E_EMPTY 1"] {
            assert!(squeezed.contains(part), "{part} in {said}");
        }
        assert!(!said.contains('\u{1b}') && !tally.is_good());
        assert_eq!(
            tally.rows[1].csv(),
            "\"b.txt\",\"failed\",\"urn:x\",\"1\",\"E_NO_DATE\",\"E_NO_DATE because, \"\"so\"\"\nand so\"\r\n"
        );
    }

    #[test]
    fn a_run_is_good_when_nothing_is_left_to_do() {
        let with = |fate| Tally { rows: vec![row("a", fate, Vec::new())], ..Tally::default() };
        for (fate, good) in [
            (Fate::Published, true),
            (Fate::Revised, true),
            (Fate::Unchanged, true),
            (Fate::Read, true),
            (Fate::Changed, false),
            (Fate::Failed, false),
        ] {
            assert_eq!(with(fate).is_good(), good, "{fate:?}");
        }
        assert!(!Tally { untried: 1, ..Tally::default() }.is_good());
    }
}
