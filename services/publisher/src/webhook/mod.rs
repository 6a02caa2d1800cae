//! Incoming webhooks: a system that publishes elsewhere tells us of each article, signed.
//!
//! A webhook has an id, which is in its address, a record in the store of tokens, and a secret, which nobody stores: it
//! follows from the id and the deployment's master key. Without that key there are no webhooks.

mod delivery;
mod memory;
mod registry;
mod wish;

use std::fmt;
use std::str::FromStr;

use article::{ArticleId, Problem, PublisherId};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use interchange::signature::Secret;
use interchange::{Defaults, Foreign, ghost, newswire, ninjs, wordpress};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use delivery::{Deliveries, Delivery};
pub(crate) use registry::{Hooks, Standing};

/// The setting with the master key's file; the command line reads the same one.
pub const SECRET_FILE: &str = "NEWSWIRE_PUBLISHER_WEBHOOK_SECRET_FILE";

/// The fewest bytes of the master key: HMAC-SHA-256 is as strong as its key.
pub const MIN_SECRET: usize = 32;

const ID_BYTES: usize = 16;

/// What the publisher has for its webhooks.
#[derive(Clone)]
pub(crate) struct Webhooks {
    /// The master key; without it there are none.
    pub(crate) master: Option<service_kit::Secret>,
    pub(crate) hooks: Hooks,
    pub(crate) deliveries: Deliveries,
}

/// A webhook's id: 22 characters of URL-safe base64, a subject token and a path segment. It is no secret.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HookId(String);

/// The text is not a webhook's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a webhook's id: expected its 22 characters, as `newswire webhook list` shows them")]
pub struct NotAHook;

impl HookId {
    /// A fresh id.
    ///
    /// # Errors
    /// When the operating system has no random bytes to give.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut random = [0; ID_BYTES];
        getrandom::fill(&mut random)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(random)))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where its record is kept.
    pub fn subject(&self) -> String {
        topology::subjects::webhook(&self.0)
    }

    /// The id whose record is kept at `subject`.
    pub fn of_subject(subject: &str) -> Option<Self> {
        subject.rsplit('.').next()?.parse().ok()
    }

    /// What its sender signs with.
    pub fn secret(&self, master: &[u8]) -> Secret {
        Secret::derive(master, &self.0)
    }
}

impl fmt::Display for HookId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for HookId {
    type Err = NotAHook;

    fn from_str(text: &str) -> Result<Self, NotAHook> {
        let legal = text.len() == 22 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if legal { Ok(Self(text.to_owned())) } else { Err(NotAHook) }
    }
}

/// Whose documents a webhook takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Our own event, signed after Standard Webhooks.
    Newswire,
    Ghost,
    /// A post as WordPress's REST API shows it.
    WordPress,
    /// IPTC ninjs, signed after Standard Webhooks.
    Ninjs,
}

impl Format {
    pub const ALL: [Self; 4] = [Self::Newswire, Self::Ghost, Self::WordPress, Self::Ninjs];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Newswire => "newswire",
            Self::Ghost => "ghost",
            Self::WordPress => "wordpress",
            Self::Ninjs => "ninjs",
        }
    }

    fn read(self, document: &Value, defaults: &Defaults) -> Result<Foreign, Problem> {
        match self {
            Self::Newswire => newswire::read(document, defaults),
            Self::Ghost => ghost::read(document, defaults),
            Self::WordPress => wordpress::read(document, defaults),
            Self::Ninjs => ninjs::read(document, defaults),
        }
    }
}

/// What is kept of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookRecord {
    pub publisher: PublisherId,
    /// What people call the system that sends. Articles are known by it and by their id over there: a second webhook of
    /// the same name and format is the same system with another key.
    pub name: String,
    pub format: Format,
    /// BCP 47; of documents that name no language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Of documents that name no section.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub section: Vec<String>,
    /// IANA name of the time zone in which its dates are printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tz: Option<String>,
    pub created_at: Timestamp,
    /// From then on it takes nothing. The record stays, so that nobody wonders where it went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

impl HookRecord {
    /// The bytes that are stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings and times always serialise")
    }

    /// Reads a stored record.
    ///
    /// # Errors
    /// When the bytes are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    fn defaults(&self) -> Defaults {
        Defaults { language: self.language.clone(), section: self.section.clone(), tz: self.tz.clone() }
    }

    /// The key under which an article of this system is made, once.
    fn key(&self, foreign: &str) -> String {
        format!("webhook/{}/{}/{foreign}", self.format.as_str(), self.name)
    }

    fn article(&self, foreign: &str) -> ArticleId {
        crate::desk::keyed_id(&self.publisher, &self.key(foreign))
    }
}
