//! The consent log: what was agreed to, when, by which form and on which wording.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Subscriber;

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Consent {
    pub event: ConsentEvent,
    /// When it was said. Of what was imported: when it had been said elsewhere.
    pub at: Timestamp,
    /// Version of the words on the page; 0: not ours.
    pub wording: u32,
    /// Absent from records of before forms were noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
    /// Of what was imported: where it had been said, in the importer's words. At most [`MAX_SOURCE`] bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConsentEvent {
    Requested,
    Confirmed,
    Withdrawn,
}

/// Where it was said: the path of the page, or how else it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Form {
    #[serde(rename = "/subscribe")]
    Subscribe,
    #[serde(rename = "/confirm")]
    Confirm,
    #[serde(rename = "/unsubscribe")]
    Unsubscribe,
    #[serde(rename = "/preferences")]
    Preferences,
    /// A mail to the address in List-Unsubscribe.
    #[serde(rename = "mail")]
    Mail,
    #[serde(rename = "import")]
    Import,
}

/// Version of the words on our pages; raise it when they change in substance.
pub(crate) const WORDING: u32 = 1;

/// Lines of the log that are kept: the oldest one, which shows how it began, and the newest.
pub(super) const MAX_CONSENT: usize = 64;

/// The longest [`Consent::source`], in bytes.
pub(crate) const MAX_SOURCE: usize = 120;

impl Consent {
    pub(crate) fn new(event: ConsentEvent, form: Form, at: Timestamp) -> Self {
        Self { event, at, wording: WORDING, form: Some(form), source: None }
    }
}

impl Subscriber {
    pub(super) fn log(&mut self, consent: Consent) {
        if self.consent.len() >= MAX_CONSENT {
            // What a stranger can repeat goes first; what the owner said stays.
            let repeated = self.consent.iter().skip(1).position(|consent| consent.event == ConsentEvent::Requested);
            self.consent.remove(repeated.map_or(1, |at| at + 1));
        }
        self.consent.push(consent);
    }
}
