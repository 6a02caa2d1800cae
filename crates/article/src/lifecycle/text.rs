//! Everything that a newsroom wrote: how it comes into an article, and how it goes.

use jiff::Timestamp;

use super::Rejection;
use crate::draft::EXPIRES_LAST;
use crate::model::{Article, Change, ChangeKind, Provenance, Status};
use crate::{ArticleId, Draft, Precision, Problem, Published, PublisherId};

pub(super) fn create(
    id: ArticleId,
    publisher: PublisherId,
    draft: Draft,
    provenance: Provenance,
    now: Timestamp,
) -> Result<Article, Rejection> {
    let embargoed = draft.embargoed_until.is_some_and(|until| until > now);
    let mut article = Article {
        id,
        revision: 1,
        publisher,
        status: if embargoed { Status::Embargoed } else { Status::Published },
        change: Change { kind: ChangeKind::New, note: draft.change.as_ref().and_then(|change| change.note.clone()) },
        test: draft.test.unwrap_or(false),
        headline: String::new(),
        summary: None,
        body: None,
        language: String::new(),
        byline: None,
        contributors: Vec::new(),
        sources: Vec::new(),
        located: None,
        section: Vec::new(),
        subjects: Vec::new(),
        keywords: Vec::new(),
        genre: None,
        slugline: None,
        urgency: draft.urgency,
        first_created: now,
        version_created: now,
        published: (!embargoed).then(|| publication(&draft, now)),
        updated_at: now,
        embargoed_until: None,
        expires_at: None,
        canonical_url: None,
        translations: Vec::new(),
        associations: Vec::new(),
        copyright_holder: None,
        copyright_notice: None,
        usage_terms: None,
        rights_url: None,
        ed_note: None,
        corrections: Vec::new(),
        alt_ids: Vec::new(),
        provenance: provenance.clone(),
        ext: Default::default(),
    };
    // `updated` starts where `published` is, so that a page of 2018 is not news of today in a feed sorted by it.
    article.updated_at = article.published.as_ref().map_or(now, |published| published.at);
    rewrite(&mut article, draft, provenance, now)?;
    Ok(article)
}

/// The time the newsroom gave, or now.
pub(super) fn publication(draft: &Draft, now: Timestamp) -> Published {
    draft.published.clone().unwrap_or_else(|| at_once(now))
}

pub(super) fn at_once(now: Timestamp) -> Published {
    Published { at: now, precision: Precision::Second, tz: "UTC".into() }
}

/// Puts the draft's text into the article. What identifies and dates it stays.
pub(super) fn rewrite(
    article: &mut Article,
    draft: Draft,
    mut provenance: Provenance,
    now: Timestamp,
) -> Result<(), Rejection> {
    let self_link = draft.translations.iter().position(|t| t.id == Some(article.id));
    if let Some(n) = self_link {
        let detail = "an article cannot be its own translation; give the id of the other one";
        return Err(Problem::new(format!("/translations/{n}/id"), "self_link", detail).into());
    }
    if let (Some(was), Some(wanted)) = (&article.published, &draft.published)
        && was != wanted
    {
        let detail = format!("the article was published at {}; that never changes", was.rfc3339());
        return Err(Problem::new("/published", "immutable", detail).into());
    }
    if article.published.is_some() && draft.embargoed_until.is_some_and(|until| until > now) {
        let detail = "what is public cannot come under embargo; hold it instead";
        return Err(Problem::new("/embargoed_until", "conflict", detail).into());
    }
    if draft.test.is_some_and(|test| test != article.test) {
        let detail = "an article is made as a test or as news and stays that; make a new one";
        return Err(Problem::new("/test", "immutable", detail).into());
    }
    let starts = article.published.as_ref().map(|published| published.at).max(draft.embargoed_until).unwrap_or(now);
    if draft.expires_at.is_some_and(|expiry| expiry <= starts) {
        return Err(Problem::new("/expires_at", "order", EXPIRES_LAST).into());
    }
    provenance.warnings.extend(draft.warnings);
    article.headline = draft.headline;
    article.summary = draft.summary;
    article.body = Some(draft.body);
    article.language = draft.language;
    article.byline = draft.byline;
    article.contributors = draft.contributors;
    article.sources = draft.sources;
    article.located = draft.located;
    article.section = draft.section;
    article.subjects = draft.subjects;
    article.keywords = draft.keywords;
    article.genre = draft.genre;
    article.slugline = draft.slugline;
    article.urgency = draft.urgency;
    article.embargoed_until = draft.embargoed_until;
    article.expires_at = draft.expires_at;
    article.canonical_url = draft.canonical_url;
    article.translations = draft.translations;
    article.associations = draft.associations;
    article.copyright_holder = draft.copyright_holder;
    article.copyright_notice = draft.copyright_notice;
    article.usage_terms = draft.usage_terms;
    article.rights_url = draft.rights_url;
    article.ed_note = draft.ed_note;
    article.alt_ids = draft.alt_ids;
    article.ext = draft.ext;
    article.provenance = provenance;
    Ok(())
}

/// What a killed article keeps: its identity, its dates, and what the notice needs to reach the same readers (the
/// section) and tell them which story is gone (the headline). A headline that must not stay either is replaced by a
/// minor revision before the kill. Everything else somebody wrote goes, what earlier corrections quote included.
pub(super) fn without_content(killed: Article) -> Article {
    // Field by field, without `..`: whoever adds a field decides here whether it outlives a kill.
    Article {
        id: killed.id,
        revision: killed.revision,
        publisher: killed.publisher,
        status: killed.status,
        change: killed.change,
        test: killed.test,
        headline: killed.headline,
        summary: None,
        body: None,
        language: killed.language,
        byline: None,
        contributors: Vec::new(),
        sources: Vec::new(),
        located: None,
        section: killed.section,
        subjects: Vec::new(),
        keywords: Vec::new(),
        genre: None,
        slugline: None,
        urgency: killed.urgency,
        first_created: killed.first_created,
        version_created: killed.version_created,
        published: killed.published,
        updated_at: killed.updated_at,
        embargoed_until: killed.embargoed_until,
        expires_at: killed.expires_at,
        canonical_url: killed.canonical_url,
        translations: killed.translations,
        associations: Vec::new(),
        copyright_holder: None,
        copyright_notice: None,
        usage_terms: None,
        rights_url: None,
        ed_note: None,
        corrections: Vec::new(),
        alt_ids: killed.alt_ids,
        provenance: Provenance { warnings: Vec::new(), ..killed.provenance },
        ext: Default::default(),
    }
}
