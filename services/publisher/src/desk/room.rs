//! Room in the store that new text does not get: a full store must still take what holds, withdraws and kills a story,
//! and what ends an embargo.
//!
//! The server knows one limit for all messages of a stream, so the publisher stops earlier of its own accord: it looks
//! how full the streams are, and counts in between what it writes itself. Other replicas' writes it sees at the next
//! look.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bus::{Level, PublishError};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::Desk;
use super::store::Place;

/// One part in so many of a stream is kept: 64 MiB of the log, room for thousands of kills.
const KEPT: i64 = 32;

/// How often the publisher looks. At a thousand articles of 4 KB a second each replica adds 20 MB in this time.
const LOOK: Duration = Duration::from_secs(5);

/// What a message takes beside its payload, in bytes: subject, headers, the server's own record.
const BESIDE: i64 = 512;

/// What new text may still take, in bytes; everything, until somebody has looked.
pub(super) struct Room {
    log: AtomicI64,
    embargoes: AtomicI64,
}

impl Default for Room {
    fn default() -> Self {
        Self { log: AtomicI64::new(i64::MAX), embargoes: AtomicI64::new(i64::MAX) }
    }
}

impl Room {
    fn left(&self, place: Place) -> &AtomicI64 {
        match place {
            Place::Log => &self.log,
            Place::Embargoes => &self.embargoes,
        }
    }

    fn note(&self, place: Place, level: Level) {
        let left = level.limit.map_or(i64::MAX, |limit| limit - limit / KEPT - level.used);
        self.left(place).store(left, Ordering::Relaxed);
    }

    /// Takes room for a message of `bytes`.
    pub(super) fn take(&self, place: Place, bytes: usize) -> Result<(), PublishError> {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX).saturating_add(BESIDE);
        if self.left(place).load(Ordering::Relaxed) < bytes {
            let kept = format!("the last {KEPT}th of {} is kept for kills and the like", place.stream().name);
            return Err(PublishError::Refused(kept));
        }
        self.left(place).fetch_sub(bytes, Ordering::Relaxed);
        Ok(())
    }
}

impl Desk {
    /// Looks how full the store is, until `shutdown`.
    pub(super) async fn watch_room(&self, shutdown: CancellationToken) {
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
            for place in [Place::Log, Place::Embargoes] {
                match self.bus.level(place.stream()).await {
                    Ok(level) => self.room.note(place, level),
                    // Whoever writes now finds out, too.
                    Err(error) => tracing::debug!("{error}"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_text_stops_before_the_end_and_each_place_has_its_own() {
        let room = Room::default();
        room.take(Place::Log, 1 << 20).expect("nobody has looked yet");
        room.note(Place::Log, Level { used: 30_000, limit: Some(32_000 + KEPT) });
        let fits = (0..10).take_while(|_| room.take(Place::Log, 88).is_ok()).count();
        assert_eq!(fits, 1, "1,031 bytes are left before the thousand and one that are kept");
        room.take(Place::Embargoes, 1 << 20).expect("that is another stream");
        room.note(Place::Log, Level { used: 40_000, limit: Some(32_000) });
        room.take(Place::Log, 0).expect_err("it is over its limit already");
        room.note(Place::Log, Level { used: 40_000, limit: None });
        room.take(Place::Log, 1 << 20).expect("without a limit nothing is kept");
    }
}
