//! A whole newsroom for a test: a real nats-server, the three services from their own binaries, and a mail sink.

use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

use bus::{Bus, Credentials, Server};
use testkit::mailbox::{Faults, Mailbox};
use testkit::{NatsServer, Port, Process, built, eventually, eventually_within, mail_sink};

/// Whose articles they are.
pub(crate) const PUBLISHER: &str = "test-newsroom";

/// Header in which a test tells from where a reader comes.
const CLIENT: &str = "X-Test-Client";

/// The services that can be killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Publisher,
    RssGenerator,
    EmailNotifier,
}

impl Service {
    pub(crate) const ALL: [Self; 3] = [Self::Publisher, Self::RssGenerator, Self::EmailNotifier];

    fn binary(self) -> &'static str {
        match self {
            Self::Publisher => "publisher",
            Self::RssGenerator => "rss-generator",
            Self::EmailNotifier => "email-notifier",
        }
    }
}

pub(crate) struct Newsroom {
    pub(crate) nats: NatsServer,
    pub(crate) mailbox: Mailbox,
    pub(crate) http: reqwest::Client,
    pub(crate) token: String,
    /// A service that is killed must come back where it was.
    ports: [Port; 3],
    /// Of email-notifier, beside those that every newsroom needs.
    settings: &'static [(&'static str, &'static str)],
    /// One for each of [`Service::ALL`].
    pub(crate) processes: Vec<Process>,
    folder: tempfile::TempDir,
}

impl Newsroom {
    /// Everything is running and ready.
    pub(crate) async fn start(faults: impl Into<Faults>) -> Self {
        Self::start_with(mail_sink(faults).await, &[]).await
    }

    /// As [`Newsroom::start`], with another relay, and more `settings` for email-notifier.
    pub(crate) async fn start_with(mailbox: Mailbox, settings: &'static [(&'static str, &'static str)]) -> Self {
        let nats = NatsServer::start().await;
        let folder = tempfile::tempdir().expect("a folder for secrets");
        std::fs::write(folder.path().join("secret"), "a secret of at least thirty-two bytes").expect("writes");
        let http = reqwest::Client::builder().timeout(Duration::from_secs(60)).build().expect("an HTTP client");
        let (token, ports, processes) = (String::new(), Service::ALL.map(|_| Port::reserve()), Vec::new());
        let mut room = Self { nats, mailbox, http, token, ports, settings, processes, folder };
        room.cli(&["provision"]).await;
        // No test is about the rate of its token, and those of load are about what comes behind it.
        let token = ["token", "create", "--publisher", PUBLISHER, "--name", "tests", "--rate", "100000"];
        let created = room.cli(&token).await;
        room.token = String::from_utf8(created.stdout).expect("a token is ASCII").trim().to_owned();
        for service in Service::ALL {
            let process = room.spawn(service);
            room.processes.push(process);
        }
        for service in Service::ALL {
            room.ready(service).await;
        }
        room
    }

    /// Where a service serves.
    pub(crate) fn url(&self, service: Service, path: &str) -> String {
        format!("http://{}/{path}", self.ports[service as usize].address())
    }

    /// Runs the command line and expects it to succeed.
    pub(crate) async fn cli(&self, arguments: &[&str]) -> Output {
        let output = self.try_cli(arguments).await;
        assert!(output.status.success(), "newswire {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }

    pub(crate) async fn try_cli(&self, arguments: &[&str]) -> Output {
        let mut command = built("newswire");
        command.args(arguments);
        command.env("NEWSWIRE_NATS_URL", self.nats.url());
        command.env("NEWSWIRE_PUBLISHER_URL", self.url(Service::Publisher, ""));
        command.env("NEWSWIRE_TOKEN", &self.token);
        tokio::task::spawn_blocking(move || command.output().expect("runs")).await.expect("does not panic")
    }

    fn spawn(&self, service: Service) -> Process {
        self.another(service, self.ports[service as usize].number())
    }

    /// One more process of a service; port 0 takes a free one.
    pub(crate) fn another(&self, service: Service, port: u16) -> Process {
        let listen = format!("127.0.0.1:{port}");
        let (pages, email) = (self.url(Service::RssGenerator, ""), self.url(Service::EmailNotifier, ""));
        let smtp = self.mailbox.smtp_addr();
        let mut command = built(service.binary());
        command.env("NEWSWIRE_NATS_URL", self.nats.url());
        match service {
            Service::Publisher => command.env("NEWSWIRE_PUBLISHER_LISTEN", listen),
            Service::RssGenerator => command
                .env("NEWSWIRE_RSS_LISTEN", listen)
                .env("NEWSWIRE_PAGES_URL", pages)
                .env("NEWSWIRE_RSS_ALLOW_NETWORKS", "127.0.0.1/32"),
            Service::EmailNotifier => command
                .env("NEWSWIRE_EMAIL_LISTEN", listen)
                .env("NEWSWIRE_EMAIL_PUBLIC_URL", email)
                .env("NEWSWIRE_PAGES_URL", pages)
                .env("NEWSWIRE_EMAIL_CLIENT_IP_HEADER", CLIENT)
                .env("NEWSWIRE_EMAIL_SECRET_FILE", self.folder.path().join("secret"))
                .env("NEWSWIRE_EMAIL_RELAY_HOST", smtp.ip().to_string())
                .env("NEWSWIRE_EMAIL_RELAY_PORT", smtp.port().to_string())
                .envs(self.settings.iter().copied()),
        };
        Process::spawn(&mut command)
    }

    pub(crate) async fn ready(&self, service: Service) {
        let url = self.url(service, "readyz");
        eventually(&format!("{service:?} is ready"), async || {
            let answer = self.http.get(&url).send().await.map_err(|error| error.to_string())?;
            if answer.status().is_success() { Ok(()) } else { Err(answer.text().await.unwrap_or_default()) }
        })
        .await;
    }

    /// kill -9, and a new process in its place at once.
    pub(crate) fn kill9_and_restart(&mut self, service: Service) {
        self.processes[service as usize].kill9();
        self.processes[service as usize] = self.spawn(service);
    }

    /// A page for the importer.
    pub(crate) fn page(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("writes");
        path
    }

    /// Subscribes the way a reader does: the form, the mail, the button.
    pub(crate) async fn subscribe(&self, address: &str, selection: &str) {
        let form = [("address", address), ("selection", selection), ("language", "en")];
        // Every reader has a network of their own, or the form would take the test for a script.
        let client = format!("2001:db8:{:x}::1", address.bytes().fold(7u16, |n, b| n.wrapping_mul(31) ^ u16::from(b)));
        let request = self.http.post(self.url(Service::EmailNotifier, "subscribe")).header(CLIENT, client).form(&form);
        let answer = request.send().await.expect("the form is taken");
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap_or_default());
        let prefix = self.url(Service::EmailNotifier, "confirm/");
        let link = eventually("the confirmation mail", async || {
            let texts: Vec<String> = self.mails_to(address).into_iter().filter_map(|mail| mail.text).collect();
            let found = texts.iter().find_map(|text| link(text, &prefix));
            found.ok_or_else(|| format!("{} mails", texts.len()))
        })
        .await;
        let page = self.http.get(&link).send().await.expect("the page");
        assert!(page.status().is_success());
        let pressed = self.http.post(&link).send().await.expect("the button");
        assert!(pressed.status().is_success());
    }

    /// What was sent to one address, in order.
    pub(crate) fn mails_to(&self, address: &str) -> Vec<testkit::mailbox::Content> {
        let mails = self.mailbox.mails();
        mails.iter().filter(|mail| mail.to.iter().any(|to| to == address)).map(|mail| mail.content()).collect()
    }

    /// Alerts about one article to one address.
    pub(crate) fn alerts(&self, address: &str, article: &str) -> Vec<testkit::mailbox::Content> {
        let about = |mail: &testkit::mailbox::Content| mail.header("X-Newswire-Article") == Some(article);
        self.mails_to(address).into_iter().filter(about).collect()
    }

    pub(crate) async fn feed(&self, path: &str) -> Result<String, String> {
        let answer = self.http.get(self.url(Service::RssGenerator, path)).send().await.map_err(|e| e.to_string())?;
        let status = answer.status();
        let body = answer.text().await.map_err(|error| error.to_string())?;
        if status.is_success() { Ok(body) } else { Err(format!("{path}: {status}")) }
    }

    pub(crate) async fn bus(&self) -> Bus {
        let server = Server { url: self.nats.url().into(), credentials: Credentials::None };
        Bus::connect(&server, "test").await.expect("connects")
    }

    /// Nothing is left unacknowledged, and nothing is dead.
    pub(crate) async fn settled(&self) {
        self.settled_within(Duration::from_secs(120)).await;
    }

    /// As [`Newsroom::settled`], where there is much to do.
    pub(crate) async fn settled_within(&self, limit: Duration) {
        let bus = self.bus().await;
        // A delivery that was lost in a crash comes again after the consumer's ack_wait.
        eventually_within(limit, "everything is settled", async || {
            for consumer in topology::CONSUMERS {
                let backlog = bus.backlog(consumer).await.map_err(|error| error.to_string())?;
                // What a stream has just taken may not be counted as waiting yet.
                let next = bus.next(&consumer.stream, consumer.filter, backlog.settled + 1).await;
                if !backlog.is_empty() || next.map_err(|error| error.to_string())?.is_some() {
                    return Err(format!("{}: {backlog:?}", consumer.name));
                }
            }
            Ok(())
        })
        .await;
        let dead = bus.next(&topology::DEAD, topology::subjects::DEAD, 0).await.expect("reads");
        assert!(dead.is_none(), "a dead letter: {dead:?}");
    }
}

pub(crate) fn link(text: &str, prefix: &str) -> Option<String> {
    let start = text.find(prefix)?;
    text[start..].split(|c: char| c.is_whitespace() || c == '>').next().map(str::to_owned)
}
