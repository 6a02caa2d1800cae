//! The nats-server beside `newswire up`: found, configured, started, started again when it dies, and stopped last.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use service_kit::Secret;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::folder::Folder;
use super::ports::loopback;
use super::say;

/// A server that does not listen by then does not start.
const START_WITHIN: Duration = Duration::from_secs(20);
/// It writes its state down when it is told to stop.
const STOP_WITHIN: Duration = Duration::from_secs(10);

pub(crate) struct NatsServer {
    version: String,
    stop: CancellationToken,
    keeper: JoinHandle<()>,
}

impl NatsServer {
    pub(crate) async fn start(folder: &Folder, port: u16, token: &Secret) -> anyhow::Result<Self> {
        let program = find()?;
        let version = version(&program).await?;
        let home = folder.path().join("nats");
        std::fs::create_dir_all(&home).with_context(|| format!("cannot make {}", home.display()))?;
        folder.write("nats/nats-server.conf", &config(port, &home, token))?;
        let mut child = spawn(&program, &home)?;
        listening(&mut child, port, &home).await?;
        let stop = CancellationToken::new();
        let keeper = tokio::spawn(keep(child, program, home, stop.clone()));
        Ok(Self { version, stop, keeper })
    }

    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        // A keeper that panicked has dropped its child, which kills it.
        let _ = self.keeper.await;
    }
}

/// `NEWSWIRE_NATS_SERVER`, or the first on the PATH.
fn find() -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os("NEWSWIRE_NATS_SERVER").filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|dir| dir.join("nats-server")).find(|candidate| candidate.is_file());
    found.context(
        "there is no nats-server on the PATH. deploy/local/up gets one; or install nats-server 2.14 or newer, or set \
         NEWSWIRE_NATS_SERVER to where it is",
    )
}

async fn version(program: &Path) -> anyhow::Result<String> {
    let output = Command::new(program).arg("--version").output().await;
    let output = output.with_context(|| format!("cannot run {}", program.display()))?;
    // "nats-server: v2.15.1"
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.trim().rsplit(['v', ' ']).next().unwrap_or_default().to_owned())
}

/// Everything that is acknowledged is on the disk (`sync_interval: always`): the default loses two minutes of
/// acknowledged news when the machine crashes.
fn config(port: u16, home: &Path, token: &Secret) -> String {
    // A JSON string is a valid string of the server's configuration language.
    let store = serde_json::Value::from(home.join("store").to_string_lossy().into_owned());
    let token = serde_json::Value::from(token.expose());
    let listen = loopback(port);
    format!(
        "listen: \"{listen}\"\nserver_name: newswire\njetstream {{\n  store_dir: {store}\n  sync_interval: always\n}}\n\
         authorization {{\n  token: {token}\n}}\n"
    )
}

fn spawn(program: &Path, home: &Path) -> anyhow::Result<Child> {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(home.join("nats-server.log"));
    let log = log.with_context(|| format!("cannot write in {}", home.display()))?;
    let config: OsString = home.join("nats-server.conf").into();
    Command::new(program)
        .arg("--config")
        .arg(config)
        .stdin(Stdio::null())
        .stdout(log.try_clone().context("cannot share the log file")?)
        .stderr(log)
        // Ctrl-C goes to a terminal's whole foreground group. The server must outlive the services that write to it.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))
}

async fn listening(child: &mut Child, port: u16, home: &Path) -> anyhow::Result<()> {
    let deadline = Instant::now() + START_WITHIN;
    loop {
        if let Some(status) = child.try_wait().context("cannot watch nats-server")? {
            bail!("nats-server ended ({status}); see {}", home.join("nats-server.log").display());
        }
        if tokio::net::TcpStream::connect(loopback(port)).await.is_ok() {
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!("nats-server does not listen on port {port}; see {}", home.join("nats-server.log").display());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Starts the server again whenever it dies, until it is to stop.
async fn keep(mut child: Child, program: PathBuf, home: PathBuf, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return terminate(child).await,
            _ = child.wait() => say("nats-server died; starting it again"),
        }
        loop {
            match spawn(&program, &home) {
                Ok(started) => {
                    child = started;
                    break;
                }
                Err(error) => say(&format!("{error:#}")),
            }
            if stop.run_until_cancelled(tokio::time::sleep(Duration::from_secs(1))).await.is_none() {
                return;
            }
        }
    }
}

async fn terminate(mut child: Child) {
    if let Some(id) = child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())) {
        // It may have ended this moment.
        let _ = rustix::process::kill_process(id, rustix::process::Signal::TERM);
    }
    if tokio::time::timeout(STOP_WITHIN, child.wait()).await.is_err() {
        say("nats-server does not stop; killing it");
        let _ = child.kill().await;
    }
}
