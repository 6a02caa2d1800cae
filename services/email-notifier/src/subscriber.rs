//! A subscriber's record and what may happen to it. Pure.
//!
//! `pending → confirmed → unsubscribed`, for each selection on its own: a confirmed subscriber who asks for one more
//! selection confirms that one too, because whoever typed the address may not be the one who reads it.

mod changes;
mod consent;
mod import;
mod link;
#[cfg(test)]
mod tests;

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use mail::{Address, Locale};
use serde::{Deserialize, Serialize};
use subscription::Selection;
use uuid::Uuid;

use self::changes::suits;
pub(crate) use self::changes::{Refused, zone_name};
pub(crate) use self::consent::{Consent, ConsentEvent, Form, MAX_SOURCE, WORDING};
pub(crate) use self::import::{Imported, Incoming};
use crate::bounces::Bounces;
use crate::frequency::Frequency;
use crate::span::{CapSpan, Pause, Span};

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

    /// Reads what is displayed.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }

    /// Of whose record, or key, the message at `subject` is.
    pub(crate) fn of_subject(subject: &str) -> Option<Self> {
        Self::parse(subject.rsplit('.').next()?)
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

impl Subscription {
    /// Since when it stands as it is; `None` until it is confirmed.
    pub(crate) fn since(&self) -> Option<Timestamp> {
        self.confirmed_at.map(|confirmed| self.changed_at.unwrap_or(confirmed))
    }
}

/// What somebody asks for by a form.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub selection: Selection,
    pub frequency: Frequency,
    /// BCP 47; of whoever is not confirmed yet.
    pub language: String,
    /// IANA name that is known to be one. `None`: they do not say.
    pub zone: Option<String>,
    pub form: Form,
    /// Language of the page with the words that are agreed to. `None`: there was no page.
    pub page: Option<Locale>,
}

#[cfg(test)]
impl Wish {
    /// What the form for alerts asks for.
    pub(crate) fn alerts(selection: Selection, language: &str) -> Self {
        let (language, page) = (language.to_owned(), Some(Locale::for_tag(language)));
        Self { selection, frequency: Frequency::Immediate, language, zone: None, form: Form::Subscribe, page }
    }
}

#[cfg(test)]
impl Subscriber {
    /// [`Subscriber::confirm_on`] an English page.
    pub(crate) fn confirm(&mut self, shown: Timestamp, now: Timestamp) -> bool {
        self.confirm_on(Locale::English, shown, now)
    }

    /// [`Subscriber::add_on`] an English page.
    pub(crate) fn add(&mut self, selection: &Selection, frequency: Frequency, now: Timestamp) -> Result<bool, Refused> {
        self.add_on(Locale::English, selection, frequency, now)
    }
}

/// An unconfirmed request is forgotten after this.
pub(crate) const CONFIRM_WITHIN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// One confirmation mail per address in this time, however often its address is typed into the form.
const CONFIRMATION_PAUSE: SignedDuration = SignedDuration::from_hours(24);

/// Selections that wait for a confirmation, up to which the form takes one more: whoever types somebody's address must
/// not use up what its owner may have.
const MAX_PENDING: usize = 10;

/// Selections one subscriber may have.
pub(crate) const MAX_SUBSCRIPTIONS: usize = 50;

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
    /// The cap that stands, and those it had lately.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caps: Vec<CapSpan>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation_sent_at: Option<Timestamp>,
    /// When a link to the preferences was asked for, and when one was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_asked_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_sent_at: Option<Timestamp>,
    /// What came back from the mailbox.
    #[serde(default, skip_serializing_if = "is_default")]
    pub bounces: Bounces,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consent: Vec<Consent>,
}

fn is_default(bounces: &Bounces) -> bool {
    *bounces == Bounces::default()
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
    /// `zone`: an IANA name that is known to be one.
    pub(crate) fn new(id: SubscriberId, address: Address, language: String, zone: String) -> Self {
        Self {
            id,
            address,
            language,
            zone,
            subscriptions: Vec::new(),
            past: Vec::new(),
            pauses: Vec::new(),
            caps: Vec::new(),
            confirmation_sent_at: None,
            link_asked_at: None,
            link_sent_at: None,
            bounces: Bounces::default(),
            consent: Vec::new(),
        }
    }

    /// Somebody asked for something at this address. False when nothing changes by it: it is confirmed already,
    /// asked for within the last day, or one too many.
    pub(crate) fn request(&mut self, wish: &Wish, now: Timestamp) -> bool {
        self.prune(now);
        if suits(&wish.selection, wish.frequency).is_err() {
            return false;
        }
        let rested = |s: &Subscription| now.duration_since(s.requested_at) >= CONFIRMATION_PAUSE;
        match self.subscriptions.iter().position(|s| s.selection == wish.selection) {
            Some(known) => {
                let known = &mut self.subscriptions[known];
                if known.confirmed_at.is_some() || !rested(known) {
                    return false;
                }
                (known.requested_at, known.frequency) = (now, wish.frequency);
            }
            None if self.has_room_for(&wish.selection).is_err() => return false,
            None if wish.form == Form::Subscribe && self.pending(now).count() >= MAX_PENDING => return false,
            None => self.subscriptions.push(Subscription {
                selection: wish.selection.clone(),
                requested_at: now,
                confirmed_at: None,
                frequency: wish.frequency,
                changed_at: None,
            }),
        }
        if !self.is_confirmed() {
            wish.language.clone_into(&mut self.language);
            if let Some(zone) = &wish.zone {
                zone.clone_into(&mut self.zone);
            }
        }
        self.log(Consent::new(ConsentEvent::Requested, wish.form, now).about(&wish.selection, wish.page));
        true
    }

    /// The owner of the address confirmed what they were shown, on a page in this language: everything that was asked for
    /// until `shown`.
    pub(crate) fn confirm_on(&mut self, page: Locale, shown: Timestamp, now: Timestamp) -> bool {
        let mut confirmed = Vec::new();
        let since = self.begins(now);
        for subscription in self.subscriptions.iter_mut().filter(|s| s.confirmed_at.is_none()) {
            let in_time = now.duration_since(subscription.requested_at) < CONFIRM_WITHIN;
            if in_time && subscription.requested_at <= shown {
                subscription.confirmed_at = Some(now);
                subscription.changed_at = (since != now).then_some(since);
                confirmed.push(subscription.selection.clone());
            }
        }
        if !confirmed.is_empty() {
            // Only the owner can do this, so the next request may have its mail at once.
            self.confirmation_sent_at = None;
            self.bounces.clear(now);
        }
        for selection in &confirmed {
            self.log(Consent::new(ConsentEvent::Confirmed, Form::Confirm, now).about(selection, Some(page)));
        }
        !confirmed.is_empty()
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
            let (selection, frequency) = (s.selection.clone(), s.frequency);
            Some(Span { selection, frequency, since: s.since()?, until: None, left: false, zone: None })
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

    /// Whether the record is ours to keep.
    pub(crate) fn is_lasting(&self) -> bool {
        self.is_confirmed() || self.was_confirmed()
    }

    pub(crate) fn is_confirmed(&self) -> bool {
        self.confirmed().next().is_some()
    }
}
