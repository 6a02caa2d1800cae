//! How much of the publisher one token may take: a token bucket, kept as the one moment at which it is full again.
//!
//! Each replica counts for itself: a token may send the rate to each of them. The point is that one client that runs
//! wild leaves the others their share, not that a quota is kept.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Requests a second that a token may send for any length of time, unless its record says otherwise. A newsroom sends a
/// few in a minute, an import of its archive some hundred in a second; whoever needs more is given it by name.
pub const DEFAULT_RATE: NonZeroU32 = NonZeroU32::new(100).expect("it is not zero");

/// What may come at once after a rest, in seconds of the rate.
const BURST_SECONDS: u64 = 2;

/// Counts the requests of one token. Costs 24 bytes.
#[derive(Debug)]
pub(crate) struct Meter {
    rate: NonZeroU32,
    started: Instant,
    /// When all that was taken has come back, in nanoseconds since it started (GCRA's theoretical arrival time).
    full_at: AtomicU64,
}

/// Why a request has to wait, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wait {
    /// Requests a second.
    pub(crate) rate: u32,
    /// Requests at once.
    pub(crate) burst: u64,
    pub(crate) until: Duration,
}

impl Meter {
    pub(crate) fn new(rate: NonZeroU32, now: Instant) -> Self {
        Self { rate, started: now, full_at: AtomicU64::new(0) }
    }

    /// Takes one request from the bucket, if there is one.
    pub(crate) fn take(&self, now: Instant) -> Result<(), Wait> {
        const BURST: u64 = BURST_SECONDS * 1_000_000_000;
        let one = 1_000_000_000 / u64::from(self.rate.get());
        // 580 years of nanoseconds: no process lives that long.
        let now = u64::try_from(now.saturating_duration_since(self.started).as_nanos()).unwrap_or(u64::MAX);
        let taken = self.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| {
            let next = full_at.max(now).saturating_add(one);
            (next <= now.saturating_add(BURST)).then_some(next)
        });
        taken.map(|_| ()).map_err(|full_at| Wait {
            rate: self.rate.get(),
            burst: u64::from(self.rate.get()) * BURST_SECONDS,
            until: Duration::from_nanos(full_at.saturating_add(one).saturating_sub(now.saturating_add(BURST))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_the_rate_and_a_rest_fills_it_again() {
        let start = Instant::now();
        let meter = Meter::new(NonZeroU32::new(10).unwrap(), start);
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let passed = |milliseconds, tries| (0..tries).filter(|_| meter.take(at(milliseconds)).is_ok()).count();
        assert_eq!(passed(0, 50), 20, "two seconds' worth at once");
        assert_eq!(
            meter.take(at(40)),
            Err(Wait { rate: 10, burst: 20, until: Duration::from_millis(60) }),
            "the next one comes 100 ms after the first"
        );
        assert_eq!(passed(100, 5), 1);
        assert_eq!((1..=30).map(|n| passed(100 + n * 100, 5)).sum::<usize>(), 30, "the rate, for any length of time");
        assert_eq!(passed(60_000, 50), 20, "no more than a burst comes back, however long the rest");
        assert_eq!(passed(0, 1), 0, "a clock that went back gives nothing");
    }

    #[test]
    fn racing_requests_share_one_bucket() {
        let start = Instant::now();
        let meter = Meter::new(NonZeroU32::new(50).unwrap(), start);
        let passed: usize = std::thread::scope(|scope| {
            let take = || (0..1000).filter(|_| meter.take(start).is_ok()).count();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(passed, 100);
    }
}
