//! What came back from a reader's mailbox, and when nothing is sent there any more. Pure.
//!
//! A mailbox that does not exist gets nothing from then on. What may pass costs a point, one a UTC day at most; points
//! are forgotten 30 days after the last. Five make the mailbox rest for a week. The next mail after that is the probe: if
//! it comes back, nothing is sent any more. The week is longer than relays try (RFC 5321 section 4.5.4.1: 4 to 5 days),
//! so what comes back in it is about mail of before, and what comes back after it is about the probe or later mail.
//!
//! A complaint ends everything for ever; a bounce until its owner confirms something by a mail that reached them.

use inbound::{Class, Status};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

const POINTS: u8 = 5;
const STALE_DAYS: i32 = 30;
const REST: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Part of a subscriber's record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bounces {
    #[serde(default, skip_serializing_if = "is_zero")]
    points: u8,
    /// The UTC day of the last point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_day: Option<Date>,
    /// When the last of [`POINTS`] points was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rests_since: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    suppressed: Option<Suppression>,
    /// Reports of before say nothing any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cleared_at: Option<Timestamp>,
}

/// Why nothing is sent any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Suppression {
    pub reason: Reason,
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    Bounced,
    Complained,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(points: &u8) -> bool {
    *points == 0
}

impl Bounces {
    /// A mail came back at `at`. Whether anything changes by it: told twice, or in another order, it is counted once.
    pub(crate) fn bounced(&mut self, class: Class, status: Option<Status>, at: Timestamp) -> bool {
        if self.suppressed.is_some() || self.cleared_at.is_some_and(|cleared| at <= cleared) {
            return false;
        }
        match class {
            Class::Sender => false,
            Class::Hard => self.suppress(at, status),
            Class::Soft => self.point(status, at),
        }
    }

    fn point(&mut self, status: Option<Status>, at: Timestamp) -> bool {
        let day = day(at);
        if self.last_day.is_some_and(|last| day <= last) {
            return false;
        }
        if self.is_stale(day) {
            (self.points, self.rests_since) = (0, None);
        }
        match self.rests_since {
            // About mail that was sent before the rest.
            Some(since) if at.duration_since(since) < REST => return false,
            Some(_) => return self.suppress(at, status),
            None => {}
        }
        self.points += 1;
        self.last_day = Some(day);
        self.rests_since = (self.points >= POINTS).then_some(at);
        true
    }

    fn suppress(&mut self, at: Timestamp, status: Option<Status>) -> bool {
        self.suppressed = Some(Suppression { reason: Reason::Bounced, at, status });
        true
    }

    /// Its reader calls our mail spam.
    pub(crate) fn complained(&mut self, at: Timestamp) -> bool {
        let known = self.suppressed.is_some_and(|suppressed| suppressed.reason == Reason::Complained);
        if !known {
            self.suppressed = Some(Suppression { reason: Reason::Complained, at, status: None });
        }
        !known
    }

    /// A mail of ours has reached the owner, who acted on it. A complaint stays.
    pub(crate) fn clear(&mut self, at: Timestamp) {
        let complained = self.suppressed.is_some_and(|suppressed| suppressed.reason == Reason::Complained);
        if !complained && *self != Self::default() {
            *self = Self { cleared_at: Some(at), ..Self::default() };
        }
    }

    /// Why nothing may be sent at `now`; `None`: it may.
    pub(crate) fn stops(&self, now: Timestamp) -> Option<Reason> {
        let rests = self.rests_since.is_some_and(|since| now.duration_since(since) < REST) && !self.is_stale(day(now));
        let suppressed = self.suppressed.map(|suppressed| suppressed.reason);
        suppressed.or(rests.then_some(Reason::Bounced))
    }

    fn is_stale(&self, day: Date) -> bool {
        self.last_day.is_some_and(|last| (day - last).get_days() > STALE_DAYS)
    }
}

fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(hours: i64) -> Timestamp {
        "2026-11-22T10:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hours)
    }

    fn after_soft(days: &[i64]) -> Bounces {
        let mut bounces = Bounces::default();
        for day in days {
            bounces.bounced(Class::Soft, None, at(24 * day));
        }
        bounces
    }

    #[test]
    fn a_mailbox_that_is_not_there_gets_nothing_from_then_on() {
        let mut bounces = Bounces::default();
        let status = "5.1.1".parse().unwrap();
        assert!(bounces.bounced(Class::Hard, Some(status), at(0)));
        assert!(!bounces.bounced(Class::Hard, None, at(1)), "once is enough");
        assert_eq!(bounces.stops(at(24 * 400)), Some(Reason::Bounced));
        let json = serde_json::to_string(&bounces).unwrap();
        assert_eq!(json, r#"{"suppressed":{"reason":"bounced","at":"2026-11-22T10:00:00Z","status":"5.1.1"}}"#);
        assert_eq!(serde_json::from_str::<Bounces>(&json).unwrap(), bounces);
    }

    #[test]
    fn a_day_costs_a_point_at_most_and_five_a_week_of_rest() {
        let mut bounces = Bounces::default();
        for hour in 0..14 {
            assert_eq!(bounces.bounced(Class::Soft, None, at(hour)), hour == 0, "one a day");
        }
        assert_eq!(after_soft(&[0, 1, 2, 3]).stops(at(24 * 3)), None);
        let rests = after_soft(&[0, 1, 2, 3, 4]);
        assert_eq!(rests.stops(at(24 * 4)), Some(Reason::Bounced));
        assert_eq!(rests.stops(at(24 * 11 - 1)), Some(Reason::Bounced));
        assert_eq!(rests.stops(at(24 * 11)), None, "the probe may go out");
        assert_eq!(after_soft(&[0, 1, 2, 3, 4, 6, 9]), rests, "relays give up on older mail in the meantime");
    }

    #[test]
    fn a_probe_that_comes_back_is_the_last() {
        let ended = after_soft(&[0, 1, 2, 3, 4, 12]);
        assert_eq!(ended.stops(at(24 * 12)), Some(Reason::Bounced));
        assert_eq!(ended.stops(at(24 * 900)), Some(Reason::Bounced));
        let forgiven = after_soft(&[0, 1, 2, 3, 4, 35]);
        assert_eq!(forgiven.stops(at(24 * 35)), None, "30 days of silence: it begins anew");
        assert_eq!(after_soft(&[0, 1, 2, 3, 34, 35]).stops(at(24 * 35)), None);
        assert_eq!(after_soft(&[0, 7, 14, 21, 28]).stops(at(24 * 28)), Some(Reason::Bounced));
    }

    #[test]
    fn a_refusal_of_ourselves_costs_the_reader_nothing() {
        let mut bounces = Bounces::default();
        assert!(!bounces.bounced(Class::Sender, Some("5.7.1".parse().unwrap()), at(0)));
        assert_eq!(bounces, Bounces::default());
    }

    #[test]
    fn the_owner_clears_bounces_and_never_a_complaint() {
        let mut bounces = Bounces::default();
        bounces.clear(at(0));
        assert_eq!(bounces, Bounces::default(), "there is nothing to remember");
        bounces.bounced(Class::Hard, None, at(0));
        bounces.clear(at(5));
        assert_eq!(bounces.stops(at(5)), None);
        assert!(!bounces.bounced(Class::Hard, None, at(0)), "the same report, delivered again");
        assert!(bounces.bounced(Class::Hard, None, at(6)));
        assert!(bounces.complained(at(7)) && !bounces.complained(at(8)));
        bounces.clear(at(9));
        assert_eq!(bounces.stops(at(24 * 10_000)), Some(Reason::Complained));
    }

    proptest! {
        /// Two workers, redeliveries, a crash between record and acknowledgement: reports come again.
        #[test]
        fn what_is_told_again_is_counted_once(days in prop::collection::vec((0i64..60, 0u8..3), 0..30)) {
            let class = |n: u8| [Class::Soft, Class::Soft, Class::Sender][usize::from(n)];
            let (mut once, mut again) = (Bounces::default(), Bounces::default());
            for (n, (day, kind)) in days.iter().enumerate() {
                once.bounced(class(*kind), None, at(24 * day));
                again.bounced(class(*kind), None, at(24 * day));
                let (day, kind) = days[n / 2];
                again.bounced(class(kind), None, at(24 * day));
                again.bounced(class(kind), None, at(24 * day));
            }
            // An earlier report that is told again may only be one that counted for nothing when it came first.
            if days.is_sorted_by_key(|(day, _)| *day) {
                prop_assert_eq!(once, again);
            }
        }
    }
}
