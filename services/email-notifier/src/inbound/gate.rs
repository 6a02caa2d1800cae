//! What every way in shares: whom a report is about, by proof, and the event that becomes durable.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bus::{Bus, HeaderMap, PublishError};
use inbound::{Bounce, Class, Report, Reported};
use jiff::Timestamp;
use mail::{Address, subscriber_of_return_path};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use service_kit::{Limit, Metrics};
use tokio::time::Instant;
use topology::{INBOUND, subjects};

use super::{Event, What};
use crate::links::Keys;
use crate::store::{Store, StoreError};
use crate::subscriber::SubscriberId;

/// How often the log says that receivers refuse us.
const FAULTS_EVERY: Duration = Duration::from_secs(60);

/// Where providers are told to send complaints.
const COMPLAINTS: &str = "complaints";

/// Whose mail comes in at an address of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recipient {
    /// The envelope sender of what we sent this subscriber.
    Returned(SubscriberId),
    /// The address in List-Unsubscribe.
    Leave(SubscriberId),
    Complaints,
}

/// What a report says to us.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Event {
        event: Event,
        /// The same however often it is brought.
        identity: String,
    },
    /// It is ours, and there is nothing to do.
    Nothing,
    /// It names nothing that we sent.
    NotOurs,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

pub(crate) struct Gate {
    bus: Bus,
    keys: Keys,
    store: Store,
    /// Lower-case ASCII.
    domain: String,
    faults: Limit<()>,
    unsaid_faults: AtomicU64,
    counts: Family<Kind, Counter>,
}

/// Nothing is known for sure; whoever brought it must come again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Away {
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Gate {
    /// `domain`: of the envelope senders of our mail.
    pub(crate) fn new(bus: Bus, keys: Keys, store: Store, domain: &str, metrics: &Metrics) -> Self {
        let faults = Limit::new(1, FAULTS_EVERY);
        let domain = domain.to_ascii_lowercase();
        let counts = Family::<Kind, Counter>::default();
        metrics.register("reports", "What came back of our mail, by what it says", counts.clone());
        Self { bus, keys, store, domain, faults, unsaid_faults: AtomicU64::new(0), counts }
    }

    pub(crate) fn domain(&self) -> &str {
        &self.domain
    }

    /// Whose an address is that mail is sent to; `None` for everything that we did not make.
    pub(crate) fn recipient(&self, address: &str) -> Option<Recipient> {
        let address = self.ours(address)?;
        if address.local() == COMPLAINTS {
            return Some(Recipient::Complaints);
        }
        let returned = self.returned(&address).map(Recipient::Returned);
        returned.or_else(|| self.keys.read_leave_address(address.local()).map(Recipient::Leave))
    }

    /// An address in our domain. Every one of ours is lower case, and some systems on the way fold it.
    fn ours(&self, address: &str) -> Option<Address> {
        address.to_ascii_lowercase().parse().ok().filter(|address: &Address| address.domain() == self.domain)
    }

    fn returned(&self, address: &Address) -> Option<SubscriberId> {
        SubscriberId::parse(subscriber_of_return_path(&self.keys.mail, address)?)
    }

    /// Whose mail a report is about, by one of the envelope senders it names.
    fn named(&self, reported: &Reported) -> Option<SubscriberId> {
        reported.mail_from.iter().find_map(|named| self.returned(&self.ours(named)?))
    }

    /// What a mail to one of our addresses says. `bytes`: what was read; they name a mail that does not name itself.
    pub(crate) fn mail(&self, to: Recipient, reported: &Reported, bytes: &[u8], now: Timestamp) -> Said {
        let (subscriber, what) = match (to, &reported.report) {
            // Nobody but its reader can have the address, and no report is sent to it.
            (Recipient::Leave(id), Report::Unclear | Report::AutoReply) => (id, Some(What::Leave)),
            (Recipient::Leave(_), _) => return nothing("a report, at the address that ends a subscription"),
            (Recipient::Returned(id), report) => (id, self.acted_on(report)),
            (Recipient::Complaints, report @ Report::Complaint) => match self.named(reported) {
                Some(id) => (id, self.acted_on(report)),
                None => return Said::NotOurs,
            },
            (Recipient::Complaints, Report::NoFailure) => return nothing("a report that takes a complaint back"),
            (Recipient::Complaints, _) => return Said::NotOurs,
        };
        match what {
            Some(what) => event(subscriber, now, what, reported.reference.as_deref().map_or(bytes, str::as_bytes)),
            None => Said::Nothing,
        }
    }

    /// What a provider said whose signature was checked; `reference` names it if it does not do so itself.
    ///
    /// # Errors
    /// [`Away`], when the records that tell whose an address is cannot be read.
    pub(crate) async fn report(&self, reported: &Reported, reference: &str, at: Timestamp) -> Result<Said, Away> {
        let Some(what) = self.acted_on(&reported.report) else { return Ok(Said::Nothing) };
        let subscriber = match self.named(reported) {
            Some(id) => Some(id),
            // An envelope sender that was given and is not ours: other mail of the same account.
            None if !reported.mail_from.is_empty() => None,
            None => self.at_address(reported.address.as_deref().unwrap_or_default()).await?,
        };
        Ok(match subscriber {
            Some(id) => event(id, at, what, reported.reference.as_deref().unwrap_or(reference).as_bytes()),
            None => Said::NotOurs,
        })
    }

    /// Who is at this address and said yes. Of everybody else nothing is known that a report could end.
    async fn at_address(&self, address: &str) -> Result<Option<SubscriberId>, Away> {
        let Ok(address) = address.parse::<Address>() else { return Ok(None) };
        let found = self.store.at(&address).await?;
        Ok(found.filter(|found| found.was_confirmed()).map(|found| found.id))
    }

    fn acted_on(&self, report: &Report) -> Option<What> {
        match report {
            Report::Bounce(Bounce { class: Class::Sender, status, diagnostic }) => {
                let status = status.map(|status| status.to_string()).unwrap_or_default();
                self.fault(&status, diagnostic, Instant::now());
                None
            }
            Report::Bounce(Bounce { class, status, diagnostic }) => {
                Some(What::Bounce { class: *class, status: *status, diagnostic: diagnostic.clone() })
            }
            Report::Complaint => Some(What::Complaint),
            Report::AutoReply | Report::NoFailure => None,
            Report::Unclear => {
                self.count("unclear");
                nothing("a mail that may be a bounce, and does not say of what kind");
                None
            }
        }
    }

    fn count(&self, kind: &'static str) {
        self.counts.get_or_create(&Kind { kind }).inc();
    }

    /// A receiver refuses us, not its reader. There may be as many as there are readers: said once a minute.
    fn fault(&self, status: &str, diagnostic: &str, now: Instant) {
        self.count("sender");
        let unsaid = self.unsaid_faults.fetch_add(1, Ordering::Relaxed) + 1;
        if self.faults.take((), now).is_ok() {
            self.unsaid_faults.fetch_sub(unsaid, Ordering::Relaxed);
            tracing::error!(status, diagnostic, count = unsaid, "receivers refuse our mail for what we are or send");
        }
    }

    /// Makes an event durable, once.
    ///
    /// # Errors
    /// [`Away`]; only then is it not known to be stored.
    pub(crate) async fn keep(&self, event: &Event, identity: &str) -> Result<(), Away> {
        let payload = serde_json::to_vec(event).expect("an event has string keys only");
        let subject = subjects::inbound(identity);
        match self.bus.publish(&INBOUND, &subject, &subject, HeaderMap::new(), payload.into(), Some(0)).await {
            Ok(_) => {
                self.count(event.what.kind());
                tracing::info!(subscriber = %event.subscriber, event = event.what.as_str(), "came back");
                Ok(())
            }
            // It was brought before, with another time on it.
            Err(PublishError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn event(subscriber: SubscriberId, at: Timestamp, what: What, reference: &[u8]) -> Said {
    let event = Event { subscriber, at, what };
    let identity = event.identity(reference);
    Said::Event { event, identity }
}

fn nothing(what: &'static str) -> Said {
    tracing::info!(what, "nothing is done about what came in");
    Said::Nothing
}
