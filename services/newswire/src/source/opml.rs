//! Lists of feeds as OPML: what other programs keep their feeds in.

use std::collections::HashSet;
use std::path::Path;

use anyhow::Context;
use feed_reader::source::Source;
use upstream::opml::{self, Outline};

use super::readable;
use super::store::Sources;
use crate::article::read;
use crate::output;

/// The largest list. Ten thousand feeds, the most that are read of one, need about three megabytes.
const MAX_FILE: u64 = 15_000_000;

/// Levels of a section (`article::Draft`), and characters of one.
const MAX_LEVELS: usize = 5;
const MAX_LEVEL: usize = 120;

/// Adds what is not there yet. What is stays as it is: a list knows less of a source than the newsroom does.
pub(super) async fn import(sources: &Sources, file: &Path, language: Option<String>) -> anyhow::Result<()> {
    let bytes = read(file, MAX_FILE)?;
    let list = opml::read(&bytes).with_context(|| format!("{} cannot be read", file.display()))?;
    let known: HashSet<String> = sources.all().await?.into_iter().map(|stored| stored.id).collect();
    let (mut added, mut refused) = (0, list.refused.clone());
    let found = list.outlines.len();
    for Outline { mut address, title, folders, .. } in list.outlines {
        address.set_fragment(None);
        if readable(&address).is_err() {
            // Without what may be a password in it.
            refused.push(address.host_str().unwrap_or_default().to_owned());
            continue;
        }
        if known.contains(&Source::id(&address)) {
            continue;
        }
        let name = title.map(|title| output::plain(&title).chars().take(MAX_LEVEL).collect());
        sources.add(&address, name, Some(section(folders)), language.clone()).await?;
        added += 1;
    }
    for address in &refused {
        output::complain(&format!("not a feed that can be read: {}\n", output::plain(address)));
    }
    output::print(&format!("added {added} of {}\n", output::count(found, "feed")))
}

fn section(folders: Vec<String>) -> Vec<String> {
    let level = |folder: String| output::plain(&folder).chars().take(MAX_LEVEL).collect::<String>();
    folders.into_iter().map(level).filter(|level| !level.trim().is_empty()).take(MAX_LEVELS).collect()
}

pub(super) async fn export(sources: &Sources) -> anyhow::Result<()> {
    let outlines: Vec<Outline> = sources
        .all()
        .await?
        .into_iter()
        .map(|stored| {
            let (moved_to, title) = stored.state.map(|state| (state.moved_to, state.title)).unwrap_or_default();
            Outline {
                address: moved_to.unwrap_or(stored.source.url),
                title: stored.source.name.or(title),
                home: None,
                folders: stored.source.section,
            }
        })
        .collect();
    let title = format!("Sources of {}", sources.publisher());
    output::print(&opml::write(&title, service_kit::now(), &outlines))
}
