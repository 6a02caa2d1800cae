//! Which change may follow which state, and what it makes of an article.
//!
//! ```text
//! embargoed → published ⇄ held      published, held → withdrawn      every one → killed
//! withdrawn, killed → published (reinstate)
//! ```
//! Minor, major and correction are revisions of a published or held article; minor and major of an embargoed one, too.
//! None of them moves the status.

mod text;

use jiff::Timestamp;

use self::text::{at_once, create, publication, rewrite, without_content};
use crate::draft::MAX_NOTE;
use crate::model::{Article, Change, ChangeKind, Correction, Provenance, Status};
use crate::reader::fault;
use crate::text::illegal_in_text;
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
    /// A new text; of an article under embargo also a new end of the embargo.
    Revise {
        kind: RevisionKind,
        note: Option<String>,
        draft: Box<Draft>,
        provenance: Provenance,
    },
    Hold {
        note: Option<String>,
    },
    /// Public again, or public before the embargo ends.
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
        (Some(article), Command::Release { note }) => release(article, note, now),
        (Some(article), Command::Lift) => lift(article, now),
        (Some(article), Command::Withdraw { note }) => {
            let from = [Status::Published, Status::Held];
            let mut next = step(article, ChangeKind::Withdraw, Some(note), &from, Status::Withdrawn, now)?;
            next.updated_at = significant(article, now);
            Ok(next)
        }
        (Some(article), Command::Kill { note }) => kill(article, note, now),
        (Some(article), Command::Reinstate { note, draft, provenance }) => {
            let from = [Status::Withdrawn, Status::Killed];
            let mut next = step(article, ChangeKind::Reinstate, note, &from, Status::Published, now)?;
            // Killed under embargo, it was never public.
            next.published.get_or_insert_with(|| publication(&draft, now));
            rewrite(&mut next, *draft, provenance, now)?;
            next.updated_at = significant(&next, now);
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

fn revise(
    article: &Article,
    kind: RevisionKind,
    note: Option<String>,
    draft: Draft,
    provenance: Provenance,
    now: Timestamp,
) -> Result<Article, Rejection> {
    let from: &[Status] = match kind {
        // Nobody has read what would be corrected.
        RevisionKind::Correction => &[Status::Published, Status::Held],
        RevisionKind::Minor | RevisionKind::Major => &[Status::Embargoed, Status::Published, Status::Held],
    };
    let mut next = step(article, kind.change(), note.clone(), from, article.status, now)?;
    if article.status == Status::Embargoed && draft.embargoed_until.is_none_or(|until| until <= now) {
        let detail = "the article is under embargo; give the time it ends, which is ahead, or release the article";
        return Err(Problem::new("/embargoed_until", "required", detail).into());
    }
    rewrite(&mut next, draft, provenance, now)?;
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
    check_note(kind, note.as_deref())?;
    let mut next = article.clone();
    next.revision += 1;
    next.status = to;
    next.change = Change { kind, note };
    next.version_created = now.max(article.version_created);
    Ok(next)
}

fn release(article: &Article, note: Option<String>, now: Timestamp) -> Result<Article, Rejection> {
    let from = [Status::Held, Status::Embargoed];
    let mut next = step(article, ChangeKind::Release, note, &from, Status::Published, now)?;
    if article.status == Status::Embargoed {
        next.published = Some(at_once(now));
        next.updated_at = significant(article, now);
        // Consumers look at it again: it would hide what is public now.
        next.embargoed_until = None;
    }
    Ok(next)
}

fn lift(article: &Article, now: Timestamp) -> Result<Article, Rejection> {
    let mut next = step(article, ChangeKind::Release, None, &[Status::Embargoed], Status::Published, now)?;
    let at = article.embargoed_until.unwrap_or(now);
    if at > now {
        return Err(
            Problem::new("/embargoed_until", "embargoed", format!("the embargo ends at {at}, not before")).into()
        );
    }
    next.published = Some(Published { at, precision: Precision::Second, tz: "UTC".into() });
    next.updated_at = at.max(article.updated_at);
    Ok(next)
}

fn kill(article: &Article, note: String, now: Timestamp) -> Result<Article, Rejection> {
    let from = [Status::Embargoed, Status::Published, Status::Held, Status::Withdrawn];
    let mut next = step(article, ChangeKind::Kill, Some(note), &from, Status::Killed, now)?;
    next.updated_at = significant(article, now);
    Ok(without_content(next))
}

/// `updated_at` of a significant change: now, but never backwards and never before publication.
fn significant(article: &Article, now: Timestamp) -> Timestamp {
    let published = article.published.as_ref().map_or(now, |published| published.at);
    now.max(published).max(article.updated_at)
}

fn check_note(kind: ChangeKind, note: Option<&str>) -> Result<(), Rejection> {
    let required = matches!(kind, ChangeKind::Correction | ChangeKind::Withdraw | ChangeKind::Kill);
    match note {
        None if required => {
            let detail = "a correction, a withdrawal and a kill must tell readers why, in 1 to 1,000 characters";
            Err(Problem::new("/change/note", "required", detail).into())
        }
        None => Ok(()),
        Some(note) => match fault(note, illegal_in_text(note), MAX_NOTE) {
            Some((code, detail)) => Err(Problem::new("/change/note", code, detail).into()),
            None => Ok(()),
        },
    }
}
