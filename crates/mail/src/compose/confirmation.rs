//! The mail of the double opt-in: did you really ask for this?

use askama::Template;
use jiff::Timestamp;

use super::frame::{FONTS, rendered};
use super::message::{Message, whole};
use super::part::{Form, Part};
use super::topic::Topic;
use crate::address::Address;
use crate::header::{named_field, text_field};
use crate::locale::Locale;
use crate::site::{Link, Site};
use crate::token::MessageId;

#[derive(Template)]
#[template(path = "confirmation.html")]
struct ConfirmationHtml<'a> {
    language: &'static str,
    fonts: &'static str,
    subject: &'a str,
    site: &'a str,
    intro: &'a str,
    ask: &'a str,
    link: &'a str,
    button: &'a str,
    ignore: &'a str,
}

#[derive(Template)]
#[template(path = "confirmation.txt")]
struct ConfirmationText<'a> {
    site: &'a str,
    intro: &'a str,
    ask: &'a str,
    link: &'a str,
    ignore: &'a str,
}

/// What a confirmation says. Of what the stranger at the form typed, it holds the address in To and nothing else:
/// the name of a [`Topic`] must be the newsroom's own.
#[derive(Debug, Clone, Copy)]
pub struct Confirmation<'a> {
    pub to: &'a Address,
    pub message_id: &'a MessageId,
    pub date: Timestamp,
    /// The page whose button confirms; opening it changes nothing.
    pub confirm: &'a Link,
    pub topic: &'a Topic,
}

/// The mail that asks its reader to confirm a subscription.
pub fn confirmation(site: &Site, locale: Locale, confirmation: &Confirmation<'_>) -> Message {
    let topic = confirmation.topic.words(locale);
    let words = Words {
        kind: "confirmation",
        subject: locale.say("confirm-subject", &[("site", site.name())]),
        intro: locale.say("confirm-intro", &[("site", site.name()), ("topic", &topic)]),
        ask: locale.say("confirm-ask", &[]),
        button: locale.say("confirm-button", &[]),
        ignore: locale.say("confirm-ignore", &[]),
    };
    let Confirmation { to, message_id, date, confirm, .. } = confirmation;
    with_link(site, locale, &words, confirm, *date, to, message_id)
}

/// What a mail says whose point is one link.
pub(super) struct Words {
    /// Of mail, for reports of complaints.
    pub kind: &'static str,
    pub subject: String,
    pub intro: String,
    pub ask: String,
    pub button: String,
    pub ignore: String,
}

pub(super) fn with_link(
    site: &Site,
    locale: Locale,
    words: &Words,
    link: &Link,
    date: Timestamp,
    to: &Address,
    message_id: &MessageId,
) -> Message {
    let Words { kind, subject, intro, ask, button, ignore } = words;
    let link = link.as_str();
    let html = ConfirmationHtml {
        language: locale.tag(),
        fonts: FONTS,
        subject,
        site: site.name(),
        intro,
        ask,
        link,
        button,
        ignore,
    };
    let text = ConfirmationText { site: site.name(), intro, ask, link, ignore };
    let mut header = String::new();
    named_field(&mut header, "From", site.name(), site.from().as_str());
    text_field(&mut header, "Subject", subject);
    header.push_str("Auto-Submitted: auto-generated\r\nContent-Language: ");
    header.push_str(locale.tag());
    header.push_str("\r\nFeedback-ID: ");
    header.push_str(&format!("{kind}:site:{kind}:newswire\r\n"));
    let (text, html) = (Part::new(Form::Text, &rendered(&text), ""), Part::new(Form::Html, &rendered(&html), ""));
    whole(&header, date, to, message_id, &text, &html)
}
