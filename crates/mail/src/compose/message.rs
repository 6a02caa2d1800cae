//! Finished mails, and issues: mails that lack only what is personal.

use std::borrow::Cow;

use jiff::Timestamp;

use super::part::{BOUNDARY, Part, close_multipart, open_multipart};
use super::topic::Why;
use crate::address::Address;
use crate::header::to_field;
use crate::site::Link;
use crate::token::MessageId;

/// A mail ready for DATA: ASCII, CRLF, no line over 998 characters. Only this crate's composers make one.
#[derive(Clone, PartialEq, Eq)]
pub struct Message(String);

impl Message {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// A finished mail with signatures in front of it.
    pub(crate) fn signed(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for Message {
    /// Its size only: a mail names its reader.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Message({} bytes)", self.0.len())
    }
}

/// A mail in one language, all but what is personal: one revision of an article, or what a digest holds. Compile it
/// once, splice it for every reader.
#[derive(Debug)]
pub struct Issue {
    /// Header fields, and the first part up to its first slot.
    first: String,
    text: Part,
    /// From the end of the first part to the first slot of the second.
    second: String,
    html: Part,
}

/// What differs between two readers of one issue.
#[derive(Debug, Clone, Copy)]
pub struct Personal<'a> {
    pub to: &'a Address,
    pub message_id: &'a MessageId,
    /// The mail that this one is about: clients show the two together.
    pub about: Option<&'a MessageId>,
    /// The Date field. The same on every attempt, or a receiver shows two copies as two mails.
    pub date: Timestamp,
    /// The page to unsubscribe, which also takes the one-click POST (RFC 8058).
    pub unsubscribe: &'a Link,
    /// An address that unsubscribes whoever this mail went to, for clients without one-click.
    pub unsubscribe_mailto: Option<&'a Address>,
    /// The page where its reader sees and changes what they get.
    pub manage: &'a Link,
    pub why: &'a Why,
}

/// What slots are filled with.
pub(super) struct Filling<'a> {
    pub(super) why: &'a Why,
    pub(super) manage: &'a Link,
    pub(super) manage_html: Cow<'a, str>,
    pub(super) unsubscribe: &'a Link,
    pub(super) unsubscribe_html: Cow<'a, str>,
}

impl Issue {
    /// `header` is every field that is not personal, each ending in CRLF.
    pub(super) fn new(header: &str, text: Part, html: Part) -> Self {
        let mut first = header.to_owned();
        open_multipart(&mut first);
        first.push_str(&text.header());
        first.push_str(text.head());
        let second = format!("\r\n--{BOUNDARY}\r\n{}{}", html.header(), html.head());
        Self { first, text, second, html }
    }

    /// The same marked as a trial: its subject begins with `[Test]`.
    #[must_use]
    pub fn for_trial(mut self) -> Self {
        const SUBJECT: &str = "\r\nSubject:";
        let at = self.first.find(SUBJECT).expect("every issue has a subject, behind its sender") + SUBJECT.len();
        // On a line of its own: one with an encoded word is as long as it may be.
        self.first.insert_str(at, " [Test]\r\n");
        self
    }

    /// The mail for one reader.
    pub fn splice(&self, personal: &Personal<'_>) -> Message {
        // Room for the addresses and the footers; measured, a footer in base64 takes the most.
        let mut out = String::with_capacity(self.first.len() + self.second.len() + 6 * 1024);
        personal_fields(&mut out, personal.date, personal.to, personal.message_id);
        if let Some(about) = personal.about {
            for field in ["In-Reply-To: ", "References: "] {
                out.push_str(field);
                out.push_str(about.as_str());
                out.push_str("\r\n");
            }
        }
        out.push_str("List-Unsubscribe: <");
        out.push_str(personal.unsubscribe.as_str());
        if let Some(mailto) = personal.unsubscribe_mailto {
            out.push_str(">,\r\n <mailto:");
            push_mailto(&mut out, mailto);
        }
        out.push_str(">\r\n");
        let &Personal { why, manage, unsubscribe, .. } = personal;
        let (manage_html, unsubscribe_html) = (escaped(manage), escaped(unsubscribe));
        let filling = Filling { why, manage, manage_html, unsubscribe, unsubscribe_html };
        out.push_str(&self.first);
        self.text.write_tail(&mut out, &filling);
        out.push_str(&self.second);
        self.html.write_tail(&mut out, &filling);
        close_multipart(&mut out);
        Message(out)
    }
}

/// As it stands in an attribute: a `Link` holds no double quote or angle bracket.
fn escaped(link: &Link) -> Cow<'_, str> {
    let link = link.as_str();
    if link.contains(['&', '\'']) {
        Cow::Owned(link.replace('&', "&amp;").replace('\'', "&#39;"))
    } else {
        Cow::Borrowed(link)
    }
}

/// A mail that nothing is spliced into.
pub(super) fn whole(
    header: &str,
    date: Timestamp,
    to: &Address,
    message_id: &MessageId,
    text: &Part,
    html: &Part,
) -> Message {
    let mut out = String::new();
    personal_fields(&mut out, date, to, message_id);
    out.push_str(header);
    open_multipart(&mut out);
    for (n, part) in [text, html].into_iter().enumerate() {
        if n > 0 {
            out.push_str("\r\n--");
            out.push_str(BOUNDARY);
            out.push_str("\r\n");
        }
        out.push_str(&part.header());
        out.push_str(part.head());
        part.write_rest(&mut out);
    }
    close_multipart(&mut out);
    Message(out)
}

fn personal_fields(out: &mut String, date: Timestamp, to: &Address, message_id: &MessageId) {
    out.push_str("Date: ");
    push_date(out, date);
    out.push_str("\r\n");
    to_field(out, to);
    // The line of an id is at most 14 + 34 + 180 characters: long, but an id must not be folded.
    out.push_str("Message-ID: ");
    out.push_str(message_id.as_str());
    out.push_str("\r\n");
}

/// RFC 5322 date in UTC. A reader's own zone is not ours to tell every relay.
fn push_date(out: &mut String, date: Timestamp) {
    let text = date.strftime("%a, %d %b %Y %H:%M:%S +0000");
    std::fmt::Write::write_fmt(out, format_args!("{text}")).expect("a Timestamp has every part of a date");
}

/// RFC 6068: what is legal in a local part and not in a URL is escaped.
fn push_mailto(out: &mut String, address: &Address) {
    for c in address.as_str().chars() {
        match c {
            '%' | '&' | '?' | '#' | '/' | '^' | '`' | '{' | '|' | '}' => {
                std::fmt::Write::write_fmt(out, format_args!("%{:02X}", c as u32)).expect("a String takes all");
            }
            c => out.push(c),
        }
    }
}
