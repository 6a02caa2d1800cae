//! Sends the mail of the double opt-in, and links to the preferences. The subscriber's record is itself the job: as long
//! as it waits for one of them and none was sent, one is due.

use std::sync::Arc;
use std::time::Duration;

use bus::{Delivery, Disposition};
use jiff::Timestamp;
use mail::smtp::Cause;
use mail::{
    Access, Confirmation, Locale, Message, MessageId, Outcome, Outgoing, Site, Topic, access, confirmation, return_path,
};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::breaker::Permit;
use crate::catalogue::Catalogue;
use crate::links::{Keys, page_link};
use crate::outcomes::without_address;
use crate::pool::Pool;
use crate::store::{Store, StoreError};
use crate::subscriber::{Subscriber, SubscriberId};
use crate::vault::Content;

/// Attempts at one mail. A mistyped domain is "later" to many relays, for days.
const MAX_ATTEMPTS: i64 = 10;

/// Tries to note that a mail went out before it is sent once more instead.
const MAX_NOTES: usize = 60;

/// Which mail of ours it is.
#[derive(Clone, Copy)]
enum Kind {
    Confirmation,
    /// To the preferences.
    Link,
}

#[derive(Clone)]
pub(crate) struct Confirmations {
    pub store: Store,
    pub keys: Keys,
    pub pool: Arc<Pool>,
    pub catalogue: Arc<Catalogue>,
    pub site: Site,
    pub public_url: Url,
    /// Ends the waiting for a relay that is away.
    pub shutdown: CancellationToken,
}

impl Confirmations {
    pub(crate) async fn handle(&self, delivery: &Delivery) -> Disposition {
        let Some(id) = SubscriberId::of_subject(&delivery.subject) else {
            return Disposition::Discard("not a subscriber's record".into());
        };
        match Content::of(&delivery.payload) {
            Content::Gone(_) => return Disposition::Done,
            Content::Sealed(sealed) if !sealed.label.waits => return Disposition::Done,
            Content::Sealed(_) | Content::Plain(_) => {}
        }
        // An address has ten attempts, and one that could not be made is none.
        let Some(permit) = self.shutdown.run_until_cancelled(self.pool.permit()).await else {
            return Disposition::Retry(Duration::ZERO);
        };
        // The record may be older than what is stored: a redelivery after the mail went out.
        let current = match self.store.get(id).await {
            Ok(Some(current)) => current,
            Ok(None) => return Disposition::Done,
            Err(StoreError::Unreadable { cause, .. }) => return Disposition::Discard(cause),
            Err(error) => return later(delivery, &error.to_string()),
        };
        // Of two mails the other follows: noting that one is out writes the record again.
        let now = service_kit::now();
        let (message, kind) = match current {
            _ if current.wants_link(now) => (self.link(&current, now), Kind::Link),
            _ if current.wants_confirmation(now) => (self.confirmation(&current, now), Kind::Confirmation),
            _ => return Disposition::Done,
        };
        match self.send(&current, &message, permit).await {
            Ok(()) => self.remember(delivery, &current, kind).await,
            Err(cause) if delivery.attempt >= MAX_ATTEMPTS => {
                tracing::info!(to = current.address.masked(), cause, "confirmation given up");
                Disposition::Done
            }
            Err(cause) => later(delivery, &cause),
        }
    }

    fn confirmation(&self, record: &Subscriber, now: Timestamp) -> Message {
        let token = self.keys.confirm_token(record.id, now);
        let requested = record.pending(now).next().map_or(now, |pending| pending.requested_at);
        confirmation(
            &self.site,
            Locale::for_tag(&record.language),
            &Confirmation {
                to: &record.address,
                message_id: &self.message_id(record, &format!("confirm-{requested}")),
                date: requested,
                confirm: &page_link(&self.public_url, "confirm", &token),
                topic: &self.topic(record),
            },
        )
    }

    fn link(&self, record: &Subscriber, now: Timestamp) -> Message {
        let token = self.keys.fresh_preferences_token(record.id, now);
        let asked = record.link_asked_at.unwrap_or(now);
        access(
            &self.site,
            Locale::for_tag(&record.language),
            &Access {
                to: &record.address,
                message_id: &self.message_id(record, &format!("link-{asked}")),
                date: asked,
                preferences: &page_link(&self.public_url, "preferences", &token),
            },
        )
    }

    fn message_id(&self, record: &Subscriber, purpose: &str) -> MessageId {
        MessageId::derive(&self.keys.mail, purpose, &record.id.to_string(), self.site.mail_domain())
    }

    /// Answers why the mail is not out yet.
    async fn send(&self, record: &Subscriber, message: &Message, permit: Permit) -> Result<(), String> {
        let id = record.id.to_string();
        let domain = self.site.mail_domain();
        let from = return_path(&self.keys.mail, &id, domain)
            .expect("a subscriber id is 32 hex digits and the site's domain was checked");
        let mail = Outgoing { from: &from, to: &record.address, message };
        match self.pool.send_one(permit, mail).await? {
            Outcome::Accepted(_) => {
                tracing::info!(to = record.address.masked(), "confirmation sent");
                Ok(())
            }
            // The address does not exist; asking its relay again changes nothing until somebody types it again.
            Outcome::Failed(reply) if reply.cause() == Cause::Recipient => {
                let reply = without_address(&reply.to_string(), &record.address);
                tracing::info!(to = record.address.masked(), reply, "confirmation refused");
                Ok(())
            }
            Outcome::Failed(reply) | Outcome::Deferred(reply) => {
                Err(without_address(&reply.to_string(), &record.address))
            }
            Outcome::Unsent(broken) | Outcome::Unknown(broken) => {
                Err(without_address(&broken.to_string(), &record.address))
            }
        }
    }

    /// The one topic that waits, by the newsroom's name for it.
    fn topic(&self, record: &Subscriber) -> Topic {
        let mut pending = record.pending(service_kit::now());
        match (pending.next(), pending.next()) {
            (Some(only), None) => self.catalogue.topic_for_anybody(&only.selection).unwrap_or(Topic::Unnamed),
            _ => Topic::Unnamed,
        }
    }

    /// Notes that the mail is out. Only this is tried again, not the mail.
    async fn remember(&self, delivery: &Delivery, record: &Subscriber, kind: Kind) -> Disposition {
        let sent_at = service_kit::now();
        for _ in 0..MAX_NOTES {
            let noted = self.store.update(record.id, |record| {
                match kind {
                    Kind::Confirmation => record.confirmation_sent_at = Some(sent_at),
                    Kind::Link => record.link_sent_at = Some(sent_at),
                }
                true
            });
            match noted.await {
                Ok(_) => return Disposition::Done,
                Err(error) => tracing::warn!(%error, "cannot note that a confirmation was sent; trying on"),
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        later(delivery, "cannot note that a confirmation was sent")
    }
}

/// A person waits for this mail in front of a screen: soon at first, then more and more patiently.
fn later(delivery: &Delivery, cause: &str) -> Disposition {
    tracing::warn!(attempt = delivery.attempt, cause, "sending a confirmation later");
    let doublings = u32::try_from(delivery.attempt.clamp(1, 9) - 1).unwrap_or_default();
    Disposition::Retry(Duration::from_secs(10) * 2u32.pow(doublings))
}
