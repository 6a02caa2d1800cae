//! The notice: what became of an article that its reader has been sent, or whose story they follow.

use article::{Article, direction};
use askama::Template;
use url::Url;

use super::alert::compile_update;
use super::facts::{clipped, permalink, published};
use super::frame::{FONTS, Footer, article_header, rendered};
use super::message::Issue;
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
    /// There is more to the story than in the revision before this one. It is the article itself, for those who follow
    /// it.
    Update {
        revision: u32,
    },
}

impl Notice {
    fn word(self) -> &'static str {
        match self {
            Self::Correction { .. } => "correction",
            Self::Withdrawal => "withdrawal",
            Self::Kill => "kill",
            Self::Update { .. } => "update",
        }
    }
}

struct Facts<'a> {
    /// The language of our own words, and that of the newsroom's.
    ours: &'static str,
    language: &'a str,
    direction: &'static str,
    subject: String,
    preheader: &'a str,
    intro: String,
    headline: &'a str,
    published: Option<String>,
    /// Paragraphs of the newest note.
    note: Vec<&'a str>,
    earlier_words: String,
    /// Paragraphs of the notes before it.
    earlier: Vec<&'a str>,
    link: Option<Url>,
    link_words: String,
    follow: Option<Url>,
    follow_words: String,
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

/// The notice as mail for readers of `locale`, all but what is personal. But for an update it holds no text of the
/// article but the headline, which says what it is about.
pub fn compile_notice(article: &Article, notice: Notice, site: &Site, locale: Locale) -> Issue {
    if matches!(notice, Notice::Update { .. }) {
        return compile_update(article, site, locale);
    }
    let facts = &facts(article, notice, site, locale);
    let header = article_header(article, site, &facts.subject, notice.word(), locale.tag());
    let html = rendered(&NoticeHtml { facts, fonts: FONTS });
    Footer::new(site, locale).close(&header, &rendered(&NoticeText { facts }), &html)
}

fn facts<'a>(article: &'a Article, notice: Notice, site: &Site, locale: Locale) -> Facts<'a> {
    let word = notice.word();
    let (note, earlier) = notes(article, notice);
    let corrected = matches!(notice, Notice::Correction { .. });
    Facts {
        ours: locale.tag(),
        language: &article.language,
        direction: direction(&article.language).as_str(),
        subject: locale.say(&format!("subject-{word}"), &[("name", &article.headline)]),
        intro: locale.say(&format!("intro-{word}"), &[("site", site.name())]),
        headline: &article.headline,
        published: published(article),
        preheader: clipped(note.first().copied().unwrap_or_default()),
        note,
        earlier_words: locale.say("earlier-corrections", &[]),
        earlier,
        link: corrected.then(|| permalink(article, site)),
        link_words: locale.say("read-corrected", &[]),
        follow: corrected.then(|| site.follow_page(&article.id, locale.tag())),
        follow_words: locale.say("follow", &[]),
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

pub(super) fn paragraphs(note: &str) -> Vec<&str> {
    note.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}
