//! The preference page as HTML.

use askama::Template;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use mail::Locale;

use crate::bounces::Reason;
use crate::frequency::Frequency;
use crate::links::Holder;
use crate::span::Cap;
use crate::subscriber::{Subscriber, Subscription, zone_name};
use crate::web::Web;
use crate::web::form::Fields;
use crate::web::often::{DAYS, KINDS, MORNING, Often, Zones, words};
use crate::web::pages::{Choice, Chrome, STYLE, offers};
use crate::web::visitor::Visitor;

/// Alerts a day that are offered as a cap.
const CAPS: [u16; 7] = [1, 2, 3, 5, 10, 20, 50];

/// The hour that is offered for what is over it.
const EVENING: i8 = 18;

/// What the last press left on the page.
#[derive(Default)]
pub(super) struct Typed<'a> {
    /// The id of what was done.
    pub(super) notice: Option<&'static str>,
    /// The id of what is wrong with `fields`.
    pub(super) problem: Option<&'static str>,
    pub(super) fields: Option<&'a Fields>,
}

impl<'a> Typed<'a> {
    /// What was typed into the form of the button `name`.
    fn in_form(&self, name: &str) -> Option<&'a Fields> {
        self.fields.filter(|fields| fields.get("do") == name)
    }
}

/// One subscription.
struct Item {
    selection: String,
    topic: String,
    /// How often, in words.
    how: String,
    /// `None` for a story, which is followed at once or not at all, and for what is not confirmed.
    often: Option<Often>,
    /// Whether its form is unfolded.
    open: bool,
}

#[derive(Template)]
#[template(path = "preferences.html")]
pub(super) struct Preferences<'a> {
    chrome: Chrome<'a>,
    notice: Option<&'static str>,
    problem: Option<&'static str>,
    /// Masked.
    address: String,
    items: Vec<Item>,
    everything: Option<Choice>,
    groups: [(&'static str, Vec<Choice>); 3],
    often: Often,
    adding: bool,
    zones: Zones,
    language: Locale,
    /// The name of the zone that stands.
    zone: String,
    /// What is said of the pause that stands.
    paused: Option<String>,
    /// Why nothing is sent to the mailbox.
    stopped: Option<Reason>,
    pause_for: String,
    pause_date: String,
    /// The first and the last day it may end on.
    pause_days: (String, String),
    caps: Vec<Choice>,
    cap_hour: i8,
    /// Which of the forms was refused, and is unfolded.
    pause_open: bool,
    cap_open: bool,
    /// The page that forgets everything; relative. `None`: the link is not fresh, and a fresh one is offered instead.
    erase: Option<String>,
}

pub(super) fn preferences<'a>(
    web: &'a Web,
    visitor: &Visitor,
    subscriber: &Subscriber,
    typed: &Typed<'_>,
    (holder, token): (Holder, &str),
    now: Timestamp,
) -> Preferences<'a> {
    let locale = visitor.locale_for(subscriber);
    let chrome = web.chrome(locale).in_other_languages(&[]);
    let (zone, today) = today(subscriber, now);
    let (everything, groups) = offered(web, &chrome, subscriber, typed);
    let settings = typed.in_form("settings");
    let pause = typed.in_form("pause");
    let cap = cap(subscriber, typed);
    let language =
        settings.map_or(Locale::for_tag(&subscriber.language), |fields| Locale::for_tag(fields.get("language")));
    Preferences {
        notice: typed.notice,
        problem: typed.problem,
        address: subscriber.address.masked(),
        items: items(web, &chrome, subscriber, typed, now),
        everything,
        groups,
        often: typed
            .in_form("add")
            .map_or(Often::new("add", Frequency::Immediate), |fields| Often::typed("add", fields)),
        adding: typed.in_form("add").is_some() || !subscriber.is_confirmed(),
        zones: zones(subscriber, settings),
        language,
        zone: subscriber.zone.clone(),
        paused: paused(&chrome, subscriber, &zone, now),
        stopped: subscriber.bounces.stops(now),
        pause_for: pause.map_or("1", |fields| fields.get("for")).to_owned(),
        pause_date: pause.map_or("", |fields| fields.get("date")).to_owned(),
        pause_days: (day(today, 1), day(today, 365)),
        caps: caps(&chrome, cap),
        cap_hour: cap.map_or(EVENING, |cap| cap.hour),
        pause_open: pause.is_some(),
        cap_open: typed.in_form("cap").is_some(),
        erase: holder.fresh.then(|| format!("{token}/erase")),
        chrome,
    }
}

fn today(subscriber: &Subscriber, now: Timestamp) -> (TimeZone, jiff::civil::Date) {
    let zone = TimeZone::get(&subscriber.zone).unwrap_or(TimeZone::UTC);
    let today = zone.to_datetime(now).date();
    (zone, today)
}

fn day(today: jiff::civil::Date, after: i64) -> String {
    today.saturating_add(after.days()).to_string()
}

fn items(web: &Web, chrome: &Chrome<'_>, subscriber: &Subscriber, typed: &Typed<'_>, now: Timestamp) -> Vec<Item> {
    let changed = typed.in_form("change");
    let standing = |(number, subscription): (usize, &Subscription)| {
        let selection = subscription.selection.to_string();
        let suffix = number.to_string();
        let changed = changed.filter(|fields| fields.get("selection") == selection);
        let often = changed.map_or_else(|| Often::new(&suffix, subscription.frequency), |f| Often::typed(&suffix, f));
        Item {
            topic: web.topic(&subscription.selection, chrome.locale),
            how: words(chrome, subscription.frequency),
            often: subscription.selection.story().is_none().then_some(often),
            open: changed.is_some(),
            selection,
        }
    };
    // Whoever typed the address may have been somebody else: it can be ended here, or added.
    let waiting = |subscription: &Subscription| Item {
        selection: subscription.selection.to_string(),
        topic: web.topic(&subscription.selection, chrome.locale),
        how: chrome.say("is-waiting"),
        often: None,
        open: false,
    };
    let standing = subscriber.confirmed().enumerate().map(standing);
    standing.chain(subscriber.pending(now).map(waiting)).collect()
}

/// What can be added: what is offered and not subscribed to.
fn offered(
    web: &Web,
    chrome: &Chrome<'_>,
    subscriber: &Subscriber,
    typed: &Typed<'_>,
) -> (Option<Choice>, [(&'static str, Vec<Choice>); 3]) {
    let wanted = typed.in_form("add").map(|fields| fields.get("selection")).unwrap_or_default();
    let (everything, mut groups) = offers(web, chrome, wanted);
    let has = |choice: &Choice| subscriber.confirmed().any(|s| s.selection.as_str() == choice.value);
    for (_, choices) in &mut groups {
        choices.retain(|choice| !has(choice));
    }
    (Some(everything).filter(|choice| !has(choice)), groups)
}

fn zones(subscriber: &Subscriber, settings: Option<&Fields>) -> Zones {
    let typed = settings.map(|fields| zone_name(fields.get("zone")));
    let wrong = matches!(typed, Some(Err(_)));
    let chosen = typed.and_then(Result::ok).unwrap_or_else(|| subscriber.zone.clone());
    Zones::new(&chosen, wrong)
}

fn paused(chrome: &Chrome<'_>, subscriber: &Subscriber, zone: &TimeZone, now: Timestamp) -> Option<String> {
    let pause = subscriber.paused(now)?;
    Some(match pause.until {
        None => chrome.say("paused-open"),
        Some(until) => {
            let until = zone.to_datetime(until).strftime("%Y-%m-%d %H:%M").to_string();
            chrome.say_of("paused-until", "until", &until)
        }
    })
}

fn cap(subscriber: &Subscriber, typed: &Typed<'_>) -> Option<Cap> {
    let Some(fields) = typed.in_form("cap") else { return subscriber.cap() };
    let hour = fields.get("hour").parse().ok().filter(|hour| (0..24).contains(hour)).unwrap_or(MORNING);
    let alerts = fields.get("alerts").parse().ok().filter(|alerts| (1..=1000).contains(alerts));
    alerts.map(|alerts| Cap { alerts, hour }).or_else(|| subscriber.cap())
}

fn caps(chrome: &Chrome<'_>, cap: Option<Cap>) -> Vec<Choice> {
    let standing = cap.map(|cap| cap.alerts);
    let mut counts: Vec<u16> = CAPS.into_iter().chain(standing).collect();
    counts.sort_unstable();
    counts.dedup();
    let none = Choice { value: String::new(), name: chrome.say("cap-none"), chosen: cap.is_none() };
    let some = counts.into_iter().map(|count| {
        let name = chrome.say_of("cap-some", "count", &count.to_string());
        Choice { value: count.to_string(), name, chosen: standing == Some(count) }
    });
    [none].into_iter().chain(some).collect()
}
