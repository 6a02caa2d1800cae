//! `hold`, `release`, `withdraw` and `reinstate`: the life of an article after it was published.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use article::ArticleId;
use serde_json::{Value, json};

use crate::article::{MAX_FILE, put, read, say};
use crate::client::{Change, Target};

#[derive(clap::Args)]
pub(crate) struct HoldArgs {
    /// Why, for the newsroom's record; readers are not told
    #[arg(long)]
    note: Option<String>,
    #[command(flatten)]
    which: Which,
}

#[derive(clap::Args)]
pub(crate) struct WithdrawArgs {
    /// What readers are told: the article stays readable under this notice
    #[arg(long)]
    note: String,
    #[command(flatten)]
    which: Which,
}

#[derive(clap::Args)]
pub(crate) struct ReinstateArgs {
    /// What readers are told
    #[arg(long)]
    note: Option<String>,
    /// The whole article as JSON; without it the text it had. A killed article has none
    #[arg(long, value_name = "JSON")]
    file: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
}

#[derive(clap::Args)]
struct Which {
    /// The article's id
    id: ArticleId,
    /// Only if this revision is current; without it, whichever is
    #[arg(long, value_name = "N")]
    if_revision: Option<u32>,
    #[command(flatten)]
    target: Target,
    /// Print the article for machines
    #[arg(long)]
    json: bool,
}

/// `kind` is `hold` or `release`.
pub(crate) async fn hold(args: HoldArgs, kind: &str) -> anyhow::Result<ExitCode> {
    step(&args.which, Change { kind, note: args.note.as_deref() }).await
}

pub(crate) async fn withdraw(args: WithdrawArgs) -> anyhow::Result<ExitCode> {
    step(&args.which, Change { kind: "withdraw", note: Some(&args.note) }).await
}

async fn step(which: &Which, change: Change<'_>) -> anyhow::Result<ExitCode> {
    let answer = which.target.client()?.change(&which.id, &change, which.if_revision, "cli").await?;
    say(&answer, which.json)
}

pub(crate) async fn reinstate(args: ReinstateArgs) -> anyhow::Result<ExitCode> {
    let Which { id, if_revision, target, json: for_machines } = &args.which;
    let client = target.client()?;
    let mut document: Value = match &args.file {
        Some(file) => {
            serde_json::from_slice(&read(file, MAX_FILE)?).with_context(|| format!("{} is not JSON", file.display()))?
        }
        None => client.read(id).await?.article,
    };
    if args.file.is_none() && document.get("body").is_none_or(Value::is_null) {
        bail!("{id} was killed and has no text any more; give the article with --file");
    }
    let Some(fields) = document.as_object_mut() else { bail!("an article is a JSON object") };
    fields.insert("change".to_owned(), json!({ "kind": "reinstate", "note": args.note }));
    say(&put(&client, id, *if_revision, &document).await?, *for_machines)
}
