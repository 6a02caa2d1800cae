//! What readers see of an article, the same in every format and on its page.

use article::{Article, Association, Contributor, ContributorRole, Direction, Published, Status};
use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::address::address;
use crate::words::Words;
use crate::xml::legal;

/// Longest beginning of a text that stands in for a summary nobody wrote, in characters.
const EXCERPT_CHARS: usize = 300;

/// Where our own pages are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    base: String,
}

impl Links {
    /// `public_url` is the address under which readers reach the site, with or without a final slash.
    pub fn new(public_url: &Url) -> Self {
        Self { base: public_url.as_str().trim_end_matches('/').to_owned() }
    }

    /// The page of an article: stable for ever, for it is made of the id alone.
    pub fn article(&self, id: article::ArticleId) -> String {
        format!("{}/articles/{}", self.base, id.token())
    }

    /// The absolute address of a path that begins with a slash and is already percent-encoded.
    pub fn to(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

/// How an article stands before its readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Readable,
    /// The notice takes the place of the text.
    Withdrawn,
    /// The notice takes the place of everything; only the headline says what is gone.
    Killed,
}

/// One article as its readers see it. The article's `ed_note` has no place in it.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    pub article: &'a Article,
    pub published: &'a Published,
    pub standing: Standing,
    pub title: String,
    /// The newsroom's own page, else ours; a notice is always on ours.
    pub link: String,
    pub summary: Option<String>,
    /// Sanitised: correction notes, newest first, then the body; or the notice.
    pub html: String,
    /// Pictures and other files; a notice has none.
    pub associations: &'a [Association],
    /// The last significant change, made unique within a second by the article's id.
    pub updated: Timestamp,
    /// Nothing but headline, dates and link is told: the form that fits whatever else there is.
    bare: bool,
}

impl<'a> Entry<'a> {
    /// `None` while readers may not have the article: embargoed, held, never public, or in a state of a newer
    /// version that this one does not know.
    pub fn of(article: &'a Article, links: &Links) -> Option<Self> {
        let published = article.published.as_ref()?;
        let standing = match article.status {
            Status::Published => Standing::Readable,
            Status::Withdrawn => Standing::Withdrawn,
            Status::Killed => Standing::Killed,
            Status::Embargoed | Status::Held | Status::Unknown => return None,
        };
        let own_page = links.article(article.id);
        let words = Words::of(&article.language);
        let (title, link, summary, html, associations) = match standing {
            Standing::Readable => {
                let link = article.canonical_url.as_ref().map_or(own_page, address);
                let summary = article.summary.as_deref().map(legal);
                (legal(&article.headline), link, summary, content(article), article.associations.as_slice())
            }
            Standing::Withdrawn => {
                let (notice, html) = notice(article, words.withdrawn_notice);
                let title = legal(&format!("{}{}", words.withdrawn, article.headline));
                (title, own_page, Some(notice), html, &[][..])
            }
            Standing::Killed => {
                let (notice, html) = notice(article, words.killed_notice);
                let title = legal(&format!("{}{}", words.killed, article.headline));
                (title, own_page, Some(notice), html, &[][..])
            }
        };
        let updated = updated(article);
        Some(Self { article, published, standing, title, link, summary, html, associations, updated, bare: false })
    }

    /// The summary, or the beginning of the text where nobody wrote one.
    pub fn excerpt(&self) -> String {
        if let Some(summary) = &self.summary {
            return summary.clone();
        }
        let text = article::to_text(&self.html);
        let paragraph = text.split("\n\n").next().unwrap_or_default().replace('\n', " ");
        match paragraph.char_indices().nth(EXCERPT_CHARS) {
            None => paragraph,
            Some((end, _)) => {
                // Cut at a space where there is one near; Chinese has none, and is cut where it is.
                let cut = paragraph[..end].rfind(' ').filter(|space| *space > end / 2).unwrap_or(end);
                format!("{}…", paragraph[..cut].trim_end())
            }
        }
    }

    /// Whether more is told than what happened to the article: names, sources, rights.
    pub(crate) fn is_told(&self) -> bool {
        self.standing == Standing::Readable && !self.bare
    }

    /// Who wrote it: the byline verbatim, else the contributors named as authors. A notice names nobody.
    pub fn authors(&self) -> Vec<(&'a str, Option<&'a Url>)> {
        if !self.is_told() {
            return Vec::new();
        }
        match &self.article.byline {
            Some(byline) => vec![(byline.as_str(), None)],
            None => {
                let authors = self.article.contributors_in(ContributorRole::Author);
                authors.map(|author| (author.name.as_str(), author.uri.as_ref())).collect()
            }
        }
    }

    /// As [`Self::authors`]; where nobody signed, the publisher answers for the article: Atom wants an author for every
    /// entry (RFC 4287, 4.1.2).
    pub(crate) fn answerable(&self) -> Vec<(&'a str, Option<&'a Url>)> {
        let authors = self.authors();
        if authors.is_empty() { vec![(self.article.publisher.as_str(), None)] } else { authors }
    }

    /// Everybody else who is named: contributors that the authors do not mention already.
    pub(crate) fn contributors(&self) -> Vec<&'a Contributor> {
        if !self.is_told() {
            return Vec::new();
        }
        let authors = self.authors();
        let mentioned = |name: &str| authors.iter().any(|(author, _)| *author == name);
        self.article.contributors.iter().filter(|contributor| !mentioned(&contributor.name)).collect()
    }

    /// Copyright notice (or holder) and usage terms in one text.
    pub fn rights(&self) -> Option<String> {
        let article = self.article;
        let holder = article.copyright_notice.as_deref().or(article.copyright_holder.as_deref());
        let parts: Vec<&str> = holder.into_iter().chain(article.usage_terms.as_deref()).collect();
        if parts.is_empty() { None } else { Some(legal(&parts.join("\n"))) }
    }

    /// Without body and files: for the few articles that would fill a whole feed alone.
    pub(crate) fn shortened(mut self) -> Self {
        let mut html = article::paragraphs_to_html(&[self.excerpt()]);
        let link = html_escape(&self.link);
        html.push_str(&format!("<p><a href=\"{link}\">{}</a></p>", html_escape(&self.title)));
        self.html = directed(self.article, html);
        self.associations = &[];
        self
    }

    /// What is left where even the summary, the names and the sources are too long: fifty of these always fit. The page is
    /// ours, for a newsroom's address may be 2 KB of what XML escapes.
    pub(crate) fn bared(mut self, links: &Links) -> Self {
        self.link = links.article(self.article.id);
        let link = html_escape(&self.link);
        self.html = format!("<p><a href=\"{link}\">{link}</a></p>");
        self.summary = None;
        self.associations = &[];
        self.bare = true;
        self
    }

    /// Whether only the fewest words are told.
    pub(crate) fn is_bare(&self) -> bool {
        self.bare
    }
}

/// When the article last changed significantly, unique within a feed for all practical purposes (RFC 4287 readers
/// sort and compare by it).
///
/// Pages imported with a date and no time all fall on midnight. An instant on a whole second therefore gets a
/// fraction made of the article's id: stable, equal on every replica, never before publication.
fn updated(article: &Article) -> Timestamp {
    let at = article.updated_at;
    if at.subsec_nanosecond() != 0 {
        return at;
    }
    let (_, low) = article.id.uuid().as_u64_pair();
    // Below one second and never zero, so the calendar second stays what it was.
    let micros = i64::try_from(low % 999_999).expect("below a million") + 1;
    at.checked_add(SignedDuration::from_micros(micros)).unwrap_or(at)
}

fn content(article: &Article) -> String {
    let mut html = String::new();
    let words = Words::of(&article.language);
    for correction in article.corrections.iter().rev() {
        html.push_str(&article::paragraphs_to_html(&[format!("{}{}", words.correction, correction.note)]));
        html.push('\n');
    }
    let body = article.body.as_deref().unwrap_or_default();
    // Intake sanitised it already; a hole there must not become a hole in every reader.
    html.push_str(&article::sanitise(body, article.canonical_url.as_ref()).html);
    legal(&directed(article, html))
}

/// Markup that says which way it reads: neither an entry nor an item has a place for that.
fn directed(article: &Article, html: String) -> String {
    match article::direction(&article.language) {
        Direction::Ltr => html,
        Direction::Rtl => {
            let language = html_escape(&article.language);
            format!("<div lang=\"{language}\" dir=\"rtl\">\n{html}\n</div>")
        }
    }
}

fn notice(article: &Article, otherwise: &str) -> (String, String) {
    let note = legal(article.change.note.as_deref().unwrap_or(otherwise));
    let html = directed(article, article::paragraphs_to_html(&[&note]));
    (note, html)
}

fn html_escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
