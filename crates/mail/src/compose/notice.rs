//! The notice: what became of an article that its reader has been sent.

use article::{Article, direction};
use askama::Template;
use url::Url;

use super::alert::{FONTS, footers, header, rendered, tidied};
use super::facts::permalink;
use super::message::Issue;
use super::part::{Form, Part};
use crate::locale::Locale;
use crate::site::Site;

/// Bytes of notes in one mail; the newest is always whole.
const MAX_NOTES: usize = 30 * 1024;

/// What readers of an article are told about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Notice {
    /// Something was wrong: the correction made in this revision, and all that followed it.
    Correction {
        revision: u32,
    },
    Withdrawal,
    Kill,
}

impl Notice {
    fn word(self) -> &'static str {
        match self {
            Self::Correction { .. } => "correction",
            Self::Withdrawal => "withdrawal",
            Self::Kill => "kill",
        }
    }
}

struct Facts<'a> {
    /// The language of our own words, and that of the newsroom's.
    ours: &'static str,
    language: &'a str,
    direction: &'static str,
    subject: String,
    intro: String,
    headline: &'a str,
    /// Paragraphs of the newest note.
    note: Vec<&'a str>,
    earlier_words: String,
    /// Paragraphs of the notes before it.
    earlier: Vec<&'a str>,
    link: Option<Url>,
    link_words: String,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticeHtml<'a> {
    facts: &'a Facts<'a>,
    fonts: &'static str,
}

#[derive(Template)]
#[template(path = "notice.txt")]
struct NoticeText<'a> {
    facts: &'a Facts<'a>,
}

/// The notice as mail for readers of `locale`, all but what is personal. It holds no text of the article but the
/// headline, which says what it is about.
pub fn compile_notice(article: &Article, notice: Notice, site: &Site, locale: Locale) -> Issue {
    let facts = facts(article, notice, site, locale);
    let (text_footer, html_footer) = footers(site, locale);
    let html = rendered(&NoticeHtml { facts: &facts, fonts: FONTS });
    let text = tidied(&rendered(&NoticeText { facts: &facts }));
    let (text, html) = (Part::new(Form::Text, &text, &text_footer), Part::new(Form::Html, &html, &html_footer));
    Issue::new(&header(article, site, &facts.subject, notice.word(), locale.tag()), text, html)
}

fn facts<'a>(article: &'a Article, notice: Notice, site: &Site, locale: Locale) -> Facts<'a> {
    let word = notice.word();
    let (note, earlier) = notes(article, notice);
    Facts {
        ours: locale.tag(),
        language: &article.language,
        direction: direction(&article.language).as_str(),
        subject: locale.say(&format!("subject-{word}"), &[("name", &article.headline)]),
        intro: locale.say(&format!("intro-{word}"), &[("site", site.name())]),
        headline: &article.headline,
        note,
        earlier_words: locale.say("earlier-corrections", &[]),
        earlier,
        link: matches!(notice, Notice::Correction { .. }).then(|| permalink(article, site)),
        link_words: locale.say("read-corrected", &[]),
    }
}

/// The newest note, and those before it that this notice is still to tell: a correction that was itself corrected
/// before it went out must not stand alone.
fn notes(article: &Article, notice: Notice) -> (Vec<&str>, Vec<&str>) {
    let Notice::Correction { revision } = notice else {
        return (paragraphs(article.change.note.as_deref().unwrap_or_default()), Vec::new());
    };
    let mut notes = article.corrections.iter().rev().filter(|correction| correction.revision >= revision);
    let newest = notes.next().map_or("", |correction| correction.note.as_str());
    let mut room = MAX_NOTES.saturating_sub(newest.len());
    let fits = |note: &&str| {
        let fits = note.len() <= room;
        room = room.saturating_sub(note.len());
        fits
    };
    let earlier = notes.map(|correction| correction.note.as_str()).take_while(fits).flat_map(paragraphs);
    (paragraphs(newest), earlier.collect())
}

fn paragraphs(note: &str) -> Vec<&str> {
    note.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}
