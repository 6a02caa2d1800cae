//! Documents that nobody has asked for yet are made when somebody does.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::document::Document;
use crate::encode::Packer;
use crate::library::{Key, Library};

/// Requests that may wait for a document to be made; more are told to come again.
const WAITING: usize = 256;

/// A request for a document that is not on the shelf.
pub(crate) struct Wish {
    pub(crate) key: Key,
    /// `None`: there is no such document.
    pub(crate) answer: oneshot::Sender<Option<Arc<Document>>>,
}

/// What became of a request.
pub(crate) enum Made {
    Document(Arc<Document>),
    /// There is nothing at this address.
    Nothing,
    /// Nobody knows yet: the log is still being read.
    Starting,
    /// Too many are waiting.
    Busy,
}

/// Finds documents, and has those made that are missing.
#[derive(Clone)]
pub(crate) struct Maker {
    library: Arc<Library>,
    wishes: mpsc::Sender<Wish>,
}

impl Maker {
    pub(crate) fn new(library: Arc<Library>) -> (Self, mpsc::Receiver<Wish>) {
        let (wishes, receiver) = mpsc::channel(WAITING);
        (Self { library, wishes }, receiver)
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
        match made.await {
            Ok(Some(document)) => Made::Document(document),
            Ok(None) => Made::Nothing,
            Err(_dropped) => Made::Busy,
        }
    }
}
