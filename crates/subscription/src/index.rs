//! Who asked for an article, without asking everybody: for each selection a bitmap of the subscribers who have it.

use roaring::RoaringBitmap;

use crate::{Features, Matcher, Selection};

/// Selections to subscribers; a subscriber is a small number that the caller gives out.
#[derive(Debug, Default)]
pub struct Index {
    subscribers: Matcher<RoaringBitmap>,
}

impl Index {
    /// The tests are left out, whoever asks for them: no rehearsal is ever mailed.
    pub fn insert(&mut self, subscriber: u32, selection: &Selection) {
        if selection.is_test() {
            return;
        }
        match self.subscribers.get_mut(selection) {
            Some(bitmap) => {
                bitmap.insert(subscriber);
            }
            None => {
                self.subscribers.insert(selection.clone(), RoaringBitmap::from([subscriber]));
            }
        }
    }

    pub fn remove(&mut self, subscriber: u32, selection: &Selection) {
        if let Some(bitmap) = self.subscribers.get_mut(selection) {
            bitmap.remove(subscriber);
            if bitmap.is_empty() {
                self.subscribers.remove(selection);
            }
        }
    }

    /// Everyone with at least one selection that an article with these features is in; each once, in ascending order.
    pub fn matching(&self, features: &Features) -> RoaringBitmap {
        self.subscribers.matching(features).fold(RoaringBitmap::new(), |all, (_, bitmap)| all | bitmap)
    }
}
