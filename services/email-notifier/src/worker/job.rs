//! What a chunk is of: an article, or many.

use jiff::Timestamp;
use serde::Deserialize;

use crate::digest::chunk::DigestChunk;
use crate::ledger::Ledger;
use crate::plan::{Chunk, Lane, RetryCall};
use crate::subscriber::SubscriberId;

/// A chunk to be worked off.
#[derive(Debug, Clone)]
pub(crate) enum Job {
    Article(Chunk),
    Digest(DigestChunk),
}

impl Job {
    /// Reads a chunk of whatever lane.
    ///
    /// # Errors
    /// When the bytes are no chunk.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Kept {
            lane: Lane,
        }
        match serde_json::from_slice::<Kept>(bytes)?.lane {
            Lane::Digest => serde_json::from_slice(bytes).map(Self::Digest),
            Lane::Breaking | Lane::Normal => serde_json::from_slice(bytes).map(Self::Article),
        }
    }

    pub(crate) fn plan(&self) -> &str {
        match self {
            Self::Article(chunk) => &chunk.plan,
            Self::Digest(chunk) => &chunk.plan,
        }
    }

    pub(crate) fn chunk(&self) -> u32 {
        match self {
            Self::Article(chunk) => chunk.chunk,
            Self::Digest(chunk) => chunk.chunk,
        }
    }

    pub(crate) fn lane(&self) -> Lane {
        match self {
            Self::Article(chunk) => chunk.lane,
            Self::Digest(chunk) => chunk.lane,
        }
    }

    pub(crate) fn planned_at(&self) -> Timestamp {
        match self {
            Self::Article(chunk) => chunk.planned_at,
            Self::Digest(chunk) => chunk.planned_at,
        }
    }

    /// As [`Chunk::revision`]; digests are of none.
    pub(super) fn revision(&self) -> u32 {
        match self {
            Self::Article(chunk) => chunk.revision,
            Self::Digest(_) => 0,
        }
    }

    pub(crate) fn recipients(&self) -> &[SubscriberId] {
        match self {
            Self::Article(chunk) => &chunk.recipients,
            Self::Digest(chunk) => &chunk.recipients,
        }
    }

    /// After a crash: an alert whose answer was lost is sent again. A digest is not, for the next one is at hand.
    pub(super) fn recover(&self, ledger: &mut Ledger) {
        match self {
            Self::Article(_) => ledger.recover(),
            Self::Digest(_) => ledger.let_go(),
        }
    }

    /// After a window, in the same way.
    pub(super) fn settle(&self, ledger: &mut Ledger) {
        if let Self::Digest(_) = self {
            ledger.let_go();
        }
    }

    /// The call for an attempt.
    pub(super) fn call(&self, attempt: u32) -> RetryCall {
        RetryCall { plan: self.plan().to_owned(), lane: self.lane(), chunk: self.chunk(), attempt }
    }
}
