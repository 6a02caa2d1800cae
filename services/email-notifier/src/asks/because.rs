//! Why an address is not among those an article was sent to at once: from its record, the article and the moment. Pure.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use subscription::{Expression, Features, Selection};

use crate::bounces::Reason as Stop;
use crate::digest::belong::{Delivery, Moment};
use crate::readers::Reader;
use crate::span::Span;
use crate::subscriber::Subscriber;

/// Selections of which it is told what keeps the article out of them, the nearest first.
const MAX_NEAR: usize = 5;

/// One thing that decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Because {
    /// Nobody was alerted to the article.
    NoAlert,
    NoSubscriber,
    /// The address is never written to again; the record may be erased.
    Suppressed {
        why: String,
    },
    Bounced,
    Complained,
    /// Asked for, and the button was not pressed.
    Unconfirmed {
        selection: String,
        requested_at: Timestamp,
    },
    /// They had left what would have had it.
    Left {
        selection: String,
        at: Timestamp,
    },
    /// What would have had it was asked for after it was published.
    Later {
        selection: String,
        since: Timestamp,
    },
    Paused {
        since: Timestamp,
        until: Option<Timestamp>,
    },
    NoMatch {
        nearest: Vec<Near>,
    },
    /// It is in a digest; `None`: after a pause whose end nobody knows.
    Digest {
        due: Option<Timestamp>,
    },
    /// It was one alert too many, and comes in a digest.
    OverCap {
        alerts: u16,
        due: Option<Timestamp>,
    },
    /// As the record is now they would have got it.
    Changed,
}

/// A selection that does not have the article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Near {
    pub selection: String,
    /// What of it is not so.
    pub missing: Vec<String>,
    /// How much of it is.
    pub met: usize,
}

/// What it is told from.
pub(super) struct Case<'a> {
    pub record: &'a Subscriber,
    /// Of the revision that called for the alert.
    pub features: &'a Features,
    pub published: Timestamp,
    /// Since when the runs of digests know it.
    pub known: Timestamp,
    pub now: Timestamp,
}

impl Because {
    /// Whether it says that they do not get it at all.
    pub(super) fn denies(&self) -> bool {
        matches!(
            self,
            Self::Unconfirmed { .. }
                | Self::Left { .. }
                | Self::Later { .. }
                | Self::Paused { .. }
                | Self::NoMatch { .. }
        )
    }
}

/// Why somebody who is not in the plan of the alert is not. Never empty.
pub(super) fn because(case: &Case<'_>) -> Vec<Because> {
    let Case { record, features, published, now, .. } = case;
    let reader = Reader::of(record);
    let mut told: Vec<Because> = reader.stopped(*now).into_iter().map(Because::from).collect();
    let waiting = record.pending(*now).filter(|asked| asked.selection.matches(features));
    told.extend(waiting.map(|asked| Because::Unconfirmed {
        selection: asked.selection.to_string(),
        requested_at: asked.requested_at,
    }));
    let spans: Vec<&Span> = reader.spans.iter().filter(|span| span.selection.matches(features)).collect();
    if spans.is_empty() {
        if told.is_empty() {
            told.push(Because::NoMatch { nearest: nearest(&reader.spans, features) });
        }
        return told;
    }
    if let Some(pause) = reader.pauses.iter().find(|pause| pause.covers(*published)) {
        told.push(Because::Paused { since: pause.since, until: pause.until });
        return told;
    }
    match (delivery(case, &reader, false), reader.cap_at(*published)) {
        (None, _) => told.extend(spans.into_iter().map(|span| outside(span, *published))),
        (Some(Delivery::AtOnce), Some((cap, _))) => {
            told.push(Because::OverCap { alerts: cap.alerts, due: delivery(case, &reader, true).and_then(due) });
        }
        (Some(Delivery::AtOnce), None) => told.push(Because::Changed),
        (Some(digest), _) => told.push(Because::Digest { due: due(digest) }),
    }
    told
}

/// When the digest is due that has it for somebody who is not in the plan of the alert, as their record is now.
pub(super) fn due_in(case: &Case<'_>) -> Option<Timestamp> {
    let reader = Reader::of(case.record);
    match delivery(case, &reader, false)? {
        // More than their cap, or a storm of news, let through.
        Delivery::AtOnce => delivery(case, &reader, true).and_then(due),
        digest => due(digest),
    }
}

fn delivery(case: &Case<'_>, reader: &Reader, over: bool) -> Option<Delivery> {
    let moment = Moment { published: case.published, known: case.known, over };
    reader.terms().delivery(|selection| selection.matches(case.features), moment)
}

fn due(delivery: Delivery) -> Option<Timestamp> {
    match delivery {
        Delivery::Due(due) => Some(due),
        Delivery::AtOnce | Delivery::AfterPause => None,
    }
}

/// Of a span that would have had it at another time.
fn outside(span: &Span, published: Timestamp) -> Because {
    let selection = span.selection.to_string();
    match span.until {
        // Published while it stood, and due after they had left.
        Some(at) if published >= span.since => Because::Left { selection, at },
        _ => Because::Later { selection, since: span.since },
    }
}

fn nearest(spans: &[Span], features: &Features) -> Vec<Near> {
    let standing = spans.iter().filter(|span| span.until.is_none());
    let mut near: Vec<Near> = standing.map(|span| nearness(&span.selection, features)).collect();
    near.sort_by_key(|near| (near.missing.len(), usize::MAX - near.met));
    near.truncate(MAX_NEAR);
    near
}

fn nearness(selection: &Selection, features: &Features) -> Near {
    let parts = match selection.parts() {
        Expression::AllOf(parts) => parts.iter().map(ToString::to_string).collect(),
        whole => vec![whole.to_string()],
    };
    // A part of a selection is one, written as it stands there.
    let holds = |part: &String| part.parse::<Selection>().is_ok_and(|part| part.matches(features));
    let (met, missing): (Vec<String>, Vec<String>) = parts.into_iter().partition(holds);
    Near { selection: selection.to_string(), missing, met: met.len() }
}

impl From<Stop> for Because {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Bounced => Self::Bounced,
            Stop::Complained => Self::Complained,
        }
    }
}

/// One sentence.
impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAlert => f.write_str(
                "Nobody was alerted to this article: it is not public, was too old when it came, is a test, or is not \
                 planned yet.",
            ),
            Self::NoSubscriber => f.write_str("Nobody has subscribed with this address."),
            Self::Suppressed { why } => write!(f, "Nothing is sent to this address any more: {why}."),
            Self::Bounced => f.write_str("Nothing is sent there for now: mail to this address came back."),
            Self::Complained => f.write_str("Nothing is sent there any more: its reader complained."),
            Self::Unconfirmed { selection, requested_at } => {
                write!(f, "{selection} was asked for at {requested_at:.0} and never confirmed.")
            }
            Self::Left { selection, at } => write!(f, "They had {selection}, and left it at {at:.0}."),
            Self::Later { selection, since } => {
                write!(f, "They have {selection} since {since:.0}; the article was published before.")
            }
            Self::Paused { since, until: Some(until) } => {
                write!(f, "It was published while they had paused their mail, from {since:.0} until {until:.0}.")
            }
            Self::Paused { since, until: None } => {
                write!(f, "It was published while they had paused their mail, since {since:.0}.")
            }
            Self::NoMatch { nearest } if nearest.is_empty() => f.write_str("They are not subscribed to anything."),
            Self::NoMatch { nearest } => {
                f.write_str("Nothing they asked for has this article:")?;
                let told = |near: &Near| format!(" {} (it is not in {})", near.selection, near.missing.join(", "));
                write!(f, "{}.", nearest.iter().map(told).collect::<Vec<_>>().join(";"))
            }
            Self::Digest { due: Some(due) } => write!(f, "They get it in the digest that is due at {due:.0}."),
            Self::Digest { due: None } => f.write_str("They get it in a digest, after their pause."),
            Self::OverCap { alerts, due } => {
                write!(f, "It was more than the {alerts} alerts a day that they want; ")?;
                match due {
                    Some(due) => write!(f, "it comes in the digest that is due at {due:.0}."),
                    None => f.write_str("it comes in a digest, after their pause."),
                }
            }
            Self::Changed => f.write_str(
                "As their record is now they would have got it: it was changed since, or limits held it back.",
            ),
        }
    }
}

#[cfg(test)]
mod tests;
