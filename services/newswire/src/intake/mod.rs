//! From what a newsroom has to the log, once: a key makes an article, and what comes again under the key with another text
//! is a revision or is told, never a second article and never a step back.

use article::ArticleId;
use jiff::Timestamp;
use publisher::token::sha256_hex;
use serde_json::{Value, json};

use crate::client::{Answer, Client, Refused, is_stale};

/// How often a revision that meets another one is tried again, on what is current then.
const RACES: usize = 5;

/// What the log keeps of one article.
const KEPT_REVISIONS: usize = 16;

/// An article to be published, and the key under which that happens once.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) document: Value,
    pub(crate) key: String,
}

/// How an article comes in, and whose words it may replace: a newer page replaces an older one, but not the words of an
/// editor who has revised the article since.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    pub(crate) channel: &'static str,
    pub(crate) replaces: &'static [&'static str],
    /// Whether every version bears a date of its own: that of the first is when the article was published.
    redated: bool,
}

const PAGES: &[&str] = &["cli-import", "watch-page"];

/// Pages given to `newswire import`.
pub(crate) const IMPORT: Way = Way { channel: "cli-import", replaces: PAGES, redated: false };
/// Pages put into a watched folder.
pub(crate) const WATCHED_PAGE: Way = Way { channel: "watch-page", replaces: PAGES, redated: false };
/// Our own JSON in a watched folder.
pub(crate) const WATCHED_JSON: Way = Way { channel: "watch-json", replaces: &["watch-json"], redated: false };
/// ninjs in a watched folder.
pub(crate) const WATCHED_NINJS: Way = Way { channel: "watch-ninjs", replaces: &["watch-ninjs"], redated: true };

/// What kind of revision a text becomes that was published before with other words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Revise {
    /// Readers see the new text; nobody is told
    Minor,
    /// Readers see the new text as an update
    Major,
}

/// What became of an item.
pub(crate) enum Settled {
    /// Published now, or found published in these very words.
    Published(Answer),
    Revised(Answer),
    /// Published before with other words, which stay: why, and what to do.
    Kept {
        id: ArticleId,
        revision: u32,
        why: String,
    },
    Refused(Refused),
}

/// Publishes `item`, or with `revise` replaces what was published under its key.
///
/// # Errors
/// When the publisher could not be asked; [`crate::client::verdict`] tells whether that passes.
pub(crate) async fn submit(client: &Client, item: &Item, way: Way, revise: Option<Revise>) -> anyhow::Result<Settled> {
    let refused = match client.create(item.document.to_string().into_bytes(), &item.key, way.channel).await {
        Ok(answer) => return Ok(Settled::Published(answer)),
        Err(error) => error.downcast::<Refused>()?,
    };
    let (Some(id), Some(revision)) = (refused.article, refused.current_revision) else { return passing(refused) };
    match revise {
        None => Ok(Settled::Kept { id, revision, why: advice(&id, revision) }),
        Some(kind) => {
            let kind = match kind {
                Revise::Minor => "minor",
                Revise::Major => "major",
            };
            let mut document = item.document.clone();
            document["change"] = json!({ "kind": kind });
            if way.redated
                && let Some(fields) = document.as_object_mut()
            {
                fields.remove("published");
            }
            replace(client, &id, &document, way, Whom::OurOwn).await
        }
    }
}

/// What the newsroom can do when nothing was replaced.
pub(crate) fn advice(id: &ArticleId, revision: u32) -> String {
    format!(
        "this page was published before, with other content: {id}, now at revision {revision}. To publish the new text, \
         save the `draft` that --json prints as DRAFT.json and run: newswire revise {} DRAFT.json --kind minor",
        id.token()
    )
}

/// Whose words a new text may replace.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whom {
    /// Those that came in the same way.
    OurOwn,
    /// Whoever's: somebody has asked for it.
    Anybody,
}

/// Makes `document`, which says what kind of change it is, the next revision, whichever is current; but never a second
/// time, so that a repetition does not take back what was written since.
pub(crate) async fn replace(
    client: &Client,
    id: &ArticleId,
    document: &Value,
    way: Way,
    whom: Whom,
) -> anyhow::Result<Settled> {
    let body = document.to_string().into_bytes();
    let hash = sha256_hex(&body);
    for _ in 0..RACES {
        let current = match client.read(id).await {
            Ok(current) => current,
            Err(error) => return passing(error.downcast::<Refused>()?),
        };
        let revision = current.revision()?;
        if hash_of(&current.article) == Some(&hash) {
            return Ok(Settled::Published(Answer { replayed: true, ..current }));
        }
        let kept = |why: String| Settled::Kept { id: *id, revision, why };
        let channel = current.article.pointer("/provenance/channel").and_then(Value::as_str).unwrap_or_default();
        if whom == Whom::OurOwn && !way.replaces.contains(&channel) {
            return Ok(kept(format!(
                "{id} was revised in another way since (revision {revision} came in by {channel:?}); its words stay. \
                 Compare them with: newswire show {0}, and put yours in with: newswire revise {0} DRAFT.json",
                id.token()
            )));
        }
        if changed_at(&current.article) > changed_at(document) {
            return Ok(kept(format!(
                "a newer version of it is out already: {id}, revision {revision}; nothing was changed"
            )));
        }
        if let Some(earlier) = made_before(client, id, revision, &body, way).await? {
            return Ok(kept(format!(
                "{id} had these words in revision {earlier}, and has others in revision {revision}; nothing was \
                 changed. To go back to these: newswire revise {} DRAFT.json",
                id.token()
            )));
        }
        match client.revise(id, revision, body.clone(), way.channel).await {
            Ok(answer) => return Ok(Settled::Revised(answer)),
            Err(error) if is_stale(&error) => {}
            Err(error) => return passing(error.downcast::<Refused>()?),
        }
    }
    anyhow::bail!("{id} was revised {RACES} times by others while it was to be revised here; try again")
}

/// The revision that this very request made earlier, if the log still has it: asked by repeating it, which the publisher
/// recognises. None of these bases is current, so nothing can change.
async fn made_before(
    client: &Client,
    id: &ArticleId,
    current: u32,
    body: &[u8],
    way: Way,
) -> anyhow::Result<Option<u64>> {
    for base in (1..current).rev().take(KEPT_REVISIONS) {
        match client.revise(id, base, body.to_vec(), way.channel).await {
            Ok(answer) => return Ok(answer.article["revision"].as_u64()),
            Err(error) if is_stale(&error) => {}
            // A refusal of the document itself is told by the request that would change something.
            Err(error) if crate::client::verdict(&error) == crate::client::Verdict::Final => break,
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Where an article keeps when its source last changed it: files come in any order.
const CHANGED_AT: &str = "newswire.watch";

/// Notes in `document` when its source last changed it.
pub(crate) fn note_change(document: &mut Value, at: Timestamp) {
    document["ext"][CHANGED_AT] = json!({ "changed_at": at });
}

fn changed_at(article: &Value) -> Option<Timestamp> {
    article["ext"][CHANGED_AT]["changed_at"].as_str()?.parse().ok()
}

/// The hash of the request that gave the article its words.
pub(crate) fn hash_of(article: &Value) -> Option<&str> {
    article.pointer("/provenance/raw_sha256").and_then(Value::as_str)
}

/// A refusal that is about the item is its outcome; every other one is about the run.
pub(crate) fn passing(refused: Refused) -> anyhow::Result<Settled> {
    let error = anyhow::Error::from(refused);
    match crate::client::verdict(&error) {
        crate::client::Verdict::Final => Ok(Settled::Refused(error.downcast::<Refused>()?)),
        _ => Err(error),
    }
}
