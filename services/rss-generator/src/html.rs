//! The HTML pages: plain documents without script, for people who have no feed reader yet.

use article::{Association, AssociationKind, Precision, Published};
use askama::Template;
use feed::{Entry, FeedMeta, Format, Standing};
use interchange::{in_script, json_ld};
use subscription::Selection;

use crate::site::Site;

pub(crate) const STYLE: &str = include_str!("../templates/style.css");

/// Nothing runs on these pages and nothing is sent from them. Pictures may come from anywhere, newsrooms keep theirs
/// elsewhere.
pub(crate) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' https: http:; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A feed as pages speak of it.
pub(crate) struct FeedRef {
    /// The selection's own name, `meta.title` being the name with the site's.
    pub(crate) name: String,
    pub(crate) meta: FeedMeta,
    pub(crate) subscribe: Option<String>,
    /// For search engines, too. Rehearsals are not.
    pub(crate) indexed: bool,
}

impl FeedRef {
    pub(crate) fn new(site: &Site, selection: &Selection, name: String, meta: FeedMeta) -> Self {
        Self { name, meta, subscribe: site.subscribe(selection), indexed: *selection != Selection::Test }
    }

    fn alternates(&self) -> [(Format, String); 3] {
        Format::ALL.map(|format| (format, self.meta.url(format)))
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
}

struct Translation<'a> {
    language: &'a str,
    url: String,
}

#[derive(Template)]
#[template(path = "directory.html")]
struct Directory<'a> {
    site: &'a Site,
    all: &'a FeedRef,
    groups: Vec<(&'static str, &'a [FeedRef])>,
}

pub(crate) fn directory(site: &Site, all: &FeedRef, sections: &[FeedRef], publishers: &[FeedRef]) -> Vec<u8> {
    let groups = [("Everything", std::slice::from_ref(all)), ("Sections", sections), ("Publishers", publishers)];
    let groups = groups.into_iter().filter(|(_, feeds)| !feeds.is_empty()).collect();
    rendered(&Directory { site, all, groups })
}

#[derive(Template)]
#[template(path = "feed.html")]
struct Feed<'a> {
    site: &'a Site,
    feed: &'a FeedRef,
    cards: &'a [&'a str],
}

/// A selection's page; `cards` are what [`card`] made of its articles.
pub(crate) fn feed(site: &Site, feed: &FeedRef, cards: &[&str]) -> Vec<u8> {
    rendered(&Feed { site, feed, cards })
}

#[derive(Template)]
#[template(path = "card.html")]
struct Card<'a> {
    entry: &'a Entry<'a>,
    readable: bool,
    direction: &'static str,
    url: String,
    excerpt: String,
    when: When,
    credits: Vec<&'a str>,
}

/// One article in a feed's page.
pub(crate) fn card(site: &Site, entry: &Entry<'_>) -> String {
    let card = Card {
        entry,
        readable: entry.standing == Standing::Readable,
        direction: article::direction(&entry.article.language).as_str(),
        url: site.article(entry.article.id),
        excerpt: entry.excerpt(),
        when: When::new(entry.published),
        credits: credits(entry),
    };
    String::from_utf8(rendered(&card)).expect("templates write UTF-8")
}

#[derive(Template)]
#[template(path = "article.html")]
struct Article<'a> {
    site: &'a Site,
    feed: &'a FeedRef,
    entry: &'a Entry<'a>,
    readable: bool,
    direction: &'static str,
    excerpt: String,
    summary: Option<&'a str>,
    located: Option<&'a str>,
    when: When,
    credits: Vec<&'a str>,
    pictures: Vec<&'a Association>,
    files: Vec<&'a Association>,
    translations: Vec<Translation<'a>>,
    rights: Option<String>,
    json_ld: String,
}

/// An article's own page, or its notice. `feed` is the feed to follow for more of the kind.
pub(crate) fn article(site: &Site, feed: &FeedRef, entry: &Entry<'_>) -> Vec<u8> {
    let readable = entry.standing == Standing::Readable;
    let of = entry.article;
    let is_picture = |file: &&Association| file.kind == AssociationKind::Picture;
    let translations = of.translations.iter().filter(|_| readable).filter_map(|translation| {
        let url = translation.url.as_ref().map(|url| url.as_str().to_owned());
        let url = url.or_else(|| translation.id.map(|id| site.article(id)))?;
        Some(Translation { language: &translation.language, url })
    });
    rendered(&Article {
        site,
        feed,
        entry,
        readable,
        direction: article::direction(&of.language).as_str(),
        excerpt: entry.excerpt(),
        // A notice is its own summary.
        summary: entry.summary.as_deref().filter(|_| readable),
        located: of.located.as_deref().filter(|_| readable),
        when: When::new(entry.published),
        credits: credits(entry),
        pictures: entry.associations.iter().filter(is_picture).collect(),
        files: entry.associations.iter().filter(|file| !is_picture(file)).collect(),
        translations: translations.collect(),
        rights: entry.rights().filter(|_| readable),
        json_ld: in_script(&json_ld(of, &entry.title, &|id| Some(site.article(id)))),
    })
}

#[derive(Template)]
#[template(path = "message.html")]
struct Message<'a> {
    site: &'a Site,
    heading: &'a str,
    text: &'a str,
}

/// A page that only says something: nothing here, gone, not yet.
pub(crate) fn message(site: &Site, heading: &str, text: &str) -> Vec<u8> {
    rendered(&Message { site, heading, text })
}

/// Who wrote it and where it comes from, verbatim.
fn credits<'a>(entry: &Entry<'a>) -> Vec<&'a str> {
    let mut names: Vec<&str> = entry.authors().into_iter().map(|(name, _)| name).collect();
    if entry.standing == Standing::Readable {
        names.extend(entry.article.sources.iter().map(|source| source.name.as_str()));
    }
    names
}

fn rendered(template: &impl Template) -> Vec<u8> {
    template.render().expect("templates of strings do not fail").into_bytes()
}
