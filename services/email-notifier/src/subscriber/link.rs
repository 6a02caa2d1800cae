//! The mail with a link to the preferences, for whoever types their address and has none. Pure.

use jiff::{SignedDuration, Timestamp};

use super::Subscriber;
use crate::links::PREFERENCES_BY_FORM;

/// One such mail per address in this time, however often its address is typed.
const LINK_PAUSE: SignedDuration = SignedDuration::from_hours(24);

/// Whoever asked waits in front of a screen: a mail that is later than its link would have been good for is none.
const LINK_WITHIN: SignedDuration = PREFERENCES_BY_FORM;

impl Subscriber {
    /// Somebody asked for a link. False when none is to be sent: the owner never said that the address is theirs, or one
    /// was asked for within the last day.
    pub(crate) fn ask_for_link(&mut self, now: Timestamp) -> bool {
        self.ask_after(LINK_PAUSE, now)
    }

    /// The same by who holds a link that this address was mailed: once more as soon as the last one is of no use.
    pub(crate) fn ask_for_fresh_link(&mut self, now: Timestamp) -> bool {
        self.ask_after(LINK_WITHIN, now)
    }

    fn ask_after(&mut self, pause: SignedDuration, now: Timestamp) -> bool {
        let rested = self.link_asked_at.is_none_or(|asked| now.duration_since(asked) >= pause);
        let asks = rested && self.was_confirmed();
        if asks {
            self.link_asked_at = Some(now);
        }
        asks
    }

    /// Whether the mail with the link is due.
    pub(crate) fn wants_link(&self, now: Timestamp) -> bool {
        self.link_asked_at.is_some_and(|asked| {
            self.link_sent_at.is_none_or(|sent| sent < asked) && now.duration_since(asked) < LINK_WITHIN
        })
    }

    /// Whether a mail of ours, rather than of the news, is or may become due.
    pub(crate) fn waits(&self, now: Timestamp) -> bool {
        self.wants_link(now) || self.pending(now).next().is_some()
    }
}

#[cfg(test)]
mod tests {
    use subscription::Selection;

    use super::*;
    use crate::subscriber::{SubscriberId, Wish};

    fn at(hours: i64) -> Timestamp {
        "2026-11-22T10:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hours)
    }

    #[test]
    fn only_who_confirmed_is_sent_a_link_and_once_a_day() {
        let address = "reader@example.org".parse().unwrap();
        let mut reader = Subscriber::new(SubscriberId::random(), address, "en".into(), "UTC".into());
        reader.request(&Wish::alerts(Selection::everything(), "en"), at(0));
        assert!(!reader.ask_for_link(at(0)), "the address is a stranger's word");
        reader.confirm(at(0), at(0));
        assert!(!reader.waits(at(0)));
        assert!(reader.ask_for_link(at(1)) && reader.wants_link(at(1)) && reader.waits(at(1)));
        assert!(!reader.wants_link(at(2)), "late is never");
        reader.link_sent_at = Some(at(1));
        assert!(!reader.wants_link(at(1)) && !reader.waits(at(1)));
        assert!(!reader.ask_for_link(at(24)));
        assert!(reader.ask_for_link(at(25)) && reader.wants_link(at(25)));
    }

    #[test]
    fn who_holds_a_link_may_ask_for_a_fresh_one_every_hour() {
        let address = "reader@example.org".parse().unwrap();
        let mut reader = Subscriber::new(SubscriberId::random(), address, "en".into(), "UTC".into());
        reader.request(&Wish::alerts(Selection::everything(), "en"), at(0));
        assert!(!reader.ask_for_fresh_link(at(0)), "nobody has confirmed");
        reader.confirm(at(0), at(0));
        assert!(reader.ask_for_link(at(1)) && !reader.ask_for_fresh_link(at(1)), "one is on its way");
        reader.link_sent_at = Some(at(1));
        assert!(reader.ask_for_fresh_link(at(2)) && reader.wants_link(at(2)));
    }
}
