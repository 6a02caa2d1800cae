//! Storms: more alerts in ten minutes than anybody reads. Whoever has no cap gets twenty at once; what follows in these ten
//! minutes comes with a digest. Pure.
//!
//! Each notifier counts what it planned itself, so of two of them a storm may bring up to forty. Who is over is in the
//! log, as with caps: nobody misses anything by that, or gets it twice.

use jiff::{SignedDuration, Timestamp};
use roaring::RoaringBitmap;

/// Alerts that somebody without a cap gets in one window.
pub(super) const ALERTS: usize = 20;

/// Seconds, by the clock.
const WINDOW: i64 = 600;

/// Who got how many alerts in this window: for each number a bitmap of those who got as many or more. A million readers
/// take 128 KB of each.
#[derive(Debug, Default)]
pub(super) struct Storm {
    window: i64,
    at_least: [RoaringBitmap; ALERTS],
}

impl Storm {
    /// Of `readers`, those for whom one more alert is the last that they get at once.
    pub(super) fn filled(&self, readers: &RoaringBitmap, now: Timestamp) -> RoaringBitmap {
        if self.window == window(now) { &self.at_least[ALERTS - 2] & readers } else { RoaringBitmap::new() }
    }

    pub(super) fn learn(&mut self, readers: &RoaringBitmap, now: Timestamp) {
        if self.window != window(now) {
            *self = Self { window: window(now), ..Self::default() };
        }
        for more in (1..ALERTS).rev() {
            let again = &self.at_least[more - 1] & readers;
            self.at_least[more] |= again;
        }
        self.at_least[0] |= readers;
    }
}

/// Until when whoever is over waits.
pub(super) fn ends(now: Timestamp) -> Timestamp {
    let second = now.as_second();
    Timestamp::from_second(second - second.rem_euclid(WINDOW) + WINDOW)
        .unwrap_or(now + SignedDuration::from_secs(WINDOW))
}

fn window(now: Timestamp) -> i64 {
    now.as_second().div_euclid(WINDOW)
}
