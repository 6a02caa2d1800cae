//! A subscriber's record and what may happen to it. Pure.
//!
//! `pending → confirmed → unsubscribed`, for each selection on its own: a confirmed subscriber who asks for one more
//! selection confirms that one too, because whoever typed the address may not be the one who reads it.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use mail::Address;
use serde::{Deserialize, Serialize};
use subscription::Selection;
use uuid::Uuid;

use crate::frequency::Frequency;
use crate::span::{Cap, Pause, Span};

/// A subscriber's identity: random, and free of anything personal, so that it may stand in plans and logs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SubscriberId(Uuid);

impl SubscriberId {
    pub(crate) fn random() -> Self {
        Self(Uuid::new_v4())
    }

    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for SubscriberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.simple())
    }
}

impl fmt::Debug for SubscriberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for SubscriberId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SubscriberId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Uuid::try_parse(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// One selection that somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Subscription {
    pub selection: Selection,
    pub requested_at: Timestamp,
    /// Absent until its owner pressed the button.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Timestamp>,
    #[serde(default)]
    pub frequency: Frequency,
    /// Since when it stands as it is, if it was changed after it was confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<Timestamp>,
}

/// One line of the consent log: what was agreed to, when, and on which wording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Consent {
    pub event: ConsentEvent,
    pub at: Timestamp,
    /// Version of the words on the page.
    pub wording: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConsentEvent {
    Requested,
    Confirmed,
    Withdrawn,
}

/// Version of the words on the subscribe and confirm pages; raise it when they change in substance.
pub(crate) const WORDING: u32 = 1;

/// An unconfirmed request is forgotten after this.
pub(crate) const CONFIRM_WITHIN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// One confirmation mail per address in this time, however often its address is typed into the form.
const CONFIRMATION_PAUSE: SignedDuration = SignedDuration::from_hours(24);

/// Selections one subscriber may have.
pub(crate) const MAX_SUBSCRIPTIONS: usize = 50;

/// Lines of the consent log that are kept: the oldest one, which shows how it began, and the newest.
const MAX_CONSENT: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Subscriber {
    pub id: SubscriberId,
    #[serde(with = "address")]
    pub address: Address,
    /// BCP 47; the language of what we say around the news.
    pub language: String,
    /// IANA name of the time zone that their days and hours are in.
    #[serde(default = "utc")]
    pub zone: String,
    pub subscriptions: Vec<Subscription>,
    /// What subscriptions were before they were changed or ended, as long as a digest may ask.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub past: Vec<Span>,
    /// The one that stands, and those that ended lately.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<Pause>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<Cap>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation_sent_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consent: Vec<Consent>,
}

fn utc() -> String {
    "UTC".into()
}

mod address {
    use mail::Address;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(address: &Address, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(address.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Address, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl Subscriber {
    pub(crate) fn new(id: SubscriberId, address: Address, language: String) -> Self {
        Self {
            id,
            address,
            language,
            zone: utc(),
            subscriptions: Vec::new(),
            past: Vec::new(),
            pauses: Vec::new(),
            cap: None,
            confirmation_sent_at: None,
            consent: Vec::new(),
        }
    }

    /// Somebody asked for `selection` at this address. False when nothing changes by it: it is confirmed already,
    /// asked for within the last day, or one too many.
    pub(crate) fn request(&mut self, selection: Selection, language: &str, now: Timestamp) -> bool {
        self.subscriptions.retain(|s| s.confirmed_at.is_some() || now.duration_since(s.requested_at) < CONFIRM_WITHIN);
        let full = self.subscriptions.len() >= MAX_SUBSCRIPTIONS;
        match self.subscriptions.iter_mut().find(|s| s.selection == selection) {
            Some(known) if known.confirmed_at.is_some() => return false,
            Some(known) if now.duration_since(known.requested_at) < CONFIRMATION_PAUSE => return false,
            Some(known) => known.requested_at = now,
            None if full => return false,
            None => self.subscriptions.push(Subscription {
                selection,
                requested_at: now,
                confirmed_at: None,
                frequency: Frequency::default(),
                changed_at: None,
            }),
        }
        if !self.is_confirmed() {
            language.clone_into(&mut self.language);
        }
        self.log(ConsentEvent::Requested, now);
        true
    }

    /// The owner of the address confirmed what they were shown: everything that was asked for until `shown`.
    pub(crate) fn confirm(&mut self, shown: Timestamp, now: Timestamp) -> bool {
        let mut changed = false;
        for subscription in self.subscriptions.iter_mut().filter(|s| s.confirmed_at.is_none()) {
            let in_time = now.duration_since(subscription.requested_at) < CONFIRM_WITHIN;
            if in_time && subscription.requested_at <= shown {
                subscription.confirmed_at = Some(now);
                changed = true;
            }
        }
        if changed {
            // Only the owner can do this, so the next request may have its mail at once.
            self.confirmation_sent_at = None;
            self.log(ConsentEvent::Confirmed, now);
        }
        changed
    }

    /// Ends one selection, or all of them.
    pub(crate) fn unsubscribe(&mut self, only: Option<&Selection>, now: Timestamp) -> bool {
        let before = self.subscriptions.len();
        self.subscriptions.retain(|s| only.is_some_and(|only| s.selection != *only));
        let changed = self.subscriptions.len() != before;
        if changed {
            self.log(ConsentEvent::Withdrawn, now);
        }
        changed
    }

    /// Whether a confirmation mail is due: something waits for it, and none was sent within the last day.
    pub(crate) fn wants_confirmation(&self, now: Timestamp) -> bool {
        let rested = self.confirmation_sent_at.is_none_or(|sent| now.duration_since(sent) >= CONFIRMATION_PAUSE);
        rested && self.pending(now).next().is_some()
    }

    pub(crate) fn pending(&self, now: Timestamp) -> impl Iterator<Item = &Subscription> {
        self.subscriptions
            .iter()
            .filter(move |s| s.confirmed_at.is_none() && now.duration_since(s.requested_at) < CONFIRM_WITHIN)
    }

    /// Every span that a digest or an alert may belong to, those that stand first.
    pub(crate) fn spans(&self) -> impl Iterator<Item = Span> {
        let standing = self.confirmed().filter_map(|s| {
            let since = s.changed_at.or(s.confirmed_at)?;
            Some(Span { selection: s.selection.clone(), frequency: s.frequency, since, until: None, left: false })
        });
        standing.chain(self.past.iter().cloned())
    }

    pub(crate) fn confirmed(&self) -> impl Iterator<Item = &Subscription> {
        self.subscriptions.iter().filter(|s| s.confirmed_at.is_some())
    }

    /// Whether its owner ever said yes. Then the consent log is kept, the end of it included.
    pub(crate) fn was_confirmed(&self) -> bool {
        self.consent.iter().any(|consent| consent.event == ConsentEvent::Confirmed)
    }

    pub(crate) fn is_confirmed(&self) -> bool {
        self.confirmed().next().is_some()
    }

    fn log(&mut self, event: ConsentEvent, at: Timestamp) {
        if self.consent.len() >= MAX_CONSENT {
            // What a stranger can repeat goes first; what the owner said stays.
            let repeated = self.consent.iter().skip(1).position(|consent| consent.event == ConsentEvent::Requested);
            self.consent.remove(repeated.map_or(1, |at| at + 1));
        }
        self.consent.push(Consent { event, at, wording: WORDING });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        "2026-11-22T10:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hours)
    }

    fn subscriber() -> Subscriber {
        Subscriber::new(SubscriberId::random(), "reader@example.org".parse().unwrap(), "en".into())
    }

    #[test]
    fn nothing_is_sent_before_the_owner_confirmed() {
        let mut reader = subscriber();
        assert!(reader.request(Selection::everything(), "zh", at(0)));
        assert!(reader.wants_confirmation(at(0)) && !reader.is_confirmed());
        assert_eq!(reader.language, "zh", "an unconfirmed record takes the latest form's language");
        assert!(reader.confirm(at(1), at(1)) && reader.is_confirmed());
        assert!(!reader.confirm(at(2), at(2)), "a second press changes nothing");
        assert!(!reader.request(Selection::everything(), "en", at(3)));
        let events: Vec<ConsentEvent> = reader.consent.iter().map(|consent| consent.event).collect();
        assert_eq!(events, [ConsentEvent::Requested, ConsentEvent::Confirmed]);
    }

    #[test]
    fn an_address_is_asked_once_a_day_however_often_it_is_typed() {
        let mut reader = subscriber();
        reader.request(Selection::everything(), "en", at(0));
        reader.confirmation_sent_at = Some(at(0));
        assert!(!reader.request(Selection::everything(), "en", at(1)));
        reader.request("section/world".parse().unwrap(), "en", at(2));
        assert!(!reader.wants_confirmation(at(23)));
        assert!(reader.wants_confirmation(at(24)));
        assert!(reader.request(Selection::everything(), "en", at(24)), "a day later it may be asked again");
    }

    #[test]
    fn a_request_that_nobody_confirms_is_forgotten() {
        let mut reader = subscriber();
        reader.request(Selection::everything(), "en", at(0));
        assert!(!reader.confirm(at(7 * 24), at(7 * 24)));
        assert!(!reader.wants_confirmation(at(7 * 24)));
    }

    #[test]
    fn what_a_stranger_adds_while_the_page_is_open_is_not_confirmed() {
        let mut reader = subscriber();
        reader.request(Selection::everything(), "en", at(0));
        reader.request("section/world".parse().unwrap(), "en", at(1));
        assert!(reader.confirm(at(0), at(2)));
        assert_eq!(reader.confirmed().map(|s| &s.selection).collect::<Vec<_>>(), [&Selection::everything()]);
        assert_eq!(reader.pending(at(2)).count(), 1);
    }

    #[test]
    fn no_number_of_forms_wears_out_a_consent() {
        let mut reader = subscriber();
        reader.request(Selection::everything(), "en", at(0));
        reader.confirm(at(0), at(0));
        for n in 0..3 * MAX_CONSENT as i64 {
            let section: Selection = format!("section/s{}", n % 40).parse().unwrap();
            reader.request(section, "en", at(25 * n));
        }
        assert!(reader.was_confirmed() && reader.is_confirmed());
        assert!(reader.consent.len() <= MAX_CONSENT);
    }

    #[test]
    fn a_second_selection_gets_its_mail_on_the_same_day() {
        let mut reader = subscriber();
        reader.request(Selection::everything(), "en", at(0));
        reader.confirmation_sent_at = Some(at(0));
        reader.confirm(at(1), at(1));
        reader.request("section/world".parse().unwrap(), "en", at(2));
        assert!(reader.wants_confirmation(at(2)));
    }

    #[test]
    fn leaving_ends_one_or_all() {
        let mut reader = subscriber();
        let world: Selection = "section/world".parse().unwrap();
        reader.request(Selection::everything(), "en", at(0));
        reader.request(world.clone(), "en", at(0));
        reader.confirm(at(1), at(1));
        assert!(reader.unsubscribe(Some(&world), at(2)));
        assert!(!reader.unsubscribe(Some(&world), at(2)));
        assert_eq!(reader.confirmed().count(), 1);
        assert!(reader.unsubscribe(None, at(3)) && !reader.is_confirmed());
        assert!(reader.was_confirmed(), "that they had agreed, and left, is kept");
    }

    #[test]
    fn records_from_before_there_were_expressions_are_read() {
        for selection in ["all", "section/world/亚洲", "section/-/a-b", "publisher/city-desk"] {
            let json = format!(
                r#"{{"id":"0123456789abcdef0123456789abcdef","address":"reader@example.org","language":"en",
                "subscriptions":[{{"selection":"{selection}","requested_at":"2026-11-22T10:00:00Z"}}]}}"#
            );
            let record: Subscriber = serde_json::from_str(&json).unwrap();
            assert_eq!(record.subscriptions[0].selection.as_str(), selection);
        }
    }

    #[test]
    fn the_record_reads_back_and_hides_the_address_in_debug() {
        let mut reader = subscriber();
        reader.request(Selection::everything(), "en", at(0));
        let json = serde_json::to_string(&reader).unwrap();
        assert_eq!(serde_json::from_str::<Subscriber>(&json).unwrap(), reader);
        assert!(!format!("{reader:?}").contains("reader@"));
    }
}
