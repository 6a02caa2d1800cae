//! `newswire plan`: stops a plan of mail, lets it go on, ends it, or tries its failures again.
//!
//! A plan about an article is ordered through the publisher, with a token of the article's owner; a digest, which is of no
//! article, by whoever runs the service, over NATS.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use article::ArticleId;
use bus::Bus;
use serde_json::{Value, json};
use topology::subjects;

use crate::client::{Target, path_of};
use crate::{Usage, output, server};

/// How long an answer may take: every part of a plan that waits is called for, or read.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// Letters of an article's id, with which the name of a plan about it begins.
const ID: usize = 36;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  newswire plan pause 0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f-published
  newswire plan resume 0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f-published
  newswire plan cancel digest-1795348800

`newswire ledger ARTICLE` shows the names of an article's plans, and how they stand. A digest's name is digest- and the
quarter of an hour it was made for, in seconds since 1970 (date -u -d '2026-11-22 08:00' +digest-%s); email-notifier logs it.")]
pub(crate) struct Args {
    #[command(subcommand)]
    order: Order,
}

#[derive(clap::Subcommand)]
enum Order {
    /// Stop it where it is. What is being submitted still goes out; nobody loses an attempt
    Pause(Plan),
    /// Let it go on, and let go what waits because it is far larger than usual
    Resume(Plan),
    /// End it for good: whoever has not been sent anything will not be
    Cancel(Plan),
    /// Try those who failed again, and those who are to be tried later at once
    Retry(Plan),
}

#[derive(clap::Args)]
struct Plan {
    /// The plan's name
    plan: String,
    #[command(flatten)]
    target: Target,
    /// Print what stands now for machines
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let (order, plan) = match args.order {
        Order::Pause(plan) => ("pause", plan),
        Order::Resume(plan) => ("resume", plan),
        Order::Cancel(plan) => ("cancel", plan),
        Order::Retry(plan) => ("retry", plan),
    };
    let document = match article_of(&plan.plan) {
        Some(id) => {
            let client = plan.target.client()?;
            client.order(&path_of(&id, &format!("/mail/{}/{order}", plan.plan))).await?.document
        }
        None if is_digest(&plan.plan) => of_operator(&plan.plan, order).await?,
        None => return Err(Usage(format!("{} is no plan's name: see `newswire ledger ARTICLE`", plan.plan)).into()),
    };
    output::print(&if plan.json { format!("{document:#}\n") } else { for_people(&document) })?;
    Ok(ExitCode::SUCCESS)
}

/// The article that a plan's name begins with. The rest must not lead to another address of the API.
fn article_of(plan: &str) -> Option<ArticleId> {
    let (id, rest) = plan.split_at_checked(ID)?;
    let is_name = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    rest.strip_prefix('-').filter(|rest| !rest.is_empty() && is_name(rest))?;
    id.parse().ok()
}

/// Whether it is a digest's name.
pub(crate) fn is_digest(plan: &str) -> bool {
    plan.strip_prefix("digest-").is_some_and(|slot| !slot.is_empty() && slot.bytes().all(|b| b.is_ascii_digit()))
}

async fn of_operator(plan: &str, order: &str) -> anyhow::Result<Value> {
    let bus = server::connect().await?;
    let question = json!({ "ask": "control", "plan": plan, "order": order, "by": "operator" });
    let answer = ask(&bus, &question, "control").await?;
    Ok(json!({ "plan": plan, "control": answer["control"] }))
}

/// Asks about a plan as the operator, for the answer of this name; any other is an error that says what to do.
pub(crate) async fn ask(bus: &Bus, question: &Value, wanted: &str) -> anyhow::Result<Value> {
    let answer = bus.request(subjects::ASK_MAIL, question.to_string().into(), ANSWER_WITHIN).await;
    let answer =
        answer.context("no answer: email-notifier must be running (see its /readyz); then do the same again")?;
    let answer: Value = serde_json::from_slice(&answer).context("an answer of another version of email-notifier")?;
    match answer["answer"].as_str() {
        Some(answered) if answered == wanted => Ok(answer),
        Some("no_such_plan") => bail!("there is no such plan"),
        Some("refused") => bail!("{}", output::plain(answer["detail"].as_str().unwrap_or_default())),
        _ => bail!("email-notifier cannot reach its records now; do the same again"),
    }
}

fn for_people(document: &Value) -> String {
    let text = |value: &Value| output::plain(value.as_str().unwrap_or("?"));
    let (plan, control) = (text(&document["plan"]), &document["control"]);
    match control["by"].as_str() {
        None | Some("") => format!("{plan}: {}\n", text(&control["state"])),
        Some(_) => format!("{plan}: {}, by {}\n", text(&control["state"]), text(&control["by"])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plans_name_says_whom_to_ask() {
        let id = "0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f";
        assert_eq!(article_of(&format!("{id}-published")), Some(id.parse().unwrap()));
        assert!(article_of(&format!("{id}-correction-12")).is_some());
        for wrong in
            ["", "x", id, &format!("{id}-"), &format!("{id}-a/../../x"), &format!("{id}_a"), "digest-1", "新闻"]
        {
            assert_eq!(article_of(wrong), None, "{wrong}");
        }
        assert!(is_digest("digest-1795348800"));
        for wrong in ["digest-", "digest-x", "digest-1.2", "digest", ""] {
            assert!(!is_digest(wrong), "{wrong}");
        }
    }

    #[test]
    fn what_stands_now_is_said_in_a_line() {
        let said = |control: Value| for_people(&json!({ "plan": "p", "control": control }));
        assert_eq!(said(json!({ "state": "paused", "by": "token a\u{1b}b" })), "p: paused, by token a\\u{001b}b\n");
        assert_eq!(said(json!({ "state": "running", "by": "" })), "p: running\n");
    }
}
