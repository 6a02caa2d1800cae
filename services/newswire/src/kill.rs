//! `newswire kill`: an article and its text are gone, and how long that took is told; `--drill` rehearses it.

use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use article::ArticleId;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::article::outcome;
use crate::client::{Change, Client, Target, path_of};
use crate::output::{self, Table};

/// Between two questions for receipts.
const ASK_AGAIN: Duration = Duration::from_millis(200);

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The article's id
    #[arg(required_unless_present = "drill", conflicts_with = "drill")]
    id: Option<ArticleId>,
    /// What readers are told; required
    #[arg(long, required_unless_present = "drill")]
    note: Option<String>,
    /// Rehearse it: publish a test article, which is in no feed but the one for tests and in no mail, and kill that
    #[arg(long)]
    drill: bool,
    /// Whose confirmation is waited for, and from how many instances
    #[arg(long, value_name = "SERVICE=N", value_delimiter = ',', default_value = "rss-generator=1,email-notifier=1")]
    expect: Vec<Expected>,
    /// How long confirmations are waited for, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = clap::value_parser!(u64).range(0..=3600))]
    wait: u64,
    /// Only if this revision is current; without it, whichever is
    #[arg(long, value_name = "N", conflicts_with = "drill")]
    if_revision: Option<u32>,
    #[command(flatten)]
    target: Target,
    /// For machines: one object
    #[arg(long)]
    json: bool,
}

/// A service, and how many of its instances must confirm.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Expected {
    service: String,
    instances: usize,
}

impl FromStr for Expected {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = "expected SERVICE=N, such as rss-generator=2";
        let (service, instances) = text.split_once('=').ok_or(form)?;
        let instances = instances.parse().ok().filter(|n| (1..=1000).contains(n)).ok_or(form)?;
        if service.is_empty() {
            return Err(form.into());
        }
        Ok(Self { service: service.to_owned(), instances })
    }
}

/// How far a kill has come, as the publisher tells it.
#[derive(Debug, Default, Deserialize)]
struct Receipts {
    killed_at: Option<Timestamp>,
    erased_at: Option<Timestamp>,
    receipts: Vec<Receipt>,
}

#[derive(Debug, Deserialize)]
struct Receipt {
    service: String,
    instance: String,
    latency_ms: i64,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let client = args.target.client()?;
    let id = match args.id {
        Some(id) => id,
        None => rehearsed(&client).await?,
    };
    let note = args.note.as_deref().unwrap_or("This was a drill.");
    let change = Change { kind: "kill", note: Some(note) };
    let answer = client.change(&id, &change, args.if_revision, "cli").await?;
    if !args.json {
        output::print(&format!("{}\n", outcome(&answer)))?;
    }
    let (document, receipts) = confirmed(&client, &id, &args).await?;
    let missing = missing(&receipts, &args.expect);
    if args.json {
        let answer = json!({ "article": answer.article, "receipts": document, "missing": missing });
        output::print(&format!("{answer:#}\n"))?;
    } else {
        output::print(&table(&receipts, &missing, args.wait))?;
    }
    if missing.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    output::complain(
        "the kill stands, but not everybody has confirmed it: look at the services named above. What they hold is \
         corrected as soon as they follow the log again\n",
    );
    Ok(ExitCode::FAILURE)
}

/// Publishes what may be killed without harm.
async fn rehearsed(client: &Client) -> anyhow::Result<ArticleId> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).context("the operating system gives no random bytes")?;
    let key = format!("drill-{:032x}", u128::from_be_bytes(random));
    let draft = json!({
        "test": true, "headline": "Drill: this article is going to be killed", "language": "en",
        "body_text": "A rehearsal. Nobody should see this outside the selection for tests.",
    });
    let answer = client.create(draft.to_string().into_bytes(), &key, "cli").await?;
    serde_json::from_value(answer.article["id"].clone()).context("the publisher answered with an article without an id")
}

/// What the publisher knows when everybody has confirmed, or when the time is over.
async fn confirmed(client: &Client, id: &ArticleId, args: &Args) -> anyhow::Result<(Value, Receipts)> {
    let deadline = Instant::now() + Duration::from_secs(args.wait);
    loop {
        let document = client.get(&path_of(id, "/receipts")).await?.document;
        let receipts: Receipts = serde_json::from_value(document.clone())
            .context("the publisher does not tell of receipts as this version does")?;
        if missing(&receipts, &args.expect).is_empty() || Instant::now() + ASK_AGAIN > deadline {
            return Ok((document, receipts));
        }
        tokio::time::sleep(ASK_AGAIN).await;
    }
}

/// Who has not confirmed yet: services, and the log itself.
fn missing(receipts: &Receipts, expected: &[Expected]) -> Vec<String> {
    let mut missing: Vec<String> = expected
        .iter()
        .filter_map(|Expected { service, instances }| {
            let confirmed = receipts.receipts.iter().filter(|receipt| receipt.service == *service).count();
            (confirmed < *instances).then(|| match instances {
                1 => service.clone(),
                _ => format!("{service} ({confirmed} of {instances})"),
            })
        })
        .collect();
    if receipts.erased_at.is_none() {
        missing.push("the log (its text is not erased)".into());
    }
    missing
}

fn table(receipts: &Receipts, missing: &[String], wait: u64) -> String {
    let mut table = Table::new();
    for Receipt { service, instance, latency_ms } in &receipts.receipts {
        table.row([service, instance, &after(*latency_ms)]);
    }
    if let (Some(killed), Some(erased)) = (receipts.killed_at, receipts.erased_at) {
        let took = (erased.as_millisecond() - killed.as_millisecond()).max(0);
        table.row(["the log", "text erased", &after(took)]);
    }
    for who in missing {
        table.row([who.as_str(), "", &format!("not confirmed within {wait} s")]);
    }
    table.to_string()
}

fn after(milliseconds: i64) -> String {
    format!("after {}.{:03} s", milliseconds / 1000, milliseconds % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipts(services: &[(&str, &str)], erased: bool) -> Receipts {
        let receipts: Vec<Value> = services
            .iter()
            .map(|(service, instance)| json!({ "service": service, "instance": instance, "applied_at": "2026-11-22T10:00:01Z", "latency_ms": 1042 }))
            .collect();
        let erased_at = erased.then_some("2026-11-22T10:00:00.5Z");
        serde_json::from_value(json!({
            "killed_at": "2026-11-22T10:00:00Z", "erased_at": erased_at, "receipts": receipts,
        }))
        .unwrap()
    }

    #[test]
    fn everybody_expected_must_confirm_and_the_log_too() {
        let expect = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<Expected>>();
        let both = expect(&["rss-generator=2", "email-notifier=1"]);
        let one = receipts(&[("rss-generator", "a"), ("email-notifier", "x")], true);
        assert_eq!(missing(&one, &both), ["rss-generator (1 of 2)"]);
        let all = receipts(&[("rss-generator", "a"), ("rss-generator", "b"), ("email-notifier", "x")], true);
        assert_eq!(missing(&all, &both), [""; 0]);
        assert_eq!(missing(&receipts(&[], false), &expect(&["email-notifier=1"])).len(), 2);
        for wrong in ["rss-generator", "=1", "x=0", "x=1001", "x=y"] {
            assert!(wrong.parse::<Expected>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_table_tells_how_long_each_took() {
        let some = receipts(&[("rss-generator", "a1")], true);
        let expected = "  rss-generator   a1           after 1.042 s
  the log         text erased  after 0.500 s
  email-notifier               not confirmed within 30 s
";
        assert_eq!(table(&some, &["email-notifier".into()], 30), expected);
    }
}
