//! `newswire webhook`: what other systems may send to, straight in the store the publisher follows.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use article::PublisherId;
use bus::{Bus, HeaderMap};
use interchange::signature::{Secret, sign_ghost, sign_standard};
use publisher::webhook::{Format, HookId, HookRecord, MIN_SECRET, SECRET_FILE};
use serde_json::{Value, json};
use topology::{TOKENS, access, subjects};
use url::Url;

use crate::output::{self, Table, day};
use crate::source::{language, one_line};
use crate::{Usage, server};

/// Reading all webhooks, 16 MiB at most.
const READ_ALL: Duration = Duration::from_secs(30);
/// The longest that a test delivery may take; Ghost waits for two seconds.
const ANSWER: Duration = Duration::from_secs(10);

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Make a webhook; its address and its secret are printed, to be entered in the system that sends
    Create(Create),
    /// List all webhooks, revoked ones too
    List {
        /// For machines: one object a line
        #[arg(long)]
        json: bool,
    },
    /// Revoke a webhook; it takes nothing from then on
    Revoke {
        // One in 64 begins with a hyphen.
        #[arg(value_name = "ID", allow_hyphen_values = true)]
        hook: HookId,
    },
    /// Send a signed document that is no article: address, secret and publisher fit together if it is taken
    Test {
        #[arg(value_name = "ID", allow_hyphen_values = true)]
        hook: HookId,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(clap::Args)]
struct Create {
    /// Whose articles they are
    #[arg(long, value_name = "SLUG")]
    publisher: PublisherId,
    /// The system that sends, in lower-case letters, digits and hyphens. Its articles are known by this name: to change
    /// the secret make a second webhook of the same name and format, enter it there, and revoke the first
    #[arg(long, value_name = "SLUG", value_parser = name)]
    name: String,
    /// What it sends: newswire, ghost, wordpress or ninjs
    #[arg(long, value_parser = format)]
    format: Format,
    /// Language of articles that name none, such as zh-Hans; Ghost and WordPress name none
    #[arg(long, value_name = "TAG", value_parser = language)]
    language: Option<String>,
    /// Section of articles that name none; given more than once, a path
    #[arg(long, value_name = "NAME", value_parser = one_line)]
    section: Vec<String>,
    /// Time zone in which its dates are printed, such as Asia/Shanghai
    #[arg(long, value_name = "NAME", value_parser = timezone)]
    timezone: Option<String>,
    /// For machines
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// Where webhooks are sent to, and what their secrets follow from.
#[derive(clap::Args)]
struct Place {
    /// Address of the publisher as the sender reaches it
    #[arg(long, value_name = "URL", env = "NEWSWIRE_PUBLISHER_URL", default_value = "http://127.0.0.1:8081")]
    publisher_url: Url,
    /// File with the publisher's master key for webhooks
    #[arg(long, value_name = "FILE", env = SECRET_FILE)]
    secret_file: PathBuf,
}

impl Place {
    fn address(&self, hook: &HookId) -> anyhow::Result<Url> {
        let mut url = self.publisher_url.clone();
        let mut path =
            url.path_segments_mut().map_err(|()| Usage(format!("{} is not an http address", self.publisher_url)))?;
        path.pop_if_empty().extend(["v1", "webhooks", hook.as_str()]);
        drop(path);
        Ok(url)
    }

    fn secret(&self, hook: &HookId) -> anyhow::Result<Secret> {
        let file = self.secret_file.display();
        let master = std::fs::read_to_string(&self.secret_file)
            .with_context(|| format!("cannot read {file}; make it with `head -c 48 /dev/urandom | base64 > {file}`, for the publisher as well"))?;
        if master.trim().len() < MIN_SECRET {
            bail!("{file}: the key is shorter than {MIN_SECRET} bytes");
        }
        Ok(hook.secret(master.trim().as_bytes()))
    }
}

pub(crate) async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let bus = server::connect().await?;
    // Its text says how to prepare the server; a write would only time out.
    bus.verify(&access("publisher").context("a service of the topology")?).await?;
    match args.command {
        Command::Create(create) => make(&bus, create).await?,
        Command::List { json } => list(&bus, json).await?,
        Command::Revoke { hook } => revoke(&bus, &hook).await?,
        Command::Test { hook, place } => test(&bus, &hook, &place).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn make(bus: &Bus, create: Create) -> anyhow::Result<()> {
    let hook = HookId::generate().context("no random bytes from the operating system")?;
    // Both before it is stored: what cannot be entered anywhere need not exist.
    let (address, secret) = (create.place.address(&hook)?, create.place.secret(&hook)?);
    if create.section.len() > 5 {
        return Err(Usage("a section has at most 5 levels".into()).into());
    }
    let record = HookRecord {
        publisher: create.publisher,
        name: create.name,
        format: create.format,
        language: create.language,
        section: create.section,
        tz: create.timezone,
        created_at: service_kit::now(),
        revoked_at: None,
    };
    write(bus, &hook, &record, 0).await?;
    if create.json {
        let document = json!({ "id": hook.as_str(), "url": address, "secret": secret.expose() });
        return output::print(&format!("{document}\n"));
    }
    output::print(&format!("address  {address}\nsecret   {}\n", secret.expose()))?;
    output::complain(&format!(
        "{} sends to this address and signs with this secret; `newswire webhook test {hook}` tries it\n",
        record.name
    ));
    Ok(())
}

async fn list(bus: &Bus, json: bool) -> anyhow::Result<()> {
    let hooks = all(bus).await?;
    if json {
        let lines = hooks.iter().map(|(hook, record)| {
            let mut line = json!(record);
            line["id"] = hook.as_str().into();
            format!("{line}\n")
        });
        return output::print(&lines.collect::<String>());
    }
    if hooks.is_empty() {
        return output::print("there are no webhooks; `newswire webhook create` makes one\n");
    }
    let mut table = Table::new();
    for (hook, record) in &hooks {
        let state = record.revoked_at.map_or("good".to_owned(), |at| format!("revoked {}", day(at)));
        let created = format!("created {}", day(record.created_at));
        let publisher = record.publisher.as_str();
        table.row([hook.as_str(), publisher, &record.name, record.format.as_str(), &created, &state]);
    }
    output::print(&table.to_string())
}

async fn revoke(bus: &Bus, hook: &HookId) -> anyhow::Result<()> {
    let (record, sequence) = find(bus, hook).await?;
    if record.revoked_at.is_some() {
        return output::print(&format!("{hook}: revoked already\n"));
    }
    let record = HookRecord { revoked_at: Some(service_kit::now()), ..record };
    write(bus, hook, &record, sequence).await?;
    output::print(&format!("revoked {:?} of {}\n", record.name, record.publisher))
}

async fn test(bus: &Bus, hook: &HookId, place: &Place) -> anyhow::Result<()> {
    let (record, _) = find(bus, hook).await?;
    let (address, secret, now) = (place.address(hook)?, place.secret(hook)?, service_kit::now());
    // Of each format a document that is no article.
    let document = match record.format {
        Format::Newswire => json!({ "type": "webhook.test", "data": {} }),
        Format::Ghost => json!({ "page": { "current": {}, "previous": {} } }),
        Format::WordPress => json!({ "id": 1, "type": "attachment" }),
        Format::Ninjs => json!({ "uri": "urn:newswire:webhook:test", "type": "event" }),
    };
    let body = document.to_string();
    let http = reqwest::Client::builder().timeout(ANSWER).build()?;
    let request = http.post(address.clone()).header("content-type", "application/json");
    let request = match record.format {
        Format::Ghost => request.header("x-ghost-signature", sign_ghost(&secret, now, body.as_bytes())),
        _ => request
            .header("webhook-id", "msg_test")
            .header("webhook-timestamp", now.as_second())
            .header("webhook-signature", sign_standard(&secret, "msg_test", now, body.as_bytes())),
    };
    let answer = request.body(body).send().await.with_context(|| format!("{address} cannot be reached"))?;
    let (status, text) = (answer.status(), answer.text().await.unwrap_or_default());
    let told: Value = serde_json::from_str(&text).unwrap_or_default();
    if status.is_success() && told["outcome"] == "nothing" {
        return output::print(&format!("{address} takes what is signed with this webhook's secret\n"));
    }
    let detail = told["detail"].as_str().unwrap_or("the answer is not a publisher's");
    bail!("{address} answered {status}: {}", output::plain(detail))
}

async fn find(bus: &Bus, hook: &HookId) -> anyhow::Result<(HookRecord, u64)> {
    let stored = bus.last(&TOKENS, &hook.subject()).await?;
    let stored = stored.with_context(|| format!("there is no webhook {hook}; `newswire webhook list` shows all"))?;
    let record = HookRecord::from_bytes(&stored.payload);
    Ok((record.with_context(|| format!("{} cannot be read", stored.subject))?, stored.sequence))
}

async fn write(bus: &Bus, hook: &HookId, record: &HookRecord, expected: u64) -> anyhow::Result<()> {
    let id = format!("webhook/{hook}/{expected}");
    bus.publish(&TOKENS, &hook.subject(), &id, HeaderMap::new(), record.to_bytes().into(), Some(expected)).await?;
    Ok(())
}

/// Every webhook's last record, by publisher, then name, then age.
async fn all(bus: &Bus) -> anyhow::Result<Vec<(HookId, HookRecord)>> {
    let stored = tokio::time::timeout(READ_ALL, server::records(bus, &TOKENS, subjects::WEBHOOKS)).await;
    let mut found = Vec::new();
    for (subject, (payload, _)) in stored.context("the webhooks could not be read in 30 s")? {
        let hook = HookId::of_subject(&subject).with_context(|| format!("{subject} is not a webhook's"))?;
        let record = HookRecord::from_bytes(&payload).with_context(|| format!("{subject} cannot be read"))?;
        found.push((hook, record));
    }
    found.sort_by(|(_, a), (_, b)| (&a.publisher, &a.name, a.created_at).cmp(&(&b.publisher, &b.name, b.created_at)));
    Ok(found)
}

fn name(text: &str) -> Result<String, String> {
    text.parse::<PublisherId>()
        .map(|_| text.to_owned())
        .map_err(|_| "use 1 to 64 lower-case letters, digits and inner hyphens".into())
}

fn format(text: &str) -> Result<Format, String> {
    let known = Format::ALL.into_iter().find(|format| format.as_str() == text);
    known.ok_or_else(|| format!("use one of {}", Format::ALL.map(Format::as_str).join(", ")))
}

fn timezone(text: &str) -> Result<String, String> {
    let zone = jiff::tz::TimeZone::get(text).map_err(|error| error.to_string())?;
    zone.iana_name().map(str::to_owned).ok_or_else(|| "use an IANA name, such as Asia/Shanghai".into())
}
