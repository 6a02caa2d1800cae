//! What a mail says of an article, in the words of a language; both forms of the mail print the same.

use article::{Article, AssociationKind, Precision, direction};
use unicode_segmentation::UnicodeSegmentation;
use url::Url;

use crate::locale::Locale;
use crate::site::{Link, Site};

/// Graphemes shown behind the subject in a list of mails.
const PREHEADER: usize = 160;

/// Everything around the body.
pub(super) struct Facts<'a> {
    /// The language of our own words, and that of the newsroom's.
    pub(super) ours: &'static str,
    pub(super) language: &'a str,
    pub(super) direction: &'static str,
    pub(super) preheader: &'a str,
    /// The section, from the outermost in.
    pub(super) topic: String,
    pub(super) headline: &'a str,
    pub(super) details: Vec<String>,
    pub(super) summary: Option<&'a str>,
    pub(super) picture: Option<Picture<'a>>,
    /// Where the whole article is.
    pub(super) link: Url,
    pub(super) read_whole: String,
    pub(super) read_on: String,
    /// What the language says before and after the names of the sources.
    pub(super) source: (String, String),
    pub(super) separator: String,
    pub(super) sources: &'a [article::Source],
    pub(super) also_in: String,
    pub(super) translations: Vec<OtherLanguage<'a>>,
    pub(super) rights: Vec<&'a str>,
    pub(super) follow: Url,
    pub(super) follow_words: String,
}

pub(super) struct Picture<'a> {
    pub(super) url: &'a Url,
    pub(super) alt: &'a str,
    pub(super) caption: String,
}

pub(super) struct OtherLanguage<'a> {
    pub(super) name: &'a str,
    pub(super) language: &'a str,
    pub(super) url: Url,
}

impl<'a> Facts<'a> {
    pub(super) fn of(article: &'a Article, site: &Site, locale: Locale) -> Self {
        // Each name has a link of its own, so they stand between the two halves of the phrase.
        let source = locale.say("source", &[("name", "\n")]);
        let (before, after) = source.split_once('\n').unwrap_or_default();
        let rights = [&article.copyright_notice, &article.usage_terms].into_iter().filter_map(|line| line.as_deref());
        Self {
            ours: locale.tag(),
            language: &article.language,
            direction: direction(&article.language).as_str(),
            // The headline is the subject already.
            preheader: clipped(article.summary.as_deref().unwrap_or_default()),
            topic: article.section.join(&locale.say("path-separator", &[])),
            headline: &article.headline,
            details: details(article, locale),
            summary: article.summary.as_deref(),
            picture: picture(article, locale),
            link: permalink(article, site),
            read_whole: locale.say("read-whole", &[]),
            read_on: locale.say("read-on", &[]),
            source: (before.to_owned(), after.to_owned()),
            separator: locale.say("list-separator", &[]),
            sources: &article.sources,
            also_in: locale.say("also-in", &[]),
            translations: translations(article, site),
            rights: rights.chain(article.rights_url.as_ref().map(Url::as_str)).collect(),
            follow: site.follow_page(&article.id, locale.tag()),
            follow_words: locale.say("follow", &[]),
        }
    }
}

/// The newsroom's own page, or ours.
pub(super) fn permalink(article: &Article, site: &Site) -> Url {
    match &article.canonical_url {
        // Links in a mail must work in every client; an endless one does not.
        Some(url) if Link::new(url.clone()).is_ok() => url.clone(),
        _ => site.article_page(&article.id),
    }
}

/// `By Sun Lu`, `HEFEI`, `2018-11-26`: who, where, when, as far as the newsroom said. Each is shown in a direction of
/// its own: in a line of Arabic the date would otherwise read `26-11-2018`.
fn details(article: &Article, locale: Locale) -> Vec<String> {
    let byline = article.byline.as_deref().map(|byline| {
        // Printed as it should be printed; some bylines say "By" themselves.
        let says_by = byline.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("by "));
        if says_by { byline.to_owned() } else { locale.say("byline", &[("name", byline)]) }
    });
    [byline, article.located.clone(), published(article)].into_iter().flatten().collect()
}

/// When the newsroom published it, on its own clock.
pub(super) fn published(article: &Article) -> Option<String> {
    article.published.as_ref().map(|published| match published.precision {
        Precision::Date => published.for_people(),
        // A time without its zone is a riddle to readers elsewhere.
        Precision::Minute | Precision::Second => {
            format!("{} (UTC{})", published.for_people(), published.zoned().strftime("%:z"))
        }
    })
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

/// What a list of mails shows of `text` behind the subject.
pub(super) fn clipped(text: &str) -> &str {
    text.grapheme_indices(true).nth(PREHEADER).map_or(text, |(at, _)| &text[..at])
}
