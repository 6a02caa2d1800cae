//! From what somebody sent to the revision that it makes, or every mistake in it. Pure.

use article::wire::v1::Envelope;
use article::{Article, ArticleId, Command, Draft, Problem, Provenance, PublisherId, Rejection, RevisionKind, apply};
use jiff::Timestamp;
use serde_json::Value;

use super::Submission;
use crate::refusal::Refusal;
use crate::token::sha256_hex;

/// What a request is recognised by when it comes again.
pub(super) fn fingerprint(body: &[u8]) -> String {
    sha256_hex(body)
}

/// What a submission makes of nothing.
pub(super) fn first_revision(id: ArticleId, submission: &Submission, now: Timestamp) -> Result<Article, Refusal> {
    let document = parse(&submission.body)?;
    let kind = document.pointer("/change/kind");
    let mut problems = Vec::new();
    if kind.is_some_and(|kind| kind != "new") {
        problems.push(Problem::new("/change/kind", "not_new", "a new article is of kind new; leave change out"));
    }
    if document.get("id").is_some_and(|id| !id.is_null()) {
        let detail = "an article gets its id here; leave it out, or PUT to change the article that has it";
        problems.push(Problem::new("/id", "not_yours", detail));
    }
    let draft = draft(&document, &submission.publisher, problems, now)?;
    let publisher = submission.publisher.clone();
    let provenance = provenance(submission);
    readable(apply(None, Command::Create { id, publisher, draft: Box::new(draft), provenance }, now))
}

/// What a submission makes of the current revision.
pub(super) fn next_revision(current: &Article, submission: &Submission, now: Timestamp) -> Result<Article, Refusal> {
    let document = parse(&submission.body)?;
    let mut problems = Vec::new();
    let kind = match document.pointer("/change/kind").and_then(Value::as_str) {
        Some("minor") => Some(RevisionKind::Minor),
        Some("major") => Some(RevisionKind::Major),
        Some("correction") => Some(RevisionKind::Correction),
        Some("reinstate") => None,
        found => {
            let code = if found.is_some() { "not_a_revision" } else { "required" };
            let detail = "say what kind of change it is: minor, major, correction or reinstate; hold, release, withdraw \
                          and kill are posted to the article's changes";
            problems.push(Problem::new("/change/kind", code, detail));
            None
        }
    };
    let draft = draft(&document, &submission.publisher, problems, now)?;
    if draft.id.is_some_and(|id| id != current.id) {
        let detail = format!("the address is that of {}; send that id or leave it out", current.id);
        return Err(Refusal::Invalid(vec![Problem::new("/id", "other_article", detail)]));
    }
    let note = draft.change.as_ref().and_then(|change| change.note.clone());
    let (draft, provenance) = (Box::new(draft), provenance(submission));
    let command = match kind {
        Some(kind) => Command::Revise { kind, note, draft, provenance },
        None => Command::Reinstate { note, draft, provenance },
    };
    readable(apply(Some(current), command, now))
}

pub(crate) fn parse(body: &[u8]) -> Result<Value, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::BadJson {
        line: error.line(),
        column: error.column(),
        // serde_json's own text ends in the place, which the refusal gives as well.
        detail: error.to_string().split(" at line ").next().unwrap_or_default().to_owned(),
    })
}

/// The draft in `document`, or every mistake in it beside those found already.
fn draft(
    document: &Value,
    publisher: &PublisherId,
    mut problems: Vec<Problem>,
    now: Timestamp,
) -> Result<Draft, Refusal> {
    let draft = match Draft::from_json(document, now) {
        Ok(draft) => draft,
        Err(found) => {
            // Both look at some fields: one mistake is reported once.
            problems.retain(|problem| found.iter().all(|other| other.pointer != problem.pointer));
            problems.extend(found);
            return Err(Refusal::Invalid(problems));
        }
    };
    if draft.publisher.as_ref().is_some_and(|named| named != publisher) {
        return Err(Refusal::OtherPublisher { ours: publisher.clone() });
    }
    if problems.is_empty() { Ok(draft) } else { Err(Refusal::Invalid(problems)) }
}

fn provenance(submission: &Submission) -> Provenance {
    Provenance {
        channel: submission.channel.clone(),
        raw_sha256: fingerprint(&submission.body),
        importer: submission.importer.clone(),
        warnings: Vec::new(),
    }
}

/// A revision that its readers can read: JSON nested as deep as a parser allows is one level deeper in its envelope,
/// and would stop everybody behind it in the log.
fn readable(applied: Result<Article, Rejection>) -> Result<Article, Refusal> {
    let article = match applied {
        Ok(article) => article,
        Err(Rejection::Invalid(problems)) => return Err(Refusal::Invalid(problems)),
        Err(state @ Rejection::State { .. }) => return Err(Refusal::Lifecycle(state.to_string())),
    };
    let envelope = Envelope::new(article, None);
    match Envelope::from_bytes(&envelope.to_bytes()) {
        Ok(_) => Ok(envelope.data),
        Err(_) => {
            let detail = "nested too deep to be read again; put lists and objects in ext less deep into one another";
            Err(Refusal::Invalid(vec![Problem::new("/ext", "too_deep", detail)]))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn submission(document: &Value) -> Submission {
        Submission {
            publisher: "hefei".parse().unwrap(),
            body: document.to_string().into(),
            channel: "api".into(),
            importer: None,
            traceparent: String::new(),
        }
    }

    fn now() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    fn id() -> ArticleId {
        ArticleId::new(now(), [1; 10])
    }

    fn pointers(refusal: Refusal) -> Vec<String> {
        let Refusal::Invalid(problems) = refusal else { panic!("{refusal:?}") };
        problems.into_iter().map(|problem| problem.pointer).collect()
    }

    #[test]
    fn our_mistakes_stand_beside_the_drafts_own() {
        let document = json!({ "id": id(), "change": { "kind": "minor" }, "language": "e" });
        let refusal = first_revision(id(), &submission(&document), now()).unwrap_err();
        assert_eq!(pointers(refusal), ["/change/kind", "/id", "/headline", "/body", "/language"]);
        let good = json!({ "headline": "H", "body_text": "B", "language": "en" });
        let article = first_revision(id(), &submission(&good), now()).unwrap();
        let bad = json!({ "headline": "", "language": "en", "body_text": "B", "change": {} });
        let refusal = next_revision(&article, &submission(&bad), now()).unwrap_err();
        assert_eq!(pointers(refusal), ["/headline", "/change/kind"]);
        let bad =
            json!({ "headline": "H", "language": "en", "body_text": "B", "change": { "kind": "kill", "note": "n" } });
        assert_eq!(pointers(next_revision(&article, &submission(&bad), now()).unwrap_err()), ["/change/kind"]);
    }

    #[test]
    fn a_document_may_revise_and_reinstate_and_nothing_else() {
        let mut document = json!({ "headline": "H", "body_text": "B", "language": "en" });
        let article = first_revision(id(), &submission(&document), now()).unwrap();
        for (kind, refused) in [
            ("minor", false),
            ("major", false),
            ("correction", false),
            ("hold", true),
            ("release", true),
            ("withdraw", true),
            ("kill", true),
            ("new", true),
        ] {
            document["change"] = json!({ "kind": kind, "note": "why" });
            match next_revision(&article, &submission(&document), now()) {
                Ok(next) => assert!(!refused && next.change.kind.as_str() == kind, "{kind}"),
                Err(refusal) => assert!(refused && pointers(refusal) == ["/change/kind"], "{kind}"),
            }
        }
        document["change"] = json!({ "kind": "reinstate" });
        let refusal = next_revision(&article, &submission(&document), now()).unwrap_err();
        assert!(matches!(refusal, Refusal::Lifecycle(_)), "it is public: {refusal:?}");
    }

    /// Finds the depth at which a document is still read and its envelope no longer.
    #[test]
    fn what_could_not_be_read_back_is_never_written() {
        let mut refused = 0;
        for depth in 100..126 {
            let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            let body = format!(r#"{{"headline":"H","body_text":"B","language":"en","ext":{{"a":{nested}}}}}"#);
            let submission = Submission { body: body.into(), ..submission(&Value::Null) };
            match first_revision(id(), &submission, now()) {
                Ok(article) => {
                    Envelope::from_bytes(&Envelope::new(article, None).to_bytes()).unwrap();
                }
                Err(refusal) => {
                    refused += 1;
                    assert_eq!(pointers(refusal), ["/ext"]);
                }
            }
        }
        assert_eq!(refused, 1);
    }
}
