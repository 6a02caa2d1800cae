//! Child processes: what they print is seen, they end as asked, and a failure shows why.

use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use testkit::{NatsServer, Process};

fn shell(script: &str) -> Process {
    Process::spawn(Command::new("sh").args(["-c", script]))
}

#[tokio::test]
async fn lines_of_both_streams_are_seen_even_after_the_end() {
    let mut process = shell("echo 'listening on 127.0.0.1:1'; echo 准备好了 >&2; printf 'no newline'");
    assert_eq!(process.line("listening").await, "listening on 127.0.0.1:1");
    assert_eq!(process.line("准备").await, "准备好了");
    assert!(process.wait().await.success());
    assert_eq!(process.line("no newline").await, "no newline");
}

#[tokio::test]
async fn what_a_child_prints_is_bounded() {
    let mut process = shell(
        "i=0; while [ $i -lt 10050 ]; do echo line $i; i=$((i+1)); done; head -c 100000 /dev/zero; echo; echo end",
    );
    process.line("end").await;
    let lines = process.lines();
    assert_eq!(lines.len(), 10_000);
    assert!(lines.iter().all(|line| line.len() <= 16 << 10));
}

#[tokio::test]
async fn a_child_can_end_in_good_order_or_not() {
    let script = "trap 'echo leaving; exit 7' TERM; echo ready; while :; do sleep 0.01; done";
    let mut polite = shell(script);
    polite.line("ready").await;
    assert_eq!(polite.terminate().await.code(), Some(7));
    polite.line("leaving").await;
    let mut killed = shell(script);
    killed.line("ready").await;
    killed.kill9();
    assert_eq!(killed.wait().await.signal(), Some(9));
    assert!(!killed.lines().contains(&"leaving".to_owned()));
}

#[tokio::test]
async fn a_dropped_child_is_gone() {
    let process = shell("exec sleep 1000");
    let id = process.id();
    drop(process);
    let alive = Command::new("kill").args(["-0", &id.to_string()]).output().expect("kill runs");
    assert!(!alive.status.success());
}

#[tokio::test]
#[should_panic(expected = "cannot bind")]
async fn waiting_for_a_line_of_a_child_that_failed_shows_what_it_said() {
    shell("echo 'cannot bind' >&2; exit 3").line("listening").await;
}

#[tokio::test]
async fn readiness_is_an_answer_of_200() {
    let server = NatsServer::start().await;
    let mut process = shell("exec sleep 1000");
    process.ready(&format!("{}/healthz", server.monitoring_url())).await;
}

#[tokio::test]
#[should_panic(expected = "ended before it was ready (exit status: 64); it printed:\nno such setting")]
async fn readiness_of_a_child_that_ended_is_not_waited_for() {
    shell("echo no such setting; exit 64").ready("http://127.0.0.1:1/ready").await;
}

#[test]
#[should_panic(expected = "is not built: run `cargo build --workspace --bins` first")]
fn a_binary_that_is_not_built_is_named() {
    testkit::built("no-such-service");
}
