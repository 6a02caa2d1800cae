//! The immediate alert: one article, as it is, to everyone who asked for news like it.

use std::fmt::Write;

use article::Article;
use askama::Template;
use url::Url;

use super::body;
use super::facts::Facts;
use super::message::Issue;
use super::part::{Form, Part, UNSUBSCRIBE, WHY};
use crate::header::{named_field, text_field};
use crate::locale::Locale;
use crate::site::Site;

/// The longest HTML part, in bytes. Gmail hides what follows 102 KB behind a link, the unsubscribe link with it.
const MAX_HTML: usize = 90 * 1024;
/// Of those, for what is spliced: a link, its escapes, the reason.
const PERSONAL: usize = 4 * 1024;
/// The least a body gets, in bytes, however much the newsroom put around it.
const MIN_BODY: usize = 20 * 1024;

/// Fonts every system has one of; the ones for Chinese after those for Latin, or Latin letters look Chinese.
pub(super) const FONTS: &str = "-apple-system,'Segoe UI',Roboto,'Helvetica Neue','PingFang SC','Microsoft YaHei',\
                                'Noto Sans','Noto Sans CJK SC',Arial,sans-serif";

#[derive(Template)]
#[template(path = "alert.html")]
struct AlertHtml<'a> {
    facts: &'a Facts<'a>,
    fonts: &'static str,
    body: &'a str,
    cut: bool,
}

#[derive(Template)]
#[template(path = "alert.txt")]
struct AlertText<'a> {
    facts: &'a Facts<'a>,
    body: &'a str,
    cut: bool,
}

#[derive(Template)]
#[template(path = "footer.html")]
struct FooterHtml<'a> {
    language: &'static str,
    why: char,
    unsubscribe: char,
    unsubscribe_words: &'a str,
    forwarded: &'a str,
    notifier: &'a Url,
}

#[derive(Template)]
#[template(path = "footer.txt")]
struct FooterText<'a> {
    why: char,
    unsubscribe: char,
    unsubscribe_words: &'a str,
    forwarded: &'a str,
    notifier: &'a Url,
}

/// The article as mail for readers of `locale`, all but what is personal.
///
/// Meant for an article that is readable; that one was withdrawn or killed is said by a [`super::Notice`].
pub fn compile_alert(article: &Article, site: &Site, locale: Locale) -> Issue {
    let facts = Facts::of(article, site, locale);
    let (text_footer, html_footer) = footers(site, locale);
    let frame = rendered(&AlertHtml { facts: &facts, fonts: FONTS, body: "", cut: true });
    let budget = MAX_HTML.saturating_sub(frame.len() + html_footer.len() + PERSONAL).max(MIN_BODY);
    let body = body::for_mail(article.body.as_deref().unwrap_or_default(), budget);
    let html = rendered(&AlertHtml { facts: &facts, fonts: FONTS, body: &body.html, cut: body.cut });
    let text = tidied(&rendered(&AlertText { facts: &facts, body: &body.text, cut: body.cut }));
    let (text, html) = (Part::new(Form::Text, &text, &text_footer), Part::new(Form::Html, &html, &html_footer));
    Issue::new(&header(article, site, &article.headline, "alert", &article.language), text, html)
}

/// The footers of both forms, with slots where they are personal.
pub(super) fn footers(site: &Site, locale: Locale) -> (String, String) {
    let (unsubscribe_words, forwarded) = (&locale.say("unsubscribe", &[]), &locale.say("forwarded", &[]));
    let (why, unsubscribe, notifier) = (WHY, UNSUBSCRIBE, site.notifier());
    let text = FooterText { why, unsubscribe, unsubscribe_words, forwarded, notifier };
    let language = locale.tag();
    let html = FooterHtml { language, why, unsubscribe, unsubscribe_words, forwarded, notifier };
    (rendered(&text), rendered(&html))
}

pub(super) fn rendered(template: &impl Template) -> String {
    template.render().expect("these templates only write to a String")
}

/// The fields every reader's copy shares. `kind` is of ASCII letters, `language` a BCP 47 tag.
pub(super) fn header(article: &Article, site: &Site, subject: &str, kind: &str, language: &str) -> String {
    let mut out = String::with_capacity(1024);
    named_field(&mut out, "From", site.name(), site.from().as_str());
    text_field(&mut out, "Subject", subject);
    let list = format!("{}.{}", article.publisher, site.mail_domain());
    named_field(&mut out, "List-Id", site.name(), &list);
    // `write!` of values that are ASCII by type: ids, a publisher's slug, a number.
    let fields = [
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()),
        ("Auto-Submitted", "auto-generated".to_owned()),
        ("Feedback-ID", format!("{}.{}:{}:{kind}:newswire", article.id.token(), article.revision, article.publisher)),
        ("X-Newswire-Article", article.id.to_string()),
        ("X-Newswire-Revision", article.revision.to_string()),
    ];
    for (name, value) in fields {
        write!(out, "{name}: {value}\r\n").expect("writing to a String cannot fail");
    }
    // A tag of a newer version's log that is no tag is left out rather than trusted.
    if (1..=64).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        write!(out, "Content-Language: {language}\r\n").expect("writing to a String cannot fail");
    }
    out
}

/// No more than one blank line in a row, none at the start, one at the end.
pub(super) fn tidied(text: &str) -> String {
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
