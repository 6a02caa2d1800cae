//! The processes of deploy/systemd.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::workload::{Workload, env_file};
use crate::{binaries, binary, deploy, read, server};

fn units() -> Vec<(String, String)> {
    let folder = std::fs::read_dir(deploy("systemd")).expect("deploy/systemd");
    let files = folder.map(|file| file.expect("it can be listed").path());
    let units = files.filter(|file| file.extension().is_some_and(|ending| ending == "service"));
    units.map(|file| (file.file_name().expect("a name").to_string_lossy().into_owned(), read(&file))).collect()
}

/// Values of a key of the unit, in order.
fn values<'a>(unit: &'a str, key: &'a str) -> impl Iterator<Item = &'a str> {
    unit.lines().filter_map(move |line| line.strip_prefix(key)?.strip_prefix('='))
}

/// What runs the services. The watched folder is a client of one of them, which not every host has.
pub(crate) fn workloads() -> Vec<Workload> {
    let services = units().into_iter().filter(|(name, _)| name != "newswire-watch.service");
    services.map(|(name, unit)| workload(&name, &unit)).collect()
}

fn workload(name: &str, unit: &str) -> Workload {
    let mut env = BTreeMap::new();
    for file in values(unit, "EnvironmentFile") {
        let shipped = file.strip_prefix("/etc/newswire/").expect("settings are in /etc/newswire");
        env.extend(env_file(&read(&deploy(&format!("systemd/{shipped}.example")))));
    }
    env.extend(env_file(&values(unit, "Environment").map(|pair| format!("{pair}\n")).collect::<String>()));
    let credentials: BTreeSet<String> = values(unit, "LoadCredential")
        .map(|credential| credential.split_once(':').expect("name:path"))
        .map(|(name, path)| {
            assert_eq!(path, format!("/etc/newswire/{name}"), "secrets are in /etc/newswire");
            format!("%d/{name}")
        })
        .collect();
    let command = values(unit, "ExecStart").next().expect("ExecStart").split(' ').map(str::to_owned).collect();
    Workload { place: format!("systemd {name}"), command, env, files: credentials, ..Workload::default() }
}

#[test]
fn services_come_back_after_a_crash_but_not_after_a_wrong_setting() {
    for (name, unit) in units() {
        assert_eq!(values(&unit, "Restart").next(), Some("on-failure"), "{name}");
        if unit.contains("ExecStart=/usr/local/bin/nats-server") {
            continue;
        }
        // The services' code for wrong settings, and the command line's for wrong usage.
        let wrong = if unit.contains("ExecStart=/usr/local/bin/newswire ") { "2" } else { "64" };
        assert_eq!(values(&unit, "RestartPreventExitStatus").next(), Some(wrong), "{name}");
    }
}

#[test]
fn systemd_finds_nothing_wrong_and_little_exposed() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        println!("skipped: there is no systemd-analyze to check the units with");
        return;
    }
    let dir = tempfile::tempdir().expect("a temporary folder");
    for (name, unit) in units() {
        let mut unit = unit.replace("/usr/local/bin/nats-server", server::binary());
        for service in binaries() {
            unit = unit.replace(&format!("/usr/local/bin/{service}"), &binary(&service).display().to_string());
        }
        std::fs::write(dir.path().join(&name), unit).expect("the copy");
    }
    for (name, _) in units() {
        let unit = dir.path().join(&name);
        let checked =
            Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&unit).output().expect("it runs");
        let said = String::from_utf8_lossy(&checked.stderr);
        // What it says of the machine's own units is not ours.
        let ours: Vec<&str> = said.lines().filter(|line| line.contains("newswire")).collect();
        assert!(ours.is_empty(), "{name}: {}", ours.join("\n"));
        let rated =
            Command::new("systemd-analyze").args(["security", "--offline=true", "--threshold=20"]).arg(&unit).output();
        let rated = rated.expect("it runs");
        let report = String::from_utf8_lossy(&rated.stdout);
        assert!(rated.status.success(), "{name} is exposed: {}{}", report, String::from_utf8_lossy(&rated.stderr));
    }
}
