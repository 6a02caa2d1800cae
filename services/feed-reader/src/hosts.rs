//! Politeness: one request at a time to a host, and a pause after it. Each instance keeps to it for itself.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;
use url::Url;

/// Between the end of one request to a host and the next.
pub(crate) const GAP: Duration = Duration::from_secs(1);

/// The hosts that are being asked, or were asked a moment ago.
#[derive(Default)]
pub(crate) struct Hosts {
    /// `None`: being asked. Otherwise when it may be asked again.
    busy: HashMap<String, Option<Instant>>,
}

/// Whether a host may be asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Now,
    At(Instant),
    /// Once the request under way has ended.
    Later,
}

impl Hosts {
    pub(crate) fn turn(&self, url: &Url, now: Instant) -> Turn {
        match self.busy.get(host(url)) {
            Some(None) => Turn::Later,
            Some(Some(free_at)) if *free_at > now => Turn::At(*free_at),
            _ => Turn::Now,
        }
    }

    pub(crate) fn begin(&mut self, url: &Url) {
        self.busy.insert(host(url).to_owned(), None);
    }

    pub(crate) fn end(&mut self, url: &Url, now: Instant) {
        self.busy.retain(|_, free_at| free_at.is_none_or(|free_at| free_at > now));
        self.busy.insert(host(url).to_owned(), Some(now + GAP));
    }
}

fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_with_a_pause_and_nothing_kept_for_ever() {
        let now = Instant::now();
        let [a, b, c] =
            ["https://a.example/1", "http://a.example:8080/2", "https://c.example/"].map(|url| url.parse().unwrap());
        let mut hosts = Hosts::default();
        assert_eq!(hosts.turn(&a, now), Turn::Now);
        hosts.begin(&a);
        assert_eq!((hosts.turn(&b, now), hosts.turn(&c, now)), (Turn::Later, Turn::Now), "the port is no other host");
        hosts.end(&a, now);
        assert_eq!(hosts.turn(&b, now), Turn::At(now + GAP));
        assert_eq!(hosts.turn(&b, now + GAP), Turn::Now);
        hosts.begin(&c);
        hosts.end(&c, now + GAP);
        assert_eq!(hosts.busy.len(), 1, "a.example is forgotten");
    }
}
