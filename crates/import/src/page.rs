//! What an import returns: the fields as printed, where each came from, and what was left out.

use std::fmt;

use jiff::tz::{AmbiguousOffset, Offset};
use jiff::{Timestamp, civil};
use url::Url;

use crate::account::Claim;
use crate::zone::{Profile, Tell, Zone};

/// What the caller knows about the page and the page does not say.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The zone of dates without an offset, when no `profile` is named.
    pub timezone: Option<Zone>,
    /// The family of sites the page comes from, when it should not be recognised from the page.
    pub profile: Option<Profile>,
    /// BCP 47 tag of the page's language, taken as it is; otherwise told from its script.
    pub language: Option<String>,
    /// The page's own address: relative addresses resolve against it, and readers are sent there.
    pub url: Option<Url>,
}

/// One page, field by field. Text is verbatim; only blanks at the ends of paragraphs and values are gone.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    pub section: Option<String>,
    pub headline: String,
    pub date: PageDate,
    /// The names in `byline`, without roles such as “reporter”.
    pub authors: Vec<String>,
    /// The byline as printed.
    pub byline: Option<String>,
    pub byline_from: Option<BylineFrom>,
    pub source: Option<String>,
    pub editors: Vec<String>,
    /// BCP 47 tag.
    pub language: String,
    pub language_from: LanguageFrom,
    /// Paragraphs; at least one.
    pub body: Vec<String>,
    /// What is in no field, in the order of the page.
    pub dropped: Vec<Dropped>,
    pub warnings: Vec<Warning>,
    /// Where everything came from: covers every non-blank character of the page once, in its order.
    pub claims: Vec<Claim>,
}

/// The date of a page with the precision it was printed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageDate {
    /// As on the page.
    pub printed: String,
    pub date: civil::Date,
    pub time: Option<civil::Time>,
    pub precision: Precision,
    /// IANA name, or a fixed offset such as `+08:00`.
    pub timezone: String,
    pub zone_from: ZoneFrom,
    /// Offset of `timezone` at `instant`.
    pub offset: Offset,
    /// The moment; for a date without a time, the start of that day in `timezone`.
    pub instant: Timestamp,
}

impl PageDate {
    /// A date in its zone, and whether the clocks there showed that time once. A year must be between 1900 and 2199.
    pub(crate) fn placed(
        printed: &str,
        date: civil::Date,
        time: Option<civil::Time>,
        precision: Precision,
        zone: Zone,
        zone_from: ZoneFrom,
    ) -> (Self, bool) {
        let at = date.to_datetime(time.unwrap_or(civil::Time::midnight()));
        let ambiguous = zone.tz.to_ambiguous_zoned(at);
        let clear = time.is_none() || matches!(ambiguous.offset(), AmbiguousOffset::Unambiguous { .. });
        let zoned = ambiguous.compatible().expect("years are limited to 1900–2199, far inside jiff's range");
        let (offset, instant) = (zoned.offset(), zoned.timestamp());
        let printed = printed.to_owned();
        (Self { printed, date, time, precision, timezone: zone.name, zone_from, offset, instant }, clear)
    }
}

impl fmt::Display for PageDate {
    /// `2018-11-26`, or RFC 3339 with the offset when a time was printed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.time {
            None => write!(f, "{}", self.date),
            Some(time) => write!(f, "{}T{:.0}{}", self.date, time, crate::zone::offset_name(self.offset)),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    Date,
    Minute,
    Second,
}

/// What decided the zone of the date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZoneFrom {
    /// The date itself names an offset or zone.
    Printed,
    /// The metadata of an HTML page states the same time of day with its offset.
    Stated,
    /// The profile the caller named.
    Profile(Profile),
    /// The zone the caller named.
    Option,
    /// A profile recognised from the label line.
    Recognised(Profile, Tell),
    /// The language of an HTML page: where it is written there is one zone. With a warning.
    Language,
    /// Nothing: UTC was assumed, with a warning.
    Assumed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BylineFrom {
    /// The author label.
    Label,
    /// The closing parentheses of the last paragraph.
    Signoff,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LanguageFrom {
    /// The caller named it.
    Option,
    /// The page says so, and its text is in that script.
    Declared,
    /// The script leaves no other choice.
    Script,
    /// The most likely one for the script, with a warning.
    Assumed,
}

/// Text of the page that is in no field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// 1-based line of the page.
    pub line: u32,
    pub text: String,
    pub why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    Control,
    Views,
    Breadcrumb,
    AboveSection,
    RepeatedLabel,
    AfterLabels,
    /// Of an HTML page: part of the template around the story.
    Furniture,
    /// Of an HTML page: it gave a field its value, so it is no part of the body.
    Field,
    /// A caption without its picture.
    Caption,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Control => "a control of the web page",
            Self::Views => "a view counter",
            Self::Breadcrumb => "the way through the web site",
            Self::AboveSection => "stands above the section and the headline",
            Self::RepeatedLabel => "repeats a label that already has a value",
            Self::AfterLabels => "stands after the closing label lines",
            Self::Furniture => "part of the web page, not of the story",
            Self::Field => "says what is in a field",
            Self::Caption => "a caption without its picture",
        })
    }
}

/// Something an editor should look at; the import stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub code: WarningCode,
    /// 1-based line of the page, when it is about one.
    pub line: Option<u32>,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WarningCode {
    /// No zone was printed or named: it was told from the habits of the page, or it is UTC.
    ZoneAssumed,
    /// The clock showed the printed time twice or not at all, because it was put back or forward.
    TimeUnclear,
    /// The language is the most likely one for the script.
    LanguageAssumed,
    /// A label came twice; the first value was kept.
    RepeatedLabel,
    /// Text was dropped that might matter.
    TextDropped,
    /// Closing parentheses were kept in the body because they do not read as a name.
    SignoffKept,
    /// A value has something in it that looks like a label unknown to the importer.
    UnknownLabel,
    /// Some characters of the page could not be decoded.
    Unreadable,
}

impl WarningCode {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ZoneAssumed => "W_ZONE_ASSUMED",
            Self::TimeUnclear => "W_TIME_UNCLEAR",
            Self::LanguageAssumed => "W_LANGUAGE_ASSUMED",
            Self::RepeatedLabel => "W_REPEATED_LABEL",
            Self::TextDropped => "W_TEXT_DROPPED",
            Self::SignoffKept => "W_SIGNOFF_KEPT",
            Self::UnknownLabel => "W_UNKNOWN_LABEL",
            Self::Unreadable => "W_UNREADABLE",
        }
    }
}

impl fmt::Display for WarningCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
