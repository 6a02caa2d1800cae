//! Works off one chunk of a plan: window by window, the intent durable before the first byte, the outcome after.

use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, Delivery, Disposition, HeaderMap};
use jiff::Timestamp;
use mail::{Address, Link, Message, MessageId, Outgoing, return_path};
use tokio_util::sync::CancellationToken;
use topology::{JOBS, RETRIES, subjects};
use url::Url;

use crate::breaker::Permit;
use crate::catalogue::Catalogue;
use crate::control::{Control, Controls, Phase};
use crate::counts::Counts;
use crate::digest::issues::DigestIssues;
use crate::digest::items::Items;
use crate::issues::Issues;
use crate::ledger::{Ledger, State, Why as Reason};
use crate::links::{Keys, PREFERENCES_IN_MAIL, page_link, unsubscribe_link};
use crate::outcomes::Notes;
use crate::plan::RetryCall;
use crate::pool::{NotSent, Pool, Window};
use crate::readers::{Reader, Readers};
use crate::standing::{Standing, digest_standing, standing};
use crate::subscriber::SubscriberId;

mod article;
mod digest;
mod job;
mod record;
pub(crate) use job::Job;
use record::Record;

#[derive(Clone)]
pub(crate) struct Worker {
    pub bus: Bus,
    pub readers: Arc<Readers>,
    pub issues: Arc<Issues>,
    pub catalogue: Arc<Catalogue>,
    pub controls: Arc<Controls>,
    pub items: Arc<Items>,
    pub digests: Arc<DigestIssues>,
    pub pool: Arc<Pool>,
    pub counts: Arc<Counts>,
    pub keys: Keys,
    pub public_url: Url,
    /// Whether mail to us arrives.
    pub by_mail: bool,
    /// Ends a pass between two windows.
    pub shutdown: CancellationToken,
}

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

/// One mail of a window.
pub(crate) struct Prepared {
    pub recipient: usize,
    pub to: Address,
    pub from: Address,
    pub message: Message,
}

/// What every mail of a plan to somebody has.
pub(crate) struct Envelope {
    pub message_id: MessageId,
    pub unsubscribe: Link,
    /// The address to which a mail ends everything, where mail to us arrives.
    pub leave: Option<Address>,
    pub manage: Link,
    pub from: Address,
}

impl Worker {
    /// A chunk of a lane.
    pub(crate) async fn handle_chunk(&self, delivery: &Delivery) -> Disposition {
        let job = match Job::read(&delivery.payload) {
            Ok(job) => job,
            Err(error) => return Disposition::Discard(format!("not a chunk: {error}")),
        };
        self.settle(&job, self.first_pass(&job).await)
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
        let job = match Job::read(&stored.payload) {
            Ok(job) => job,
            Err(error) => return Disposition::Discard(format!("{subject} is not a chunk: {error}")),
        };
        self.settle(&job, self.retry_pass(&job, call.attempt).await)
    }

    fn settle(&self, job: &Job, result: Result<(), Aside>) -> Disposition {
        match result {
            Ok(()) => Disposition::Done,
            Err(Aside::Overtaken) => {
                tracing::info!(plan = job.plan(), chunk = job.chunk(), "another worker has this chunk");
                // It may be a zombie of before a crash: look again after its deliveries have run out.
                Disposition::Retry(Duration::from_secs(15))
            }
            Err(Aside::Later(after, cause)) => {
                tracing::warn!(plan = job.plan(), chunk = job.chunk(), cause, "sending later");
                Disposition::Retry(after)
            }
            Err(Aside::Broken(reason)) => Disposition::Discard(reason),
        }
    }

    pub(crate) async fn first_pass(&self, job: &Job) -> Result<(), Aside> {
        let (mut record, control) = self.begin(job).await?;
        job.recover(&mut record.ledger);
        let ordered = record.ledger.obey(&control);
        if ordered || record.ledger.retry.is_none() {
            self.send_all(job, &mut record).await?;
        }
        // A redelivery after the last write finds everything done but, perhaps, the wake-up call.
        self.schedule(job, &record.ledger).await
    }

    async fn retry_pass(&self, job: &Job, attempt: u32) -> Result<(), Aside> {
        let (mut record, control) = self.begin(job).await?;
        job.recover(&mut record.ledger);
        let due = record.ledger.begin_retry(attempt);
        if record.ledger.obey(&control) || due {
            self.send_all(job, &mut record).await?;
        }
        self.schedule(job, &record.ledger).await
    }

    /// Sends to everybody who is planned. On return nobody is, and the record says what is due next.
    async fn send_all(&self, job: &Job, record: &mut Record) -> Result<(), Aside> {
        record.ledger.sends(job.revision());
        let mut open = self.counts.open(job.lane());
        loop {
            let window = record.ledger.next_window();
            if window.is_empty() {
                break;
            }
            open.are(record.ledger.open());
            let permit = self.permit(job, record).await?;
            if self.shutdown.is_cancelled() {
                self.write(job, record).await?;
                return Err(Aside::Later(Duration::ZERO, "stopping".into()));
            }
            let control = self.controls.of(job.plan());
            if control.state != Phase::Running {
                if self.stops(job, record, &control).await? {
                    return Ok(());
                }
                continue;
            }
            window.iter().for_each(|recipient| record.ledger.set(*recipient, State::Submitting));
            self.write(job, record).await?;
            match self.mails(job, &window, &mut record.ledger).await? {
                Ok(prepared) if prepared.is_empty() => {}
                Ok(prepared) => self.submit(job, record, permit, &prepared).await?,
                Err(Standing::End(end)) => {
                    record.ledger.end_open(end);
                    break;
                }
                Err(Standing::Send | Standing::Wait) => {
                    record.ledger.pause(service_kit::now());
                    return self.write(job, record).await;
                }
            }
        }
        if record.ledger.plan_retry(service_kit::now()).is_some() {
            self.counts.retry(job.lane());
        }
        self.write(job, record).await?;
        let count = |state| record.ledger.count(state);
        tracing::info!(
            plan = job.plan(),
            chunk = job.chunk(),
            accepted = count(State::Accepted),
            deferred = count(State::Deferred) + count(State::Slowed) + count(State::Uncertain),
            failed = count(State::Failed),
            suppressed = record.ledger.suppressed(),
            expired = count(State::Expired),
            resent_uncertain = record.ledger.resent_uncertain,
            "chunk sent"
        );
        self.tell_if_ended(job, record).await;
        Ok(())
    }

    /// Ends what was cancelled, or what time has ended while it was held, and puts off the rest. False when it may go on:
    /// who let it go in the meantime has looked for what waits before this was written, and will not call for it.
    async fn stops(&self, job: &Job, record: &mut Record, control: &Control) -> Result<bool, Aside> {
        if !record.ledger.obey(control) {
            match self.standing(job).await? {
                Standing::End(end) => record.ledger.end_open(end),
                Standing::Send | Standing::Wait => record.ledger.hold(service_kit::now()),
            }
        }
        self.write(job, record).await?;
        self.tell_if_ended(job, record).await;
        let control = self.controls.read(&self.bus, job.plan()).await.map_err(later)?;
        Ok(!record.ledger.obey(&control))
    }

    /// The mails of a window, or how its chunk stands if none of it may be sent now.
    async fn mails(
        &self,
        job: &Job,
        window: &[usize],
        ledger: &mut Ledger,
    ) -> Result<Result<Vec<Prepared>, Standing>, Aside> {
        match job {
            Job::Article(chunk) => self.of_article(chunk, window, ledger).await,
            Job::Digest(chunk) => self.of_digest(chunk, window, ledger).await,
        }
    }

    async fn standing(&self, job: &Job) -> Result<Standing, Aside> {
        match job {
            Job::Article(chunk) => Ok(standing(&self.article(chunk).await?, chunk, service_kit::now())),
            Job::Digest(chunk) => Ok(digest_standing(chunk, service_kit::now())),
        }
    }

    /// Whom a window's recipient is, if anything may be sent to them. Notices are owed in a pause, too.
    fn reader(&self, id: &SubscriberId, notice: bool, now: Timestamp) -> Result<Reader, Reason> {
        let reader = self.readers.get(id).ok_or(Reason::Left)?;
        match reader.stopped(now) {
            Some(stop) => Err(stop.into()),
            None if !notice && reader.pauses.iter().any(|pause| pause.covers(now)) => Err(Reason::Paused),
            None => Ok(reader),
        }
    }

    /// `planned_at` is the plan's: links that expire are counted from it, so that every attempt sends the same bytes.
    pub(crate) fn envelope(&self, plan: &str, planned_at: Timestamp, reader: &Reader) -> Envelope {
        let (id, domain) = (reader.id.to_string(), self.issues.site().mail_domain());
        let manage = self.keys.preferences_token(reader.id, planned_at + PREFERENCES_IN_MAIL);
        Envelope {
            message_id: MessageId::derive(&self.keys.mail, plan, &id, domain),
            unsubscribe: unsubscribe_link(&self.public_url, &self.keys.unsubscribe_token(reader.id)),
            leave: self.by_mail.then(|| self.keys.leave_address(reader.id, domain)),
            manage: page_link(&self.public_url, "preferences", &manage),
            from: return_path(&self.keys.mail, &id, domain)
                .expect("a subscriber id is 32 hex digits and the site's domain was checked"),
        }
    }

    /// Waits for as long as the relay is in trouble. It costs nobody an attempt.
    async fn permit(&self, job: &Job, record: &mut Record) -> Result<Permit, Aside> {
        if let Ok(permit) = self.pool.try_permit() {
            return Ok(permit);
        }
        // What became of the last window is known nowhere else, and this may take hours.
        self.write(job, record).await?;
        let permit = self.shutdown.run_until_cancelled(self.pool.permit()).await;
        permit.ok_or_else(|| Aside::Later(Duration::ZERO, "stopping".into()))
    }

    async fn submit(&self, job: &Job, record: &mut Record, permit: Permit, prepared: &[Prepared]) -> Result<(), Aside> {
        let window: Vec<Outgoing<'_>> =
            prepared.iter().map(|mail| Outgoing { from: &mail.from, to: &mail.to, message: &mail.message }).collect();
        let sent = self.pool.send(&Window { lane: job.lane(), permit, mails: &window }).await;
        let now = service_kit::now();
        record.ledger.note_at(now);
        match sent {
            Ok(sent) => {
                let notes = Notes::new(&mut record.ledger, &self.counts, job.lane(), job.planned_at(), now);
                if let Some(cause) = notes.take(prepared.iter().map(|mail| (mail.recipient, &mail.to)), sent) {
                    tracing::warn!(plan = job.plan(), chunk = job.chunk(), cause, "the relay broke off; going on");
                }
                job.settle(&mut record.ledger);
                Ok(())
            }
            Err(error) => {
                prepared.iter().for_each(|mail| record.ledger.set(mail.recipient, State::Planned));
                match error {
                    // The next permit waits for it.
                    NotSent::Open(_) => Ok(()),
                    NotSent::NotSigned(cause) => {
                        // Written now, or these recipients would count as uncertain when the chunk comes again.
                        self.write(job, record).await?;
                        Err(Aside::Later(Duration::from_secs(5), cause.to_string()))
                    }
                }
            }
        }
    }

    /// Puts the wake-up call of the next attempt on the server's schedule. Doing it twice is doing it once.
    async fn schedule(&self, job: &Job, ledger: &Ledger) -> Result<(), Aside> {
        let Some(retry) = ledger.retry else { return Ok(()) };
        let call = job.call(retry.attempt);
        let subject = subjects::retry_later(job.lane().retries(), job.plan(), job.chunk(), retry.attempt);
        let mut headers = HeaderMap::new();
        // The server takes whole seconds.
        headers.insert("Nats-Schedule", format!("@at {}", retry.at.strftime("%Y-%m-%dT%H:%M:%SZ")));
        headers.insert(
            "Nats-Schedule-Target",
            subjects::retry_due(job.lane().retries(), job.plan(), job.chunk(), retry.attempt),
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
