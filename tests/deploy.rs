//! `deploy/` is true: what it says is what the topology, the services' settings and a real nats-server say.

#[path = "deploy/cluster.rs"]
mod cluster;
#[path = "deploy/compose.rs"]
mod compose;
#[path = "deploy/image.rs"]
mod image;
#[path = "deploy/kubernetes.rs"]
mod kubernetes;
#[path = "deploy/manifests.rs"]
mod manifests;
#[path = "deploy/permissions.rs"]
mod permissions;
#[path = "deploy/server.rs"]
mod server;
#[path = "deploy/settings.rs"]
mod settings;
#[path = "deploy/systemd.rs"]
mod systemd;
#[path = "deploy/tls.rs"]
mod tls;
#[path = "deploy/workload.rs"]
mod workload;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the repository").to_owned()
}

fn deploy(path: &str) -> PathBuf {
    root().join("deploy").join(path)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

/// What the workspace builds to be run: a binary for each package under services/.
fn binaries() -> BTreeSet<String> {
    let folder = std::fs::read_dir(root().join("services")).expect("services/");
    let packages =
        folder.map(|entry| entry.expect("it can be listed")).filter(|entry| entry.path().join("Cargo.toml").is_file());
    packages.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

/// Where Cargo has put one of them.
fn binary(name: &str) -> PathBuf {
    testkit::built(name).get_program().into()
}

/// Compares a generated file with the one that is kept; `UPDATE_GOLDEN=1` keeps today's.
fn assert_golden(path: &Path, today: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, today).expect("the repository can be written");
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == today,
        "{} is out of date: look at the change, then run this with UPDATE_GOLDEN=1\n{today}",
        path.display()
    );
}
