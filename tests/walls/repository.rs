//! The repository as the walls see it: the files that are or will be in git, and the manifests among them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use toml::Table;

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the repository").to_owned()
}

/// Paths from the root of every file that git tracks or would.
pub(crate) fn files() -> Vec<String> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git is on the PATH");
    assert!(listed.status.success(), "not a git clone: {}", String::from_utf8_lossy(&listed.stderr));
    let names = String::from_utf8(listed.stdout).expect("file names are UTF-8");
    names.split('\0').filter(|name| !name.is_empty() && root().join(name).is_file()).map(str::to_owned).collect()
}

/// The text of a file; `None` when it holds bytes that are no text.
pub(crate) fn text(path: &str) -> Option<String> {
    let bytes = std::fs::read(root().join(path)).unwrap_or_else(|error| panic!("cannot read {path}: {error}"));
    String::from_utf8(bytes).ok()
}

pub(crate) fn toml(path: &str) -> Table {
    let text = text(path).expect("a manifest is text");
    text.parse().unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A member of the workspace.
pub(crate) struct Package {
    /// Such as `crates/article`.
    pub(crate) dir: String,
    pub(crate) manifest: Table,
}

impl Package {
    pub(crate) fn name(&self) -> &str {
        self.manifest["package"]["name"].as_str().expect("a name is a string")
    }

    /// What it depends on under `table`: its name there, and how it is declared.
    pub(crate) fn dependencies(&self, table: &str) -> BTreeMap<String, toml::Value> {
        let found = self.manifest.get(table).and_then(toml::Value::as_table);
        found.map(|found| found.clone().into_iter().collect()).unwrap_or_default()
    }

    pub(crate) fn is_service(&self) -> bool {
        self.dir.starts_with("services/")
    }
}

pub(crate) fn packages() -> Vec<Package> {
    let manifests = files().into_iter().filter_map(|file| Some(file.strip_suffix("/Cargo.toml")?.to_owned()));
    let ours = manifests.filter(|dir| {
        let depth = dir.matches('/').count();
        dir == "tests" || (depth == 1 && (dir.starts_with("crates/") || dir.starts_with("services/")))
    });
    ours.map(|dir| Package { manifest: toml(&format!("{dir}/Cargo.toml")), dir }).collect()
}
