//! Dates as feeds write them.
//!
//! What a feed says is kept as it stands, next to what was understood; a date stays a date. Month names that are not
//! English, and orders of numbers that can be read two ways, are not guessed at.

use article::Precision;
use jiff::civil::{Date as Day, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// The longest date looked at, in bytes.
const MAX_DATE: usize = 100;

/// A point in time as a feed gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Date {
    /// As written, trimmed.
    pub raw: String,
    pub at: Timestamp,
    /// How much of `at` was said.
    pub precision: Precision,
    /// The offset that it was given with; `None` if it had none and was read in UTC.
    pub offset: Option<Offset>,
}

impl Date {
    /// Reads a date: RFC 3339 and its ISO 8601 kin, RFC 2822 and its kin, `asctime`, Chinese dates.
    pub fn parse(raw: &str) -> Option<Self> {
        let raw = raw.trim();
        if raw.is_empty() || raw.len() > MAX_DATE {
            return None;
        }
        let (moment, precision, offset) = iso(raw).or_else(|| chinese(raw)).or_else(|| worded(raw))?;
        let zone = TimeZone::fixed(offset.unwrap_or(Offset::UTC));
        let at = zone.to_timestamp(moment).ok()?;
        Some(Self { raw: raw.into(), at, precision, offset })
    }

    /// The zone as [`article::Published`] names it.
    pub fn zone(&self) -> String {
        match self.offset {
            Some(offset) if offset != Offset::UTC => {
                let minutes = offset.seconds() / 60;
                format!("{}{:02}:{:02}", if minutes < 0 { '-' } else { '+' }, minutes.abs() / 60, minutes.abs() % 60)
            }
            _ => "UTC".into(),
        }
    }
}

type Parsed = (DateTime, Precision, Option<Offset>);

/// `2018-11-26`, `20181126`, `2018-11-26T09:30:00.5+08:00`, `2018/11/26 9:30 CST`, `2018-11`.
fn iso(raw: &str) -> Option<Parsed> {
    let (date, rest) = split_digits_and(raw, "-/.");
    let numbers: Vec<&str> = date.split(['-', '/', '.']).filter(|part| !part.is_empty()).collect();
    let (year, month, day) = match numbers[..] {
        [year, month, day] if year.len() == 4 => (year, month, day),
        [year, month] if year.len() == 4 => (year, month, "1"),
        [digits] if digits.len() == 8 => (&digits[..4], &digits[4..6], &digits[6..]),
        [digits] if digits.len() == 4 && rest.is_empty() => (digits, "1", "1"),
        _ => return None,
    };
    let day = Day::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?;
    timed(day, rest.trim_start_matches(['T', 't', ' ', ',']))
}

/// `2018年11月26日 09:30`
fn chinese(raw: &str) -> Option<Parsed> {
    let (year, rest) = raw.split_once('年')?;
    let (month, rest) = rest.split_once('月')?;
    let (day, rest) = rest.split_once(['日', '号'])?;
    let number = |text: &str| text.trim().parse::<i8>().ok();
    let day = Day::new(year.trim().parse().ok()?, number(month)?, number(day)?).ok()?;
    timed(day, rest.trim_start())
}

/// `Mon, 26 Nov 2018 09:30:00 +0800`, `26-Nov-18`, `November 26, 2018 9:30 PM`, `Mon Nov 26 09:30:00 CST 2018`.
fn worded(raw: &str) -> Option<Parsed> {
    let (mut day, mut month, mut year) = (None, None, None);
    let mut rest = String::new();
    for word in raw.split(|c: char| c.is_whitespace() || c == ',').flat_map(dashed).filter(|word| !word.is_empty()) {
        let ordinal = word.trim_end_matches(['.', 's', 't', 'n', 'd', 'r', 'h']);
        let number = ordinal.parse::<i16>().ok().filter(|_| word.starts_with(|c: char| c.is_ascii_digit()));
        match (number, month_of(word)) {
            (_, Some(named)) if month.is_none() => month = Some(named),
            (Some(number), _) if day.is_none() && (1..=31).contains(&number) && ordinal.len() <= 2 => {
                day = Some(number)
            }
            (Some(number), _) if year.is_none() && matches!(ordinal.len(), 2 | 4) => year = Some(full_year(number)),
            _ if is_weekday(word) => {}
            _ => {
                rest.push_str(word);
                rest.push(' ');
            }
        }
    }
    let day = Day::new(year?, month?, i8::try_from(day?).ok()?).ok()?;
    timed(day, rest.trim())
}

/// `26-Nov-2018` as its three words; anything else as it is, an offset above all.
fn dashed(word: &str) -> impl Iterator<Item = &str> {
    let has_month = word.split('-').any(|part| month_of(part).is_some());
    word.split(move |c| has_month && c == '-')
}

/// Years of two digits (RFC 2822, section 4.3).
fn full_year(number: i16) -> i16 {
    match number {
        0..50 => 2000 + number,
        50..100 => 1900 + number,
        _ => number,
    }
}

/// A time of day with its zone, or neither.
fn timed(day: Day, rest: &str) -> Option<Parsed> {
    let rest = rest.trim();
    if rest.is_empty() {
        return Some((day.into(), Precision::Date, None));
    }
    let (clock, after) = split_digits_and(rest, ":.");
    if !clock.contains(':') {
        // `2018-11-26Z`, `2018-11-26+08:00`
        return zone(rest).map(|offset| (day.into(), Precision::Date, Some(offset)));
    }
    let mut parts = clock.split(':');
    let hour: i8 = parts.next()?.parse().ok()?;
    let minute: i8 = parts.next()?.parse().ok()?;
    let second = parts.next().filter(|second| !second.is_empty());
    let precision = if second.is_some() { Precision::Second } else { Precision::Minute };
    // A leap second is the last one of its minute.
    let second = second.map_or(Some(0), |second| second.split('.').next()?.parse::<i8>().ok())?.min(59);
    let (hour, after) = half_day(hour, after.trim_start())?;
    // 24:00 is the end of its day (ISO 8601:2004).
    let (day, hour) = if hour == 24 { (day.tomorrow().ok()?, 0) } else { (day, hour) };
    let time = Time::new(hour, minute, second, 0).ok()?;
    let offset = if after.is_empty() { None } else { zone(after) };
    Some((day.to_datetime(time), precision, offset))
}

fn half_day(hour: i8, after: &str) -> Option<(i8, &str)> {
    let marked =
        |mark: &str| after.get(..2).filter(|two| two.eq_ignore_ascii_case(mark)).map(|_| after[2..].trim_start());
    match (marked("am"), marked("pm")) {
        (Some(after), _) => Some((hour % 12, after)),
        (_, Some(after)) => Some((hour % 12 + 12, after)),
        _ => Some((hour, after)),
    }
}

/// `Z`, `+0800`, `+08:00`, `GMT+8`, `(EST)`, `EST`. What is no zone we know leaves the time in UTC.
fn zone(text: &str) -> Option<Offset> {
    let text = text.trim_matches(['(', ')', ' ', '[', ']']);
    let first = text.split_whitespace().next()?.trim_matches(['(', ')']);
    if let Some(hours) = named_zone(first) {
        return Offset::from_seconds((hours * 3600.0) as i32).ok();
    }
    let signed = first.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let sign = match signed.chars().next()? {
        '+' => 1,
        '-' | '\u{2212}' => -1,
        _ => return None,
    };
    let digits: String = signed.chars().filter(char::is_ascii_digit).collect();
    let (hours, minutes): (i32, i32) = match digits.len() {
        1 | 2 => (digits.parse().ok()?, 0),
        3 => (digits[..1].parse().ok()?, digits[1..].parse().ok()?),
        4 => (digits[..2].parse().ok()?, digits[2..].parse().ok()?),
        _ => return None,
    };
    // No place on earth is further from UTC than 14 hours; 15 is what an article may have.
    (hours <= 15 && minutes < 60).then_some(())?;
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

/// Hours ahead of UTC. The names of RFC 822, and those that feeds use most. `CST` is America's, as in RFC 822.
fn named_zone(name: &str) -> Option<f64> {
    let hours = match name.to_ascii_uppercase().as_str() {
        "Z" | "UT" | "UTC" | "GMT" | "WET" => 0.0,
        "EST" | "CDT" => -5.0,
        "EDT" | "AST" => -4.0,
        "CST" | "MDT" => -6.0,
        "MST" | "PDT" => -7.0,
        "PST" | "AKDT" => -8.0,
        "AKST" => -9.0,
        "HST" => -10.0,
        "CET" | "MEZ" | "BST" | "WEST" => 1.0,
        "CEST" | "MESZ" | "EET" => 2.0,
        "EEST" | "MSK" => 3.0,
        "HKT" | "SGT" | "AWST" => 8.0,
        "JST" | "KST" => 9.0,
        "AEST" => 10.0,
        "AEDT" => 11.0,
        "NZST" => 12.0,
        "NZDT" => 13.0,
        "NST" => -3.5,
        "IST" => 5.5,
        _ => return None,
    };
    Some(hours)
}

fn month_of(word: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let word = word.trim_end_matches('.').to_ascii_lowercase();
    let is_it =
        |month: &&str| word.len() >= 3 && (month.starts_with(&word) || word == "sept" && **month == *"september");
    MONTHS.iter().position(is_it).map(|at| at as i8 + 1)
}

fn is_weekday(word: &str) -> bool {
    const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let word = word.trim_end_matches('.').to_ascii_lowercase();
    word.len() >= 2 && DAYS.iter().any(|day| day.starts_with(&word))
}

/// The digits, and characters of `others`, that `text` begins with; and the rest.
fn split_digits_and<'a>(text: &'a str, others: &str) -> (&'a str, &'a str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && !others.contains(c)).unwrap_or(text.len());
    text.split_at(end)
}

/// Whether two dates are as good as the same: clocks of a newsroom's programs differ by seconds.
pub(crate) fn same_moment(a: Timestamp, b: Timestamp) -> bool {
    a.duration_since(b).abs() <= SignedDuration::from_mins(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_in_the_forms_that_feeds_have() {
        use Precision::{Date as D, Minute as M, Second as S};
        let cases = [
            ("2018-11-26T09:30:00+08:00", "2018-11-26T01:30:00Z", S, "+08:00"),
            ("2018-11-26T09:30:00.123Z", "2018-11-26T09:30:00Z", S, "UTC"),
            ("2018-11-26 09:30", "2018-11-26T09:30:00Z", M, "UTC"),
            ("2018-11-26T09:30+0530", "2018-11-26T04:00:00Z", M, "+05:30"),
            ("2018-11-26", "2018-11-26T00:00:00Z", D, "UTC"),
            ("20181126", "2018-11-26T00:00:00Z", D, "UTC"),
            ("2018/11/26 9:30:15", "2018-11-26T09:30:15Z", S, "UTC"),
            ("2018-11", "2018-11-01T00:00:00Z", D, "UTC"),
            ("2018", "2018-01-01T00:00:00Z", D, "UTC"),
            ("Mon, 26 Nov 2018 09:30:00 +0800", "2018-11-26T01:30:00Z", S, "+08:00"),
            ("Mon, 26 Nov 2018 09:30:00 GMT", "2018-11-26T09:30:00Z", S, "UTC"),
            ("Thurs, 6 September 18 9:30:00 EST", "2018-09-06T14:30:00Z", S, "-05:00"),
            ("26 Nov 2018", "2018-11-26T00:00:00Z", D, "UTC"),
            ("26-Nov-2018 09:30:00", "2018-11-26T09:30:00Z", S, "UTC"),
            ("November 26th, 2018 9:30 PM", "2018-11-26T21:30:00Z", M, "UTC"),
            ("Nov 26, 2018 12:05 AM", "2018-11-26T00:05:00Z", M, "UTC"),
            ("Mon Nov 26 09:30:00 2018", "2018-11-26T09:30:00Z", S, "UTC"),
            ("Mon Nov 26 09:30:00 PST 2018", "2018-11-26T17:30:00Z", S, "-08:00"),
            ("Mon, 26 Nov 2018 24:00:00 GMT", "2018-11-27T00:00:00Z", S, "UTC"),
            ("Mon, 31 Dec 2018 23:59:60 GMT", "2018-12-31T23:59:59Z", S, "UTC"),
            ("Mon, 26 Nov 2018 09:30:00 GMT+8", "2018-11-26T01:30:00Z", S, "+08:00"),
            ("Mon, 26 Nov 2018 09:30:00 Mars", "2018-11-26T09:30:00Z", S, "UTC"),
            ("2018年11月26日 09:30", "2018-11-26T09:30:00Z", M, "UTC"),
            ("2018年11月26日", "2018-11-26T00:00:00Z", D, "UTC"),
        ];
        for (raw, at, precision, zone) in cases {
            let date = Date::parse(raw).unwrap_or_else(|| panic!("{raw}: no date"));
            assert_eq!(
                (date.at.to_string().as_str(), date.precision, date.zone().as_str()),
                (at, precision, zone),
                "{raw}"
            );
            assert_eq!(date.raw, raw);
        }
    }

    #[test]
    fn what_is_no_date_or_could_be_two_is_none() {
        let long = "1".repeat(200);
        for raw in
            ["", "yesterday", "03/04/2018", "2018-13-01", "2018-02-30", "lundi 26 novembre", "99", "党", "\u{0}", &long]
        {
            assert_eq!(Date::parse(raw), None, "{raw}");
        }
    }
}
