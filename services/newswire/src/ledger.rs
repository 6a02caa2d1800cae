//! `newswire ledger`: what became of all mail about an article, or of a digest, and how far it is while it runs.
//!
//! An article's is asked of the publisher, with a token of its owner; a digest, which is of no article, by whoever runs
//! the service, over NATS.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use article::ArticleId;
use bus::Bus;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{Client, Target, path_of};
use crate::output::{self, Table, count};
use crate::{plan, server};

/// Between two questions while a plan runs.
const ASK_AGAIN: Duration = Duration::from_secs(1);

#[derive(clap::Args)]
#[command(after_help = "Examples:
  newswire ledger 0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f
  newswire ledger 0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f --follow
  newswire ledger digest-1795334400   (operator, over NATS; see newswire plan --help for the names)

accepted: the relay took it, which is not delivery. deferred and uncertain are tried again; unanswered, which are digests
whose answer was lost, are not.")]
pub(crate) struct Args {
    /// The article's id, or a digest's name
    #[arg(value_name = "ARTICLE|DIGEST")]
    of: Of,
    /// Wait until there is a plan and nobody is left to be sent anything, with a progress bar on a terminal
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    target: Target,
    /// Print the ledger for machines
    #[arg(long)]
    json: bool,
}

/// Whose ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Of {
    Article(ArticleId),
    Digest(String),
}

impl FromStr for Of {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if plan::is_digest(text) {
            return Ok(Self::Digest(text.to_owned()));
        }
        let id = text.parse().map(Self::Article);
        id.map_err(|error| {
            format!("{error}; it is neither an article's id nor a digest's name, like digest-1795334400")
        })
    }
}

/// Who knows it.
enum Source {
    Publisher(Client, ArticleId),
    Notifier(Box<Bus>, String),
}

#[derive(Debug, Deserialize)]
struct Plan {
    plan: String,
    matched: u64,
    open: u64,
    states: serde_json::Map<String, Value>,
    suppressed: serde_json::Map<String, Value>,
    #[serde(default)]
    resent_uncertain: u64,
    control: Option<Control>,
    first_accepted_at: Option<Timestamp>,
    last_accepted_at: Option<Timestamp>,
    accepted_per_second: Option<u64>,
    next_retry_at: Option<Timestamp>,
}

/// What was ordered.
#[derive(Debug, Deserialize)]
struct Control {
    state: String,
    by: String,
    at: Timestamp,
    usual: Option<u64>,
}

impl Plan {
    fn is_held(&self) -> bool {
        self.control.as_ref().is_some_and(|control| matches!(control.state.as_str(), "paused" | "waiting"))
    }
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let source = match args.of {
        Of::Article(id) => Source::Publisher(args.target.client()?, id),
        Of::Digest(plan) => Source::Notifier(Box::new(server::connect().await?), plan),
    };
    let (mut document, mut plans) = source.ask().await?;
    if args.follow {
        let bar = progress();
        loop {
            let (matched, open) = plans.iter().fold((0, 0), |(all, open), plan| (all + plan.matched, open + plan.open));
            bar.set_length(matched);
            bar.set_position(matched.saturating_sub(open));
            let held = plans.iter().filter(|plan| plan.open > 0 && plan.is_held()).count();
            bar.set_message(if held > 0 { format!(", {} held", count(held, "plan")) } else { String::new() });
            if !plans.is_empty() && open == 0 {
                break;
            }
            tokio::time::sleep(ASK_AGAIN).await;
            (document, plans) = source.ask().await?;
        }
        bar.finish_and_clear();
    }
    output::print(&if args.json { format!("{document:#}\n") } else { for_people(&plans) })?;
    Ok(ExitCode::SUCCESS)
}

impl Source {
    /// The ledger as it was told, and what this version reads of it.
    async fn ask(&self) -> anyhow::Result<(Value, Vec<Plan>)> {
        let document = match self {
            Self::Publisher(client, id) => client.get(&path_of(id, "/mail")).await?.document,
            Self::Notifier(bus, plan) => {
                let answer = plan::ask(bus, &json!({ "ask": "digest", "plan": plan }), "ledger").await?;
                json!({ "plans": answer["plans"] })
            }
        };
        let plans = Vec::deserialize(&document["plans"]).context("an answer that is not of this version")?;
        Ok((document, plans))
    }
}

/// On a terminal only: a log has no use for it.
fn progress() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {pos} of {len} recipients, {per_sec}, {eta} left{msg}");
    ProgressBar::new(0).with_style(style.expect("a template without mistakes"))
}

fn for_people(plans: &[Plan]) -> String {
    if plans.is_empty() {
        return "nobody has been planned a mail about this article: it is not public, too old for an alert, a test, or \
                not planned yet\n"
            .into();
    }
    plans.iter().map(of_plan).collect()
}

fn of_plan(plan: &Plan) -> String {
    let state = match (plan.open, plan.next_retry_at) {
        (0, _) => "closed".to_owned(),
        (open, _) if plan.is_held() => format!("{open} open"),
        (open, None) => format!("{open} open"),
        (open, Some(at)) => format!("{open} open, next attempt {}", second(at)),
    };
    let ordered = plan.control.as_ref().map_or_else(String::new, |control| ordered(&plan.plan, control));
    let mut table = Table::new();
    for (name, number) in plan.states.iter().filter(|(_, number)| number.as_u64() != Some(0)) {
        let of = |(why, n): (&String, &Value)| (n.as_u64() != Some(0)).then(|| format!("{n} {why}"));
        let why: Vec<String> =
            if name == "suppressed" { plan.suppressed.iter().filter_map(of).collect() } else { Vec::new() };
        let why = if name == "accepted" { pace(plan) } else { why.join(", ") };
        table.row([name.as_str(), &number.to_string(), &why]);
    }
    if plan.resent_uncertain > 0 {
        table.row(["sent again", &plan.resent_uncertain.to_string(), "an answer was lost: duplicates, at most"]);
    }
    let (name, matched) = (output::plain(&plan.plan), count(plan.matched as usize, "recipient"));
    format!("{name}: {matched}, {state}{ordered}\n{table}")
}

/// From when to when the relay took mails, and how fast.
fn pace(plan: &Plan) -> String {
    let (Some(first), Some(last)) = (plan.first_accepted_at, plan.last_accepted_at) else { return String::new() };
    let rate = plan.accepted_per_second.map_or_else(String::new, |rate| format!(", {rate} a second"));
    format!("from {} to {}{rate}", second(first), last.strftime("%H:%M:%S"))
}

/// How a plan stands that somebody has ordered about.
fn ordered(plan: &str, Control { state, by, at, usual }: &Control) -> String {
    let by = format!("by {} {}", output::plain(by), second(*at));
    match (state.as_str(), usual) {
        ("running", _) => String::new(),
        ("waiting", Some(usual)) => {
            let plan = output::plain(plan);
            format!(
                "\n  waiting, for such plans usually have {usual} recipients; let it go: newswire plan resume {plan}"
            )
        }
        (state, _) => format!(", {} {by}", output::plain(state)),
    }
}

fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_article_or_a_digest_has_a_ledger_and_nothing_else() {
        let id = "0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f";
        assert_eq!(id.parse(), Ok(Of::Article(id.parse().unwrap())));
        assert_eq!("digest-1795334400".parse(), Ok(Of::Digest("digest-1795334400".into())));
        for wrong in ["", "digest-", "digest-x", "digests", &format!("{id}-published"), "新闻"] {
            let said = wrong.parse::<Of>().unwrap_err();
            assert!(said.contains("digest-1795334400"), "{wrong}: {said}");
        }
    }

    #[test]
    fn a_plan_is_told_by_what_has_happened_in_it() {
        let plan = json!({
            "plan": "x\u{1b}[2J-published", "matched": 12, "open": 1,
            "states": { "planned": 0, "deferred": 1, "accepted": 8, "suppressed": 3 },
            "suppressed": { "left": 2, "paused": 1, "empty": 0 },
            "resent_uncertain": 1, "next_retry_at": "2026-11-22T10:01:00Z",
            "first_accepted_at": "2026-11-22T10:00:00.5Z", "last_accepted_at": "2026-11-22T10:00:02.5Z",
            "accepted_per_second": 4,
        });
        let text = of_plan(&serde_json::from_value(plan).unwrap());
        let expected = "x\\u{001b}[2J-published: 12 recipients, 1 open, next attempt 2026-11-22 10:01:00 UTC
  accepted    8  from 2026-11-22 10:00:00 UTC to 10:00:02, 4 a second
  deferred    1
  suppressed  3  2 left, 1 paused
  sent again  1  an answer was lost: duplicates, at most
";
        assert_eq!(text, expected);
        let of = |open: u64, control: Value| {
            of_plan(
                &serde_json::from_value(json!({
                    "plan": "p", "matched": 5, "open": open, "states": { "accepted": 5 - open }, "suppressed": {},
                    "control": control, "next_retry_at": "2026-11-22T10:15:00Z",
                }))
                .unwrap(),
            )
        };
        let control = |state: &str, usual: Value| json!({ "state": state, "by": "token cms", "at": "2026-11-22T10:00:00.5Z", "retry": 0, "usual": usual });
        let first = |text: String| text.split("\n  accepted").next().unwrap().to_owned();
        let cases = [
            (2, control("running", Value::Null), "p: 5 recipients, 2 open, next attempt 2026-11-22 10:15:00 UTC"),
            (2, control("paused", Value::Null), "p: 5 recipients, 2 open, paused by token cms 2026-11-22 10:00:00 UTC"),
            (
                0,
                control("cancelled", Value::Null),
                "p: 5 recipients, closed, cancelled by token cms 2026-11-22 10:00:00 UTC",
            ),
            (
                2,
                control("waiting", json!(3)),
                "p: 5 recipients, 2 open\n  waiting, for such plans usually have 3 recipients; let it go: newswire plan resume p",
            ),
        ];
        for (open, control, expected) in cases {
            assert_eq!(first(of(open, control)), expected);
        }
        assert!(for_people(&[]).starts_with("nobody"));
    }
}
