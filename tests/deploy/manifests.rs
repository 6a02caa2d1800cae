//! Every manifest, of every kind: what it starts exists, understands what it is told, and is asked where it answers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use testkit::{Process, built};
use topology::STREAMS;

use crate::settings::{known, services};
use crate::workload::Workload;
use crate::{binaries, compose, deploy, kubernetes, read, root, server, systemd};

fn workloads() -> Vec<Workload> {
    [compose::workloads(), kubernetes::workloads(), systemd::workloads()].into_iter().flatten().collect()
}

#[test]
fn every_way_of_deploying_runs_all_of_it() {
    let wanted: BTreeSet<String> = binaries().into_iter().chain(["nats-server".to_owned()]).collect();
    for found in [compose::workloads(), kubernetes::workloads(), systemd::workloads()] {
        let runs: BTreeSet<String> = found.iter().map(|workload| workload.binary().to_owned()).collect();
        assert_eq!(runs, wanted, "{}", found[0].place);
    }
}

#[test]
fn every_setting_is_known_and_every_secret_is_there() {
    let known: BTreeSet<String> = services().flat_map(|service| known(&service)).map(|setting| setting.name).collect();
    for Workload { place, env, files, .. } in workloads().iter().filter(|workload| workload.binary() != "nats-server") {
        for (name, value) in env {
            assert!(known.contains(name), "{place} sets {name}, which no service knows");
            assert!(
                !name.ends_with("_FILE") || files.contains(value),
                "{place}: {name} is {value}; there is {files:?}"
            );
        }
        let used: BTreeSet<&String> =
            env.iter().filter(|(name, _)| name.ends_with("_FILE")).map(|(_, file)| file).collect();
        assert_eq!(files.iter().collect::<BTreeSet<_>>(), used, "{place} hands out a secret nobody reads");
    }
}

/// The proof of the settings: each service starts with them, as far as the server that is not there.
#[tokio::test]
async fn every_service_accepts_its_settings() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let keys = server::Keys::new();
    for workload in workloads().iter().filter(|workload| workload.binary() != "nats-server") {
        let mut command = built(workload.binary());
        command.args(&workload.command[1..]);
        for (name, value) in &workload.env {
            let value = match name.as_str() {
                "NEWSWIRE_NATS_URL" => "nats://127.0.0.1:1".to_owned(),
                name if name.ends_with("_FILE") => secret(dir.path(), value, &keys),
                _ => value.clone(),
            };
            command.env(name, value);
        }
        // Those that leave it at its default, too, take a free port here.
        if let Some(listen) = known_listen(workload.binary()) {
            command.env(listen, "127.0.0.1:0");
        }
        let mut process = Process::spawn(&mut command);
        process.line("cannot reach NATS").await;
        let status = process.wait().await;
        assert!(![Some(0), Some(2), Some(64)].contains(&status.code()), "{}: {status}", workload.place);
    }
}

/// A file with such a secret as `path` names.
fn secret(dir: &Path, path: &str, keys: &server::Keys) -> String {
    let name = path.rsplit('/').next().expect("a path has a last part");
    let content = match name.strip_suffix(".nkey") {
        Some(identity) => keys.seed(identity),
        None => "0123456789abcdef0123456789abcdef".to_owned(),
    };
    let file = dir.join(name);
    std::fs::write(&file, content).expect("the secret is written");
    file.display().to_string()
}

fn known_listen(service: &str) -> Option<String> {
    services().find(|name| name == service)?;
    known(service).into_iter().map(|setting| setting.name).find(|name| name.ends_with("_LISTEN"))
}

#[test]
fn ports_and_probes_are_where_the_services_listen() {
    for workload in workloads() {
        let Some(listen) = known_listen(workload.binary()) else { continue };
        let place = &workload.place;
        let default =
            known(workload.binary()).into_iter().find(|setting| setting.name == listen).expect("known").default;
        let address = workload.env.get(&listen).cloned().or(default).expect("an address");
        let port: u16 = address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("host:port");
        if workload.image.is_none() {
            assert!(address.starts_with("127.0.0.1:"), "{place} is open to the network without TLS");
            continue;
        }
        assert_eq!(workload.ports, BTreeSet::from([port]), "{place} listens on {address}");
        let paths: BTreeSet<&str> = workload.probes.iter().map(|(_, path)| path.as_str()).collect();
        assert!(workload.probes.iter().all(|(probed, _)| *probed == port), "{place} is asked at {:?}", workload.probes);
        assert!(
            paths.contains("/readyz") && paths.is_subset(&BTreeSet::from(["/livez", "/readyz"])),
            "{place}: {paths:?}"
        );
    }
}

#[test]
fn replicas_of_the_streams_are_as_many_as_servers() {
    for found in [compose::workloads(), kubernetes::workloads(), systemd::workloads()] {
        let nats = found.iter().find(|workload| workload.binary() == "nats-server").expect("a server");
        let servers = nats.replicas.unwrap_or(1);
        let provision = found.iter().find(|workload| workload.binary() == "newswire").expect("something provisions");
        let wanted = ["provision", "--replicas", &servers.to_string()].map(str::to_owned);
        assert_eq!(provision.command[1..], wanted, "{}", provision.place);
        let clustered = nats.command.last().is_some_and(|config| config.ends_with("/nats-cluster.conf"));
        assert_eq!(clustered, servers > 1, "{} runs {servers} with {:?}", nats.place, nats.command);
        for n in 0..if clustered { servers } else { 0 } {
            assert!(nats.env["NATS_ROUTES"].contains(&format!("@nats-{n}.nats:6222")), "{}", nats.place);
            let url = &provision.env["NEWSWIRE_NATS_URL"];
            assert!(url.contains(&format!("nats-{n}.nats:4222")), "{}: {url}", provision.place);
        }
    }
}

/// Variables that a server's configuration uses, its included files' too.
fn variables(config: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in read(&deploy(&format!("nats/{config}"))).lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        if let Some(included) = line.strip_prefix("include ") {
            found.extend(variables(included.trim_matches('"')));
        } else if let Some((_, name)) = line.split_once(": $") {
            found.insert(name.to_owned());
        }
    }
    found
}

#[test]
fn the_servers_get_the_variables_that_their_configuration_uses() {
    for nats in workloads().iter().filter(|workload| workload.binary() == "nats-server") {
        let config = nats.command.last().and_then(|path| path.rsplit('/').next()).expect("--config FILE");
        assert_eq!(nats.env.keys().cloned().collect::<BTreeSet<_>>(), variables(config), "{}", nats.place);
    }
}

#[test]
fn one_version_of_the_server_is_pinned_and_is_new_enough() {
    let script = read(&deploy("local/get-nats-server"));
    let version = script.lines().find_map(|line| line.strip_prefix("version=")).expect("version=");
    let numbers =
        |version: &str| version.split('.').map(|n| n.parse().expect("a number")).take(2).collect::<Vec<u32>>();
    assert!(numbers(version) >= numbers(topology::SERVER_FLOOR), "{version} is older than {}", topology::SERVER_FLOOR);
    let cargo: toml::Table = read(&root().join("Cargo.toml")).parse().expect("TOML");
    let ours = format!("newswire:{}", cargo["workspace"]["package"]["version"].as_str().expect("a version"));
    for workload in workloads() {
        let Some(image) = workload.image else { continue };
        let wanted = match workload.command[0].as_str() {
            "nats-server" => format!("nats:{version}-alpine"),
            // The kustomization adds the version.
            _ if workload.place.starts_with("kubernetes") => "newswire".to_owned(),
            _ => ours.clone(),
        };
        assert_eq!(image, wanted, "{}", workload.place);
    }
    let tag = ours.rsplit(':').next().expect("a version");
    assert!(
        read(&deploy("kubernetes/kustomization.yaml")).contains(&format!("newTag: {tag}\n")),
        "newTag is not {tag}"
    );
}

/// "16GB" and "20Gi" as bytes.
fn bytes(size: &str) -> i64 {
    let digits = size.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &size[digits.len()..] {
        "" => 1,
        "MB" | "Mi" => 1 << 20,
        "GB" | "Gi" => 1 << 30,
        other => panic!("{other} is no unit"),
    };
    digits.parse::<i64>().expect("a number") * unit
}

#[test]
fn the_servers_have_room_for_every_stream_and_every_message() {
    let config = read(&deploy("nats/nats-server.conf"));
    let value = |name: &str| {
        let line = config.lines().map(str::trim).find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        bytes(line.unwrap_or_else(|| panic!("nats-server.conf has no {name}")))
    };
    let reserved: i64 = STREAMS.iter().map(|stream| stream.max_bytes).sum();
    assert!(value("max_file_store") >= reserved, "the streams reserve {reserved} bytes");
    let largest = STREAMS.iter().map(|stream| i64::from(stream.max_message_bytes)).max().expect("there are streams");
    assert!(value("max_payload") >= largest, "a message may have {largest} bytes");
    for object in kubernetes::objects() {
        for claim in object["spec"]["volumeClaimTemplates"].as_array().into_iter().flatten() {
            let disk = claim["spec"]["resources"]["requests"]["storage"].as_str().expect("a size");
            assert!(bytes(disk) > value("max_file_store"), "a disk of {disk} is too small");
        }
    }
}

/// Acknowledged means on disk, wherever a server of ours runs.
#[test]
fn every_server_syncs_before_it_acknowledges() {
    let mut configurations: Vec<_> =
        std::fs::read_dir(deploy("nats")).expect("deploy/nats").map(|f| f.expect("listed").path()).collect();
    configurations.push(root().join("services/newswire/src/up/nats.rs"));
    configurations.push(root().join("crates/testkit/src/nats_server.rs"));
    let stores: Vec<_> = configurations.iter().filter(|file| read(file).contains("store_dir:")).collect();
    assert!(stores.len() >= 3, "only these configure a store: {stores:?}");
    for file in stores {
        assert!(read(file).contains("sync_interval: always"), "{} syncs every two minutes", file.display());
    }
}

#[test]
fn what_readers_are_told_is_the_same_everywhere() {
    for found in [compose::workloads(), kubernetes::workloads(), systemd::workloads()] {
        let mut said: BTreeMap<&str, &str> = BTreeMap::new();
        for workload in &found {
            for (name, value) in &workload.env {
                let shared =
                    ["NEWSWIRE_SITE_NAME", "NEWSWIRE_PAGES_URL", "NEWSWIRE_SUBSCRIBE_URL"].contains(&name.as_str());
                let other = if shared { said.insert(name, value) } else { None };
                assert!(
                    other.is_none_or(|other| other == value),
                    "{}: {name} is {value} here, {other:?} there",
                    workload.place
                );
            }
        }
        assert!(!said.is_empty(), "{}", found[0].place);
    }
}
