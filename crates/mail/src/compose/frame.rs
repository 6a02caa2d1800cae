//! What all issues share: fields of the header, fonts, the footer with its slots, and how templates become parts.

use std::fmt::Write;

use article::Article;
use askama::Template;
use url::Url;

use super::message::Issue;
use super::part::{Form, MANAGE, Part, UNSUBSCRIBE, WHY};
use crate::header::{named_field, text_field};
use crate::locale::Locale;
use crate::site::Site;

/// The longest HTML part, in bytes. Gmail hides what follows 102 KB behind a link, the unsubscribe link with it.
const MAX_HTML: usize = 90 * 1024;
/// Of those, for what is spliced: links, their escapes, the reason.
const PERSONAL: usize = 4 * 1024;

/// Fonts every system has one of; the ones for Chinese after those for Latin, or Latin letters look Chinese.
pub(super) const FONTS: &str = "-apple-system,'Segoe UI',Roboto,'Helvetica Neue','PingFang SC','Microsoft YaHei',\
                                'Noto Sans','Noto Sans CJK SC',Arial,sans-serif";

#[derive(Template)]
#[template(path = "footer.html")]
struct FooterHtml<'a> {
    words: &'a FooterWords,
    why: char,
    manage: char,
    unsubscribe: char,
    subscribe: &'a Url,
}

#[derive(Template)]
#[template(path = "footer.txt")]
struct FooterText<'a> {
    words: &'a FooterWords,
    why: char,
    manage: char,
    unsubscribe: char,
    subscribe: &'a Url,
}

struct FooterWords {
    language: &'static str,
    manage: String,
    unsubscribe: String,
    forwarded: String,
}

/// The end of every issue, with slots where it is personal.
pub(super) struct Footer {
    text: String,
    html: String,
}

impl Footer {
    pub(super) fn new(site: &Site, locale: Locale) -> Self {
        let words = &FooterWords {
            language: locale.tag(),
            manage: locale.say("manage", &[]),
            unsubscribe: locale.say("unsubscribe", &[]),
            forwarded: locale.say("forwarded", &[]),
        };
        let (why, manage, unsubscribe) = (WHY, MANAGE, UNSUBSCRIBE);
        let subscribe = &site.subscribe_page(None, locale.tag());
        Self {
            text: rendered(&FooterText { words, why, manage, unsubscribe, subscribe }),
            html: rendered(&FooterHtml { words, why, manage, unsubscribe, subscribe }),
        }
    }

    /// Bytes of HTML left for what a mail is about, besides a frame of `taken` bytes.
    pub(super) fn room(&self, taken: usize) -> usize {
        MAX_HTML.saturating_sub(taken + self.html.len() + PERSONAL)
    }

    /// The issue with this end; `header` is every field that is not personal.
    pub(super) fn close(&self, header: &str, text: &str, html: &str) -> Issue {
        Issue::new(header, Part::new(Form::Text, &tidied(text), &self.text), Part::new(Form::Html, html, &self.html))
    }
}

pub(super) fn rendered(template: &impl Template) -> String {
    template.render().expect("these templates only write to a String")
}

/// What the header of an issue says. Everything but the subject is ASCII.
pub(super) struct Fields<'a> {
    pub(super) subject: &'a str,
    /// In front of the mail domain: which list of the site's this is.
    pub(super) list: &'a str,
    /// What complaints are counted by: three words without a colon, with colons between, from the narrowest.
    pub(super) feedback: &'a str,
    /// BCP 47.
    pub(super) language: &'a str,
}

/// The fields every reader's copy shares.
pub(super) fn header(site: &Site, fields: &Fields<'_>) -> String {
    let mut out = String::with_capacity(1024);
    named_field(&mut out, "From", site.name(), site.from().as_str());
    text_field(&mut out, "Subject", fields.subject);
    named_field(&mut out, "List-Id", site.name(), &format!("{}.{}", fields.list, site.mail_domain()));
    out.push_str("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nAuto-Submitted: auto-generated\r\n");
    write!(out, "Feedback-ID: {}:newswire\r\n", fields.feedback).expect("writing to a String cannot fail");
    let language = fields.language;
    // A tag of a newer version's log that is no tag is left out rather than trusted.
    if (1..=64).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        write!(out, "Content-Language: {language}\r\n").expect("writing to a String cannot fail");
    }
    out
}

/// The same of a mail about one article. `kind` is of ASCII letters.
pub(super) fn article_header(article: &Article, site: &Site, subject: &str, kind: &str, language: &str) -> String {
    // ASCII by type: ids, a publisher's slug, a number.
    let (id, revision, publisher) = (&article.id, article.revision, &article.publisher);
    let feedback = format!("{}.{revision}:{publisher}:{kind}", id.token());
    let mut out = header(site, &Fields { subject, list: publisher.as_str(), feedback: &feedback, language });
    write!(out, "X-Newswire-Article: {id}\r\nX-Newswire-Revision: {revision}\r\n")
        .expect("writing to a String cannot fail");
    out
}

/// No more than one blank line in a row, none at the start, one at the end.
fn tidied(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let blank = line.trim().is_empty();
        if !blank || !(out.is_empty() || out.ends_with("\n\n")) {
            out.push_str(if blank { "" } else { line });
            out.push('\n');
        }
    }
    if !out.ends_with("\n\n") {
        out.push('\n');
    }
    out
}
