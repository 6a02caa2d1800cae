//! What a request would make of an article, with nothing written and nothing reserved: when the request itself comes,
//! somebody else may have been faster.

use article::{Article, ArticleId, PublisherId};
use bus::RETRY_FOR;
use jiff::Timestamp;

use super::store::Kept;
use super::{Accepted, Change, Desk, Submission};
use crate::refusal::Refusal;

impl Desk {
    /// What [`Desk::create`] would answer. Without a `key` the id is another one then.
    pub(crate) async fn try_create(
        &self,
        submission: &Submission,
        key: Option<&str>,
        now: Timestamp,
    ) -> Result<Article, Refusal> {
        let id = Self::id_for(submission, key, now);
        if key.is_some()
            && let Some(Accepted { article, .. }) = self.earlier(submission, id).await?
        {
            return Ok(article);
        }
        self.first_revision(id, submission, now).await
    }

    /// What [`Desk::revise`] would answer.
    pub(crate) async fn try_revise(
        &self,
        submission: &Submission,
        id: ArticleId,
        base: u32,
        now: Timestamp,
    ) -> Result<Article, Refusal> {
        let current = self.current_for_trial(&submission.publisher, id).await?;
        if current.article.revision != base {
            return Ok(self.already_revised(submission, id, base).await?.article);
        }
        self.next_revision(current.article, submission, now).await
    }

    /// What [`Desk::change`] would answer.
    pub(crate) async fn try_change(
        &self,
        publisher: &PublisherId,
        id: ArticleId,
        change: &Change,
        base: Option<u32>,
        now: Timestamp,
    ) -> Result<Article, Refusal> {
        let current = self.current_for_trial(publisher, id).await?.article;
        match base {
            Some(base) if base != current.revision => {
                Ok(self.already_changed(publisher, id, change, base).await?.article)
            }
            _ => change.apply(&current, now),
        }
    }

    /// What is current; a move that was interrupted is finished, as it would be at any other look.
    async fn current_for_trial(&self, publisher: &PublisherId, id: ArticleId) -> Result<Kept, Refusal> {
        let settled = tokio::time::timeout(RETRY_FOR, self.settled(publisher, id, None)).await;
        settled.unwrap_or(Err(Refusal::Unavailable))
    }
}
