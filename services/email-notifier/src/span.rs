//! How long a subscription stood as it was. Whatever is changed about one ends its span and begins another, so that
//! which span an article belongs to can be told at any later time, by anybody, from the record alone. Pure.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use subscription::Selection;

use crate::frequency::Frequency;

/// Ended spans and pauses are known for this long: a week until a digest is due, and two days for it to be late.
pub(crate) const KNOWN_FOR: SignedDuration = SignedDuration::from_hours(9 * 24);

/// One selection at one frequency, from its confirmation or last change on, until its end or next change.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Span {
    pub selection: Selection,
    #[serde(default)]
    pub frequency: Frequency,
    pub since: Timestamp,
    /// `None`: it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Ended by its owner for good: what it has found and was not due by then is not sent any more. After a change of
    /// frequency it still is, when it would have been due.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left: bool,
    /// IANA name of the zone its due times are in, if its owner has another one since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Box<str>>,
}

impl Span {
    /// The zone of its due times; `current` is its owner's now.
    pub(crate) fn zone(&self, current: &TimeZone) -> TimeZone {
        named(self.zone.as_deref(), current)
    }

    /// Whether what is published at `at` is found by it, if its selection has it.
    pub(crate) fn covers(&self, at: Timestamp) -> bool {
        self.since <= at && self.until.is_none_or(|until| at < until)
    }
}

/// A time in which nothing is to be sent, and nothing of which is sent later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Pause {
    pub since: Timestamp,
    /// `None`: until its owner says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl Pause {
    pub(crate) fn covers(&self, at: Timestamp) -> bool {
        self.since <= at && self.until.is_none_or(|until| at < until)
    }
}

fn named(zone: Option<&str>, current: &TimeZone) -> TimeZone {
    zone.and_then(|name| TimeZone::get(name).ok()).unwrap_or_else(|| current.clone())
}

/// So many alerts at once on one day of the subscriber's; what is beyond comes together, daily at this hour (0–23).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cap {
    /// At least 1.
    pub alerts: u16,
    pub hour: i8,
}

/// A cap for as long as it stood: whoever changes it, or moves, must not get twice what was over it before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CapSpan {
    #[serde(flatten)]
    pub cap: Cap,
    pub since: Timestamp,
    /// `None`: it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// As [`Span::zone`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Box<str>>,
}

impl CapSpan {
    pub(crate) fn covers(&self, at: Timestamp) -> bool {
        self.since <= at && self.until.is_none_or(|until| at < until)
    }

    /// The zone of its days and of its hour; `current` is its owner's now.
    pub(crate) fn zone(&self, current: &TimeZone) -> TimeZone {
        named(self.zone.as_deref(), current)
    }
}
