//! `newswire token`: API tokens, straight in the store the publisher follows.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use article::PublisherId;
use bus::{Bus, HeaderMap, TailEvent};
use jiff::Timestamp;
use publisher::token::{Token, TokenHash, TokenRecord};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use topology::{TOKENS, access};

use crate::output::{self, Table};
use crate::server;

/// Of a hash, enough to tell tokens apart, in hex digits.
const SHOWN_HASH: usize = 12;
/// The shortest beginning of a hash that names a token, in hex digits.
const SHORTEST_PREFIX: usize = 6;
/// Reading all tokens, 16 MiB at most.
const READ_ALL: Duration = Duration::from_secs(30);

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Make a token and print it, once: only its hash is kept
    Create {
        /// Whom it speaks for: lower-case letters, digits and hyphens
        #[arg(long, value_name = "SLUG")]
        publisher: PublisherId,
        /// What to call it: the system or the desk that gets it
        #[arg(long, default_value = "default", value_parser = name)]
        name: String,
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// List all tokens, revoked ones too
    List {
        /// For machines: one object a line
        #[arg(long)]
        json: bool,
    },
    /// Revoke a token; it opens nothing from then on
    Revoke {
        /// Its name, or the beginning of its hash
        #[arg(value_name = "NAME|HASH")]
        which: String,
        /// Among the tokens of one publisher
        #[arg(long, value_name = "SLUG")]
        publisher: Option<PublisherId>,
    },
}

struct Stored {
    hash: TokenHash,
    record: TokenRecord,
    sequence: u64,
}

/// One line of at most 64 characters.
fn name(text: &str) -> Result<String, String> {
    let fits = (1..=64).contains(&text.chars().count()) && !text.trim().is_empty();
    if fits && output::plain(text) == text {
        Ok(text.to_owned())
    } else {
        Err("use 1 to 64 characters on one line".into())
    }
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let bus = server::connect().await?;
    // Its text says how to prepare the server; a write would only time out.
    bus.verify(&access("publisher").context("a service of the topology")?).await?;
    match args.command {
        Command::Create { publisher, name, json } => create(&bus, publisher, name, json).await?,
        Command::List { json } => list(&bus, json).await?,
        Command::Revoke { which, publisher } => revoke(&bus, &which, publisher.as_ref()).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(bus: &Bus, publisher: PublisherId, name: String, json: bool) -> anyhow::Result<()> {
    let token = Token::generate().context("no random bytes from the operating system")?;
    let record = TokenRecord { publisher, name, created_at: service_kit::now(), revoked_at: None };
    write(bus, &token.hash(), &record, 0).await?;
    if json {
        let document = json!({
            "token": token.expose(), "hash": token.hash().as_str(), "publisher": record.publisher, "name": record.name,
        });
        return output::print(&format!("{document}\n"));
    }
    output::print(&format!("{}\n", token.expose()))?;
    output::complain(&format!(
        "a token for {}, called {:?}; keep it safe, it is not shown again\n",
        record.publisher, record.name
    ));
    Ok(())
}

async fn list(bus: &Bus, json: bool) -> anyhow::Result<()> {
    let tokens = all(bus).await?;
    if json {
        let lines = tokens.iter().map(|token| {
            let TokenRecord { publisher, name, created_at, revoked_at } = &token.record;
            let hash = token.hash.as_str();
            format!("{}\n", json!({ "hash": hash, "publisher": publisher, "name": name, "created_at": created_at, "revoked_at": revoked_at }))
        });
        return output::print(&lines.collect::<String>());
    }
    if tokens.is_empty() {
        return output::print("there are no tokens; `newswire token create --publisher NAME` makes one\n");
    }
    let mut table = Table::new();
    for token in &tokens {
        let state = token.record.revoked_at.map_or("good".to_owned(), |at| format!("revoked {}", day(at)));
        let created = format!("created {}", day(token.record.created_at));
        let hash = &token.hash.as_str()[..SHOWN_HASH];
        table.row([hash, token.record.publisher.as_str(), &token.record.name, &created, &state]);
    }
    output::print(&table.to_string())
}

async fn revoke(bus: &Bus, which: &str, publisher: Option<&PublisherId>) -> anyhow::Result<()> {
    let is_meant = |token: &Stored| {
        let by_hash = which.len() >= SHORTEST_PREFIX && token.hash.as_str().starts_with(which);
        (by_hash || token.record.name == which)
            && publisher.is_none_or(|publisher| *publisher == token.record.publisher)
    };
    let meant: Vec<Stored> = all(bus).await?.into_iter().filter(is_meant).collect();
    let (good, revoked): (Vec<_>, Vec<_>) = meant.into_iter().partition(|token| token.record.revoked_at.is_none());
    let token = match (&good[..], &revoked[..]) {
        ([token], _) => token,
        ([], []) => bail!("there is no token {which:?}; `newswire token list` shows all"),
        ([], _) => return output::print(&format!("{which}: revoked already\n")),
        (several, _) => {
            let hashes: Vec<_> = several.iter().map(|token| &token.hash.as_str()[..SHOWN_HASH]).collect();
            bail!("{which:?} names several tokens; say which by its hash: {}", hashes.join(", "))
        }
    };
    let record = TokenRecord { revoked_at: Some(service_kit::now()), ..token.record.clone() };
    write(bus, &token.hash, &record, token.sequence).await?;
    output::print(&format!("revoked {:?} of {}\n", record.name, record.publisher))
}

async fn write(bus: &Bus, hash: &TokenHash, record: &TokenRecord, expected: u64) -> anyhow::Result<()> {
    let id = format!("token/{}/{expected}", hash.as_str());
    let payload = record.to_bytes().into();
    bus.publish(&TOKENS, &hash.subject(), &id, HeaderMap::new(), payload, Some(expected)).await?;
    Ok(())
}

/// Every token's last record, by publisher, then name.
async fn all(bus: &Bus) -> anyhow::Result<Vec<Stored>> {
    let stop = CancellationToken::new();
    let mut tail = bus.tail(&TOKENS, stop.clone());
    let read = async {
        let mut tokens = std::collections::BTreeMap::new();
        while let Some(TailEvent::Message { subject, payload, sequence, .. }) = tail.next().await {
            let hash = TokenHash::of_subject(&subject).with_context(|| format!("{subject} is not a token's"))?;
            let record = TokenRecord::from_bytes(&payload).with_context(|| format!("{subject} cannot be read"))?;
            tokens.insert(hash.clone(), Stored { hash, record, sequence });
        }
        anyhow::Ok(tokens)
    };
    let tokens = tokio::time::timeout(READ_ALL, read).await.context("the tokens could not be read in 30 s")??;
    // To its end, before the connection goes: a tail that loses it says so.
    stop.cancel();
    while tail.next().await.is_some() {}
    let mut tokens: Vec<_> = tokens.into_values().collect();
    tokens.sort_by(|a, b| (&a.record.publisher, &a.record.name).cmp(&(&b.record.publisher, &b.record.name)));
    Ok(tokens)
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}
