//! The command line. Exit codes: 0 done, 1 failed, 2 wrong usage.

mod article;
mod change;
mod client;
mod import;
mod intake;
mod keys;
mod kill;
mod ledger;
mod list;
mod mail;
mod output;
mod plan;
mod process;
mod provision;
mod reach;
mod server;
mod source;
mod subscribers;
mod token;
mod up;
mod watch;
mod webhook;
mod why;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio_util::sync::CancellationToken;

/// Publish news once, everywhere.
#[derive(Parser)]
#[command(name = "newswire", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Read pages of text, show what was found in them, and publish them if asked
    Import(import::Args),
    /// Publish whatever is put into a folder
    Watch(watch::Args),
    /// Publish a new article from a JSON file
    Publish(article::PublishArgs),
    /// Publish a new text for an article
    Revise(article::ReviseArgs),
    /// Show an article in its current revision
    Show(article::ShowArgs),
    /// List articles, those changed last first
    List(list::ListArgs),
    /// List the revisions of an article, oldest first
    Revisions(list::RevisionsArgs),
    /// Show what became of all mail about an article, or of a digest, and follow it while it is sent
    Ledger(ledger::Args),
    /// Stop a plan of mail, let it go on, end it, or try its failures again
    Plan(plan::Args),
    /// Tell what an address was sent of an article, and why it was or was not (talks to NATS)
    Why(why::Args),
    /// Count the readers that news would be mailed to, before it is published
    Reach(reach::Args),
    /// Take an article out of the feeds and stop its mail, until it is released
    Hold(change::HoldArgs),
    /// Let an article go that is held, or end an embargo early
    Release(change::HoldArgs),
    /// Withdraw an article: it stays readable, under a notice
    Withdraw(change::WithdrawArgs),
    /// Kill an article: its text is erased everywhere, a notice takes its place, and how long that took is told
    Kill(kill::Args),
    /// Make a withdrawn or killed article public again
    Reinstate(change::ReinstateArgs),
    /// Make, list and revoke API tokens (talks to NATS)
    Token(token::Args),
    /// Make, list, try and revoke the webhooks by which other systems send articles (talks to NATS)
    Webhook(webhook::Args),
    /// Take news from upstream feeds: add, list, pause and remove them (talks to NATS)
    Source(source::Args),
    /// Take email subscribers in and out as CSV, show one, erase one (talks to NATS)
    Subscribers(subscribers::Args),
    /// Show what a mail about an article looks like, and send one for trial (talks to NATS)
    Mail(mail::Args),
    /// Make the keys by which the services prove who they are to NATS
    Keys(keys::Args),
    /// Bring a NATS server to what this version needs, and check it
    Provision(provision::Args),
    /// Run everything on this machine, with sample articles to look at
    Up(up::Options),
}

/// Something that the person at the keyboard has to put differently.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

#[tokio::main]
async fn main() -> ExitCode {
    let command = Cli::parse().command;
    let done = match process::log() {
        Ok(()) => run(command).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            output::complain(&format!("newswire: {error:#}\n"));
            ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
        }
    }
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Import(args) => import::run(args).await,
        Command::Watch(args) => watch::run(args).await,
        Command::Publish(args) => article::publish(args).await,
        Command::Revise(args) => article::revise(args).await,
        Command::Show(args) => article::show(args).await,
        Command::List(args) => list::list(args).await,
        Command::Revisions(args) => list::revisions(args).await,
        Command::Ledger(args) => ledger::run(args).await,
        Command::Plan(args) => plan::run(args).await,
        Command::Why(args) => why::run(args).await,
        Command::Reach(args) => reach::run(args).await,
        Command::Hold(args) => change::hold(args, "hold").await,
        Command::Release(args) => change::hold(args, "release").await,
        Command::Withdraw(args) => change::withdraw(args).await,
        Command::Kill(args) => kill::run(args).await,
        Command::Reinstate(args) => change::reinstate(args).await,
        Command::Token(args) => token::run(args).await,
        Command::Webhook(args) => webhook::run(args).await,
        Command::Source(args) => source::run(args).await,
        Command::Subscribers(args) => subscribers::run(args).await,
        Command::Mail(args) => mail::run(args).await,
        Command::Keys(args) => keys::run(&args),
        Command::Provision(args) => provision::run(args).await,
        Command::Up(options) => {
            let shutdown = CancellationToken::new();
            tokio::select! {
                done = up::run(options, shutdown.clone()) => done.map(|()| ExitCode::SUCCESS),
                // To return is to drop everything, children included.
                twice = process::signalled_twice(shutdown) => twice.map(|()| ExitCode::FAILURE),
            }
        }
    }
}
