//! When to ask a feed again.
//!
//! A feed is asked twice as often as it brings something new, between five minutes and a day. What the feed (`ttl`,
//! `sy:updatePeriod`, `skipHours`, `skipDays`) and its server (`Cache-Control`, `Expires`, `Retry-After`) ask for only
//! ever makes it rarer. All of it is a function of what is given: the caller brings the clock and the dice.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;

/// The shortest time between two questions.
pub const MIN_INTERVAL: SignedDuration = SignedDuration::from_mins(5);

/// The longest, but for a server that asks for more by `Retry-After`.
pub const MAX_INTERVAL: SignedDuration = SignedDuration::from_hours(24);

/// The longest wait that a server may ask for.
pub const MAX_RETRY_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);

/// For a feed whose items have no dates.
const UNKNOWN_RATE: SignedDuration = SignedDuration::from_hours(1);

/// How many of the newest items tell a feed's rate.
const RATE_ITEMS: usize = 20;

/// How often a permanent redirect is seen before it is believed: a server that is being moved, or a hotel's network,
/// may send everything elsewhere for an hour.
pub const SIGHTINGS: u32 = 3;

/// How much later than necessary, at most, as a part of the interval: feeds of one server must not come due together.
const JITTER: f64 = 0.1;

/// What a feed asks for in its text.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Hints {
    /// Minutes.
    pub ttl: Option<u32>,
    /// Seconds; `sy:updatePeriod`.
    pub update_period: Option<u32>,
    /// How often in that period.
    pub update_frequency: Option<u32>,
    /// Hours of the day, GMT, in which not to ask: bit 0 is midnight to one.
    pub skip_hours: u32,
    /// Days of the week, GMT, on which not to ask: bit 0 is Monday.
    pub skip_days: u8,
}

impl Hints {
    pub(crate) fn ttl(&mut self, text: &str) {
        self.ttl = text.parse().ok();
    }

    pub(crate) fn period(&mut self, text: &str) {
        const HOUR: u32 = 3600;
        self.update_period = match text.to_ascii_lowercase().as_str() {
            "hourly" => Some(HOUR),
            "daily" => Some(24 * HOUR),
            "weekly" => Some(7 * 24 * HOUR),
            "monthly" => Some(30 * 24 * HOUR),
            "yearly" => Some(365 * 24 * HOUR),
            _ => None,
        };
    }

    pub(crate) fn frequency(&mut self, text: &str) {
        self.update_frequency = text.parse().ok().filter(|often| *often > 0);
    }

    /// An hour from 0 to 23; 24 is midnight, too (RSS 0.91 counted from 1).
    pub(crate) fn skip_hour(&mut self, text: &str) {
        if let Ok(hour @ 0..=24) = text.parse::<u32>() {
            self.skip_hours |= 1 << (hour % 24);
        }
    }

    pub(crate) fn skip_day(&mut self, text: &str) {
        const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
        if let Some(day) = DAYS.iter().position(|day| text.eq_ignore_ascii_case(day)) {
            self.skip_days |= 1 << day;
        }
    }

    /// The shortest interval that it asks for, no longer than [`MAX_INTERVAL`].
    fn interval(&self) -> SignedDuration {
        let ttl = SignedDuration::from_mins(self.ttl.unwrap_or(0).into());
        let period = self.update_period.unwrap_or(0) / self.update_frequency.unwrap_or(1).max(1);
        ttl.max(SignedDuration::from_secs(period.into())).min(MAX_INTERVAL)
    }

    fn skips(&self, at: Timestamp) -> bool {
        let at = at.to_zoned(TimeZone::UTC);
        let day = 1 << at.weekday().since(Weekday::Monday);
        self.skip_hours & (1 << at.hour()) != 0 || self.skip_days & day != 0
    }

    /// The first moment from `at` on that it does not ask to leave out; `at` itself if that would be never.
    fn allowed(&self, at: Timestamp) -> Timestamp {
        const HOUR: i64 = 3600;
        let mut hour = at;
        for _ in 0..=7 * 24 {
            if !self.skips(hour) {
                return hour;
            }
            let next = (hour.as_second().div_euclid(HOUR) + 1) * HOUR;
            let Ok(next) = Timestamp::from_second(next) else { break };
            hour = next;
        }
        at
    }
}

/// What a server asks for in its headers, in seconds from the answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Caching {
    pub max_age: Option<i64>,
    pub expires: Option<i64>,
    pub retry_after: Option<i64>,
}

impl Caching {
    /// Reads the headers of an answer that came at `now`; names in any case.
    pub fn of<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>, now: Timestamp) -> Self {
        let (mut caching, mut age, mut expires, mut date) = (Self::default(), 0, None, None);
        for (name, value) in headers {
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "cache-control" => caching.max_age = max_age(value).or(caching.max_age),
                "age" => age = value.parse::<i64>().unwrap_or(0).max(0),
                "expires" => expires = http_date(value),
                "date" => date = http_date(value),
                "retry-after" => {
                    let at = || http_date(value).map(|at| at.duration_since(now).as_secs());
                    caching.retry_after = value.parse().ok().or_else(at).map(|seconds: i64| seconds.max(0));
                }
                _ => {}
            }
        }
        caching.max_age = caching.max_age.map(|seconds| seconds.saturating_sub(age).max(0));
        // By the server's own clock, if it shows one: ours may differ (RFC 9111, section 4.2.1).
        caching.expires = expires.map(|at: Timestamp| at.duration_since(date.unwrap_or(now)).as_secs().max(0));
        caching
    }

    /// `max-age` outranks `Expires` (RFC 9111, section 5.3).
    fn freshness(&self) -> SignedDuration {
        SignedDuration::from_secs(self.max_age.or(self.expires).unwrap_or(0)).min(MAX_INTERVAL)
    }

    fn wait(&self) -> SignedDuration {
        SignedDuration::from_secs(self.retry_after.unwrap_or(0)).min(MAX_RETRY_AFTER)
    }
}

fn max_age(value: &str) -> Option<i64> {
    let directives = value.split(',').filter_map(|directive| directive.trim().split_once('='));
    let mut ages = directives.filter(|(name, _)| name.trim().eq_ignore_ascii_case("max-age"));
    ages.next()?.1.trim().trim_matches('"').parse::<i64>().ok().map(|seconds| seconds.max(0))
}

fn http_date(value: &str) -> Option<Timestamp> {
    crate::Date::parse(value).map(|date| date.at)
}

/// What came of asking.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Answer<'a> {
    /// A feed: what it asks for, and the dates of its items, in any order.
    Feed { hints: &'a Hints, dates: &'a [Timestamp] },
    /// 304: nothing new, the server's headers are.
    NotModified,
    /// 410: there will never be anything again.
    Gone,
    /// Any other status, no answer, or one that is no feed.
    Failed,
}

/// How it stands with a feed. Kept by whoever asks, as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// Not before then; `None` is at once.
    pub next_check_at: Option<Timestamp>,
    /// Failures in a row.
    pub failures: u32,
    /// Seconds between two questions, by the feed's own rate.
    pub rate: Option<i64>,
    pub hints: Hints,
    pub caching: Caching,
    /// Where it seems to have moved.
    pub moved: Option<Moved>,
    /// Its server says that it is gone for good. Only a person starts it again.
    pub gone: bool,
}

/// A permanent redirect that is not yet believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    pub to: Url,
    /// How often in a row; [`SIGHTINGS`] make it true.
    pub sightings: u32,
}

impl State {
    /// Takes note of an answer at `now` and sets when to ask again. `random` is from 0 to 1.
    pub fn after(&mut self, answer: Answer<'_>, caching: Caching, now: Timestamp, random: f64) {
        match answer {
            Answer::Feed { hints, dates } => {
                self.failures = 0;
                self.hints = hints.clone();
                self.rate = Some(rate(dates, now).as_secs());
                self.caching = caching;
            }
            Answer::NotModified => {
                self.failures = 0;
                // A 304 has the headers that are to be used from now on; those it does not have stay as they were.
                self.caching = Caching {
                    max_age: caching.max_age.or(self.caching.max_age),
                    expires: caching.expires.or(self.caching.expires),
                    retry_after: caching.retry_after,
                };
            }
            Answer::Gone => self.gone = true,
            Answer::Failed => {
                self.failures = self.failures.saturating_add(1);
                self.caching.retry_after = caching.retry_after;
            }
        }
        let wait = self.interval();
        let jitter = SignedDuration::from_secs((wait.as_secs() as f64 * JITTER * random.clamp(0.0, 1.0)) as i64);
        self.next_check_at = now.checked_add(wait + jitter).ok().map(|at| self.hints.allowed(at));
    }

    /// From now to the next question, before chance has its share.
    fn interval(&self) -> SignedDuration {
        let rate = self.rate.map_or(UNKNOWN_RATE, SignedDuration::from_secs).clamp(MIN_INTERVAL, MAX_INTERVAL);
        let asked = rate.max(self.hints.interval()).max(self.caching.freshness());
        // A feed never seen is tried again soon: most often its address has just been typed wrong.
        let first = if self.rate.is_none() { MIN_INTERVAL } else { asked };
        let backed_off = match self.failures {
            0 => asked,
            failures => (first * (1 << (failures - 1).min(12))).min(MAX_INTERVAL),
        };
        backed_off.max(self.caching.wait())
    }

    /// Takes note of where permanent redirects, and nothing but those, led this time. Gives the address to use from
    /// now on once it has been seen [`SIGHTINGS`] times in a row.
    pub fn redirected(&mut self, to: Option<&Url>) -> Option<Url> {
        let Some(to) = to else {
            self.moved = None;
            return None;
        };
        let before = self.moved.take().filter(|moved| moved.to == *to).map_or(0, |moved| moved.sightings);
        if before + 1 >= SIGHTINGS {
            return Some(to.clone());
        }
        self.moved = Some(Moved { to: to.clone(), sightings: before + 1 });
        None
    }
}

/// Half the mean time between a feed's newest items, the time since the last of them included.
fn rate(dates: &[Timestamp], now: Timestamp) -> SignedDuration {
    let mut dates: Vec<Timestamp> = dates.iter().copied().filter(|date| *date <= now).collect();
    dates.sort_unstable_by(|a, b| b.cmp(a));
    dates.dedup();
    dates.truncate(RATE_ITEMS);
    let Some(oldest) = dates.last() else { return UNKNOWN_RATE };
    (now.duration_since(*oldest) / (2 * dates.len() as i32)).clamp(MIN_INTERVAL, MAX_INTERVAL)
}

#[cfg(test)]
mod tests;
