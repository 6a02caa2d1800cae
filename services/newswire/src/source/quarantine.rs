//! `newswire source quarantine`: what feeds sent and nobody could read.

use std::io::Write as _;

use anyhow::{Context, bail};
use bus::Bus;
use feed_reader::quarantine::Quarantined;
use topology::{QUARANTINE, subjects};

use super::{Owner, minute};
use crate::output::{self, Table};

/// Of a hash, enough to tell documents apart, in hex digits.
const SHOWN_HASH: usize = 12;
/// The shortest beginning of a hash that names a document.
const SHORTEST_PREFIX: usize = 4;

#[derive(clap::Subcommand)]
pub(super) enum Command {
    /// List what could not be read, and why; it is kept for 30 days
    List {
        #[command(flatten)]
        owner: Owner,
    },
    /// Print the bytes that came; the reason goes to standard error
    Show {
        /// The beginning of its hash
        hash: String,
        #[command(flatten)]
        owner: Owner,
    },
}

pub(super) async fn run(bus: &Bus, command: Command) -> anyhow::Result<()> {
    match command {
        Command::List { owner } => list(bus, &owner).await,
        Command::Show { hash, owner } => show(bus, &owner, &hash).await,
    }
}

/// Looks at one after the other: together they may be larger than memory.
async fn each(bus: &Bus, owner: &Owner, mut look: impl FnMut(&str, Quarantined)) -> anyhow::Result<()> {
    let (subjects, mut sequence) = (subjects::quarantine_of(&owner.publisher), 0);
    while let Some(stored) = bus.next(&QUARANTINE, &subjects, sequence).await? {
        let hash = stored.subject.rsplit('.').next().unwrap_or_default();
        let found = Quarantined::from_bytes(&stored.payload).with_context(|| format!("{hash} cannot be read"))?;
        look(hash, found);
        sequence = stored.sequence + 1;
    }
    Ok(())
}

async fn list(bus: &Bus, owner: &Owner) -> anyhow::Result<()> {
    let mut table = Table::new();
    let mut count = 0;
    each(bus, owner, |hash, found| {
        count += 1;
        let size = output::count(found.size, "byte");
        let url = output::beginning(found.url.as_str(), 60);
        table.row([&hash[..hash.len().min(SHOWN_HASH)], &minute(found.at), &url, &size, &found.reason]);
    })
    .await?;
    if count == 0 {
        return output::print("there is nothing in quarantine\n");
    }
    output::print(&table.to_string())
}

async fn show(bus: &Bus, owner: &Owner, hash: &str) -> anyhow::Result<()> {
    if hash.len() < SHORTEST_PREFIX {
        bail!("give at least {SHORTEST_PREFIX} digits of the hash; `newswire source quarantine list` shows them");
    }
    let mut meant = Vec::new();
    each(bus, owner, |found_hash, found| {
        if found_hash.starts_with(hash) {
            meant.push(found);
        }
    })
    .await?;
    let [found] = &meant[..] else {
        bail!(
            "{} begin with {hash}; `newswire source quarantine list` shows all",
            output::count(meant.len(), "document")
        )
    };
    output::complain(&output::plain(&format!("{} {}: {}", minute(found.at), found.url, found.reason)));
    let cut = if found.bytes.len() < found.size {
        format!("; the first {} of {} bytes", found.bytes.len(), found.size)
    } else {
        String::new()
    };
    output::complain(&format!("{cut}\n"));
    // As they came, for a tool to look at: on a terminal they may do anything, so there only what is text is shown.
    if std::io::IsTerminal::is_terminal(&std::io::stdout()) {
        let text = String::from_utf8_lossy(&found.bytes);
        let lines: String = text.lines().map(|line| format!("{}\n", output::plain(line))).collect();
        return output::print(&lines);
    }
    match std::io::stdout().write_all(&found.bytes) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
