//! One event as INBOUND holds it. It names a subscriber by id and nobody by address.

use inbound::{Class, Status};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::links::hex;
use crate::subscriber::SubscriberId;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    pub subscriber: SubscriberId,
    /// When it was said: by a webhook that has a time of its own, or else when it came in.
    pub at: Timestamp,
    #[serde(flatten)]
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum What {
    Bounce {
        class: Class,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status: Option<Status>,
        diagnostic: String,
    },
    Complaint,
    Leave,
}

impl What {
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Bounce { .. } => "bounce",
            Self::Complaint => "complaint",
            Self::Leave => "leave",
        }
    }

    /// For whoever counts: a bounce by its class.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Bounce { class: Class::Hard, .. } => "hard",
            Self::Bounce { class: Class::Soft, .. } => "soft",
            Self::Bounce { class: Class::Sender, .. } => "sender",
            Self::Complaint | Self::Leave => self.as_str(),
        }
    }
}

impl Event {
    /// What makes it one event however often it is brought: whom it is about, and how its sender names it. The time
    /// does not count, as every attempt has another.
    pub(crate) fn identity(&self, reference: &[u8]) -> String {
        let mut hash = Sha256::new();
        for part in [&self.subscriber.as_bytes()[..], self.what.as_str().as_bytes(), reference] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hex(&hash.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_reads_back_and_is_one_however_often_it_comes() {
        let at: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let subscriber = SubscriberId::random();
        let status = Some("5.1.1".parse().unwrap());
        let bounce = What::Bounce { class: Class::Hard, status, diagnostic: "无此用户".into() };
        for what in [bounce.clone(), What::Complaint, What::Leave] {
            let event = Event { subscriber, at, what };
            let json = serde_json::to_vec(&event).unwrap();
            assert_eq!(serde_json::from_slice::<Event>(&json).unwrap(), event);
        }
        let event = Event { subscriber, at, what: bounce };
        let later = Event { at: at + jiff::SignedDuration::from_secs(60), ..event.clone() };
        assert_eq!(event.identity(b"<1@x>"), later.identity(b"<1@x>"));
        let others = [
            event.identity(b"<2@x>"),
            Event { subscriber: SubscriberId::random(), ..event.clone() }.identity(b"<1@x>"),
            Event { what: What::Complaint, ..event.clone() }.identity(b"<1@x>"),
        ];
        assert!(others.iter().all(|other| *other != event.identity(b"<1@x>")));
    }
}
