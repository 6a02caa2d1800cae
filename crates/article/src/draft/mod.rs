//! What a newsroom submits, read from JSON into types that cannot be wrong, with every mistake reported at once.

mod body;
mod parts;
mod published;
mod schema;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use oxilangtag::LanguageTag;
use serde_json::Value;
use url::Url;

use self::body::body;
use self::published::published;
pub use self::schema::draft_schema;
use crate::model::{AltId, Association, Change, Contributor, Source, Subject, Translation};
use crate::reader::Fields;
use crate::section::section_slug;
use crate::{ArticleId, Problem, Published, PublisherId};

/// The longest body, in bytes of sanitised HTML.
pub const MAX_BODY_BYTES: usize = 512 * 1024;

/// How far ahead a publication time may lie: clocks and time zones differ, typing errors differ more.
pub const MAX_FUTURE: SignedDuration = SignedDuration::from_hours(48);

/// The largest `ext`, in bytes of JSON.
const MAX_EXT_BYTES: usize = 64 * 1024;

/// The longest `change.note`, in graphemes.
pub(crate) const MAX_NOTE: usize = 1000;

/// The longest section path in its address form, in bytes: with what stands before it, it stays a usable URL.
const MAX_SECTION_SLUG: usize = 2000;

/// The most problems reported at once: whoever has more has sent something else than an article.
const MAX_PROBLEMS: usize = 100;

/// A newsroom's article before it has an identity and a revision.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// As sent, so that the service can compare it with the address and the token used.
    pub id: Option<ArticleId>,
    pub publisher: Option<PublisherId>,
    pub change: Option<Change>,
    /// Whether it is a rehearsal; nothing is said where it is left out.
    pub test: Option<bool>,
    pub headline: String,
    pub summary: Option<String>,
    pub body: String,
    pub language: String,
    pub byline: Option<String>,
    pub contributors: Vec<Contributor>,
    pub sources: Vec<Source>,
    pub located: Option<String>,
    pub section: Vec<String>,
    pub subjects: Vec<Subject>,
    pub keywords: Vec<String>,
    pub genre: Option<Url>,
    pub slugline: Option<String>,
    pub urgency: u8,
    pub published: Option<Published>,
    pub embargoed_until: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
    pub canonical_url: Option<Url>,
    pub translations: Vec<Translation>,
    pub associations: Vec<Association>,
    pub copyright_holder: Option<String>,
    pub copyright_notice: Option<String>,
    pub usage_terms: Option<String>,
    pub rights_url: Option<Url>,
    pub ed_note: Option<String>,
    pub alt_ids: Vec<AltId>,
    pub ext: BTreeMap<String, Value>,
    /// What reading it changed: markup that was removed.
    pub warnings: Vec<String>,
}

/// Fields a reader of the API gets and may send back; the server owns them.
pub(crate) const SERVER_OWNED: [&str; 7] =
    ["revision", "status", "first_created", "version_created", "updated_at", "corrections", "provenance"];

impl Draft {
    /// Reads a submitted document. `now` bounds the publication time.
    ///
    /// # Errors
    /// Every mistake in the document (the first hundred), each with its JSON pointer.
    pub fn from_json(document: &Value, now: Timestamp) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let draft = Fields::of(document, String::new(), &mut problems).and_then(|mut fields| {
            let draft = read(&mut fields, now);
            fields.finish();
            draft
        });
        match draft {
            Some(draft) if problems.is_empty() => Ok(draft),
            _ => {
                problems.truncate(MAX_PROBLEMS);
                Err(problems)
            }
        }
    }
}

fn read(fields: &mut Fields<'_>, now: Timestamp) -> Option<Draft> {
    fields.ignore(&SERVER_OWNED);
    let canonical_url = fields.web_url("canonical_url");
    let mut warnings = Vec::new();
    let headline = fields.line("headline", 300);
    fields.require("headline", headline.is_some());
    let body = body(fields, canonical_url.as_ref(), &mut warnings);
    let language = language(fields, "language");
    fields.require("language", language.is_some());
    let published = fields.object("published", |fields| published(fields, now));
    let embargoed_until = fields.parsed("embargoed_until", INSTANT);
    let expires_at = fields.parsed("expires_at", INSTANT);
    order(fields, now, published.as_ref(), embargoed_until, expires_at);
    let section = fields.lines("section", 5, 120);
    if section_slug(&section).len() > MAX_SECTION_SLUG {
        let detail = format!("the section's address would have more than {MAX_SECTION_SLUG} bytes; use shorter names");
        fields.problem("section", "too_long", detail);
    }
    let draft = Draft {
        id: fields.parsed("id", ARTICLE_ID),
        publisher: fields.parsed("publisher", "a publisher (lower-case letters, digits, hyphens)"),
        change: fields.object("change", parts::change),
        test: fields.boolean("test"),
        headline: headline.unwrap_or_default(),
        summary: fields.text("summary", 1000),
        body: body.unwrap_or_default(),
        language: language.unwrap_or_default(),
        byline: fields.line("byline", 300),
        contributors: fields.objects("contributors", 50, parts::contributor),
        sources: fields.objects("sources", 20, parts::source),
        located: fields.line("located", 120),
        section,
        subjects: fields.objects("subjects", 50, parts::subject),
        keywords: fields.lines("keywords", 20, 120),
        genre: fields.web_url("genre"),
        slugline: fields.line("slugline", 64),
        urgency: fields.integer("urgency", 1..=9).map_or(5, |urgency| urgency as u8),
        published,
        embargoed_until,
        expires_at,
        canonical_url,
        translations: fields.objects("translations", 50, parts::translation),
        associations: fields.objects("associations", 100, parts::association),
        copyright_holder: fields.line("copyright_holder", 300),
        copyright_notice: fields.text("copyright_notice", 1000),
        usage_terms: fields.text("usage_terms", 1000),
        rights_url: fields.web_url("rights_url"),
        ed_note: fields.text("ed_note", 4000),
        alt_ids: fields.objects("alt_ids", 20, parts::alt_id),
        ext: ext(fields),
        warnings,
    };
    Some(draft)
}

/// What is wrong with an expiry that comes before anybody could read the article.
pub(crate) const EXPIRES_LAST: &str = "an article must expire after it is published and its embargo has ended";

const ARTICLE_ID: &str = "an article id (urn:uuid:…)";
const INSTANT: &str = "an RFC 3339 time with an offset, such as 2026-11-22T09:30:00+08:00";

fn language(fields: &mut Fields<'_>, field: &'static str) -> Option<String> {
    let tag: LanguageTag<String> = fields.parsed(field, "a BCP 47 language tag, such as zh-Hans or en")?;
    Some(tag.into_inner())
}

/// An embargo and a publication time exclude each other, and an article nobody could ever see is a mistake. Where the
/// document says nothing of either, [`crate::apply`] knows when the article was published.
fn order(
    fields: &mut Fields<'_>,
    now: Timestamp,
    published: Option<&Published>,
    embargoed_until: Option<Timestamp>,
    expires_at: Option<Timestamp>,
) {
    if published.is_some() && embargoed_until.is_some_and(|until| until > now) {
        let detail = "an article under embargo is published when the embargo ends; leave published out";
        fields.problem("embargoed_until", "conflict", detail);
    }
    let starts = published.map(|published| published.at).max(embargoed_until);
    if let (Some(expiry), Some(starts)) = (expires_at, starts)
        && expiry <= starts
    {
        fields.problem("expires_at", "order", EXPIRES_LAST);
    }
}

fn ext(fields: &mut Fields<'_>) -> BTreeMap<String, Value> {
    match fields.value("ext") {
        None => BTreeMap::new(),
        Some(document @ Value::Object(map)) => {
            let bytes = document.to_string().len();
            if bytes > MAX_EXT_BYTES {
                fields.problem("ext", "too_long", format!("{bytes} bytes; ext may have {MAX_EXT_BYTES}"));
                return BTreeMap::new();
            }
            map.iter().map(|(namespace, value)| (namespace.clone(), value.clone())).collect()
        }
        Some(_) => {
            fields.problem("ext", "type", "expected an object of namespaces: {\"org.example\": …}");
            BTreeMap::new()
        }
    }
}
