//! The way to the relay: what may go now, signed where that is ours to do, over a kept connection; and what its answers
//! say about the relay and about the domains of readers.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use jiff::Timestamp;
use mail::dkim::NotSigned;
use mail::smtp::{Broken, Cause, OpenError, Reply, Stage};
use mail::{Outcome, Outgoing, Relay};
use tokio::sync::Notify;

use crate::breaker::{Breaker, Met, News, Permit, Trouble};
use crate::connections::Connections;
use crate::counts::Counts;
use crate::outcomes::without_address;
use crate::plan::Lane;
use crate::shaping::{Domains, asks_for_less};
use crate::signing::Signing;

/// The longest sleep before it is looked again whether the relay may be tried: clocks are set.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

pub(crate) struct Pool {
    connections: Connections,
    /// `None`: the relay signs.
    signing: Option<Signing>,
    breaker: Mutex<Breaker>,
    /// The breaker has changed.
    changed: Notify,
    domains: Mutex<Domains>,
    counts: Arc<Counts>,
}

/// A window of mails that go to the relay together.
pub(crate) struct Window<'a> {
    pub lane: Lane,
    /// From [`Pool::permit`], just now.
    pub permit: Permit,
    pub mails: &'a [Outgoing<'a>],
}

/// Why nothing of a window was sent. It says nothing about a recipient.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotSent {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    NotSigned(#[from] NotSigned),
}

/// What became of a window.
pub(crate) struct Sent {
    /// One for each mail, in order.
    pub fates: Vec<Fate>,
    /// Whether its connection was opened for it.
    pub fresh: bool,
}

/// What became of one mail.
#[derive(Debug)]
pub(crate) enum Fate {
    Answered(Outcome),
    /// It was not tried, as its domain takes no mail before this.
    Waits(Timestamp),
    /// It was not tried: only one mail was to be.
    Untried,
}

impl Pool {
    pub(crate) fn new(relay: Relay, signing: Option<Signing>, counts: Arc<Counts>) -> Self {
        Self {
            connections: Connections::new(relay, counts.connections.clone()),
            signing,
            breaker: Mutex::default(),
            changed: Notify::new(),
            domains: Mutex::default(),
            counts,
        }
    }

    /// What may be sent now.
    ///
    /// # Errors
    /// When to ask again; the relay is in trouble.
    pub(crate) fn try_permit(&self) -> Result<Permit, Timestamp> {
        lock(&self.breaker).enter(service_kit::now())
    }

    /// Waits until something may be sent, for as long as the relay is in trouble. The longest lines of waiting are those of
    /// one lane; they share nothing but this.
    pub(crate) async fn permit(&self) -> Permit {
        loop {
            let changed = self.changed.notified();
            let mut changed = std::pin::pin!(changed);
            // From here on no change is missed.
            changed.as_mut().enable();
            let until = match self.try_permit() {
                Ok(permit) => return permit,
                Err(until) => until,
            };
            let wait = Duration::try_from(until.duration_since(service_kit::now())).unwrap_or_default();
            let _ = tokio::time::timeout(wait.clamp(Duration::from_millis(1), LOOK_AGAIN), changed).await;
        }
    }

    /// Signs a window where that is ours to do, sends over one connection what of it may go, and says of each mail what
    /// became of it.
    ///
    /// # Errors
    /// When there is no connection or no signature to be had; nothing was sent then.
    pub(crate) async fn send(&self, window: &Window<'_>) -> Result<Sent, NotSent> {
        let begun = service_kit::now();
        let (mut fates, going) = self.admit(window, begun);
        if going.is_empty() {
            return Ok(Sent { fates, fresh: false });
        }
        let mails: Vec<Outgoing<'_>> = going.iter().map(|n| window.mails[*n]).collect();
        let clock = tokio::time::Instant::now();
        let submitted = self.submit(window.lane, &mails).await;
        if let Err(NotSent::Open(error)) = &submitted {
            self.learn(window.permit, Met::default(), &error.to_string());
        }
        let (outcomes, fresh) = submitted?;
        self.counts.window(window.lane, clock.elapsed());
        let (met, words) = self.heed(&mails, &outcomes, begun);
        self.learn(window.permit, met, &words);
        for (n, outcome) in going.into_iter().zip(outcomes) {
            fates[n] = Fate::Answered(outcome);
        }
        Ok(Sent { fates, fresh })
    }

    /// One mail that somebody waits for in front of a screen, so it goes by the quickest lane.
    ///
    /// # Errors
    /// When it was not tried, and why.
    pub(crate) async fn send_one(&self, permit: Permit, mail: Outgoing<'_>) -> Result<Outcome, String> {
        let window = Window { lane: Lane::Breaking, permit, mails: &[mail] };
        let sent = self.send(&window).await.map_err(|error| error.to_string())?;
        match sent.fates.into_iter().next() {
            Some(Fate::Answered(outcome)) => Ok(outcome),
            Some(Fate::Waits(_) | Fate::Untried) | None => Err("its mail domain takes less for now".into()),
        }
    }

    /// What cannot go now, and the rest of the window.
    fn admit(&self, window: &Window<'_>, now: Timestamp) -> (Vec<Fate>, Vec<usize>) {
        let most = if window.permit == Permit::Mail { 1 } else { window.mails.len() };
        let mut going = Vec::with_capacity(window.mails.len());
        let mut domains = lock(&self.domains);
        let fate = |(n, mail): (usize, &Outgoing<'_>)| {
            if going.len() == most {
                return Fate::Untried;
            }
            match domains.admit(mail.to.domain(), now) {
                Err(until) => Fate::Waits(until),
                Ok(()) => {
                    going.push(n);
                    Fate::Untried
                }
            }
        };
        let fates = window.mails.iter().enumerate().map(fate).collect();
        (fates, going)
    }

    async fn submit(&self, lane: Lane, mails: &[Outgoing<'_>]) -> Result<(Vec<Outcome>, bool), NotSent> {
        let Some(signing) = &self.signing else { return Ok(self.connections.submit(mails).await?) };
        let signed = signing.sign(lane, mails).await?;
        let mails = mails.iter().zip(&signed).map(|(mail, message)| Outgoing { message, ..*mail });
        Ok(self.connections.submit(&mails.collect::<Vec<_>>()).await?)
    }

    /// What the answers to a window say about domains, and about the relay; and what it says in its refusals.
    fn heed(&self, mails: &[Outgoing<'_>], outcomes: &[Outcome], begun: Timestamp) -> (Met, String) {
        let (mut met, mut words) = (Met::default(), String::new());
        let mut broken = false;
        let mut domains = lock(&self.domains);
        for (mail, outcome) in mails.iter().zip(outcomes) {
            let domain = mail.to.domain();
            let asked = match outcome {
                Outcome::Accepted(_) => {
                    domains.took(domain);
                    met = Met { answered: true, accepted: true, refused: 0, ..met };
                    continue;
                }
                // Its content was asked for.
                Outcome::Unknown(_) => {
                    met.answered = true;
                    continue;
                }
                Outcome::Deferred(reply) => {
                    met.answered = true;
                    Some(reply).filter(|reply| asks_for_less(reply))
                }
                Outcome::Failed(reply) => {
                    met.answered = true;
                    let about_us = is_about_us(reply);
                    met.refused += u32::from(about_us);
                    met.sender_refused |= about_us && reply.stage == Stage::Mail;
                    Some(reply).filter(|_| about_us)
                }
                // Of all that is unsent it was said to the first.
                Outcome::Unsent(_) if broken => continue,
                Outcome::Unsent(cause) => {
                    broken = true;
                    words = without_address(&cause.to_string(), mail.to);
                    let Broken::Closing(reply) = cause else { continue };
                    met.answered |= asks_for_less(reply);
                    Some(reply).filter(|reply| asks_for_less(reply))
                }
            };
            let Some(reply) = asked else { continue };
            words = without_address(&reply.to_string(), mail.to);
            if let Some(between) = domains.asked(domain, begun, service_kit::now()) {
                let seconds = between.as_secs();
                tracing::warn!(domain, seconds, reply = words, "a mail domain asks for less; its readers wait");
            }
        }
        self.counts.domains.set(i64::try_from(domains.slowed()).unwrap_or(i64::MAX));
        (met, words)
    }

    fn learn(&self, permit: Permit, met: Met, words: &str) {
        let (news, trouble) = {
            let mut breaker = lock(&self.breaker);
            (breaker.learn(permit, met, service_kit::now()), breaker.trouble())
        };
        if permit != Permit::Everything || trouble.is_some() {
            self.changed.notify_waiters();
        }
        self.counts.relay(trouble);
        match news {
            None => {}
            Some(News::Trouble(Trouble::Away)) => {
                tracing::error!(cause = words, "the relay is away; all mail waits for it");
            }
            Some(News::Trouble(Trouble::Refuses)) => {
                tracing::error!(
                    reply = words,
                    "the relay refuses our mail; all of it waits, and one is tried now and then"
                );
            }
            Some(News::Back(after)) => {
                tracing::info!(seconds = after.as_secs(), "the relay takes mail again; what waited is sent");
            }
        }
    }

    /// Takes leave of the relay on all kept connections.
    pub(crate) async fn close(&self) {
        self.connections.close().await;
    }
}

/// Whether a refusal would meet any mail of ours: it is about our standing, or our address.
pub(crate) fn is_about_us(reply: &Reply) -> bool {
    match reply.cause() {
        Cause::Policy => true,
        Cause::Relay => reply.stage == Stage::Mail,
        Cause::Recipient | Cause::Content => false,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no code panics while it holds this lock")
}
