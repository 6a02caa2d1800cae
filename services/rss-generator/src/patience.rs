//! An end to being asked for the same feed over and over by a reader that keeps nothing.
//!
//! A feed is 20 times as long as the answer that nothing is new. Whoever fetches one version whole again and again, and
//! never says what it has, is told how to do better. It costs nobody news: a version that is new is always there.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::HeaderValue;
use lru::LruCache;
use tokio::time::Instant;

use crate::library::Key;

/// One version of a feed, whole, so many times to one reader: a person who tries things out needs no more.
const BURST: u32 = 20;
/// After that, once in this time.
const REFILL: Duration = Duration::from_secs(60);

/// Readers remembered, those seen last: less than 3 MiB. Whoever is forgotten begins anew.
const READERS: NonZeroUsize = NonZeroUsize::new(16_384).expect("not zero");

/// What each reader has had. One for each replica.
pub(crate) struct Patience {
    readers: Mutex<LruCache<(IpAddr, u64), Budget>>,
    hasher: RandomState,
}

struct Budget {
    /// Of the version it speaks of.
    tag: u64,
    left: u32,
    /// When `left` was right.
    at: Instant,
}

impl Patience {
    pub(crate) fn new() -> Self {
        Self { readers: Mutex::new(LruCache::new(READERS)), hasher: RandomState::new() }
    }

    /// Counts one whole answer of `feed` in the version `tag` to a reader at `network`. `Some`: it has had enough of them,
    /// and may have one more after that time.
    ///
    /// Readers are told apart by `User-Agent`, too: a network may be a whole university.
    pub(crate) fn spent(
        &self,
        network: IpAddr,
        agent: Option<&HeaderValue>,
        feed: &Key,
        tag: &str,
        now: Instant,
    ) -> Option<Duration> {
        if is_shared(network) {
            return None;
        }
        let reader = (network, self.hasher.hash_one((agent, feed)));
        let tag = self.hasher.hash_one(tag);
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        let budget = readers.get_or_insert_mut(reader, || Budget { tag, left: BURST, at: now });
        if budget.tag != tag {
            *budget = Budget { tag, left: BURST, at: now };
        }
        let refills = u32::try_from(now.duration_since(budget.at).as_secs() / REFILL.as_secs()).unwrap_or(BURST);
        if budget.left + refills.min(BURST) >= BURST {
            (budget.left, budget.at) = (BURST, now);
        } else {
            budget.left += refills;
            budget.at += REFILL * refills;
        }
        match budget.left.checked_sub(1) {
            Some(left) => {
                budget.left = left;
                None
            }
            None => Some(REFILL.saturating_sub(now.duration_since(budget.at))),
        }
    }
}

/// Whether many may stand behind the address: a proxy in front of us, or an office.
pub(crate) fn is_shared(network: IpAddr) -> bool {
    match network {
        IpAddr::V4(address) => {
            // 100.64.0.0/10 is for providers' own networks, and for proxies in some clouds (RFC 6598).
            let [first, second, ..] = address.octets();
            let is_providers = first == 100 && second & 0xc0 == 64;
            address.is_loopback() || address.is_private() || address.is_link_local() || is_providers
        }
        // A network of ::/64 is the loopback address's.
        IpAddr::V6(address) => {
            address.segments()[..4] == [0; 4] || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(selection: &str) -> Key {
        Key::Feed(selection.parse().unwrap(), Some(feed::Format::Rss))
    }

    fn asked(patience: &Patience, times: usize, network: &str, agent: &'static str, tag: &str, now: Instant) -> usize {
        let agent = HeaderValue::from_static(agent);
        let network = network.parse().unwrap();
        (0..times).filter(|_| patience.spent(network, Some(&agent), &feed("all"), tag, now).is_none()).count()
    }

    #[test]
    fn a_version_is_had_whole_twenty_times_and_once_a_minute() {
        let (patience, begin) = (Patience::new(), Instant::now());
        assert_eq!(asked(&patience, 30, "192.0.2.1", "reader", "one", begin), 20);
        // Others have their own, and so has another version.
        assert_eq!(asked(&patience, 30, "192.0.2.2", "reader", "one", begin), 20);
        assert_eq!(asked(&patience, 30, "192.0.2.1", "other reader", "one", begin), 20);
        let network = "192.0.2.1".parse().unwrap();
        assert_eq!(
            patience.spent(network, Some(&HeaderValue::from_static("reader")), &feed("test"), "one", begin),
            None
        );
        let later = begin + Duration::from_secs(59);
        let wait = patience.spent(network, Some(&HeaderValue::from_static("reader")), &feed("all"), "one", later);
        assert_eq!(wait, Some(Duration::from_secs(1)));
        assert_eq!(asked(&patience, 30, "192.0.2.1", "reader", "one", begin + Duration::from_secs(150)), 2);
        // Half a minute of the third has passed already.
        assert_eq!(asked(&patience, 30, "192.0.2.1", "reader", "one", begin + Duration::from_secs(180)), 1);
        assert_eq!(asked(&patience, 30, "192.0.2.1", "reader", "one", begin + Duration::from_secs(9_000)), 20);
        assert_eq!(asked(&patience, 30, "192.0.2.1", "reader", "two", begin + Duration::from_secs(9_000)), 20);
    }

    #[test]
    fn nobody_behind_a_proxy_pays_for_the_others() {
        let (patience, now) = (Patience::new(), Instant::now());
        for (network, answers) in [
            ("127.0.0.1", 30),
            ("10.1.2.3", 30),
            ("172.16.0.1", 30),
            ("192.168.1.1", 30),
            ("169.254.1.1", 30),
            ("100.64.0.1", 30),
            ("100.127.255.1", 30),
            ("100.128.0.1", 20),
            ("::", 30),
            ("fd00::", 30),
            ("fe80::", 30),
            ("203.0.113.1", 20),
            ("2001:db8::", 20),
        ] {
            assert_eq!(asked(&patience, 30, network, "reader", "one", now), answers, "{network}");
        }
    }

    #[test]
    fn a_flood_of_names_takes_no_more_memory() {
        let (patience, now) = (Patience::new(), Instant::now());
        for n in 0..READERS.get() * 2 {
            let agent = HeaderValue::try_from(format!("reader {n}")).unwrap();
            assert_eq!(patience.spent("192.0.2.1".parse().unwrap(), Some(&agent), &feed("all"), "one", now), None);
        }
        assert_eq!(patience.readers.lock().unwrap().len(), READERS.get());
    }
}
