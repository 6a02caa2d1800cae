//! One process as a manifest starts it, whichever kind of manifest that is.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What is to be true of every process that any manifest starts.
#[derive(Debug, Default)]
pub(crate) struct Workload {
    /// Where it stands, such as `compose publisher`.
    pub(crate) place: String,
    /// The binary and its arguments.
    pub(crate) command: Vec<String>,
    /// Settings, with everything substituted that the manifest substitutes.
    pub(crate) env: BTreeMap<String, String>,
    /// Secret files that are there.
    pub(crate) files: BTreeSet<String>,
    /// Ports that it is said to listen on.
    pub(crate) ports: BTreeSet<u16>,
    /// What is asked to learn its health: port and path.
    pub(crate) probes: BTreeSet<(u16, String)>,
    /// How many run; `None` where it is not said.
    pub(crate) replicas: Option<u64>,
    /// The image, where there is one.
    pub(crate) image: Option<String>,
}

impl Workload {
    pub(crate) fn binary(&self) -> &str {
        self.command.first().map_or("", |command| command.rsplit('/').next().unwrap_or_default())
    }
}

/// A list of strings; a missing one is empty.
pub(crate) fn strings(list: &Value) -> Vec<String> {
    list.as_array()
        .into_iter()
        .flatten()
        .map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned))
        .collect()
}

/// `NAME=value` lines of an env file, as compose and systemd read them; quotes around a value go.
pub(crate) fn env_file(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| line.split_once('=').unwrap_or_else(|| panic!("{line:?} is no NAME=value")))
        .map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()))
        .collect()
}
