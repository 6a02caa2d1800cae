//! The tokens in memory, kept up to date by following their log: a revocation takes effect within milliseconds.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use article::PublisherId;
use bus::{Bus, TailEvent};
use service_kit::Health;
use tokio_util::sync::CancellationToken;
use topology::TOKENS;

use super::{Token, TokenHash, TokenRecord};

/// Which publisher a token speaks for. The store's own limit bounds it: 16 MiB of records.
#[derive(Clone, Default)]
pub(crate) struct Registry {
    state: Arc<RwLock<State>>,
}

#[derive(Default)]
struct State {
    publishers: HashMap<TokenHash, PublisherId>,
    caught_up: bool,
}

/// What the registry knows of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    Good(PublisherId),
    /// Never made, or revoked.
    Unknown,
    /// Not all tokens have been read yet, so that nothing can be said of one that was not seen.
    CannotSay,
}

impl Registry {
    pub(crate) fn standing(&self, token: &Token) -> Standing {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        match state.publishers.get(&token.hash()) {
            Some(publisher) if state.caught_up => Standing::Good(publisher.clone()),
            _ if state.caught_up => Standing::Unknown,
            _ => Standing::CannotSay,
        }
    }

    /// Follows the log of tokens until `shutdown`; outages are waited out.
    pub(crate) async fn follow(self, bus: Bus, health: Health, shutdown: CancellationToken) {
        let mut tail = bus.tail(&TOKENS, shutdown);
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
            Ok(TokenRecord { publisher, revoked_at: None, .. }) => {
                state.publishers.insert(hash, publisher);
            }
            Ok(_) => {
                state.publishers.remove(&hash);
            }
            // A record we cannot read may be a revocation: what it concerns opens nothing.
            Err(error) => {
                tracing::error!(subject, %error, "the record of a token cannot be read; the token is refused");
                state.publishers.remove(&hash);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_live_record_opens_and_only_once_all_were_read() {
        let registry = Registry::default();
        let token = Token::generate().unwrap();
        let record = |revoked_at| TokenRecord {
            publisher: "hefei".parse().unwrap(),
            name: "cms".into(),
            created_at: jiff::Timestamp::UNIX_EPOCH,
            revoked_at,
        };
        let subject = token.hash().subject();
        registry.take(&subject, &record(None).to_bytes());
        assert_eq!(registry.standing(&token), Standing::CannotSay, "a revocation may be on its way");
        registry.state.write().unwrap().caught_up = true;
        assert_eq!(registry.standing(&token), Standing::Good("hefei".parse().unwrap()));
        registry.take(&subject, b"{\"revoked");
        assert_eq!(registry.standing(&token), Standing::Unknown, "unreadable is closed");
        registry.take(&subject, &record(None).to_bytes());
        registry.take(&subject, &record(Some(jiff::Timestamp::UNIX_EPOCH)).to_bytes());
        assert_eq!(registry.standing(&token), Standing::Unknown);
        registry.take("nw.token.>", &record(None).to_bytes());
        assert_eq!(registry.state.read().unwrap().publishers.len(), 0);
    }
}
