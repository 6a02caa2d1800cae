//! Where a recipient of a chunk stands, and the letter of it.

use crate::bounces::Reason as Stop;

/// Where one recipient stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum State {
    Planned,
    /// The intent is written; the answer is not.
    Submitting,
    /// The relay took responsibility. It is not delivery.
    Accepted,
    /// The relay said later, or could not be asked.
    Deferred,
    /// Their domain takes less mail for now, or nobody's mail is wanted: it was not tried, or its answer was not about it.
    Slowed,
    /// It was being submitted when its answer was lost: the relay may have it. It is sent again under the same
    /// Message-ID.
    Uncertain,
    /// The same, where a second copy would be worse than none: it is not sent again.
    Unanswered,
    /// Refused for good, or given up after the last attempt.
    Failed,
    /// Not to be sent, and why.
    Suppressed(Why),
    /// Too late to be news.
    Expired,
}

/// Why somebody who was planned is not sent anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Why {
    /// They have left since, or were erased.
    Left,
    /// There is nothing to send any more: the article was held, withdrawn or killed, or a notice of it is obsolete.
    Withdrawn,
    /// They have paused their mail.
    Paused,
    /// Their mailbox does not take mail.
    Bounced,
    /// They have complained.
    Complained,
    /// An operator has cancelled the plan.
    Cancelled,
    /// Nothing of a digest is left.
    Empty,
}

impl Why {
    /// As in what is answered.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Withdrawn => "withdrawn",
            Self::Paused => "paused",
            Self::Bounced => "bounced",
            Self::Complained => "complained",
            Self::Cancelled => "cancelled",
            Self::Empty => "empty",
        }
    }
}

impl From<Stop> for Why {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Bounced => Self::Bounced,
            Stop::Complained => Self::Complained,
        }
    }
}

impl State {
    pub(super) const ALL: [(Self, char); 16] = [
        (Self::Planned, 'p'),
        (Self::Submitting, 's'),
        (Self::Accepted, 'a'),
        (Self::Deferred, 'd'),
        (Self::Slowed, 'h'),
        (Self::Uncertain, 'u'),
        (Self::Unanswered, 'l'),
        (Self::Failed, 'f'),
        (Self::Suppressed(Why::Left), 'x'),
        (Self::Suppressed(Why::Withdrawn), 'w'),
        (Self::Suppressed(Why::Paused), 'z'),
        (Self::Suppressed(Why::Bounced), 'b'),
        (Self::Suppressed(Why::Complained), 'c'),
        (Self::Suppressed(Why::Cancelled), 'k'),
        (Self::Suppressed(Why::Empty), 'n'),
        (Self::Expired, 'e'),
    ];

    pub(super) fn letter(self) -> char {
        Self::ALL.into_iter().find(|(state, _)| *state == self).map_or('p', |(_, letter)| letter)
    }

    pub(super) fn from_letter(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == letter).map(|(state, _)| state)
    }

    /// As in what is answered.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Submitting => "submitting",
            Self::Accepted => "accepted",
            Self::Deferred | Self::Slowed => "deferred",
            Self::Uncertain => "uncertain",
            Self::Unanswered => "unanswered",
            Self::Failed => "failed",
            Self::Suppressed(_) => "suppressed",
            Self::Expired => "expired",
        }
    }

    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Accepted | Self::Unanswered | Self::Failed | Self::Suppressed(_) | Self::Expired)
    }
}
