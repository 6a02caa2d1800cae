//! What was taken down before it ever came: a deletion may overtake the publication that it is about.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use article::ArticleId;
use jiff::Timestamp;

/// Deletions remembered; the oldest is forgotten first. A publication is signed and in time for five minutes only.
const MOST: usize = 10_000;

/// Remembered by one process: a replica that never saw the deletion does not know of it.
#[derive(Clone, Default)]
pub(super) struct Memory(Arc<Mutex<Remembered>>);

#[derive(Default)]
struct Remembered {
    taken_down: HashMap<ArticleId, Timestamp>,
    oldest_first: VecDeque<ArticleId>,
}

impl Memory {
    pub(super) fn taken_down(&self, article: ArticleId, at: Timestamp) {
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match remembered.taken_down.get_mut(&article) {
            Some(known) => *known = at.max(*known),
            None => {
                if remembered.oldest_first.len() >= MOST
                    && let Some(oldest) = remembered.oldest_first.pop_front()
                {
                    remembered.taken_down.remove(&oldest);
                }
                remembered.taken_down.insert(article, at);
                remembered.oldest_first.push_back(article);
            }
        }
    }

    /// When the article was last taken down without having been there.
    pub(super) fn when(&self, article: ArticleId) -> Option<Timestamp> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).taken_down.get(&article).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_counts_and_the_oldest_goes() {
        let (memory, at) = (Memory::default(), |n: i64| Timestamp::from_second(n).unwrap());
        let id = |n: usize| ArticleId::derived(&"hefei".parse().unwrap(), "t", &n.to_le_bytes());
        memory.taken_down(id(0), at(5));
        memory.taken_down(id(0), at(3));
        assert_eq!(memory.when(id(0)), Some(at(5)));
        for n in 1..=MOST {
            memory.taken_down(id(n), at(1));
        }
        assert_eq!((memory.when(id(0)), memory.when(id(MOST))), (None, Some(at(1))));
    }
}
