//! What the services can be told, asked of the services; docs/config.md is made from the answers.

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex};

use testkit::built;

use crate::{assert_golden, binaries, root};

/// A setting as `--help` shows it.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    pub(crate) name: String,
    pub(crate) default: Option<String>,
    required: bool,
    help: String,
}

/// The services; the command line tells of its own settings itself.
pub(crate) fn services() -> impl Iterator<Item = String> {
    binaries().into_iter().filter(|name| name != "newswire")
}

/// Everything that `service` can be told.
pub(crate) fn known(service: &str) -> Vec<Setting> {
    static ASKED: LazyLock<Mutex<BTreeMap<String, Vec<Setting>>>> = LazyLock::new(Mutex::default);
    let mut asked = ASKED.lock().expect("no holder panics");
    asked.entry(service.to_owned()).or_insert_with(|| parsed(&help(service))).clone()
}

fn help(service: &str) -> String {
    let told = built(service).arg("--help").output().expect("it runs");
    assert!(told.status.success(), "{service} --help: {}", told.status);
    String::from_utf8(told.stdout).expect("help is UTF-8")
}

/// Two lines each: the name with its default, and what it is.
fn parsed(help: &str) -> Vec<Setting> {
    let lines: Vec<&str> = help.lines().collect();
    let pairs = lines.windows(2).filter(|pair| pair[0].starts_with("  NEWSWIRE_"));
    let settings = pairs.map(|pair| {
        let (name, rest) = pair[0].trim().split_once(' ').unwrap_or((pair[0].trim(), ""));
        let default = rest.strip_prefix("[default: ").and_then(|rest| rest.strip_suffix(']'));
        Setting {
            name: name.to_owned(),
            default: default.map(str::to_owned),
            required: rest == "[required]",
            help: pair[1].trim().to_owned(),
        }
    });
    settings.collect()
}

#[test]
fn the_documentation_of_the_settings_is_what_the_services_say() {
    let mut text = String::from(
        "# Settings\n\nEvery service is configured by environment variables and by nothing else. An empty variable counts as\n\
         unset; a misspelt one of the service's own prefix, or a value that will not do, is reported with all others before the service ends with\n\
         exit code 64. A name that ends in `_FILE` is the path of a file, most often with a secret in it.\n\n\
         This file is generated from what each service says with `--help`: change it where the setting is read.\n",
    );
    for service in services() {
        let help = help(&service);
        let about = help.lines().nth(1).expect("a sentence about the service");
        text.push_str(&format!("\n## {service}\n\n{about}\n\n| Setting | Default | |\n|---|---|---|\n"));
        for Setting { name, default, required, help } in known(&service) {
            let default = match (default, required) {
                (Some(default), _) => format!("`{default}`"),
                (None, true) => "required".to_owned(),
                (None, false) => String::new(),
            };
            text.push_str(&format!("| `{name}` | {default} | {} |\n", help.replace('|', "\\|")));
        }
    }
    assert_golden(&root().join("docs/config.md"), &text);
}
