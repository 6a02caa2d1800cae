//! Documents that nobody has asked for yet are made when somebody does.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use crate::document::Document;
use crate::encode::Packer;
use crate::library::{Key, Library};

/// Requests that may wait for a document to be made, as many as there are connections; more are told to come again.
const WAITING: usize = 4096;

/// How long a request waits. The document is made all the same, for whoever asks next.
const PATIENCE: Duration = Duration::from_secs(10);

/// A request for a document that is not on the shelf.
pub(crate) struct Wish {
    pub(crate) key: Key,
    pub(crate) answer: oneshot::Sender<Made>,
}

/// What became of a request.
pub(crate) enum Made {
    Document(Arc<Document>),
    /// There is nothing at this address.
    Nothing,
    /// Nobody knows yet: the log is still being read.
    Starting,
    /// Too many are waiting, or it takes too long.
    Busy,
}

/// Finds documents, and has those made that are missing.
#[derive(Clone)]
pub(crate) struct Maker {
    library: Arc<Library>,
    wishes: mpsc::Sender<Wish>,
    kept: watch::Sender<HashSet<Key>>,
}

/// What [`Maker`]s want.
pub(crate) struct Wishes {
    pub(crate) wishes: mpsc::Receiver<Wish>,
    pub(crate) kept: watch::Receiver<HashSet<Key>>,
}

impl Maker {
    pub(crate) fn new(library: Arc<Library>) -> (Self, Wishes) {
        let (wishes, receiver) = mpsc::channel(WAITING);
        let (kept, watched) = watch::channel(HashSet::new());
        (Self { library, wishes, kept }, Wishes { wishes: receiver, kept: watched })
    }

    /// Compresses what is read.
    pub(crate) fn packer(&self) -> &Packer {
        &self.library.packer
    }

    /// The document on the shelf, or a new one.
    pub(crate) async fn get(&self, key: &Key) -> Made {
        if let Some(document) = self.library.get(key) {
            return Made::Document(document);
        }
        if !self.library.is_caught_up() {
            return Made::Starting;
        }
        let (answer, made) = oneshot::channel();
        if self.wishes.try_send(Wish { key: key.clone(), answer }).is_err() {
            return Made::Busy;
        }
        match timeout(PATIENCE, made).await {
            Ok(Ok(made)) => made,
            Ok(Err(_dropped)) => Made::Busy,
            Err(_elapsed) => Made::Busy,
        }
    }

    /// Has exactly these kept up whether anybody asks for them or not, whatever room they take. They are made one by one;
    /// of a name that no article has there is a feed as soon as it is kept.
    pub(crate) fn keep(&self, keys: HashSet<Key>) {
        self.kept.send_replace(keys);
    }
}
