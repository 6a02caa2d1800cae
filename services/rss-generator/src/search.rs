//! Which articles a selection of words is of: all that may be are read, away from what keeps feeds up.

use std::collections::BTreeSet;
use std::sync::Arc;

use roaring::RoaringBitmap;
use subscription::{Features, Selection};

use crate::facts::Range;
use crate::members::{Handle, Showing};
use crate::parallel::parallel;
use crate::state::{State, read};

/// Everything that has to be read, as it was when the search began.
pub(crate) struct Search {
    pub(crate) selection: Selection,
    sure: RoaringBitmap,
    unsure: Vec<(Handle, Arc<[u8]>)>,
}

impl Search {
    pub(crate) fn new(state: &State, selection: &Selection, range: Range) -> Self {
        let unsure = &range.possible - &range.sure;
        let unsure = unsure.iter().map(|at| (at, state.envelope(at).clone())).collect();
        Self { selection: selection.clone(), sure: range.sure, unsure }
    }

    /// Reads. 100,000 articles of 3 KB take seconds.
    pub(crate) fn run(self) -> Found {
        let matches = |(_, envelope): &(Handle, Arc<[u8]>)| self.selection.matches(&Features::of(&read(envelope)));
        let matching = parallel(&self.unsure, matches);
        let found = self.unsure.iter().zip(matching).filter(|(_, matches)| *matches).map(|((at, _), _)| *at);
        let articles = self.sure | found.collect::<RoaringBitmap>();
        Found { selection: self.selection, articles }
    }
}

/// What a search found.
pub(crate) struct Found {
    pub(crate) selection: Selection,
    pub(crate) articles: RoaringBitmap,
}

impl Found {
    /// Takes in what became of articles since the search began.
    pub(crate) fn catch_up(&mut self, state: &State, changed: &BTreeSet<Handle>) {
        for at in changed {
            let public = state.position(*at).showing != Showing::Unborn;
            if public && self.selection.matches(&Features::of(&state.article(*at))) {
                self.articles.insert(*at);
            } else {
                self.articles.remove(*at);
            }
        }
    }
}
