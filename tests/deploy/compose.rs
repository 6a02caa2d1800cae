//! The processes of deploy/compose.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::image;
use crate::workload::{Workload, env_file, strings};
use crate::{deploy, read};

pub(crate) fn parsed() -> Value {
    serde_saphyr::from_str(&read(&deploy("compose/compose.yaml"))).expect("compose.yaml is YAML")
}

/// The value of `${NAME:?}`, which must be in .env.example; other text is itself.
fn substituted(text: &str, env: &BTreeMap<String, String>, used: &mut BTreeSet<String>) -> String {
    let Some(name) = text.strip_prefix("${").and_then(|text| text.strip_suffix(":?}")) else {
        assert!(!text.contains('$'), "{text}: write ${{NAME:?}}, so that a missing one is named");
        return text.to_owned();
    };
    used.insert(name.to_owned());
    env.get(name).unwrap_or_else(|| panic!("{name} is not in .env.example")).clone()
}

pub(crate) fn workloads() -> Vec<Workload> {
    let (compose, env) = (parsed(), env_file(&read(&deploy("compose/.env.example"))));
    let mut used = BTreeSet::new();
    let services = compose["services"].as_object().expect("services");
    let workloads = services.iter().map(|(name, service)| {
        let image = service["image"].as_str().expect("every service has an image").to_owned();
        let mut settings = if image.starts_with("newswire:") { image::environment() } else { BTreeMap::new() };
        for (name, value) in service["environment"].as_object().expect("every service has settings") {
            let value = value.as_str().expect("settings are text");
            settings.insert(name.clone(), substituted(value, &env, &mut used));
        }
        // The container's side of `address:host:container`.
        let ports = strings(&service["ports"]);
        let ports = ports.iter().map(|port| {
            assert!(port.starts_with("127.0.0.1:"), "{name}: {port} is open to the network without TLS");
            port.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port")
        });
        let secrets = strings(&service["secrets"]).into_iter();
        Workload {
            place: format!("compose {name}"),
            command: strings(&service["command"]),
            env: settings,
            files: secrets.map(|secret| format!("/run/secrets/{secret}")).collect(),
            ports: ports.collect(),
            probes: strings(&service["healthcheck"]["test"]).iter().filter_map(|test| asked(test)).collect(),
            replicas: Some(1),
            image: Some(image),
        }
    });
    let workloads = workloads.collect();
    assert_eq!(used, env.into_keys().collect(), ".env.example and compose.yaml do not name the same");
    workloads
}

/// What a healthcheck in bash asks.
fn asked(test: &str) -> Option<(u16, String)> {
    let port = test.split("/dev/tcp/127.0.0.1/").nth(1)?.split(';').next()?.parse().ok()?;
    Some((port, test.split("GET ").nth(1)?.split(' ').next()?.to_owned()))
}

#[test]
fn everything_is_locked_down_and_every_secret_is_declared() {
    let compose = parsed();
    for (name, service) in compose["services"].as_object().expect("services") {
        assert_eq!(service["read_only"], true, "{name} can write into its image");
        assert_eq!(strings(&service["cap_drop"]), ["ALL"], "{name} keeps capabilities");
        assert_eq!(strings(&service["security_opt"]), ["no-new-privileges:true"], "{name}");
        for secret in strings(&service["secrets"]) {
            assert_eq!(compose["secrets"][&secret]["file"], format!("secrets/{secret}"), "{name} wants {secret}");
        }
        for (needed, how) in service["depends_on"].as_object().into_iter().flatten() {
            let condition = how["condition"].as_str().expect("a condition");
            let met = match condition {
                "service_healthy" => compose["services"][needed].get("healthcheck").is_some(),
                "service_completed_successfully" => compose["services"][needed]["restart"] == "no",
                _ => false,
            };
            assert!(met, "{name} waits for {needed} to be {condition}, which it never says");
        }
    }
}
