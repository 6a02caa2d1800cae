//! What happens to an article: created, revised, read. Accepted means durable: the log has confirmed it.
//!
//! Nothing is kept here between requests. That a request is carried out once, however often it is sent, rests on the log
//! alone: the article's id follows from the idempotency key, its subject takes the next revision only from whoever knows
//! the last, and each revision carries the hash of the request that made it.

use std::time::Duration;

use article::wire::v1::{self, Envelope};
use article::{Article, ArticleId, Command, Draft, Problem, Provenance, PublisherId, Rejection, RevisionKind, apply};
use bus::{Bus, HeaderMap, PublishError, RETRY_FOR, Stored};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;
use topology::{ARTICLES, subjects};

use crate::refusal::Refusal;
use crate::token::sha256_hex;

/// Pause before a read that failed is tried again.
const READ_AGAIN: Duration = Duration::from_millis(250);

/// An article as somebody sent it.
pub(crate) struct Submission {
    /// Whom the token speaks for.
    pub(crate) publisher: PublisherId,
    pub(crate) body: Bytes,
    /// How it came in: `api`, or what the client calls its own way.
    pub(crate) channel: String,
    /// The software that sent it.
    pub(crate) importer: Option<String>,
    /// W3C Trace Context.
    pub(crate) traceparent: String,
}

/// A request that has been carried out: now, or when it was first sent.
pub(crate) struct Accepted {
    pub(crate) article: Article,
    pub(crate) replayed: bool,
}

#[derive(Clone)]
pub(crate) struct Desk {
    bus: Bus,
}

impl Desk {
    pub(crate) fn new(bus: Bus) -> Self {
        Self { bus }
    }

    /// A new article. With a `key` the same request makes it once, however often it comes.
    pub(crate) async fn create(
        &self,
        submission: &Submission,
        key: Option<&str>,
        now: Timestamp,
    ) -> Result<Accepted, Refusal> {
        let id = match key {
            Some(key) => ArticleId::derived(&submission.publisher, "idempotency-key", key.as_bytes()),
            None => ArticleId::new(now, random()),
        };
        let written = match first_revision(id, submission, now) {
            Ok(article) => self.write(submission, article, 0).await.map_err(Unwritten::from),
            Err(refusal) => Err(Unwritten::Refused(refusal)),
        };
        match written {
            Ok(article) => Ok(Accepted { article, replayed: false }),
            // Time passes between a request and its repetition: what was valid then may have expired since.
            Err(Unwritten::Refused(refusal @ Refusal::Invalid(_))) if key.is_some() => {
                Ok(self.earlier(submission, id).await?.ok_or(refusal)?)
            }
            Err(Unwritten::Refused(refusal)) => Err(refusal),
            Err(Unwritten::Conflict) => self.earlier(submission, id).await?.ok_or(Refusal::Unavailable),
        }
    }

    /// What the key has made before, if anything.
    async fn earlier(&self, submission: &Submission, id: ArticleId) -> Result<Option<Accepted>, Refusal> {
        let subject = subjects::article(&submission.publisher, &id);
        let Some(first) = self.bus.next(&ARTICLES, &subject, 0).await.map_err(unavailable)? else { return Ok(None) };
        let first = read(&first)?;
        if first.revision == 1 && first.provenance.raw_sha256 == fingerprint(&submission.body) {
            return Ok(Some(Accepted { article: first, replayed: true }));
        }
        let revision = self.current(&submission.publisher, id).await?.0.revision;
        Err(match first.revision {
            1 => Refusal::KeyReused { id, revision },
            _ => Refusal::KeyForgotten { id, revision },
        })
    }

    /// A new text for the article whose revision `base` is current.
    ///
    /// A repetition of the request that made revision `base + 1` is answered with it: its first answer was lost.
    pub(crate) async fn revise(
        &self,
        submission: &Submission,
        id: ArticleId,
        base: u32,
        now: Timestamp,
    ) -> Result<Accepted, Refusal> {
        // Reading and writing wait for the server; together they wait no longer than one of them.
        let revised = tokio::time::timeout(RETRY_FOR, self.revise_patiently(submission, id, base, now)).await;
        revised.unwrap_or(Err(Refusal::Unavailable))
    }

    async fn revise_patiently(
        &self,
        submission: &Submission,
        id: ArticleId,
        base: u32,
        now: Timestamp,
    ) -> Result<Accepted, Refusal> {
        let (current, sequence) = loop {
            match self.current(&submission.publisher, id).await {
                Err(Refusal::Unavailable) => tokio::time::sleep(READ_AGAIN).await,
                other => break other?,
            }
        };
        if current.revision != base {
            return self.already_revised(submission, id, base).await;
        }
        let article = next_revision(&current, submission, now)?;
        match self.write(submission, article, sequence).await.map_err(Unwritten::from) {
            Ok(article) => Ok(Accepted { article, replayed: false }),
            Err(Unwritten::Conflict) => self.already_revised(submission, id, base).await,
            Err(Unwritten::Refused(refusal)) => Err(refusal),
        }
    }

    /// The revision after `base`, if this very request made it.
    async fn already_revised(&self, submission: &Submission, id: ArticleId, base: u32) -> Result<Accepted, Refusal> {
        let subject = subjects::article(&submission.publisher, &id);
        let (mut sequence, mut current) = (0, base);
        // Bounded by the history that the log keeps of one article.
        while let Some(stored) = self.bus.next(&ARTICLES, &subject, sequence).await.map_err(unavailable)? {
            let article = read(&stored)?;
            if article.revision == base.saturating_add(1)
                && article.provenance.raw_sha256 == fingerprint(&submission.body)
            {
                return Ok(Accepted { article, replayed: true });
            }
            (sequence, current) = (stored.sequence + 1, article.revision);
        }
        Err(Refusal::Stale { current })
    }

    /// The current revision of one of the publisher's articles, and its place in the log.
    pub(crate) async fn current(&self, publisher: &PublisherId, id: ArticleId) -> Result<(Article, u64), Refusal> {
        let last = self.bus.last(&ARTICLES, &subjects::article(publisher, &id)).await.map_err(unavailable)?;
        let last = last.ok_or(Refusal::NoSuchArticle)?;
        Ok((read(&last)?, last.sequence))
    }

    /// Writes a revision to the log, after the message at `expected`.
    async fn write(&self, submission: &Submission, article: Article, expected: u64) -> Result<Article, PublishError> {
        let subject = subjects::article(&article.publisher, &article.id);
        let envelope = Envelope::new(article, Some(submission.traceparent.clone()));
        let mut headers = HeaderMap::new();
        headers.insert("Content-Type", v1::CONTENT_TYPE);
        headers.insert("traceparent", submission.traceparent.as_str());
        let payload = Bytes::from(envelope.to_bytes());
        self.bus.publish(&ARTICLES, &subject, &envelope.id, headers, payload, Some(expected)).await?;
        Ok(envelope.data)
    }
}

/// Why a revision is not in the log.
enum Unwritten {
    /// Somebody wrote the subject first: another client, or this request when it was first sent.
    Conflict,
    Refused(Refusal),
}

impl From<PublishError> for Unwritten {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Conflict { .. } => Self::Conflict,
            PublishError::TooLarge { .. } => {
                let limit = ARTICLES.max_message_bytes / 1024;
                Self::Refused(Refusal::TooLarge(format!("the article is larger than {limit} KiB with all its fields")))
            }
            PublishError::Refused(_) => {
                tracing::error!("an article was not stored: {error}");
                Self::Refused(Refusal::Full)
            }
            PublishError::Unavailable(_) => {
                tracing::warn!("an article could not be stored: {error}");
                Self::Refused(Refusal::Unavailable)
            }
        }
    }
}

fn unavailable(error: bus::ReadError) -> Refusal {
    tracing::warn!("{error}");
    Refusal::Unavailable
}

fn read(stored: &Stored) -> Result<Article, Refusal> {
    let envelope = Envelope::from_bytes(&stored.payload).map_err(|error| {
        tracing::error!(subject = stored.subject, sequence = stored.sequence, "a revision cannot be read: {error}");
        Refusal::Unreadable
    })?;
    Ok(envelope.data)
}

/// What a request is recognised by when it comes again.
fn fingerprint(body: &[u8]) -> String {
    sha256_hex(body)
}

fn first_revision(id: ArticleId, submission: &Submission, now: Timestamp) -> Result<Article, Refusal> {
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

fn next_revision(current: &Article, submission: &Submission, now: Timestamp) -> Result<Article, Refusal> {
    let document = parse(&submission.body)?;
    let mut problems = Vec::new();
    let kind = match document.pointer("/change/kind").and_then(Value::as_str) {
        Some("minor") => RevisionKind::Minor,
        Some("major") => RevisionKind::Major,
        Some("correction") => RevisionKind::Correction,
        found => {
            let code = if found.is_some() { "not_a_revision" } else { "required" };
            let detail = "say what kind of change it is: minor, major or correction";
            problems.push(Problem::new("/change/kind", code, detail));
            RevisionKind::Minor
        }
    };
    let draft = draft(&document, &submission.publisher, problems, now)?;
    if draft.id.is_some_and(|id| id != current.id) {
        let detail = format!("the address is that of {}; send that id or leave it out", current.id);
        return Err(Refusal::Invalid(vec![Problem::new("/id", "other_article", detail)]));
    }
    let note = draft.change.as_ref().and_then(|change| change.note.clone());
    let provenance = provenance(submission);
    readable(apply(Some(current), Command::Revise { kind, note, draft: Box::new(draft), provenance }, now))
}

fn parse(body: &[u8]) -> Result<Value, Refusal> {
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
    if draft.embargoed_until.is_some_and(|until| until > now) {
        let detail = "this version does not release embargoed articles; send the article when its embargo has ended";
        problems.push(Problem::new("/embargoed_until", "unsupported", detail));
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

fn random() -> [u8; 10] {
    let mut random = [0; 10];
    getrandom::fill(&mut random).expect("the operating system gives random bytes once it has started");
    random
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
    fn an_embargo_is_refused_until_something_releases_it() {
        let mut document = json!({ "headline": "H", "body_text": "B", "language": "en" });
        document["embargoed_until"] = json!("2026-11-22T10:00:01Z");
        assert_eq!(pointers(first_revision(id(), &submission(&document), now()).unwrap_err()), ["/embargoed_until"]);
        document["embargoed_until"] = json!("2026-11-22T10:00:00Z");
        first_revision(id(), &submission(&document), now()).unwrap();
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
