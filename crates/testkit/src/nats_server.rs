//! A real nats-server for one test: its own store, its own ports on loopback, killed when the test ends.
//!
//! Starting one takes about 10 ms, so nothing is shared between tests and nothing is mocked. The store syncs on every
//! write, as in production: a test that kills the server checks what an operator would get.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tempfile::TempDir;

use crate::port::Port;
use crate::process::{reap_within, send_sigterm};
use crate::scratch::scratch;

/// Generous for a loaded machine. An unclean store is recovered before the ports open, so a restart may need some of it.
const START_DEADLINE: Duration = Duration::from_secs(60);
const STOP_DEADLINE: Duration = Duration::from_secs(60);
/// Atomic batches, message schedules and message TTL start here.
const FLOOR: (u32, u32) = (2, 14);

/// A nats-server child with JetStream. Dropping it kills it and removes its store.
pub struct NatsServer {
    child: Option<Child>,
    told: Told,
    /// For clients, and for its monitoring pages.
    ports: [Port; 2],
    extra_config: String,
    dir: TempDir,
}

/// What the server writes into `ports_file_dir` once it listens.
#[derive(Default, Deserialize)]
struct Told {
    nats: Vec<String>,
    monitoring: Vec<String>,
}

impl NatsServer {
    /// Starts a server anyone on loopback may use and waits until it accepts clients.
    ///
    /// # Panics
    /// When no nats-server 2.14 or newer is found, or it does not come up; the panic carries its log.
    pub async fn start() -> Self {
        Self::start_with("").await
    }

    /// [`NatsServer::start`] with `extra_config` added to the configuration file: accounts, users, permissions, limits.
    ///
    /// # Panics
    /// As [`NatsServer::start`].
    pub async fn start_with(extra_config: &str) -> Self {
        let ports = [Port::reserve(), Port::reserve()];
        let (extra_config, dir) = (extra_config.to_owned(), scratch());
        let mut server = Self { child: None, told: Told::default(), ports, extra_config, dir };
        server.launch().await;
        server
    }

    /// The nats-server program that the tests run, for what starts one itself.
    ///
    /// # Panics
    /// As [`NatsServer::start`].
    pub fn program() -> &'static Path {
        &BINARY
    }

    /// Where clients connect, such as `nats://127.0.0.1:40001`. It stays the same over a restart.
    pub fn url(&self) -> &str {
        &self.told.nats[0]
    }

    /// The base of the server's own monitoring pages (`/jsz`, `/connz`, `/healthz`).
    pub fn monitoring_url(&self) -> &str {
        &self.told.monitoring[0]
    }

    /// Where the streams are kept: what a test looks into for bytes that must not be on disk.
    pub fn store_dir(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    /// The id of the process, for looking at it from outside.
    ///
    /// # Panics
    /// When it is down.
    pub fn id(&self) -> u32 {
        self.child.as_ref().expect("the server runs").id()
    }

    /// Kills the server as a power cut would: no flush, no goodbye to clients. Nothing when it is already down.
    pub fn kill9(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Stops the server in good order. Nothing when it is already down.
    ///
    /// # Panics
    /// When it has not ended after a minute.
    pub async fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            send_sigterm(&child);
            if reap_within(&mut child, STOP_DEADLINE).await.is_none() {
                let _ = child.kill();
                let _ = child.wait();
                panic!("nats-server did not stop within {STOP_DEADLINE:?} of SIGTERM\n{}", self.log());
            }
        }
    }

    /// Brings the server up again on the same store and the same ports, stopping it in good order first if it runs.
    ///
    /// # Panics
    /// As [`NatsServer::start`].
    pub async fn restart(&mut self) {
        self.stop().await;
        self.launch().await;
    }

    /// Everything the server logged so far, over all its lives.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    async fn launch(&mut self) {
        let started = Instant::now();
        loop {
            let mut child = self.spawn();
            let ports_file = self.dir.path().join(format!("nats-server_{}.ports", child.id()));
            loop {
                // A file half written does not parse and is read again.
                if let Some(told) = fs::read(&ports_file).ok().and_then(|json| serde_json::from_slice(&json).ok()) {
                    let _ = fs::remove_file(&ports_file);
                    self.told = told;
                    self.child = Some(child);
                    return;
                }
                if child.try_wait().expect("the state of our own child").is_some() {
                    break;
                }
                if started.elapsed() > START_DEADLINE {
                    let _ = child.kill();
                    let _ = child.wait();
                    panic!("nats-server did not listen within {START_DEADLINE:?}\n{}", self.log());
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            // Whoever knows nothing of reserved ports may be holding one for a moment.
            let port_was_taken = self.log().lines().rev().take(5).any(|line| line.contains("address already in use"));
            assert!(
                port_was_taken && started.elapsed() < START_DEADLINE,
                "nats-server ended instead of listening\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn spawn(&self) -> Child {
        let config = self.dir.path().join("nats.conf");
        fs::write(&config, self.config()).expect("write the server's configuration");
        Command::new(&*BINARY)
            .arg("--config")
            .arg(&config)
            .arg("--log")
            .arg(self.log_file())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not run: {error}", BINARY.display()))
    }

    fn config(&self) -> String {
        let dir = self.dir.path().display();
        let [listen, http] = self.ports.each_ref().map(Port::address);
        // The file limit is far above any disk: streams reserve their whole max_bytes against it when they are created.
        format!(
            "listen: \"{listen}\"\nhttp: \"{http}\"\nports_file_dir: \"{dir}\"\n\
             jetstream {{ store_dir: \"{dir}/store\", sync_interval: always, max_file_store: 16TB, max_memory_store: 1GB }}\n\
             {}\n",
            self.extra_config
        )
    }

    fn log_file(&self) -> PathBuf {
        self.dir.path().join("server.log")
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.kill9();
    }
}

/// `scheme://host:port` without its scheme.
pub(crate) fn host_and_port(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, rest)| rest)
}

static BINARY: LazyLock<PathBuf> = LazyLock::new(find_binary);

fn find_binary() -> PathBuf {
    if let Some(named) = std::env::var_os("NEWSWIRE_NATS_SERVER") {
        return named.into();
    }
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&on_path).map(|dir| dir.join("nats-server")).find(|file| file.is_file());
    let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/.tools/bin/nats-server");
    // Distributions still ship servers far below the floor, and every test would then fail in its own puzzling way.
    on_path.filter(|file| version_of(file).is_some_and(|version| version >= FLOOR)).unwrap_or_else(|| {
        assert!(
            fetched.is_file(),
            "no nats-server {}.{} or newer: not in NEWSWIRE_NATS_SERVER, on the PATH or at tests/.tools/bin/nats-server. \
             `tests/run` gets one, and so does `deploy/local/get-nats-server`",
            FLOOR.0,
            FLOOR.1
        );
        fetched
    })
}

/// Major and minor out of `nats-server: v2.15.1`.
fn version_of(binary: &Path) -> Option<(u32, u32)> {
    let output = Command::new(binary).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut numbers = text.trim().strip_prefix("nats-server: v")?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}
