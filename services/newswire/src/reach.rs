//! `newswire reach`: how many readers news would be mailed to, before it is published.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::Target;
use crate::output::{self, Table};

#[derive(clap::Args)]
#[command(after_help = "Examples:
  newswire reach --selection section/world+language/zh
  newswire reach --article draft.json

Nothing is published, and nobody is mailed.")]
pub(crate) struct Args {
    #[command(flatten)]
    of: Of,
    #[command(flatten)]
    target: Target,
    /// Print the counts for machines
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Of {
    /// Of an article that is in this selection, and of which nothing else is known
    #[arg(long, value_name = "EXPR")]
    selection: Option<String>,
    /// Of the article in this JSON file, as it would be published; - is standard input
    #[arg(long, value_name = "DRAFT.json")]
    article: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Reach {
    immediate: u64,
    daily: u64,
    weekly: u64,
    paused: u64,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.target.client()?;
    let counts = match (args.of.selection, args.of.article) {
        (Some(selection), _) => {
            client.ask("v1/reach", json!({ "selection": selection }).to_string().into_bytes()).await?.document
        }
        (None, article) => {
            let draft = crate::article::read(&article.unwrap_or_default(), crate::article::MAX_FILE)?;
            let mut tried = client.ask("v1/articles?dry_run=true", draft).await?.document;
            tried["readers"].take()
        }
    };
    if counts.is_null() {
        anyhow::bail!("nobody counts the readers now: email-notifier must be running, and its subscribers read");
    }
    output::print(&if args.json { format!("{counts:#}\n") } else { for_people(&counts)? })?;
    Ok(ExitCode::SUCCESS)
}

fn for_people(counts: &Value) -> anyhow::Result<String> {
    let reach = Reach::deserialize(counts).context("the publisher does not count readers as this version does")?;
    let mut table = Table::new();
    table.row(["at once", &reach.immediate.to_string()]);
    table.row(["in a daily digest", &reach.daily.to_string()]);
    table.row(["in a weekly digest", &reach.weekly.to_string()]);
    table.row(["paused, and not mailed", &reach.paused.to_string()]);
    Ok(table.to_string())
}
