//! What an import may do to a record. Pure.
//!
//! It never overrides what the owner said themselves: who has chosen a frequency keeps it, who has left stays away
//! unless they agreed again later.

use jiff::Timestamp;
use subscription::Selection;

use super::consent::{Consent, ConsentEvent, Form};
use super::{Refused, Subscriber, Wish, suits};
use crate::frequency::Frequency;

/// One subscription from elsewhere.
#[derive(Debug, Clone)]
pub(crate) struct Incoming {
    pub selection: Selection,
    pub frequency: Frequency,
    /// BCP 47, one of ours.
    pub language: String,
    /// IANA name that is known to be one.
    pub zone: Option<String>,
    /// When and where its owner agreed; `None`: they are to be asked.
    pub consent: Option<(Timestamp, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Imported {
    Added,
    /// The mail of the double opt-in is due.
    Asked,
    /// Subscribed already.
    Known,
    /// Asked already.
    Waits,
    /// They have left since they agreed, or left and nobody says that they agreed again.
    Left,
}

impl Subscriber {
    pub(crate) fn import(&mut self, incoming: &Incoming, now: Timestamp) -> Result<Imported, Refused> {
        self.prune(now);
        let known = self.subscriptions.iter().find(|s| s.selection == incoming.selection);
        match known {
            Some(known) if known.confirmed_at.is_some() => return Ok(Imported::Known),
            Some(_) if incoming.consent.is_none() => return Ok(Imported::Waits),
            _ => {}
        }
        let withdrawn = |consent: &&Consent| consent.event == ConsentEvent::Withdrawn;
        let left = self.consent.iter().filter(withdrawn).map(|consent| consent.at).max();
        if left.is_some_and(|left| incoming.consent.as_ref().is_none_or(|(agreed, _)| *agreed <= left)) {
            return Ok(Imported::Left);
        }
        suits(&incoming.selection, incoming.frequency)?;
        self.has_room_for(&incoming.selection)?;
        let Incoming { selection, frequency, language, zone, consent } = incoming.clone();
        let Some((agreed, source)) = consent else {
            let asked =
                self.request(&Wish { selection, frequency, language, zone, form: Form::Import, page: None }, now);
            return Ok(if asked { Imported::Asked } else { Imported::Waits });
        };
        if !self.is_confirmed() {
            self.language = language;
            self.zone = zone.unwrap_or_else(|| self.zone.clone());
        }
        let consent = Consent {
            event: ConsentEvent::Confirmed,
            at: agreed,
            wording: 0,
            selection: Some(selection.clone()),
            language: None,
            form: Some(Form::Import),
            source: Some(source),
        };
        self.add_agreed(&selection, frequency, consent, now)?;
        Ok(Imported::Added)
    }

    /// Where it was said what was said at `at`: the source of an import, or the form.
    pub(crate) fn said_at(&self, at: Timestamp) -> String {
        let consent = self.consent.iter().find(|consent| consent.event == ConsentEvent::Confirmed && consent.at == at);
        let form = |consent: &Consent| serde_json::to_value(consent.form).ok()?.as_str().map(str::to_owned);
        consent
            .and_then(|consent| consent.source.clone().or_else(|| form(consent)))
            .unwrap_or_else(|| "/confirm".into())
    }
}
