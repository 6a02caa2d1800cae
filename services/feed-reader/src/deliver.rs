//! From a draft to an article at the publisher, once, however often it is tried.

use article::{Article, ArticleId};
use serde_json::{Value, json};

use crate::publisher::{CHANNEL, Publisher, Refusal};

/// How often a revision is tried anew when another has come in between.
const TRIES: u32 = 3;

/// What became of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Placed {
    /// It is this revision of this article.
    At(ArticleId, u32),
    /// The newsroom has taken the article into its own hands: changed, held, withdrawn or killed it. What upstream says
    /// no longer counts.
    Newsrooms(ArticleId),
    /// The publisher will not have it.
    Refused(String),
}

/// How an item of which nothing is known becomes an article.
///
/// `key` follows from the item's identity. So an item that was published and then forgotten, before it was noted or long
/// after, finds its article again; if its text has changed since, that becomes a revision.
pub(crate) async fn create(publisher: &Publisher, key: &str, draft: &Value) -> Result<Placed, Refusal> {
    match publisher.create(key, bytes(draft)).await {
        Ok(article) => Ok(Placed::At(article.id, article.revision)),
        Err(Refusal::Refused(problem)) => match (problem.article, problem.current_revision) {
            (Some(id), Some(_)) => revise_if_ours(publisher, &id, draft, "minor").await,
            _ => Ok(Placed::Refused(Refusal::Refused(problem).to_string())),
        },
        Err(other) => Err(other),
    }
}

/// Puts a new text in place of revision `base`, which is the last that we know of.
pub(crate) async fn revise(
    publisher: &Publisher,
    id: &ArticleId,
    base: u32,
    draft: &Value,
    kind: &str,
) -> Result<Placed, Refusal> {
    match put(publisher, id, base, draft, kind).await {
        // Others have been at it, or we were and do not know it.
        Err(Refusal::Refused(problem)) if problem.is("stale") => revise_if_ours(publisher, id, draft, kind).await,
        other => placed(id, other),
    }
}

/// As [`revise`], from whatever is current, if that came from a feed.
async fn revise_if_ours(publisher: &Publisher, id: &ArticleId, draft: &Value, kind: &str) -> Result<Placed, Refusal> {
    for _ in 0..TRIES {
        let current = match publisher.read(id).await {
            Ok(current) => current,
            Err(error) => return placed(id, Err(error)),
        };
        if current.provenance.channel != CHANNEL {
            return Ok(Placed::Newsrooms(*id));
        }
        match put(publisher, id, current.revision, draft, kind).await {
            Err(Refusal::Refused(problem)) if problem.is("stale") => {}
            other => return placed(id, other),
        }
    }
    Err(Refusal::Later { why: "the article changes faster than it can be revised".into(), after: None })
}

async fn put(publisher: &Publisher, id: &ArticleId, base: u32, draft: &Value, kind: &str) -> Result<Article, Refusal> {
    let mut document = draft.clone();
    document["change"] = json!({ "kind": kind });
    publisher.revise(id, base, bytes(&document)).await
}

fn placed(id: &ArticleId, done: Result<Article, Refusal>) -> Result<Placed, Refusal> {
    match done {
        Ok(article) => Ok(Placed::At(article.id, article.revision)),
        Err(Refusal::Refused(problem)) if problem.is("lifecycle") || problem.is("no-such-article") => {
            Ok(Placed::Newsrooms(*id))
        }
        Err(refused @ Refusal::Refused(_)) => Ok(Placed::Refused(refused.to_string())),
        Err(other) => Err(other),
    }
}

fn bytes(document: &Value) -> Vec<u8> {
    serde_json::to_vec(document).expect("a JSON value always serialises")
}
