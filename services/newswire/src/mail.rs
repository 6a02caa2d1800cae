//! `newswire mail`: the email-notifier makes a mail as it would for a reader; it is written to files, or sent for trial.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use article::ArticleId;
use clap::ValueEnum;
use email_notifier::samples::{Kind, MAX_ARTICLES, Question, Sample};
use mail_parser::MessageParser;

use crate::subscribers::ask;
use crate::{output, server};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Write the mail to files: as it would go out (.eml), and its two forms (.html, .txt) to look at
    #[command(after_help = "Examples:
  newswire mail preview 0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f --locale zh
  newswire mail preview 0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f --notice correction --note 'It was the clinic.'
  newswire mail preview --digest 0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f 0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e10")]
    Preview {
        /// The article's id; several for a digest
        #[arg(required = true, num_args = 1..=MAX_ARTICLES, value_name = "ARTICLE")]
        articles: Vec<ArticleId>,
        #[command(flatten)]
        which: Which,
        /// The folder for the files
        #[arg(long, value_name = "DIR", default_value = ".")]
        out: PathBuf,
    },
    /// Send one mail through the configured relay, marked as a test in its subject. Nobody else gets anything, and nothing is
    /// noted of it: its links belong to no subscriber
    Test {
        /// The article's id
        article: ArticleId,
        /// Where it is sent
        address: String,
        #[command(flatten)]
        which: Which,
    },
}

/// Which mail about the articles.
#[derive(clap::Args)]
struct Which {
    /// The digest of the articles; otherwise the alert to one
    #[arg(long, conflicts_with = "notice")]
    digest: bool,
    /// What readers are told later: that it was changed, or is gone
    #[arg(long)]
    notice: Option<Notice>,
    /// What the notice says; otherwise what the newsroom said
    #[arg(long, value_name = "TEXT", requires = "notice")]
    note: Option<String>,
    /// The language of the words around the articles: en or zh
    #[arg(long, default_value = "en")]
    locale: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Notice {
    Update,
    Correction,
    Withdrawal,
    Kill,
}

impl Which {
    fn kind(&self) -> (Kind, &'static str) {
        match self.notice {
            _ if self.digest => (Kind::Digest, "digest"),
            None => (Kind::Alert, "alert"),
            Some(Notice::Update) => (Kind::Update, "update"),
            Some(Notice::Correction) => (Kind::Correction, "correction"),
            Some(Notice::Withdrawal) => (Kind::Withdrawal, "withdrawal"),
            Some(Notice::Kill) => (Kind::Kill, "kill"),
        }
    }

    fn question(self, articles: Vec<ArticleId>, to: Option<String>) -> Question {
        Question { articles, kind: self.kind().0, note: self.note, language: self.locale, to }
    }
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::Preview { articles, which, out } => {
            let name = format!("{}-{}", which.kind().1, if which.locale.starts_with("zh") { "zh" } else { "en" });
            let bus = server::connect().await?;
            let sample: Sample = ask(&bus, &which.question(articles, None)).await?;
            write(&sample.mail, &out, &name)?;
        }
        Command::Test { article, address, which } => {
            let bus = server::connect().await?;
            let sample: Sample = ask(&bus, &which.question(vec![article], Some(address))).await?;
            let said = sample.relay.unwrap_or_default();
            output::print(&format!("the relay took it, which is not delivery: {}\n", output::plain(&said)))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes the mail and its two forms, and says where they are.
fn write(mail: &str, folder: &Path, name: &str) -> anyhow::Result<()> {
    let parsed = MessageParser::default().parse(mail.as_bytes()).context("email-notifier answered with no mail")?;
    let (html, text) = (parsed.body_html(0).context("no HTML in it")?, parsed.body_text(0).context("no text in it")?);
    std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    for (ending, content) in [("eml", mail), ("html", &html), ("txt", &text)] {
        let path = folder.join(format!("{name}.{ending}"));
        std::fs::write(&path, content).with_context(|| format!("{} cannot be written", path.display()))?;
        output::print(&format!("{}\n", path.display()))?;
    }
    Ok(())
}
