//! What is served: everything is made when it is first asked for. Feeds are kept up from then on, until they are the ones
//! that nobody has read for longest and there is no more room.
//!
//! Pages of older articles and the sitemap are not kept up but taken off the shelf when they are no longer right, and made
//! again for whoever asks next: there are a hundred of them for every feed, and they hardly ever change.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use subscription::Selection;

use crate::counts::Counts;
use crate::document::Document;
use crate::documents::{Drafts, Writer};
use crate::feeds::{FORMS, Form};
use crate::library::{Draft, Key, Library, PageId};
use crate::members::Handle;
use crate::search::{Found, Search};
use crate::site::Site;
use crate::state::{Changes, Revision, State};

/// Live feeds beyond those that are pinned or kept for the hub. Each costs a look at every article that comes.
const MAX_FEEDS: usize = 10_000;

/// What was made, in shares of the memory there is, between two looks whether it is too much.
const LOOK_EVERY: usize = 16;

/// What is cleared away at once, in shares of what is there, so that it need not be done for each document.
const CLEAR: usize = 8;

/// Pages of older articles that are on the shelf, by number, with their marks and the places of their forms.
type Pages = BTreeSet<(u32, u32, usize)>;

pub(crate) struct Stand {
    state: State,
    writer: Writer,
    library: Arc<Library>,
    /// Always kept up, whether there are articles or not, in every form.
    pinned: HashSet<Selection>,
    /// For the hub.
    kept: HashSet<Key>,
    pages: HashMap<Selection, Pages>,
    /// Articles that changed while texts are read for a feed.
    searches: HashMap<Selection, BTreeSet<Handle>>,
    /// Bytes.
    memory: usize,
    counts: Counts,
    /// Bytes made since it was last looked whether there is room.
    made: usize,
}

/// What became of a request.
pub(crate) enum Making {
    Done(Arc<Document>),
    /// There is nothing of this key.
    Nothing,
    /// It could not be written.
    Failed,
    /// Texts have to be read first: see [`Stand::search`].
    Unread(Selection),
}

impl Stand {
    /// `pinned` beside the feed of everything, which always is; `memory` in bytes, for documents and what they are written
    /// from. The articles themselves are not in it.
    pub(crate) fn new(
        site: Site,
        library: Arc<Library>,
        pinned: Vec<Selection>,
        memory: usize,
        counts: Counts,
    ) -> Self {
        Self {
            state: State::default(),
            writer: Writer::new(site, counts.refused.clone()),
            library,
            pinned: pinned.into_iter().chain([Selection::everything()]).collect(),
            kept: HashSet::new(),
            pages: HashMap::new(),
            searches: HashMap::new(),
            memory,
            counts,
            made: 0,
        }
    }

    pub(crate) fn apply(&mut self, revision: Revision, now: Timestamp) -> Changes {
        let changes = self.state.apply(revision, now);
        self.noted(changes)
    }

    /// Takes in what the passing of time has changed.
    pub(crate) fn wake(&mut self, now: Timestamp) -> Changes {
        if self.writer.sitemap_until.is_some_and(|until| until <= now) {
            self.writer.sitemap_until = None;
            self.library.replace(vec![(Key::NewsSitemap, None)], now);
        }
        let changes = self.state.wake(now);
        self.noted(changes)
    }

    fn noted(&mut self, changes: Changes) -> Changes {
        for changed in self.searches.values_mut() {
            changed.extend(&changes.articles);
        }
        changes
    }

    /// When to call [`Stand::wake`] next.
    pub(crate) fn next_wake(&self) -> Option<Timestamp> {
        [self.state.next_wake(), self.writer.sitemap_until].into_iter().flatten().min()
    }

    /// How many articles there are.
    pub(crate) fn articles(&self) -> usize {
        self.state.len()
    }

    /// The keys that are always there, the feed of everything first.
    pub(crate) fn pinned(&self) -> Vec<Key> {
        let everything = Selection::everything();
        let others = self.pinned.iter().filter(|selection| **selection != everything);
        let all = [&everything].into_iter().chain(others);
        all.flat_map(|selection| FORMS.map(|form| Key::Feed(selection.clone(), form))).collect()
    }

    /// Feeds that have readers who do not ask: answers those that are to be made, pinned ones as well.
    pub(crate) fn keep(&mut self, keys: HashSet<Key>) -> Vec<Key> {
        self.kept = keys;
        let all = self.kept.iter().cloned().chain(self.pinned());
        all.filter(|key| !self.library.has(key)).collect()
    }

    /// Writes what is different after `changes`, and puts it on the shelf at once. Answers what is new there.
    pub(crate) fn publish(&mut self, mut changes: Changes, now: Timestamp) -> Vec<(Key, Arc<Document>)> {
        self.state.settle();
        let mut drafts = self.outdated(&changes);
        for selection in self.emptied(&changes) {
            changes.feeds.remove(&selection);
            drafts.extend(FORMS.map(|form| (Key::Feed(selection.clone(), form), None)));
            self.state.close(&selection);
        }
        let (pinned, kept) = (&self.pinned, &self.kept);
        let wanted =
            |key: &Key| matches!(key, Key::Feed(selection, _) if pinned.contains(selection)) || kept.contains(key);
        drafts.extend(self.writer.write(&self.state, &changes, &self.library, wanted, now));
        let fresh = self.library.replace(drafts, now);
        self.count();
        fresh
    }

    fn count(&self) {
        self.counts.articles.set(gauge(self.state.len()));
        self.counts.feeds.set(gauge(self.state.feeds()));
        self.counts.documents.set(gauge(self.library.len()));
    }

    /// Pages of older articles that are not what they were: from the one before the first that changed, which tells the
    /// address of the next.
    fn outdated(&mut self, changes: &Changes) -> Drafts {
        let mut drafts = Drafts::new();
        for (selection, touched) in &changes.feeds {
            let Some(pages) = self.pages.get_mut(selection) else { continue };
            let outdated = pages.split_off(&(touched.first_page.saturating_sub(1), 0, 0));
            let keys = outdated
                .into_iter()
                .map(|(number, mark, form)| Key::Archive(selection.clone(), FORMS[form], PageId { number, mark }));
            drafts.extend(keys.map(|key| (key, None)));
        }
        drafts
    }

    /// Feeds that are gone with their last article.
    fn emptied(&self, changes: &Changes) -> Vec<Selection> {
        let empty = |selection: &&Selection| self.state.members(selection).is_some_and(|members| members.is_empty());
        let gone = changes.feeds.keys().filter(empty).filter(|selection| !self.exists(selection));
        gone.cloned().collect()
    }

    /// Whether there is such a feed. There is none of a single name that no article has; what is pinned or kept is there
    /// anyhow.
    fn exists(&self, selection: &Selection) -> bool {
        !self.state.is_unheard_of(selection) || self.is_wanted(selection)
    }

    fn is_wanted(&self, selection: &Selection) -> bool {
        let kept = |form: Form| self.kept.contains(&Key::Feed(selection.clone(), form));
        self.pinned.contains(selection) || (!self.kept.is_empty() && FORMS.into_iter().any(kept))
    }

    /// The document, from the shelf or new.
    pub(crate) fn make(&mut self, key: &Key, now: Timestamp) -> Making {
        if let Some(document) = self.library.get(key) {
            return Making::Done(document);
        }
        let draft = match key {
            Key::Feed(selection, _) | Key::Archive(selection, ..) if self.state.members(selection).is_none() => {
                return self.make_unread(key, selection, now);
            }
            Key::Feed(selection, form) => self.writer.feed(&self.state, selection, *form),
            Key::Archive(selection, form, page) => self.writer.archive(&self.state, selection, *form, *page),
            Key::Article(id) => self.state.handle(*id).and_then(|handle| self.writer.page(&self.state, handle)),
            Key::Directory => Some(self.writer.directory(&self.state)),
            Key::Opml => Some(self.writer.opml(&self.state)),
            Key::NewsSitemap => Some(self.writer.sitemap(&self.state, now)),
        };
        match draft {
            Some(draft) => self.shelve(key, draft, now),
            None if matches!(key, Key::Feed(..)) => Making::Failed,
            None => Making::Nothing,
        }
    }

    /// As [`Stand::make`], of a selection that is not kept up.
    fn make_unread(&mut self, key: &Key, selection: &Selection, now: Timestamp) -> Making {
        if !self.exists(selection) {
            return Making::Nothing;
        }
        let range = self.state.range(selection);
        if range.sure != range.possible {
            return Making::Unread(selection.clone());
        }
        // Anybody can write down selections that are empty, without end: of those nothing stays.
        if range.sure.is_empty() && !self.is_wanted(selection) {
            let Key::Feed(_, form) = key else { return Making::Nothing };
            self.state.open(selection, &range.sure);
            let draft = self.writer.feed(&self.state, selection, *form);
            self.state.close(selection);
            return match draft {
                Some(draft) => Making::Done(Arc::new(Document::new(key, draft, None, now))),
                None => Making::Failed,
            };
        }
        self.open(selection, &range.sure);
        let made = self.make(key, now);
        // Nor of addresses of pages that are not there.
        if matches!(made, Making::Nothing) && !self.is_wanted(selection) {
            self.state.close(selection);
        }
        made
    }

    fn open(&mut self, selection: &Selection, articles: &roaring::RoaringBitmap) {
        self.state.open(selection, articles);
        // However short it is, a feed has its share of what there is room for: else the number of feeds would have no bound.
        let share = self.memory / MAX_FEEDS;
        self.made += self.state.members(selection).map_or(0, |members| members.bytes()).max(share);
    }

    fn shelve(&mut self, key: &Key, draft: Draft, now: Timestamp) -> Making {
        if let Some((selection, page)) = page_of(key) {
            self.pages.entry(selection.clone()).or_default().insert(page);
        }
        self.library.replace(vec![(key.clone(), Some(draft))], now);
        match self.library.get(key) {
            Some(document) => {
                self.count();
                Making::Done(document)
            }
            None => Making::Failed,
        }
    }

    /// Begins to read texts for a feed; what changes from now on is taken in at the end.
    pub(crate) fn search(&mut self, selection: &Selection) -> Search {
        self.searches.insert(selection.clone(), BTreeSet::new());
        Search::new(&self.state, selection, self.state.range(selection))
    }

    /// Keeps a feed up whose texts have been read.
    pub(crate) fn found(&mut self, mut found: Found) {
        let changed = self.searches.remove(&found.selection).unwrap_or_default();
        found.catch_up(&self.state, &changed);
        self.open(&found.selection, &found.articles);
    }

    /// Clears away what nobody has read for longest, when there is no more room.
    pub(crate) fn tidy(&mut self, now: Timestamp) {
        self.made += self.library.packer.take_grown();
        if self.made < self.memory / LOOK_EVERY {
            return;
        }
        self.made = 0;
        let mut shelf = self.library.census();
        let members: usize = self.state.live().map(|(_, members)| members.bytes()).sum();
        let documents: usize = shelf.iter().map(|held| held.bytes).sum();
        if documents + members + self.writer.bytes() > self.memory {
            self.writer.sweep(&self.state);
        }
        let mut bytes = documents + members + self.writer.bytes();
        self.counts.bytes.set(gauge(bytes));
        let mut live: HashMap<Selection, usize> = HashMap::new();
        for selection in shelf.iter().filter_map(|held| selection_of(&held.key)) {
            *live.entry(selection.clone()).or_default() += 1;
        }
        let (mut bytes_left, mut feeds_left) = (usize::MAX, usize::MAX);
        if bytes > self.memory {
            bytes_left = self.memory - self.memory / CLEAR;
        }
        if live.len() > MAX_FEEDS {
            feeds_left = MAX_FEEDS - MAX_FEEDS / CLEAR;
        }
        shelf.sort_unstable_by_key(|held| held.read);
        let mut gone = Drafts::new();
        for held in shelf {
            if bytes <= bytes_left && live.len() <= feeds_left {
                break;
            }
            if self.stays(&held.key) {
                continue;
            }
            bytes = bytes.saturating_sub(held.bytes);
            if let Some(selection) = selection_of(&held.key)
                && let Some(documents) = live.get_mut(selection)
            {
                *documents -= 1;
                if *documents == 0 {
                    live.remove(selection);
                }
            }
            if let Some((selection, page)) = page_of(&held.key)
                && let Some(pages) = self.pages.get_mut(selection)
            {
                pages.remove(&page);
            }
            gone.push((held.key, None));
        }
        self.library.replace(gone, now);
        // A page that was opened for nothing goes too.
        let closed = self.state.live().map(|(selection, _)| selection);
        let closed: Vec<Selection> =
            closed.filter(|at| !live.contains_key(at) && !self.is_wanted(at)).cloned().collect();
        for selection in closed {
            self.state.close(&selection);
            self.pages.remove(&selection);
        }
    }

    /// Every page of older articles, as of now.
    #[cfg(test)]
    pub(crate) fn archives(&self, selection: &Selection, form: Form) -> Vec<Key> {
        let Some(members) = self.state.members(selection) else { return Vec::new() };
        let ids = (1..=members.pages()).filter_map(|number| members.page_id(number, self.state.positions()));
        ids.map(|page| Key::Archive(selection.clone(), form, page)).collect()
    }

    fn stays(&self, key: &Key) -> bool {
        matches!(key, Key::Feed(selection, _) if self.pinned.contains(selection)) || self.kept.contains(key)
    }
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn selection_of(key: &Key) -> Option<&Selection> {
    match key {
        Key::Feed(selection, _) | Key::Archive(selection, ..) => Some(selection),
        Key::Directory | Key::Article(_) | Key::Opml | Key::NewsSitemap => None,
    }
}

fn page_of(key: &Key) -> Option<(&Selection, (u32, u32, usize))> {
    let Key::Archive(selection, form, page) = key else { return None };
    let form = FORMS.iter().position(|other| other == form)?;
    Some((selection, (page.number, page.mark, form)))
}

#[cfg(test)]
mod agree;
#[cfg(test)]
mod tests;
