//! Many pages at once: read in the order of their names, published several at a time, each once.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Duration;

use futures::{StreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};
use publisher::token::sha256_hex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::tally::{Fate, Row, Tally};
use super::{Args, Mistake, walk};
use crate::article::read;
use crate::client::{Client, Verdict, verdict};
use crate::intake::{self, Item, Revise, Settled};
use crate::{output, process};

/// Pages read at once: reading is work for the processor.
const READERS: usize = 2;
/// Requests under way at once. The publisher takes 128 from everybody together; the newsroom goes on working meanwhile.
const REQUESTS: usize = 16;
/// The pauses while the publisher cannot take anything and does not say for how long.
const PAUSES: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(5), Duration::from_secs(10)];
/// How long one page is tried before the run ends: a publisher that is being restarted is back by then.
const PATIENCE: Duration = Duration::from_secs(300);

/// What the files of a run share.
struct Run<'a> {
    args: &'a Args,
    client: Option<Client>,
    /// No further file is begun.
    stop: CancellationToken,
    /// Until when nobody asks the publisher for anything.
    pause: Mutex<Instant>,
    /// Why the run had to end before its time.
    ended_by: Mutex<Option<anyhow::Error>>,
    /// Which file has which key, and the hash of its content.
    keys: Mutex<HashMap<String, (PathBuf, String)>>,
}

pub(super) async fn run(args: &Args, client: Option<Client>) -> anyhow::Result<ExitCode> {
    let stop = CancellationToken::new();
    tokio::select! {
        done = all(args, client, stop.clone()) => done,
        twice = process::signalled_twice(stop) => twice.map(|()| ExitCode::FAILURE),
    }
}

async fn all(args: &Args, client: Option<Client>, stop: CancellationToken) -> anyhow::Result<ExitCode> {
    let paths = args.files.clone();
    let found = tokio::task::spawn_blocking(move || walk::find(&paths)).await??;
    let bar = progress(found.pages.len());
    let run = Run {
        args,
        client,
        stop,
        pause: Mutex::new(Instant::now()),
        ended_by: Mutex::default(),
        keys: Mutex::default(),
    };
    let mut tally = Tally { passed_over: found.passed_over, ..Tally::default() };
    for (folder, reason) in found.unreadable {
        tally.rows.push(failed(&folder, vec![Mistake::other("E_FOLDER", format!("cannot be listed: {reason}"))]));
    }
    let total = found.pages.len();
    let mut begun = 0;
    {
        let files = stream::iter(found.pages).take_while(|_| std::future::ready(!run.stop.is_cancelled()));
        let items = files.map(|file| read_page(args, file)).buffered(READERS);
        let rows = items.map(|(file, item)| run.one(file, item)).buffer_unordered(REQUESTS);
        tokio::pin!(rows);
        while let Some(row) = rows.next().await {
            bar.inc(1);
            let Some(row) = row else { continue };
            begun += 1;
            if args.json {
                output::print(&format!("{}\n", row.for_machines()))?;
            }
            tally.rows.push(row);
        }
    }
    bar.finish_and_clear();
    tally.untried = total - begun;
    tally.rows.sort_by(|a, b| a.file.cmp(&b.file));
    if let Some(file) = &args.report {
        tally.write(file)?;
    }
    if !args.json {
        output::print(&tally.for_people())?;
    }
    match run.ended_by.into_inner().expect("no holder of this lock panics") {
        Some(error) => Err(error.context("the import ended before its time; run the same command again to go on")),
        None if tally.is_good() => Ok(ExitCode::SUCCESS),
        None => Ok(ExitCode::FAILURE),
    }
}

/// On a terminal only: a log has no use for it.
fn progress(files: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {pos} of {len} files, {eta} left {msg}");
    ProgressBar::new(files as u64).with_style(style.expect("a template without mistakes"))
}

type Read = Result<Item, Vec<Mistake>>;

/// Off the threads that talk to the publisher.
async fn read_page(args: &Args, file: PathBuf) -> (PathBuf, Read) {
    let (reading, path) = (args.reading.clone(), file.clone());
    let item = tokio::task::spawn_blocking(move || {
        let bytes =
            read(&path, super::MAX_FILE).map_err(|error| vec![Mistake::other("E_FILE", format!("{error:#}"))])?;
        reading.page(&bytes)
    });
    let panicked = |_| Err(vec![Mistake::other("E_UNACCOUNTED", "the importer failed on this page; please report it")]);
    (file, item.await.unwrap_or_else(panicked))
}

impl Run<'_> {
    /// `None` when the run ended before the file was settled.
    fn one(&self, file: PathBuf, item: Read) -> impl Future<Output = Option<Row>> {
        // Before the future runs: files claim their keys in the order of their names.
        let item = item.and_then(|item| self.claim(&file, item));
        async move {
            match item {
                Err(mistakes) => Some(failed(&file, mistakes)),
                Ok(item) => match &self.client {
                    None => Some(row(&file, Fate::Read, None, Vec::new())),
                    Some(client) => self.publish(client, &file, &item).await,
                },
            }
        }
    }

    /// Two pages of one run that make the same article are a mistake in one of them: the second would become a revision
    /// of the first, or be taken for it.
    fn claim(&self, file: &Path, item: Item) -> Read {
        let hash = sha256_hex(item.document.to_string().as_bytes());
        let mut keys = self.keys.lock().expect("no holder of this lock panics");
        match keys.get(&item.key) {
            Some((other, theirs)) if *theirs != hash => Err(vec![Mistake::other(
                "E_SAME_PAGE",
                format!(
                    "it would be the same article as {} (the same address, or section, headline and date), in other words: \
                     keep the one that is right, or import this one alone with --url",
                    other.display()
                ),
            )]),
            Some(_) => Ok(item),
            None => {
                keys.insert(item.key.clone(), (file.to_owned(), hash));
                Ok(item)
            }
        }
    }

    async fn publish(&self, client: &Client, file: &Path, item: &Item) -> Option<Row> {
        let begun = Instant::now();
        let mut pauses = PAUSES.into_iter();
        loop {
            if !self.waited().await {
                return None;
            }
            let error = match intake::submit(client, item, intake::IMPORT, self.args.revise).await {
                Ok(settled) => return Some(settled_row(file, settled, self.args.revise)),
                Err(error) => error,
            };
            match verdict(&error) {
                Verdict::Wait(after) if begun.elapsed() < PATIENCE => {
                    let pause = after.or_else(|| pauses.next()).unwrap_or(PAUSES[PAUSES.len() - 1]);
                    let mut until = self.pause.lock().expect("no holder of this lock panics");
                    *until = (*until).max(Instant::now() + pause);
                }
                _ => {
                    self.stop.cancel();
                    let mut ended_by = self.ended_by.lock().expect("no holder of this lock panics");
                    ended_by.get_or_insert(error);
                    return None;
                }
            }
        }
    }

    /// Waits out a pause; `false` when the run is to end meanwhile. What is under way is finished all the same.
    async fn waited(&self) -> bool {
        loop {
            let until = *self.pause.lock().expect("no holder of this lock panics");
            if until <= Instant::now() {
                return true;
            }
            tokio::select! {
                () = tokio::time::sleep_until(until) => {}
                () = self.stop.cancelled() => return false,
            }
        }
    }
}

fn settled_row(file: &Path, settled: Settled, revise: Option<Revise>) -> Row {
    match settled {
        Settled::Published(answer) if answer.replayed => row(file, Fate::Unchanged, Some(&answer.article), Vec::new()),
        Settled::Published(answer) => row(file, Fate::Published, Some(&answer.article), Vec::new()),
        Settled::Revised(answer) => row(file, Fate::Revised, Some(&answer.article), Vec::new()),
        Settled::Kept { id, revision, why } => {
            let why =
                if revise.is_some() { why } else { format!("{id} has other words; --revise minor replaces them") };
            let mut row = row(file, Fate::Changed, None, vec![Mistake::other("changed", why)]);
            (row.id, row.revision) = (Some(id.to_string()), Some(revision.into()));
            row
        }
        Settled::Refused(refused) => failed(file, vec![Mistake::other(refused.word(), refused.to_string())]),
    }
}

fn failed(file: &Path, mistakes: Vec<Mistake>) -> Row {
    row(file, Fate::Failed, None, mistakes)
}

fn row(file: &Path, fate: Fate, article: Option<&serde_json::Value>, mistakes: Vec<Mistake>) -> Row {
    Row {
        file: file.display().to_string(),
        fate,
        id: article.and_then(|article| article["id"].as_str()).map(str::to_owned),
        revision: article.and_then(|article| article["revision"].as_u64()),
        mistakes,
    }
}
