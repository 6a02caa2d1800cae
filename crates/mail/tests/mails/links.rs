//! The mails that hold a link and no news: the confirmation, and the way to the preferences.

use mail::{Access, Confirmation, Key, Link, Locale, Message, MessageId, Topic, access, confirmation};
use mail_parser::MessageParser;

use crate::common::{address, site};
use crate::well_formed;

pub(crate) fn confirm(locale: Locale) -> Message {
    confirmation(
        &site(),
        locale,
        &Confirmation {
            to: &address("reader@example.org"),
            message_id: &MessageId::derive(&Key::new([7; 32]), "confirm", "x", "mail.news.example"),
            date: "2026-11-22T10:00:05Z".parse().unwrap(),
            confirm: &Link::new("https://mail.news.example/confirm?a=1&t=abc".parse().unwrap()).unwrap(),
            topic: &Topic::Unnamed,
        },
    )
}

#[test]
fn a_confirmation_asks_and_says_what_happens_otherwise() {
    for locale in Locale::ALL {
        let message = confirm(locale);
        well_formed(&message);
        let parsed = MessageParser::default().parse(message.as_bytes()).unwrap();
        assert!(parsed.subject().unwrap().contains("Hefei News"));
        assert!(parsed.header_raw("List-Unsubscribe").is_none());
        let (text, html) = (parsed.body_text(0).unwrap(), parsed.body_html(0).unwrap());
        assert!(text.contains("\r\nhttps://mail.news.example/confirm?a=1&t=abc\r\n"), "{text}");
        assert!(html.contains("href=\"https://mail.news.example/confirm?a=1&#38;t=abc\""), "{html}");
    }
}

pub(crate) fn link_mail(locale: Locale) -> Message {
    access(
        &site(),
        locale,
        &Access {
            to: &address("reader@example.org"),
            message_id: &MessageId::derive(&Key::new([7; 32]), "link", "x", "mail.news.example"),
            date: "2026-11-22T10:00:05Z".parse().unwrap(),
            preferences: &Link::new("https://mail.news.example/preferences/abc".parse().unwrap()).unwrap(),
        },
    )
}

#[test]
fn a_link_to_the_preferences_is_all_that_its_mail_holds() {
    for locale in Locale::ALL {
        let message = link_mail(locale);
        well_formed(&message);
        let parsed = MessageParser::default().parse(message.as_bytes()).unwrap();
        assert!(parsed.subject().unwrap().contains("Hefei News"));
        let (text, html) = (parsed.body_text(0).unwrap(), parsed.body_html(0).unwrap());
        assert!(text.contains("\r\nhttps://mail.news.example/preferences/abc\r\n"), "{text}");
        assert!(html.contains("href=\"https://mail.news.example/preferences/abc\"") && !text.contains('@'), "{html}");
    }
}
