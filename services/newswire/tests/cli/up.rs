//! `newswire up`: everything in one process, from the first start to a start after a crash.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use testkit::{Process, built, eventually};

const FLAGS: [&str; 6] =
    ["--pages-port", "--publisher-port", "--email-port", "--mailbox-port", "--smtp-port", "--nats-port"];

/// One folder, and ports that were free a moment ago.
struct Place {
    data: TempDir,
    ports: [u16; 6],
}

impl Place {
    fn new() -> Self {
        let listeners = FLAGS.map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port"));
        let ports = listeners.each_ref().map(|listener| listener.local_addr().expect("its address").port());
        Self { data: tempfile::tempdir().expect("a temporary directory"), ports }
    }

    fn command(&self) -> Command {
        self.command_on(self.data.path())
    }

    fn command_on(&self, data: &Path) -> Command {
        let mut command = built("newswire");
        if std::env::var_os("NEWSWIRE_NATS_SERVER").is_none() {
            let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/.tools/bin/nats-server");
            if ours.is_file() {
                command.env("NEWSWIRE_NATS_SERVER", ours);
            }
        }
        command.arg("up").arg("--data").arg(data);
        for (flag, port) in FLAGS.iter().zip(self.ports) {
            command.arg(flag).arg(port.to_string());
        }
        command
    }

    async fn up(&self) -> Process {
        let mut up = Process::spawn(&mut self.command());
        up.line("Ctrl-C stops everything").await;
        up
    }

    async fn get(&self, port: usize, path: &str) -> String {
        let answer = reqwest::get(format!("http://127.0.0.1:{}{path}", self.ports[port])).await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.text().await.expect("a text")
    }

    /// Headlines in the feed, newest first.
    async fn feed(&self) -> Vec<String> {
        let feed: Value = serde_json::from_str(&self.get(0, "/feeds/all.json").await).expect("a JSON Feed");
        let items = feed["items"].as_array().expect("items");
        items.iter().map(|item| item["title"].as_str().expect("a title").to_owned()).collect()
    }

    /// Subjects of the mails, newest first.
    async fn mails(&self) -> Vec<String> {
        let mails: Value = serde_json::from_str(&self.get(3, "/api/messages").await).expect("JSON");
        let mails = mails.as_array().expect("a list");
        mails.iter().map(|mail| mail["subject"].as_str().expect("a subject").to_owned()).collect()
    }

    /// Both samples and the confirmation, each once.
    async fn all_there(&self) {
        eventually("both samples are in the feed and in the mailbox", async || {
            let (feed, mails) = (self.feed().await, self.mails().await);
            let mailed: BTreeSet<_> = mails.iter().filter(|subject| feed.contains(subject)).collect();
            if feed.len() == 2 && mailed.len() == 2 && mails.len() == 3 {
                Ok(())
            } else {
                Err(format!("{feed:?} {mails:?}"))
            }
        })
        .await;
    }
}

/// A test that fails kills `newswire up`, and then nobody stops its nats-server.
impl Drop for Place {
    fn drop(&mut self) {
        let Ok(pid) = std::fs::read_to_string(self.data.path().join("nats/nats-server.pid")) else { return };
        let line = std::fs::read(format!("/proc/{}/cmdline", pid.trim())).unwrap_or_default();
        if String::from_utf8_lossy(&line).contains(&*self.data.path().to_string_lossy()) {
            // It may end this moment.
            let _ = Command::new("kill").args(["-9", pid.trim()]).status();
        }
    }
}

#[tokio::test]
async fn the_first_article_arrives_and_a_restart_repeats_nothing() {
    let place = Place::new();
    let mut up = place.up().await;
    place.all_there().await;
    assert!(place.get(1, "/v1/docs").await.contains("curl"));

    // A page of one's own, by the very line that was printed.
    let line = up.line(" import --publish ").await;
    let page = place.data.path().join("page.txt");
    let text = "Harbour\nFerry runs an hour later\nDate: 2024-03-14 Source: Lindhaven Courier\n\nThe last ferry leaves at 23:15.\n";
    std::fs::write(&page, text).expect("a writable folder");
    let mut words = line.split_whitespace();
    assert!(words.next().expect("a program").ends_with("newswire"), "{line}");
    let typed = words.map(|word| if word == "PAGE.txt" { page.to_str().expect("UTF-8") } else { word });
    let imported = built("newswire").args(typed).output().expect("it runs");
    assert!(imported.status.success(), "{imported:?}");
    eventually("the page is in the mailbox", async || {
        let mails = place.mails().await;
        if mails.first().is_some_and(|subject| subject == "Ferry runs an hour later") {
            Ok(())
        } else {
            Err(format!("{mails:?}"))
        }
    })
    .await;

    assert!(up.terminate().await.success(), "{:?}", up.lines());
    let lines = up.lines();
    assert_eq!(lines.last().map(String::as_str), Some("newswire: stopped"), "{lines:?}");
    assert!(lines.iter().all(|line| !line.contains("WARN") && !line.contains("ERROR")), "{lines:?}");

    let (mut up, before) = (place.up().await, ["Ferry runs an hour later"]);
    assert_eq!(place.feed().await.len(), 3);
    assert_eq!((place.mails().await.len(), &place.mails().await[..1]), (4, &before.map(String::from)[..]));
    assert!(!up.lines().iter().any(|line| line.contains("sample")), "published again: {:?}", up.lines());
    assert!(up.terminate().await.success());
}

#[tokio::test]
async fn a_dead_server_is_started_again_and_so_is_everything_after_a_crash() {
    let place = Place::new();
    let mut up = place.up().await;
    place.all_there().await;
    let pid = || std::fs::read_to_string(place.data.path().join("nats/nats-server.pid")).expect("its process id");
    let first = pid();
    let killed = Command::new("kill").args(["-9", first.trim()]).status().expect("kill runs");
    assert!(killed.success());
    up.line("nats-server died; starting it again").await;
    eventually("the services are ready on the new server", async || {
        let ready = reqwest::get(format!("http://127.0.0.1:{}/readyz", place.ports[1])).await;
        let ready = ready.is_ok_and(|answer| answer.status().is_success());
        if ready && pid() != first { Ok(()) } else { Err(pid()) }
    })
    .await;

    // Nobody stops the server now: the next start finds it on its port.
    up.kill9();
    let mut up = place.up().await;
    assert!(up.line("left running").await.contains("stopping"));
    place.all_there().await;
    assert!(up.terminate().await.success());
}

#[tokio::test]
async fn what_is_in_the_way_is_named() {
    let place = Place::new();
    let taken = TcpListener::bind(("127.0.0.1", place.ports[2])).expect("free a moment ago");
    let refused = place.command().output().expect("it runs");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        said.contains(&format!("port {} cannot be used", place.ports[2])) && said.contains("--email-port"),
        "{said}"
    );
    drop(taken);

    let refused = place.command().args(["--smtp-port", "0"]).output().expect("it runs");
    assert_eq!(refused.status.code(), Some(2), "a flag given twice");

    let mut up = place.up().await;
    let second = Place::new();
    let refused = second.command().arg("--no-samples").env("NEWSWIRE_NATS_SERVER", "/nowhere/nats-server").output();
    let said = String::from_utf8_lossy(&refused.expect("it runs").stderr).into_owned();
    assert!(said.contains("cannot run /nowhere/nats-server"), "{said}");
    let refused = second.command_on(place.data.path()).output().expect("it runs");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("another newswire up is using") && said.contains("--data"), "{said}");
    assert!(up.terminate().await.success());
}
