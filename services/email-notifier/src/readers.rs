//! Every confirmed subscriber in memory, kept up to date by the log, and found by what they asked for.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::RwLock;

use article::{Article, ArticleId};
use bus::Bus;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use mail::{Address, Locale};
use roaring::RoaringBitmap;
use subscription::{Features, Index, Selection};
use tokio::sync::watch;
use topology::{SUBSCRIBERS, subjects};

use crate::bounces::{Bounces, Reason};
use crate::digest::belong::{Delivery, Moment, Terms};
use crate::span::{Cap, CapSpan, Pause, Span};
use crate::subscriber::{Subscriber, SubscriberId};

/// Subscribers looked at by whoever goes through all of them, before others have their turn: about a millisecond.
const SOME: usize = 1024;

/// What the send path needs to know of a subscriber.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    pub id: SubscriberId,
    pub address: Address,
    pub locale: Locale,
    /// The zone of their days and hours.
    pub zone: TimeZone,
    pub spans: Box<[Span]>,
    pub pauses: Box<[Pause]>,
    pub caps: Box<[CapSpan]>,
    /// `None`: nothing ever came back.
    bounces: Option<Box<Bounces>>,
}

impl Reader {
    pub(crate) fn of(record: &Subscriber) -> Self {
        Self {
            id: record.id,
            address: record.address.clone(),
            locale: Locale::for_tag(&record.language),
            zone: TimeZone::get(&record.zone).unwrap_or(TimeZone::UTC),
            spans: record.spans().collect(),
            pauses: record.pauses.as_slice().into(),
            caps: record.caps.as_slice().into(),
            bounces: (record.bounces != Bounces::default()).then(|| Box::new(record.bounces.clone())),
        }
    }

    pub(crate) fn terms(&self) -> Terms<'_> {
        Terms { zone: &self.zone, spans: &self.spans, pauses: &self.pauses, caps: &self.caps }
    }

    /// Why nothing may be sent to their mailbox at `now`.
    pub(crate) fn stopped(&self, now: Timestamp) -> Option<Reason> {
        self.bounces.as_ref()?.stops(now)
    }

    /// The cap on alerts that stood at `at`, and the zone of its days and its hour.
    pub(crate) fn cap_at(&self, at: Timestamp) -> Option<(Cap, TimeZone)> {
        let cap = self.caps.iter().find(|cap| cap.covers(at))?;
        Some((cap.cap, cap.zone(&self.zone)))
    }

    /// The selection because of which they get an article with these features: the narrowest of those that match.
    pub(crate) fn why(&self, features: &Features) -> Option<&Selection> {
        let matching = self.spans.iter().map(|span| &span.selection).filter(|s| s.matches(features));
        matching.max_by_key(|selection| selection.narrowness())
    }
}

/// Who has a selection that an article is in, and which. Whether it is for them their spans decide.
#[derive(Debug)]
pub(crate) struct Asked {
    /// In the index.
    numbers: Vec<u32>,
    selections: HashSet<Selection>,
}

impl Asked {
    pub(crate) fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }
}

/// The subscribers, shared by planner and workers.
pub(crate) struct Readers {
    inner: RwLock<Inner>,
    /// Sequence of the last record applied.
    seen: watch::Sender<u64>,
}

#[derive(Default)]
struct Inner {
    index: Index,
    /// A subscriber's number in the index is its place here; a place is never given to another.
    slots: Vec<Option<Reader>>,
    numbers: HashMap<SubscriberId, u32>,
}

impl Readers {
    pub(crate) fn new() -> Self {
        Self { inner: RwLock::default(), seen: watch::Sender::new(0) }
    }

    /// Takes over a record of the log.
    pub(crate) fn apply(&self, record: &Subscriber, sequence: u64) {
        let reader = Some(Reader::of(record)).filter(|reader| !reader.spans.is_empty());
        self.write().replace(record.id, reader);
        self.saw(sequence);
    }

    /// Whoever is erased, or never confirmed.
    pub(crate) fn forget(&self, id: SubscriberId, sequence: u64) {
        self.write().replace(id, None);
        self.saw(sequence);
    }

    /// Notes a message of the log that is no record of a subscriber.
    pub(crate) fn saw(&self, sequence: u64) {
        self.seen.send_replace(sequence);
    }

    /// Waits until everything that is in the log now has been applied: whoever confirmed before an article was
    /// published gets it, however little before, and whoever has left is gone.
    ///
    /// # Errors
    /// When the log cannot be read or is not caught up with in 5 s.
    pub(crate) async fn catch_up(&self, bus: &Bus) -> Result<(), String> {
        let caught_up = bus.catch_up(&SUBSCRIBERS, subjects::SUBSCRIBERS, self.seen.subscribe()).await;
        caught_up.map(drop).map_err(|error| error.to_string())
    }

    /// Whoever asked to be alerted to `article` as it was `published`, in the order of their confirmation; but for their
    /// caps.
    #[cfg(test)]
    pub(crate) fn matching(&self, article: &Article, published: Timestamp) -> Vec<SubscriberId> {
        let mut matching = Vec::new();
        self.alerted(&self.asked(article), published, |_| false, |_, reader| matching.push(reader.id));
        matching
    }

    /// Who has a selection that `article` is in.
    pub(crate) fn asked(&self, article: &Article) -> Asked {
        let features = Features::of(article);
        let inner = self.read();
        let (matching, selections) = inner.index.matching(&features);
        Asked { numbers: matching.iter().collect(), selections: selections.into_iter().cloned().collect() }
    }

    /// Calls `alert`, with their number in the index, for each of those who `asked` to whom an article belongs at once,
    /// given for whom it is `over` their cap. Readers may be changed meanwhile: no change takes effect before the articles
    /// that are published already.
    pub(crate) fn alerted(
        &self,
        asked: &Asked,
        published: Timestamp,
        over: impl Fn(&Reader) -> bool,
        mut alert: impl FnMut(u32, &Reader),
    ) {
        // Asking a selection again would be to go through the text again for each reader.
        let matches = |selection: &Selection| asked.selections.contains(selection);
        for numbers in asked.numbers.chunks(SOME) {
            let inner = self.read();
            for (number, reader) in numbers.iter().filter_map(|number| Some((number, inner.reader(*number)?))) {
                let moment = Moment { over: over(reader), ..Moment::of_alert(published) };
                if reader.terms().delivery(matches, moment) == Some(Delivery::AtOnce) {
                    alert(*number, reader);
                }
            }
        }
    }

    /// Calls `each` with the ids of these, by their numbers in the index.
    pub(crate) fn ids(&self, numbers: &RoaringBitmap, each: impl FnMut(SubscriberId)) {
        let inner = self.read();
        numbers.iter().filter_map(|number| inner.reader(number)).map(|reader| reader.id).for_each(each);
    }

    /// Whoever followed the story of `article` when something of it was published.
    pub(crate) fn followers(&self, article: ArticleId, published: Timestamp) -> Vec<SubscriberId> {
        let story = Selection::following(article);
        let asked = {
            let inner = self.read();
            let numbers = inner.index.having(&story).into_iter().flatten().collect();
            Asked { numbers, selections: HashSet::from([story]) }
        };
        let mut followers = Vec::new();
        self.alerted(&asked, published, |_| false, |_, reader| followers.push(reader.id));
        followers
    }

    /// Goes through all with a selection that has one of these articles, in the order of their confirmation; and tells of
    /// each which of their selections do.
    pub(crate) fn each_of(&self, articles: &[Features], mut each: impl FnMut(&Reader, &dyn Fn(&Selection) -> bool)) {
        let inner = self.read();
        let found = articles.iter().map(|features| inner.index.matching(features));
        let (mut numbers, mut selections) = (BTreeSet::new(), HashSet::new());
        for (matching, matched) in found {
            numbers.extend(matching);
            selections.extend(matched);
        }
        let matches = |selection: &Selection| selections.contains(selection);
        for reader in numbers.into_iter().filter_map(|number| inner.slots.get(number as usize)?.as_ref()) {
            each(reader, &matches);
        }
    }

    /// `None`: not subscribed (any more).
    pub(crate) fn get(&self, id: &SubscriberId) -> Option<Reader> {
        let inner = self.read();
        let number = *inner.numbers.get(id)?;
        let reader = inner.slots.get(number as usize)?.clone()?;
        // What they left is known a while longer, for digests; it is no reason to write to them.
        reader.spans.iter().any(|span| span.until.is_none()).then_some(reader)
    }

    /// Of some of the subscribers, from place `from` on, those who are `wanted`; and where to go on. Whoever has an alert to
    /// plan, or a record to take over, need not wait until all were looked at. `None` at the end.
    pub(crate) fn some(&self, from: usize, wanted: impl FnMut(&Reader) -> bool) -> Option<(Vec<Reader>, usize)> {
        let mut wanted = wanted;
        let inner = self.read();
        let slots = inner.slots.get(from..).filter(|slots| !slots.is_empty())?;
        let slots = &slots[..slots.len().min(SOME)];
        let found = slots.iter().flatten().filter(|reader| wanted(reader)).cloned().collect();
        Some((found, from + slots.len()))
    }

    pub(crate) fn count(&self) -> usize {
        self.read().slots.iter().flatten().count()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Inner> {
        self.inner.read().expect("no code panics while it holds this lock")
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Inner> {
        self.inner.write().expect("no code panics while it holds this lock")
    }
}

impl Inner {
    fn reader(&self, number: u32) -> Option<&Reader> {
        self.slots.get(number as usize)?.as_ref()
    }

    fn replace(&mut self, id: SubscriberId, mut reader: Option<Reader>) {
        let number = match self.numbers.get(&id) {
            Some(number) => *number,
            // Whoever never confirmed takes no place.
            None if reader.is_none() => return,
            None => {
                let number = u32::try_from(self.slots.len()).expect("fewer than 4 billion subscribers");
                self.slots.push(None);
                self.numbers.insert(id, number);
                number
            }
        };
        let slot = &mut self.slots[number as usize];
        for span in slot.iter().flat_map(|old| &old.spans) {
            self.index.remove(number, &span.selection);
        }
        for span in reader.iter_mut().flat_map(|new| &mut new.spans) {
            // Thousands have the same ones.
            span.selection = self.index.insert(number, &span.selection);
        }
        *slot = reader;
    }
}
