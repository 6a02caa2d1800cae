//! The image of deploy/container: it holds what the manifests run, and the workspace builds what it copies.

use std::collections::{BTreeMap, BTreeSet};

use crate::{binaries, deploy, read, root};

/// Instructions of the Dockerfile, continuations joined.
fn instructions() -> Vec<(String, String)> {
    let text = read(&deploy("container/Dockerfile")).replace("\\\n", " ");
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let split = lines.map(|line| line.split_once(' ').expect("an instruction has arguments"));
    split.map(|(name, arguments)| (name.to_owned(), arguments.trim().to_owned())).collect()
}

/// What the image sets for everything that runs in it.
pub(crate) fn environment() -> BTreeMap<String, String> {
    let set = instructions().into_iter().filter(|(name, _)| name == "ENV");
    let pairs = set.flat_map(|(_, pairs)| pairs.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    pairs.filter_map(|pair| Some((pair.split_once('=')?.0.to_owned(), pair.split_once('=')?.1.to_owned()))).collect()
}

fn port(address: &str) -> u16 {
    address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("host:port")
}

#[test]
fn the_image_holds_every_binary_of_the_workspace() {
    let build = instructions().into_iter().find(|(name, text)| name == "RUN" && text.contains("cargo build"));
    let copied: BTreeSet<String> = build
        .expect("it builds")
        .1
        .split_whitespace()
        .filter_map(|word| Some(word.strip_prefix("target/release/")?.to_owned()))
        .collect();
    assert_eq!(copied, binaries());
}

#[test]
fn the_image_exposes_what_its_services_listen_on_and_is_not_root() {
    let find =
        |wanted: &str| instructions().into_iter().filter(|(name, _)| name == wanted).map(|(_, text)| text).next_back();
    let exposed: BTreeSet<u16> =
        find("EXPOSE").expect("ports").split_whitespace().map(|port| port.parse().expect("a port")).collect();
    let environment = environment();
    let listens = environment.iter().filter(|(name, _)| name.ends_with("_LISTEN"));
    assert_eq!(exposed, listens.map(|(_, address)| port(address)).collect());
    assert_eq!(find("USER").as_deref(), Some("65532:65532"));
    let toolchain = read(&root().join("rust-toolchain.toml"));
    let channel = toolchain.split('"').nth(1).expect("a channel in quotes");
    let from = instructions().into_iter().find(|(name, _)| name == "FROM").expect("a base").1;
    assert!(
        from.starts_with(&format!("rust:{channel}-")),
        "the image is built with {from}, everything else with {channel}"
    );
}
