//! Something to look at: sample articles published as a newsroom would, a reader subscribed as a reader would, and the
//! addresses of what there is to see.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use bus::{Bus, HeaderMap};
use mailbox::Mailbox;
use publisher::token::{Token, TokenRecord};
use service_kit::Secret;
use tokio::time::Instant;
use topology::TOKENS;
use url::Url;

use super::folder::Folder;
use super::ports::Ports;
use super::say;
use crate::client::Client;
use crate::import;

/// Whom the sample articles belong to.
const PUBLISHER: &str = "newswire-demo";
/// Who reads them: a reserved domain, and the mailbox takes mail for everybody.
const READER: &str = "reader@newswire.example";

const TOKEN_FILE: &str = "api-token";

const SAMPLES: [(&str, &str); 2] = [
    ("01-english.txt", include_str!("../../../../crates/import/samples/01-english.txt")),
    ("02-chinese.txt", include_str!("../../../../crates/import/samples/02-chinese.txt")),
];

/// How long one step may take. A laptop with a slow disk takes seconds for the first.
const STEP: Duration = Duration::from_secs(30);

/// Prepares what there is to see and prints where it is.
pub(crate) async fn show(
    ports: &Ports,
    folder: &Folder,
    token: Secret,
    mailbox: &Mailbox,
    samples: bool,
) -> anyhow::Result<()> {
    let http = reqwest::Client::builder().timeout(STEP).build().context("cannot make an HTTP client")?;
    for (service, base) in [
        ("publisher", ports.publisher_url()?),
        ("rss-generator", ports.pages_url()?),
        ("email-notifier", ports.email_url()?),
        ("feed-reader", ports.reader_url()?),
    ] {
        ready(&http, &base).await.with_context(|| format!("{service} does not get ready"))?;
    }
    if samples && folder.read("samples")?.is_none() {
        subscribe(&http, ports, mailbox).await?;
        say(&format!("{READER} has subscribed to everything"));
        let client = Client::new(ports.publisher_url()?, token)?;
        for (name, page) in SAMPLES {
            let published = import::publish_page(&client, page.as_bytes()).await;
            let published = published.with_context(|| format!("cannot publish the sample {name}"))?;
            say(&format!("sample {name} {published}"));
        }
        folder.write("samples", "published\n")?;
    }
    addresses(ports, folder)
}

/// The token of the demo newsroom, made the first time; it is kept in [`TOKEN_FILE`].
pub(super) async fn api_token(folder: &Folder, operator: &Bus) -> anyhow::Result<Secret> {
    if let Some(known) = folder.read(TOKEN_FILE)? {
        return Ok(Secret::new(known));
    }
    let token = Token::generate().map_err(|error| anyhow::anyhow!("the system gives no random bytes: {error}"))?;
    let record = TokenRecord::new(PUBLISHER.parse()?, "newswire up".into(), service_kit::now());
    let subject = token.hash().subject();
    operator.publish(&TOKENS, &subject, &subject, HeaderMap::new(), record.to_bytes().into(), Some(0)).await?;
    folder.write(TOKEN_FILE, token.expose())?;
    Ok(Secret::new(token.expose()))
}

async fn ready(http: &reqwest::Client, base: &Url) -> anyhow::Result<()> {
    let url = base.join("readyz")?;
    until("it says", async || {
        let answer = http.get(url.clone()).send().await?;
        if !answer.status().is_success() {
            bail!("{}", answer.text().await?.trim());
        }
        Ok(())
    })
    .await
}

/// Goes the way of a reader: the form, the mail, the button.
async fn subscribe(http: &reqwest::Client, ports: &Ports, mailbox: &Mailbox) -> anyhow::Result<()> {
    let form = ports.email_url()?.join("subscribe")?;
    let body = format!("address={}&selection=all&language=en", READER.replace('@', "%40"));
    let answer = http.post(form).header("content-type", "application/x-www-form-urlencoded").body(body).send().await?;
    answer.error_for_status().context("the subscribe form does not take the reader")?;
    let confirm = format!("{}confirm/", ports.email_url()?);
    let link = until("the confirmation mail is not there", async || {
        let mails = mailbox.mails();
        let link = mails.iter().rev().find_map(|mail| find_link(&mail.content().text.clone()?, &confirm));
        link.context("no mail with a link to confirm")
    })
    .await?;
    http.post(link).send().await?.error_for_status().context("the confirmation is not taken")?;
    Ok(())
}

fn find_link(text: &str, prefix: &str) -> Option<String> {
    let start = text.find(prefix)?;
    let link = text[start..].split(|c: char| c.is_whitespace() || c == '>').next()?;
    Some(link.to_owned())
}

/// Tries until it works or [`STEP`] is over; then the last failure is the error.
async fn until<T>(what: &str, step: impl AsyncFn() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let deadline = Instant::now() + STEP;
    loop {
        match step().await {
            Ok(done) => return Ok(done),
            Err(error) if Instant::now() > deadline => return Err(error.context(what.to_owned())),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

fn addresses(ports: &Ports, folder: &Folder) -> anyhow::Result<()> {
    let (pages, email) = (ports.pages_url()?, ports.email_url()?);
    let (publisher, mailbox) = (ports.publisher_url()?, ports.mailbox_url()?);
    let program = std::env::args_os().next().map_or_else(|| "newswire".into(), PathBuf::from);
    let token = folder.path().join(TOKEN_FILE);
    let lines = [
        String::new(),
        "  Open in a browser".into(),
        format!("    feeds and articles  {pages}"),
        format!("    subscribe by email  {email}subscribe"),
        format!("    mailbox             {mailbox}   (every mail sent on this machine lands here)"),
        format!("    API documentation   {publisher}v1/docs"),
        String::new(),
        "  Publish a page of your own".into(),
        format!(
            "    {} import --publish --publisher-url {publisher} --token-file {} PAGE.txt",
            for_shell(&program),
            for_shell(&token)
        ),
        String::new(),
        "  Ctrl-C stops everything; the data stays.".into(),
        String::new(),
    ];
    let _ = std::io::Write::write_all(&mut std::io::stdout(), format!("{}\n", lines.join("\n")).as_bytes());
    Ok(())
}

/// A path that a shell takes as one word.
fn for_shell(path: &Path) -> String {
    let path = path.to_string_lossy();
    if path.chars().all(|c| c.is_alphanumeric() || "/._-+".contains(c)) {
        return path.into_owned();
    }
    format!("'{}'", path.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_typed_can_be_typed() {
        for (path, typed) in [
            ("/srv/news-data/api-token", "/srv/news-data/api-token"),
            ("/srv/新闻/x", "/srv/新闻/x"),
            ("/my news/x", "'/my news/x'"),
            ("/it's/$HOME;x", r"'/it'\''s/$HOME;x'"),
        ] {
            assert_eq!(for_shell(Path::new(path)), typed);
        }
    }

    #[test]
    fn a_link_ends_where_the_text_goes_on() {
        let confirm = "http://127.0.0.1:8082/confirm/";
        let link = "http://127.0.0.1:8082/confirm/abc_-123";
        for text in [format!("Press {link}\nto confirm"), format!("<{link}>"), link.to_owned()] {
            assert_eq!(find_link(&text, confirm).as_deref(), Some(link), "{text}");
        }
        assert_eq!(find_link("nothing", confirm), None);
    }
}
