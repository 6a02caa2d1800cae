//! `newswire subscribers import`: the file is read as it is sent, a thousand rows at a time; what is wrong is told with
//! its line.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, IsTerminal};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use bus::Bus;
use email_notifier::subscribers::{MAX_QUESTION, MAX_ROWS, Outcome, Question, Row};
use indicatif::{ProgressBar, ProgressStyle};

use super::sheet::Sheet;
use super::{NoAnswer, ask};
use crate::output::{self, count};
use crate::server;

/// Errors that are told one by one; a file of the wrong kind has one in every row.
const MAX_TOLD: usize = 200;

/// Pauses before a question is asked again to which nobody answered: the email-notifier may be restarting.
const PAUSES: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(10)];

/// What became of the rows.
#[derive(Default)]
struct Tally {
    added: usize,
    asked: usize,
    unchanged: BTreeMap<String, usize>,
    failed: usize,
}

pub(super) async fn run(path: &Path, dry_run: bool, consent_source: Option<&str>) -> anyhow::Result<ExitCode> {
    let file = File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?;
    let bar = progress(file.metadata().map_or(0, |metadata| metadata.len()));
    let sheet = Sheet::open(BufReader::new(file))?;
    let bus = server::connect().await?;
    let (mut tally, mut rows, mut bytes) = (Tally::default(), Vec::new(), 0);
    for line in sheet {
        match line.row {
            Ok(mut row) => {
                if let Some(source) = consent_source.filter(|_| row.source.trim().is_empty()) {
                    source.clone_into(&mut row.source);
                }
                bytes += serde_json::to_vec(&row)?.len();
                rows.push((line.line, row));
            }
            Err(problem) => tally.wrong(&bar, line.line, &problem),
        }
        if rows.len() == MAX_ROWS || bytes > MAX_QUESTION / 2 {
            send(&bus, std::mem::take(&mut rows), dry_run, &mut tally, &bar).await?;
            bytes = 0;
        }
        bar.set_position(line.position);
    }
    send(&bus, rows, dry_run, &mut tally, &bar).await?;
    bar.finish_and_clear();
    output::print(&tally.for_people(dry_run))?;
    Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn send(
    bus: &Bus,
    rows: Vec<(u64, Row)>,
    dry_run: bool,
    tally: &mut Tally,
    bar: &ProgressBar,
) -> anyhow::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let (lines, rows): (Vec<u64>, Vec<Row>) = rows.into_iter().unzip();
    let question = Question::Import { rows, dry_run };
    let mut pauses = PAUSES.into_iter();
    let outcomes: Vec<Outcome> = loop {
        let error = match ask(bus, &question).await {
            Ok(outcomes) => break outcomes,
            Err(error) => error,
        };
        match pauses.next().filter(|_| error.is::<NoAnswer>()) {
            // To ask the same twice changes nothing.
            Some(pause) => tokio::time::sleep(pause).await,
            None => {
                let done = format!("the import stopped before line {}; the same file again goes on", lines[0]);
                return Err(error.context(done));
            }
        }
    };
    anyhow::ensure!(outcomes.len() == lines.len(), "the answer is about {} of {} rows", outcomes.len(), lines.len());
    for (line, outcome) in lines.into_iter().zip(outcomes) {
        match outcome {
            Outcome::Added => tally.added += 1,
            Outcome::Asked => tally.asked += 1,
            Outcome::Unchanged { why } => *tally.unchanged.entry(why).or_default() += 1,
            Outcome::Error { column, problem } => tally.wrong(bar, line, &format!("{column}: {problem}")),
            Outcome::Failed { problem } => {
                tally.wrong(bar, line, &format!("{problem}; the same file again takes it in"))
            }
        }
    }
    Ok(())
}

impl Tally {
    fn wrong(&mut self, bar: &ProgressBar, line: u64, problem: &str) {
        self.failed += 1;
        if self.failed <= MAX_TOLD {
            bar.suspend(|| output::complain(&format!("line {line}: {}\n", output::plain(problem))));
        }
    }

    fn for_people(&self, dry_run: bool) -> String {
        let mut lines = vec![format!("{} added", self.added), format!("{} asked by mail to confirm", self.asked)];
        lines.extend(self.unchanged.iter().map(|(why, n)| format!("{n} unchanged: {}", output::plain(why))));
        let untold = self.failed.saturating_sub(MAX_TOLD);
        let rest = if untold > 0 { format!(", {untold} of them not told above") } else { String::new() };
        lines.push(format!("{} not taken in{rest}", count(self.failed, "row")));
        if dry_run {
            lines.push("nothing was changed: this was a dry run".into());
        }
        lines.join("\n") + "\n"
    }
}

/// On a terminal only: a log has no use for it.
fn progress(bytes: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {bytes} of {total_bytes}, {eta} left");
    ProgressBar::new(bytes).with_style(style.expect("a template without mistakes"))
}
