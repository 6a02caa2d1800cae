//! Reads `published`: a date, a time on somebody's clock, or an instant; it keeps exactly as much as was said.

use jiff::civil::{Date, DateTime};
use jiff::fmt::temporal::Pieces;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

use super::{INSTANT, MAX_FUTURE};
use crate::published::parse_zone;
use crate::reader::{Fields, shown};
use crate::{Precision, Published};

/// The first newspaper appeared in 1605: an earlier year is a typing error, and no feed format could print it.
const FIRST_YEAR: i16 = 1600;

/// Seconds. Clocks are up to 14 hours from UTC; one more leaves room for a law, and further off no feed reader follows.
const MAX_OFFSET: u32 = 15 * 60 * 60;

/// A clock that was put forward by more than this left a day out: `Pacific/Apia` had no 30 December 2011.
const LONGEST_GAP: SignedDuration = SignedDuration::from_hours(12);

/// `{at, tz, precision}`: `at` is an RFC 3339 time, or a date (and time) on the clock of `tz`.
pub(super) fn published(fields: &mut Fields<'_>, now: Timestamp) -> Option<Published> {
    let at = fields.line("at", 64);
    fields.require("at", at.is_some());
    let tz = fields.line("tz", 64);
    let given = fields.word("precision", &["date", "minute", "second"], |word| match word {
        "date" => Some(Precision::Date),
        "minute" => Some(Precision::Minute),
        "second" => Some(Precision::Second),
        _ => None,
    });
    let zone = match &tz {
        None => None,
        Some(name) => {
            let zone = parse_zone(name);
            if zone.is_none() {
                let detail = format!("{} is neither an IANA time zone nor an offset like +08:00", shown(name));
                fields.problem("tz", "format", detail);
                return None;
            }
            zone
        }
    };
    let (zoned, said) = moment(fields, &at?, zone)?;
    // The zones with a name are history, which had offsets of its own.
    if zoned.time_zone().iana_name().is_none() && zoned.offset().seconds().unsigned_abs() > MAX_OFFSET {
        let detail = format!("no clock is {} away from UTC; offsets go from -15:00 to +15:00", zoned.strftime("%:z"));
        fields.problem(if tz.is_some() { "tz" } else { "at" }, "range", detail);
        return None;
    }
    if zoned.year() < FIRST_YEAR {
        fields.problem("at", "range", format!("the year {} is before {FIRST_YEAR}; check it", zoned.year()));
        return None;
    }
    if zoned.timestamp() > now + MAX_FUTURE {
        let detail = "more than 48 hours ahead; for later publication leave published out and set embargoed_until";
        fields.problem("at", "future", detail);
        return None;
    }
    let precision = given.unwrap_or(said);
    if precision < said || !is_whole(&zoned, precision) {
        let detail = "at says more or less than precision does; send at alone: its own form tells the precision";
        fields.problem("precision", "conflict", detail);
        return None;
    }
    Some(Published { at: zoned.timestamp(), precision, tz: zone_name(&zoned) })
}

/// What `at` names, and how precisely. A clock time that a zone skips or has twice in the year is read as most people
/// mean it: after the gap, and the first of the two (RFC 5545, section 3.3.5).
fn moment(fields: &mut Fields<'_>, at: &str, zone: Option<TimeZone>) -> Option<(Zoned, Precision)> {
    let said = shape(at);
    if said.is_some_and(|said| said != Precision::Date)
        && let Ok(instant) = at.parse::<Timestamp>()
    {
        let zone = zone.or_else(|| own_offset(at)).unwrap_or(TimeZone::UTC);
        return Some((instant.to_zoned(zone), said?));
    }
    let clock = match said {
        Some(Precision::Date) => at.parse::<Date>().map(|date| date.at(0, 0, 0, 0)).ok(),
        Some(_) => at.parse::<DateTime>().ok(),
        None => None,
    };
    let Some(clock) = clock else {
        fields.problem("at", "format", format!("{} is neither a date (2026-11-22) nor {INSTANT}", shown(at)));
        return None;
    };
    let Some(zone) = zone else {
        let detail = format!("{} has no offset; say whose clock it is in tz, such as Asia/Shanghai", shown(at));
        fields.problem("tz", "required", detail);
        return None;
    };
    match clock.to_zoned(zone) {
        Ok(zoned) if zoned.datetime().duration_since(clock) > LONGEST_GAP => {
            let zone = zone_name(&zoned);
            fields.problem("at", "range", format!("there was no {} in {zone}; check the day and tz", shown(at)));
            None
        }
        Ok(zoned) => Some((zoned, said?)),
        Err(error) => {
            fields.problem("at", "range", format!("{} cannot be placed in time: {error}", shown(at)));
            None
        }
    }
}

/// The precision that the form of a date or time shows: `2026-11-22`, `2026-11-22T09:30…`, `2026-11-22T09:30:00…`.
fn shape(at: &str) -> Option<Precision> {
    let bytes = at.as_bytes();
    match (bytes.len(), bytes.get(13), bytes.get(16)) {
        (10, ..) => Some(Precision::Date),
        (16.., Some(b':'), Some(b':')) => Some(Precision::Second),
        (16.., Some(b':'), _) => Some(Precision::Minute),
        _ => None,
    }
}

/// The offset written in `at`, so that its date is printed as the newsroom wrote it.
fn own_offset(at: &str) -> Option<TimeZone> {
    let offset = Pieces::parse(at).ok()?.to_numeric_offset()?;
    // Offsets with seconds exist in no format we write.
    (offset.seconds() % 60 == 0).then(|| offset.to_time_zone())
}

/// Whether nothing finer than `precision` is in the time: a date means the first instant of its day.
fn is_whole(zoned: &Zoned, precision: Precision) -> bool {
    match precision {
        Precision::Date => zoned.start_of_day().is_ok_and(|start| start == *zoned),
        Precision::Minute => zoned.second() == 0 && zoned.subsec_nanosecond() == 0,
        Precision::Second => true,
    }
}

/// The zone's one spelling: the IANA name in its own case, or `+08:00`.
fn zone_name(zoned: &Zoned) -> String {
    match zoned.time_zone().iana_name() {
        Some(name) => name.to_owned(),
        None => zoned.strftime("%:z").to_string(),
    }
}
