//! Signals and waiting for child processes.

use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// Asks `child` to end in good order. One that has already ended is left as it is.
pub(crate) fn send_sigterm(child: &Child) {
    // An un-reaped child keeps its id, so the signal cannot reach a stranger.
    let _ = kill_process(Pid::from_child(child), Signal::TERM);
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
