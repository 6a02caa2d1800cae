//! How often a subscription is served, and when that is in its owner's own time zone. Pure.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// When what a subscription finds is sent. As text: `immediate`, `daily@08`, `weekly@mon@08`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum Frequency {
    #[default]
    Immediate,
    /// At this hour (0–23).
    Daily { hour: i8 },
    /// On this day at this hour (0–23).
    Weekly { day: Weekday, hour: i8 },
}

const DAYS: [(Weekday, &str); 7] = [
    (Weekday::Monday, "mon"),
    (Weekday::Tuesday, "tue"),
    (Weekday::Wednesday, "wed"),
    (Weekday::Thursday, "thu"),
    (Weekday::Friday, "fri"),
    (Weekday::Saturday, "sat"),
    (Weekday::Sunday, "sun"),
];

impl Frequency {
    /// The first time after `after` at which it is due; `None` for what is sent at once.
    ///
    /// An hour that a change of clocks leaves out is the same distance later; one that comes twice is the first.
    pub(crate) fn next_due(self, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
        let (day, hour) = match self {
            Self::Immediate => return None,
            Self::Daily { hour } => (None, hour),
            Self::Weekly { day, hour } => (Some(day), hour),
        };
        let today = zone.to_datetime(after).date();
        // From yesterday on: where the clock was put back over midnight, an hour of yesterday may be still to come.
        (-1..=9).find_map(|days| {
            let date = today.checked_add(days.days()).ok()?;
            let on = day.is_none_or(|day| date.weekday() == day);
            let due = zone.to_ambiguous_timestamp(date.at(hour, 0, 0, 0)).compatible().ok()?;
            (on && due > after).then_some(due)
        })
    }
}

impl fmt::Display for Frequency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Immediate => f.write_str("immediate"),
            Self::Daily { hour } => write!(f, "daily@{hour:02}"),
            Self::Weekly { day, hour } => {
                let name = DAYS.iter().find(|(known, _)| known == day).map_or("mon", |(_, name)| name);
                write!(f, "weekly@{name}@{hour:02}")
            }
        }
    }
}

/// What is no frequency; its text says what is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a frequency is immediate, daily@HH or weekly@DAY@HH, with HH from 00 to 23 and DAY one of mon tue wed thu fri sat sun"
)]
pub(crate) struct InvalidFrequency;

impl FromStr for Frequency {
    type Err = InvalidFrequency;

    fn from_str(text: &str) -> Result<Self, InvalidFrequency> {
        let hour = |text: &str| {
            let digits = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            text.parse().ok().filter(|hour| digits && *hour < 24).ok_or(InvalidFrequency)
        };
        match text.split('@').collect::<Vec<_>>()[..] {
            ["immediate"] => Ok(Self::Immediate),
            ["daily", at] => Ok(Self::Daily { hour: hour(at)? }),
            ["weekly", day, at] => {
                let (day, _) = DAYS.into_iter().find(|(_, name)| *name == day).ok_or(InvalidFrequency)?;
                Ok(Self::Weekly { day, hour: hour(at)? })
            }
            _ => Err(InvalidFrequency),
        }
    }
}

impl Serialize for Frequency {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Frequency {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dues(frequency: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
        let (frequency, zone): (Frequency, _) = (frequency.parse().unwrap(), TimeZone::get(zone).unwrap());
        let first = frequency.next_due(&zone, after.parse().unwrap());
        let all = std::iter::successors(first, |due| frequency.next_due(&zone, *due));
        all.take(count).map(|due| due.to_string()).collect()
    }

    #[test]
    fn each_day_has_one_due_whatever_the_clocks_do() {
        // Berlin, 2026: 02:00 is left out on 29 March and comes twice on 25 October.
        let spring = ["2026-03-28T01:00:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"];
        assert_eq!(dues("daily@02", "Europe/Berlin", "2026-03-27T12:00:00Z", 3), spring);
        let autumn = ["2026-10-24T00:00:00Z", "2026-10-25T00:00:00Z", "2026-10-26T01:00:00Z"];
        assert_eq!(dues("daily@02", "Europe/Berlin", "2026-10-23T12:00:00Z", 3), autumn);
        // Cairo puts its clock back over midnight: the first 23:00 of the day is the one.
        let midnight = ["2026-10-28T20:00:00Z", "2026-10-29T20:00:00Z", "2026-10-30T21:00:00Z"];
        assert_eq!(dues("daily@23", "Africa/Cairo", "2026-10-28T12:00:00Z", 3), midnight);
        // Samoa had no 30 December 2011.
        let none = ["2011-12-29T18:00:00Z", "2011-12-30T18:00:00Z", "2011-12-31T18:00:00Z"];
        assert_eq!(dues("daily@08", "Pacific/Apia", "2011-12-28T20:00:00Z", 3), none);
    }

    #[test]
    fn a_week_is_from_day_to_day() {
        let mondays = ["2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"];
        assert_eq!(dues("weekly@mon@08", "Asia/Shanghai", "2026-11-22T10:00:00Z", 2), mondays);
        assert_eq!(dues("immediate", "UTC", "2026-11-22T10:00:00Z", 2), [""; 0]);
        assert_eq!(
            dues("daily@08", "UTC", "2026-11-22T08:00:00Z", 1),
            ["2026-11-23T08:00:00Z"],
            "due at 8 is over at 8"
        );
    }

    #[test]
    fn the_text_reads_back() {
        for text in ["immediate", "daily@00", "daily@23", "weekly@mon@08", "weekly@sun@19"] {
            assert_eq!(text.parse::<Frequency>().unwrap().to_string(), text);
        }
        for wrong in
            ["", "daily", "daily@24", "daily@-1", "daily@+1", "weekly@08", "weekly@Mon@08", "hourly", "daily@8@8"]
        {
            assert_eq!(wrong.parse::<Frequency>(), Err(InvalidFrequency), "{wrong}");
        }
    }
}
