//! `list` and `revisions`: which articles there are, and what became of one.

use std::process::ExitCode;

use anyhow::Context;
use article::ArticleId;
use serde_json::Value;

use crate::client::{Client, Target, path_of};
use crate::output::{self, Table, beginning};

/// The most that the publisher gives at once.
const PAGE: usize = 100;
/// Of a headline, in columns, so that a row stays a line where there is room.
const SHOWN: usize = 100;

#[derive(clap::Args)]
pub(crate) struct ListArgs {
    /// Only articles in this state
    #[arg(long, value_parser = ["embargoed", "published", "held", "withdrawn", "killed"])]
    status: Option<String>,
    /// How many, those changed last first
    #[arg(long, value_name = "N", default_value = "50")]
    limit: usize,
    #[command(flatten)]
    target: Target,
    /// For machines: one object a line
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub(crate) struct RevisionsArgs {
    /// The article's id
    id: ArticleId,
    #[command(flatten)]
    target: Target,
    /// For machines: one object a line
    #[arg(long)]
    json: bool,
}

pub(crate) async fn list(args: ListArgs) -> anyhow::Result<ExitCode> {
    let client = args.target.client()?;
    let mut left = args.limit;
    let (mut cursor, mut printed) = (None, false);
    while left > 0 {
        let path = page(args.status.as_deref(), left.min(PAGE), cursor.as_deref());
        let (articles, next) = rows(&client, &path, "articles").await?;
        let row = |article: &Value| {
            let of = |field: &str| article[field].as_str().unwrap_or_default().to_owned();
            let changed = of("version_created").chars().take(16).collect::<String>().replace('T', " ");
            [changed, of("status"), of("id").replace("urn:uuid:", ""), beginning(&of("headline"), SHOWN)]
        };
        print(&articles, args.json, row)?;
        printed |= !articles.is_empty();
        left = left.saturating_sub(articles.len());
        cursor = next.filter(|_| !articles.is_empty());
        if cursor.is_none() {
            break;
        }
    }
    if !printed && !args.json {
        output::print("there are no such articles\n")?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn revisions(args: RevisionsArgs) -> anyhow::Result<ExitCode> {
    let (mut revisions, _) = rows(&args.target.client()?, &path_of(&args.id, "/revisions"), "revisions").await?;
    revisions.sort_by_key(|revision| revision["revision"].as_u64());
    print(&revisions, args.json, |revision| {
        let of = |field: &str| revision[field].as_str().unwrap_or_default().to_owned();
        let made = of("version_created").chars().take(19).collect::<String>().replace('T', " ");
        let note = revision["note"].as_str().map_or(String::new(), |note| format!(": {note}"));
        let what = format!("{}{note}", of("kind"));
        [revision["revision"].to_string(), made, of("status"), of("channel"), what]
    })?;
    Ok(ExitCode::SUCCESS)
}

fn page(status: Option<&str>, limit: usize, cursor: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("limit", &limit.to_string());
    for (name, value) in [("status", status), ("cursor", cursor)] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    format!("v1/articles?{}", query.finish())
}

/// The objects in the list `name`, and the cursor of what follows.
async fn rows(client: &Client, path: &str, name: &str) -> anyhow::Result<(Vec<Value>, Option<String>)> {
    let mut reply = client.get(path).await?;
    match reply.document[name].take() {
        Value::Array(rows) => Ok((rows, reply.next)),
        _ => Err(anyhow::anyhow!("there are no {name} in it"))
            .context("the publisher does not answer as this version does"),
    }
}

fn print<const N: usize>(rows: &[Value], json: bool, row: impl Fn(&Value) -> [String; N]) -> anyhow::Result<()> {
    if json {
        return output::print(&rows.iter().map(|row| format!("{row}\n")).collect::<String>());
    }
    let mut table = Table::new();
    rows.iter().for_each(|value| table.row(row(value)));
    output::print(&table.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_asked_for_by_its_cursor() {
        assert_eq!(page(None, 50, None), "v1/articles?limit=50");
        assert_eq!(page(Some("held"), 1, Some("a/b&c")), "v1/articles?limit=1&status=held&cursor=a%2Fb%26c");
    }
}
