//! What a parcel asks for, done at the publisher.

use article::{ArticleId, PublisherId};
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::parcel::{Parcel, Whose};
use crate::article::outcome;
use crate::client::{Answer, Change, Client, Refused};
use crate::import::Mistake;
use crate::intake::{self, Revise, Settled, WATCHED_JSON, Whom, hash_of};

/// How a file ended.
pub(super) enum End {
    /// What is said of it, and the note for programs beside it.
    Done {
        text: String,
        note: Value,
    },
    Failed(Vec<Mistake>),
}

/// The publisher, and who we are there.
pub(super) struct Desk {
    pub(super) client: Client,
    /// What a page or an item becomes that was published before with other words.
    pub(super) revise: Revise,
    publisher: OnceCell<PublisherId>,
}

impl Desk {
    pub(super) fn new(client: Client, revise: Revise) -> Self {
        Self { client, revise, publisher: OnceCell::new() }
    }

    /// # Errors
    /// When the publisher could not be asked, or does not let us; the parcel is as good as before then.
    pub(super) async fn deliver(&self, parcel: &Parcel) -> anyhow::Result<End> {
        let settled = match parcel {
            Parcel::Article { item, way } => {
                let settled = intake::submit(&self.client, item, *way, Some(self.revise)).await?;
                return self.is_current(settled).await;
            }
            Parcel::Revision { whose, base, document } => {
                let id = self.id(whose).await?;
                match base {
                    None => intake::replace(&self.client, &id, document, WATCHED_JSON, Whom::Anybody).await?,
                    Some(base) => {
                        let body = document.to_string().into_bytes();
                        revised(self.client.revise(&id, *base, body, WATCHED_JSON.channel).await)?
                    }
                }
            }
            Parcel::Change { whose, base, kind, note } => {
                let id = self.id(whose).await?;
                let change = Change { kind, note: note.as_deref() };
                revised(self.client.change(&id, &change, *base, WATCHED_JSON.channel).await)?
            }
        };
        Ok(end(settled))
    }

    /// An old text that comes again is no news, and the newsroom may want it back: that is not done in silence.
    async fn is_current(&self, settled: Settled) -> anyhow::Result<End> {
        let Settled::Published(answer) = settled else { return Ok(end(settled)) };
        if !answer.replayed {
            return Ok(end(Settled::Published(answer)));
        }
        let id: ArticleId = serde_json::from_value(answer.article["id"].clone())?;
        let current = self.client.read(&id).await?;
        if hash_of(&current.article) == hash_of(&answer.article) {
            return Ok(end(Settled::Published(Answer { replayed: true, ..current })));
        }
        let why = format!(
            "{id} was published with these words before, in revision {}, and has others in revision {}; nothing was \
             changed. To go back to these words, put in a JSON file with this id, them, and change.kind",
            answer.article["revision"], current.article["revision"]
        );
        Ok(failed("superseded", why))
    }

    async fn id(&self, whose: &Whose) -> anyhow::Result<ArticleId> {
        match whose {
            Whose::Id(id) => Ok(*id),
            Whose::Key(key) => {
                let publisher = self.publisher.get_or_try_init(async || {
                    let token = self.client.get("v1/token").await?.document;
                    anyhow::Ok(token["publisher"].as_str().unwrap_or_default().parse::<PublisherId>()?)
                });
                Ok(ArticleId::derived(publisher.await?, "idempotency-key", key.as_bytes()))
            }
        }
    }
}

fn revised(answer: anyhow::Result<Answer>) -> anyhow::Result<Settled> {
    match answer {
        Ok(answer) if answer.replayed => Ok(Settled::Published(answer)),
        Ok(answer) => Ok(Settled::Revised(answer)),
        Err(error) => intake::passing(error.downcast::<Refused>()?),
    }
}

fn end(settled: Settled) -> End {
    match settled {
        Settled::Published(answer) | Settled::Revised(answer) => {
            let article = &answer.article;
            let note = json!({
                "id": article["id"], "revision": article["revision"], "status": article["status"],
                "unchanged": answer.replayed,
            });
            End::Done { text: outcome(&answer), note }
        }
        Settled::Kept { why, .. } => failed("changed", why),
        Settled::Refused(refused) => failed(refused.word(), refused.to_string()),
    }
}

fn failed(code: &str, text: impl Into<String>) -> End {
    End::Failed(vec![Mistake::other(code, text)])
}
