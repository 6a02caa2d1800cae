//! `newswire subscribers`: asks the email-notifier, over NATS. Addresses are sealed in the log; only it can read them.

mod export;
mod import;
mod sheet;

use std::io::{BufRead, IsTerminal, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use bus::Bus;
use email_notifier::subscribers::{Answer, Forgotten, Question, Shown};
use serde::Serialize;
use serde::de::DeserializeOwned;
use topology::subjects;

use crate::output::{self, Table};
use crate::{Usage, server};

/// How long one question may take: a thousand rows on a busy server, or all plans of a year looked through.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Take subscribers in from a CSV file. Columns: address, selection, frequency, zone, language, confirmed_at, source;
    /// only the first is needed. Who did not agree elsewhere (confirmed_at and source) is asked by mail. The same file
    /// twice changes nothing
    Import {
        file: PathBuf,
        /// Say what would happen, and change nothing
        #[arg(long)]
        dry_run: bool,
        /// Where those agreed whose row has a confirmed_at and no source: the form, the contract, the event
        #[arg(long, value_name = "TEXT")]
        consent_source: Option<String>,
    },
    /// Write all confirmed subscriptions as CSV, in the same columns
    Export {
        /// Standard output if not given. It is readable by you alone
        file: Option<PathBuf>,
    },
    /// Show everything that is kept of a subscriber
    Show { address: String },
    /// Forget a subscriber, and tell what remains where
    Erase {
        address: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Import { file, dry_run, consent_source } => {
            import::run(&file, dry_run, consent_source.as_deref()).await
        }
        Command::Export { file } => export::run(file.as_deref()).await,
        Command::Show { address } => show(address).await,
        Command::Erase { address, yes } => erase(address, yes).await,
    }
}

#[derive(Debug, thiserror::Error)]
#[error(
    "no answer: email-notifier must be running, and its subscribers read (see its /readyz); then do the same again"
)]
struct NoAnswer;

/// Asks, and fails with what the answer says is to be done.
pub(crate) async fn ask<T: DeserializeOwned>(bus: &Bus, question: &impl Serialize) -> anyhow::Result<T> {
    let text = serde_json::to_vec(question)?;
    let answer = bus.request(subjects::ASK_SUBSCRIBERS, text.into(), ANSWER_WITHIN).await;
    let answer = answer.ok_or(NoAnswer)?;
    let answer: Answer<T> =
        serde_json::from_slice(&answer).context("an answer of another version of email-notifier")?;
    answer.map_err(anyhow::Error::msg)
}

async fn show(address: String) -> anyhow::Result<ExitCode> {
    let bus = server::connect().await?;
    let shown: Shown = ask(&bus, &Question::Show { address }).await?;
    if let Some(why) = &shown.suppressed {
        output::print(&format!("never written to again: {}\n", output::plain(why)))?;
    }
    match &shown.record {
        Some(record) => {
            let document = serde_json::to_string_pretty(record)?;
            let lines = document.lines().map(|line| format!("{}\n", output::plain(line)));
            output::print(&lines.collect::<String>())?;
        }
        None if shown.suppressed.is_none() => bail!("nobody has subscribed there"),
        None => {}
    }
    Ok(ExitCode::SUCCESS)
}

async fn erase(address: String, yes: bool) -> anyhow::Result<ExitCode> {
    if !yes && !agreed(&address)? {
        bail!("nothing was erased");
    }
    let bus = server::connect().await?;
    let forgotten: Forgotten = ask(&bus, &Question::Erase { address }).await?;
    if !forgotten.erased && forgotten.remains.is_empty() {
        bail!("nobody has subscribed there");
    }
    output::print(if forgotten.erased { "erased; what remains:\n" } else { "erased before; what remains:\n" })?;
    let mut table = Table::new();
    for remains in &forgotten.remains {
        table.row([&remains.place, &format!("until {}", remains.until), &remains.what]);
    }
    output::print(&table.to_string())?;
    Ok(ExitCode::SUCCESS)
}

fn agreed(address: &str) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Err(Usage("nobody is here to ask; add --yes to erase".into()).into());
    }
    output::complain(&format!("erase {} for good? Type yes: ", output::plain(address)));
    std::io::stderr().flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim() == "yes")
}
