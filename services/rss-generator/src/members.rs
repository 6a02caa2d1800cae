//! The articles of one selection, in the order of its feed.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use article::ArticleId;
use feed::MAX_ENTRIES;
use jiff::Timestamp;

/// A place in a feed: newest published first, articles of one instant by id.
pub(crate) type Place = (Reverse<Timestamp>, ArticleId);

/// At most this much of a feed is notices of killed articles, so that a mass kill cannot empty it of news.
const MAX_NOTICES: usize = MAX_ENTRIES / 2;

/// How an article counts in its selections now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Showing {
    /// In the feed while it is among the newest.
    Listed,
    /// Killed lately: in the feed however old the article is, for readers may hold it since long ago.
    Notice,
    /// Not in the feed: held, expired, killed long ago.
    Hidden,
    /// Not public yet: its selections do not even exist for it.
    Unborn,
}

#[derive(Debug, Default)]
pub(crate) struct Members {
    listed: BTreeSet<Place>,
    notices: BTreeSet<(Reverse<Timestamp>, Place)>,
    hidden: BTreeSet<Place>,
}

/// What the sets are keyed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) showing: Showing,
    pub(crate) place: Place,
    /// The kill, where there was one.
    pub(crate) updated: Timestamp,
}

impl Members {
    pub(crate) fn insert(&mut self, position: Position) {
        match position.showing {
            Showing::Listed => self.listed.insert(position.place),
            Showing::Notice => self.notices.insert((Reverse(position.updated), position.place)),
            Showing::Hidden => self.hidden.insert(position.place),
            Showing::Unborn => false,
        };
    }

    pub(crate) fn remove(&mut self, position: Position) {
        match position.showing {
            Showing::Listed => self.listed.remove(&position.place),
            Showing::Notice => self.notices.remove(&(Reverse(position.updated), position.place)),
            Showing::Hidden => self.hidden.remove(&position.place),
            Showing::Unborn => false,
        };
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.listed.is_empty() && self.notices.is_empty() && self.hidden.is_empty()
    }

    /// The articles of the live feed, in order.
    pub(crate) fn window(&self) -> Vec<ArticleId> {
        let notices = self.notices.iter().take(MAX_NOTICES).map(|(_, place)| *place);
        let mut places: Vec<Place> = notices.collect();
        places.extend(self.listed.iter().take(MAX_ENTRIES - places.len()));
        places.sort_unstable();
        places.into_iter().map(|(_, id)| id).collect()
    }

    /// How many articles readers may have.
    pub(crate) fn listed(&self) -> usize {
        self.listed.len()
    }

    /// The newest article that readers may have whole.
    pub(crate) fn newest(&self) -> Option<ArticleId> {
        self.listed.first().map(|(_, id)| *id)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = ArticleId> {
        let notices = self.notices.iter().map(|(_, place)| place);
        self.listed.iter().chain(notices).chain(&self.hidden).map(|(_, id)| *id)
    }
}
