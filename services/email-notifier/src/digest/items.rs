//! Articles as digests show them, the newest revision of each, in memory.
//!
//! A digest is not of one article but of up to fifty, and a window of several digests: to read each article from the log
//! before every window, as alerts do, would take longer than sending. So the log is followed, and a window asks once
//! whether we have seen its end.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard};

use article::wire::v1::Envelope;
use article::{Article, ArticleId, Status};
use bus::Bus;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use lru::LruCache;
use mail::{DigestItem, Site};
use tokio::sync::watch;
use topology::{ARTICLES, subjects};

use super::chunk::Item;

/// Articles kept, those that came or were asked for last; others are read when they are needed. About 2 KiB each.
const MAX_KEPT: NonZeroUsize = NonZeroUsize::new(10_000).expect("it is not zero");

/// Articles read at one time.
const AT_ONCE: usize = 16;

/// An article as it is now.
#[derive(Debug, Clone)]
pub(crate) struct Newest {
    /// Of its newest revision in ARTICLES; of two, the one with the greater says how it is.
    pub sequence: u64,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    /// `None`: there is nothing to show. It is held, withdrawn, killed, or gone.
    item: Option<Arc<DigestItem>>,
}

impl Newest {
    fn of(article: &Article, sequence: u64, site: &Site) -> Self {
        let item = (article.status == Status::Published).then(|| Arc::new(DigestItem::of(article, site)));
        Self { sequence, from: article.embargoed_until, until: article.expires_at, item }
    }

    fn gone() -> Self {
        Self { sequence: 0, from: None, until: None, item: None }
    }

    /// What a digest that is sent at `now` says of it.
    pub(crate) fn shown(&self, now: Timestamp) -> Option<&Arc<DigestItem>> {
        let stands = self.from.is_none_or(|from| from <= now) && self.until.is_none_or(|until| now < until);
        self.item.as_ref().filter(|_| stands)
    }
}

/// The articles, shared by all workers.
#[derive(Debug)]
pub(crate) struct Items {
    kept: Mutex<LruCache<ArticleId, Newest>>,
    /// Sequence of the last revision that was learnt.
    seen: watch::Sender<u64>,
}

impl Items {
    pub(crate) fn new() -> Self {
        Self { kept: Mutex::new(LruCache::new(MAX_KEPT)), seen: watch::Sender::new(0) }
    }

    /// Takes over a revision of the log.
    pub(crate) fn learn(&self, article: &Article, sequence: u64, site: &Site) {
        self.keep(article.id, Newest::of(article, sequence, site));
    }

    /// Notes that the log was followed up to `sequence`.
    pub(crate) fn saw(&self, sequence: u64) {
        self.seen.send_replace(sequence);
    }

    /// How each of `items` is now, in their order, and up to where the log was followed.
    ///
    /// # Errors
    /// When the log cannot be read, or is not caught up with in 5 s.
    pub(crate) async fn newest(&self, bus: &Bus, items: Vec<Item>, site: &Site) -> Result<(Vec<Newest>, u64), String> {
        let caught_up = bus.catch_up(&ARTICLES, subjects::ARTICLES, self.seen.subscribe()).await;
        let sequence = caught_up.map_err(|error| error.to_string())?;
        let newest = stream::iter(items).map(|item| self.one(bus, item, site)).buffered(AT_ONCE).try_collect().await?;
        Ok((newest, sequence))
    }

    async fn one(&self, bus: &Bus, item: Item, site: &Site) -> Result<Newest, String> {
        if let Some(known) = self.lock().get(&item.article) {
            return Ok(known.clone());
        }
        let subject = subjects::article(&item.publisher, &item.article);
        let Some(stored) = bus.last(&ARTICLES, &subject).await.map_err(|error| error.to_string())? else {
            return Ok(Newest::gone());
        };
        // Whoever plans reports what does not read.
        let Ok(envelope) = Envelope::from_bytes(&stored.payload) else { return Ok(Newest::gone()) };
        let newest = Newest::of(&envelope.data, stored.sequence, site);
        Ok(self.keep(item.article, newest))
    }

    /// Keeps the newer of what is known and `newest`, and answers it.
    fn keep(&self, article: ArticleId, newest: Newest) -> Newest {
        let mut kept = self.lock();
        let known = kept.get(&article).filter(|known| known.sequence > newest.sequence).cloned();
        known.unwrap_or_else(|| {
            kept.put(article, newest.clone());
            newest
        })
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<ArticleId, Newest>> {
        self.kept.lock().expect("no code panics while it holds this lock")
    }
}
