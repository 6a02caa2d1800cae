//! The same by hand: no spans, no due times, but letters that lie there until a bell rings.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock, Mutex};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Deed, History, QUARTERS, Sent, ZONES};
use crate::frequency::Frequency;
use crate::span::Cap;

/// The hour of what is over a cap that no record knows.
const HOUR: i8 = 8;

/// An article in somebody's hands, because of one of their subscriptions, until a bell rings.
struct Letter {
    article: usize,
    subscription: usize,
    bell: (Frequency, usize),
}

/// The model's subscriber.
#[derive(Default)]
struct Hand {
    zone: usize,
    wants: [Option<Frequency>; 3],
    cap: Option<Cap>,
    /// When the pause began, and ends.
    pause: Option<(Timestamp, Option<Timestamp>)>,
    letters: Vec<Letter>,
}

impl Hand {
    fn paused(&self, now: Timestamp) -> bool {
        self.pause.is_some_and(|(since, until)| since <= now && until.is_none_or(|until| now < until))
    }

    /// `effect`: five seconds after `pressed`.
    fn does(&mut self, deed: &Deed, pressed: Timestamp, effect: Timestamp) {
        match deed {
            Deed::Join(n, frequency) => self.wants[*n] = self.wants[*n].or(Some(*frequency)),
            Deed::Change(n, frequency) => self.wants[*n] = self.wants[*n].map(|_| *frequency),
            Deed::Leave(n) => {
                self.wants[*n] = None;
                self.letters.retain(|letter| letter.subscription != *n);
            }
            Deed::Move(zone) => self.zone = *zone,
            Deed::Cap(cap) => self.cap = *cap,
            Deed::Pause(hours) => {
                let until = hours.map(|hours| pressed + SignedDuration::from_hours(hours));
                self.pause = Some(match self.pause.filter(|_| self.paused(effect)) {
                    Some((since, _)) => (since, until),
                    None => (effect, until),
                });
            }
            Deed::Resume => self.pause = None,
        }
    }
}

type Rings = Arc<BTreeSet<Timestamp>>;
/// By start, frequency and zone.
type AllRings = HashMap<(usize, Frequency, usize), Rings>;

/// Looked up once for all histories that begin alike: a walk through six weeks takes a while.
fn rings_of(bell: (Frequency, usize), history: &History) -> Rings {
    static KNOWN: LazyLock<Mutex<AllRings>> = LazyLock::new(Mutex::default);
    let key = (history.start, bell.0, bell.1);
    KNOWN.lock().unwrap().entry(key).or_insert_with(|| Arc::new(rings(bell, history))).clone()
}

/// Each day's first quarter at which a clock on the wall shows the hour, or is past it.
fn rings((frequency, zone): (Frequency, usize), history: &History) -> BTreeSet<Timestamp> {
    let (weekday, hour) = match frequency {
        Frequency::Immediate => return BTreeSet::new(),
        Frequency::Daily { hour } => (None, hour),
        Frequency::Weekly { day, hour } => (Some(day), hour),
    };
    let zone = TimeZone::get(ZONES[zone]).unwrap();
    let (mut rings, mut rung) = (BTreeSet::new(), None);
    for quarter in -3 * 96..QUARTERS {
        let now = history.at(quarter * 15, 0);
        let wall = zone.to_datetime(now);
        let today = weekday.is_none_or(|day| wall.weekday() == day);
        if today && wall.hour() >= hour && rung.is_none_or(|rung| wall.date() > rung) {
            rung = Some(wall.date());
            rings.insert(now);
        }
    }
    rings
}

pub(super) fn by_hand(history: &History) -> Sent {
    let mut reader = Hand { zone: history.zone, wants: history.first, ..Hand::default() };
    let (mut sent, mut bells) = (Sent::new(), HashMap::new());
    let runs = history.runs();
    let mut events: Vec<(Timestamp, u8, usize)> = Vec::new();
    let deeds: Vec<(&i64, &Deed)> = history.deeds.iter().collect();
    // At one moment: first what takes effect, then what rings, then what is published.
    events.extend(deeds.iter().enumerate().map(|(n, (minute, _))| (history.at(**minute, 5), 0, n)));
    events.extend((0..QUARTERS as usize).map(|quarter| (history.at(quarter as i64 * 15, 0), 1, quarter)));
    events.extend(history.news.iter().enumerate().map(|(n, news)| (history.published(news), 2, n)));
    events.sort_unstable();
    for (now, kind, n) in events {
        match kind {
            0 => reader.does(deeds[n].1, history.at(*deeds[n].0, 0), now),
            1 if !reader.paused(now) => {
                // Whoever makes the run that this is part of, perhaps much later, may not know of all yet.
                let Some(run) = runs.iter().find(|run| **run >= now) else { continue };
                let letters = reader.letters.iter().filter(|letter| {
                    let bell = bells.entry(letter.bell).or_insert_with(|| rings_of(letter.bell, history));
                    bell.contains(&now) && history.planned(&history.news[letter.article]) <= *run
                });
                let opened: BTreeSet<usize> = letters.map(|letter| letter.article).collect();
                opened.iter().for_each(|article| sent.entry(*article).or_default().push(now));
                reader.letters.retain(|letter| !opened.contains(&letter.article));
            }
            2 if !reader.paused(now) => {
                let news = &history.news[n];
                let wants = |sub: usize| reader.wants[sub].filter(|_| news.matches[sub]);
                if !(news.over && reader.cap.is_some()) && (0..3).any(|sub| wants(sub) == Some(Frequency::Immediate)) {
                    sent.entry(n).or_default().push(now);
                    continue;
                }
                let hour = reader.cap.map_or(HOUR, |cap| cap.hour);
                for (subscription, wanted) in (0..3).filter_map(|sub| Some((sub, wants(sub)?))) {
                    let at = if wanted == Frequency::Immediate { Frequency::Daily { hour } } else { wanted };
                    reader.letters.push(Letter { article: n, subscription, bell: (at, reader.zone) });
                }
            }
            _ => {}
        }
    }
    sent
}
