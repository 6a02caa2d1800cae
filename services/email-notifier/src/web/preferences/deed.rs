//! What a button of the preference page asks for. Pure.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use mail::Locale;
use subscription::Selection;

use crate::frequency::Frequency;
use crate::span::Cap;
use crate::subscriber::{Form, Refused, Subscriber, zone_name};
use crate::web::Web;
use crate::web::form::Fields;
use crate::web::often;

/// What each button is called in a form and in the address of the page after it, and the id of what is said then.
const SAID: [(&str, &str); 10] = [
    ("change", "done-change"),
    ("end", "done-end"),
    ("end-all", "done-end-all"),
    ("add", "done-add"),
    ("settings", "done-settings"),
    ("pause", "done-pause"),
    ("resume", "done-resume"),
    ("cap", "done-cap"),
    ("again", "done-again"),
    ("link", "done-link"),
];

pub(super) enum Deed {
    Change(Selection, Frequency),
    End(Selection),
    EndAll,
    Add(Selection, Frequency),
    Settings {
        language: Locale,
        zone: String,
    },
    Pause(Until),
    Resume,
    Cap(Option<Cap>),
    /// The mailbox works: what came back from it is forgotten.
    Again,
}

/// When a pause ends.
#[derive(Clone, Copy)]
pub(super) enum Until {
    Weeks(i64),
    /// At the beginning of this day, where the subscriber is.
    Day(Date),
    /// When they say so.
    Open,
}

/// The id of what is said after `name` was done; nothing for what is none of ours.
pub(super) fn said(name: &str) -> Option<&'static str> {
    SAID.iter().find(|(known, _)| *known == name).map(|(_, id)| *id)
}

impl Deed {
    /// Or the id of what is wrong.
    pub(super) fn read(fields: &Fields, web: &Web) -> Result<Self, &'static str> {
        let selection = || fields.get("selection").parse::<Selection>().map_err(|_| "problem-selection");
        let frequency = || often::read(fields).map_err(|_| "problem-often");
        match fields.get("do") {
            "change" => Ok(Self::Change(selection()?, frequency()?)),
            "end" => Ok(Self::End(selection()?)),
            "end-all" => Ok(Self::EndAll),
            "add" => {
                let (selection, _) = web.offered(fields.get("selection")).ok_or("problem-selection")?;
                Ok(Self::Add(selection, frequency()?))
            }
            "settings" => {
                let zone = zone_name(fields.get("zone")).map_err(words_for)?;
                Ok(Self::Settings { language: Locale::for_tag(fields.get("language")), zone })
            }
            "pause" => Ok(Self::Pause(until(fields)?)),
            "resume" => Ok(Self::Resume),
            "cap" => Ok(Self::Cap(cap(fields)?)),
            "again" => Ok(Self::Again),
            _ => Err("problem-button"),
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Change(..) => "change",
            Self::End(_) => "end",
            Self::EndAll => "end-all",
            Self::Add(..) => "add",
            Self::Settings { .. } => "settings",
            Self::Pause(_) => "pause",
            Self::Resume => "resume",
            Self::Cap(_) => "cap",
            Self::Again => "again",
        }
    }

    /// Whether anything changed by it. `page`: the language in which it was pressed.
    pub(super) fn apply(&self, subscriber: &mut Subscriber, page: Locale, now: Timestamp) -> Result<bool, Refused> {
        match self {
            Self::Change(selection, frequency) => subscriber.change_frequency(selection, *frequency, now),
            Self::End(selection) => Ok(subscriber.unsubscribe(Some(selection), Form::Preferences, now)),
            Self::EndAll => Ok(subscriber.unsubscribe(None, Form::Preferences, now)),
            Self::Add(selection, frequency) => subscriber.add_on(page, selection, *frequency, now),
            Self::Settings { language, zone } => {
                let moved = subscriber.change_zone(zone, now)?;
                Ok(subscriber.change_language(language.tag()) || moved)
            }
            Self::Pause(until) => {
                let zone = TimeZone::get(&subscriber.zone).unwrap_or(TimeZone::UTC);
                subscriber.pause(until.at(&zone, now)?, now)
            }
            Self::Resume => Ok(subscriber.resume(now)),
            Self::Cap(cap) => subscriber.change_cap(*cap, now),
            Self::Again => {
                let before = subscriber.bounces.clone();
                subscriber.bounces.clear(now);
                Ok(subscriber.bounces != before)
            }
        }
    }
}

impl Until {
    fn at(self, zone: &TimeZone, now: Timestamp) -> Result<Option<Timestamp>, Refused> {
        match self {
            Self::Weeks(weeks) => Ok(Some(now + SignedDuration::from_hours(weeks * 7 * 24))),
            Self::Day(day) => {
                // Some zones have days without a midnight; `compatible` takes the first moment after it.
                let start = zone.to_ambiguous_timestamp(day.at(0, 0, 0, 0)).compatible();
                start.map(Some).map_err(|_| Refused::Pause)
            }
            Self::Open => Ok(None),
        }
    }
}

fn until(fields: &Fields) -> Result<Until, &'static str> {
    match fields.get("for") {
        "open" => Ok(Until::Open),
        "date" => {
            let date = fields.get("date");
            // As browsers write it; a longer text is none, however well it begins.
            let day = date.parse().ok().filter(|_| date.len() == "2026-11-23".len());
            day.map(Until::Day).ok_or("problem-pause")
        }
        weeks => match weeks.parse() {
            Ok(weeks @ 1..=4) => Ok(Until::Weeks(weeks)),
            _ => Err("problem-pause"),
        },
    }
}

fn cap(fields: &Fields) -> Result<Option<Cap>, &'static str> {
    let alerts = fields.get("alerts");
    if alerts.is_empty() {
        return Ok(None);
    }
    match (alerts.parse(), fields.get("hour").parse()) {
        (Ok(alerts), Ok(hour)) => Ok(Some(Cap { alerts, hour })),
        _ => Err("problem-cap"),
    }
}

pub(super) fn words_for(refused: Refused) -> &'static str {
    match refused {
        Refused::Subscriptions => "problem-many",
        Refused::Changes => "problem-changes",
        Refused::Story => "problem-story",
        Refused::Zone => "problem-zone",
        Refused::Pause => "problem-pause",
        Refused::Cap => "problem-cap",
    }
}
