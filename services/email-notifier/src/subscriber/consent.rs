//! The consent log: what was agreed to, when, by which form, and on which wording in which language.

use jiff::Timestamp;
use mail::Locale;
use serde::{Deserialize, Serialize};
use subscription::Selection;

use super::Subscriber;

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Consent {
    pub event: ConsentEvent,
    /// When it was said. Of what was imported: when it had been said elsewhere.
    pub at: Timestamp,
    /// Version of the words on the page; 0: not ours.
    pub wording: u32,
    /// What was agreed to, or ended. Absent when all was ended at once, and from records of before it was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<Selection>,
    /// BCP 47; in which the words were shown that were agreed to. Absent where there were none, and from records of before
    /// it was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
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
const MAX_CONSENT: usize = 64;

/// Bytes of them as they are stored: with all else that a record may hold they fit into the stream's 64 KiB, though each
/// may name a selection of 2 KiB.
const MAX_BYTES: usize = 20 * 1024;

/// The longest [`Consent::source`], in bytes.
pub(crate) const MAX_SOURCE: usize = 120;

impl Consent {
    pub(crate) fn new(event: ConsentEvent, form: Form, at: Timestamp) -> Self {
        Self { event, at, wording: WORDING, selection: None, language: None, form: Some(form), source: None }
    }

    /// It was about `selection`, on a page in this language, if on one.
    pub(super) fn about(self, selection: &Selection, page: Option<Locale>) -> Self {
        Self { selection: Some(selection.clone()), language: page.map(|page| page.tag().to_owned()), ..self }
    }
}

impl Subscriber {
    pub(super) fn log(&mut self, consent: Consent) {
        self.consent.push(consent);
        while self.consent.len() > MAX_CONSENT || stored(&self.consent) > MAX_BYTES {
            let Some(least) = self.said_least() else { return };
            self.consent.remove(least);
        }
    }

    /// The line of the log that is missed least. What a stranger can repeat goes first; the first line, the last one, and
    /// the last by which the owner said yes, stay.
    fn said_least(&self) -> Option<usize> {
        let last = self.consent.len().saturating_sub(1);
        let yes = self.consent.iter().rposition(|consent| consent.event == ConsentEvent::Confirmed);
        let mut others = (1..last).filter(|at| Some(*at) != yes);
        let repeated = others.clone().find(|at| self.consent[*at].event == ConsentEvent::Requested);
        repeated.or_else(|| others.next())
    }
}

/// Bytes of the log as it is stored.
fn stored(log: &[Consent]) -> usize {
    serde_json::to_vec(log).map_or(usize::MAX, |bytes| bytes.len())
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::frequency::Frequency;
    use crate::subscriber::{SubscriberId, Wish};

    fn at(minutes: i64) -> Timestamp {
        "2026-11-22T10:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minutes)
    }

    fn subscriber() -> Subscriber {
        Subscriber::new(SubscriberId::random(), "reader@example.org".parse().unwrap(), "en".into(), "UTC".into())
    }

    #[test]
    fn each_line_says_to_what_and_in_which_language() {
        let mut reader = subscriber();
        let (world, news): (Selection, Selection) = ("section/world".parse().unwrap(), "section/要闻".parse().unwrap());
        reader.request(&Wish::alerts(world.clone(), "en"), at(0));
        reader.request(&Wish::alerts(news.clone(), "zh-CN"), at(1));
        reader.confirm_on(Locale::Chinese, at(1), at(2));
        reader.add_on(Locale::English, &Selection::everything(), Frequency::Immediate, at(3)).unwrap();
        reader.unsubscribe(Some(&news), Form::Unsubscribe, at(4));
        reader.unsubscribe(None, Form::Unsubscribe, at(5));
        let lines: Vec<_> = reader
            .consent
            .iter()
            .map(|line| (line.event, line.selection.as_ref().map(Selection::as_str), line.language.as_deref()))
            .collect();
        assert_eq!(
            lines,
            [
                (ConsentEvent::Requested, Some("section/world"), Some("en")),
                (ConsentEvent::Requested, Some("section/要闻"), Some("zh-Hans")),
                (ConsentEvent::Confirmed, Some("section/world"), Some("zh-Hans")),
                (ConsentEvent::Confirmed, Some("section/要闻"), Some("zh-Hans")),
                (ConsentEvent::Confirmed, Some("all"), Some("en")),
                (ConsentEvent::Withdrawn, Some("section/要闻"), None),
                (ConsentEvent::Withdrawn, None, None),
            ]
        );
    }

    #[test]
    fn lines_from_before_they_said_it_are_read_and_stay_as_they_are() {
        let line = r#"{"event":"confirmed","at":"2026-11-22T10:00:00Z","wording":1,"form":"/confirm"}"#;
        let read: Consent = serde_json::from_str(line).unwrap();
        assert_eq!(read, Consent::new(ConsentEvent::Confirmed, Form::Confirm, at(0)));
        assert_eq!(serde_json::to_string(&read).unwrap(), line);
    }

    #[test]
    fn however_long_what_they_name_the_first_the_last_and_the_yes_are_kept() {
        let mut reader = subscriber();
        let long = |n: i64| -> Selection { format!("section/{n}{}", "长".repeat(600)).parse().unwrap() };
        let line = |event, n, minute| {
            Consent::new(event, Form::Preferences, at(minute)).about(&long(n), Some(Locale::Chinese))
        };
        reader.log(line(ConsentEvent::Requested, 0, 0));
        reader.log(line(ConsentEvent::Confirmed, 0, 1));
        for n in 1..100 {
            let event = if n % 2 == 0 { ConsentEvent::Withdrawn } else { ConsentEvent::Requested };
            reader.log(line(event, n, n + 1));
            assert!(stored(&reader.consent) <= MAX_BYTES);
            assert_eq!(reader.consent[0].at, at(0));
            assert_eq!(reader.consent.last().unwrap().at, at(n + 1));
            assert!(reader.was_confirmed(), "that they said yes is what the log is for");
        }
        assert!(reader.consent.len() > 5, "no more goes than must: {}", reader.consent.len());
    }
}
