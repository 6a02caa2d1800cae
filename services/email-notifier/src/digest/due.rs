//! What is due between two runs, and how far back the news goes that may be due then. Pure.

use std::collections::{BTreeSet, HashMap};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::belong::Terms;
use crate::frequency::Frequency;

/// Longer than it is from any due to the next: a week, or two where a country skipped a day.
const LONGEST: SignedDuration = SignedDuration::from_hours(16 * 24);

/// Quarters of an hour of UTC: no zone of today has its hours elsewhere.
pub(crate) const SLOT: SignedDuration = SignedDuration::from_mins(15);

/// The newest slot at `now`.
pub(crate) fn slot(now: Timestamp) -> Timestamp {
    let second = now.as_second();
    Timestamp::from_second(second - second.rem_euclid(SLOT.as_secs())).unwrap_or(now)
}

/// What a run makes up for: what was due after the slot of the last one, until its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub after: Timestamp,
    pub until: Timestamp,
}

impl Window {
    pub(crate) fn has(&self, due: Timestamp) -> bool {
        self.after < due && due <= self.until
    }
}

/// Days of UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Days(BTreeSet<i64>);

impl Days {
    fn insert(&mut self, from: Timestamp, until: Timestamp) {
        self.0.extend(day(from)..=day(until));
    }

    pub(crate) fn has(&self, at: Timestamp) -> bool {
        self.0.contains(&day(at))
    }
}

fn day(at: Timestamp) -> i64 {
    at.as_second().div_euclid(24 * 60 * 60)
}

/// The dues in a window. Working one out takes a microsecond and there are few: each is worked out once.
#[derive(Debug)]
pub(crate) struct Dues {
    window: Window,
    /// By zone: the due before the first in the window; `None` without one in it.
    before: HashMap<Box<str>, HashMap<Frequency, Option<Timestamp>>>,
}

impl Dues {
    pub(crate) fn new(window: Window) -> Self {
        Self { window, before: HashMap::new() }
    }

    /// Since when an article must be known, at the earliest, to be due in the window to somebody; `None`: nothing is.
    /// With `over`, what is over their cap on alerts may be. The days that may have it are added to `days`.
    pub(crate) fn since(&mut self, terms: &Terms<'_>, over: bool, days: &mut Days) -> Option<Timestamp> {
        let all = terms.digests(over).filter_map(|(frequency, zone)| self.before(frequency, &zone));
        let mut since = all.min()?;
        days.insert(since, self.window.until);
        // What fell due in a pause waits: then it is older, but not from within the pause.
        let mut pauses: Vec<_> = terms.pauses.iter().collect();
        pauses.sort_by_key(|pause| std::cmp::Reverse(pause.since));
        for pause in pauses {
            if pause.since <= since && pause.until.is_none_or(|until| until > since) {
                since = pause.since - LONGEST;
                days.insert(since, pause.since);
            }
        }
        Some(since)
    }

    fn before(&mut self, frequency: Frequency, zone: &TimeZone) -> Option<Timestamp> {
        let name = zone.iana_name().unwrap_or("UTC");
        if let Some(known) = self.before.get(name).and_then(|zone| zone.get(&frequency)) {
            return *known;
        }
        let first = frequency.next_due(zone, self.window.after).filter(|first| self.window.has(*first));
        let before = first.map(|first| {
            let from = first - LONGEST;
            let dues = std::iter::successors(Some(from), |due| frequency.next_due(zone, *due));
            dues.take_while(|due| *due < first).last().unwrap_or(from)
        });
        self.before.entry(name.into()).or_default().insert(frequency, before);
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span::{Cap, CapSpan, Pause, Span};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn window(after: &str, until: &str) -> Window {
        Window { after: at(after), until: at(until) }
    }

    fn span(frequency: &str) -> Span {
        let (selection, frequency) = (subscription::Selection::everything(), frequency.parse().unwrap());
        Span { selection, frequency, since: at("2026-01-01T00:00:00Z"), until: None, left: false, zone: None }
    }

    #[test]
    fn slots_are_quarters_of_an_hour() {
        assert_eq!(slot(at("2026-11-23T08:14:59.9Z")), at("2026-11-23T08:00:00Z"));
        assert_eq!(slot(at("2026-11-23T08:15:00Z")), at("2026-11-23T08:15:00Z"));
        assert_eq!(slot(at("1969-12-31T23:59:59Z")), at("1969-12-31T23:45:00Z"));
        let quarter = window("2026-11-23T08:00:00Z", "2026-11-23T08:15:00Z");
        let has = ["2026-11-23T08:00:00Z", "2026-11-23T08:00:01Z", "2026-11-23T08:15:00Z", "2026-11-23T08:15:01Z"];
        assert_eq!(has.map(|due| quarter.has(at(due))), [false, true, true, false]);
    }

    #[test]
    fn the_news_goes_back_to_the_due_before_and_to_before_the_pauses() {
        let pause = |since: &str, until: Option<&str>| Pause { since: at(since), until: until.map(at) };
        let quarter = window("2026-11-23T06:45:00Z", "2026-11-23T07:00:00Z");
        let after_days = window("2026-11-19T06:45:00Z", "2026-11-23T07:00:00Z");
        type Case<'a> = (&'static str, Window, &'a [&'a str], Vec<Pause>, bool, Option<&'static str>);
        let cases: [Case<'_>; 10] = [
            ("daily", quarter, &["daily@08"], vec![], false, Some("2026-11-22T07:00:00Z")),
            ("not at this hour", quarter, &["daily@09", "weekly@fri@08"], vec![], false, None),
            ("weekly", quarter, &["daily@08", "weekly@mon@08"], vec![], false, Some("2026-11-16T07:00:00Z")),
            ("alerts", quarter, &["immediate"], vec![], false, None),
            ("over a cap", quarter, &["immediate"], vec![], true, Some("2026-11-22T07:00:00Z")),
            ("four dues at once", after_days, &["daily@08"], vec![], false, Some("2026-11-18T07:00:00Z")),
            (
                "the one before was in a pause",
                quarter,
                &["daily@08"],
                vec![pause("2026-10-01T00:00:00Z", Some("2026-11-22T12:00:00Z"))],
                false,
                Some("2026-09-15T00:00:00Z"),
            ),
            (
                "pauses in a row",
                quarter,
                &["daily@08"],
                vec![
                    pause("2026-08-01T00:00:00Z", Some("2026-09-20T00:00:00Z")),
                    pause("2026-10-01T00:00:00Z", Some("2026-11-22T12:00:00Z")),
                ],
                false,
                Some("2026-07-16T00:00:00Z"),
            ),
            (
                "an old pause",
                quarter,
                &["daily@08"],
                vec![pause("2026-10-01T00:00:00Z", Some("2026-11-20T12:00:00Z"))],
                false,
                Some("2026-11-22T07:00:00Z"),
            ),
            (
                "a pause between two dues",
                quarter,
                &["daily@08"],
                vec![pause("2026-11-22T09:00:00Z", Some("2026-11-22T12:00:00Z"))],
                false,
                Some("2026-11-22T07:00:00Z"),
            ),
        ];
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let caps =
            [CapSpan { cap: Cap { alerts: 1, hour: 8 }, since: at("2026-01-01T00:00:00Z"), until: None, zone: None }];
        for (case, window, frequencies, pauses, over, expected) in cases {
            let spans: Vec<Span> = frequencies.iter().map(|frequency| span(frequency)).collect();
            let terms = Terms { zone: &zone, spans: &spans, pauses: &pauses, caps: if over { &caps } else { &[] } };
            let mut days = Days::default();
            let since = Dues::new(window).since(&terms, over, &mut days);
            assert_eq!(since, expected.map(at), "{case}");
            assert_eq!(days == Days::default(), expected.is_none(), "{case}");
            if let Some(since) = since {
                assert!(days.has(since) && days.has(window.until), "{case}");
                assert!(!days.has(at("2026-10-15T00:00:00Z")), "{case}: what was published in a pause is for nobody");
            }
        }
    }
}
