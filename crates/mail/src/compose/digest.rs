//! The digest: what several articles say, in short, in one mail.

use article::{Article, ArticleId, Precision, Published, direction};
use askama::Template;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use unicode_segmentation::UnicodeSegmentation;
use url::Url;

use super::facts::{clipped, permalink};
use super::frame::{FONTS, Fields, Footer, header, rendered};
use super::message::Issue;
use crate::locale::Locale;
use crate::site::Site;

/// Graphemes of a summary that are shown: the article is one press away.
const SUMMARY: usize = 300;
/// Names of sources that are shown of an item.
const SOURCES: usize = 3;
/// Headlines that a list of mails shows behind the subject.
const PREHEADER_ITEMS: usize = 3;

/// What a digest says of one article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestItem {
    article: ArticleId,
    headline: String,
    summary: Option<String>,
    /// BCP 47.
    language: String,
    section: Vec<String>,
    sources: Vec<String>,
    published: Option<Published>,
    corrected: bool,
    link: Url,
}

impl DigestItem {
    /// Meant for an article that is readable.
    pub fn of(article: &Article, site: &Site) -> Self {
        Self {
            article: article.id,
            headline: article.headline.clone(),
            summary: article.summary.as_deref().map(shortened),
            language: article.language.clone(),
            section: article.section.clone(),
            sources: article.sources.iter().take(SOURCES).map(|source| source.name.clone()).collect(),
            published: article.published.clone(),
            corrected: !article.corrections.is_empty(),
            link: permalink(article, site),
        }
    }
}

/// What readers of one digest get who share a zone.
#[derive(Debug, Clone)]
pub struct DigestContent {
    /// When the digest was due. Its day stands in the subject.
    pub due: Timestamp,
    /// Of the day, and of the times of the articles.
    pub zone: TimeZone,
    /// In the order in which they are shown: newest first.
    pub items: Vec<DigestItem>,
    /// How many articles belong to the digest that are not among the items.
    pub more: usize,
    /// The page where those are.
    pub more_link: Url,
}

/// An item in the words of a language.
struct Entry<'a> {
    language: &'a str,
    direction: &'static str,
    headline: &'a str,
    summary: Option<&'a str>,
    link: &'a Url,
    /// Section, sources, time, and that it was corrected, as far as the newsroom said.
    details: Vec<String>,
    follow: Url,
    follow_words: &'a str,
    /// The language of those.
    ours: &'static str,
}

#[derive(Template)]
#[template(path = "digest_item.html")]
struct EntryHtml<'a> {
    entry: &'a Entry<'a>,
    /// Whether there is room for the summary.
    whole: bool,
}

/// Everything around the entries.
struct Facts<'a> {
    language: &'static str,
    site: &'a str,
    subject: String,
    preheader: String,
    day: String,
    count: String,
    times: Option<String>,
    more: Option<String>,
    more_link: &'a Url,
}

#[derive(Template)]
#[template(path = "digest.html")]
struct DigestHtml<'a> {
    facts: &'a Facts<'a>,
    fonts: &'static str,
    entries: &'a str,
}

#[derive(Template)]
#[template(path = "digest.txt")]
struct DigestText<'a> {
    facts: &'a Facts<'a>,
    entries: &'a [Entry<'a>],
    summaries: usize,
}

/// The digest as mail for readers of `locale`, all but what is personal.
///
/// Its HTML has at most 90 KB: summaries go first, the oldest article's before the others', then articles, which then
/// count as more.
pub fn compile_digest(content: &DigestContent, site: &Site, locale: Locale) -> Issue {
    let footer = Footer::new(site, locale);
    let words = [locale.say("follow", &[]), locale.say("corrected", &[]), locale.say("list-separator", &[])];
    let entries: Vec<Entry<'_>> =
        content.items.iter().map(|item| entry(item, &content.zone, site, locale, &words)).collect();
    let html = |entry, whole| rendered(&EntryHtml { entry, whole });
    let written: Vec<[String; 2]> = entries.iter().map(|entry| [html(entry, true), html(entry, false)]).collect();
    let sizes: Vec<[usize; 2]> = written.iter().map(|[whole, short]| [whole.len(), short.len()]).collect();
    // As long as the frame can be, with more that is not shown.
    let frame = rendered(&DigestHtml { facts: &facts(content, 0, site, locale), fonts: FONTS, entries: "" });
    let (shown, summaries) = fitting(&sizes, footer.room(frame.len()));
    let facts = &facts(content, shown, site, locale);
    let html: String = written[..shown]
        .iter()
        .enumerate()
        .map(|(n, [whole, short])| if n < summaries { &**whole } else { short })
        .collect();
    let html = rendered(&DigestHtml { facts, fonts: FONTS, entries: &html });
    let text = rendered(&DigestText { facts, entries: &entries[..shown], summaries });
    let feedback = format!("{}:digest:digest", content.due.as_second());
    let header =
        header(site, &Fields { subject: &facts.subject, list: "digest", feedback: &feedback, language: locale.tag() });
    footer.close(&header, &text, &html)
}

fn facts<'a>(content: &'a DigestContent, shown: usize, site: &'a Site, locale: Locale) -> Facts<'a> {
    let (all, more) = (content.items.len() + content.more, content.items.len() - shown + content.more);
    let day = locale.day(&content.due.to_zoned(content.zone.clone()));
    let headlines: Vec<&str> = content.items.iter().take(PREHEADER_ITEMS).map(|item| clipped(&item.headline)).collect();
    let timed =
        |item: &DigestItem| item.published.as_ref().is_some_and(|published| published.precision != Precision::Date);
    let zone = content.zone.iana_name().unwrap_or("UTC");
    Facts {
        language: locale.tag(),
        site: site.name(),
        subject: locale.count("subject-digest", all, &[("site", site.name()), ("day", &day)]),
        preheader: headlines.join(" · "),
        day,
        count: locale.count("digest-count", all, &[]),
        times: content.items[..shown].iter().any(timed).then(|| locale.say("digest-times", &[("zone", zone)])),
        more: (more > 0).then(|| locale.count("digest-more", more, &[])),
        more_link: &content.more_link,
    }
}

fn entry<'a>(item: &'a DigestItem, zone: &TimeZone, site: &Site, locale: Locale, words: &'a [String; 3]) -> Entry<'a> {
    let [follow_words, corrected, separator] = words;
    let section = item.section.join(&locale.say("path-separator", &[]));
    let published = item.published.as_ref().map(|published| match published.precision {
        // A day of the newsroom's has no hour that could be told in another zone.
        Precision::Date => published.for_people(),
        Precision::Minute | Precision::Second => {
            published.at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
        }
    });
    let corrected = item.corrected.then(|| corrected.clone());
    let details = [Some(section), Some(item.sources.join(separator)), published, corrected];
    Entry {
        language: &item.language,
        direction: direction(&item.language).as_str(),
        headline: &item.headline,
        summary: item.summary.as_deref(),
        link: &item.link,
        details: details.into_iter().flatten().filter(|detail| !detail.is_empty()).collect(),
        follow: site.follow_page(&item.article, locale.tag()),
        follow_words,
        ours: locale.tag(),
    }
}

/// How many entries fit into `room` bytes, and how many of those with their summaries; `sizes` are those of an entry
/// with and without. One is always shown: none has more than a tenth of a mail.
fn fitting(sizes: &[[usize; 2]], room: usize) -> (usize, usize) {
    let mut left = room;
    let fits = |left: &mut usize, bytes: usize| left.checked_sub(bytes).map(|rest| *left = rest).is_some();
    let shown = sizes.iter().take_while(|[_, short]| fits(&mut left, *short)).count().max(sizes.len().min(1));
    let summaries = sizes[..shown].iter().take_while(|[whole, short]| fits(&mut left, whole - short)).count();
    (shown, summaries)
}

fn shortened(summary: &str) -> String {
    match summary.grapheme_indices(true).nth(SUMMARY) {
        Some((at, _)) => format!("{}…", summary[..at].trim_end()),
        None => summary.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_go_before_articles_and_the_oldest_first() {
        let sizes = [[10, 4]; 3];
        for (room, expected) in
            [(30, (3, 3)), (29, (3, 2)), (18, (3, 1)), (17, (3, 0)), (12, (3, 0)), (11, (2, 0)), (3, (1, 0))]
        {
            assert_eq!(fitting(&sizes, room), expected, "{room}");
        }
        assert_eq!(fitting(&[], 9), (0, 0));
    }

    #[test]
    fn a_long_summary_ends_between_characters() {
        assert_eq!(shortened("kurz"), "kurz");
        let family = "👩‍👩‍👧‍👦";
        assert_eq!(shortened(&family.repeat(400)), format!("{}…", family.repeat(SUMMARY)));
    }
}
