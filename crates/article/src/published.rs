//! When an article was published, with the precision its newsroom gave it.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};

/// How much of [`Published::at`] the newsroom actually said. A date stays a date: no time is printed for it.
///
/// Ordered from the finest. A word of a newer version reads as a date, which claims the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    Second,
    Minute,
    #[serde(other)]
    Date,
}

/// A publication instant with its precision and its newsroom's time zone. It never changes after the first revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Published {
    /// The instant; for [`Precision::Date`] the first of that day in `tz`.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    pub precision: Precision,
    /// IANA name, `Asia/Shanghai`, or a fixed offset, `+08:00`.
    pub tz: String,
}

impl Published {
    /// The instant on the newsroom's own clock. An unknown zone (from a newer version's data) reads as UTC.
    pub fn zoned(&self) -> Zoned {
        self.at.to_zoned(parse_zone(&self.tz).unwrap_or(TimeZone::UTC))
    }

    /// RFC 3339 with the newsroom's offset: `2018-11-26T00:00:00+08:00`.
    pub fn rfc3339(&self) -> String {
        self.in_whole_minutes().strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }

    /// RFC 5322 date with the newsroom's offset, as RSS and mail want it: `Mon, 26 Nov 2018 00:00:00 +0800`.
    pub fn rfc5322(&self) -> String {
        self.in_whole_minutes().strftime("%a, %d %b %Y %H:%M:%S %z").to_string()
    }

    /// Both formats have offsets of hours and minutes only; local mean time, the law until the 20th century, had
    /// seconds. Such an instant is given in UTC.
    fn in_whole_minutes(&self) -> Zoned {
        let zoned = self.zoned();
        if zoned.offset().seconds() % 60 == 0 { zoned } else { self.at.to_zoned(TimeZone::UTC) }
    }

    /// The date, and the time where there is one, for a person: `2018-11-26`, `2018-11-26 09:30`.
    pub fn for_people(&self) -> String {
        let format = match self.precision {
            Precision::Date => "%Y-%m-%d",
            Precision::Minute => "%Y-%m-%d %H:%M",
            Precision::Second => "%Y-%m-%d %H:%M:%S",
        };
        self.zoned().strftime(format).to_string()
    }
}

/// Reads an IANA zone name or a fixed offset (`+08:00`, `Z`).
pub(crate) fn parse_zone(text: &str) -> Option<TimeZone> {
    if text == "Z" || text == "UTC" {
        return Some(TimeZone::UTC);
    }
    if text.starts_with(['+', '-']) {
        // jiff reads a fixed offset only as part of a time, so it is given one.
        let zoned = format!("2000-01-01T00:00:00{text}[{text}]").parse::<Zoned>().ok()?;
        return Some(zoned.time_zone().clone());
    }
    TimeZone::get(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(at: &str, precision: Precision, tz: &str) -> Published {
        Published { at: at.parse().unwrap(), precision, tz: tz.into() }
    }

    #[test]
    fn a_date_is_printed_without_a_time_and_in_its_own_zone() {
        let seed = published("2018-11-25T16:00:00Z", Precision::Date, "Asia/Shanghai");
        assert_eq!(seed.for_people(), "2018-11-26");
        assert_eq!(seed.rfc5322(), "Mon, 26 Nov 2018 00:00:00 +0800");
        assert_eq!(seed.rfc3339(), "2018-11-26T00:00:00+08:00");
    }

    #[test]
    fn offsets_and_dst_come_from_the_zone() {
        let cases = [
            ("2026-03-29T00:59:59Z", "Europe/Berlin", "2026-03-29T01:59:59+01:00"),
            ("2026-03-29T01:00:00Z", "Europe/Berlin", "2026-03-29T03:00:00+02:00"),
            ("2026-03-29T01:00:00Z", "+05:30", "2026-03-29T06:30:00+05:30"),
            ("2026-03-29T01:00:00Z", "Z", "2026-03-29T01:00:00+00:00"),
            // Amsterdam kept +00:19:32 until 1937.
            ("1936-12-31T23:00:00Z", "Europe/Amsterdam", "1936-12-31T23:00:00+00:00"),
            ("2026-03-29T01:00:00Z", "Mars/Olympus", "2026-03-29T01:00:00+00:00"),
        ];
        for (at, tz, expected) in cases {
            assert_eq!(published(at, Precision::Second, tz).rfc3339(), expected, "{tz}");
        }
    }
}
