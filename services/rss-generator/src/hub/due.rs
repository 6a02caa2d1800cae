//! What there is to do for a subscriber. Pure.

use std::cmp::Ordering;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::hub::record::{Call, Progress};

/// How long a version is waited for that some other replica has written of the same news: time may have made it, and comes
/// here, too, or it is another release's.
const SAME_NEWS: SignedDuration = SignedDuration::from_secs(30);
/// How long a replica that is behind with the news waits before it goes by what it has, which may have been killed since.
/// Where it waits in vain the log is shorter than it was.
const CATCH_UP: SignedDuration = SignedDuration::from_mins(10);
/// Until a replica has caught up with the one that called.
const SOON: Duration = Duration::from_millis(100);

/// Whether to bring a subscriber the current version.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Now,
    Never,
    Later(Duration),
}

/// A feed as this replica knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) tag: &'a str,
    pub(crate) last_modified: Timestamp,
    /// How far the library has come in the log of articles.
    pub(crate) applied: u64,
}

/// What to do at `now` for a subscriber who should have the current version, and for whom it was called at `called_at`.
pub(crate) fn due(progress: &Progress, call: &Call, known: Known<'_>, called_at: Timestamp, now: Timestamp) -> Due {
    let (has, named) = (progress.has.as_deref(), call.tag.as_deref());
    if has.is_some() && has == named {
        return Due::Never;
    }
    // First of all: a replica that is behind would find that he has what it has.
    let patience = match known.applied.cmp(&call.sequence) {
        _ if known.applied < progress.sequence => CATCH_UP,
        _ if named == Some(known.tag) => SignedDuration::ZERO,
        Ordering::Less => CATCH_UP,
        Ordering::Equal if named.is_some() => SAME_NEWS,
        Ordering::Equal | Ordering::Greater => SignedDuration::ZERO,
    };
    if now.duration_since(called_at) < patience {
        return Due::Later(SOON);
    }
    if has == Some(known.tag) {
        return Due::Never;
    }
    // An older version must never follow a newer one: it might bring back what was killed. Two versions of one moment
    // are told apart by whoever called.
    let is_newer = match progress.as_of {
        None => true,
        // A feed that an article has left may have changed last before it came.
        Some(as_of) if named == Some(known.tag) => known.applied > progress.sequence || as_of <= known.last_modified,
        Some(as_of) => as_of < known.last_modified,
    };
    match progress.not_before {
        _ if !is_newer => Due::Never,
        Some(at) if at > now => Due::Later(until(at, now)),
        _ => Due::Now,
    }
}

/// Why he who had `progress` when his subscription ended had not been sent everything.
pub(crate) fn unsent(progress: &Progress) -> Option<&str> {
    progress.error.as_deref().filter(|_| progress.failures > 0)
}

pub(crate) fn until(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or_default().max(SOON)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn call(tag: Option<&str>) -> Call {
        Call { tag: tag.map(Into::into), sequence: 7 }
    }

    #[test]
    fn the_current_version_goes_out_and_never_an_older_one() {
        let has = |tag: &str, as_of| Progress::sent(tag, at(as_of), 6);
        let known = |tag, last_modified, applied| Known { tag, last_modified: at(last_modified), applied };
        let called = at(100);
        let renewed = Progress { as_of: None, ..has("b", 100) };
        for (what, progress, call, known, now, expected) in [
            ("a change", has("a", 10), call(Some("b")), known("b", 100, 7), 100, Due::Now),
            ("he has it", has("b", 100), call(Some("b")), known("b", 100, 7), 100, Due::Never),
            (
                "he has it, and this replica is behind",
                has("b", 100),
                call(Some("b")),
                known("a", 10, 6),
                100,
                Due::Never,
            ),
            ("this replica is behind", has("a", 10), call(Some("b")), known("a", 10, 6), 100, Due::Later(SOON)),
            (
                "this replica is behind him, too",
                has("b", 50),
                call(Some("c")),
                known("a", 10, 6),
                100,
                Due::Later(SOON),
            ),
            ("and stays so", has("b", 50), call(Some("c")), known("a", 10, 6), 701, Due::Never),
            ("what it has may be killed", has("a", 10), call(Some("c")), known("b", 50, 6), 699, Due::Later(SOON)),
            ("so may what a look finds", has("a", 10), call(None), known("b", 50, 6), 100, Due::Later(SOON)),
            ("the log is not what it was", has("a", 10), call(Some("c")), known("b", 50, 6), 700, Due::Now),
            ("this replica is ahead", has("a", 10), call(Some("b")), known("c", 101, 8), 101, Due::Now),
            ("nobody knows that version", has("a", 10), call(Some("b")), known("c", 100, 7), 131, Due::Now),
            ("two versions of one moment", has("a", 100), call(Some("b")), known("b", 100, 7), 100, Due::Now),
            ("an article has left", has("b", 100), call(Some("a")), known("a", 10, 7), 100, Due::Now),
            ("time has passed him by", has("b", 100), call(Some("a")), known("a", 10, 6), 100, Due::Never),
            (
                "this replica is behind who told him",
                has("b", 10),
                call(Some("a")),
                known("a", 10, 5),
                100,
                Due::Later(SOON),
            ),
            ("who renews gets what is different", renewed, call(None), known("a", 10, 7), 100, Due::Now),
            ("a look finds the forgotten", has("a", 10), call(None), known("b", 100, 7), 100, Due::Now),
            ("a look finds one release's other bytes", has("a", 100), call(None), known("b", 100, 7), 100, Due::Never),
            ("nothing is known of him", Progress::default(), call(None), known("b", 100, 7), 100, Due::Now),
        ] {
            assert_eq!(due(&progress, &call, known, called, at(now)), expected, "{what}");
        }
    }

    #[test]
    fn who_fails_is_left_alone_for_a_while() {
        let mut progress = Progress::sent("a", at(10), 6);
        progress.failed("it answers 500".into(), at(90));
        let known = Known { tag: "b", last_modified: at(95), applied: 8 };
        let due = |now| due(&progress, &call(Some("b")), known, at(95), at(now));
        assert_eq!(due(96), Due::Later(Duration::from_secs(4)));
        assert_eq!(due(100), Due::Now);
    }

    #[test]
    fn an_end_with_something_unsent_is_told_from_others() {
        let mut progress = Progress::sent("a", at(1), 6);
        assert_eq!(unsent(&progress), None);
        progress.failed("it answers 500".into(), at(2));
        assert_eq!(unsent(&progress), Some("it answers 500"));
    }
}
