//! Waiting for something to become true, with a deadline and the last thing seen when it does not.
//!
//! Tests never sleep for a guessed time: too short is flaky on a loaded machine, too long is slow on every other one.

use std::fmt::Display;
use std::panic::Location;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

/// Long enough for a cold, loaded machine whose disk stands still for a while; a test that passes never waits for it.
const DEADLINE: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// Calls `probe` until it answers `Ok` and returns that value; `Err` says what was seen instead.
///
/// # Panics
/// After a minute, naming `what`, the caller and the last observation.
#[track_caller]
pub fn eventually<T, E: Display>(what: &str, probe: impl AsyncFnMut() -> Result<T, E>) -> impl Future<Output = T> {
    wait(DEADLINE, what, Location::caller(), probe)
}

/// [`eventually`] with its own deadline, for what is known to take longer (or must be seen to fail soon).
///
/// # Panics
/// After `limit`, naming `what`, the caller and the last observation.
#[track_caller]
pub fn eventually_within<T, E: Display>(
    limit: Duration,
    what: &str,
    probe: impl AsyncFnMut() -> Result<T, E>,
) -> impl Future<Output = T> {
    wait(limit, what, Location::caller(), probe)
}

async fn wait<T, E: Display>(
    limit: Duration,
    what: &str,
    caller: &Location<'_>,
    mut probe: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let deadline = Instant::now() + limit;
    let mut last_seen = "nothing yet: the first look did not finish".to_owned();
    let mut pause = FIRST_PAUSE;
    // The deadline also covers a probe that hangs, which is what a stalled peer looks like.
    while let Ok(seen) = timeout_at(deadline, probe()).await {
        match seen {
            Ok(value) => return value,
            Err(seen) => last_seen = format!("{seen:#}"),
        }
        if Instant::now() + pause >= deadline {
            break;
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    panic!("{what}: not within {limit:?} (waited for at {caller}); last seen: {last_seen}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn returns_the_first_value_that_is_there() {
        let mut looks = 0;
        let seen = eventually("three looks", async || {
            looks += 1;
            if looks < 3 { Err(format!("{looks} looks")) } else { Ok(looks) }
        })
        .await;
        assert_eq!(seen, 3);
    }

    #[tokio::test]
    #[should_panic(expected = "a mail: not within 50ms (waited for at crates/testkit/src/eventually.rs:")]
    async fn names_what_it_waited_for_and_where() {
        eventually_within(Duration::from_millis(50), "a mail", async || Err::<(), _>("an empty inbox")).await;
    }

    #[tokio::test]
    #[should_panic(expected = "last seen: an empty inbox")]
    async fn tells_what_it_saw_last() {
        eventually_within(Duration::from_millis(50), "a mail", async || Err::<(), _>("an empty inbox")).await;
    }

    #[tokio::test]
    #[should_panic(expected = "the first look did not finish")]
    async fn does_not_wait_for_a_probe_that_hangs() {
        eventually_within(Duration::from_millis(50), "a reply", async || {
            std::future::pending::<()>().await;
            Ok::<_, String>(())
        })
        .await;
    }
}
