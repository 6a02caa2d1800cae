//! What a page of either kind becomes: the fields of an article, each with where it came from.

use std::fmt;

use url::Url;

use crate::account::What;
use crate::markup;
use crate::page::{BylineFrom, Dropped, LanguageFrom, Options, Page, PageDate, Precision, Warning, ZoneFrom};

/// How a page was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Text,
    Html,
}

/// One page, field by field, as it may become an article.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    pub format: Format,
    pub section: Option<String>,
    pub headline: String,
    pub date: PageDate,
    /// The byline as printed.
    pub byline: Option<String>,
    /// People, without their roles; never an agency.
    pub authors: Vec<String>,
    pub editors: Vec<String>,
    pub source: Option<String>,
    /// BCP 47 tag.
    pub language: String,
    /// HTML of the elements that an article may have; addresses are absolute where they can be.
    pub body: String,
    /// Paragraphs a reader sees in `body`; at least one.
    pub paragraphs: Vec<String>,
    /// Pictures in `body`.
    pub pictures: usize,
    /// The page's own address: as the caller says, else as the page says.
    pub canonical_url: Option<Url>,
    /// Of an HTML page: what its bytes are, and what it says they are.
    pub encoding: Option<Encoding>,
    /// Where each field came from, and what else might have been one.
    pub trace: Vec<Trace>,
    /// Text of the page that is in no field. Of an HTML page, what was taken out of the story itself.
    pub dropped: Vec<Dropped>,
    pub warnings: Vec<Warning>,
}

/// The encoding of an HTML page. Names are those of the Encoding Standard, `declared` is as the page writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoding {
    pub declared: Option<String>,
    pub used: &'static str,
    pub from: EncodingFrom,
}

/// What decided the encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodingFrom {
    ByteOrderMark,
    /// The bytes are valid UTF-8 and more than ASCII: nothing else looks like that by chance.
    ValidUtf8,
    Declared,
    /// Told from the bytes, because nothing was declared or the declaration is wrong.
    Detected,
}

/// A part of the article that the trace tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    Section,
    Headline,
    Date,
    TimeZone,
    Byline,
    Author,
    Source,
    Editor,
    Language,
    CanonicalUrl,
    Encoding,
    Body,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Section => "section",
            Self::Headline => "headline",
            Self::Date => "date",
            Self::TimeZone => "time zone",
            Self::Byline => "byline",
            Self::Author => "author",
            Self::Source => "source",
            Self::Editor => "editor",
            Self::Language => "language",
            Self::CanonicalUrl => "address",
            Self::Encoding => "encoding",
            Self::Body => "body",
        })
    }
}

/// A field, where it came from, and what was not taken for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    pub field: Field,
    /// For people; of a body, all of its text.
    pub value: String,
    /// `line 3, the label`, `meta PubDate`, `JSON-LD datePublished`.
    pub origin: String,
    pub rejected: Vec<Rejected>,
}

/// What might have been a field and was not taken for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    pub value: String,
    pub origin: String,
    pub why: String,
}

impl Imported {
    /// A text page with its paragraphs as markup.
    #[must_use]
    pub fn of_text(page: Page, options: &Options) -> Self {
        let trace = trace_of_text(&page, options);
        Self {
            format: Format::Text,
            section: page.section,
            headline: page.headline,
            date: page.date,
            byline: page.byline,
            authors: page.authors,
            editors: page.editors,
            source: page.source,
            language: page.language,
            body: markup::paragraphs(&page.body),
            paragraphs: page.body,
            pictures: 0,
            canonical_url: options.url.clone(),
            encoding: None,
            trace,
            dropped: page.dropped,
            warnings: page.warnings,
        }
    }
}

fn trace_of_text(page: &Page, options: &Options) -> Vec<Trace> {
    let mut trace = Vec::new();
    let mut add = |field, origin: String, value: String| {
        trace.push(Trace { field, value, origin, rejected: Vec::new() });
    };
    if let Some(section) = &page.section {
        add(Field::Section, lines(page, What::Section), section.clone());
    }
    add(Field::Headline, lines(page, What::Headline), page.headline.clone());
    add(Field::Date, lines(page, What::Date), date_for_people(&page.date));
    let (from, zone) = zone_for_people(&page.date);
    add(Field::TimeZone, from.into(), zone);
    if let Some(byline) = &page.byline {
        let how = match page.byline_from {
            Some(BylineFrom::Signoff) => ", the sign-off",
            _ => ", the label",
        };
        add(Field::Byline, lines(page, What::Byline) + how, byline.clone());
    }
    for author in &page.authors {
        add(Field::Author, "the byline".into(), author.clone());
    }
    if let Some(source) = &page.source {
        add(Field::Source, lines(page, What::Source), source.clone());
    }
    for editor in &page.editors {
        add(Field::Editor, lines(page, What::Editor), editor.clone());
    }
    add(Field::Language, language_for_people(page.language_from).into(), page.language.clone());
    if let Some(url) = &options.url {
        add(Field::CanonicalUrl, "--url".into(), url.to_string());
    }
    add(Field::Body, lines(page, What::Body), page.body.join("\n"));
    trace
}

/// The date with its precision and how it was printed.
pub(crate) fn date_for_people(date: &PageDate) -> String {
    let precision = match date.precision {
        Precision::Date => "a date without a time",
        Precision::Minute => "to the minute",
        Precision::Second => "to the second",
    };
    format!("{date} ({precision}), printed as “{}”", date.printed)
}

/// Who decided the zone; the zone, and by what.
pub(crate) fn zone_for_people(date: &PageDate) -> (&'static str, String) {
    let (from, why) = match date.zone_from {
        ZoneFrom::Printed => ("the date", String::new()),
        ZoneFrom::Stated => ("the page's metadata", String::new()),
        ZoneFrom::Profile(profile) => ("--profile", format!(", as of {profile}")),
        ZoneFrom::Option => ("--timezone", String::new()),
        ZoneFrom::Recognised(profile, tell) => ("recognised", format!(", as of {profile}: there is {tell}")),
        ZoneFrom::Language => ("the language", String::new()),
        ZoneFrom::Assumed => ("assumed", String::new()),
    };
    (from, format!("{}{why}", date.timezone))
}

pub(crate) fn language_for_people(from: LanguageFrom) -> &'static str {
    match from {
        LanguageFrom::Option => "--language",
        LanguageFrom::Declared => "the page",
        LanguageFrom::Script => "the script",
        LanguageFrom::Assumed => "assumed",
    }
}

/// `line 3`, `lines 5 to 11`: where pieces of a field stand.
fn lines(page: &Page, what: What) -> String {
    let mut claimed = page.claims.iter().filter(|claim| claim.what == what).map(|claim| claim.line);
    let Some(first) = claimed.next() else { return String::new() };
    match claimed.next_back() {
        Some(last) if last != first => format!("lines {first} to {last}"),
        _ => format!("line {first}"),
    }
}
