//! The articles of one selection in the order of its feed, and how they lie on its pages.
//!
//! Four bytes an article: a feed that somebody reads costs its members, not their texts. Whoever calls has the table of
//! positions, by handle.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashSet};

use article::ArticleId;
use feed::MAX_ENTRIES;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::library::PageId;

/// An article's number in this process; never in anything that is served.
pub(crate) type Handle = u32;

/// A place among the articles, ascending: when it was published, articles of one instant by id backwards, so that
/// feeds, which are read from their end, have them by id.
pub(crate) type Place = (Timestamp, Reverse<ArticleId>);

/// Articles of a page of older ones.
pub(crate) const PAGE: usize = 25;

/// At most this much of a feed is notices of killed articles, so that a mass kill cannot empty it of news. No less than
/// [`PAGE`]: what is on no page yet is in the feed, whatever it is.
const MAX_NOTICES: usize = MAX_ENTRIES / 2;

/// How an article counts in its selections now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Showing {
    /// In the feed while it is among the newest.
    Listed,
    /// Killed lately: in the feed however old the article is, for readers may hold it since long ago.
    Notice,
    /// Killed long ago: its notice stands where it had its place, on the pages of older articles.
    PastNotice,
    /// Nowhere, though it keeps its place: held, expired.
    Hidden,
    /// Not public yet: its selections do not even exist for it.
    Unborn,
}

/// What feeds are ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) showing: Showing,
    pub(crate) place: Place,
    /// The kill, where there was one.
    pub(crate) updated: Timestamp,
}

impl Position {
    pub(crate) fn id(&self) -> ArticleId {
        self.place.1.0
    }

    /// Whether a page of older articles shows it, as text or as a notice.
    fn is_kept(&self) -> bool {
        matches!(self.showing, Showing::Listed | Showing::Notice | Showing::PastNotice)
    }
}

type Notice = (Reverse<Timestamp>, Reverse<Place>, Handle);

#[derive(Debug, Default)]
pub(crate) struct Members {
    /// All that are not [`Showing::Unborn`], by place.
    order: Vec<Handle>,
    /// The latest kill first.
    notices: BTreeSet<Notice>,
}

impl Members {
    /// Of handles in any order.
    pub(crate) fn new(handles: impl Iterator<Item = Handle>, positions: &[Position]) -> Self {
        let mut placed: Vec<(Place, Handle)> = handles.map(|at| (position(positions, at).place, at)).collect();
        placed.sort_unstable();
        let order: Vec<Handle> = placed.into_iter().map(|(_, at)| at).collect();
        let notices = order.iter().filter_map(|at| notice(positions, *at)).collect();
        Self { order, notices }
    }

    /// Takes an article in; answers how many are before it.
    pub(crate) fn insert(&mut self, handle: Handle, positions: &[Position]) -> usize {
        let rank = self.rank(handle, positions);
        self.order.insert(rank, handle);
        self.notices.extend(notice(positions, handle));
        rank
    }

    /// Takes an article out, while the table still has the position it came in with; answers how many are before it.
    pub(crate) fn remove(&mut self, handle: Handle, positions: &[Position]) -> usize {
        let rank = self.rank(handle, positions);
        if self.order.get(rank) == Some(&handle) {
            self.order.remove(rank);
        }
        if let Some(notice) = notice(positions, handle) {
            self.notices.remove(&notice);
        }
        rank
    }

    fn rank(&self, handle: Handle, positions: &[Position]) -> usize {
        let place = position(positions, handle).place;
        self.order.partition_point(|other| position(positions, *other).place < place)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Of memory, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.order.capacity() * size_of::<Handle>() + self.notices.len() * size_of::<Notice>() * 2
    }

    /// The articles of the live feed, newest first: all that are on no page yet, the latest notices, and the newest
    /// articles as far as there is room.
    pub(crate) fn window(&self, positions: &[Position]) -> Vec<Handle> {
        let paged = self.order.len() - self.order.len() % PAGE;
        let is_notice = |at: &Handle| position(positions, *at).showing == Showing::Notice;
        let mut window: Vec<Handle> = self.order[paged..].iter().copied().filter(is_notice).collect();
        let unpaged: HashSet<Handle> = window.iter().copied().collect();
        let others = self.notices.iter().map(|(_, _, at)| *at).filter(|at| !unpaged.contains(at));
        window.extend(others.take(MAX_NOTICES - unpaged.len()));
        let listed = self.order.iter().rev().filter(|at| position(positions, **at).showing == Showing::Listed);
        window.extend(listed.take(MAX_ENTRIES - window.len()));
        window.sort_unstable_by_key(|at| Reverse(position(positions, *at).place));
        window
    }

    pub(crate) fn all(&self) -> &[Handle] {
        &self.order
    }

    /// The full pages there are; they are numbered from 1, the oldest.
    pub(crate) fn pages(&self) -> u32 {
        u32::try_from(self.order.len() / PAGE).expect("fewer pages than handles")
    }

    /// The page of this number; `None`: there is none, or it is not full yet.
    pub(crate) fn page_id(&self, number: u32, positions: &[Position]) -> Option<PageId> {
        let mut hash = Sha256::new();
        for at in self.page(number)? {
            hash.update(position(positions, *at).id().uuid().as_bytes());
        }
        let digest: [u8; 32] = hash.finalize().into();
        let (first, _) = digest.split_first_chunk().expect("32 bytes are more than 4");
        Some(PageId { number, mark: u32::from_be_bytes(*first) })
    }

    /// What a page shows, newest first.
    pub(crate) fn shown_on(&self, number: u32, positions: &[Position]) -> Vec<Handle> {
        let page = self.page(number).unwrap_or_default().iter().rev().copied();
        page.filter(|at| position(positions, *at).is_kept()).collect()
    }

    /// The page where a reader of the live feed goes on: the newest of which `window` does not show everything.
    pub(crate) fn page_before(&self, window: &[Handle], positions: &[Position]) -> Option<u32> {
        let beyond = |number: &u32| self.shown_on(*number, positions).iter().any(|at| !window.contains(at));
        (1..=self.pages()).rev().find(beyond)
    }

    fn page(&self, number: u32) -> Option<&[Handle]> {
        let first = usize::try_from(number.checked_sub(1)?).ok()?.checked_mul(PAGE)?;
        self.order.get(first..first.checked_add(PAGE)?)
    }
}

fn position(positions: &[Position], handle: Handle) -> &Position {
    &positions[handle as usize]
}

fn notice(positions: &[Position], handle: Handle) -> Option<Notice> {
    let position = position(positions, handle);
    (position.showing == Showing::Notice).then_some((Reverse(position.updated), Reverse(position.place), handle))
}
