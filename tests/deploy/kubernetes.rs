//! The processes of deploy/kubernetes.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use crate::image;
use crate::workload::{Workload, strings};
use crate::{deploy, read};

/// Every object of every file that the kustomization names.
pub(crate) fn objects() -> Vec<Value> {
    let kustomization = kustomization();
    let files = strings(&kustomization["resources"]).into_iter().filter(|file| file.ends_with(".yaml"));
    files
        .flat_map(|file| {
            let text = read(&deploy(&format!("kubernetes/{file}")));
            serde_saphyr::from_multiple::<Value>(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
        })
        .collect()
}

fn kustomization() -> Value {
    serde_saphyr::from_str(&read(&deploy("kubernetes/kustomization.yaml"))).expect("YAML")
}

/// The settings of a generated ConfigMap.
fn config_map(name: &str) -> BTreeMap<String, String> {
    let generated = kustomization();
    let found = generated["configMapGenerator"].as_array().expect("a list").iter().find(|map| map["name"] == name);
    let literals = strings(&found.unwrap_or_else(|| panic!("no ConfigMap {name}"))["literals"]);
    literals.iter().map(|pair| pair.split_once('=').expect("NAME=value")).map(|(k, v)| (k.into(), v.into())).collect()
}

pub(crate) fn workloads() -> Vec<Workload> {
    let running = ["Deployment", "StatefulSet", "Job"];
    let objects = objects();
    let workloads = objects.iter().filter(|object| running.iter().any(|kind| object["kind"] == *kind));
    workloads.map(workload).collect()
}

fn workload(object: &Value) -> Workload {
    let pod = &object["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let named: BTreeMap<&str, u16> = container["ports"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|port| (port["name"].as_str().expect("a name"), port["containerPort"].as_u64().expect("a number") as u16))
        .collect();
    let probes = ["livenessProbe", "readinessProbe"].into_iter().filter_map(|probe| {
        let asked = container[probe].get("httpGet")?;
        Some((named[asked["port"].as_str()?], asked["path"].as_str()?.to_owned()))
    });
    Workload {
        place: format!("kubernetes {}", object["metadata"]["name"].as_str().expect("a name")),
        command: strings(&container["command"]),
        env: environment(container),
        files: secret_files(pod, container),
        ports: named.values().copied().collect(),
        probes: probes.collect(),
        replicas: object["spec"]["replicas"].as_u64(),
        image: container["image"].as_str().map(str::to_owned),
    }
}

fn environment(container: &Value) -> BTreeMap<String, String> {
    let mut settings = if container["image"] == "newswire" { image::environment() } else { BTreeMap::new() };
    for from in container["envFrom"].as_array().into_iter().flatten() {
        settings.extend(config_map(from["configMapRef"]["name"].as_str().expect("a ConfigMap")));
    }
    for variable in container["env"].as_array().into_iter().flatten() {
        let name = variable["name"].as_str().expect("a name");
        // What comes from a Secret or from the pod has no value here; that it comes is enough.
        let value = variable["value"].as_str().unwrap_or("from-the-cluster");
        let earlier =
            settings.iter().fold(value.to_owned(), |text, (name, value)| text.replace(&format!("$({name})"), value));
        assert!(!earlier.contains("$("), "{name} uses what is set after it: {earlier}");
        settings.insert(name.to_owned(), earlier);
    }
    settings
}

fn secret_files(pod: &Value, container: &Value) -> BTreeSet<String> {
    let mounts = container["volumeMounts"].as_array().into_iter().flatten();
    let mut files = BTreeSet::new();
    for mount in mounts {
        let volume = pod["volumes"].as_array().into_iter().flatten().find(|volume| volume["name"] == mount["name"]);
        for item in volume.and_then(|volume| volume["secret"]["items"].as_array()).into_iter().flatten() {
            let (folder, path) = (mount["mountPath"].as_str().expect("a path"), item["path"].as_str().expect("a path"));
            files.insert(format!("{folder}/{path}"));
        }
    }
    files
}

#[test]
fn everything_is_locked_down_and_bounded() {
    for object in objects() {
        let pod = &object["spec"]["template"]["spec"];
        let Some(container) = pod.get("containers").map(|containers| &containers[0]) else { continue };
        let name = &object["metadata"]["name"];
        assert_eq!(pod["automountServiceAccountToken"], false, "{name} gets a token of the cluster's");
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{name}");
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault", "{name}");
        let security = &container["securityContext"];
        assert_eq!(security["allowPrivilegeEscalation"], false, "{name}");
        assert_eq!(security["readOnlyRootFilesystem"], true, "{name}");
        assert_eq!(strings(&security["capabilities"]["drop"]), ["ALL"], "{name}");
        assert!(container["resources"]["requests"]["memory"].is_string(), "{name} asks for no memory");
        assert!(container["resources"]["limits"]["memory"].is_string(), "{name} has no limit of memory");
    }
}

/// A selector that selects nothing protects nothing, and nobody notices.
#[test]
fn every_selector_finds_a_pod() {
    let objects = objects();
    let pods: BTreeSet<&str> = objects
        .iter()
        .filter_map(|object| object["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"].as_str())
        .collect();
    fn named(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("app.kubernetes.io/name").and_then(Value::as_str).map(str::to_owned));
                if members.get("key").is_some_and(|key| key == "app.kubernetes.io/name") {
                    found.extend(strings(&members["values"]));
                }
                members.values().for_each(|member| named(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| named(item, found)),
            _ => {}
        }
    }
    for object in &objects {
        let mut selected = Vec::new();
        named(&object["spec"], &mut selected);
        for name in selected {
            assert!(pods.contains(name.as_str()), "{} {} selects {name:?}", object["kind"], object["metadata"]["name"]);
        }
    }
    let budgets = objects.iter().filter(|object| object["kind"] == "PodDisruptionBudget").count();
    let lasting = objects.iter().filter(|object| object["spec"].get("replicas").is_some()).count();
    assert_eq!(budgets, lasting, "whatever has replicas has a budget for losing them");
}

#[test]
fn kustomize_builds_it() {
    let Ok(built) = Command::new("kubectl").arg("kustomize").arg(deploy("kubernetes")).output() else {
        println!("skipped: there is no kubectl to build it with");
        return;
    };
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let built = String::from_utf8(built.stdout).expect("YAML is UTF-8");
    assert!(built.contains("permissions.conf: |"), "the servers' permissions are part of it");
}
