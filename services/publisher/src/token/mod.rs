//! API tokens: what they look like, how they are kept, whom they speak for and what they may.
//!
//! A token is `nwt_` and 32 random bytes. Only its SHA-256 is stored: with 256 bits of chance in it there is nothing to
//! guess, so no slow hash is needed, and whoever reads the store cannot use what he finds. The `nwt_` lets secret
//! scanners recognise a token that was committed by mistake.

mod meter;
mod registry;
mod scope;
mod uses;

use std::collections::BTreeSet;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use article::PublisherId;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use meter::DEFAULT_RATE;
pub(crate) use meter::Wait;
pub(crate) use registry::{Bearer, Registry, Standing};
pub use scope::Scope;
pub(crate) use uses::Uses;

const PREFIX: &str = "nwt_";
const RANDOM_BYTES: usize = 32;

/// A bearer token, in the clear. It exists while it is made and while it is checked.
pub struct Token(String);

impl Token {
    /// A fresh token.
    ///
    /// # Errors
    /// When the operating system has no random bytes to give.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random)?;
        Ok(Self(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random))))
    }

    /// The token itself, for the one person it is shown to.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub fn hash(&self) -> TokenHash {
        TokenHash(sha256_hex(self.0.as_bytes()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<token>")
    }
}

/// The text is not a token. It is not repeated: it may be one with a slip of the pen in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAToken;

impl FromStr for Token {
    type Err = NotAToken;

    fn from_str(text: &str) -> Result<Self, NotAToken> {
        let random = text.strip_prefix(PREFIX).and_then(|random| URL_SAFE_NO_PAD.decode(random).ok());
        match random {
            Some(random) if random.len() == RANDOM_BYTES => Ok(Self(text.to_owned())),
            _ => Err(NotAToken),
        }
    }
}

/// SHA-256 of a token, in hex: its name in the store.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenHash(String);

impl TokenHash {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where its record is kept.
    pub fn subject(&self) -> String {
        topology::subjects::token(&self.0)
    }

    /// Where its last use is kept.
    pub fn use_subject(&self) -> String {
        topology::subjects::token_use(&self.0)
    }

    /// The hash whose record, or last use, is kept at `subject`.
    pub fn of_subject(subject: &str) -> Option<Self> {
        let hash = subject.rsplit('.').next()?;
        let is_hash = hash.len() == 64 && hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        is_hash.then(|| Self(hash.to_owned()))
    }
}

/// Whom a token speaks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    pub publisher: PublisherId,
    /// What people call it: the system or the desk that has it.
    pub name: String,
    pub created_at: Timestamp,
    /// What it may. A record of before there were scopes may everything.
    #[serde(default = "Scope::all")]
    pub scopes: BTreeSet<Scope>,
    /// Requests a second, if not [`DEFAULT_RATE`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<NonZeroU32>,
    /// From then on it opens nothing. The record stays, so that nobody wonders where it went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

impl TokenRecord {
    /// A token that may everything, at the usual rate.
    pub fn new(publisher: PublisherId, name: String, created_at: Timestamp) -> Self {
        Self { publisher, name, created_at, scopes: Scope::all(), rate: None, revoked_at: None }
    }

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
}

/// When a token was last used, to the minute: it is written at most once in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenUse {
    pub last_used_at: Timestamp,
}

impl TokenUse {
    /// The bytes that are stored.
    pub fn to_bytes(self) -> Vec<u8> {
        serde_json::to_vec(&self).expect("a time always serialises")
    }

    /// Reads a stored record.
    ///
    /// # Errors
    /// When the bytes are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }
}

/// SHA-256 in lower-case hex: of a token, and of a request, which is recognised by it when it comes again.
pub fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_long_random_and_unprintable() {
        let (a, b) = (Token::generate().unwrap(), Token::generate().unwrap());
        assert_ne!(a.expose(), b.expose());
        assert_eq!(a.expose().len(), 4 + 43);
        assert_eq!(format!("{a:?}"), "<token>");
        let read: Token = a.expose().parse().unwrap();
        assert_eq!(read.hash(), a.hash());
        assert!(!a.hash().as_str().contains(&a.expose()[4..12]));
    }

    #[test]
    fn other_texts_are_no_tokens() {
        for text in ["", "nwt_", "nwt_AAAA", &format!("xxx_{}", "A".repeat(43)), &format!("nwt_{}", "é".repeat(43))] {
            assert!(text.parse::<Token>().is_err(), "{text}");
        }
        assert!(format!("nwt_{}", "A".repeat(43)).parse::<Token>().is_ok());
    }

    #[test]
    fn a_record_is_found_under_its_hash() {
        let token: Token = format!("nwt_{}", "A".repeat(43)).parse().unwrap();
        assert_eq!(TokenHash::of_subject(&token.hash().subject()), Some(token.hash()));
        assert_eq!(TokenHash::of_subject("nw.token.*"), None);
    }

    #[test]
    fn a_record_reads_back_and_older_and_newer_ones_pass() {
        let read = |more: &str| {
            let json = format!(r#"{{"publisher":"hefei","name":"cms","created_at":"2026-11-22T10:00:00Z"{more}}}"#);
            TokenRecord::from_bytes(json.as_bytes()).unwrap()
        };
        let old = read(r#","newer":"field""#);
        assert_eq!(old, TokenRecord::new("hefei".parse().unwrap(), "cms".into(), old.created_at));
        assert_eq!(old.scopes.len(), 3, "it could do everything, and still can");
        let narrow = read(r#","scopes":["read","fly"],"rate":7,"revoked_at":"2026-11-22T10:00:00Z""#);
        assert!(!narrow.scopes.contains(&Scope::Write), "a newer word permits nothing here");
        for record in [old, narrow] {
            assert_eq!(TokenRecord::from_bytes(&record.to_bytes()).unwrap(), record);
        }
    }
}
