//! Which change may follow which state, and what it makes of an article.
//!
//! ```text
//! embargoed → published ⇄ held      published → withdrawn | killed      withdrawn, killed → published (reinstate)
//! ```
//! Minor, major and correction are revisions of a published article.

use jiff::Timestamp;

use crate::model::{Article, Change, ChangeKind, Correction, Provenance, Status};
use crate::{ArticleId, Draft, Precision, Problem, Published, PublisherId};

/// What a newsroom wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Create {
        id: ArticleId,
        publisher: PublisherId,
        draft: Box<Draft>,
        provenance: Provenance,
    },
    /// A new text for a published article.
    Revise {
        kind: RevisionKind,
        note: Option<String>,
        draft: Box<Draft>,
        provenance: Provenance,
    },
    Hold {
        note: Option<String>,
    },
    Release {
        note: Option<String>,
    },
    /// The embargo has passed.
    Lift,
    Withdraw {
        note: String,
    },
    Kill {
        note: String,
    },
    /// Makes a withdrawn or killed article public again, with the text given.
    Reinstate {
        note: Option<String>,
        draft: Box<Draft>,
        provenance: Provenance,
    },
}

/// The three kinds of new text; they differ in who hears of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevisionKind {
    Minor,
    Major,
    Correction,
}

/// Why a command cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejection {
    /// The article is in a state from which this change is not legal.
    State { from: Option<Status>, wanted: ChangeKind },
    /// The text of the command is not acceptable.
    Invalid(Vec<Problem>),
}

impl std::fmt::Display for Rejection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::State { from: None, wanted } => write!(f, "there is no article to {}", wanted.as_str()),
            Self::State { from: Some(from), wanted: ChangeKind::New } => {
                write!(f, "the article exists already ({})", from.as_str())
            }
            Self::State { from: Some(from), wanted } => {
                write!(f, "a change of kind {} is not possible while the article is {}", wanted.as_str(), from.as_str())
            }
            Self::Invalid(problems) => {
                for problem in problems {
                    writeln!(f, "{problem}")?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for Rejection {}

impl From<Problem> for Rejection {
    fn from(problem: Problem) -> Self {
        Self::Invalid(vec![problem])
    }
}

/// The revision that `command` makes of `current` (`None`: no such article yet) at `now`.
///
/// # Errors
/// [`Rejection`] when the lifecycle forbids it or the command's own text is wrong; nothing has changed then.
pub fn apply(current: Option<&Article>, command: Command, now: Timestamp) -> Result<Article, Rejection> {
    match (current, command) {
        (None, Command::Create { id, publisher, draft, provenance }) => create(id, publisher, *draft, provenance, now),
        (Some(article), Command::Revise { kind, note, draft, provenance }) => {
            revise(article, kind, note, *draft, provenance, now)
        }
        (Some(article), Command::Hold { note }) => {
            step(article, ChangeKind::Hold, note, &[Status::Published], Status::Held, now)
        }
        (Some(article), Command::Release { note }) => {
            step(article, ChangeKind::Release, note, &[Status::Held], Status::Published, now)
        }
        (Some(article), Command::Lift) => lift(article, now),
        (Some(article), Command::Withdraw { note }) => {
            let note = checked_note(note)?;
            let from = [Status::Published, Status::Held];
            let mut next = step(article, ChangeKind::Withdraw, Some(note), &from, Status::Withdrawn, now)?;
            next.updated_at = significant(article, now);
            Ok(next)
        }
        (Some(article), Command::Kill { note }) => kill(article, checked_note(note)?, now),
        (Some(article), Command::Reinstate { note, draft, provenance }) => {
            let from = [Status::Withdrawn, Status::Killed];
            let mut next = step(article, ChangeKind::Reinstate, note, &from, Status::Published, now)?;
            rewrite(&mut next, *draft, provenance)?;
            next.updated_at = significant(article, now);
            Ok(next)
        }
        (current, command) => Err(Rejection::State { from: current.map(|a| a.status), wanted: command.kind() }),
    }
}

impl Command {
    fn kind(&self) -> ChangeKind {
        match self {
            Self::Create { .. } => ChangeKind::New,
            Self::Revise { kind, .. } => kind.change(),
            Self::Hold { .. } => ChangeKind::Hold,
            Self::Release { .. } | Self::Lift => ChangeKind::Release,
            Self::Withdraw { .. } => ChangeKind::Withdraw,
            Self::Kill { .. } => ChangeKind::Kill,
            Self::Reinstate { .. } => ChangeKind::Reinstate,
        }
    }
}

impl RevisionKind {
    pub fn change(self) -> ChangeKind {
        match self {
            Self::Minor => ChangeKind::Minor,
            Self::Major => ChangeKind::Major,
            Self::Correction => ChangeKind::Correction,
        }
    }
}

fn create(
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
        change: Change { kind: ChangeKind::New, note: None },
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
    rewrite(&mut article, draft, provenance)?;
    Ok(article)
}

/// The time the newsroom gave, or now.
fn publication(draft: &Draft, now: Timestamp) -> Published {
    let at_now = || Published { at: now, precision: Precision::Second, tz: "UTC".into() };
    draft.published.clone().unwrap_or_else(at_now)
}

fn revise(
    article: &Article,
    kind: RevisionKind,
    note: Option<String>,
    draft: Draft,
    provenance: Provenance,
    now: Timestamp,
) -> Result<Article, Rejection> {
    let note = if kind == RevisionKind::Correction { Some(checked_note(note.unwrap_or_default())?) } else { note };
    let mut next = step(article, kind.change(), note.clone(), &[Status::Published], Status::Published, now)?;
    rewrite(&mut next, draft, provenance)?;
    if kind != RevisionKind::Minor {
        next.updated_at = significant(article, now);
    }
    if let (RevisionKind::Correction, Some(note)) = (kind, note) {
        next.corrections.push(Correction { revision: next.revision, at: now, note });
    }
    Ok(next)
}

/// The next revision in a new status, its text as it was.
fn step(
    article: &Article,
    kind: ChangeKind,
    note: Option<String>,
    from: &[Status],
    to: Status,
    now: Timestamp,
) -> Result<Article, Rejection> {
    if !from.contains(&article.status) {
        return Err(Rejection::State { from: Some(article.status), wanted: kind });
    }
    let mut next = article.clone();
    next.revision += 1;
    next.status = to;
    next.change = Change { kind, note };
    next.version_created = now.max(article.version_created);
    Ok(next)
}

fn lift(article: &Article, now: Timestamp) -> Result<Article, Rejection> {
    let mut next = step(article, ChangeKind::Release, None, &[Status::Embargoed], Status::Published, now)?;
    let at = article.embargoed_until.unwrap_or(now);
    next.published = Some(Published { at, precision: Precision::Second, tz: "UTC".into() });
    next.updated_at = at;
    Ok(next)
}

/// A kill takes the content with it; identity, dates and the notice stay.
fn kill(article: &Article, note: String, now: Timestamp) -> Result<Article, Rejection> {
    let from = [Status::Embargoed, Status::Published, Status::Held, Status::Withdrawn];
    let mut next = step(article, ChangeKind::Kill, Some(note), &from, Status::Killed, now)?;
    next.updated_at = significant(article, now);
    next.body = None;
    next.summary = None;
    next.byline = None;
    next.contributors.clear();
    next.associations.clear();
    next.located = None;
    next.corrections.clear();
    next.ext.clear();
    next.ed_note = None;
    Ok(next)
}

/// `updated_at` of a significant change: now, but never backwards and never before publication.
fn significant(article: &Article, now: Timestamp) -> Timestamp {
    let published = article.published.as_ref().map_or(now, |published| published.at);
    now.max(published).max(article.updated_at)
}

fn checked_note(note: String) -> Result<String, Rejection> {
    if note.trim().is_empty() {
        let detail = "a correction, a withdrawal and a kill must tell readers why, in 1 to 1,000 characters";
        return Err(Problem::new("/change/note", "required", detail).into());
    }
    Ok(note)
}

/// Puts the draft's text into the article. What identifies and dates it stays.
fn rewrite(article: &mut Article, draft: Draft, mut provenance: Provenance) -> Result<(), Rejection> {
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
