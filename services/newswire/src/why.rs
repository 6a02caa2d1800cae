//! `newswire why`: what an address was sent of an article, and why it was or was not. The operator's question, over NATS.

use std::process::ExitCode;

use article::ArticleId;
use email_notifier::asks::{Sent, Told};
use email_notifier::subscribers::Question;
use jiff::Timestamp;

use crate::{output, server, subscribers};

#[derive(clap::Args)]
#[command(after_help = "Example:
  newswire why 0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f reader@example.org

A newsroom asks POST /v1/articles/{id}/mail/why with its token, and hears what became of its own article only.")]
pub(crate) struct Args {
    /// The article's id
    article: ArticleId,
    /// The reader's email address
    address: String,
    /// Print the answer for machines
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let bus = server::connect().await?;
    let question = Question::Why { article: args.article, address: args.address };
    let told: Told = subscribers::ask(&bus, &question).await?;
    output::print(&if args.json { format!("{}\n", serde_json::to_string_pretty(&told)?) } else { for_people(&told) })?;
    Ok(ExitCode::SUCCESS)
}

fn for_people(told: &Told) -> String {
    let sentences = told.plans.iter().map(of_mail).chain(told.because.iter().map(ToString::to_string));
    sentences.map(|sentence| format!("{}\n", output::plain(&sentence))).collect()
}

/// What became of one mail, in a sentence or two.
fn of_mail(sent: &Sent) -> String {
    let what = match sent.kind.as_str() {
        "alert" => "The alert".to_owned(),
        "digest" => "The digest that has it".to_owned(),
        kind => format!("The {kind} of revision {}", sent.revision),
    };
    let at = sent.at.map_or_else(String::new, |at| format!(" at {}", second(at)));
    let became = match sent.state.as_str() {
        "planned" | "submitting" => format!("was planned at {} and is on its way", second(sent.planned_at)),
        "accepted" => format!("was taken by the relay{at}, which is not delivery yet"),
        "deferred" => format!("could not be sent{at}"),
        "uncertain" => format!("was sent{at}, and the relay's answer was lost: they may have it"),
        "unanswered" => {
            format!("was sent{at}, and the relay's answer was lost: they may have it; it is not sent again")
        }
        "failed" => format!("was refused for good{at}"),
        "expired" => "was too late to be news and was not sent".to_owned(),
        "suppressed" => {
            format!("was planned and not sent{at}: {}", suppressed(sent.why.as_deref().unwrap_or_default()))
        }
        other => format!("is {other}{at}"),
    };
    let reply = sent.reply.as_ref().map_or_else(String::new, |reply| format!(" The relay said: {reply}."));
    let next = sent.next_attempt_at.map_or_else(String::new, |at| format!(" It is tried again at {}.", second(at)));
    format!("{what} ({}) {became}.{reply}{next}", sent.plan)
}

fn suppressed(why: &str) -> &str {
    match why {
        "left" => "they had left by then",
        "withdrawn" => "the article had been held, withdrawn or killed by then, or the notice was obsolete",
        "paused" => "they had paused their mail",
        "bounced" => "their mailbox does not take mail",
        "complained" => "they have complained",
        "cancelled" => "the plan was cancelled",
        "empty" => "nothing of it was left to send",
        other => other,
    }
}

fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
