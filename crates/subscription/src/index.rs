//! Who asked for an article, without asking everybody: for each selection a bitmap of the subscribers who have it.

use std::collections::HashMap;

use article::Article;
use roaring::RoaringBitmap;

use crate::Selection;

/// Selections to subscribers; a subscriber is a small number that the caller gives out.
#[derive(Debug, Default)]
pub struct Index {
    subscribers: HashMap<Selection, RoaringBitmap>,
}

impl Index {
    /// The tests are left out, whoever asks for them: no rehearsal is ever mailed.
    pub fn insert(&mut self, subscriber: u32, selection: &Selection) {
        if *selection == Selection::Test {
            return;
        }
        // The key is cloned only for the first subscriber of a selection.
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

    /// Everyone with at least one selection that `article` belongs to; each once, in ascending order.
    pub fn matching(&self, article: &Article) -> RoaringBitmap {
        let mut matching = RoaringBitmap::new();
        for selection in Selection::of(article) {
            if let Some(bitmap) = self.subscribers.get(&selection) {
                matching |= bitmap;
            }
        }
        matching
    }
}
