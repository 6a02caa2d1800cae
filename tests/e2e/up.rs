//! `newswire up` as whoever types it sees it: what it prints, what then answers, how it ends, and that it always comes
//! up again on the same folder, whatever happened before.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use testkit::{NatsServer, Port, Process, built, eventually, eventually_within, scratch};

/// The flags that move ports, in the order of [`Ports`].
const FLAGS: [&str; 7] = [
    "--pages-port",
    "--publisher-port",
    "--email-port",
    "--mailbox-port",
    "--smtp-port",
    "--nats-port",
    "--reader-port",
];
const PAGES: usize = 0;
const PUBLISHER: usize = 1;
const EMAIL: usize = 2;
const MAILBOX: usize = 3;
const NATS: usize = 5;

type Ports = [Port; FLAGS.len()];

/// Printed last, once everything is there.
const READY: &str = "Ctrl-C stops everything";

/// How many articles a first start publishes.
const SAMPLES: usize = 2;

/// `newswire up` on a folder. Dropping it leaves no process behind, whatever the test did to it.
struct Up<'a> {
    process: Process,
    folder: &'a Path,
    ports: &'a Ports,
    http: reqwest::Client,
}

impl Drop for Up<'_> {
    fn drop(&mut self) {
        self.process.kill9();
        if let Some(server) = nats_server(self.folder) {
            kill9(server);
        }
    }
}

impl<'a> Up<'a> {
    /// Started, and everything it has to say is said.
    async fn start(folder: &'a Path, ports: &'a Ports, extra: &[&str]) -> Self {
        let process = Process::spawn(command(folder, ports).args(extra));
        let mut up = Self { process, folder, ports, http: reqwest::Client::new() };
        up.process.line(READY).await;
        up
    }

    fn url(&self, port: usize, path: &str) -> String {
        format!("http://{}/{path}", self.ports[port].address())
    }

    async fn get(&self, port: usize, path: &str) -> Result<String, String> {
        let answer = self.http.get(self.url(port, path)).send().await.map_err(|error| error.to_string())?;
        let status = answer.status();
        let body = answer.text().await.map_err(|error| error.to_string())?;
        if status.is_success() { Ok(body) } else { Err(format!("{path}: {status} {body}")) }
    }

    /// Ids of the articles in the feed of everything.
    async fn articles(&self) -> Result<Vec<String>, String> {
        let feed = read(&self.get(PAGES, "feeds/all.json").await?)?;
        let items = feed["items"].as_array().ok_or("a feed without items")?;
        Ok(items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect())
    }

    /// Subjects of the mails in the mailbox.
    async fn mails(&self) -> Result<Vec<String>, String> {
        let mails = read(&self.get(MAILBOX, "api/messages").await?)?;
        let mails = mails.as_array().ok_or("no list of mails")?;
        Ok(mails.iter().map(|mail| mail["subject"].as_str().expect("a subject").to_owned()).collect())
    }

    async fn has_articles(&self, count: usize) {
        eventually(&format!("{count} articles in the feed"), async || exactly(count, self.articles().await?)).await;
    }

    /// Publishes a page of one's own, the way it says one can.
    async fn publish(&self, headline: &str) {
        let page = self.folder.join("page.txt");
        std::fs::write(&page, format!("Law and order\n{headline}\nTime: March 2, 2026\n\nWords, and more words.\n"))
            .expect("writes a page");
        let mut import = built("newswire");
        import.args([
            "import",
            "--publish",
            "--publisher-url",
            &self.url(PUBLISHER, ""),
            "--timezone",
            "Asia/Shanghai",
        ]);
        import.arg("--token-file").arg(self.folder.join("api-token")).arg(page);
        let output = tokio::task::spawn_blocking(move || import.output().expect("runs")).await.expect("does not panic");
        assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    }

    /// Ctrl-C, and nothing is left of it.
    async fn ctrl_c(mut self) {
        let server = nats_server(self.folder).expect("its nats-server runs");
        let status = self.process.interrupt().await;
        assert_eq!(status.code(), Some(0), "{}", self.process.lines().join("\n"));
        assert!(!runs(server), "its nats-server still runs");
        let held: Vec<_> = self.ports.iter().filter(|port| TcpListener::bind(port.address()).is_err()).collect();
        assert!(held.is_empty(), "ports that are still held: {held:?}");
    }
}

fn command(folder: &Path, ports: &Ports) -> Command {
    let mut command = built("newswire");
    command.env("NEWSWIRE_NATS_SERVER", NatsServer::program());
    command.arg("up").arg("--data").arg(folder);
    for (flag, port) in FLAGS.into_iter().zip(ports) {
        command.arg(flag).arg(port.number().to_string());
    }
    command
}

/// Runs one that cannot start, and gives what it complains of.
async fn complaint(folder: &Path, ports: &Ports) -> String {
    let mut command = command(folder, ports);
    let running = tokio::task::spawn_blocking(move || command.output().expect("runs"));
    let output = tokio::time::timeout(Duration::from_secs(60), running)
        .await
        .expect("it gives up at once")
        .expect("does not panic");
    assert_eq!(output.status.code(), Some(1), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stderr)
}

fn ports() -> Ports {
    FLAGS.map(|_| Port::reserve())
}

/// The nats-server that runs for this folder, if one does.
fn nats_server(folder: &Path) -> Option<u32> {
    let noted = std::fs::read_to_string(folder.join("nats/nats-server.pid")).ok()?;
    noted.trim().parse().ok().filter(|pid| runs(*pid))
}

/// Whether this process is a nats-server; the number of one that ended may be somebody else's now.
fn runs(pid: u32) -> bool {
    let shown = Command::new("ps").args(["-ww", "-o", "args=", "-p", &pid.to_string()]).output().expect("ps runs");
    text(&shown.stdout).contains("nats-server.conf")
}

fn kill9(pid: u32) {
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().expect("kill runs").success());
}

fn exactly<T>(count: usize, found: Vec<T>) -> Result<Vec<T>, String> {
    if found.len() == count { Ok(found) } else { Err(format!("{} of {count}", found.len())) }
}

fn read(json: &str) -> Result<serde_json::Value, String> {
    serde_json::from_str(json).map_err(|error| format!("{error}: {json}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn it_shows_its_addresses_and_keeps_what_there_was() {
    let folder = scratch();
    let ports = ports();
    let up = Up::start(folder.path(), &ports, &[]).await;
    let printed = up.process.lines().join("\n");
    for address in [up.url(PAGES, ""), up.url(EMAIL, "subscribe"), up.url(MAILBOX, ""), up.url(PUBLISHER, "v1/docs")] {
        assert!(printed.contains(&address), "{address} is not in:\n{printed}");
    }
    for (port, path, shows) in [
        (PAGES, "", "feeds/all"),
        (PAGES, "feeds/all.rss", "<rss"),
        (PAGES, "feeds/all.atom", "<feed"),
        (EMAIL, "subscribe", "<form"),
        (MAILBOX, "", "<html"),
        (PUBLISHER, "v1/docs", "<html"),
    ] {
        let page = up.get(port, path).await.unwrap();
        assert!(page.contains(shows), "{path} does not show {shows}: {page}");
    }
    up.has_articles(SAMPLES).await;
    // The confirmation and an alert for each sample.
    let mails = eventually("mails", async || exactly(1 + SAMPLES, up.mails().await?)).await;
    let articles = up.articles().await.unwrap();
    up.ctrl_c().await;

    let up = Up::start(folder.path(), &ports, &[]).await;
    let again = up.process.lines().join("\n");
    assert!(!again.contains("sample 0"), "the samples are published once:\n{again}");
    assert_eq!(up.articles().await.unwrap(), articles);
    // Sent before anything else could be: had a restart mailed the samples again, that would be here by now.
    up.publish("A court explains itself").await;
    let later = eventually("one more mail", async || exactly(2 + SAMPLES, up.mails().await?)).await;
    assert_eq!((later[0].as_str(), &later[1..]), ("A court explains itself", &mails[..]), "newest first");
    up.has_articles(SAMPLES + 1).await;
    up.ctrl_c().await;
}

#[tokio::test]
async fn every_busy_port_is_named_with_the_flag_that_moves_it() {
    let folder = scratch();
    let ports = ports();
    let busy = [PUBLISHER, MAILBOX, NATS];
    let _held = busy.map(|port| TcpListener::bind(ports[port].address()).unwrap());
    let complaint = complaint(folder.path(), &ports).await;
    for (n, (flag, port)) in FLAGS.into_iter().zip(&ports).enumerate() {
        let number = port.number().to_string();
        let named = complaint.lines().any(|line| line.contains(flag) && line.contains(&number));
        assert_eq!(named, busy.contains(&n), "{flag} {number}: {complaint}");
    }
}

#[tokio::test]
async fn a_folder_serves_one_at_a_time_and_again_after_a_kill() {
    let folder = scratch();
    let (own, others) = (ports(), ports());
    let mut up = Up::start(folder.path(), &own, &[]).await;
    up.has_articles(SAMPLES).await;
    let complaint = complaint(folder.path(), &others).await;
    assert!(complaint.contains("another newswire up") && complaint.contains("--data"), "{complaint}");
    assert_eq!(up.articles().await.unwrap().len(), SAMPLES, "the first one goes on undisturbed");

    up.process.kill9();
    let orphan = nats_server(folder.path()).expect("a kill -9 leaves the server behind");
    // Not dropped: that would take the orphan away.
    up.process = Process::spawn(&mut command(folder.path(), &own));
    up.process.line(READY).await;
    let server = nats_server(folder.path()).expect("a server of its own");
    assert_ne!(server, orphan);
    assert!(!runs(orphan));
    up.has_articles(SAMPLES).await;
    up.ctrl_c().await;
}

#[tokio::test]
async fn a_server_that_dies_is_started_again_and_nothing_else_notices() {
    let folder = scratch();
    let ports = ports();
    let mut up = Up::start(folder.path(), &ports, &["--no-samples"]).await;
    assert_eq!(up.articles().await, Ok(vec![]), "--no-samples: nothing to read");
    assert_eq!(up.mails().await, Ok(vec![]), "--no-samples: nobody has subscribed");
    up.publish("Before the crash").await;
    up.has_articles(1).await;

    kill9(nats_server(folder.path()).expect("its nats-server runs"));
    // At once: the publisher waits for the server to come back.
    up.publish("After the crash").await;
    eventually_within(Duration::from_secs(90), "both articles in the feed", async || exactly(2, up.articles().await?))
        .await;
    up.process.line("nats-server died").await;
    up.ctrl_c().await;
}
