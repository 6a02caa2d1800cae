//! A server, a publisher on it, and the command line pointed at both.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use bus::{Bus, Credentials, Server};
use publisher::{Config, Publisher};
use serde_json::Value;
use tempfile::TempDir;
use testkit::{NatsServer, Process, eventually};
use tokio::io::AsyncWriteExt;
use tokio_util::sync::CancellationToken;
use topology::{ARTICLES, subjects};

/// The master key of the publisher's webhooks.
pub(crate) const WEBHOOK_MASTER: &str = "a master key of at least thirty-two bytes";

pub(crate) struct Desk {
    pub(crate) nats: NatsServer,
    pub(crate) dir: TempDir,
    environment: Vec<(&'static str, String)>,
    shutdown: CancellationToken,
}

/// What a run of the command printed, and its exit code.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The output as one JSON document.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// What stands behind `label` in the output, up to the line's end.
    pub(crate) fn after(&self, label: &str) -> String {
        let rest = self.out.split_once(label).unwrap_or_else(|| panic!("no {label:?} in {self:?}")).1;
        rest.lines().next().unwrap_or_default().to_owned()
    }
}

impl Desk {
    /// A server with nothing on it.
    pub(crate) async fn bare() -> Self {
        let nats = NatsServer::start().await;
        let environment = vec![("NEWSWIRE_NATS_URL", nats.url().to_owned())];
        let dir = tempfile::tempdir().expect("a temporary directory");
        Self { nats, dir, environment, shutdown: CancellationToken::new() }
    }

    /// Provisioned, with a publisher and a token of `hefei`, all through the command line.
    pub(crate) async fn open() -> Self {
        let mut desk = Self::bare().await;
        desk.ok(&["provision"]).await;
        let nats = Server { url: desk.nats.url().into(), credentials: Credentials::None };
        let listen = "127.0.0.1:0".parse().expect("an address");
        let webhook_secret = Some(service_kit::Secret::new(WEBHOOK_MASTER));
        let publisher = Publisher::bind(Config { listen, tls: None, nats, webhook_secret }).await.expect("binds");
        desk.environment.push(("NEWSWIRE_PUBLISHER_URL", format!("http://{}", publisher.address())));
        tokio::spawn(publisher.run(desk.shutdown.clone()));
        let token = desk.ok(&["token", "create", "--publisher", "hefei"]).await.out;
        desk.environment.push(("NEWSWIRE_TOKEN", token.trim().to_owned()));
        eventually("the publisher knows the token", async || match desk.show_nothing().await {
            ran if ran.err.contains("No such article") => Ok(()),
            ran => Err(ran.err),
        })
        .await;
        desk
    }

    /// Asks for an article that is not there: the answer tells what the token is worth.
    pub(crate) async fn show_nothing(&self) -> Ran {
        self.run(&["show", "0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f"]).await
    }

    pub(crate) async fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, &[], b"").await
    }

    /// Starts a command that goes on until it is stopped, or long enough to be disturbed.
    pub(crate) fn start(&self, args: &[&str], environment: &[(&str, &str)]) -> Process {
        Process::spawn(&mut self.command(args, environment))
    }

    fn command(&self, args: &[&str], environment: &[(&str, &str)]) -> Command {
        let mut command = testkit::built("newswire");
        command.args(args).current_dir(self.dir.path());
        for (name, value) in self.environment.iter().map(|(n, v)| (*n, v.as_str())).chain(environment.iter().copied()) {
            if value.is_empty() {
                command.env_remove(name)
            } else {
                command.env(name, value)
            };
        }
        command
    }

    /// How many revisions each article in the log has.
    pub(crate) async fn log(&self) -> BTreeMap<String, u64> {
        let server = Server { url: self.nats.url().into(), credentials: Credentials::None };
        let bus = Bus::connect(&server, "test").await.expect("connects");
        let (mut revisions, mut from) = (BTreeMap::new(), 0);
        while let Some(stored) = bus.next(&ARTICLES, subjects::ARTICLES, from).await.expect("the log can be read") {
            *revisions.entry(stored.subject).or_default() += 1;
            from = stored.sequence + 1;
        }
        revisions
    }

    /// The publisher's address.
    pub(crate) fn publisher(&self) -> &str {
        let url = self.environment.iter().find(|(name, _)| *name == "NEWSWIRE_PUBLISHER_URL");
        url.expect("the desk is open").1.trim_start_matches("http://")
    }

    /// Runs with more in the environment (an empty value takes away) and something on standard input.
    pub(crate) async fn run_with(&self, args: &[&str], environment: &[(&str, &str)], stdin: &[u8]) -> Ran {
        let mut command = tokio::process::Command::from(self.command(args, environment));
        command.kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the built binary runs");
        // A command that does not read its input has closed it.
        let _ = child.stdin.take().expect("stdin was piped").write_all(stdin).await;
        let Output { status, stdout, stderr } = child.wait_with_output().await.expect("it ends");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Ran { code: status.code().expect("an exit code"), out: text(stdout), err: text(stderr) }
    }

    /// Runs, and it must succeed.
    pub(crate) async fn ok(&self, args: &[&str]) -> Ran {
        let ran = self.run(args).await;
        assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
        ran
    }

    /// Writes a file that commands find by its name.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).expect("a writable directory");
        path
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}
