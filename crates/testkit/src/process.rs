//! Services as child processes: started from the built binary, watched through what they print, ended in either way.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::eventually;

/// As of [`eventually`].
const DEADLINE: Duration = Duration::from_secs(60);
/// How long what a child printed at its end may take to be read.
const ON_ITS_WAY: Duration = Duration::from_secs(2);
/// Lines kept of what a child printed; the oldest go first.
const KEPT_LINES: usize = 10_000;
/// Octets of one line; a longer one is shown in pieces.
const MAX_LINE: u64 = 16 << 10;
/// Lines in the report of a failure.
const SHOWN_LINES: usize = 60;
/// What a child needs from the environment of the tests. Nothing else: settings lying around must not reach it.
const INHERITED: [&str; 6] = ["PATH", "HOME", "TMPDIR", "LLVM_PROFILE_FILE", "RUST_BACKTRACE", "NEWSWIRE_NATS_SERVER"];

/// The binary `name` of this workspace, with an empty environment, ready for arguments and settings.
///
/// # Panics
/// When it has not been built: Cargo builds the binaries of other packages only when asked to.
pub fn built(name: &str) -> Command {
    let binary = built_path(name);
    assert!(binary.is_file(), "{} is not built: run `cargo build --workspace --bins` first", binary.display());
    let mut command = Command::new(binary);
    command.env_clear().envs(INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command
}

/// Test binaries are in `target/<profile>/deps`, the others one level up.
fn built_path(name: &str) -> PathBuf {
    let mut dir = std::env::current_exe().expect("the path of the running test");
    dir.pop();
    if dir.ends_with("deps") {
        dir.pop();
    }
    dir.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// A running child. Dropping it kills it.
pub struct Process {
    child: Child,
    name: String,
    lines: Lines,
}

type Lines = Arc<Mutex<VecDeque<String>>>;

impl Process {
    /// Starts `command` and captures what it prints, standard output and standard error together.
    ///
    /// # Panics
    /// When it does not run.
    pub fn spawn(command: &mut Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{name} does not run: {error}"));
        let lines = Lines::default();
        capture(child.stdout.take().expect("stdout was piped"), &lines);
        capture(child.stderr.take().expect("stderr was piped"), &lines);
        Self { child, name, lines }
    }

    /// The id of the process, for looking at it from outside.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it printed so far, the last 10,000 lines.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("no holder of this lock panics").iter().cloned().collect()
    }

    /// Waits for the first line that contains `text`, which may have been printed already.
    ///
    /// # Panics
    /// After a minute, or when the process ends without it; the panic shows what it printed.
    pub async fn line(&mut self, text: &str) -> String {
        let started = Instant::now();
        let mut end = None;
        loop {
            // Looked at first: whatever was printed before the end is then in the lines or on its way to them.
            let ended = self.child.try_wait().expect("the state of our own child");
            end = end.or_else(|| ended.map(|_| Instant::now()));
            if let Some(line) = self.lines().into_iter().find(|line| line.contains(text)) {
                return line;
            }
            let waited = started.elapsed();
            let over = end.is_some_and(|end| end.elapsed() > ON_ITS_WAY) || waited > DEADLINE;
            assert!(!over, "{} did not print {text:?} in {waited:?}{}", self.name, self.report(ended));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until `url` answers 200.
    ///
    /// # Panics
    /// After a minute with the last answer, or when the process ends; the panic shows what it printed.
    pub async fn ready(&mut self, url: &str) {
        let client = reqwest::Client::new();
        eventually(&format!("{} is ready at {url}", self.name), async || {
            let ended = self.child.try_wait().expect("the state of our own child");
            assert!(ended.is_none(), "{} ended before it was ready{}", self.name, self.report(ended));
            match client.get(url).send().await {
                Ok(response) if response.status() == 200 => Ok(()),
                Ok(response) => Err(format!("{} {}", response.status(), response.text().await.unwrap_or_default())),
                Err(error) => Err(format!("{error}{}", self.report(None))),
            }
        })
        .await;
    }

    /// Kills it as the kernel would when memory runs out, and waits until it is gone.
    pub fn kill9(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to end in good order (SIGTERM) and gives its exit status.
    ///
    /// # Panics
    /// When it has not ended after a minute; the panic shows what it printed.
    pub async fn terminate(&mut self) -> ExitStatus {
        send_sigterm(&self.child);
        self.wait().await
    }

    /// Asks it to end as Ctrl-C in a terminal does (SIGINT) and gives its exit status.
    ///
    /// # Panics
    /// When it has not ended after a minute; the panic shows what it printed.
    pub async fn interrupt(&mut self) -> ExitStatus {
        send(&self.child, Signal::INT);
        self.wait().await
    }

    /// Waits for it to end by itself.
    ///
    /// # Panics
    /// When it has not ended after a minute; the panic shows what it printed.
    pub async fn wait(&mut self) -> ExitStatus {
        let ended = reap_within(&mut self.child, DEADLINE).await;
        ended.unwrap_or_else(|| panic!("{} did not end within {DEADLINE:?}{}", self.name, self.report(None)))
    }

    fn report(&self, ended: Option<ExitStatus>) -> String {
        let state = ended.map_or_else(|| "it still runs".to_owned(), |status| status.to_string());
        let lines = self.lines();
        let shown = &lines[lines.len().saturating_sub(SHOWN_LINES)..];
        format!(" ({state}); it printed:\n{}", shown.join("\n"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill9();
    }
}

/// Reads on a thread of its own: a child must never wait for a test that is busy.
fn capture(output: impl Read + Send + 'static, lines: &Lines) {
    let lines = Arc::clone(lines);
    std::thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while output.by_ref().take(MAX_LINE).read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            line.clear();
            let mut lines = lines.lock().expect("no holder of this lock panics");
            if lines.len() == KEPT_LINES {
                lines.pop_front();
            }
            lines.push_back(text);
        }
    });
}

/// Asks `child` to end in good order. One that has already ended is left as it is.
pub(crate) fn send_sigterm(child: &Child) {
    send(child, Signal::TERM);
}

fn send(child: &Child, signal: Signal) {
    // An un-reaped child keeps its id, so the signal cannot reach a stranger.
    let _ = kill_process(Pid::from_child(child), signal);
}

/// Waits for `child` to end, at most `limit`; `None` when it still runs.
pub(crate) async fn reap_within(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("the state of our own child") {
            return Some(status);
        }
        if started.elapsed() > limit {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
