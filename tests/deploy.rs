//! `deploy/` is true: what it says is what the topology, the services' settings and a real nats-server say.

#[path = "deploy/cluster.rs"]
mod cluster;
#[path = "deploy/permissions.rs"]
mod permissions;
#[path = "deploy/server.rs"]
mod server;

use std::path::{Path, PathBuf};

fn deploy(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the repository").join("deploy").join(path)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
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
