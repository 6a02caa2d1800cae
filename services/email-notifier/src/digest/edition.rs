//! What each subscriber is sent in a run of digests. Pure.
//!
//! Most have asked for the same at the same hour as many others, so lists are made for what was asked for, once, and
//! not for each subscriber.

use std::collections::HashMap;

use jiff::Timestamp;
use subscription::Selection;

use super::belong::{Delivery, Moment, Terms};
use super::due::Window;
use super::news::{Alerted, Known};
use crate::frequency::Frequency;
use crate::readers::Reader;
use crate::span::{Pause, Span};

/// Articles in a digest. What there is beyond them is a number and a link.
pub(crate) const MAX_ITEMS: usize = 50;

/// Kinds of subscribers whose list is remembered: some hundred bytes each.
const MAX_PROFILES: usize = 65_536;

/// The news of a run, and who asked for what of it.
#[derive(Debug)]
pub(crate) struct Edition {
    window: Window,
    /// The first known first.
    pub news: Vec<Known>,
    /// The earliest publication in `news` from each place on: what is known late was published before.
    earliest: Vec<Timestamp>,
    /// Places in `news`, in order, of what each selection has.
    found: HashMap<Selection, Vec<u32>>,
}

/// Whether an article is more than somebody's cap lets through at once.
pub(crate) type Over<'a> = &'a dyn Fn(&Alerted) -> bool;

impl Edition {
    /// `news`: the first known first.
    pub(crate) fn new(window: Window, news: Vec<Known>) -> Self {
        let mut earliest: Vec<Timestamp> = news.iter().map(|known| known.alerted.published).collect();
        for place in (1..earliest.len()).rev() {
            earliest[place - 1] = earliest[place - 1].min(earliest[place]);
        }
        Self { window, news, earliest, found: HashMap::new() }
    }

    /// Notes which selections have the article at `place`; they come in the order of `news`.
    pub(crate) fn note<'a>(&mut self, place: u32, matching: impl Iterator<Item = &'a Selection>) {
        for selection in matching {
            match self.found.get_mut(selection) {
                Some(places) => places.push(place),
                None => drop(self.found.insert(selection.clone(), vec![place])),
            }
        }
    }

    /// What somebody is due in the window, and when: of what is known `since` then.
    pub(crate) fn due(&self, terms: &Terms<'_>, since: Timestamp, over: Option<Over<'_>>) -> Vec<(u32, Timestamp)> {
        let selections = terms.spans.iter().filter(|span| over.is_some() || span.frequency != Frequency::Immediate);
        let found = selections.filter_map(|span| self.found.get(&span.selection)).flatten();
        let first = self.first(since) as u32;
        let mut places: Vec<u32> = found.copied().filter(|place| *place >= first).collect();
        places.sort_unstable();
        places.dedup();
        let due = places.into_iter().filter_map(|place| {
            let Known { alerted, since } = &self.news[place as usize];
            let has = |asked: &Selection| self.found.get(asked).is_some_and(|has| has.binary_search(&place).is_ok());
            let over = over.is_some_and(|over| over(alerted));
            match terms.delivery(has, Moment { published: alerted.published, known: *since, over })? {
                Delivery::Due(due) if self.window.has(due) => Some((place, due)),
                _ => None,
            }
        });
        due.collect()
    }

    fn first(&self, since: Timestamp) -> usize {
        self.news.partition_point(|known| known.since < since)
    }
}

/// What is sent to several subscribers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Content {
    /// Places in the edition's news, the newest article first.
    pub items: Vec<u32>,
    pub more: u32,
    /// The last due that it is sent for.
    pub due: Timestamp,
}

/// All that decides what somebody is sent, if nothing is over a cap of theirs.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Profile {
    zone: Box<str>,
    spans: Vec<Span>,
    pauses: Vec<Pause>,
    since: Timestamp,
}

/// The lists of a run, each once.
#[derive(Debug)]
pub(crate) struct Lists<'a> {
    edition: &'a Edition,
    numbers: HashMap<Content, u32>,
    known: HashMap<Profile, Option<u32>>,
}

impl<'a> Lists<'a> {
    pub(crate) fn new(edition: &'a Edition) -> Self {
        Self { edition, numbers: HashMap::new(), known: HashMap::new() }
    }

    /// The number of what `reader` is sent; `None`: nothing. `since` is their [`super::due::Dues::since`].
    pub(crate) fn of(&mut self, reader: &Reader, since: Timestamp, over: Option<Over<'_>>) -> Option<u32> {
        if over.is_some() {
            return self.number(&reader.terms(), since, over);
        }
        let place = self.edition.first(since);
        let earliest = *self.edition.earliest.get(place)?;
        let profile = profile(reader, earliest, since);
        if let Some(list) = self.known.get(&profile) {
            return *list;
        }
        let terms = Terms { zone: &reader.zone, spans: &profile.spans, pauses: &profile.pauses, caps: &[] };
        let list = self.number(&terms, since, None);
        if self.known.len() >= MAX_PROFILES {
            self.known.clear();
        }
        self.known.insert(profile, list);
        list
    }

    /// The lists, by number.
    pub(crate) fn contents(self) -> Vec<Content> {
        let mut contents: Vec<(Content, u32)> = self.numbers.into_iter().collect();
        contents.sort_unstable_by_key(|(_, number)| *number);
        contents.into_iter().map(|(content, _)| content).collect()
    }

    fn number(&mut self, terms: &Terms<'_>, since: Timestamp, over: Option<Over<'_>>) -> Option<u32> {
        let mut due = self.edition.due(terms, since, over);
        let last = due.iter().map(|(_, due)| *due).max()?;
        let news = &self.edition.news;
        let newest = |place: u32| (news[place as usize].alerted.published, news[place as usize].alerted.sequence);
        due.sort_unstable_by_key(|(place, _)| std::cmp::Reverse(newest(*place)));
        let more = u32::try_from(due.len().saturating_sub(MAX_ITEMS)).unwrap_or(u32::MAX);
        let items = due.iter().take(MAX_ITEMS).map(|(place, _)| *place).collect();
        let next = u32::try_from(self.numbers.len()).expect("fewer lists than subscribers");
        Some(*self.numbers.entry(Content { items, more, due: last }).or_insert(next))
    }
}

/// What `reader` asked for, as far as it concerns what was published from `earliest` on: how long before they asked for
/// it, or what they asked for earlier, makes no difference.
fn profile(reader: &Reader, earliest: Timestamp, since: Timestamp) -> Profile {
    let after = |until: Option<Timestamp>| until.is_none_or(|until| until > earliest);
    let spans = reader.spans.iter().filter(|span| after(span.until));
    Profile {
        zone: reader.zone.iana_name().unwrap_or("UTC").into(),
        spans: spans.map(|span| Span { since: span.since.max(earliest), ..span.clone() }).collect(),
        pauses: reader.pauses.iter().filter(|pause| after(pause.until)).copied().collect(),
        since,
    }
}

#[cfg(test)]
mod tests {
    use article::ArticleId;
    use subscription::Selection;

    use super::*;
    use crate::subscriber::{Subscriber, SubscriberId};

    fn hour(hours: i64) -> Timestamp {
        "2026-11-23T00:00:00Z".parse::<Timestamp>().unwrap() + jiff::SignedDuration::from_hours(hours)
    }

    fn known(n: u64, published: Timestamp) -> Known {
        let publisher: article::PublisherId = "test".parse().unwrap();
        let article = ArticleId::derived(&publisher, "test", &n.to_be_bytes());
        let alerted = Alerted { article, publisher, published, sequence: n, breaking: false, caps_seen: 0 };
        Known { alerted, since: published }
    }

    fn reader(selections: &[&str], confirmed: Timestamp) -> Reader {
        let address = "reader@example.org".parse().unwrap();
        let mut record = Subscriber::new(SubscriberId::random(), address, "en".into(), "UTC".into());
        for selection in selections {
            record.add(&selection.parse().unwrap(), Frequency::Daily { hour: 8 }, confirmed).unwrap();
        }
        Reader::of(&record)
    }

    /// Sixty articles, a minute apart from midnight on; every third is world news.
    fn edition() -> Edition {
        let window = Window { after: hour(7), until: hour(8) };
        let minutes = |n: u64| hour(0) + jiff::SignedDuration::from_mins(n as i64);
        let mut edition = Edition::new(window, (0..60).map(|n| known(n, minutes(n))).collect());
        let (all, world) = (Selection::everything(), "section/world".parse::<Selection>().unwrap());
        for place in 0..60 {
            edition.note(place, [&all, &world].into_iter().take(if place % 3 == 0 { 2 } else { 1 }));
        }
        edition
    }

    #[test]
    fn a_digest_has_the_newest_fifty_and_says_how_many_more() {
        let edition = edition();
        let mut lists = Lists::new(&edition);
        let list = lists.of(&reader(&["all", "section/world"], hour(-99)), hour(-16), None);
        let content = &lists.contents()[list.unwrap() as usize];
        assert_eq!((content.items.len(), content.more, content.due), (50, 10, hour(8)));
        assert_eq!((content.items[0], content.items[49]), (59, 10));
    }

    #[test]
    fn who_asked_for_the_same_shares_a_list_whenever_they_did() {
        let edition = edition();
        let mut lists = Lists::new(&edition);
        let mut of = |selections: &[&str], confirmed| lists.of(&reader(selections, confirmed), hour(-16), None);
        assert_eq!(
            [of(&["all"], hour(-99)), of(&["all"], hour(-20)), of(&["all", "section/world"], hour(-9))],
            [Some(0); 3]
        );
        assert_eq!([of(&["section/world"], hour(-99)), of(&["section/world"], hour(-8))], [Some(1); 2]);
        assert_eq!(of(&["section/sport"], hour(-99)), None);
        let late = jiff::SignedDuration::from_mins(30);
        assert_eq!(of(&["all"], hour(0) + late), Some(2), "what was published before they asked is not theirs");
        assert_eq!(lists.known.len(), 5, "the same is worked out once");
        assert_eq!(lists.contents()[2].items.len(), 30);
    }
}
