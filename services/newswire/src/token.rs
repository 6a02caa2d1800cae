//! `newswire token`: API tokens, straight in the store the publisher follows.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use article::PublisherId;
use bus::{Bus, HeaderMap};
use jiff::Timestamp;
use publisher::token::{DEFAULT_RATE, Scope, Token, TokenHash, TokenRecord, TokenUse};
use serde_json::json;
use topology::{TOKENS, access, subjects};

use crate::output::{self, Table, day};
use crate::server;

/// Of a hash, enough to tell tokens apart, in hex digits.
const SHOWN_HASH: usize = 12;
/// The shortest beginning of a hash that names a token, in hex digits.
const SHORTEST_PREFIX: usize = 6;
/// Live tokens that one name of a publisher may have: the one in use, and the one that replaces it.
const LIVE: usize = 2;
/// The highest rate that can be given, in requests a second; what a publisher was measured to write is below it.
const HIGHEST_RATE: u32 = 100_000;
/// Reading all tokens, 16 MiB at most.
const READ_ALL: Duration = Duration::from_secs(30);

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Make a token and print it, once: only its hash is kept. To replace one, make a second of the same name, change
    /// over, look with `list` when the old one was last used, and revoke it by its hash
    Create {
        /// Whom it speaks for: lower-case letters, digits and hyphens
        #[arg(long, value_name = "SLUG")]
        publisher: PublisherId,
        /// What to call it: the system or the desk that gets it
        #[arg(long, default_value = "default", value_parser = name)]
        name: String,
        /// What it may: read, write (create, revise, hold, release, withdraw, reinstate), kill; everything if not given
        #[arg(long, value_name = "SCOPE", value_delimiter = ',')]
        scope: Vec<Scope>,
        /// Requests a second that each publisher process takes of it, twice as many at once
        #[arg(long, value_name = "N", default_value_t = DEFAULT_RATE, value_parser = rate)]
        rate: NonZeroU32,
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// List all tokens, revoked ones too, and when each was last used
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
    last_used_at: Option<Timestamp>,
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

fn rate(text: &str) -> Result<NonZeroU32, String> {
    let rate = text.parse().ok().filter(|rate: &NonZeroU32| rate.get() <= HIGHEST_RATE);
    rate.ok_or_else(|| format!("use a number from 1 to {HIGHEST_RATE}"))
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let bus = server::connect().await?;
    // Its text says how to prepare the server; a write would only time out.
    bus.verify(&access("publisher").context("a service of the topology")?).await?;
    match args.command {
        Command::Create { publisher, name, scope, rate, json } => {
            let fresh = TokenRecord::new(publisher, name, service_kit::now());
            let scopes = if scope.is_empty() { fresh.scopes.clone() } else { BTreeSet::from_iter(scope) };
            let rate = Some(rate).filter(|rate| *rate != DEFAULT_RATE);
            create(&bus, TokenRecord { scopes, rate, ..fresh }, json).await?;
        }
        Command::List { json } => list(&bus, json).await?,
        Command::Revoke { which, publisher } => revoke(&bus, &which, publisher.as_ref()).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn create(bus: &Bus, record: TokenRecord, json: bool) -> anyhow::Result<()> {
    let same = |token: &Stored| (&token.record.publisher, &token.record.name) == (&record.publisher, &record.name);
    let live: Vec<_> =
        all(bus).await?.into_iter().filter(|token| token.record.revoked_at.is_none() && same(token)).collect();
    if live.len() >= LIVE {
        let hashes: Vec<_> = live.iter().map(shown).collect();
        bail!(
            "{:?} of {} has {} live tokens; revoke one of them first ({}), or give this one another name",
            record.name,
            record.publisher,
            live.len(),
            hashes.join(", ")
        );
    }
    let token = Token::generate().context("no random bytes from the operating system")?;
    write(bus, &token.hash(), &record, 0).await?;
    if json {
        let document = json!({
            "token": token.expose(), "hash": token.hash().as_str(), "publisher": record.publisher, "name": record.name,
            "scopes": record.scopes,
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
            let TokenRecord { publisher, name, created_at, scopes, rate, revoked_at } = &token.record;
            let line = json!({
                "hash": token.hash.as_str(), "publisher": publisher, "name": name, "scopes": scopes,
                "rate": rate.unwrap_or(DEFAULT_RATE), "created_at": created_at, "last_used_at": token.last_used_at,
                "revoked_at": revoked_at,
            });
            format!("{line}\n")
        });
        return output::print(&lines.collect::<String>());
    }
    if tokens.is_empty() {
        return output::print("there are no tokens; `newswire token create --publisher NAME` makes one\n");
    }
    let mut table = Table::new();
    for token in &tokens {
        let record = &token.record;
        let state = record.revoked_at.map_or("good".to_owned(), |at| format!("revoked {}", day(at)));
        let created = format!("created {}", day(record.created_at));
        let used =
            token.last_used_at.map_or("never used".to_owned(), |at| format!("used {}", at.strftime("%Y-%m-%d %H:%M")));
        let scopes: Vec<_> = record.scopes.iter().map(|scope| scope.as_str()).collect();
        table.row([shown(token), record.publisher.as_str(), &record.name, &scopes.join(","), &created, &used, &state]);
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
            let hashes: Vec<_> = several.iter().map(shown).collect();
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

/// Every token's last record, by publisher, then name, then age.
async fn all(bus: &Bus) -> anyhow::Result<Vec<Stored>> {
    let mut uses = BTreeMap::new();
    for (hash, subject, payload, _) in stored(bus, subjects::TOKEN_USES).await? {
        let used = TokenUse::from_bytes(&payload).with_context(|| format!("{subject} cannot be read"))?;
        uses.insert(hash, used.last_used_at);
    }
    let mut tokens = BTreeMap::new();
    for (hash, subject, payload, sequence) in stored(bus, subjects::TOKENS).await? {
        let record = TokenRecord::from_bytes(&payload).with_context(|| format!("{subject} cannot be read"))?;
        let last_used_at = uses.get(&hash).copied();
        tokens.insert(hash.clone(), Stored { hash, record, sequence, last_used_at });
    }
    let mut tokens: Vec<_> = tokens.into_values().collect();
    let key = |token: &Stored| (token.record.publisher.clone(), token.record.name.clone(), token.record.created_at);
    tokens.sort_by_key(key);
    Ok(tokens)
}

/// The last message of every subject of one kind: the hash in it, the subject, the payload, the sequence.
async fn stored(bus: &Bus, kind: &'static str) -> anyhow::Result<Vec<(TokenHash, String, bytes::Bytes, u64)>> {
    let found = tokio::time::timeout(READ_ALL, server::records(bus, &TOKENS, kind)).await;
    let found = found.context("the tokens could not be read in 30 s")?.into_iter();
    let known = |(subject, (payload, sequence)): (String, _)| {
        let hash = TokenHash::of_subject(&subject).with_context(|| format!("{subject} is not a token's"))?;
        Ok((hash, subject, payload, sequence))
    };
    found.map(known).collect()
}

/// As much of the hash as tells tokens apart.
fn shown(token: &Stored) -> &str {
    &token.hash.as_str()[..SHOWN_HASH]
}
