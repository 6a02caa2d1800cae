//! The mail with the link to the preferences, for whoever has none at hand.

use jiff::Timestamp;

use super::confirmation::{Words, with_link};
use super::message::Message;
use crate::address::Address;
use crate::locale::Locale;
use crate::site::{Link, Site};
use crate::token::MessageId;

/// What such a mail says. Of what a stranger at the form typed, it holds the address in To and nothing else.
#[derive(Debug, Clone, Copy)]
pub struct Access<'a> {
    pub to: &'a Address,
    pub message_id: &'a MessageId,
    pub date: Timestamp,
    /// The preference page; opening it changes nothing.
    pub preferences: &'a Link,
}

/// The mail that leads its reader to their preferences.
pub fn access(site: &Site, locale: Locale, access: &Access<'_>) -> Message {
    let words = Words {
        kind: "access",
        subject: locale.say("access-subject", &[("site", site.name())]),
        intro: locale.say("access-intro", &[("site", site.name())]),
        ask: locale.say("access-ask", &[]),
        button: locale.say("access-button", &[]),
        ignore: locale.say("access-ignore", &[]),
    };
    with_link(site, locale, &words, access.preferences, access.date, access.to, access.message_id)
}
