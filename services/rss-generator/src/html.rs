//! The HTML pages: plain documents without script, for people who have no feed reader yet.
//!
//! A page is in the language of its articles; what we say around them is marked with the language of our words.

mod article;
mod directory;
mod feed;

use std::borrow::Borrow;
use std::sync::LazyLock;

use ::article::{Article, Direction, Precision, Published, direction};
use ::feed::{Entry, FeedMeta, Format, Standing};
use askama::Template;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use subscription::{Atom, Expression, Selection};

use crate::names::name;
use crate::site::Site;
use crate::words::{CHINESE, ENGLISH, Said, Words};

pub(crate) use article::article;
pub(crate) use directory::{Contents, Listed, directory};
pub(crate) use feed::{Card, card, feed};

pub(crate) const STYLE: &str = include_str!("../templates/style.css");

/// Where the style sheet is: named by its content, so that it may be kept for ever.
pub(crate) static STYLE_PATH: LazyLock<String> =
    LazyLock::new(|| format!("/style.{}.css", hex(&Sha256::digest(STYLE)[..6])));

/// Nothing runs on these pages and nothing is sent from them. Pictures may come from anywhere, newsrooms keep theirs
/// elsewhere.
pub(crate) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' https: http:; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A feed as pages speak of it.
pub(crate) struct FeedRef {
    pub(crate) selection: Selection,
    /// The selection's own name, `meta.title` being the name with the site's.
    pub(crate) name: String,
    pub(crate) meta: FeedMeta,
    pub(crate) subscribe: Option<String>,
    /// For search engines, too. Rehearsals are not, and neither are the combinations, of which there is no end.
    pub(crate) indexed: bool,
}

impl FeedRef {
    /// `articles`, newest first, know the selection's names; `language` is what all of its articles are in, if they are.
    pub(crate) fn new(
        site: &Site,
        selection: &Selection,
        articles: impl IntoIterator<Item: Borrow<Article>>,
        language: Option<String>,
    ) -> Self {
        let name = name(selection, articles, Words::of(language.as_deref()));
        let indexed = match selection.parts() {
            Expression::Atom(Atom::Test | Atom::Text(_)) => false,
            parts => matches!(parts, Expression::Atom(_)),
        };
        Self {
            selection: selection.clone(),
            meta: site.meta(selection, &name, language),
            name,
            subscribe: site.subscribe(selection),
            indexed,
        }
    }
}

/// What stands around the text of every page.
struct Chrome<'a> {
    site: &'a Site,
    words: &'static Words,
    language: &'a str,
    direction: &'static str,
    /// Attributes of an element whose words are ours, on a page in another language.
    ours: String,
    /// The same for an element whose name alone is ours.
    ours_language: String,
}

impl<'a> Chrome<'a> {
    /// For articles in `language`, or in several.
    fn new(site: &'a Site, language: Option<&'a str>) -> Self {
        let words = Words::of(language);
        let language = language.unwrap_or(words.language);
        let direction = direction(language);
        let ours_language =
            if words.are_in(language) { String::new() } else { format!(" lang=\"{}\"", words.language) };
        let ours = match direction {
            Direction::Ltr => ours_language.clone(),
            Direction::Rtl => format!("{ours_language} dir=\"ltr\""),
        };
        Self { site, words, language, direction: direction.as_str(), ours, ours_language }
    }

    /// The documents that feed readers take, at the address of a feed's page.
    fn alternates(&self, page_url: &str) -> [(Format, String); 3] {
        Format::ALL.map(|format| (format, format!("{page_url}.{}", format.extension())))
    }

    fn style(&self) -> String {
        self.site.links.to(&STYLE_PATH)
    }
}

/// A time for a machine and for a person, both no finer than the newsroom gave it.
struct When {
    machine: String,
    people: String,
}

impl When {
    fn new(published: &Published) -> Self {
        match published.precision {
            Precision::Date => Self { machine: published.for_people(), people: published.for_people() },
            // Nobody reads seconds; the zone is the newsroom's, so it is named.
            _ => Self {
                machine: published.rfc3339(),
                people: published.zoned().strftime("%Y-%m-%d %H:%M %:z").to_string(),
            },
        }
    }

    /// Any other instant, on the newsroom's clock.
    fn at(at: Timestamp, published: &Published) -> Self {
        Self::new(&Published { at, precision: Precision::Minute, tz: published.tz.clone() })
    }
}

#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    chrome: Chrome<'a>,
    said: &'a [(&'static Words, Said)],
    /// In English: for whoever writes addresses by hand.
    detail: Option<&'a str>,
}

/// A page that only says something about an address, in both of our languages: nobody knows whose it is.
pub(crate) fn message(site: &Site, said: fn(&Words) -> Said, detail: Option<&str>) -> Vec<u8> {
    let both = [(&ENGLISH, said(&ENGLISH)), (&CHINESE, said(&CHINESE))];
    rendered(&Message { chrome: Chrome::new(site, None), said: &both, detail })
}

/// The same about an article in `language`.
pub(crate) fn message_in(site: &Site, language: &str, said: fn(&Words) -> Said) -> Vec<u8> {
    let words = Words::of(Some(language));
    rendered(&Message { chrome: Chrome::new(site, Some(words.language)), said: &[(words, said(words))], detail: None })
}

/// Who wrote it, verbatim.
fn authors<'a>(entry: &Entry<'a>) -> Vec<&'a str> {
    entry.authors().into_iter().map(|(name, _)| name).collect()
}

fn is_readable(entry: &Entry<'_>) -> bool {
    entry.standing == Standing::Readable
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn rendered(template: &impl Template) -> Vec<u8> {
    template.render().expect("templates of strings do not fail").into_bytes()
}
