//! Changes that bring no text: hold, release, withdraw, kill.

use article::{Article, ArticleId, ChangeKind, Command, Problem, PublisherId, Rejection, Status, apply};
use bus::RETRY_FOR;
use jiff::Timestamp;
use serde_json::Value;

use super::store::{Place, Unwritten};
use super::{Accepted, Desk};
use crate::refusal::Refusal;

/// What is to be done to an article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) kind: ChangeKind,
    pub(crate) note: Option<String>,
}

/// The kinds of [`Change`].
const KINDS: [ChangeKind; 4] = [ChangeKind::Hold, ChangeKind::Release, ChangeKind::Withdraw, ChangeKind::Kill];

impl Change {
    /// Reads `{"kind": …, "note": …}`; what a note may hold is the lifecycle's business.
    pub(crate) fn read(document: &Value) -> Result<Self, Refusal> {
        let Value::Object(fields) = document else {
            let detail = "expected an object: {\"kind\": \"hold\", \"note\": \"…\"}";
            return Err(Refusal::Invalid(vec![Problem::new("", "type", detail)]));
        };
        let mut problems = Vec::new();
        let kind = match fields.get("kind").map(|kind| kind.as_str().and_then(ChangeKind::from_word)) {
            Some(Some(kind)) if KINDS.contains(&kind) => Some(kind),
            found => {
                let code = if found.is_some() { "unknown_word" } else { "required" };
                let detail = "say what is to be done: hold, release, withdraw or kill; a new text is sent with PUT";
                problems.push(Problem::new("/kind", code, detail));
                None
            }
        };
        let note = match fields.get("note") {
            None | Some(Value::Null) => None,
            Some(Value::String(note)) => Some(note.clone()),
            Some(_) => {
                problems.push(Problem::new("/note", "type", "expected a string"));
                None
            }
        };
        for field in fields.keys().filter(|field| !["kind", "note"].contains(&field.as_str())).take(10) {
            let pointer = format!("/{}", field.replace('~', "~0").replace('/', "~1"));
            problems.push(Problem::new(pointer, "unknown_field", "a change has kind and note, nothing else"));
        }
        match kind {
            Some(kind) if problems.is_empty() => Ok(Self { kind, note }),
            _ => Err(Refusal::Invalid(problems)),
        }
    }

    /// What it makes of the current revision.
    pub(crate) fn apply(&self, current: &Article, now: Timestamp) -> Result<Article, Refusal> {
        let note = self.note.clone();
        // A missing note is reported like an unreadable one.
        let required = note.clone().unwrap_or_default();
        let command = match self.kind {
            ChangeKind::Hold => Command::Hold { note },
            ChangeKind::Release => Command::Release { note },
            ChangeKind::Withdraw => Command::Withdraw { note: required },
            _ => Command::Kill { note: required },
        };
        apply(Some(current), command, now).map_err(|rejection| match rejection {
            Rejection::Invalid(problems) => Refusal::Invalid(problems.into_iter().map(|p| self.here(p)).collect()),
            state @ Rejection::State { .. } => Refusal::Lifecycle(state.to_string()),
        })
    }

    /// The lifecycle's mistake as one of this document, where the note stands elsewhere.
    fn here(&self, problem: Problem) -> Problem {
        let pointer = problem.pointer.strip_prefix("/change").unwrap_or(&problem.pointer).to_owned();
        match self.note {
            None => Problem::new(pointer, "required", "tell readers why, in 1 to 1,000 characters"),
            Some(_) => Problem { pointer, ..problem },
        }
    }
}

impl Desk {
    /// Carries out `change`, on revision `base` if one is named, otherwise on whatever is current.
    ///
    /// A repeated request whose effect is there already is answered with it.
    pub(crate) async fn change(
        &self,
        publisher: &PublisherId,
        id: ArticleId,
        change: &Change,
        base: Option<u32>,
        traceparent: &str,
        now: Timestamp,
    ) -> Result<Accepted, Refusal> {
        let patient = async {
            let kills = change.kind == ChangeKind::Kill;
            // What is to be killed is not published first.
            let lift = (!kills).then_some(now);
            let mut current = self.settled(publisher, id, lift).await?;
            if kills {
                change_is_sound(change, &current.article, now)?;
                // Before the kill, so that a crash between the two leaves no killed text in the store.
                self.call_for_erasure(publisher, id).await.map_err(refused)?;
            }
            loop {
                if let Some(base) = base.filter(|base| *base != current.article.revision) {
                    return self.already_changed(publisher, id, change, base).await;
                }
                if base.is_none() && kills && current.article.status == Status::Killed {
                    return Ok(Accepted { article: current.article, replayed: true });
                }
                let next = change.apply(&current.article, now)?;
                match self.write(next, traceparent, current.place, current.sequence).await {
                    Ok(article) => return Ok(Accepted { article, replayed: false }),
                    // Without a base the change is for whoever has won; with one the next look settles it.
                    Err(Unwritten::Conflict) => current = self.settled(publisher, id, lift).await?,
                    Err(Unwritten::Refused(refusal)) => return Err(refusal),
                }
            }
        };
        tokio::time::timeout(RETRY_FOR, patient).await.unwrap_or(Err(Refusal::Unavailable))
    }

    /// The revision after `base`, if it is what `change` makes of it.
    pub(super) async fn already_changed(
        &self,
        publisher: &PublisherId,
        id: ArticleId,
        change: &Change,
        base: u32,
    ) -> Result<Accepted, Refusal> {
        let same = |article: &Article| article.change.kind == change.kind && article.change.note == change.note;
        self.revision_after(publisher, id, base, same).await
    }

    /// The revision after `base` if it is the one meant, as the answer to a repeated request; otherwise the base is
    /// stale.
    pub(super) async fn revision_after(
        &self,
        publisher: &PublisherId,
        id: ArticleId,
        base: u32,
        meant: impl Fn(&Article) -> bool,
    ) -> Result<Accepted, Refusal> {
        let mut current = base;
        for place in [Place::Embargoes, Place::Log] {
            for kept in self.history(place, publisher, id).await? {
                if kept.article.revision == base.saturating_add(1) && meant(&kept.article) {
                    return Ok(Accepted { article: kept.article, replayed: true });
                }
                current = kept.article.revision;
            }
        }
        Err(Refusal::Stale { current })
    }
}

/// Whether the change is one at all; a call for erasure is not made for a mistake.
fn change_is_sound(change: &Change, current: &Article, now: Timestamp) -> Result<(), Refusal> {
    match change.apply(current, now) {
        Err(refusal @ Refusal::Invalid(_)) => Err(refusal),
        _ => Ok(()),
    }
}

fn refused(unwritten: Unwritten) -> Refusal {
    match unwritten {
        Unwritten::Refused(refusal) => refusal,
        // The call expects nothing of its subject.
        Unwritten::Conflict => Refusal::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_mistake_in_a_change_is_named() {
        for (document, expected) in [
            (json!([]), vec![" type"]),
            (json!({}), vec!["/kind required"]),
            (
                json!({ "kind": "kill ", "note": 1, "a/b": 1 }),
                vec!["/kind unknown_word", "/note type", "/a~1b unknown_field"],
            ),
            (json!({ "kind": "minor" }), vec!["/kind unknown_word"]),
        ] {
            let Err(Refusal::Invalid(problems)) = Change::read(&document) else { panic!("{document} is accepted") };
            let found: Vec<_> = problems.iter().map(|p| format!("{} {}", p.pointer, p.code)).collect();
            assert_eq!(found, expected, "{document}");
        }
        let read = Change::read(&json!({ "kind": "hold", "note": null })).unwrap();
        assert_eq!(read, Change { kind: ChangeKind::Hold, note: None });
    }
}
