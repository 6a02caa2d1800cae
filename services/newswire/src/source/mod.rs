//! `newswire source`: upstream feeds, straight in the store that feed-reader follows.

mod opml;
mod quarantine;
mod store;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use article::PublisherId;
use feed_reader::source::Source;
use feed_reader::state::State;
use jiff::Timestamp;
use oxilangtag::LanguageTag;
use serde_json::json;
use topology::access;
use url::Url;

use self::store::{Sources, Stored};
use crate::output::{self, Table};
use crate::{Usage, server};

/// Columns of an address in a list.
const SHOWN_URL: usize = 60;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Take news from a feed: RSS, Atom or JSON Feed. Adding it once more changes what is said of it here
    Add {
        /// Address of the feed
        url: Url,
        #[command(flatten)]
        owner: Owner,
        #[command(flatten)]
        about: About,
    },
    /// List the feeds that news is taken from
    List {
        #[command(flatten)]
        owner: Owner,
        /// For machines: one object a line
        #[arg(long)]
        json: bool,
    },
    /// Show how it stands with a feed
    Show {
        #[command(flatten)]
        which: Which,
        /// For machines
        #[arg(long)]
        json: bool,
    },
    /// Stop reading a feed for a while
    Pause {
        #[command(flatten)]
        which: Which,
    },
    /// Read a feed at once: after a pause, when it was given up, or to see what it says now
    Resume {
        #[command(flatten)]
        which: Which,
    },
    /// Stop reading a feed for good; its articles stay
    Remove {
        #[command(flatten)]
        which: Which,
    },
    /// Add every feed of an OPML file; the folders they are in become their sections
    ImportOpml {
        /// The file; - for standard input
        file: PathBuf,
        #[command(flatten)]
        owner: Owner,
        /// Language of articles whose feed names none
        #[arg(long, value_name = "TAG", value_parser = language)]
        language: Option<String>,
    },
    /// Print the feeds that news is taken from as OPML
    ExportOpml {
        #[command(flatten)]
        owner: Owner,
    },
    /// What feeds sent and nobody could read
    Quarantine {
        #[command(subcommand)]
        command: quarantine::Command,
    },
}

/// Whose feeds.
#[derive(clap::Args)]
pub(crate) struct Owner {
    /// Whose news it becomes
    #[arg(long, value_name = "SLUG", env = "NEWSWIRE_PUBLISHER")]
    publisher: PublisherId,
}

/// Which feed.
#[derive(clap::Args)]
pub(crate) struct Which {
    /// Its address, its name, or the beginning of its id
    #[arg(value_name = "URL|NAME|ID")]
    which: String,
    #[command(flatten)]
    owner: Owner,
}

/// What is said of a feed when it is added.
#[derive(clap::Args)]
struct About {
    /// What to call it: it stands as the source of its articles. Without it, the feed's own title
    #[arg(long, value_parser = one_line)]
    name: Option<String>,
    /// Section of its articles; levels are separated by /
    #[arg(long, value_name = "A/B", value_parser = section)]
    section: Option<Section>,
    /// Language of articles whose feed names none
    #[arg(long, value_name = "TAG", value_parser = language)]
    language: Option<String>,
}

/// Levels, the outermost first.
#[derive(Debug, Clone, PartialEq)]
struct Section(Vec<String>);

/// A name, or a level of a section.
pub(crate) fn one_line(text: &str) -> Result<String, String> {
    let text = text.trim();
    if (1..=120).contains(&text.chars().count()) && output::plain(text) == text {
        Ok(text.to_owned())
    } else {
        Err("use 1 to 120 characters on one line".into())
    }
}

fn section(text: &str) -> Result<Section, String> {
    let levels: Result<Vec<String>, String> = text.split('/').map(one_line).collect();
    match levels {
        Ok(levels) if levels.len() <= 5 => Ok(Section(levels)),
        _ => Err("use up to five levels such as Sport/Football, each of 1 to 120 characters".into()),
    }
}

pub(crate) fn language(text: &str) -> Result<String, String> {
    let tag = LanguageTag::parse_and_normalize(text);
    tag.map(LanguageTag::into_inner).map_err(|error| format!("use a language tag such as en or zh-Hans: {error}"))
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let bus = server::connect().await?;
    // Its text says how to prepare the server; a write would only time out.
    bus.verify(&access("feed-reader").context("a service of the topology")?).await?;
    let sources = |owner: &Owner| Sources::new(bus.clone(), owner.publisher.clone());
    match args.command {
        Command::Add { url, owner, about } => add(&sources(&owner), url, about).await?,
        Command::List { owner, json } => list(&sources(&owner), json).await?,
        Command::Show { which, json } => show(&sources(&which.owner), &which.which, json).await?,
        Command::Pause { which } => pause(&sources(&which.owner), &which.which).await?,
        Command::Resume { which } => resume(&sources(&which.owner), &which.which).await?,
        Command::Remove { which } => remove(&sources(&which.owner), &which.which).await?,
        Command::ImportOpml { file, owner, language } => opml::import(&sources(&owner), &file, language).await?,
        Command::ExportOpml { owner } => opml::export(&sources(&owner)).await?,
        Command::Quarantine { command } => quarantine::run(&bus, command).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// An address that can be read at all; whether its host may be is the reader's to decide, which knows its networks.
fn readable(url: &Url) -> Result<(), Usage> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Usage(format!("{url} is not an address of the web: it must begin with http:// or https://")));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Usage("feeds that ask for a user name and a password are not read".into()));
    }
    if url.as_str().len() > 2000 {
        return Err(Usage("an address may have 2000 characters".into()));
    }
    Ok(())
}

async fn add(sources: &Sources, mut url: Url, about: About) -> anyhow::Result<()> {
    url.set_fragment(None);
    readable(&url)?;
    let fresh = sources.add(&url, about.name, about.section.map(|section| section.0), about.language).await?;
    let id = Source::id(&url);
    output::print(&format!("{}: {id}\n", if fresh { "added" } else { "changed" }))
}

async fn list(sources: &Sources, json: bool) -> anyhow::Result<()> {
    let all = sources.all().await?;
    if json {
        let lines = all.iter().map(|stored| format!("{}\n", document(stored)));
        return output::print(&lines.collect::<String>());
    }
    if all.is_empty() {
        return output::print("there are no sources; `newswire source add --publisher NAME URL` adds one\n");
    }
    let mut table = Table::new();
    for Stored { id, source, state, .. } in &all {
        let title = state.as_ref().and_then(|state| state.title.as_deref());
        let name = output::beginning(source.name.as_deref().or(title).unwrap_or("-"), 30);
        table.row([id, &name, &output::beginning(source.url.as_str(), SHOWN_URL), &standing(source, state.as_ref())]);
    }
    output::print(&table.to_string())
}

/// How it stands with a source, in a few words.
fn standing(source: &Source, state: Option<&State>) -> String {
    let Some(state) = state else {
        return if source.paused { "paused".into() } else { "not read yet".into() };
    };
    if source.paused {
        return "paused".into();
    }
    match &state.trouble {
        _ if state.plan.gone => "gone for good, as its server says".into(),
        Some(trouble) => format!("{}: {trouble}", output::count(state.plan.failures as usize, "failure")),
        None => state.read_at.map_or("not read yet".into(), |at| format!("read {}", minute(at))),
    }
}

async fn show(sources: &Sources, which: &str, json: bool) -> anyhow::Result<()> {
    let stored = sources.find(which).await?;
    if json {
        return output::print(&format!("{:#}\n", document(&stored)));
    }
    let Stored { id, source, state, .. } = &stored;
    let mut table = Table::new();
    table.row(["id", id]);
    table.row(["address", source.url.as_str()]);
    let optional = [("name", &source.name), ("language", &source.language)];
    optional.into_iter().filter_map(|(label, value)| Some((label, value.as_ref()?))).for_each(|(label, value)| {
        table.row([label, value]);
    });
    if !source.section.is_empty() {
        table.row(["section", &source.section.join(" › ")]);
    }
    table.row(["added", &minute(source.added_at)]);
    table.row(["stands", &standing(source, state.as_ref())]);
    if let Some(state) = state {
        if let Some(moved) = &state.moved_to {
            table.row(["moved to", moved.as_str()]);
        }
        if let Some(title) = &state.title {
            table.row(["calls itself", title]);
        }
        table.row(["asked", &minute(state.checked_at)]);
        if let Some(read_at) = state.read_at {
            table.row(["read", &minute(read_at)]);
        }
        if let Some(next) = state.plan.next_check_at.filter(|_| source.is_read() && !state.plan.gone) {
            table.row(["next", &minute(next)]);
        }
    }
    output::print(&table.to_string())
}

/// For machines: the two records as they are.
fn document(stored: &Stored) -> serde_json::Value {
    json!({ "id": stored.id, "source": stored.source, "state": stored.state })
}

async fn pause(sources: &Sources, which: &str) -> anyhow::Result<()> {
    let stored = sources.find(which).await?;
    if stored.source.paused {
        return output::print(&format!("{}: paused already\n", stored.id));
    }
    sources.put(&stored, &Source { paused: true, ..stored.source.clone() }).await?;
    output::print(&format!("paused: {}\n", stored.id))
}

async fn resume(sources: &Sources, which: &str) -> anyhow::Result<()> {
    let stored = sources.find(which).await?;
    let source = Source { paused: false, asked_at: service_kit::now(), ..stored.source.clone() };
    sources.put(&stored, &source).await?;
    output::print(&format!("it is read now: {}\n", stored.id))
}

async fn remove(sources: &Sources, which: &str) -> anyhow::Result<()> {
    let stored = sources.find(which).await?;
    sources.put(&stored, &Source { removed_at: Some(service_kit::now()), ..stored.source.clone() }).await?;
    output::print(&format!("removed: {} {}\n", stored.id, stored.source.url))
}

fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_feed_is_checked_where_it_is_said() {
        assert_eq!(section("Sport/Football").unwrap(), Section(vec!["Sport".into(), "Football".into()]));
        assert_eq!(section("要闻").unwrap(), Section(vec!["要闻".into()]));
        for wrong in ["", "a//b", "a/b/c/d/e/f", "a\nb", &"x".repeat(121)] {
            assert!(section(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(language("EN-gb").unwrap(), "en-GB");
        assert!(language("English please").is_err());
        for url in ["ftp://news.example/", "https://a:b@news.example/", "data:text/xml,x"] {
            assert!(readable(&url.parse().unwrap()).is_err(), "{url}");
        }
    }
}
