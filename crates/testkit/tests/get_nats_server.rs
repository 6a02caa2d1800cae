//! `deploy/local/get-nats-server` picks the right server and says what to do when there is none. Nothing is fetched: every
//! program it might use is a stand-in.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

struct Machine {
    dir: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn program(self, name: &str, script: &str) -> Self {
        let file = self.path(name);
        fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).expect("write");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("executable");
        self
    }

    fn server(self, name: &str, version: &str) -> Self {
        self.program(name, &format!("echo 'nats-server: v{version}'"))
    }

    fn run(&self) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/local/get-nats-server");
        let path = format!("{}:/usr/bin:/bin", self.path("path").display());
        let mut command = Command::new("sh");
        command.arg(script).env("PATH", path).env("NEWSWIRE_TOOLS", self.path("tools")).output().expect("sh runs")
    }
}

#[test]
fn picks_the_first_that_is_new_enough() {
    let found = [
        (vec![("path", "2.14.0")], "path"),
        (vec![("path", "2.15.1-RC.1")], "path"),
        (vec![("path", "3.0.0"), ("tools/bin", "2.15.1")], "path"),
        (vec![("path", "2.9.10"), ("tools/bin", "2.15.1")], "tools/bin"),
        (vec![("path", "2.13.99"), ("tools/bin", "2.15.1")], "tools/bin"),
        (vec![("path", "unknown"), ("tools/bin", "2.100.0")], "tools/bin"),
    ];
    for (servers, expected) in found {
        let machine = servers
            .iter()
            .fold(Machine::new(), |machine, (place, version)| machine.server(&format!("{place}/nats-server"), version));
        let output = machine.run();
        let path = String::from_utf8_lossy(&output.stdout);
        assert_eq!(Path::new(path.trim_end()), machine.path(expected).join("nats-server"), "{servers:?} {output:?}");
        assert!(output.status.success(), "{servers:?}");
    }
}

#[test]
fn says_what_to_do_when_it_cannot_fetch_one() {
    for (python, system, told) in [
        ("exit 1", "echo Linux", "python3 has no pip"),
        ("case $2/$3 in pip/download) exit 1;; esac", "echo Linux", "A hash mismatch means"),
        ("cat >/dev/null; [ $1 != - ]", "echo Linux", "could not be unpacked"),
        ("true", "echo MINGW64_NT", "work inside WSL 2"),
    ] {
        let uname = format!("[ $1 = -m ] && echo x86_64 || {system}");
        let old = Machine::new().server("path/nats-server", "2.9.10");
        let machine = old.program("path/python3", python).program("path/uname", &uname);
        let output = machine.run();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(told) && said.contains("releases/tag/v2.15.1") && said.contains("2.9.10"), "{said}");
        assert!(output.stdout.is_empty());
        let left = fs::read_dir(machine.path("tools/bin")).map(|dir| dir.count()).unwrap_or(0);
        assert_eq!(left, 0, "nothing half-made stays: {said}");
    }
}

#[test]
fn a_fetched_server_is_asked_for_its_version_before_it_is_kept() {
    // Stands in for pip and for the unpacking: `python3 - <work> <version>` leaves a server of another version behind.
    let unpack =
        r#"[ "$1" = - ] || exit 0; cat >/dev/null; printf '#!/bin/sh\necho nats-server: v2.15.0\n' > "$2/nats-server""#;
    let wrong = Machine::new().server("path/nats-server", "2.9.10").program("path/python3", unpack);
    let output = wrong.run();
    assert!(String::from_utf8_lossy(&output.stderr).contains("does not run on this machine"), "{output:?}");
    let right = Machine::new()
        .server("path/nats-server", "2.9.10")
        .program("path/python3", &unpack.replace("2.15.0", "2.15.1"));
    let output = right.run();
    let path = String::from_utf8_lossy(&output.stdout);
    assert_eq!(Path::new(path.trim_end()), right.path("tools/bin/nats-server"), "{output:?}");
    assert_eq!(fs::read_dir(right.path("tools/bin")).expect("the folder").count(), 1);
}
