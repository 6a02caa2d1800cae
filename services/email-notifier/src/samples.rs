//! What a mail looks like before any reader has one: made for the operator as it would be made for a reader, and sent to
//! an address of the operator's choice through the relay that is configured.
//!
//! Nothing is planned or noted: a sample is of no plan, its links are of a subscriber whom nobody is, and its return
//! path is nobody's either.

use std::sync::Arc;

use article::wire::v1::Envelope;
use article::{Article, ArticleId, Change, ChangeKind, Correction};
use bus::Bus;
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use mail::{
    Address, DigestContent, DigestItem, Issue, Locale, Message, MessageId, Outcome, Outgoing, Personal, Site, Topic,
    Why, compile_alert, compile_digest, compile_notice, return_path,
};
use serde::{Deserialize, Serialize};
use topology::{ARTICLES, subjects};
use url::Url;

use crate::confirmations::Confirmations;
use crate::links::{Keys, PREFERENCES_IN_MAIL, page_link, unsubscribe_link};
use crate::outcomes::without_address;
pub use crate::plan::Kind;
use crate::pool::Pool;
use crate::store::Store;
use crate::subscriber::SubscriberId;
use crate::subscribers::Answer;

/// Articles in one digest, as many as a real one has.
pub const MAX_ARTICLES: usize = 50;

/// What the operator asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename = "sample")]
pub struct Question {
    /// One, but for a digest.
    pub articles: Vec<ArticleId>,
    pub kind: Kind,
    /// What a notice says, in place of what the newsroom said.
    pub note: Option<String>,
    /// BCP 47; of the words around the articles.
    pub language: String,
    /// Where it is sent; `None`: it is only shown.
    pub to: Option<String>,
}

/// The mail, and what the relay said to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    pub mail: String,
    /// `None`: it was not sent.
    pub relay: Option<String>,
}

/// Makes samples.
#[derive(Clone)]
pub(crate) struct Samples {
    bus: Bus,
    store: Store,
    pool: Arc<Pool>,
    keys: Keys,
    site: Site,
    public_url: Url,
    /// Of the times in a digest.
    zone: TimeZone,
}

impl Samples {
    /// From the same parts as the mails that readers get at once.
    pub(crate) fn of(bus: Bus, confirmations: &Confirmations) -> Self {
        let Confirmations { store, pool, keys, site, public_url, .. } = confirmations.clone();
        let zone = TimeZone::get(store.zone()).unwrap_or(TimeZone::UTC);
        Self { bus, store, pool, keys, site, public_url, zone }
    }

    /// `None`: it is another question.
    pub(crate) fn answer(&self, question: &[u8]) -> Option<BoxFuture<'_, Bytes>> {
        let asked: Question = serde_json::from_slice(question).ok()?;
        let answer = async move {
            let answer = self.sample(&asked).await;
            serde_json::to_vec(&answer).expect("an answer has string keys only").into()
        };
        Some(answer.boxed())
    }

    async fn sample(&self, asked: &Question) -> Answer<Sample> {
        let now = service_kit::now();
        if asked.articles.is_empty() || asked.articles.len() > MAX_ARTICLES {
            return Err(format!("a mail is about 1 to {MAX_ARTICLES} articles"));
        }
        let mut articles = Vec::with_capacity(asked.articles.len());
        for id in &asked.articles {
            articles.push(self.article(id).await?);
        }
        let to: Option<Address> = match &asked.to {
            Some(to) => Some(to.parse().map_err(|problem: mail::InvalidAddress| problem.to_string())?),
            None => None,
        };
        let locale = Locale::for_tag(&asked.language);
        let (issue, topic) = compiled(&articles, asked, &self.site, &self.zone, now)?;
        let nobody = SubscriberId::random();
        match to {
            None => {
                let message = self.spliced(&issue, self.site.from(), nobody, locale, &topic, now);
                Ok(Sample { mail: message.as_str().to_owned(), relay: None })
            }
            Some(to) => {
                let message = self.spliced(&issue.for_trial(), &to, nobody, locale, &topic, now);
                let relay = self.send(&to, &message, nobody).await?;
                tracing::info!(to = to.masked(), "a sample of a mail was sent, as the operator asked");
                Ok(Sample { mail: message.as_str().to_owned(), relay: Some(relay) })
            }
        }
    }

    async fn article(&self, id: &ArticleId) -> Answer<Article> {
        let stored = self.bus.last(&ARTICLES, &subjects::article_of_anybody(id)).await;
        let stored = stored.map_err(|error| format!("{error}; ask again"))?;
        let stored = stored.ok_or_else(|| format!("there is no article {}, or it is not public yet", id.token()))?;
        let envelope = Envelope::from_bytes(&stored.payload).map_err(|error| format!("it does not read: {error}"))?;
        Ok(envelope.data)
    }

    fn spliced(
        &self,
        issue: &Issue,
        to: &Address,
        nobody: SubscriberId,
        locale: Locale,
        topic: &Topic,
        now: Timestamp,
    ) -> Message {
        let preferences = self.keys.preferences_token(nobody, now + PREFERENCES_IN_MAIL);
        issue.splice(&Personal {
            to,
            message_id: &MessageId::derive(&self.keys.mail, "sample", &nobody.to_string(), self.site.mail_domain()),
            about: None,
            date: now,
            unsubscribe: &unsubscribe_link(&self.public_url, &self.keys.unsubscribe_token(nobody)),
            unsubscribe_mailto: None,
            manage: &page_link(&self.public_url, "preferences", &preferences),
            why: &Why::new(&self.site, locale, topic),
        })
    }

    /// The relay's answer, whether or not it took the mail.
    async fn send(&self, to: &Address, message: &Message, nobody: SubscriberId) -> Answer<String> {
        let suppressed = self.store.suppressed(to).await.map_err(|error| format!("{error}; ask again"))?;
        if let Some(why) = suppressed {
            return Err(format!("this address is never written to again: {why}"));
        }
        let permit = self.pool.try_permit().map_err(|until| {
            format!("the relay is in trouble and is tried again at {}", until.strftime("%H:%M:%S UTC"))
        })?;
        let from = return_path(&self.keys.mail, &nobody.to_string(), self.site.mail_domain())
            .expect("a subscriber id is 32 hex digits and the site's domain was checked");
        let said = |words: &dyn std::fmt::Display| without_address(&words.to_string(), to);
        match self.pool.send_one(permit, Outgoing { from: &from, to, message }).await? {
            Outcome::Accepted(reply) => Ok(said(&reply)),
            Outcome::Failed(reply) | Outcome::Deferred(reply) => Err(format!("the relay refused it: {}", said(&reply))),
            Outcome::Unsent(broken) | Outcome::Unknown(broken) => Err(said(&broken)),
        }
    }
}

/// The mail, and what its reader has asked for.
fn compiled(
    articles: &[Article],
    asked: &Question,
    site: &Site,
    zone: &TimeZone,
    now: Timestamp,
) -> Answer<(Issue, Topic)> {
    let locale = Locale::for_tag(&asked.language);
    let gone = articles.iter().find(|article| !article.is_readable(now));
    if let (Some(article), Kind::Alert | Kind::Update | Kind::Digest) = (gone, asked.kind) {
        return Err(format!("{} is not readable: nobody is mailed its text any more", article.id.token()));
    }
    if asked.kind == Kind::Digest {
        let items = articles.iter().map(|article| DigestItem::of(article, site)).collect();
        let more_link = site.feed_page(None);
        let content = DigestContent { due: now, zone: zone.clone(), items, more: 0, more_link };
        return Ok((compile_digest(&content, site, locale), Topic::Everything));
    }
    let [article] = articles else { return Err("only a digest is about several articles".into()) };
    let topic = match asked.kind {
        Kind::Update => Topic::Story(Some(article.headline.clone())),
        _ => Topic::Everything,
    };
    let article = told(article, asked.kind, asked.note.as_deref(), now)?;
    let issue = match asked.kind.notice(newest_correction(&article)) {
        None => compile_alert(&article, site, locale),
        Some(notice) => compile_notice(&article, notice, site, locale),
    };
    Ok((issue, topic))
}

/// A notice of a correction tells of that correction alone.
fn newest_correction(article: &Article) -> u32 {
    article.corrections.last().map_or(article.revision, |correction| correction.revision)
}

/// The article as it would be once `kind` had happened to it.
fn told(article: &Article, kind: Kind, note: Option<&str>, now: Timestamp) -> Answer<Article> {
    let mut article = article.clone();
    let change = match kind {
        Kind::Alert | Kind::Digest => return Ok(article),
        Kind::Update => ChangeKind::Major,
        Kind::Correction => ChangeKind::Correction,
        Kind::Withdrawal => ChangeKind::Withdraw,
        Kind::Kill => ChangeKind::Kill,
    };
    match note {
        Some(note) if kind == Kind::Correction => {
            article.revision += 1;
            article.corrections.push(Correction { revision: article.revision, at: now, note: note.to_owned() });
        }
        Some(note) => article.change = Change { kind: change, note: Some(note.to_owned()) },
        None if kind == Kind::Update => {}
        None if kind == Kind::Correction && !article.corrections.is_empty() => {}
        None if article.change.kind == change && article.change.note.is_some() => {}
        None => {
            return Err(
                "nothing like that has happened to the article; add --note with what the notice is to say".into()
            );
        }
    }
    Ok(article)
}

#[cfg(test)]
mod tests {
    use article::{Command, Draft, Provenance, PublisherId, apply};
    use serde_json::json;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    fn sample(kind: Kind, note: Option<&str>, count: u8, expires: Option<&str>) -> Answer<String> {
        let publisher: PublisherId = "hefei".parse().unwrap();
        let create = |n: u8| {
            let document = json!({"headline": format!("H{n}"), "body": "B", "language": "en", "expires_at": expires});
            let draft = Box::new(Draft::from_json(&document, now()).unwrap());
            let provenance =
                Provenance { channel: "test".into(), raw_sha256: String::new(), importer: None, warnings: Vec::new() };
            let id = ArticleId::derived(&publisher, "test", &[n]);
            apply(None, Command::Create { id, publisher: publisher.clone(), draft, provenance }, now()).unwrap()
        };
        let articles: Vec<Article> = (0..count).map(create).collect();
        let asked = Question {
            articles: articles.iter().map(|article| article.id).collect(),
            kind,
            note: note.map(str::to_owned),
            language: "en".into(),
            to: None,
        };
        let url: Url = "https://news.example/".parse().unwrap();
        let site = Site::new("N", url.clone(), url, "n@news.example".parse().unwrap(), "news.example").unwrap();
        let later = now() + jiff::SignedDuration::from_hours(2);
        let (issue, topic) = compiled(&articles, &asked, &site, &TimeZone::UTC, later)?;
        let keys = Keys::new(b"secret");
        let id = MessageId::derive(&keys.mail, "sample", "x", "news.example");
        let link = page_link(&"https://news.example/".parse().unwrap(), "x", "y");
        let mail = issue.for_trial().splice(&Personal {
            to: site.from(),
            message_id: &id,
            about: None,
            date: now(),
            unsubscribe: &link,
            unsubscribe_mailto: None,
            manage: &link,
            why: &Why::new(&site, Locale::English, &topic),
        });
        Ok(mail.as_str().to_owned())
    }

    #[test]
    fn every_kind_is_as_it_would_be_and_says_that_it_is_a_test() {
        for (kind, note, count, subject, words) in [
            (Kind::Alert, None, 1, "[Test]\r\n H0", "B"),
            (Kind::Update, Some("More of it."), 1, "[Test]\r\n Updated: H0", "More of it."),
            (Kind::Correction, Some("It was H9."), 1, "[Test]\r\n Correction: H0", "It was H9."),
            (Kind::Withdrawal, Some("Not so."), 1, "[Test]\r\n Withdrawn: H0", "Not so."),
            (Kind::Kill, Some("By order."), 1, "[Test]\r\n Removed: H0", "By order."),
            (Kind::Digest, None, 3, "[Test]\r\n N, Sunday, 22 November 2026: 3 articles", "H2"),
        ] {
            let mail = sample(kind, note, count, None).unwrap();
            assert!(mail.contains(&format!("Subject: {subject}\r\n")), "{kind:?}: {mail}");
            assert!(mail.contains(words), "{kind:?}: {mail}");
        }
    }

    #[test]
    fn what_could_not_be_sent_is_not_shown() {
        for kind in [Kind::Correction, Kind::Withdrawal, Kind::Kill] {
            assert!(sample(kind, None, 1, None).unwrap_err().contains("--note"), "{kind:?}");
        }
        assert!(sample(Kind::Alert, None, 2, None).is_err());
        for kind in [Kind::Alert, Kind::Update, Kind::Digest] {
            let expired = sample(kind, None, 1, Some("2026-11-22T11:00:00Z"));
            assert!(expired.unwrap_err().contains("not readable"), "{kind:?}");
        }
    }

    #[test]
    fn a_question_reads_back_and_none_is_taken_for_another() {
        let text = json!({"ask": "sample", "articles": [], "kind": "kill", "note": null, "language": "zh", "to": null});
        let question: Question = serde_json::from_value(text.clone()).unwrap();
        assert_eq!(serde_json::to_value(&question).unwrap(), text);
        for other in [json!({"ask": "show", "address": "a@example.org"}), json!({"ask": "export", "after": 0})] {
            assert!(serde_json::from_value::<Question>(other).is_err());
        }
    }
}
