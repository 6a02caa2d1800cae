//! `newswire up`: everything on one machine, in one process with a nats-server beside it, and a first article to look
//! at. For development and for a first look; production runs the services on their own (`deploy/`).

mod demo;
mod folder;
mod nats;
mod ports;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use bus::{Bus, Credentials, Server};
use email_notifier::{EmailNotifier, RelayConfig, RelayTls};
use feed_reader::FeedReader;
use mailbox::Mailbox;
use publisher::Publisher;
use rss_generator::RssGenerator;
use service_kit::Secret;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use topology::{CONSUMERS, STREAMS};
use url::Url;

use self::folder::Folder;
use self::nats::NatsServer;
use self::ports::Ports;

/// Options of `newswire up`.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Folder that keeps everything: the log, the mail, the secrets. Delete it to begin anew
    #[arg(long, value_name = "FOLDER", default_value = "newswire-data")]
    data: PathBuf,
    #[command(flatten)]
    ports: Ports,
    /// Start empty: no sample articles and no subscriber
    #[arg(long)]
    no_samples: bool,
}

/// How long the services get to finish what they do once they are told to stop.
const STOP_WITHIN: Duration = Duration::from_secs(30);

/// Who sends: a reserved domain (RFC 2606), so that nothing sent by mistake reaches anybody.
const MAIL_DOMAIN: &str = "newswire.example";
const SENDER: &str = "news@newswire.example";

/// Who reads upstream feeds, for those who provide them.
const CONTACT: &str = "https://newswire.example/";

/// Runs until `shutdown`.
pub(crate) async fn run(options: Options, shutdown: CancellationToken) -> anyhow::Result<()> {
    let folder = Folder::open(&options.data)?;
    nats::stop_left_over(&folder).await?;
    options.ports.check()?;
    let ports = &options.ports;
    say(&format!("data in {}", folder.path().display()));

    let nats_token = folder.secret("nats-token")?;
    let nats = NatsServer::start(&folder, ports.nats, &nats_token).await?;
    say(&format!("nats-server {} on port {}", nats.version(), ports.nats));
    let server = Server {
        url: format!("nats://127.0.0.1:{}", ports.nats),
        credentials: Credentials::Token(nats_token.expose().to_owned()),
    };
    let result = services(&options, &folder, &server, shutdown.clone()).await;
    shutdown.cancel();
    nats.stop().await;
    if result.is_ok() {
        say("stopped");
    }
    result
}

/// Starts the services, shows what there is to see, and waits for the end.
async fn services(
    options: &Options,
    folder: &Folder,
    server: &Server,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let operator = Bus::connect(server, "operator").await?;
    operator.provision(STREAMS, CONSUMERS, 1).await?;
    // Before the publisher starts: it is ready once it knows all tokens.
    let token = demo::api_token(folder, &operator).await?;
    let ports = &options.ports;
    let mailbox = mailbox(ports, folder).await?;
    let mut tasks = JoinSet::new();
    let publisher = Publisher::bind(publisher_config(ports, server, folder)?).await?;
    tasks.spawn(publisher.run(shutdown.clone()));
    let pages = RssGenerator::bind(pages_config(ports, server)?).await?;
    tasks.spawn(pages.run(shutdown.clone()));
    let email = EmailNotifier::bind(email_config(ports, server, folder)?).await?;
    tasks.spawn(email.run(shutdown.clone()));
    let reader = FeedReader::bind(reader_config(ports, server, &token)?).await?;
    tasks.spawn(reader.run(shutdown.clone()));
    say("publisher, rss-generator, email-notifier, feed-reader and mailbox are running");

    let shown = demo::show(ports, folder, token, &mailbox, !options.no_samples);
    let ended = tokio::select! {
        shown = shown => match shown {
            Ok(()) => wait(&mut tasks, &shutdown).await,
            Err(error) => Err(error),
        },
        ended = wait(&mut tasks, &shutdown) => ended,
    };
    shutdown.cancel();
    if tokio::time::timeout(STOP_WITHIN, finished(&mut tasks)).await.is_err() {
        say("some services did not stop in time");
    }
    mailbox.stop().await;
    operator.close().await;
    ended
}

/// Until every service has stopped.
async fn finished(tasks: &mut JoinSet<anyhow::Result<()>>) {
    while let Some(ended) = tasks.join_next().await {
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => say(&format!("a service did not stop in good order: {error:#}")),
            Err(panic) => say(&format!("a service panicked: {panic}")),
        }
    }
}

/// Until somebody asks for the end, or a service ends on its own.
async fn wait(tasks: &mut JoinSet<anyhow::Result<()>>, shutdown: &CancellationToken) -> anyhow::Result<()> {
    tokio::select! {
        () = shutdown.cancelled() => {
            say("stopping; once more to stop at once");
            Ok(())
        }
        ended = tasks.join_next() => match ended {
            Some(Ok(Ok(()))) if shutdown.is_cancelled() => Ok(()),
            Some(Ok(Ok(()))) | None => bail!("a service stopped by itself"),
            Some(Ok(Err(error))) => Err(error),
            Some(Err(panic)) => Err(panic).context("a service panicked"),
        },
    }
}

async fn mailbox(ports: &Ports, folder: &Folder) -> anyhow::Result<Mailbox> {
    let mut config = mailbox::Config::new(service_kit::now);
    config.smtp = ports::loopback(ports.smtp);
    config.http = ports::loopback(ports.mailbox);
    config.dir = Some(folder.path().join("mail"));
    // It ends by `Mailbox::stop`, after the services: mail under way must still arrive.
    Mailbox::start(config, &CancellationToken::new()).await.context("the mailbox does not start")
}

fn publisher_config(ports: &Ports, server: &Server, folder: &Folder) -> anyhow::Result<publisher::Config> {
    let webhook_secret = Some(folder.secret("webhook-secret")?);
    Ok(publisher::Config { listen: ports::loopback(ports.publisher), tls: None, nats: server.clone(), webhook_secret })
}

fn pages_config(ports: &Ports, server: &Server) -> anyhow::Result<rss_generator::Config> {
    Ok(rss_generator::Config {
        nats: server.clone(),
        listen: ports::loopback(ports.pages),
        metrics: None,
        tls: None,
        public_url: ports.pages_url()?,
        site_title: SITE.into(),
        subscribe_url: Some(ports.email_url()?.join("subscribe")?),
        allowed: rss_generator::Networks::default(),
        client_ip_header: None,
        pinned: Vec::new(),
        memory: 512 << 20,
    })
}

const SITE: &str = "newswire on this machine";

fn email_config(ports: &Ports, server: &Server, folder: &Folder) -> anyhow::Result<email_notifier::Config> {
    let (pages_url, public_url): (Url, Url) = (ports.pages_url()?, ports.email_url()?);
    let site = mail::Site::new(SITE, pages_url.clone(), public_url.clone(), SENDER.parse()?, MAIL_DOMAIN)?;
    Ok(email_notifier::Config {
        nats: server.clone(),
        listen: ports::loopback(ports.email),
        metrics: None,
        tls: None,
        site,
        pages_url,
        public_url,
        secret: Secret::new(folder.secret("email-secret")?.expose()),
        zone: "UTC".into(),
        guard: email_notifier::GuardConfig::default(),
        relay: RelayConfig {
            host: "127.0.0.1".into(),
            port: ports.smtp,
            tls: RelayTls::None,
            user: None,
            password: None,
            roots: Vec::new(),
            timeout: Duration::from_secs(30),
        },
        dkim: None,
        inbound: email_notifier::Inbound::default(),
        client_ip_header: None,
    })
}

/// No hub reaches a machine that only it can see, so feeds are asked at their intervals.
fn reader_config(ports: &Ports, server: &Server, token: &Secret) -> anyhow::Result<feed_reader::Config> {
    Ok(feed_reader::Config {
        nats: server.clone(),
        listen: ports::loopback(ports.reader),
        publisher_url: ports.publisher_url()?,
        token: token.clone(),
        contact_url: Url::parse(CONTACT)?,
        public_url: None,
        allowed: feed_reader::Networks::default(),
    })
}

/// One line for the person in front of the terminal.
fn say(line: &str) {
    // Nobody reads on when the terminal is gone; the services run all the same.
    let _ = std::io::Write::write_all(&mut std::io::stdout(), format!("newswire: {line}\n").as_bytes());
}
