//! Works off the calls: asks a subscriber whether he meant it, or brings him the version that he should have.
//!
//! A call says only that there may be something to do; the records and the library say what. So calls may be lost,
//! doubled and overtaken. What may come twice is a delivery that was taken and whose end could not be noted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bus::{Delivery, Disposition};
use jiff::{SignedDuration, Timestamp};

use crate::document::Document;
use crate::hub::callback::{Answer, Caller, Told, masked};
use crate::hub::due::{Due, Known, due, unsent, until};
use crate::hub::hosts::Hosts;
use crate::hub::index::host;
use crate::hub::metrics::Counts;
use crate::hub::record::{Asked, Call, Claim, Mode, Progress, SubscriberId, Subscription};
use crate::hub::store::{Store, StoreError, random};
use crate::maker::{Made, Maker};
use crate::site::Site;

/// Longer than a call to a subscriber may take ([`crate::hub::callback::TOTAL`]).
const CLAIM: SignedDuration = SignedDuration::from_secs(15);
/// Until somebody else is done with the subscriber, or a host has room.
const SHORTLY: Duration = Duration::from_millis(400);
/// The longest that a call waits for room at a host before it is looked at again.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// Until a feed can be made again, or the store is there.
const LATER: Duration = Duration::from_secs(2);

pub(crate) struct Worker {
    pub(crate) store: Store,
    pub(crate) site: Site,
    pub(crate) maker: Maker,
    pub(crate) caller: Caller,
    pub(crate) hosts: Hosts,
    /// How far the library has come in the log of articles.
    pub(crate) applied: Arc<AtomicU64>,
    pub(crate) counts: Arc<Counts>,
}

/// What there is to do for a subscriber.
enum Todo {
    /// Ask him; without a document: tell him that there is no such feed.
    Ask(Asked, Option<Arc<Document>>),
    Tell,
    Nothing,
    Later(Duration),
}

/// A subscriber that nobody else calls at this time.
struct Claimed<'a> {
    id: &'a SubscriberId,
    record: &'a Subscription,
    progress: Progress,
    sequence: u64,
}

impl Worker {
    pub(crate) async fn handle(&self, delivery: &Delivery) -> Disposition {
        let Some(id) = SubscriberId::of_subject(&delivery.subject) else {
            return Disposition::Discard("its subject names no subscriber".into());
        };
        let call = match serde_json::from_slice::<Call>(&delivery.payload) {
            Ok(call) => call,
            Err(error) => return Disposition::Discard(format!("it is no call: {error}")),
        };
        match self.work(&id, &call, delivery).await {
            Ok(disposition) => disposition,
            Err(error @ StoreError::Unreadable { .. }) => Disposition::Discard(error.to_string()),
            Err(StoreError::Contended) => Disposition::Retry(SHORTLY),
            Err(error) => {
                tracing::warn!(attempt = delivery.attempt, %error, "a WebSub subscriber waits for the store");
                Disposition::Retry(LATER)
            }
        }
    }

    async fn work(&self, id: &SubscriberId, call: &Call, delivery: &Delivery) -> Result<Disposition, StoreError> {
        let now = service_kit::now();
        let (record, _) = self.store.subscription(id).await?;
        let (progress, sequence) = self.store.progress(id).await?;
        let Some(record) = record.filter(|record| record.standing(now).is_some() || record.open(now).is_some()) else {
            self.over(delivery, &progress);
            return Ok(Disposition::Done);
        };
        if progress.claim.as_ref().is_some_and(|claim| claim.until > now) {
            return Ok(Disposition::Retry(SHORTLY));
        }
        // Before the document is taken: it is of this place in the log, or of a later one.
        let applied = self.applied.load(Ordering::Acquire);
        let todo = match self.todo(&record, &progress, call, (delivery.stored_at, applied), now).await {
            Todo::Nothing => return Ok(Disposition::Done),
            Todo::Later(pause) => return Ok(Disposition::Retry(pause)),
            todo => todo,
        };
        let Some(_leave) = self.hosts.enter(&host(&record.callback), matches!(todo, Todo::Ask(..))).await else {
            // What comes again comes before what is new: a thousand that wait for one host must not come all the time.
            let times = u32::try_from(delivery.attempt).unwrap_or(u32::MAX);
            return Ok(Disposition::Retry(SHORTLY.saturating_mul(times).min(LONGEST_WAIT)));
        };
        let now = service_kit::now();
        let Some(claimed) = self.claim(id, &record, progress, sequence, now).await? else {
            return Ok(Disposition::Retry(SHORTLY));
        };
        match todo {
            Todo::Tell => self.tell(claimed, delivery.stored_at).await,
            Todo::Ask(asked, document) => self.ask(claimed, &asked, document.map(|document| (document, applied))).await,
            Todo::Nothing | Todo::Later(_) => Ok(Disposition::Done),
        }
    }

    async fn todo(
        &self,
        record: &Subscription,
        progress: &Progress,
        call: &Call,
        (called_at, applied): (Timestamp, u64),
        now: Timestamp,
    ) -> Todo {
        let document = match self.maker.get(&record.topic.key()).await {
            Made::Document(document) => Some(document),
            Made::Nothing => None,
            Made::Starting | Made::Busy => return Todo::Later(LATER),
        };
        let open = record.open(now);
        if let Some(asked) = open.filter(|asked| asked.not_before.is_none_or(|at| at <= now)) {
            return Todo::Ask(asked.clone(), document);
        }
        let waits = open.and_then(|asked| asked.not_before).map(|at| until(at, now));
        let tell = match document {
            Some(document) if record.standing(now).is_some() => {
                let known = Known { tag: &document.tag, last_modified: document.last_modified, applied };
                match due(progress, call, known, called_at, now) {
                    Due::Now => Todo::Tell,
                    Due::Never => Todo::Nothing,
                    Due::Later(pause) => Todo::Later(pause),
                }
            }
            _ => Todo::Nothing,
        };
        match (tell, waits) {
            (Todo::Nothing, Some(waits)) => Todo::Later(waits),
            (Todo::Later(pause), Some(waits)) => Todo::Later(pause.min(waits)),
            (tell, _) => tell,
        }
    }

    /// `None`: somebody else is at it.
    async fn claim<'a>(
        &self,
        id: &'a SubscriberId,
        record: &'a Subscription,
        mut progress: Progress,
        expected: u64,
        now: Timestamp,
    ) -> Result<Option<Claimed<'a>>, StoreError> {
        let until = now.checked_add(CLAIM).unwrap_or(now);
        progress.claim = Some(Claim { by: random(), until });
        let ends_at = record.ends_at().unwrap_or(now);
        let sequence = self.store.put_progress(id, &progress, ends_at, expected, now).await?;
        progress.claim = None;
        Ok(sequence.map(|sequence| Claimed { id, record, progress, sequence }))
    }

    /// Writes down how it stands and ends the claim.
    async fn settle(&self, claimed: &Claimed<'_>, lease_ends: Timestamp) -> Result<(), StoreError> {
        let Claimed { id, progress, sequence, .. } = claimed;
        let now = service_kit::now();
        match self.store.put_progress(id, progress, lease_ends, *sequence, now).await? {
            Some(_) => Ok(()),
            // The claim had run out, and whoever came then writes what he knows.
            None => Err(StoreError::Contended),
        }
    }

    async fn tell(&self, mut claimed: Claimed<'_>, called_at: Timestamp) -> Result<Disposition, StoreError> {
        let record = claimed.record;
        let topic = record.topic.address(&self.site);
        let ends_at = record.ends_at().unwrap_or(Timestamp::MAX);
        // Only now: what is to be told may have been killed while the host had no room.
        let applied = self.applied.load(Ordering::Acquire);
        let Made::Document(document) = self.maker.get(&record.topic.key()).await else {
            self.settle(&claimed, ends_at).await?;
            return Ok(Disposition::Retry(LATER));
        };
        if claimed.progress.has.as_ref() == Some(&document.tag) {
            self.settle(&claimed, ends_at).await?;
            return Ok(Disposition::Done);
        }
        let changed = claimed.progress.has.as_deref().and_then(|has| document.delta(has));
        let body = changed.unwrap_or_else(|| document.body());
        let secret = record.agreed.as_ref().and_then(|agreed| agreed.secret.as_ref());
        match self.caller.tell(&record.callback, &topic, document.content_type, secret, body).await {
            Told::Taken => {
                self.counts.delivery("taken");
                let took = service_kit::now().duration_since(called_at);
                self.counts.seconds.observe(took.as_secs_f64());
                claimed.progress = Progress::sent(&document.tag, document.last_modified, applied);
                self.settle(&claimed, ends_at).await?;
                Ok(Disposition::Done)
            }
            Told::Gone => {
                self.counts.delivery("gone");
                tracing::info!(callback = masked(&record.callback), %topic, "a WebSub subscriber is gone");
                self.end(claimed.id).await?;
                Ok(Disposition::Done)
            }
            Told::Failed(error) => {
                self.counts.delivery("failed");
                let pause = claimed.progress.failed(error.clone(), service_kit::now());
                let failures = claimed.progress.failures;
                let callback = masked(&record.callback);
                tracing::info!(callback, %topic, failures, error, "a WebSub subscriber does not take a delivery");
                self.settle(&claimed, ends_at).await?;
                Ok(Disposition::Retry(pause.unsigned_abs()))
            }
        }
    }

    /// Nobody subscribes any more. Who was away until his lease ended has to subscribe again: nobody here can help him.
    fn over(&self, delivery: &Delivery, progress: &Progress) {
        let Some(error) = unsent(progress) else { return };
        self.counts.unsent.inc();
        let (subject, failures) = (&delivery.subject, progress.failures);
        tracing::info!(subject, failures, error, "a WebSub subscription ended with something unsent");
    }

    async fn ask(
        &self,
        claimed: Claimed<'_>,
        asked: &Asked,
        shown: Option<(Arc<Document>, u64)>,
    ) -> Result<Disposition, StoreError> {
        let (id, record) = (claimed.id, claimed.record);
        let answer = match (&shown, asked.mode) {
            (None, Mode::Subscribe) => {
                self.counts.question("denied");
                self.caller.deny(&record.callback, &asked.topic, "there is no such feed").await;
                Answer::No("there is no such feed".into())
            }
            _ => {
                let answer = self.caller.ask(&record.callback, asked).await;
                self.counts.question(match &answer {
                    Answer::Yes => "confirmed",
                    Answer::No(_) => "refused",
                    Answer::Silent(_) => "silent",
                });
                answer
            }
        };
        let (callback, topic, mode) = (masked(&record.callback), &record.topic, asked.mode.as_str());
        match answer {
            Answer::Yes => {
                tracing::info!(callback, %topic, mode, "a WebSub subscriber has confirmed");
                self.agree(claimed, asked, shown).await
            }
            Answer::No(reason) => {
                tracing::info!(callback, %topic, mode, reason, "a request to the hub came to nothing");
                self.change(id, |record| record.drop_request(&asked.id)).await?;
                self.resume(claimed).await
            }
            Answer::Silent(reason) => {
                tracing::info!(callback, %topic, mode, reason, "a WebSub subscriber could not be asked");
                let now = service_kit::now();
                self.change(id, |record| {
                    record.failed_to_ask(&asked.id, now);
                })
                .await?;
                self.resume(claimed).await
            }
        }
    }

    /// The subscriber said yes. What he has is noted first: a version that comes while this is written is news to him.
    async fn agree(
        &self,
        mut claimed: Claimed<'_>,
        asked: &Asked,
        shown: Option<(Arc<Document>, u64)>,
    ) -> Result<Disposition, StoreError> {
        let (id, now) = (claimed.id, service_kit::now());
        if asked.mode == Mode::Unsubscribe {
            self.store.forget_progress(id, now).await?;
            self.change(id, |record| record.agree(asked, now)).await?;
            return Ok(Disposition::Retry(Duration::ZERO));
        }
        claimed.progress = match (claimed.record.standing(now), shown) {
            (None, Some((document, applied))) => Progress::sent(&document.tag, document.last_modified, applied),
            // Who renews is there: what he missed, he gets now, and this call may have taken the place of one that said so.
            _ => Progress { failures: 0, error: None, not_before: None, as_of: None, ..claimed.progress },
        };
        let lease_ends = now.checked_add(SignedDuration::from_secs(asked.lease.into())).unwrap_or(Timestamp::MAX);
        self.settle(&claimed, lease_ends).await?;
        self.change(id, |record| record.agree(asked, now)).await?;
        Ok(Disposition::Retry(Duration::ZERO))
    }

    /// Ends the claim, and has looked again whether there is something else to do.
    async fn resume(&self, claimed: Claimed<'_>) -> Result<Disposition, StoreError> {
        self.settle(&claimed, claimed.record.ends_at().unwrap_or(Timestamp::MAX)).await?;
        Ok(Disposition::Retry(Duration::ZERO))
    }

    async fn change(&self, id: &SubscriberId, change: impl Fn(&mut Subscription)) -> Result<(), StoreError> {
        let now = service_kit::now();
        let changed = |record: Option<Subscription>| {
            let mut record = record?;
            change(&mut record);
            (record.agreed.is_some() || record.asked.is_some()).then_some(record)
        };
        self.store.change(id, now, changed).await
    }

    async fn end(&self, id: &SubscriberId) -> Result<(), StoreError> {
        let now = service_kit::now();
        self.store.change(id, now, |_| None).await?;
        self.store.forget_progress(id, now).await
    }
}
