//! Works off one chunk of a plan: window by window, the intent durable before the first byte, the outcome after.

use std::sync::Arc;
use std::time::Duration;

use article::Article;
use article::wire::v1::Envelope;
use bus::{Bus, Delivery, Disposition, HeaderMap, PublishError};
use mail::{Address, Message, MessageId, Outgoing, Personal, Topic, Why, return_path};
use subscription::{Atom, Features};
use tokio_util::sync::CancellationToken;
use topology::{ARTICLES, JOBS, LEDGER, RETRIES, subjects};
use url::Url;
use uuid::Uuid;

use crate::catalogue::Catalogue;
use crate::issues::Issues;
use crate::ledger::{Ledger, State, Why as Reason};
use crate::links::{Keys, unsubscribe_link};
use crate::outcomes::note_all;
use crate::plan::{Chunk, RetryCall, plan_key};
use crate::pool::{Pool, Window};
use crate::readers::{Reader, Readers};
use crate::standing::{Standing, standing};

#[derive(Clone)]
pub(crate) struct Worker {
    pub bus: Bus,
    pub readers: Arc<Readers>,
    pub issues: Arc<Issues>,
    pub catalogue: Arc<Catalogue>,
    pub pool: Arc<Pool>,
    pub keys: Keys,
    pub public_url: Url,
    /// Ends a pass between two windows.
    pub shutdown: CancellationToken,
}

/// How long an intent of somebody else's must stand still before its window is taken for lost. Whoever writes sooner is
/// alive.
const STEAL_AFTER: Duration = Duration::from_secs(3);

/// Between two tries of what must not be given up.
const WRITE_AGAIN: Duration = Duration::from_secs(1);

/// Why a chunk is put aside; its record says how far it is.
#[derive(Debug)]
pub(crate) enum Aside {
    /// Something passing; try again after this long.
    Later(Duration, String),
    /// Another worker has written the record: it is theirs.
    Overtaken,
    /// It can never be worked off.
    Broken(String),
}

/// The record of a chunk, and the sequence that fences it.
struct Record {
    ledger: Ledger,
    sequence: u64,
}

/// What the mails of a window are about.
struct About<'a> {
    article: &'a Article,
    features: Features,
    names: Vec<(Atom, Topic)>,
}

/// One mail of a window.
struct Prepared {
    recipient: usize,
    to: Address,
    from: Address,
    message: Message,
}

impl Worker {
    /// A chunk of a lane.
    pub(crate) async fn handle_chunk(&self, delivery: &Delivery) -> Disposition {
        let chunk: Chunk = match serde_json::from_slice(&delivery.payload) {
            Ok(chunk) => chunk,
            Err(error) => return Disposition::Discard(format!("not a chunk: {error}")),
        };
        self.settle(&chunk, self.first_pass(&chunk).await)
    }

    /// The wake-up call of a chunk's deferred recipients.
    pub(crate) async fn handle_retry(&self, delivery: &Delivery) -> Disposition {
        let call: RetryCall = match serde_json::from_slice(&delivery.payload) {
            Ok(call) => call,
            Err(error) => return Disposition::Discard(format!("not a retry: {error}")),
        };
        let subject = subjects::chunk(call.lane.as_str(), &call.plan, call.chunk);
        let stored = match self.bus.last(&JOBS, &subject).await {
            Ok(Some(stored)) => stored,
            Ok(None) => return Disposition::Discard(format!("{subject} is gone")),
            Err(error) => return retry_after(1, &error.to_string()),
        };
        let chunk: Chunk = match serde_json::from_slice(&stored.payload) {
            Ok(chunk) => chunk,
            Err(error) => return Disposition::Discard(format!("{subject} is not a chunk: {error}")),
        };
        self.settle(&chunk, self.retry_pass(&chunk, call.attempt).await)
    }

    fn settle(&self, chunk: &Chunk, result: Result<(), Aside>) -> Disposition {
        match result {
            Ok(()) => Disposition::Done,
            Err(Aside::Overtaken) => {
                tracing::info!(plan = chunk.plan, chunk = chunk.chunk, "another worker has this chunk");
                // It may be a zombie of before a crash: look again after its deliveries have run out.
                Disposition::Retry(Duration::from_secs(15))
            }
            Err(Aside::Later(after, cause)) => {
                tracing::warn!(plan = chunk.plan, chunk = chunk.chunk, cause, "sending later");
                Disposition::Retry(after)
            }
            Err(Aside::Broken(reason)) => Disposition::Discard(reason),
        }
    }

    pub(crate) async fn first_pass(&self, chunk: &Chunk) -> Result<(), Aside> {
        let mut record = self.begin(chunk).await?;
        if record.ledger.retry.is_none() {
            record.ledger.recover();
            self.send_all(chunk, &mut record).await?;
        }
        // A redelivery after the last write finds everything done but, perhaps, the wake-up call.
        self.schedule(chunk, &record.ledger).await
    }

    async fn retry_pass(&self, chunk: &Chunk, attempt: u32) -> Result<(), Aside> {
        let mut record = self.begin(chunk).await?;
        record.ledger.recover();
        let resumes = record.ledger.retry.is_some_and(|retry| retry.attempt == attempt);
        if resumes && record.ledger.begin_retry(attempt) {
            self.send_all(chunk, &mut record).await?;
        }
        self.schedule(chunk, &record.ledger).await
    }

    /// The record to go on from, once nobody else is at work on it and everybody who left is known to have left.
    async fn begin(&self, chunk: &Chunk) -> Result<Record, Aside> {
        // A replica whose index is behind the log would take those it has not seen for unsubscribed, for good.
        self.readers.catch_up(&self.bus).await.map_err(later)?;
        let record = self.load(chunk).await?;
        if record.ledger.count(State::Submitting) == 0 {
            return Ok(record);
        }
        // An intent without an outcome: its writer is dead, or in the middle of its window.
        tokio::time::sleep(STEAL_AFTER).await;
        let again = self.load(chunk).await?;
        if again.sequence == record.sequence { Ok(again) } else { Err(Aside::Overtaken) }
    }

    async fn load(&self, chunk: &Chunk) -> Result<Record, Aside> {
        let stored = self.bus.last(&LEDGER, &subjects::ledger(&chunk.plan, chunk.chunk)).await.map_err(later)?;
        let (mut ledger, sequence) = match stored {
            None => (Ledger::new(chunk.recipients.len()), 0),
            Some(stored) => {
                let ledger = Ledger::read(&stored.payload)
                    .map_err(|error| Aside::Broken(format!("the record of the chunk does not read: {error}")))?;
                (ledger, stored.sequence)
            }
        };
        if ledger.states().len() != chunk.recipients.len() {
            return Err(Aside::Broken("the record has another number of recipients than its chunk".into()));
        }
        ledger.writer = Uuid::new_v4();
        Ok(Record { ledger, sequence })
    }

    /// Writes the record, however long the server is away: what it says of a window that was sent is known nowhere else.
    async fn write(&self, chunk: &Chunk, record: &mut Record) -> Result<(), Aside> {
        let subject = subjects::ledger(&chunk.plan, chunk.chunk);
        let payload = serde_json::to_vec(&record.ledger).expect("a record has string keys only");
        // The same write retried has the same id, another worker's has not.
        let message_id = format!("{}/{}", record.ledger.writer, record.sequence);
        let expected = Some(record.sequence);
        loop {
            let payload = payload.clone().into();
            match self.bus.publish(&LEDGER, &subject, &message_id, HeaderMap::new(), payload, expected).await {
                Ok(published) => {
                    record.sequence = published.sequence;
                    return Ok(());
                }
                Err(PublishError::Conflict { .. }) => return Err(Aside::Overtaken),
                Err(error) => {
                    tracing::warn!(plan = chunk.plan, chunk = chunk.chunk, %error, "the ledger cannot be written; trying on");
                    tokio::time::sleep(WRITE_AGAIN).await;
                }
            }
        }
    }

    /// Sends to everybody who is planned. On return nobody is, and the record says what is due next.
    async fn send_all(&self, chunk: &Chunk, record: &mut Record) -> Result<(), Aside> {
        record.ledger.sends(chunk.revision);
        loop {
            let window = record.ledger.next_window();
            if window.is_empty() {
                break;
            }
            if self.shutdown.is_cancelled() {
                self.write(chunk, record).await?;
                return Err(Aside::Later(Duration::ZERO, "stopping".into()));
            }
            window.iter().for_each(|recipient| record.ledger.set(*recipient, State::Submitting));
            self.write(chunk, record).await?;
            // Read now, not when it was planned: what was withdrawn since must not go out. And read after the intent
            // is durable: whoever asks who has which revision sees it, or we see theirs (`recipients`).
            let article = self.article(chunk).await?;
            match standing(&article, chunk, service_kit::now()) {
                Standing::Send => {}
                Standing::End(end) => {
                    record.ledger.end_open(end);
                    break;
                }
                Standing::Wait => {
                    record.ledger.pause(service_kit::now());
                    return self.write(chunk, record).await;
                }
            }
            record.ledger.sends(article.revision);
            let prepared = self.prepare(chunk, &article, &window, &mut record.ledger);
            if !prepared.is_empty() {
                self.submit(chunk, record, &prepared).await?;
            }
        }
        record.ledger.plan_retry(service_kit::now());
        self.write(chunk, record).await?;
        let count = |state| record.ledger.count(state);
        tracing::info!(
            plan = chunk.plan,
            chunk = chunk.chunk,
            accepted = count(State::Accepted),
            deferred = count(State::Deferred) + count(State::Uncertain),
            failed = count(State::Failed),
            suppressed = record.ledger.suppressed(),
            expired = count(State::Expired),
            resent_uncertain = record.ledger.resent_uncertain,
            "chunk sent"
        );
        Ok(())
    }

    /// The newest revision; waits for the server, as [`Worker::write`] does.
    async fn article(&self, chunk: &Chunk) -> Result<Article, Aside> {
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

    /// The mails of a window; whoever has left since, or whose mailbox takes none, is suppressed.
    fn prepare(&self, chunk: &Chunk, article: &Article, window: &[usize], ledger: &mut Ledger) -> Vec<Prepared> {
        let mut prepared = Vec::with_capacity(window.len());
        let now = service_kit::now();
        let about = About { article, features: Features::of(article), names: Topic::named_by(article) };
        for &recipient in window {
            let reader = self.readers.get(&chunk.recipients[recipient]);
            match (reader.as_ref().and_then(|reader| reader.stopped(now)), reader) {
                (Some(stop), _) => ledger.set(recipient, State::Suppressed(stop.into())),
                (None, Some(reader)) => prepared.push(self.compose(chunk, &about, recipient, reader)),
                (None, None) => ledger.set(recipient, State::Suppressed(Reason::Left)),
            }
        }
        prepared
    }

    fn compose(&self, chunk: &Chunk, about: &About<'_>, recipient: usize, reader: Reader) -> Prepared {
        let About { article, features, names } = about;
        let id = reader.id.to_string();
        let site = self.issues.site();
        let named = |plan: &str| MessageId::derive(&self.keys.mail, plan, &id, site.mail_domain());
        let message_id = named(&chunk.plan);
        let notice = chunk.kind.notice(chunk.revision);
        let why = match notice {
            Some(_) => Why::sent(site, reader.locale),
            None => {
                // A section that was renamed since: they get it for what they asked, whatever it is called now.
                let asked = reader.why(features);
                let topic = asked.map_or(Topic::Unnamed, |asked| self.catalogue.topic_for_owner(asked, names));
                Why::new(site, reader.locale, &topic)
            }
        };
        let about = notice.map(|_| named(&plan_key(&chunk.article)));
        let unsubscribe = unsubscribe_link(&self.public_url, &self.keys.unsubscribe_token(reader.id));
        let message = self.issues.get(article, notice, reader.locale).splice(&Personal {
            to: &reader.address,
            message_id: &message_id,
            about: about.as_ref(),
            date: chunk.planned_at,
            unsubscribe: &unsubscribe,
            unsubscribe_mailto: None,
            why: &why,
        });
        let from = return_path(&self.keys.mail, &id, site.mail_domain())
            .expect("a subscriber id is 32 hex digits and the site's domain was checked");
        Prepared { recipient, to: reader.address, from, message }
    }

    async fn submit(&self, chunk: &Chunk, record: &mut Record, prepared: &[Prepared]) -> Result<(), Aside> {
        let window: Vec<Outgoing<'_>> =
            prepared.iter().map(|mail| Outgoing { from: &mail.from, to: &mail.to, message: &mail.message }).collect();
        let window = Window { lane: chunk.lane, mails: &window };
        let broken = match self.pool.send(&window).await {
            Ok(sent) => note_all(&mut record.ledger, prepared.iter().map(|mail| (mail.recipient, &mail.to)), sent),
            Err(error) => {
                prepared.iter().for_each(|mail| record.ledger.set(mail.recipient, State::Planned));
                Some(error.to_string())
            }
        };
        match broken {
            None => Ok(()),
            // Written now, or these recipients would count as uncertain when the chunk comes again.
            Some(cause) => {
                self.write(chunk, record).await?;
                Err(Aside::Later(Duration::from_secs(5), cause))
            }
        }
    }

    /// Puts the wake-up call of the next attempt on the server's schedule. Doing it twice is doing it once.
    async fn schedule(&self, chunk: &Chunk, ledger: &Ledger) -> Result<(), Aside> {
        let Some(retry) = ledger.retry else { return Ok(()) };
        let call = RetryCall { plan: chunk.plan.clone(), lane: chunk.lane, chunk: chunk.chunk, attempt: retry.attempt };
        let subject = subjects::retry_later(chunk.lane.retries(), &chunk.plan, chunk.chunk, retry.attempt);
        let mut headers = HeaderMap::new();
        // The server takes whole seconds.
        headers.insert("Nats-Schedule", format!("@at {}", retry.at.strftime("%Y-%m-%dT%H:%M:%SZ")));
        headers.insert(
            "Nats-Schedule-Target",
            subjects::retry_due(chunk.lane.retries(), &chunk.plan, chunk.chunk, retry.attempt),
        );
        let payload = serde_json::to_vec(&call).expect("a call has string keys only");
        match self.bus.publish(&RETRIES, &subject, &subject, headers, payload.into(), None).await {
            Ok(_) => Ok(()),
            Err(error) => Err(later(error)),
        }
    }
}

fn later(error: impl std::fmt::Display) -> Aside {
    Aside::Later(Duration::from_secs(1), error.to_string())
}

fn retry_after(seconds: u64, cause: &str) -> Disposition {
    tracing::warn!(cause, "retrying later");
    Disposition::Retry(Duration::from_secs(seconds))
}
