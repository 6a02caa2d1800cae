//! How often somebody may do something. Kept in memory, by each replica for itself: it keeps a script from the others'
//! share, it is no quota.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

/// Keys remembered at one time; some 100 bytes each, so a flood of networks costs 2 MB.
const MAX_KEYS: usize = 20_000;

/// A token bucket for each key: `burst` at once, then one every `pause`.
pub struct Limit<K> {
    burst: u32,
    pause: Duration,
    /// When the key's bucket is full again; all that a bucket has to remember.
    full_at: Mutex<HashMap<K, Instant>>,
}

impl<K: Eq + Hash> Limit<K> {
    /// `burst` is 1 or more.
    pub fn new(burst: u32, pause: Duration) -> Self {
        Self { burst, pause, full_at: Mutex::default() }
    }

    /// Takes one from the bucket of `key`.
    ///
    /// # Errors
    /// How long to wait for the next.
    pub fn take(&self, key: K, now: Instant) -> Result<(), Duration> {
        let mut full_at = self.full_at.lock().expect("no code panics while it holds this lock");
        if full_at.len() >= MAX_KEYS && !full_at.contains_key(&key) {
            make_room(&mut full_at, now);
        }
        let full = full_at.entry(key).or_insert(now);
        let missing = full.saturating_duration_since(now);
        let allowed = self.pause * (self.burst - 1);
        if missing > allowed {
            return Err(missing - allowed);
        }
        *full = now + missing + self.pause;
        Ok(())
    }
}

/// Forgets the full buckets, which say nothing. When that is less than half of them, a flood from many networks is
/// under way: all are forgotten then, since refusing newcomers would lock every reader out.
fn make_room<K: Eq + Hash>(full_at: &mut HashMap<K, Instant>, now: Instant) {
    full_at.retain(|_, full| *full > now);
    if full_at.len() > MAX_KEYS / 2 {
        full_at.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(30);

    fn taken(limit: &Limit<u32>, key: u32, now: Instant) -> usize {
        (0..100).take_while(|_| limit.take(key, now).is_ok()).count()
    }

    #[test]
    fn a_burst_passes_and_then_one_at_a_time() {
        let (limit, start) = (Limit::new(3, PAUSE), Instant::now());
        assert_eq!(taken(&limit, 1, start), 3);
        assert_eq!(limit.take(1, start + PAUSE / 3), Err(PAUSE * 2 / 3));
        assert_eq!(taken(&limit, 1, start + PAUSE), 1);
        assert_eq!(taken(&limit, 2, start + PAUSE), 3, "one client is not another");
        assert_eq!(taken(&limit, 1, start + PAUSE * 100), 3, "a bucket does not overflow");
    }

    #[test]
    fn a_flood_of_keys_is_forgotten_and_locks_nobody_out() {
        let (limit, start) = (Limit::new(1, PAUSE), Instant::now());
        for key in 0..3 * MAX_KEYS as u32 {
            assert!(limit.take(key, start).is_ok());
        }
        assert!(limit.full_at.lock().unwrap().len() <= MAX_KEYS);
    }

    #[test]
    fn an_old_key_makes_room_before_a_fresh_one() {
        let (limit, start) = (Limit::new(1, PAUSE), Instant::now());
        for key in 1..MAX_KEYS as u32 {
            assert!(limit.take(key, start).is_ok());
        }
        let later = start + PAUSE;
        assert!(limit.take(0, later).is_ok() && limit.take(u32::MAX, later).is_ok());
        assert!(limit.take(0, later).is_err(), "its bucket was empty, so it is remembered");
    }
}
