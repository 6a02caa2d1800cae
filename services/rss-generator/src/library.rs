//! The documents as they are served.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use article::ArticleId;
use axum::http::StatusCode;
use feed::{FeedMeta, Format, Item, Paging};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use subscription::Selection;

use crate::dictionary::Hash;
use crate::document::Document;
use crate::encode::Packer;

/// What a document is of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Directory,
    /// `None`: the HTML page.
    Feed(Selection, Option<Format>),
    /// A page of older entries; `None`: as HTML.
    Archive(Selection, Option<Format>, PageId),
    Article(ArticleId),
    /// All feeds of sections and publishers, for feed readers.
    Opml,
    /// The news of the last two days, for search engines.
    NewsSitemap,
}

/// Which page of older entries: the how-manieth from the oldest, and a hash of the articles in it. So an address always
/// means the same articles; where one is added or taken away between older ones, the pages after it get new addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PageId {
    /// From 1.
    pub(crate) number: u32,
    pub(crate) mark: u32,
}

impl fmt::Display for PageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:08x}", self.number, self.mark)
    }
}

/// A document fresh from the templates.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
    /// SHA-256 of the body, which takes as long as writing it: it is made where many are written at once.
    pub(crate) hash: Hash,
    /// The last change that readers could notice.
    pub(crate) changed: Timestamp,
    /// Of a live feed: what it was written from, one for all its formats. Pages and archives have none.
    pub(crate) source: Option<Arc<Source>>,
}

impl Draft {
    pub(crate) fn new(status: StatusCode, content_type: &'static str, body: Vec<u8>, changed: Timestamp) -> Self {
        let hash = Sha256::digest(&body).into();
        Self { status, content_type, body, hash, changed, source: None }
    }
}

/// What a feed is written from: `feed::document` of it gives the same bytes at any time.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) meta: FeedMeta,
    pub(crate) paging: Paging,
    pub(crate) items: Vec<Arc<Item>>,
}

impl Source {
    /// The feed in `format`, as it was when this was its source.
    pub(crate) fn written(&self, format: Format) -> Vec<u8> {
        feed::document(format, &self.meta, &self.paging, &self.items).bytes
    }
}

#[derive(Debug)]
struct Shelved {
    document: Arc<Document>,
    /// By the library's clock.
    read: AtomicU32,
}

/// A document on the shelf, for whoever clears it.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) key: Key,
    /// Of memory, roughly.
    pub(crate) bytes: usize,
    /// When somebody last asked for it. Only comparisons mean anything.
    pub(crate) read: u32,
}

/// All documents. Readers see a change of an article in all its feeds at once, or in none.
#[derive(Debug)]
pub(crate) struct Library {
    documents: RwLock<HashMap<Key, Shelved>>,
    /// How often documents were replaced: the time that readings are told apart by.
    clock: AtomicU32,
    caught_up: AtomicBool,
    pub(crate) packer: Packer,
}

impl Library {
    pub(crate) fn new(packer: Packer) -> Self {
        Self { documents: RwLock::default(), clock: AtomicU32::new(0), caught_up: AtomicBool::new(false), packer }
    }

    /// For a reader, which keeps it here.
    pub(crate) fn get(&self, key: &Key) -> Option<Arc<Document>> {
        let documents = self.read();
        let shelved = documents.get(key)?;
        let clock = self.clock.load(Ordering::Relaxed);
        // Written only when it changes: many threads read it.
        if shelved.read.load(Ordering::Relaxed) != clock {
            shelved.read.store(clock, Ordering::Relaxed);
        }
        Some(shelved.document.clone())
    }

    /// How many documents there are.
    pub(crate) fn len(&self) -> usize {
        self.read().len()
    }

    /// Everything there is, in no order.
    pub(crate) fn census(&self) -> Vec<Held> {
        let documents = self.read();
        let held = documents.iter().map(|(key, shelved)| {
            let (bytes, read) = (shelved.document.weight(), shelved.read.load(Ordering::Relaxed));
            Held { key: key.clone(), bytes, read }
        });
        held.collect()
    }

    pub(crate) fn has(&self, key: &Key) -> bool {
        self.read().contains_key(key)
    }

    /// Replaces documents (`None`: removes them), all at once. Answers those that are new.
    ///
    /// A document with the bytes it had keeps its dates: an internal note must not look like news to anybody.
    pub(crate) fn replace(&self, drafts: Vec<(Key, Option<Draft>)>, now: Timestamp) -> Vec<(Key, Arc<Document>)> {
        let mut fresh = Vec::with_capacity(drafts.len());
        let mut changes = Vec::with_capacity(drafts.len());
        for (key, draft) in drafts {
            let Some(draft) = draft else {
                changes.push((key, None));
                continue;
            };
            let old = self.read().get(&key).map(|shelved| shelved.document.clone());
            if old.as_ref().is_some_and(|old| old.status == draft.status && old.hash == draft.hash) {
                continue;
            }
            let document = Arc::new(Document::new(&key, draft, old.as_deref(), now));
            fresh.push((key.clone(), document.clone()));
            changes.push((key, Some(document)));
        }
        // Freed when nobody waits for the lock any more: there may be thousands.
        let mut old = Vec::with_capacity(changes.len());
        let mut documents = self.write();
        // Wraps around after years; the wrong documents are cleared away once.
        let now_read = self.clock.fetch_add(1, Ordering::Relaxed) + 1;
        for (key, document) in changes {
            match document {
                None => old.extend(documents.remove(&key)),
                Some(document) => {
                    // Who reads a feed reads its next version.
                    let read = documents.get(&key).map_or(now_read, |old| old.read.load(Ordering::Relaxed));
                    old.extend(documents.insert(key, Shelved { document, read: AtomicU32::new(read) }));
                }
            }
        }
        drop(documents);
        drop(old);
        for (_, document) in &fresh {
            self.packer.grew(document.weight());
            document.prepare(&self.packer);
        }
        fresh
    }

    #[cfg(test)]
    pub(crate) fn all(&self) -> Vec<(Key, Arc<Document>)> {
        self.read().iter().map(|(key, shelved)| (key.clone(), shelved.document.clone())).collect()
    }

    /// Whether the whole log has been seen; until then an absent document means nothing.
    pub(crate) fn is_caught_up(&self) -> bool {
        self.caught_up.load(Ordering::Acquire)
    }

    pub(crate) fn set_caught_up(&self) {
        self.caught_up.store(true, Ordering::Release);
    }

    // A panic while the lock was held leaves a map of whole documents: serving them beats serving none.
    fn read(&self) -> RwLockReadGuard<'_, HashMap<Key, Shelved>> {
        self.documents.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<Key, Shelved>> {
        self.documents.write().unwrap_or_else(PoisonError::into_inner)
    }
}
