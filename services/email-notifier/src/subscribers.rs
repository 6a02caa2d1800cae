//! What the operator asks about subscribers: to take them in, give them out, show one, forget one.
//!
//! Questions and answers are JSON over NATS; only the operator's identity may ask. An answer is what was asked for, or
//! one line that says what to do.

mod export;
mod import;
#[cfg(test)]
mod measure;
mod remains;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use article::ArticleId;
use bus::Bus;
use bytes::Bytes;
use mail::Address;
use serde::{Deserialize, Serialize};

pub(crate) use self::remains::remains;
use crate::asks::{Records, Told, told};
use crate::digest::news::News;
use crate::store::Store;

/// Rows one question may bring.
pub const MAX_ROWS: usize = 1000;

/// Bytes that one question or answer stays under; the server takes 1 MiB.
pub const MAX_QUESTION: usize = 512 * 1024;

/// What the operator asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Question {
    /// At most [`MAX_ROWS`]. Answered by a list of [`Outcome`], in their order.
    Import {
        rows: Vec<Row>,
        #[serde(default)]
        dry_run: bool,
    },
    /// Answered by a [`Page`].
    Export {
        /// [`Page::next`] of the page before; 0 for the first.
        after: u64,
    },
    /// Answered by a [`Shown`].
    Show { address: String },
    /// Answered by a [`Forgotten`].
    Erase { address: String },
    /// What an address was sent of an article, and why. Answered by a [`Told`].
    Why { article: ArticleId, address: String },
}

/// One subscription, as its columns stand in a file. What is empty is not said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Row {
    pub address: String,
    /// Empty: everything.
    #[serde(default)]
    pub selection: String,
    /// Empty: `immediate`.
    #[serde(default)]
    pub frequency: String,
    /// IANA name; empty: the service's own.
    #[serde(default)]
    pub zone: String,
    /// BCP 47; empty: English.
    #[serde(default)]
    pub language: String,
    /// When its owner agreed, RFC 3339 or a day. Empty: they are asked by mail.
    #[serde(default)]
    pub confirmed_at: String,
    /// Where they agreed. Goes with `confirmed_at`.
    #[serde(default)]
    pub source: String,
}

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    Added,
    /// A mail asks them to confirm.
    Asked,
    Unchanged {
        why: String,
    },
    Error {
        column: String,
        problem: String,
    },
    /// Nothing is wrong with the row: the same file again takes it in.
    Failed {
        problem: String,
    },
}

/// Some of the confirmed subscriptions.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Page {
    pub rows: Vec<Row>,
    /// Subscribers whose record does not read.
    pub unreadable: u64,
    /// `None`: this was the last.
    pub next: Option<u64>,
}

/// What is known at an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Everything that is kept of them, as it is kept.
    pub record: Option<serde_json::Value>,
    /// Why the address is never written to again.
    pub suppressed: Option<String>,
}

/// What was erased of an address, and what remains where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgotten {
    /// `false`: nobody was there to erase.
    pub erased: bool,
    pub remains: Vec<Remains>,
}

/// Something that is left of a subscriber who was erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remains {
    pub place: String,
    pub what: String,
    pub until: String,
}

/// What a question is answered with.
pub type Answer<T> = Result<T, String>;

/// Answers the operator.
#[derive(Clone)]
pub(crate) struct Desk {
    pub bus: Bus,
    pub store: Store,
    pub news: Arc<News>,
}

impl Desk {
    pub(crate) async fn answer(&self, question: &[u8]) -> Bytes {
        match serde_json::from_slice(question) {
            Ok(Question::Import { rows, dry_run }) => written(&self.import(rows, dry_run).await),
            Ok(Question::Export { after }) => written(&self.export(after).await),
            Ok(Question::Show { address }) => written(&self.show(&address).await),
            Ok(Question::Erase { address }) => written(&self.erase(&address).await),
            Ok(Question::Why { article, address }) => written(&self.why(article, &address).await),
            Err(error) => written::<()>(&Err(format!("not a question of this version: {error}"))),
        }
    }

    async fn show(&self, address: &str) -> Answer<Shown> {
        let address = parsed(address)?;
        let record = self.store.at(&address).await.map_err(away)?;
        let suppressed = self.store.suppressed(&address).await.map_err(away)?;
        let record = record.map(|record| serde_json::to_value(&record).expect("records have string keys only"));
        Ok(Shown { record, suppressed })
    }

    async fn why(&self, article: ArticleId, address: &str) -> Answer<Told> {
        let address = parsed(address)?;
        tracing::info!(%article, "the operator asks what an address was sent");
        told(&Records { bus: &self.bus, store: &self.store, news: &self.news }, article, &address).await
    }

    async fn erase(&self, address: &str) -> Answer<Forgotten> {
        let address = parsed(address)?;
        let erased = self.store.erase_at(&address).await.map_err(away)?;
        if erased.anything {
            tracing::info!(address = address.masked(), "a subscriber was erased, as the operator asked");
        }
        Ok(Forgotten { erased: erased.anything, remains: remains(&self.bus, &erased).await })
    }
}

fn parsed(address: &str) -> Answer<Address> {
    address.parse().map_err(|problem: mail::InvalidAddress| problem.to_string())
}

fn away(error: crate::store::StoreError) -> String {
    format!("{error}; ask again")
}

fn written<T: Serialize>(answer: &Answer<T>) -> Bytes {
    serde_json::to_vec(answer).expect("answers have string keys only").into()
}
