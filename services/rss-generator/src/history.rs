//! The versions a live feed had: what is new since each of them, and which may serve as dictionaries.
//!
//! A feed remembers of each of its entries only with which version it came or last changed, so the whole memory is a
//! number for each entry and a tag for each version.

use std::collections::HashMap;
use std::sync::Arc;

use article::ArticleId;
use feed::{Item, MAX_ENTRIES};

use crate::dictionary::Dictionary;

/// Versions since which somebody may ask what is new. A reader that comes once an hour meets them all on a day with 30
/// changes an hour.
const MAX_VERSIONS: usize = 32;

/// Versions kept as dictionaries, of feeds with readers who use them.
pub(crate) const MAX_DICTIONARIES: usize = 8;

/// One version's standing among those before it.
#[derive(Debug, Default, Clone)]
pub(crate) struct History {
    number: u32,
    /// Of each entry, in the order of the feed: the version it came or last changed with.
    entered: Vec<u32>,
    /// Tags and numbers of earlier versions, the oldest first.
    versions: Vec<(String, u32)>,
    /// The oldest first.
    pub(crate) dictionaries: Vec<Arc<Dictionary>>,
}

/// A version as its successor sees it.
pub(crate) struct Before<'a> {
    pub(crate) history: &'a History,
    pub(crate) tag: &'a str,
    pub(crate) items: &'a [Arc<Item>],
    /// `None`: no reader uses dictionaries.
    pub(crate) dictionary: Option<Arc<Dictionary>>,
}

impl History {
    /// A feed without a past.
    pub(crate) fn first(items: &[Arc<Item>]) -> Self {
        Self { entered: vec![0; items.len()], ..Self::default() }
    }

    /// The history of the version `items` that follows on `before`.
    ///
    /// When an entry left that readers would keep, nothing earlier is remembered: only the whole feed says that it is gone.
    /// And what was killed stays in no dictionary.
    pub(crate) fn after(before: Before<'_>, items: &[Arc<Item>]) -> Self {
        let Before { history, tag, items: old, dictionary } = before;
        let number = history.number + 1;
        let known: HashMap<ArticleId, (u64, u32)> = old
            .iter()
            .zip(&history.entered)
            .map(|(item, entered)| (item.id(), (item.fingerprint(), *entered)))
            .collect();
        let entered = items.iter().map(|item| match known.get(&item.id()) {
            Some((fingerprint, entered)) if *fingerprint == item.fingerprint() => *entered,
            _ => number,
        });
        let entered: Vec<u32> = entered.collect();
        if has_taken_back(old, items) {
            return Self { number, entered, ..Self::default() };
        }
        let killed = items.iter().zip(&entered).any(|(item, entered)| *entered == number && item.is_killed());
        let mut versions = history.versions.clone();
        versions.push((tag.to_owned(), history.number));
        versions.drain(..versions.len().saturating_sub(MAX_VERSIONS));
        let mut dictionaries = Vec::new();
        if let Some(dictionary) = dictionary.filter(|_| !killed) {
            dictionaries.extend(history.dictionaries.iter().cloned());
            dictionaries.push(dictionary);
            dictionaries.drain(..dictionaries.len().saturating_sub(MAX_DICTIONARIES));
        }
        Self { number, entered, versions, dictionaries }
    }

    /// The places of the entries that came or changed since the version with the tag `have`. `None`: it is not known, or
    /// only the whole feed can say what happened since.
    pub(crate) fn since(&self, have: &str) -> Option<impl Iterator<Item = usize>> {
        let (_, number) = self.versions.iter().rev().find(|(tag, _)| tag == have)?;
        Some(self.entered.iter().enumerate().filter(move |(_, entered)| *entered > number).map(|(place, _)| place))
    }

    /// Roughly the bytes of memory it takes, without the dictionaries' items, which feeds share.
    pub(crate) fn weight(&self) -> usize {
        let dictionary = size_of::<Dictionary>() + MAX_ENTRIES * size_of::<Arc<Item>>();
        self.entered.len() * 4 + self.versions.len() * 64 + self.dictionaries.len() * dictionary
    }
}

/// Whether an entry left a feed otherwise than by its age. By its age leaves what was behind all that stayed, from a feed
/// that is full, whose last entry was in it before.
fn has_taken_back(old: &[Arc<Item>], new: &[Arc<Item>]) -> bool {
    let stays = |item: &Arc<Item>| new.iter().any(|other| other.id() == item.id());
    let remaining = old.iter().rev().skip_while(|item| !stays(item));
    let left = old.iter().filter(|item| !stays(item)).count();
    if left == 0 {
        return false;
    }
    let left_among_those_that_stay = remaining.filter(|item| !stays(item)).count();
    let last_was_there = new.last().is_some_and(|last| old.iter().any(|item| item.id() == last.id()));
    left_among_those_that_stay > 0 || new.len() < MAX_ENTRIES || !last_was_there
}

#[cfg(test)]
mod tests;
