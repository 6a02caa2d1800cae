//! What a newsroom submits, read from JSON into types that cannot be wrong, with every mistake reported at once.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Timestamp};
use oxilangtag::LanguageTag;
use serde_json::Value;
use url::Url;

use crate::html::{paragraphs_to_html, sanitise};
use crate::model::{
    AltId, Association, AssociationKind, Change, ChangeKind, Contributor, ContributorRole, Source, SourceRole, Subject,
    Translation, TranslationRel,
};
use crate::published::parse_zone;
use crate::reader::Fields;
use crate::text::illegal_in_text;
use crate::{ArticleId, Precision, Problem, Published, PublisherId};

/// The longest body, in bytes of sanitised HTML.
pub const MAX_BODY_BYTES: usize = 512 * 1024;

/// How far ahead a publication time may lie: clocks and time zones differ, typing errors differ more.
pub const MAX_FUTURE: SignedDuration = SignedDuration::from_hours(48);

/// The largest `ext`, in bytes of JSON.
const MAX_EXT_BYTES: usize = 64 * 1024;

/// A newsroom's article before it has an identity and a revision.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// As sent, so that the service can compare it with the address and the token used.
    pub id: Option<ArticleId>,
    pub publisher: Option<PublisherId>,
    pub change: Option<Change>,
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
const SERVER_OWNED: [&str; 7] =
    ["revision", "status", "first_created", "version_created", "updated_at", "corrections", "provenance"];

impl Draft {
    /// Reads a submitted document. `now` bounds the publication time.
    ///
    /// # Errors
    /// Every mistake in the document, each with its JSON pointer.
    pub fn from_json(document: &Value, now: Timestamp) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let draft = Fields::of(document, String::new(), &mut problems).and_then(|mut fields| {
            let draft = read(&mut fields, now);
            fields.finish();
            draft
        });
        match draft {
            Some(draft) if problems.is_empty() => Ok(draft),
            _ => Err(problems),
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
    fields.require("body", body.is_some());
    let language = language(fields, "language");
    fields.require("language", language.is_some());
    let published = fields.object("published", |fields| published(fields, now));
    let expires_at = fields.parsed("expires_at", INSTANT);
    let starts = published.as_ref().map_or(now, |published| published.at);
    if expires_at.is_some_and(|expiry: Timestamp| expiry <= starts) {
        fields.problem("expires_at", "order", "an article must expire after it is published");
    }
    let draft = Draft {
        id: fields.parsed("id", "an article id (urn:uuid:…)"),
        publisher: fields.parsed("publisher", "a publisher (lower-case letters, digits, hyphens)"),
        change: fields.object("change", change),
        headline: headline.unwrap_or_default(),
        summary: fields.text("summary", 1000),
        body: body.unwrap_or_default(),
        language: language.unwrap_or_default(),
        byline: fields.line("byline", 300),
        contributors: fields.objects("contributors", 50, contributor),
        sources: fields.objects("sources", 20, source),
        located: fields.line("located", 120),
        section: fields.lines("section", 5, 120),
        subjects: fields.objects("subjects", 50, subject),
        keywords: fields.lines("keywords", 20, 120),
        genre: fields.web_url("genre"),
        slugline: fields.line("slugline", 64),
        urgency: fields.integer("urgency", 1..=9).map_or(5, |urgency| urgency as u8),
        published,
        embargoed_until: fields.parsed("embargoed_until", INSTANT),
        expires_at,
        canonical_url,
        translations: fields.objects("translations", 50, translation),
        associations: fields.objects("associations", 100, association),
        copyright_holder: fields.line("copyright_holder", 300),
        copyright_notice: fields.text("copyright_notice", 1000),
        usage_terms: fields.text("usage_terms", 1000),
        rights_url: fields.web_url("rights_url"),
        ed_note: fields.text("ed_note", 4000),
        alt_ids: fields.objects("alt_ids", 20, alt_id),
        ext: ext(fields),
        warnings,
    };
    Some(draft)
}

const INSTANT: &str = "an RFC 3339 time with an offset, such as 2026-11-22T09:30:00+08:00";

fn language(fields: &mut Fields<'_>, field: &'static str) -> Option<String> {
    let tag: LanguageTag<String> = fields.parsed(field, "a BCP 47 language tag, such as zh-Hans or en")?;
    Some(tag.into_inner())
}

/// The body, from `body` (HTML) or `body_text` (plain text, paragraphs apart by a blank line); never both.
fn body(fields: &mut Fields<'_>, base: Option<&Url>, warnings: &mut Vec<String>) -> Option<String> {
    // The limit is checked in bytes below, on what is kept.
    let html = fields.text("body", usize::MAX / 64);
    let text = fields.text("body_text", usize::MAX / 64);
    let body = match (html, text) {
        (Some(_), Some(_)) => {
            fields.problem("body_text", "conflict", "send body (HTML) or body_text (plain text), not both");
            return None;
        }
        (Some(html), None) => {
            let clean = sanitise(&html, base);
            if !clean.removed.is_empty() {
                warnings.push(format!("removed from the body for safety: {}", clean.removed.join(", ")));
            }
            clean.html
        }
        (None, Some(text)) => {
            let unified = text.replace("\r\n", "\n").replace('\r', "\n");
            let paragraphs: Vec<&str> =
                unified.split("\n\n").map(str::trim_end).filter(|p| !p.trim().is_empty()).collect();
            paragraphs_to_html(&paragraphs)
        }
        (None, None) => return None,
    };
    if body.len() > MAX_BODY_BYTES {
        let detail = format!("{} bytes of HTML; a body may have {MAX_BODY_BYTES}", body.len());
        fields.problem("body", "too_long", detail);
        return None;
    }
    if body.trim().is_empty() {
        fields.problem("body", "blank", "nothing is left of the body once unsafe markup is removed");
        return None;
    }
    Some(body)
}

/// `{at, tz, precision}`: `at` is an RFC 3339 time, or a date (and time) on the clock of `tz`.
fn published(fields: &mut Fields<'_>, now: Timestamp) -> Option<Published> {
    let at: Option<String> = fields.line("at", 64);
    fields.require("at", at.is_some());
    let tz = fields.line("tz", 64);
    let given = fields.word("precision", &["date", "minute", "second"], |word| match word {
        "date" => Some(Precision::Date),
        "minute" => Some(Precision::Minute),
        "second" => Some(Precision::Second),
        _ => None,
    });
    let zone = match &tz {
        None => None,
        Some(name) => match parse_zone(name) {
            Some(zone) => Some(zone),
            None => {
                fields.problem(
                    "tz",
                    "format",
                    format!("{name:?} is neither an IANA time zone nor an offset like +08:00"),
                );
                return None;
            }
        },
    };
    let at = at?;
    let (instant, said) = if let Ok(instant) = at.parse::<Timestamp>() {
        (instant, Precision::Second)
    } else {
        let (clock, said) = match (at.len(), at.parse::<Date>(), at.parse::<DateTime>()) {
            (10, Ok(date), _) => (date.at(0, 0, 0, 0), Precision::Date),
            (16, _, Ok(time)) => (time, Precision::Minute),
            (_, _, Ok(time)) => (time, Precision::Second),
            _ => {
                fields.problem("at", "format", format!("{at:?} is neither a date nor {INSTANT}"));
                return None;
            }
        };
        let Some(zone) = &zone else {
            fields.problem(
                "tz",
                "required",
                format!("{at:?} has no offset; say whose clock it is in tz, such as Asia/Shanghai"),
            );
            return None;
        };
        match clock.to_zoned(zone.clone()) {
            Ok(zoned) => (zoned.timestamp(), said),
            Err(error) => {
                fields.problem("at", "range", format!("{at:?} cannot be placed in time: {error}"));
                return None;
            }
        }
    };
    if instant > now + MAX_FUTURE {
        fields.problem(
            "at",
            "future",
            format!("{at:?} is more than 48 hours ahead; for later publication set embargoed_until"),
        );
        return None;
    }
    let tz = tz.unwrap_or_else(|| "UTC".into());
    Some(Published { at: instant, precision: given.unwrap_or(said), tz })
}

fn change(fields: &mut Fields<'_>) -> Option<Change> {
    let kind = fields.word("kind", ChangeKind::WORDS, ChangeKind::from_word);
    fields.require("kind", kind.is_some());
    let note = fields.text("note", 1000);
    Some(Change { kind: kind?, note })
}

fn contributor(fields: &mut Fields<'_>) -> Option<Contributor> {
    let name = fields.line("name", 300);
    fields.require("name", name.is_some());
    let role = fields.word("role", ContributorRole::WORDS, ContributorRole::from_word);
    fields.require("role", role.is_some());
    let uri = fields.web_url("uri");
    Some(Contributor { name: name?, role: role?, uri })
}

fn source(fields: &mut Fields<'_>) -> Option<Source> {
    let name = fields.line("name", 300);
    fields.require("name", name.is_some());
    let role = fields.word("role", SourceRole::WORDS, SourceRole::from_word);
    let url = fields.web_url("url");
    Some(Source { name: name?, role: role.unwrap_or(SourceRole::Originator), url })
}

fn subject(fields: &mut Fields<'_>) -> Option<Subject> {
    let scheme = fields.line("scheme", 120);
    fields.require("scheme", scheme.is_some());
    let code = fields.line("code", 120);
    fields.require("code", code.is_some());
    let name = fields.line("name", 300);
    let (scheme, code) = (scheme?, code?);
    // IPTC Media Topics are eight digits; whether a code exists is the taxonomy's business, which changes monthly.
    if scheme == "medtop" && !(code.len() == 8 && code.bytes().all(|b| b.is_ascii_digit())) {
        fields.problem(
            "code",
            "format",
            format!("{code:?} is not an IPTC Media Topic: eight digits, such as 11000000"),
        );
        return None;
    }
    Some(Subject { scheme, code, name })
}

fn translation(fields: &mut Fields<'_>) -> Option<Translation> {
    let language = language(fields, "language");
    fields.require("language", language.is_some());
    let rel = fields.word("rel", TranslationRel::WORDS, TranslationRel::from_word);
    fields.require("rel", rel.is_some());
    let id = fields.parsed("id", "an article id (urn:uuid:…)");
    let url = fields.web_url("url");
    if id.is_none() && url.is_none() {
        fields.problem("id", "required", "a translation needs the id or the url of the other article");
    }
    Some(Translation { language: language?, rel: rel?, id, url })
}

fn association(fields: &mut Fields<'_>) -> Option<Association> {
    let kind = fields.word("type", AssociationKind::WORDS, AssociationKind::from_word);
    fields.require("type", kind.is_some());
    let uri = fields.web_url("uri");
    fields.require("uri", uri.is_some());
    let alt_text = fields.text("alt_text", 1000);
    if kind == Some(AssociationKind::Picture) {
        fields.require("alt_text", alt_text.is_some());
    }
    let mime = fields.line("mime", 127);
    if mime.as_ref().is_some_and(|mime| !mime.contains('/') || mime.contains(' ')) {
        fields.problem("mime", "format", "not a media type, such as image/jpeg");
    }
    Some(Association {
        kind: kind?,
        uri: uri?,
        mime,
        width: fields.integer("width", 1..=100_000).map(|pixels| pixels as u32),
        height: fields.integer("height", 1..=100_000).map(|pixels| pixels as u32),
        size: fields.integer("size", 1..=1 << 40),
        alt_text,
        caption: fields.text("caption", 2000),
        credit: fields.line("credit", 300),
        usage_terms: fields.text("usage_terms", 1000),
    })
}

fn alt_id(fields: &mut Fields<'_>) -> Option<AltId> {
    let role = fields.line("role", 64);
    fields.require("role", role.is_some());
    let value = fields.line("value", 1000);
    fields.require("value", value.is_some());
    Some(AltId { role: role?, value: value? })
}

fn ext(fields: &mut Fields<'_>) -> BTreeMap<String, Value> {
    match fields.value("ext") {
        None => BTreeMap::new(),
        Some(Value::Object(map)) => {
            let bytes = Value::Object(map.clone()).to_string();
            if bytes.len() > MAX_EXT_BYTES || illegal_in_text(&bytes).is_some() {
                fields.problem("ext", "too_long", format!("{} bytes; ext may have {MAX_EXT_BYTES}", bytes.len()));
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
