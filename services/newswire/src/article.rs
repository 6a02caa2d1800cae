//! `publish`, `revise` and `show`: articles as JSON files, over the publisher's API.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use article::{Article, ArticleId};
use publisher::token::sha256_hex;
use serde_json::{Value, json};

use crate::client::{Answer, Client, Target};
use crate::intake::hash_of;
use crate::output::{self, Table};

/// What the publisher takes.
pub(crate) const MAX_FILE: u64 = 1 << 20;

#[derive(clap::Args)]
pub(crate) struct PublishArgs {
    /// The article as JSON; `-` for standard input. Publishing the same file again changes nothing
    file: PathBuf,
    #[command(flatten)]
    target: Target,
    /// Print the article for machines
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub(crate) struct ReviseArgs {
    /// The article's id
    id: ArticleId,
    /// The whole new article as JSON; `-` for standard input
    file: PathBuf,
    /// What kind of change it is; it decides who hears of it
    #[arg(long, value_parser = ["minor", "major", "correction"])]
    kind: String,
    /// What readers are told; required for a correction
    #[arg(long)]
    note: Option<String>,
    /// Only if this revision is current; without it, whichever is
    #[arg(long, value_name = "N")]
    if_revision: Option<u32>,
    #[command(flatten)]
    target: Target,
    /// Print the article for machines
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub(crate) struct ShowArgs {
    /// The article's id
    id: ArticleId,
    #[command(flatten)]
    target: Target,
    /// Print the article for machines
    #[arg(long)]
    json: bool,
}

pub(crate) async fn publish(args: PublishArgs) -> anyhow::Result<ExitCode> {
    let body = read(&args.file, MAX_FILE)?;
    let key = format!("file-{}", sha256_hex(&body));
    let answer = args.target.client()?.create(body, &key, "cli").await?;
    say(&answer, args.json)
}

pub(crate) async fn revise(args: ReviseArgs) -> anyhow::Result<ExitCode> {
    let body = read(&args.file, MAX_FILE)?;
    let mut document: Value =
        serde_json::from_slice(&body).with_context(|| format!("{} is not JSON", args.file.display()))?;
    let Some(fields) = document.as_object_mut() else {
        bail!("{} is not an article: a JSON object", args.file.display())
    };
    let mut change = json!({ "kind": args.kind });
    if let Some(note) = args.note {
        change["note"] = note.into();
    }
    fields.insert("change".to_owned(), change);
    say(&put(&args.target.client()?, &args.id, args.if_revision, &document).await?, args.json)
}

/// Makes `document` the revision after `base`, or after whichever is current.
pub(crate) async fn put(
    client: &Client,
    id: &ArticleId,
    base: Option<u32>,
    document: &Value,
) -> anyhow::Result<Answer> {
    let body = document.to_string().into_bytes();
    let base = match base {
        Some(revision) => revision,
        None => {
            let current = client.read(id).await?;
            // The command was repeated: a second revision of the same text would only make noise.
            if hash_of(&current.article) == Some(&sha256_hex(&body)) {
                return Ok(Answer { replayed: true, ..current });
            }
            current.revision()?
        }
    };
    client.revise(id, base, body, "cli").await
}

pub(crate) async fn show(args: ShowArgs) -> anyhow::Result<ExitCode> {
    let document = args.target.client()?.read(&args.id).await?.article;
    if args.json {
        output::print(&format!("{document:#}\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let article: Article =
        serde_json::from_value(document).context("this article is of a newer version; use --json")?;
    output::print(&for_people(&article))?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn say(answer: &Answer, json: bool) -> anyhow::Result<ExitCode> {
    if json {
        output::print(&format!("{:#}\n", answer.article))?;
    } else {
        output::print(&format!("{}\n", outcome(answer)))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// `published: urn:uuid:…, revision 1`
pub(crate) fn outcome(answer: &Answer) -> String {
    let article = &answer.article;
    let id = article["id"].as_str().unwrap_or("an article without an id");
    let status = match (article["status"].as_str(), article["embargoed_until"].as_str()) {
        (Some("embargoed"), Some(until)) => format!("under embargo until {until}"),
        (status, _) => status.unwrap_or("published").to_owned(),
    };
    let (already, unchanged) = if answer.replayed { ("already ", ", unchanged") } else { ("", "") };
    output::plain(&format!("{already}{status}{unchanged}: {id}, revision {}", article["revision"]))
}

fn for_people(article: &Article) -> String {
    let mut table = Table::new();
    table.row(["id", &article.id.to_string()]);
    let change = article.change.note.as_ref().map_or(String::new(), |note| format!(": {note}"));
    let revision = format!("{} ({}{change})", article.revision, article.change.kind.as_str());
    table.row(["revision", &revision]);
    table.row(["publisher", article.publisher.as_str()]);
    table.row(["status", article.status.as_str()]);
    if !article.section.is_empty() {
        table.row(["section", &article.section.join(" › ")]);
    }
    table.row(["headline", &article.headline]);
    if let Some(published) = &article.published {
        table.row(["published", &format!("{} {}", published.for_people(), published.tz)]);
    }
    let optional = [("byline", &article.byline), ("located", &article.located), ("summary", &article.summary)];
    for (name, value) in optional {
        if let Some(value) = value {
            table.row([name, value]);
        }
    }
    for source in &article.sources {
        table.row(["source", &source.name]);
    }
    table.row(["language", &article.language]);
    table.row(["urgency", &article.urgency.to_string()]);
    table.row(["came in by", &article.provenance.channel]);
    let body = article.body.as_deref().map(article::to_text).unwrap_or_default();
    let body: String = body.lines().map(|line| format!("{}\n", output::plain(line))).collect();
    format!("{table}\n{body}")
}

/// The bytes of a file, or of standard input for `-`, at most `limit` of them.
pub(crate) fn read(file: &Path, limit: u64) -> anyhow::Result<Vec<u8>> {
    let from: Box<dyn Read> = if file == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(std::fs::File::open(file).with_context(|| format!("cannot open {}", file.display()))?)
    };
    let mut bytes = Vec::new();
    from.take(limit + 1).read_to_end(&mut bytes).with_context(|| format!("cannot read {}", file.display()))?;
    if bytes.len() as u64 > limit {
        bail!("{} has more than {limit} bytes, the most that is taken", file.display());
    }
    Ok(bytes)
}
