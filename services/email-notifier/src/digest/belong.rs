//! To which of a subscriber's spans an article belongs, and when it is sent because of it. Pure: record, article and
//! moment decide, so that whoever asks, whenever, gets one answer; and each article reaches each subscriber once.
//!
//! Of all spans that match an article and stood when it was published it belongs to the one that delivers first. Nothing
//! belongs to anybody that was published in a pause of theirs; what falls due in one waits for the next due after it.
//! Who leaves is owed nothing that was not due by then, unless another of their spans has it, too.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use subscription::Selection;

use crate::frequency::Frequency;
use crate::span::{CapSpan, Pause, Span};

/// The hour of what is over a cap that no record knows.
const HOUR: i8 = 8;

/// What a subscriber has asked for: the part of the record that decides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms<'a> {
    /// Of their days and hours now.
    pub zone: &'a TimeZone,
    pub spans: &'a [Span],
    pub pauses: &'a [Pause],
    pub caps: &'a [CapSpan],
}

/// What decides of an article.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// When the log stored the revision that called for its alert.
    pub published: Timestamp,
    /// From when on it is known: later than `published` if a run of digests was made before it was planned.
    pub known: Timestamp,
    /// Whether it is more than their cap lets through at once.
    pub over: bool,
}

impl Moment {
    /// Of an article that is planned as soon as it is published.
    pub(crate) fn of_alert(published: Timestamp) -> Self {
        Self { published, known: published, over: false }
    }
}

/// When an article is sent to somebody to whom it belongs, the first first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Delivery {
    AtOnce,
    /// With the digest that is due then.
    Due(Timestamp),
    /// After a pause whose end nobody knows.
    AfterPause,
}

impl Terms<'_> {
    /// When the article of `moment` is sent; `None`: it does not belong to them.
    pub(crate) fn delivery(&self, matches: impl Fn(&Selection) -> bool, moment: Moment) -> Option<Delivery> {
        let Moment { published, over, .. } = moment;
        if self.paused(published).is_some() {
            return None;
        }
        let found = self.spans.iter().filter(|span| span.covers(published) && matches(&span.selection));
        let mut first = None;
        for span in found {
            let delivery = match span.frequency {
                Frequency::Immediate if !over => return Some(Delivery::AtOnce),
                Frequency::Immediate => {
                    let (hour, zone) = self.over_the_cap(published);
                    self.due(Frequency::Daily { hour }, &zone, moment)
                }
                digest => self.due(digest, &span.zone(self.zone), moment),
            };
            let owed = match (delivery, self.left_at(span)) {
                (Delivery::Due(due), Some(left)) => due < left,
                (Delivery::AfterPause, left) => left.is_none(),
                _ => true,
            };
            if owed {
                first = Some(first.map_or(delivery, |first: Delivery| first.min(delivery)));
            }
        }
        first
    }

    /// When something may come together: the frequencies they asked for, and with `over` those of what is over their caps.
    pub(crate) fn digests(&self, over: bool) -> impl Iterator<Item = (Frequency, TimeZone)> {
        let asked = self.spans.iter().filter(|span| span.frequency != Frequency::Immediate);
        let capped = self.caps.iter().map(|cap| (cap.cap.hour, cap.zone(self.zone)));
        let capped = capped.chain([(HOUR, self.zone.clone())]).filter(move |_| over);
        let capped = capped.map(|(hour, zone)| (Frequency::Daily { hour }, zone));
        asked.map(|span| (span.frequency, span.zone(self.zone))).chain(capped)
    }

    /// When its owner left what they had asked for by `span`: at its end, or later, if they changed it before.
    fn left_at(&self, span: &Span) -> Option<Timestamp> {
        let ended = span.until?;
        let left = self.spans.iter().filter(|other| other.left && other.selection == span.selection);
        left.filter_map(|other| other.until).filter(|until| *until >= ended).min()
    }

    /// The first due after `moment` that is in no pause.
    fn due(&self, frequency: Frequency, zone: &TimeZone, moment: Moment) -> Delivery {
        let mut after = moment.published.max(moment.known);
        // Each turn is past one pause more.
        while let Some(due) = frequency.next_due(zone, after) {
            match self.paused(due) {
                None => return Delivery::Due(due),
                Some(Pause { until: Some(until), .. }) => after = due.max(*until - jiff::SignedDuration::from_nanos(1)),
                Some(Pause { until: None, .. }) => return Delivery::AfterPause,
            }
        }
        Delivery::AfterPause
    }

    fn paused(&self, at: Timestamp) -> Option<&Pause> {
        self.pauses.iter().find(|pause| pause.covers(at))
    }

    fn over_the_cap(&self, published: Timestamp) -> (i8, TimeZone) {
        let cap = self.caps.iter().find(|cap| cap.covers(published));
        cap.map_or_else(|| (HOUR, self.zone.clone()), |cap| (cap.cap.hour, cap.zone(self.zone)))
    }
}

#[cfg(test)]
mod tests;
