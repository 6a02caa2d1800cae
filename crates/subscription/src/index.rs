//! Who asked for an article, without asking everybody: for each selection a bitmap of the subscribers who have it.

use std::collections::HashSet;

use roaring::RoaringBitmap;

use crate::{Features, Matcher, Selection};

/// Selections to subscribers; a subscriber is a small number that the caller gives out.
#[derive(Debug, Default)]
pub struct Index {
    subscribers: Matcher<RoaringBitmap>,
}

impl Index {
    /// The tests are left out, whoever asks for them: no rehearsal is ever mailed. Answers the selection as it is stored
    /// here, to be kept instead of one more copy of it.
    pub fn insert(&mut self, subscriber: u32, selection: &Selection) -> Selection {
        if selection.is_test() {
            return selection.clone();
        }
        match self.subscribers.get_mut(selection) {
            Some(bitmap) => {
                bitmap.insert(subscriber);
            }
            None => {
                self.subscribers.insert(selection.clone(), RoaringBitmap::from([subscriber]));
            }
        }
        self.subscribers.stored(selection).unwrap_or(selection).clone()
    }

    pub fn remove(&mut self, subscriber: u32, selection: &Selection) {
        if let Some(bitmap) = self.subscribers.get_mut(selection) {
            bitmap.remove(subscriber);
            if bitmap.is_empty() {
                self.subscribers.remove(selection);
            }
        }
    }

    /// Who has exactly this selection.
    pub fn having(&self, selection: &Selection) -> Option<&RoaringBitmap> {
        self.subscribers.get(selection)
    }

    /// Who and why: everyone with at least one selection that an article with these features is in, and the selections.
    pub fn matching(&self, features: &Features) -> (RoaringBitmap, HashSet<&Selection>) {
        let (mut all, mut selections) = (RoaringBitmap::new(), HashSet::new());
        for (selection, subscribers) in self.subscribers.matching(features) {
            all |= subscribers;
            selections.insert(selection);
        }
        (all, selections)
    }
}
