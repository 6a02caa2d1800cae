//! The fields of a form by which somebody says how often, at which hour of theirs, and in which time zone.

use std::sync::LazyLock;

use jiff::tz;

use super::form::Fields;
use super::pages::{Choice, Chrome};
use crate::frequency::{Frequency, InvalidFrequency};

/// Values of the field, and the ids of their names.
pub(super) const KINDS: [(&str, &str); 3] =
    [("immediate", "often-immediate"), ("daily", "often-daily"), ("weekly", "often-weekly")];
pub(super) const DAYS: [(&str, &str); 7] = [
    ("mon", "day-mon"),
    ("tue", "day-tue"),
    ("wed", "day-wed"),
    ("thu", "day-thu"),
    ("fri", "day-fri"),
    ("sat", "day-sat"),
    ("sun", "day-sun"),
];
/// The hour that a form begins with.
pub(super) const MORNING: i8 = 8;

/// The first part of a zone's name, and the id of what it is called.
const REGIONS: [(&str, &str); 10] = [
    ("Africa", "region-africa"),
    ("America", "region-america"),
    ("Antarctica", "region-antarctica"),
    ("Arctic", "region-arctic"),
    ("Asia", "region-asia"),
    ("Atlantic", "region-atlantic"),
    ("Australia", "region-australia"),
    ("Europe", "region-europe"),
    ("Indian", "region-indian"),
    ("Pacific", "region-pacific"),
];

/// The zones of each region by name. The database is compiled in, so they are the same on every host.
static ZONES: LazyLock<[Vec<String>; REGIONS.len()]> = LazyLock::new(|| {
    let mut names: Vec<String> = tz::db().available().map(|name| name.as_str().to_owned()).collect();
    names.sort_unstable();
    REGIONS.map(|(region, _)| {
        let within = |name: &&String| name.strip_prefix(region).is_some_and(|rest| rest.starts_with('/'));
        names.iter().filter(within).cloned().collect()
    })
});

/// How often, as it stands in a form.
pub(super) struct Often {
    /// Sets the ids of its fields apart from those of another on the page.
    pub(super) suffix: String,
    pub(super) kind: &'static str,
    pub(super) day: &'static str,
    pub(super) hour: i8,
    pub(super) wrong: bool,
}

impl Often {
    pub(super) fn new(suffix: &str, frequency: Frequency) -> Self {
        let text = frequency.to_string();
        let parts: Vec<&str> = text.split('@').collect();
        let (day, hour) = match parts[..] {
            [_, day, hour] => (day, hour),
            [_, hour] => ("", hour),
            _ => ("", ""),
        };
        Self::of(suffix, parts[0], day, hour)
    }

    /// What was typed, as far as it is on the lists.
    pub(super) fn typed(suffix: &str, fields: &Fields) -> Self {
        let wrong = read(fields).is_err();
        Self { wrong, ..Self::of(suffix, fields.get("frequency"), fields.get("day"), fields.get("hour")) }
    }

    fn of(suffix: &str, kind: &str, day: &str, hour: &str) -> Self {
        Self {
            suffix: suffix.to_owned(),
            kind: listed(&KINDS, kind),
            day: listed(&DAYS, day),
            hour: hour.parse().ok().filter(|hour| (0..24).contains(hour)).unwrap_or(MORNING),
            wrong: false,
        }
    }
}

/// The value on the list, or else the first.
fn listed(list: &[(&'static str, &'static str)], value: &str) -> &'static str {
    list.iter().find(|(known, _)| *known == value).unwrap_or(&list[0]).0
}

/// What a form says. One without the field is the form for alerts.
pub(super) fn read(fields: &Fields) -> Result<Frequency, InvalidFrequency> {
    let (day, hour) = (fields.get("day"), fields.get("hour"));
    match fields.find("frequency") {
        None | Some("immediate") => Ok(Frequency::Immediate),
        Some("daily") => format!("daily@{hour}").parse(),
        Some("weekly") => format!("weekly@{day}@{hour}").parse(),
        Some(_) => Err(InvalidFrequency),
    }
}

/// As it stands in a sentence: "every day at 08:00".
pub(super) fn words(chrome: &Chrome<'_>, frequency: Frequency) -> String {
    let Often { day, hour, kind, .. } = Often::new("", frequency);
    let at = clock(hour);
    match kind {
        "daily" => chrome.say_of("is-daily", "hour", &at),
        "weekly" => {
            let (_, day) = DAYS.iter().find(|(known, _)| *known == day).unwrap_or(&DAYS[0]);
            chrome.say_with("is-weekly", &[("day", &chrome.say(day)), ("hour", &at)])
        }
        _ => chrome.say("is-immediate"),
    }
}

/// An hour as clocks show it.
pub(super) fn clock(hour: i8) -> String {
    format!("{hour:02}:00")
}

/// A box to choose a zone from.
pub(super) struct Zones {
    /// What belongs to no region.
    pub(super) others: Vec<Choice>,
    /// The id of a region's name, and its zones.
    pub(super) regions: Vec<(&'static str, Vec<Choice>)>,
    pub(super) wrong: bool,
}

impl Zones {
    /// `chosen`: the name of a zone.
    pub(super) fn new(chosen: &str, wrong: bool) -> Self {
        let choice = |value: &str, name: String| Choice { value: value.into(), name, chosen: value == chosen };
        let mut others = vec![choice("UTC", "UTC".into())];
        if chosen != "UTC" && !ZONES.iter().flatten().any(|name| name == chosen) {
            others.push(choice(chosen, chosen.into()));
        }
        let regions = REGIONS.iter().zip(ZONES.iter()).map(|((region, id), names)| {
            let named = |name: &String| choice(name, name[region.len() + 1..].replace('_', " ").replace('/', " › "));
            (*id, names.iter().map(named).collect())
        });
        Self { others, regions: regions.collect(), wrong }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_says_how_often_and_nothing_else() {
        let read = |query: &str| read(&Fields::parse(query.as_bytes())).ok().map(|frequency| frequency.to_string());
        for (query, frequency) in [
            ("", Some("immediate")),
            ("frequency=immediate&hour=99", Some("immediate")),
            ("frequency=daily&hour=8", Some("daily@08")),
            ("frequency=weekly&day=sun&hour=23", Some("weekly@sun@23")),
            ("frequency=daily&hour=25", None),
            ("frequency=daily&hour=-1", None),
            ("frequency=daily&hour=8%408", None),
            ("frequency=daily", None),
            ("frequency=weekly&hour=8", None),
            ("frequency=weekly&day=mon%4008&hour=", None),
            ("frequency=hourly", None),
            ("frequency=%00", None),
        ] {
            assert_eq!(read(query).as_deref(), frequency, "{query}");
        }
        let typed = Often::typed("", &Fields::parse(b"frequency=weekly&day=sun&hour=25"));
        assert_eq!((typed.kind, typed.day, typed.hour, typed.wrong), ("weekly", "sun", MORNING, true));
    }

    #[test]
    fn every_zone_of_a_region_is_offered_and_is_one() {
        let zones = Zones::new("Asia/Shanghai", false);
        let all: Vec<&Choice> = zones.others.iter().chain(zones.regions.iter().flat_map(|(_, zones)| zones)).collect();
        assert!(all.len() > 300, "{}", all.len());
        assert!(all.iter().all(|zone| crate::subscriber::zone_name(&zone.value).is_ok()));
        let chosen: Vec<_> = all.iter().filter(|zone| zone.chosen).map(|zone| zone.name.as_str()).collect();
        assert_eq!(chosen, ["Shanghai"]);
        let buenos_aires = all.iter().find(|zone| zone.value == "America/Argentina/Buenos_Aires").unwrap();
        assert_eq!(buenos_aires.name, "Argentina › Buenos Aires");
        let unlisted = Zones::new("Etc/GMT+3", false);
        assert!(unlisted.others.iter().any(|zone| zone.value == "Etc/GMT+3" && zone.chosen));
    }
}
