//! The webhooks in memory, kept up to date by following their log.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use bus::{Bus, TailEvent};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use topology::{TOKENS, subjects};

use super::{HookId, HookRecord};

/// The live webhooks. The store's own limit bounds them.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    live: Arc<RwLock<HashMap<HookId, Arc<HookRecord>>>>,
    caught_up: Arc<watch::Sender<bool>>,
}

/// What is known of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    Good(Arc<HookRecord>),
    /// Never made, or revoked.
    Unknown,
    /// Not all have been read yet.
    CannotSay,
}

impl Hooks {
    pub(crate) fn standing(&self, hook: &HookId) -> Standing {
        if !*self.caught_up.borrow() {
            return Standing::CannotSay;
        }
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        live.get(hook).map_or(Standing::Unknown, |record| Standing::Good(Arc::clone(record)))
    }

    /// Waits until all have been read.
    pub(crate) async fn ready(&self) {
        let mut caught_up = self.caught_up.subscribe();
        // Its sender lives as long as `self`.
        let _ = caught_up.wait_for(|caught_up| *caught_up).await;
    }

    /// Follows their log until `shutdown`; outages are waited out.
    pub(crate) async fn follow(self, bus: Bus, shutdown: CancellationToken) {
        let mut tail = bus.tail_subject(&TOKENS, subjects::WEBHOOKS, shutdown);
        while let Some(event) = tail.next().await {
            match event {
                TailEvent::CaughtUp => {
                    self.caught_up.send_replace(true);
                }
                TailEvent::Message { subject, payload, .. } => self.take(&subject, &payload),
            }
        }
    }

    fn take(&self, subject: &str, payload: &[u8]) {
        let Some(hook) = HookId::of_subject(subject) else {
            return tracing::error!(subject, "a record among the webhooks that is under no webhook's id");
        };
        let record = HookRecord::from_bytes(payload);
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        match record {
            Ok(record) if record.revoked_at.is_none() => {
                live.insert(hook, Arc::new(record));
            }
            Ok(_) => {
                live.remove(&hook);
            }
            // It may be a revocation: what it concerns takes nothing.
            Err(error) => {
                tracing::error!(subject, %error, "the record of a webhook cannot be read; the webhook is refused");
                live.remove(&hook);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::*;

    #[test]
    fn only_a_live_record_takes_and_only_once_all_were_read() {
        let (hooks, hook) = (Hooks::default(), HookId::generate().unwrap());
        let record = |revoked_at| HookRecord {
            publisher: "hefei".parse().unwrap(),
            name: "cms".into(),
            format: Format::Ghost,
            language: None,
            section: Vec::new(),
            tz: None,
            created_at: jiff::Timestamp::UNIX_EPOCH,
            revoked_at,
        };
        let revoked = record(Some(jiff::Timestamp::UNIX_EPOCH));
        let subject = hook.subject();
        hooks.take(&subject, &record(None).to_bytes());
        assert_eq!(hooks.standing(&hook), Standing::CannotSay);
        hooks.caught_up.send_replace(true);
        assert_eq!(hooks.standing(&hook), Standing::Good(Arc::new(record(None))));
        for closed in [revoked.to_bytes(), b"{\"revoked".to_vec()] {
            hooks.take(&subject, &record(None).to_bytes());
            hooks.take(&subject, &closed);
            assert_eq!(hooks.standing(&hook), Standing::Unknown);
        }
        hooks.take("nw.webhook.x", &record(None).to_bytes());
        assert!(hooks.live.read().unwrap().is_empty());
    }
}
