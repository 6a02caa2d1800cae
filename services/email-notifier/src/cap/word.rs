//! What a plan says of caps: whom its alert counts for, and whose cap it fills. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{fills, storm};
use crate::plan::ids;
use crate::span::Cap;
use crate::subscriber::SubscriberId;

/// Ids in one message: 21.4 bytes each, of the 960 KiB that a message may have.
const IDS: usize = 40_000;

/// One message of it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Word {
    /// When the plan's article was published.
    pub at: Timestamp,
    pub days: Vec<Day>,
}

/// Those whose day ends at one time.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Day {
    pub until: Timestamp,
    /// They have no cap, and were sent too much in ten minutes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub storm: bool,
    /// They may have more that day.
    #[serde(with = "ids")]
    pub counted: Vec<SubscriberId>,
    #[serde(with = "ids")]
    pub full: Vec<SubscriberId>,
}

/// What there is to say of a plan's recipients.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// By the end of their day; first those who may have more.
    days: BTreeMap<Timestamp, [Vec<SubscriberId>; 2]>,
    storm: Vec<SubscriberId>,
}

impl Tally {
    /// One more alert for somebody who had `before` on the day that ends at `until`.
    pub(crate) fn count(&mut self, id: SubscriberId, cap: Cap, before: u32, until: Timestamp) {
        self.days.entry(until).or_default()[usize::from(fills(cap, before))].push(id);
    }

    /// The last one that they get at once in a storm.
    pub(crate) fn fill_by_storm(&mut self, id: SubscriberId) {
        self.storm.push(id);
    }

    /// Whether it counts for anybody's cap: of two plans that do, one has to be made after the other.
    pub(crate) fn counts(&self) -> bool {
        !self.days.is_empty()
    }

    /// In messages, as many as fit into `room` of them. Whoever is left out has had one alert that does not count.
    pub(crate) fn words(self, published: Timestamp, now: Timestamp, room: usize) -> Vec<Word> {
        let capped = self.days.into_iter().flat_map(|(until, lists)| {
            let [counted, full] = lists.map(parts);
            let counted = counted.into_iter().map(|ids| (ids, Vec::new()));
            let both = counted.chain(full.into_iter().map(|ids| (Vec::new(), ids)));
            both.map(move |(counted, full)| Day { until, storm: false, counted, full }).collect::<Vec<_>>()
        });
        let until = storm::ends(now);
        let storm = parts(self.storm).into_iter();
        let storm = storm.map(|full| Day { until, storm: true, counted: Vec::new(), full });
        let mut words: Vec<Word> = Vec::new();
        let mut left = 0;
        for day in capped.chain(storm) {
            let ids = day.counted.len() + day.full.len();
            match words.last_mut().filter(|_| ids <= left) {
                Some(word) => word.days.push(day),
                None => {
                    words.push(Word { at: published, days: vec![day] });
                    left = IDS;
                }
            }
            left -= ids;
        }
        words.truncate(room);
        words
    }
}

fn parts(ids: Vec<SubscriberId>) -> Vec<Vec<SubscriberId>> {
    ids.chunks(IDS).map(<[_]>::to_vec).collect()
}
