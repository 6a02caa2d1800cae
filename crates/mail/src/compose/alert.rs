//! The immediate alert: one article, as it is, to everyone who asked for news like it.

use std::fmt::Write;

use article::{Article, AssociationKind, Precision, direction};
use askama::Template;
use unicode_segmentation::UnicodeSegmentation;
use url::Url;

use super::body::{self, Body};
use super::message::Issue;
use super::part::{Form, Part, UNSUBSCRIBE, WHY};
use crate::header::{named_field, text_field};
use crate::locale::Locale;
use crate::site::{Link, Site};

/// The longest HTML part, in bytes. Gmail hides what follows 102 KB behind a link, the unsubscribe link with it.
const MAX_HTML: usize = 90 * 1024;
/// Of those, for what is spliced: a link twice, its escapes, the reason.
const PERSONAL: usize = 4 * 1024;
/// The least a body gets, in bytes, however much the newsroom put around it.
const MIN_BODY: usize = 20 * 1024;
/// Graphemes shown behind the subject in a list of mails.
const PREHEADER: usize = 160;

/// Fonts every system has one of; the ones for Chinese after those for Latin, or Latin letters look Chinese.
pub(super) const FONTS: &str = "-apple-system,'Segoe UI',Roboto,'Helvetica Neue','PingFang SC','Microsoft YaHei',\
                                'Noto Sans','Noto Sans CJK SC',Arial,sans-serif";

#[derive(Template)]
#[template(path = "alert.html")]
struct AlertHtml<'a> {
    language: &'a str,
    direction: &'static str,
    fonts: &'static str,
    preheader: &'a str,
    topic: &'a str,
    headline: &'a str,
    details: &'a str,
    summary: Option<&'a str>,
    picture: Option<Picture<'a>>,
    body: &'a str,
    cut: bool,
    read_whole: &'a str,
    read_on: &'a str,
    link: &'a str,
    source_before: &'a str,
    source_after: &'a str,
    separator: &'a str,
    sources: &'a [article::Source],
    also_in: &'a str,
    translations: &'a [OtherLanguage<'a>],
    rights: &'a [&'a str],
}

/// The same facts as [`AlertHtml`]; a template's type names its file, so there are two.
#[derive(Template)]
#[template(path = "alert.txt")]
struct AlertText<'a> {
    topic: &'a str,
    headline: &'a str,
    details: &'a str,
    summary: Option<&'a str>,
    picture: Option<Picture<'a>>,
    body: &'a str,
    cut: bool,
    read_whole: &'a str,
    read_on: &'a str,
    link: &'a str,
    source_before: &'a str,
    source_after: &'a str,
    separator: &'a str,
    sources: &'a [article::Source],
    also_in: &'a str,
    translations: &'a [OtherLanguage<'a>],
    rights: &'a [&'a str],
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

#[derive(Clone)]
struct Picture<'a> {
    url: &'a Url,
    alt: &'a str,
    caption: String,
}

struct OtherLanguage<'a> {
    name: &'a str,
    language: &'a str,
    url: Url,
}

/// The article as mail for readers of `locale`, all but what is personal.
///
/// Meant for an article that is readable; a notice that one was withdrawn or killed is another kind of mail.
pub fn compile_alert(article: &Article, site: &Site, locale: Locale) -> Issue {
    let link = permalink(article, site);
    let topic = article.section.join(&locale.say("path-separator", &[]));
    let details = details(article, locale);
    let summary = article.summary.as_deref();
    let picture = picture(article, locale);
    let translations = translations(article, site);
    let rights: Vec<&str> = [&article.copyright_notice, &article.usage_terms]
        .into_iter()
        .filter_map(|line| line.as_deref())
        .chain(article.rights_url.as_ref().map(Url::as_str))
        .collect();
    // The names stand between what a language says before and after them, each with its own link.
    let source = locale.say("source", &[("name", "\n")]);
    let (source_before, source_after) = source.split_once('\n').unwrap_or_default();
    let (separator, also_in) = (locale.say("list-separator", &[]), locale.say("also-in", &[]));
    let (read_on, read_whole) = (locale.say("read-on", &[]), locale.say("read-whole", &[]));
    let (unsubscribe_words, forwarded) = (locale.say("unsubscribe", &[]), locale.say("forwarded", &[]));
    let mut html = AlertHtml {
        language: &article.language,
        direction: direction(&article.language).as_str(),
        fonts: FONTS,
        preheader: preheader(article),
        topic: &topic,
        headline: &article.headline,
        details: &details,
        summary,
        picture: picture.clone(),
        body: "",
        cut: true,
        read_whole: &read_whole,
        read_on: &read_on,
        link: link.as_str(),
        source_before,
        source_after,
        separator: &separator,
        sources: &article.sources,
        also_in: &also_in,
        translations: &translations,
        rights: &rights,
    };
    let footer = FooterHtml {
        language: locale.tag(),
        why: WHY,
        unsubscribe: UNSUBSCRIBE,
        unsubscribe_words: &unsubscribe_words,
        forwarded: &forwarded,
        notifier: site.notifier(),
    };
    let footer = rendered(&footer);
    let around = rendered(&html).len() + footer.len() + PERSONAL;
    let Body { html: body, text, cut } =
        body::for_mail(article.body.as_deref().unwrap_or_default(), MAX_HTML.saturating_sub(around).max(MIN_BODY));
    (html.body, html.cut) = (&body, cut);
    let html_part = Part::new(Form::Html, &rendered(&html), &footer);
    let plain = AlertText {
        topic: &topic,
        headline: &article.headline,
        details: &details,
        summary,
        picture,
        body: &text,
        cut,
        read_whole: &read_whole,
        read_on: &read_on,
        link: link.as_str(),
        source_before,
        source_after,
        separator: &separator,
        sources: &article.sources,
        also_in: &also_in,
        translations: &translations,
        rights: &rights,
    };
    let footer = FooterText {
        why: WHY,
        unsubscribe: UNSUBSCRIBE,
        unsubscribe_words: &unsubscribe_words,
        forwarded: &forwarded,
        notifier: site.notifier(),
    };
    let text_part = Part::new(Form::Text, &tidied(&rendered(&plain)), &rendered(&footer));
    Issue::new(&header(article, site), text_part, html_part)
}

pub(super) fn rendered(template: &impl Template) -> String {
    template.render().expect("these templates only write to a String")
}

/// The fields every reader's copy shares.
fn header(article: &Article, site: &Site) -> String {
    let mut out = String::with_capacity(1024);
    named_field(&mut out, "From", site.name(), site.from().as_str());
    text_field(&mut out, "Subject", &article.headline);
    let list = format!("{}.{}", article.publisher, site.mail_domain());
    named_field(&mut out, "List-Id", site.name(), &list);
    // `write!` of values that are ASCII by type: ids, a publisher's slug, a number.
    let fields = [
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()),
        ("Auto-Submitted", "auto-generated".to_owned()),
        ("Feedback-ID", format!("{}.{}:{}:alert:newswire", article.id.token(), article.revision, article.publisher)),
        ("X-Newswire-Article", article.id.to_string()),
        ("X-Newswire-Revision", article.revision.to_string()),
    ];
    for (name, value) in fields {
        write!(out, "{name}: {value}\r\n").expect("writing to a String cannot fail");
    }
    // A tag of a newer version's log that is no tag is left out rather than trusted.
    let tag = article.language.as_str();
    if (1..=64).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        write!(out, "Content-Language: {tag}\r\n").expect("writing to a String cannot fail");
    }
    out
}

/// The newsroom's own page, or ours.
fn permalink(article: &Article, site: &Site) -> Url {
    match &article.canonical_url {
        // Links in a mail must work in every client; an endless one does not.
        Some(url) if Link::new(url.clone()).is_ok() => url.clone(),
        _ => site.article_page(&article.id),
    }
}

/// `By Sun Lu · HEFEI · 2018-11-26`: who, where, when, as far as the newsroom said.
fn details(article: &Article, locale: Locale) -> String {
    let byline = article.byline.as_deref().map(|byline| {
        // Printed as it should be printed; some bylines say "By" themselves.
        let says_by = byline.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("by "));
        if says_by { byline.to_owned() } else { locale.say("byline", &[("name", byline)]) }
    });
    let published = article.published.as_ref().map(|published| match published.precision {
        Precision::Date => published.for_people(),
        // A time without its zone is a riddle to readers elsewhere.
        Precision::Minute | Precision::Second => {
            format!("{} (UTC{})", published.for_people(), published.zoned().strftime("%:z"))
        }
    });
    let parts: Vec<String> = [byline, article.located.clone(), published].into_iter().flatten().collect();
    parts.join(" · ")
}

/// The first picture that can be shown: a mail client loads nothing over plain HTTP, if anything at all.
fn picture(article: &Article, locale: Locale) -> Option<Picture<'_>> {
    let shown = |uri: &Url| uri.scheme() == "https" && uri.as_str().len() <= Link::MAX;
    let picture = article.associations.iter().find(|a| a.kind == AssociationKind::Picture && shown(&a.uri))?;
    let credit = picture.credit.as_ref().map(|name| locale.say("picture-credit", &[("name", name)]));
    let caption: Vec<String> = picture.caption.iter().cloned().chain(credit).collect();
    Some(Picture {
        url: &picture.uri,
        alt: picture.alt_text.as_deref().unwrap_or_default(),
        caption: caption.join(" · "),
    })
}

fn translations<'a>(article: &'a Article, site: &Site) -> Vec<OtherLanguage<'a>> {
    let other = |translation: &'a article::Translation| {
        let page = translation.id.as_ref().map(|id| site.article_page(id));
        let url = translation.url.clone().or(page).filter(|url| url.as_str().len() <= Link::MAX)?;
        Some(OtherLanguage { name: own_name(&translation.language), language: &translation.language, url })
    };
    article.translations.iter().filter_map(other).take(10).collect()
}

/// What a language calls itself; its tag, where we do not know.
fn own_name(tag: &str) -> &str {
    match tag.split('-').next().unwrap_or_default() {
        "ar" => "العربية",
        "de" => "Deutsch",
        "en" => "English",
        "es" => "Español",
        "fr" => "Français",
        "ja" => "日本語",
        "ko" => "한국어",
        "pt" => "Português",
        "ru" => "Русский",
        "zh" if tag.contains("Hant") => "繁體中文",
        "zh" => "中文",
        _ => tag,
    }
}

/// What a list of mails shows behind the subject. The headline stands there already.
fn preheader(article: &Article) -> &str {
    let text = article.summary.as_deref().unwrap_or_default();
    text.grapheme_indices(true).nth(PREHEADER).map_or(text, |(at, _)| &text[..at])
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
