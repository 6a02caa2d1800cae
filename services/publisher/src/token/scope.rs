//! What a token may do.

use std::collections::BTreeSet;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One thing that a token may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Read the publisher's articles.
    Read,
    /// Create, revise, hold, release, withdraw and reinstate them.
    Write,
    /// Kill them.
    Kill,
    /// A word of a newer version. It permits nothing that this one does.
    #[serde(other)]
    Unknown,
}

/// The word is no scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a scope is read, write or kill")]
pub struct NotAScope;

impl Scope {
    /// Everything that there is.
    pub fn all() -> BTreeSet<Self> {
        BTreeSet::from([Self::Read, Self::Write, Self::Kill])
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Kill => "kill",
            Self::Unknown => "unknown",
        }
    }
}

impl FromStr for Scope {
    type Err = NotAScope;

    fn from_str(word: &str) -> Result<Self, NotAScope> {
        Self::all().into_iter().find(|scope| scope.as_str() == word).ok_or(NotAScope)
    }
}
