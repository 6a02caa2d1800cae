//! The tokens in memory, kept up to date by following their log: a revocation takes effect within milliseconds.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use bus::{Bus, TailEvent};
use jiff::Timestamp;
use service_kit::Health;
use tokio_util::sync::CancellationToken;
use topology::{TOKENS, subjects};

use super::meter::Meter;
use super::uses::minute;
use super::{DEFAULT_RATE, Scope, Token, TokenHash, TokenRecord, Wait};

/// The live tokens. The store's own limit bounds them: 16 MiB of records.
#[derive(Clone, Default)]
pub(crate) struct Registry {
    state: Arc<RwLock<State>>,
}

#[derive(Default)]
struct State {
    bearers: HashMap<TokenHash, Arc<Bearer>>,
    caught_up: bool,
}

/// A live token, and what this replica remembers of its requests.
#[derive(Debug)]
pub(crate) struct Bearer {
    pub(crate) hash: TokenHash,
    pub(crate) record: TokenRecord,
    meter: Meter,
    /// The minute of its last noted use.
    noted: AtomicI64,
}

impl Bearer {
    fn new(hash: TokenHash, record: TokenRecord) -> Self {
        let meter = Meter::new(record.rate.unwrap_or(DEFAULT_RATE), Instant::now());
        Self { hash, record, meter, noted: AtomicI64::new(i64::MIN) }
    }

    pub(crate) fn may(&self, scope: Scope) -> bool {
        self.record.scopes.contains(&scope)
    }

    /// Counts a request.
    pub(crate) fn take(&self, now: Instant) -> Result<(), Wait> {
        self.meter.take(now)
    }

    pub(super) fn first_in_minute(&self, now: Timestamp) -> bool {
        self.noted.swap(minute(now), Ordering::Relaxed) != minute(now)
    }
}

/// What the registry knows of a token.
#[derive(Debug, Clone)]
pub(crate) enum Standing {
    Good(Arc<Bearer>),
    /// Never made, or revoked.
    Unknown,
    /// Not all tokens have been read yet, so that nothing can be said of one that was not seen.
    CannotSay,
}

impl Registry {
    pub(crate) fn standing(&self, token: &Token) -> Standing {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        match state.bearers.get(&token.hash()) {
            Some(bearer) if state.caught_up => Standing::Good(Arc::clone(bearer)),
            _ if state.caught_up => Standing::Unknown,
            _ => Standing::CannotSay,
        }
    }

    /// Follows the log of tokens until `shutdown`; outages are waited out.
    pub(crate) async fn follow(self, bus: Bus, health: Health, shutdown: CancellationToken) {
        let mut tail = bus.tail_subject(&TOKENS, subjects::TOKENS, shutdown);
        while let Some(event) = tail.next().await {
            match event {
                TailEvent::CaughtUp => {
                    self.state.write().unwrap_or_else(PoisonError::into_inner).caught_up = true;
                    health.caught_up();
                }
                TailEvent::Message { subject, payload, .. } => self.take(&subject, &payload),
            }
        }
    }

    fn take(&self, subject: &str, payload: &[u8]) {
        let Some(hash) = TokenHash::of_subject(subject) else {
            return tracing::error!(subject, "a record in the store of tokens that is under no token's hash");
        };
        let record = TokenRecord::from_bytes(payload);
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match record {
            Ok(record) if record.revoked_at.is_none() => {
                state.bearers.insert(hash.clone(), Arc::new(Bearer::new(hash, record)));
            }
            Ok(_) => {
                state.bearers.remove(&hash);
            }
            // A record we cannot read may be a revocation: what it concerns opens nothing.
            Err(error) => {
                tracing::error!(subject, %error, "the record of a token cannot be read; the token is refused");
                state.bearers.remove(&hash);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whom the token opens for, or why it does not.
    fn says(registry: &Registry, token: &Token) -> String {
        match registry.standing(token) {
            Standing::Good(bearer) => bearer.record.publisher.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn only_a_live_record_opens_and_only_once_all_were_read() {
        let registry = Registry::default();
        let token = Token::generate().unwrap();
        let record = |revoked_at| TokenRecord {
            revoked_at,
            ..TokenRecord::new("hefei".parse().unwrap(), "cms".into(), Timestamp::UNIX_EPOCH)
        };
        let subject = token.hash().subject();
        registry.take(&subject, &record(None).to_bytes());
        assert_eq!(says(&registry, &token), "CannotSay", "a revocation may be on its way");
        registry.state.write().unwrap().caught_up = true;
        assert_eq!(says(&registry, &token), "hefei");
        registry.take(&subject, b"{\"revoked");
        assert_eq!(says(&registry, &token), "Unknown", "unreadable is closed");
        registry.take(&subject, &record(None).to_bytes());
        registry.take(&subject, &record(Some(Timestamp::UNIX_EPOCH)).to_bytes());
        assert_eq!(says(&registry, &token), "Unknown");
        registry.take("nw.token.>", &record(None).to_bytes());
        assert_eq!(registry.state.read().unwrap().bearers.len(), 0);
    }

    #[test]
    fn a_use_is_noted_once_a_minute() {
        let record = TokenRecord::new("hefei".parse().unwrap(), "cms".into(), Timestamp::UNIX_EPOCH);
        let bearer = Bearer::new(Token::generate().unwrap().hash(), record);
        let noted = ["10:00:00", "10:00:59", "10:01:00", "10:01:00", "10:07:30"]
            .map(|time| bearer.first_in_minute(format!("2026-11-22T{time}Z").parse().unwrap()));
        assert_eq!(noted, [true, false, true, false, true]);
    }
}
