//! The nats-server beside `newswire up`: found, configured, started, started again when it dies, and stopped last.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};
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
/// Before it is started again: one that dies at once must not keep the machine busy.
const RESTART_AFTER: Duration = Duration::from_millis(500);

/// What the server keeps, in the folder.
const HOME: &str = "nats";
const CONFIG_FILE: &str = "nats-server.conf";
const PID_FILE: &str = "nats-server.pid";

pub(crate) struct NatsServer {
    version: String,
    stop: CancellationToken,
    keeper: JoinHandle<()>,
}

impl NatsServer {
    pub(crate) async fn start(folder: &Folder, port: u16, token: &Secret) -> anyhow::Result<Self> {
        let program = find()?;
        let version = version(&program).await?;
        let home = home(folder);
        std::fs::create_dir_all(&home).with_context(|| format!("cannot make {}", home.display()))?;
        folder.write(&format!("{HOME}/{CONFIG_FILE}"), &config(port, &home, token))?;
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

fn home(folder: &Folder) -> PathBuf {
    folder.path().join(HOME)
}

/// Stops the server that an earlier `newswire up` left running because it was killed itself. It holds the port and the
/// store; the folder's lock says that nobody needs it any more.
pub(crate) async fn stop_left_over(folder: &Folder) -> anyhow::Result<()> {
    let Some(noted) = folder.read(&format!("{HOME}/{PID_FILE}"))? else { return Ok(()) };
    let Some(pid) = noted.parse().ok().and_then(Pid::from_raw) else { return Ok(()) };
    let config = home(folder).join(CONFIG_FILE);
    // The system gives the ids of dead processes to others: only one that runs on our configuration is ours.
    let is_ours = || command_line(pid).is_some_and(|line| line.contains(&*config.to_string_lossy()));
    for signal in [Signal::TERM, Signal::KILL] {
        if !is_ours() {
            return Ok(());
        }
        say("stopping the nats-server that was left running");
        // It may have ended this moment.
        let _ = kill_process(pid, signal);
        let deadline = Instant::now() + STOP_WITHIN;
        while is_ours() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    if is_ours() {
        bail!("the nats-server with process id {noted} does not stop; end it and try again")
    } else {
        Ok(())
    }
}

/// The arguments of a running process, where the system shows them.
fn command_line(pid: Pid) -> Option<String> {
    let pid = pid.as_raw_nonzero();
    let shown = std::fs::read(format!("/proc/{pid}/cmdline")).ok().or_else(|| {
        let ps = std::process::Command::new("ps").args(["-ww", "-o", "args=", "-p", &pid.to_string()]).output();
        ps.ok().map(|output| output.stdout)
    })?;
    Some(String::from_utf8_lossy(&shown).into_owned())
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
///
/// The server would refuse streams that may grow beyond three quarters of what is free on the disk (error 10047): a
/// laptop with 8 GB free could not start. The streams have bounds of their own, and a full disk refuses to write.
fn config(port: u16, home: &Path, token: &Secret) -> String {
    // A JSON string is a valid string of the server's configuration language.
    let store = serde_json::Value::from(home.join("store").to_string_lossy().into_owned());
    let token = serde_json::Value::from(token.expose());
    let pid_file = serde_json::Value::from(home.join(PID_FILE).to_string_lossy().into_owned());
    let listen = loopback(port);
    format!(
        "listen: \"{listen}\"\nserver_name: newswire\npid_file: {pid_file}\njetstream {{\n  store_dir: {store}\n  sync_interval: always\n  max_file_store: 1TB\n}}\n\
         authorization {{\n  token: {token}\n}}\n"
    )
}

fn spawn(program: &Path, home: &Path) -> anyhow::Result<Child> {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(home.join("nats-server.log"));
    let log = log.with_context(|| format!("cannot write in {}", home.display()))?;
    Command::new(program)
        .arg("--config")
        .arg(home.join(CONFIG_FILE))
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
        child = loop {
            if stop.run_until_cancelled(tokio::time::sleep(RESTART_AFTER)).await.is_none() {
                return;
            }
            match spawn(&program, &home) {
                Ok(started) => break started,
                Err(error) => say(&format!("{error:#}")),
            }
        };
    }
}

async fn terminate(mut child: Child) {
    if let Some(id) = child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
        // It may have ended this moment.
        let _ = kill_process(id, Signal::TERM);
    }
    if tokio::time::timeout(STOP_WITHIN, child.wait()).await.is_err() {
        say("nats-server does not stop; killing it");
        let _ = child.kill().await;
    }
}
