//! Which time zone a printed date is in.

use std::fmt;
use std::str::FromStr;

use jiff::tz::{Offset, TimeZone};

use crate::labels::{Kind, Segment};

/// A time zone with the name it is stored under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    pub(crate) name: String,
    pub(crate) tz: TimeZone,
}

/// A zone name that is neither in the IANA database nor an offset.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is not a time zone: give an IANA name such as Asia/Shanghai, or an offset such as +08:00")]
pub struct BadZone(String);

impl Zone {
    pub(crate) fn utc() -> Self {
        Self { name: "UTC".to_owned(), tz: TimeZone::UTC }
    }

    pub(crate) fn is_utc(&self) -> bool {
        matches!(&*self.name, "UTC" | "+00:00")
    }

    /// A fixed offset in minutes east of UTC; `None` beyond ±14:00, the widest in use.
    pub(crate) fn fixed(minutes: i32) -> Option<Self> {
        let offset = Offset::from_seconds(minutes * 60).ok().filter(|_| minutes.abs() <= 14 * 60)?;
        Some(Self { name: offset_name(offset), tz: TimeZone::fixed(offset) })
    }
}

impl FromStr for Zone {
    type Err = BadZone;

    fn from_str(name: &str) -> Result<Self, BadZone> {
        let bad = || BadZone(name.to_owned());
        if let Some(minutes) = offset_minutes(name) {
            return Self::fixed(minutes).ok_or_else(bad);
        }
        let tz = TimeZone::get(name).map_err(|_| bad())?;
        // The database matches names in any case: the stored name is its own spelling.
        let name = tz.iana_name().ok_or_else(bad)?.to_owned();
        Ok(Self { name, tz })
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// `+08:00` in minutes.
fn offset_minutes(name: &str) -> Option<i32> {
    let (sign, digits) = match name.as_bytes() {
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let [h1, h2, b':', m1, m2] = digits else { return None };
    let number = |tens: &u8, ones: &u8| {
        (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| i32::from(tens - b'0') * 10 + i32::from(ones - b'0'))
    };
    let minutes = number(m1, m2).filter(|&minutes| minutes < 60)?;
    Some(sign * (number(h1, h2)? * 60 + minutes))
}

/// `+08:00`; RFC 3339 has no seconds in an offset, nor has any zone since 1972.
pub(crate) fn offset_name(offset: Offset) -> String {
    let minutes = offset.seconds() / 60;
    format!("{}{:02}:{:02}", if minutes < 0 { '-' } else { '+' }, minutes.abs() / 60, minutes.abs() % 60)
}

/// A family of sites whose pages share their habits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// Sites of Chinese procuratorates and courts, and their English renderings.
    CnProcuratorate,
}

/// A profile name that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no source profile “{0}”: the only one is cn-procuratorate")]
pub struct UnknownProfile(String);

impl Profile {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CnProcuratorate => "cn-procuratorate",
        }
    }

    pub(crate) fn zone(self) -> Zone {
        match self {
            Self::CnProcuratorate => "Asia/Shanghai".parse().expect("the bundled database has it"),
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Self, UnknownProfile> {
        if name == "cn-procuratorate" { Ok(Self::CnProcuratorate) } else { Err(UnknownProfile(name.to_owned())) }
    }
}

/// What gave the profile away: habits of the label line that English-language newsrooms do not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tell {
    /// A label in Chinese.
    ChineseLabel,
    /// A Chinese label rendered word for word: “Time” for the date, “Release date”, “News source”, “Responsible editor”.
    RenderedLabel,
    /// A font size control beside the labels.
    FontSize,
    /// A view counter beside the labels.
    Views,
}

impl fmt::Display for Tell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ChineseLabel => "a label in Chinese",
            Self::RenderedLabel => "a Chinese label rendered word for word",
            Self::FontSize => "a font size control in the label line",
            Self::Views => "a view counter in the label line",
        })
    }
}

/// Recognises a profile from the segments of the label lines, by the strongest tell.
pub(crate) fn recognise<'s>(segments: impl Iterator<Item = &'s Segment> + Clone) -> Option<(Profile, Tell)> {
    let has = |test: fn(&Segment) -> bool| segments.clone().any(test);
    let tell = if has(|segment| segment.chinese) {
        Tell::ChineseLabel
    } else if has(|segment| segment.rendered) {
        Tell::RenderedLabel
    } else if has(|segment| segment.kind == Kind::FontSize) {
        Tell::FontSize
    } else if has(|segment| segment.kind == Kind::Views) {
        Tell::Views
    } else {
        return None;
    };
    Some((Profile::CnProcuratorate, tell))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_by_name_and_offset() {
        for (given, name) in
            [("asia/shanghai", "Asia/Shanghai"), ("UTC", "UTC"), ("+08:00", "+08:00"), ("-03:30", "-03:30")]
        {
            assert_eq!(given.parse::<Zone>().map(|zone| zone.name).as_deref(), Ok(name));
        }
        for bad in ["", "Mars/Olympus", "+8", "+08:60", "+15:00", "08:00", "+0८:00"] {
            assert!(bad.parse::<Zone>().is_err(), "{bad}");
        }
        assert_eq!("cn-procuratorate".parse(), Ok(Profile::CnProcuratorate));
        assert!("cn".parse::<Profile>().is_err());
    }
}
