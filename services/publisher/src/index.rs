//! Which articles a publisher has, by their last change: kept in memory by following the headers of the log.
//!
//! 140 bytes an article (resident memory after 500,000 and as many revisions, divided), so 70 MB for the half million
//! that the log holds. Texts are not here; whoever shows an article reads it, and sees what is there then.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use article::{ArticleId, PublisherId, Status};
use bus::{Bus, TailEvent};
use tokio_util::sync::CancellationToken;
use topology::{ARTICLES, EMBARGOES, Stream};

/// The header of a revision's message that says where the article stands, as [`Status::as_str`] does.
pub(crate) const STATUS_HEADER: &str = "Newswire-Status";

/// The articles of all publishers, newest change first.
#[derive(Clone, Default)]
pub(crate) struct Index {
    state: Arc<RwLock<State>>,
}

#[derive(Default)]
struct State {
    shelves: HashMap<PublisherId, Shelf>,
    /// Streams of which everything has been seen that was there at the start.
    caught_up: usize,
}

/// The articles of one publisher.
#[derive(Default)]
struct Shelf {
    places: HashMap<ArticleId, Place>,
    newest: BTreeMap<Place, (ArticleId, Option<Status>)>,
}

/// Where an article's last revision is. The order is that of the changes; no two are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// When the server stored it, in microseconds since 1970.
    at: u64,
    /// Twice its sequence, and one more in the log of what is public. No sequence reaches 2^63.
    sequence: u64,
}

/// The streams that have articles. Once the log has one, what the other has of it is a leftover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Embargoes,
    Log,
}

const SOURCES: [(Source, Stream); 2] = [(Source::Log, ARTICLES), (Source::Embargoes, EMBARGOES)];

impl Place {
    fn new(at: jiff::Timestamp, sequence: u64, source: Source) -> Self {
        Self {
            at: u64::try_from(at.as_microsecond()).unwrap_or(0),
            sequence: sequence << 1 | u64::from(source == Source::Log),
        }
    }

    fn source(self) -> Source {
        if self.sequence & 1 == 1 { Source::Log } else { Source::Embargoes }
    }

    /// As a text for an address.
    pub(crate) fn cursor(self) -> String {
        format!("{:x}.{:x}", self.at, self.sequence)
    }

    /// Reads what [`Place::cursor`] wrote.
    pub(crate) fn from_cursor(text: &str) -> Option<Self> {
        let (at, sequence) = text.split_once('.')?;
        Some(Self { at: u64::from_str_radix(at, 16).ok()?, sequence: u64::from_str_radix(sequence, 16).ok()? })
    }
}

/// A part of a list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) articles: Vec<(ArticleId, Place)>,
    /// There are more behind the last of these.
    pub(crate) more: bool,
}

impl Index {
    /// Follows the streams until `shutdown`; outages are waited out.
    pub(crate) async fn follow(self, bus: Bus, shutdown: CancellationToken) {
        let follow = async |(source, stream): (Source, Stream)| {
            let mut tail = bus.tail_headers(&stream, shutdown.clone());
            while let Some(event) = tail.next().await {
                match event {
                    TailEvent::CaughtUp => self.write(|state| state.caught_up += 1),
                    TailEvent::Message { subject, headers, sequence, stored_at, .. } => {
                        let status = headers.get(STATUS_HEADER).and_then(|word| Status::from_word(word.as_str()));
                        self.take(&subject, status, Place::new(stored_at, sequence, source));
                    }
                }
            }
        };
        let [log, embargoes] = SOURCES;
        tokio::join!(follow(log), follow(embargoes));
    }

    /// The publisher's articles that were changed before `before`, newest first, at most `limit`; `None` while not all
    /// have been seen. With a status those that have it, and those whose status is not known here.
    pub(crate) fn page(
        &self,
        publisher: &PublisherId,
        status: Option<Status>,
        before: Option<Place>,
        limit: usize,
    ) -> Option<Page> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        if state.caught_up < SOURCES.len() {
            return None;
        }
        let Some(shelf) = state.shelves.get(publisher) else { return Some(Page { articles: Vec::new(), more: false }) };
        let last = before.unwrap_or(Place { at: u64::MAX, sequence: u64::MAX });
        let meant = |found: Option<Status>| found.is_none() || status.is_none() || found == status;
        let candidates = shelf.newest.range(..last).rev().filter(|(_, (_, status))| meant(*status));
        let mut articles: Vec<_> = candidates.map(|(place, (id, _))| (*id, *place)).take(limit + 1).collect();
        let more = articles.len() > limit;
        articles.truncate(limit);
        Some(Page { articles, more })
    }

    fn write(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.write().unwrap_or_else(PoisonError::into_inner));
    }

    fn take(&self, subject: &str, status: Option<Status>, place: Place) {
        let mut tokens = subject.rsplit('.');
        let id = tokens.next().and_then(|id| id.parse().ok());
        let Some((id, publisher)) = id.zip(tokens.next().and_then(|name| name.parse().ok())) else {
            return tracing::error!(subject, "a message of an article under a subject that no article has");
        };
        self.write(|state| state.shelves.entry(publisher).or_default().put(id, status, place));
    }
}

impl Shelf {
    fn put(&mut self, id: ArticleId, status: Option<Status>, place: Place) {
        if let Some(before) = self.places.get(&id) {
            if (before.source(), place.source()) == (Source::Log, Source::Embargoes) {
                return;
            }
            self.newest.remove(before);
        }
        self.places.insert(id, place);
        self.newest.insert(place, (id, status));
    }
}

#[cfg(test)]
mod tests;
