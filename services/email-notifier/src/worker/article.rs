//! The mails of a window about one article, as it is now.

use article::Article;
use article::wire::v1::Envelope;
use mail::{MessageId, Notice, Personal, Topic, Why};
use subscription::{Atom, Features};
use topology::{ARTICLES, subjects};

use super::{Aside, Prepared, WRITE_AGAIN, Worker};
use crate::ledger::{Ledger, State};
use crate::plan::{Chunk, plan_key};
use crate::readers::Reader;
use crate::standing::{Standing, standing};

/// What the mails of a window are about.
struct About<'a> {
    article: &'a Article,
    features: Features,
    names: Vec<(Atom, Topic)>,
}

impl Worker {
    /// The mails of a window, or how its chunk stands if nothing of it is to be sent now.
    ///
    /// The article is read now, not when it was planned: what was withdrawn since must not go out. And it is read after
    /// the intent is durable: whoever asks who has which revision sees it, or we see theirs (`recipients`).
    pub(super) async fn of_article(
        &self,
        chunk: &Chunk,
        window: &[usize],
        ledger: &mut Ledger,
    ) -> Result<Result<Vec<Prepared>, Standing>, Aside> {
        let article = self.article(chunk).await?;
        match standing(&article, chunk, service_kit::now()) {
            Standing::Send => {}
            other => return Ok(Err(other)),
        }
        ledger.sends(article.revision);
        Ok(Ok(self.prepare(chunk, &article, window, ledger)))
    }

    /// The newest revision; waits for the server, as [`Worker::write`] does.
    pub(super) async fn article(&self, chunk: &Chunk) -> Result<Article, Aside> {
        let subject = subjects::article(&chunk.publisher, &chunk.article);
        let stored = loop {
            match self.bus.last(&ARTICLES, &subject).await {
                Ok(stored) => break stored,
                Err(error) => {
                    tracing::warn!(plan = chunk.plan, chunk = chunk.chunk, %error, "the article cannot be read; trying on");
                    tokio::time::sleep(WRITE_AGAIN).await;
                }
            }
        };
        let stored = stored.ok_or_else(|| Aside::Broken(format!("{subject} is gone")))?;
        let envelope = Envelope::from_bytes(&stored.payload)
            .map_err(|error| Aside::Broken(format!("{subject} is not an article event: {error}")))?;
        Ok(envelope.data)
    }

    /// The mails of a window; whoever has left or paused since, or whose mailbox takes none, is suppressed.
    fn prepare(&self, chunk: &Chunk, article: &Article, window: &[usize], ledger: &mut Ledger) -> Vec<Prepared> {
        let mut prepared = Vec::with_capacity(window.len());
        let now = service_kit::now();
        let about = About { article, features: Features::of(article), names: Topic::named_by(article) };
        let notice = chunk.kind.notice(chunk.revision).is_some();
        for &recipient in window {
            match self.reader(&chunk.recipients[recipient], notice, now) {
                Ok(reader) => prepared.push(self.compose(chunk, &about, recipient, reader)),
                Err(why) => ledger.set(recipient, State::Suppressed(why)),
            }
        }
        prepared
    }

    fn compose(&self, chunk: &Chunk, about: &About<'_>, recipient: usize, reader: Reader) -> Prepared {
        let About { article, features, names } = about;
        let id = reader.id.to_string();
        let site = self.issues.site();
        let notice = chunk.kind.notice(chunk.revision);
        let why = match notice {
            Some(Notice::Update { .. }) => {
                let story = Topic::Story(Some(article.headline.clone()));
                Why::new(site, reader.locale, &story)
            }
            Some(_) => Why::sent(site, reader.locale),
            None => {
                // A section that was renamed since: they get it for what they asked, whatever it is called now.
                let asked = reader.why(features);
                let topic = asked.map_or(Topic::Unnamed, |asked| self.catalogue.topic_for_owner(asked, names));
                Why::new(site, reader.locale, &topic)
            }
        };
        let about =
            notice.map(|_| MessageId::derive(&self.keys.mail, &plan_key(&chunk.article), &id, site.mail_domain()));
        let issue = self.issues.get(article, notice, reader.locale);
        let envelope = self.envelope(&chunk.plan, chunk.planned_at, &reader);
        let message = issue.splice(&Personal {
            to: &reader.address,
            message_id: &envelope.message_id,
            about: about.as_ref(),
            date: chunk.planned_at,
            unsubscribe: &envelope.unsubscribe,
            unsubscribe_mailto: envelope.leave.as_ref(),
            manage: &envelope.manage,
            why: &why,
        });
        Prepared { recipient, to: reader.address, from: envelope.from, message }
    }
}
