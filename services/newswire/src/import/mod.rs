//! `newswire import`: pages of text in, what was found in them out, and into the log if asked.

mod batch;
mod draft;
mod report;
mod tally;
mod walk;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use article::{Draft, Problem};
use import::{Imported, Options, Profile, Zone};
use serde_json::{Value, json};
use url::Url;

pub(crate) use self::walk::{is_page, is_unfinished};
use crate::article::{outcome, read};
use crate::client::{Answer, Client, Target};
use crate::intake::{self, Item, Revise, Settled};
use crate::{Usage, output};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Pages as text in UTF-8 or as HTML; `-` for standard input. Of a folder, every page in it and below it
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Publish what was found. A page that was published before is not published again
    #[arg(long)]
    publish: bool,
    /// Take the new text of pages that were published before with another one, as revisions of this kind. The words of an
    /// editor who has revised the article since are never replaced
    #[arg(long, value_name = "KIND", requires = "publish")]
    revise: Option<Revise>,
    /// Write what became of each file: as CSV if the name ends in .csv, otherwise as JSON
    #[arg(long, value_name = "REPORT")]
    report: Option<PathBuf>,
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    reading: Reading,
    /// The page's own address; readers are sent there. For a single FILE
    #[arg(long)]
    url: Option<Url>,
    /// Show for each field what else might have been it, and why it was not taken
    #[arg(long)]
    trace: bool,
    /// For machines: one object a line
    #[arg(long)]
    json: bool,
}

/// What is known about pages before they are read.
#[derive(clap::Args, Clone, Default)]
pub(crate) struct Reading {
    /// Time zone of dates that name none, such as Asia/Shanghai or +08:00
    #[arg(long, value_name = "ZONE")]
    timezone: Option<Zone>,
    /// The family of sites the pages come from, such as cn-procuratorate
    #[arg(long)]
    profile: Option<Profile>,
    /// Language of the pages (BCP 47), such as en or zh-Hans
    #[arg(long, value_name = "TAG")]
    language: Option<String>,
    /// 1 is the most urgent; 1 and 2 are breaking news
    #[arg(long, value_name = "1-9", value_parser = clap::value_parser!(u8).range(1..=9))]
    urgency: Option<u8>,
}

impl Reading {
    fn options(&self, url: Option<&Url>) -> Options {
        Options {
            timezone: self.timezone.clone(),
            profile: self.profile,
            language: self.language.clone(),
            url: url.cloned(),
        }
    }

    /// What foreign documents leave unsaid.
    pub(crate) fn defaults(&self) -> interchange::Defaults {
        let tz = self.timezone.as_ref().map(ToString::to_string);
        interchange::Defaults { language: self.language.clone(), section: Vec::new(), tz }
    }

    /// The article in a page of text or HTML, and the key under which it is published once.
    pub(crate) fn page(&self, bytes: &[u8]) -> Result<Item, Vec<Mistake>> {
        let found = draft_of(bytes, &self.options(None), self.urgency).map_err(refused)?;
        // What the publisher would refuse is told here too, with the words it would use.
        Draft::from_json(&found.draft, service_kit::now()).map_err(|problems| invalid(&problems))?;
        Ok(Item { document: found.draft, key: found.key })
    }
}

/// A page that was read, as it would be published.
struct Found {
    page: Imported,
    draft: Value,
    key: String,
}

/// What became of one file.
struct Outcome {
    found: Option<Found>,
    published: Option<Answer>,
    /// Why it went no further; empty when it did.
    mistakes: Vec<Mistake>,
}

/// A reason for people and, where there is one, a code for machines.
#[derive(Debug)]
pub(crate) struct Mistake {
    pub(crate) code: String,
    line: Option<u32>,
    pub(crate) text: String,
}

impl Mistake {
    pub(crate) fn other(code: &str, text: impl Into<String>) -> Self {
        Self { code: code.to_owned(), line: None, text: text.into() }
    }

    fn for_machines(&self) -> Value {
        json!({ "code": self.code, "line": self.line, "text": self.text })
    }
}

/// The most bytes read of a file: one more than the importer takes, so that it is the importer that says so.
pub(crate) const MAX_FILE: u64 = import::MAX_PAGE_BYTES as u64 + 1;

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    if args.url.is_some() && args.files.len() > 1 {
        return Err(Usage("--url is the address of one page; give one FILE with it".into()).into());
    }
    let client = if args.publish { Some(args.target.client()?) } else { None };
    let many = args.publish && args.files.len() > 1;
    if many || args.report.is_some() || args.files.iter().any(|file| file.is_dir()) {
        return batch::run(&args, client).await;
    }
    let mut failed = false;
    for file in &args.files {
        let outcome = one(file, &args, client.as_ref()).await?;
        failed |= !outcome.mistakes.is_empty();
        if args.json {
            output::print(&format!("{}\n", report::for_machines(file, &outcome, args.trace)))?;
            continue;
        }
        if let Some(found) = &outcome.found {
            output::print(&report::for_people(file, found, args.trace))?;
        }
        if let Some(answer) = &outcome.published {
            output::print(&format!("{}\n", crate::article::outcome(answer)))?;
        }
        output::complain(&report::mistakes(file, &outcome.mistakes));
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// # Errors
/// When the publisher cannot be asked: the other files would fare no better.
async fn one(file: &Path, args: &Args, client: Option<&Client>) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome { found: None, published: None, mistakes: Vec::new() };
    let mut found = match found(file, args) {
        Ok(found) => found,
        Err(mistakes) => return Ok(Outcome { mistakes, ..outcome }),
    };
    // What the publisher would refuse is told here too: a dry run is only worth something if it is the whole truth.
    if let Err(problems) = Draft::from_json(&found.draft, service_kit::now()) {
        outcome.mistakes = invalid(&problems);
    } else if let Some(client) = client {
        let item = Item { document: found.draft, key: found.key };
        let settled = intake::submit(client, &item, intake::IMPORT, args.revise).await;
        match settled.with_context(|| format!("{} was not published", file.display()))? {
            Settled::Published(answer) | Settled::Revised(answer) => outcome.published = Some(answer),
            Settled::Kept { why, .. } => outcome.mistakes.push(Mistake::other("changed", why)),
            Settled::Refused(refused) => outcome.mistakes.push(Mistake::other(&refused.kind, refused.to_string())),
        }
        found = Found { page: found.page, draft: item.document, key: item.key };
    }
    outcome.found = Some(found);
    Ok(outcome)
}

fn found(file: &Path, args: &Args) -> Result<Found, Vec<Mistake>> {
    let bytes = read(file, MAX_FILE).map_err(|error| {
        let error = format!("{error:#}");
        vec![Mistake::other("E_FILE", error)]
    })?;
    draft_of(&bytes, &args.reading.options(args.url.as_ref()), args.reading.urgency).map_err(refused)
}

fn refused(errors: Vec<import::ImportError>) -> Vec<Mistake> {
    let mistake = |error: &import::ImportError| Mistake {
        code: error.code.to_string(),
        line: Some(error.line),
        text: error.to_string(),
    };
    errors.iter().map(mistake).collect()
}

fn invalid(problems: &[Problem]) -> Vec<Mistake> {
    problems.iter().map(|problem| Mistake::other(&problem.code, problem.to_string())).collect()
}

fn draft_of(bytes: &[u8], options: &Options, urgency: Option<u8>) -> Result<Found, Vec<import::ImportError>> {
    let page = import::import_bytes(bytes, options)?;
    let (draft, key) = (draft::document(&page, urgency), draft::key(&page));
    Ok(Found { page, draft, key })
}

/// Publishes a page that says everything itself, and tells what became of it.
pub(crate) async fn publish_page(client: &Client, bytes: &[u8]) -> anyhow::Result<String> {
    let found = draft_of(bytes, &Options::default(), None);
    let found = found.map_err(|errors| {
        let list: Vec<_> = errors.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", list.join("; "))
    })?;
    let answer = client.create(found.draft.to_string().into_bytes(), &found.key, "cli-import").await?;
    Ok(outcome(&answer))
}

/// One file for machines.
fn machine_answer(answer: &Answer) -> Value {
    json!({
        "id": answer.article["id"], "revision": answer.article["revision"], "unchanged": answer.replayed,
        "text": outcome(answer),
    })
}
