//! Dependencies point one way: services → adapters → pure core.

use crate::assert_none;
use crate::repository::{Package, packages, text, toml};

/// Crates that compute and do nothing else.
const PURE: [&str; 8] = ["article", "topology", "subscription", "feed", "import", "inbound", "interchange", "upstream"];

/// What acts on the world, by way of the clock, the network, files or chance. A pure crate takes what these give as an
/// argument.
const EFFECTS: [&str; 20] = [
    "anyhow",
    "async-nats",
    "axum",
    "fastrand",
    "futures",
    "getrandom",
    "lettre",
    "notify",
    "rand",
    "reqwest",
    "rustix",
    "tempfile",
    "tokio",
    "tokio-util",
    "tower",
    "tracing",
    "tracing-subscriber",
    "hyper",
    "rustls",
    "clap",
];

/// The article is what everybody shares: whatever it depends on, everybody does.
const ARTICLE_MAY: [&str; 11] = [
    "ammonia",
    "html5ever",
    "jiff",
    "oxilangtag",
    "schemars",
    "serde",
    "serde_json",
    "unicode-normalization",
    "unicode-segmentation",
    "url",
    "uuid",
];

/// Runs all services in one process, so it alone may know them.
const COMMAND_LINE: &str = "newswire";

/// What is wrong with the dependencies of `package`, given the names of `crates` and `services`.
fn complaints(package: &Package, crates: &[String], services: &[String]) -> Vec<String> {
    let (name, mut wrong) = (package.name(), Vec::new());
    for dependency in package.dependencies("dependencies").keys() {
        let dependency = dependency.as_str();
        let ours = crates.iter().any(|name| name == dependency);
        if PURE.contains(&name) && (EFFECTS.contains(&dependency) || (ours && !PURE.contains(&dependency))) {
            wrong.push(format!("{name} is pure and must not depend on {dependency}: pass in what it would give"));
        }
        if name == "article" && !ARTICLE_MAY.contains(&dependency) {
            wrong.push(format!("article must not depend on {dependency}: every crate would; see ARTICLE_MAY"));
        }
        let is_service = services.iter().any(|service| service == dependency);
        if is_service && !package.is_service() {
            wrong.push(format!("{name} must not depend on the service {dependency}: move what it wants into a crate"));
        }
        if is_service && package.is_service() && name != COMMAND_LINE {
            wrong.push(format!("services meet on the log only: {name} must not depend on {dependency}"));
        }
        if dependency == "testkit" {
            wrong.push(format!("{name} ships testkit: make it a dev-dependency"));
        }
        if dependency == "mailbox" && !["testkit", COMMAND_LINE].contains(&name) {
            wrong.push(format!("{name} ships the mailbox, which is for tests and demonstrations"));
        }
    }
    for (table, dependency, declared) in ["dependencies", "dev-dependencies", "build-dependencies"]
        .into_iter()
        .flat_map(|table| package.dependencies(table).into_iter().map(move |(name, how)| (table, name, how)))
    {
        if declared.get("workspace").and_then(toml::Value::as_bool) != Some(true) {
            wrong.push(format!(
                "{name}: write `{dependency}.workspace = true` under [{table}]; versions live in one place"
            ));
        }
    }
    wrong
}

fn names(packages: &[Package], under: &str) -> Vec<String> {
    packages.iter().filter(|package| package.dir.starts_with(under)).map(|package| package.name().to_owned()).collect()
}

#[test]
fn dependencies_point_one_way() {
    let packages = packages();
    let (crates, services) = (names(&packages, "crates/"), names(&packages, "services/"));
    for pure in PURE {
        assert!(crates.iter().any(|name| name == pure), "no crate {pure}; has it been renamed? Then rename it here");
    }
    assert_none(packages.iter().flat_map(|package| complaints(package, &crates, &services)).collect());
}

/// The rule above must be able to fail.
#[test]
fn a_breach_of_every_wall_is_seen() {
    let (crates, services) = (["article", "bus", "feed", "testkit"], ["publisher", "rss-generator", "newswire"]);
    let (crates, services) = (crates.map(str::to_owned), services.map(str::to_owned));
    for (dir, dependency, complains_of) in [
        ("crates/feed", "tokio.workspace = true", "is pure"),
        ("crates/feed", "bus.workspace = true", "is pure"),
        ("crates/article", "roaring.workspace = true", "ARTICLE_MAY"),
        ("crates/bus", "publisher.workspace = true", "move what it wants"),
        ("services/publisher", "rss-generator.workspace = true", "on the log only"),
        ("services/publisher", "testkit.workspace = true", "dev-dependency"),
        ("services/publisher", "mailbox.workspace = true", "demonstrations"),
        ("services/publisher", "serde = \"1\"", "versions live in one place"),
    ] {
        let name = dir.rsplit('/').next().expect("a path has a last part");
        let manifest = format!("[package]\nname = \"{name}\"\n[dependencies]\n{dependency}\n");
        let package = Package { dir: dir.into(), manifest: manifest.parse().expect("a manifest") };
        let found = complaints(&package, &crates, &services);
        assert!(found.len() == 1 && found[0].contains(complains_of), "{dir} with {dependency}: {found:?}");
    }
    let manifest = "[package]\nname = \"newswire\"\n[dependencies]\npublisher.workspace = true\n".parse();
    let newswire = Package { dir: "services/newswire".into(), manifest: manifest.expect("a manifest") };
    assert_eq!(complaints(&newswire, &crates, &services), Vec::<String>::new(), "the command line runs the services");
}

#[test]
fn every_member_follows_the_workspace() {
    let mut wrong = Vec::new();
    for package in packages() {
        let (name, manifest) = (package.name().to_owned(), &package.manifest);
        let inherits = |table: &str, key: &str| {
            let value = manifest.get(table).and_then(|table| table.get(key));
            value.is_some_and(|value| value.as_bool() == Some(true) || value.get("workspace").is_some())
        };
        if !inherits("lints", "workspace") {
            wrong.push(format!("{name}: add [lints] workspace = true; without it no lint of ours applies"));
        }
        for key in ["version", "edition", "rust-version", "license", "publish"] {
            if !inherits("package", key) {
                wrong.push(format!("{name}: write {key}.workspace = true under [package]"));
            }
        }
        if manifest["package"].get("description").and_then(toml::Value::as_str).is_none_or(str::is_empty) {
            wrong.push(format!("{name}: a description says in one sentence what it is"));
        }
    }
    assert_none(wrong);
}

#[test]
fn every_member_is_on_the_map() {
    let map = text("ARCHITECTURE.md").expect("ARCHITECTURE.md is text");
    let missing = packages().into_iter().filter(|package| !map.contains(&format!("{}/", package.dir)));
    // `crates/feed` alone would be found inside `crates/feedback`.
    let missing = missing.filter(|package| !map.contains(&format!("`{}`", package.dir)));
    assert_none(missing.map(|package| format!("ARCHITECTURE.md does not say what `{}` is", package.dir)).collect());
}

/// Cargo ignores a test file of a package with explicit targets in silence when it is not named.
#[test]
fn every_scenario_is_run() {
    let manifest = toml("tests/Cargo.toml");
    let named: Vec<&str> = manifest["test"]
        .as_array()
        .expect("[[test]] is a list")
        .iter()
        .map(|test| test["path"].as_str().expect("every [[test]] has a path"))
        .collect();
    let loose = crate::repository::files().into_iter().filter_map(|file| {
        let file = file.strip_prefix("tests/")?;
        let is_root = file.ends_with(".rs") && (!file.contains('/') || file.ends_with("/main.rs"));
        (is_root && !named.contains(&file)).then(|| format!("tests/{file} is never run: name it in tests/Cargo.toml"))
    });
    assert_none(loose.collect());
}

#[test]
fn every_ban_states_its_reason() {
    let bans = toml("clippy.toml");
    let bans =
        bans["disallowed-methods"].as_array().expect("a list").iter().map(|ban| (&ban["path"], ban.get("reason")));
    let denied = toml("deny.toml");
    let denied =
        denied["bans"]["deny"].as_array().expect("a list").iter().map(|ban| (&ban["crate"], ban.get("reason")));
    let silent = bans.chain(denied).filter(|(_, reason)| reason.and_then(|r| r.as_str()).is_none_or(str::is_empty));
    assert_none(silent.map(|(what, _)| format!("the ban of {what:?} has no reason")).collect());
}
