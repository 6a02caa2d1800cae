//! Documents that nobody has asked for yet are made when somebody does.

use std::collections::HashSet;
use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lru::LruCache;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::timeout;

use crate::document::Document;
use crate::encode::Packer;
use crate::library::{Key, Library};

/// Requests that may wait for a document to be made, as many as there are connections; more are told to come again.
const WAITING: usize = 4096;

/// How long a request waits. The document is made all the same, for whoever asks next.
const PATIENCE: Duration = Duration::from_secs(10);

/// Requests of one client network that wait at a time; its others wait for these. So a flood of addresses that nobody
/// else reads holds up whoever sends it.
const OF_ONE: usize = 8;

/// Networks remembered, those seen last.
const NETWORKS: NonZeroUsize = NonZeroUsize::new(4096).expect("not zero");

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
    turns: Arc<Mutex<LruCache<IpAddr, Arc<Semaphore>>>>,
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
        let turns = Arc::new(Mutex::new(LruCache::new(NETWORKS)));
        (Self { library, wishes, kept, turns }, Wishes { wishes: receiver, kept: watched })
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

    /// As [`Maker::get`], for a reader in the network `client`, who shares with the others there.
    pub(crate) async fn get_for(&self, client: IpAddr, key: &Key) -> Made {
        if let Some(document) = self.library.get(key) {
            return Made::Document(document);
        }
        let turns = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            turns.get_or_insert(client, || Arc::new(Semaphore::new(OF_ONE))).clone()
        };
        let made = timeout(PATIENCE, async {
            let _turn = turns.acquire().await;
            self.get(key).await
        });
        made.await.unwrap_or(Made::Busy)
    }

    /// Has exactly these kept up whether anybody asks for them or not, whatever room they take. They are made one by one;
    /// of a name that no article has there is a feed as soon as it is kept.
    pub(crate) fn keep(&self, keys: HashSet<Key>) {
        self.kept.send_replace(keys);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    fn article(n: u8) -> Key {
        Key::Article(article::ArticleId::derived(&"riverton".parse().unwrap(), "sample", &[n]))
    }

    #[tokio::test]
    async fn a_flood_from_one_network_holds_up_nobody_elsewhere() {
        let library = Arc::new(Library::new(Packer::new().0));
        library.set_caught_up();
        let (maker, mut wishes) = Maker::new(library);
        let (flooding, other): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let keys: Vec<Key> = (0..100).map(article).collect();
        let mut requests: Vec<_> = keys.iter().map(|key| Box::pin(maker.get_for(flooding, key))).collect();
        let mut context = Context::from_waker(Waker::noop());
        for request in &mut requests {
            assert!(request.as_mut().poll(&mut context).is_pending());
        }
        let key = article(200);
        let mut patient = pin!(maker.get_for(other, &key));
        assert!(patient.as_mut().poll(&mut context).is_pending());
        let mut waiting = Vec::new();
        while let Ok(wish) = wishes.wishes.try_recv() {
            waiting.push(wish);
        }
        assert_eq!(waiting.len(), OF_ONE + 1);
        let last = waiting.pop().unwrap();
        assert_eq!(last.key, key);
        assert!(last.answer.send(Made::Nothing).is_ok());
        assert!(matches!(patient.await, Made::Nothing));
        // One is answered, one goes away: two others of its network have their turn.
        assert!(waiting.remove(0).answer.send(Made::Nothing).is_ok());
        assert!(matches!(requests.remove(0).await, Made::Nothing));
        drop(requests.remove(0));
        for request in &mut requests {
            assert!(request.as_mut().poll(&mut context).is_pending());
        }
        let next: Vec<Key> = std::iter::from_fn(|| wishes.wishes.try_recv().ok()).map(|wish| wish.key).collect();
        assert_eq!(next, [article(8), article(9)]);
    }
}
