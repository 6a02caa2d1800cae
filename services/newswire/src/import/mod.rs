//! `newswire import`: pages of text in, what was found in them out, and into the log if asked.

mod draft;
mod report;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use article::Draft;
use import::{Options, Page, Profile, Zone};
use serde_json::{Value, json};
use url::Url;

use self::draft::Extras;
use crate::article::{outcome, read};
use crate::client::{Answer, Client, Refused, Target};
use crate::{Usage, output};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Pages as text in UTF-8; `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Publish what was found. A page that was published before is not published again
    #[arg(long)]
    publish: bool,
    #[command(flatten)]
    target: Target,
    /// Time zone of dates that name none, such as Asia/Shanghai or +08:00
    #[arg(long, value_name = "ZONE")]
    timezone: Option<Zone>,
    /// The family of sites the pages come from, such as cn-procuratorate
    #[arg(long)]
    profile: Option<Profile>,
    /// Language of the pages (BCP 47), such as en or zh-Hans
    #[arg(long, value_name = "TAG")]
    language: Option<String>,
    /// The page's own address; readers are sent there. For a single FILE
    #[arg(long)]
    url: Option<Url>,
    /// 1 is the most urgent; 1 and 2 are breaking news
    #[arg(long, value_name = "1-9", value_parser = clap::value_parser!(u8).range(1..=9))]
    urgency: Option<u8>,
    /// For machines: one object a line
    #[arg(long)]
    json: bool,
}

/// A page that was read, as it would be published.
struct Found {
    page: Page,
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
struct Mistake {
    code: String,
    line: Option<u32>,
    text: String,
}

impl Mistake {
    fn other(code: &str, text: impl Into<String>) -> Self {
        Self { code: code.to_owned(), line: None, text: text.into() }
    }
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    if args.url.is_some() && args.files.len() > 1 {
        return Err(Usage("--url is the address of one page; give one FILE with it".into()).into());
    }
    let client = if args.publish { Some(args.target.client()?) } else { None };
    let mut failed = false;
    for file in &args.files {
        let outcome = one(file, &args, client.as_ref()).await?;
        failed |= !outcome.mistakes.is_empty();
        if args.json {
            output::print(&format!("{}\n", report::for_machines(file, &outcome)))?;
            continue;
        }
        if let Some(found) = &outcome.found {
            output::print(&report::for_people(file, found))?;
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
    let found = match found(file, args) {
        Ok(found) => found,
        Err(mistakes) => return Ok(Outcome { mistakes, ..outcome }),
    };
    // What the publisher would refuse is told here too: a dry run is only worth something if it is the whole truth.
    if let Err(problems) = Draft::from_json(&found.draft, service_kit::now()) {
        outcome.mistakes.extend(problems.iter().map(|problem| Mistake::other(&problem.code, problem.to_string())));
    } else if let Some(client) = client {
        let name = file.display();
        match client.create(found.draft.to_string().into_bytes(), &found.key, "cli-import").await {
            Ok(answer) => outcome.published = Some(answer),
            Err(error) => match error.downcast::<Refused>() {
                Ok(refused) => outcome.mistakes.push(Mistake::other(&refused.kind, explain(&refused))),
                Err(error) => return Err(error).with_context(|| format!("{name} was not published")),
            },
        }
    }
    outcome.found = Some(found);
    Ok(outcome)
}

fn found(file: &Path, args: &Args) -> Result<Found, Vec<Mistake>> {
    // One byte more than the importer takes, so that it is the importer that says so.
    let bytes = read(file, import::MAX_BYTES as u64 + 1).map_err(|error| {
        let error = format!("{error:#}");
        vec![Mistake::other("E_FILE", error)]
    })?;
    let options = Options { timezone: args.timezone.clone(), profile: args.profile, language: args.language.clone() };
    let extras = Extras { url: args.url.as_ref(), urgency: args.urgency };
    draft_of(&bytes, &options, &extras).map_err(|errors| {
        let mistake = |error: &import::ImportError| Mistake {
            code: error.code.to_string(),
            line: Some(error.line),
            text: error.to_string(),
        };
        errors.iter().map(mistake).collect()
    })
}

fn draft_of(bytes: &[u8], options: &Options, extras: &Extras<'_>) -> Result<Found, Vec<import::ImportError>> {
    let page = import::import_text(bytes, options)?;
    let (draft, key) = (draft::document(&page, extras), draft::key(&page, extras));
    Ok(Found { page, draft, key })
}

/// Publishes a page that says everything itself, and tells what became of it.
pub(crate) async fn publish_page(client: &Client, bytes: &[u8]) -> anyhow::Result<String> {
    let found = draft_of(bytes, &Options::default(), &Extras { url: None, urgency: None });
    let found = found.map_err(|errors| {
        let list: Vec<_> = errors.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", list.join("; "))
    })?;
    let answer = client.create(found.draft.to_string().into_bytes(), &found.key, "cli-import").await?;
    Ok(outcome(&answer))
}

/// The publisher's words, in those of somebody who imports pages.
fn explain(refused: &Refused) -> String {
    match (refused.article, refused.current_revision) {
        (Some(id), Some(revision)) => format!(
            "this page was published before, with other content: {id}, now at revision {revision}. To publish the new \
             text, save the `draft` that --json prints as DRAFT.json and run: newswire revise {} DRAFT.json --kind minor",
            id.token()
        ),
        _ => refused.to_string(),
    }
}

/// One file for machines.
fn machine_answer(answer: &Answer) -> Value {
    json!({
        "id": answer.article["id"], "revision": answer.article["revision"], "unchanged": answer.replayed,
        "text": outcome(answer),
    })
}
