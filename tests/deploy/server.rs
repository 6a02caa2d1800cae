//! A nats-server on the configuration that we ship, changed in nothing but its ports.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use bus::{Bus, ConnectError, Credentials, Server};
use nkeys::KeyPair;
use tempfile::TempDir;
use testkit::{Port, Process};
use topology::{OPERATOR, SERVICES, nkey_variable};

use crate::{deploy, read};

/// Everybody who has an identity on the server.
pub(crate) fn identities() -> impl Iterator<Item = &'static str> {
    SERVICES.iter().copied().chain([OPERATOR])
}

/// A key for each identity.
pub(crate) struct Keys(BTreeMap<&'static str, KeyPair>);

impl Keys {
    pub(crate) fn new() -> Self {
        Self(identities().map(|identity| (identity, KeyPair::new_user())).collect())
    }

    /// The keys that `newswire keys` has put into `folder`.
    pub(crate) fn from_folder(folder: &Path) -> Self {
        let pair = |identity: &str| KeyPair::from_seed(read(&folder.join(format!("{identity}.nkey"))).trim());
        Self(identities().map(|identity| (identity, pair(identity).expect("a seed"))).collect())
    }

    pub(crate) fn seed(&self, identity: &str) -> String {
        self.0[identity].seed().expect("a pair that was made here has its seed")
    }

    pub(crate) fn public(&self, identity: &str) -> String {
        self.0[identity].public_key()
    }

    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        self.0.iter().map(|(identity, pair)| (nkey_variable(identity), pair.public_key())).collect()
    }
}

static BINARY: LazyLock<String> = LazyLock::new(|| {
    let found = Command::new(deploy("local/get-nats-server")).output().expect("get-nats-server runs");
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
    String::from_utf8(found.stdout).expect("a path").trim().to_owned()
});

/// The server that the tests run on.
pub(crate) fn binary() -> &'static str {
    &BINARY
}

pub(crate) struct NatsServer {
    pub(crate) process: Process,
    pub(crate) url: String,
    /// Where the others of its cluster find it.
    _route: Option<Port>,
    _dir: TempDir,
}

/// Starts `config` of deploy/nats with its ports replaced; `more` are variables besides name, store and keys.
pub(crate) async fn start(
    config: &str,
    name: &str,
    ports: &[(&str, &str)],
    keys: &Keys,
    more: &[(&str, &str)],
) -> NatsServer {
    let dir = testkit::scratch();
    for file in std::fs::read_dir(deploy("nats")).expect("deploy/nats") {
        let file = file.expect("deploy/nats can be listed").path();
        let text = ports.iter().fold(read(&file), |text, (shipped, here)| text.replace(shipped, here));
        std::fs::write(dir.path().join(file.file_name().expect("a file has a name")), text).expect("the copy");
    }
    let mut command = Command::new(&*BINARY);
    command
        .arg("--config")
        .arg(dir.path().join(config))
        .env_clear()
        .env("NATS_SERVER_NAME", name)
        .env("NATS_STORE_DIR", dir.path().join("store"))
        .envs(keys.environment())
        .envs(more.iter().copied());
    let mut process = Process::spawn(&mut command);
    let listening = process.line("Listening for client connections on ").await;
    let address = listening.rsplit(' ').next().expect("the line ends with the address").to_owned();
    process.line("Server is ready").await;
    NatsServer { process, url: format!("nats://{address}"), _route: None, _dir: dir }
}

/// The ports of one server; the system picks them.
pub(crate) const ANY_PORTS: [(&str, &str); 2] = [("0.0.0.0:4222", "127.0.0.1:-1"), ("127.0.0.1:8222", "127.0.0.1:-1")];

pub(crate) async fn connect(url: &str, identity: &str, keys: &Keys) -> Result<Bus, ConnectError> {
    let server = Server { url: url.to_owned(), credentials: Credentials::Nkey(keys.seed(identity)) };
    Bus::connect(&server, identity).await
}

impl NatsServer {
    /// What the server refused so far: its log names every publish and every subscription that it did not permit.
    pub(crate) fn violations(&self) -> Vec<String> {
        self.process.lines().into_iter().filter(|line| line.contains("Violation")).collect()
    }
}

/// Three servers of one cluster, and any client port of theirs.
pub(crate) async fn start_cluster(keys: &Keys) -> Vec<NatsServer> {
    // Each must know the others' ports before any of them runs, so the system cannot pick them at that moment.
    let reserved = [Port::reserve(), Port::reserve(), Port::reserve()];
    let addresses = reserved.each_ref().map(|port| port.address().to_string());
    let password = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
    let routes =
        addresses.iter().map(|address| format!("nats://newswire:{password}@{address}")).collect::<Vec<_>>().join(", ");
    let routes = format!("[{routes}]");
    let more = [("NATS_ROUTES", routes.as_str()), ("NATS_CLUSTER_PASSWORD", password)];
    let mut servers = Vec::new();
    for (n, (port, address)) in reserved.into_iter().zip(&addresses).enumerate() {
        let ports = [ANY_PORTS[0], ANY_PORTS[1], ("0.0.0.0:6222", address.as_str())];
        let server = start("nats-cluster.conf", &format!("nats-{n}"), &ports, keys, &more).await;
        servers.push(NatsServer { _route: Some(port), ..server });
    }
    servers
}
