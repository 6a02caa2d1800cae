//! The immediate alert: one article, as it is, to everyone who asked for news like it; and the update, which is the
//! article as it is now, to whoever follows its story.

use article::{Article, ChangeKind};
use askama::Template;

use super::body::{self, Body};
use super::facts::Facts;
use super::frame::{FONTS, Footer, article_header, rendered};
use super::message::Issue;
use super::notice::paragraphs;
use crate::locale::Locale;
use crate::site::Site;

/// The least a body gets, in bytes, however much the newsroom put around it.
const MIN_BODY: usize = 20 * 1024;

#[derive(Template)]
#[template(path = "alert.html")]
struct AlertHtml<'a> {
    facts: &'a Facts<'a>,
    update: Option<&'a Update<'a>>,
    fonts: &'static str,
    body: &'a Body,
}

#[derive(Template)]
#[template(path = "alert.txt")]
struct AlertText<'a> {
    facts: &'a Facts<'a>,
    update: Option<&'a Update<'a>>,
    body: &'a Body,
}

/// What stands before an article whose reader has had it before.
struct Update<'a> {
    /// Of `intro`; the note is in the article's.
    language: &'static str,
    intro: String,
    note: Vec<&'a str>,
}

/// The article as mail for readers of `locale`, all but what is personal.
///
/// Meant for an article that is readable; that one was withdrawn or killed is said by a [`super::Notice`].
pub fn compile_alert(article: &Article, site: &Site, locale: Locale) -> Issue {
    compile(article, site, locale, None)
}

/// The same for those who follow the story.
pub(super) fn compile_update(article: &Article, site: &Site, locale: Locale) -> Issue {
    let note = article.change.note.as_deref().filter(|_| article.change.kind == ChangeKind::Major);
    let intro = locale.say("intro-update", &[("site", site.name())]);
    let update = Update { language: locale.tag(), intro, note: paragraphs(note.unwrap_or_default()) };
    compile(article, site, locale, Some(&update))
}

fn compile(article: &Article, site: &Site, locale: Locale, update: Option<&Update<'_>>) -> Issue {
    let (kind, subject) = match update {
        None => ("alert", article.headline.clone()),
        Some(_) => ("update", locale.say("subject-update", &[("name", &article.headline)])),
    };
    let header = article_header(article, site, &subject, kind, &article.language);
    let (facts, footer) = (&Facts::of(article, site, locale), Footer::new(site, locale));
    let none = Body { html: String::new(), text: String::new(), cut: true };
    let frame = rendered(&AlertHtml { facts, update, fonts: FONTS, body: &none });
    let budget = footer.room(frame.len()).max(MIN_BODY);
    let body = &body::for_mail(article.body.as_deref().unwrap_or_default(), budget);
    let html = rendered(&AlertHtml { facts, update, fonts: FONTS, body });
    footer.close(&header, &rendered(&AlertText { facts, update, body }), &html)
}
