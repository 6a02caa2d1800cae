//! What the log says: the last revision of every article, what may be asked of it, and the feeds that are kept up.
//!
//! A pure fold. Given the last revisions, the time and which feeds are kept up, everything here is determined, whatever
//! the order and number of earlier revisions seen.
//!
//! Articles stay as the bytes they came in, which is a third of what they are as values; whoever writes one reads it again.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use article::wire::v1::Envelope;
use article::{Article, ArticleId, Status};
use jiff::{SignedDuration, Timestamp};
use roaring::RoaringBitmap;
use subscription::{Atom, Expression, Features, Matcher, Selection};

use crate::facts::{Facts, Range, facts};
use crate::members::{Handle, Members, PAGE, Place, Position, Showing};

/// How long a killed article's notice stays in its feeds, however old the article is.
const NOTICE_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A revision as the log has it, read; which takes long beside everything that is done with it here.
#[derive(Debug)]
pub(crate) struct Revision {
    pub(crate) article: Article,
    facts: Vec<Atom>,
    envelope: Arc<[u8]>,
}

impl Revision {
    /// # Errors
    /// When the message is no article of ours.
    pub(crate) fn read(payload: &[u8]) -> Result<Self, serde_json::Error> {
        let article = Envelope::from_bytes(payload)?.data;
        Ok(Self { facts: facts(&article), article, envelope: payload.into() })
    }
}

#[derive(Debug, Default)]
pub(crate) struct State {
    handles: HashMap<ArticleId, Handle>,
    /// By handle, as is `positions`.
    articles: Vec<Stored>,
    positions: Vec<Position>,
    facts: Facts,
    /// The feeds that are kept up.
    live: Matcher<Members>,
    /// Of every section the newest article that readers may have, and its names as the newsroom writes them there.
    newest: HashMap<Atom, (Handle, Vec<String>)>,
    /// Sections whose newest article has gone, with its place, for none is newer. The next is looked for once, however many
    /// go together: that takes a look at all of the section.
    unsettled: HashMap<Atom, Place>,
    /// When time alone changes how an article shows.
    wakes: BTreeSet<(Timestamp, Handle)>,
}

#[derive(Debug)]
struct Stored {
    envelope: Arc<[u8]>,
    revision: u32,
    /// When readers could last notice anything.
    changed: Timestamp,
    wake: Option<Timestamp>,
}

/// What has to be written anew.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// The feeds that are kept up and what changed in them.
    pub(crate) feeds: BTreeMap<Selection, Touched>,
    pub(crate) articles: BTreeSet<Handle>,
    /// The latest of the causes: when a revision was made, or when the time came.
    pub(crate) at: Option<Timestamp>,
}

/// What changed in a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Touched {
    /// The oldest page of older articles that is not what it was.
    pub(crate) first_page: u32,
    /// Whether readers may no longer have something that it showed: it must not stay as it is.
    pub(crate) taken_back: bool,
}

impl Touched {
    fn and(self, other: Self) -> Self {
        let first_page = self.first_page.min(other.first_page);
        Self { first_page, taken_back: self.taken_back || other.taken_back }
    }
}

impl Changes {
    pub(crate) fn is_empty(&self) -> bool {
        self.articles.is_empty()
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (selection, touched) in other.feeds {
            self.feeds.entry(selection).and_modify(|known| *known = known.and(touched)).or_insert(touched);
        }
        self.articles.extend(other.articles);
        self.at = self.at.max(other.at);
    }
}

impl State {
    /// Takes a revision in. Nothing changes when it is not newer than what is here: the log may repeat itself.
    pub(crate) fn apply(&mut self, revision: Revision, now: Timestamp) -> Changes {
        let Revision { article, facts, envelope } = revision;
        let stored = Stored { envelope, revision: article.revision, changed: Timestamp::MIN, wake: None };
        let at = article.version_created;
        let handle = match self.handles.get(&article.id) {
            Some(&handle) if article.revision <= self.articles[handle as usize].revision => return Changes::default(),
            Some(&handle) => {
                let taken = self.take_out(handle, &self.article(handle));
                self.articles[handle as usize] = stored;
                return self.put_in(taken, handle, &article, facts, at, now);
            }
            None => Handle::try_from(self.articles.len()).expect("fewer than 4 billion articles fit into memory"),
        };
        self.handles.insert(article.id, handle);
        self.articles.push(stored);
        self.put_in(Changes::default(), handle, &article, facts, at, now)
    }

    /// Takes in what the passing of time has changed.
    pub(crate) fn wake(&mut self, now: Timestamp) -> Changes {
        let mut changes = Changes::default();
        while let Some(&(at, handle)) = self.wakes.first().filter(|(at, _)| *at <= now) {
            let article = self.article(handle);
            let taken = self.take_out(handle, &article);
            changes.merge(self.put_in(taken, handle, &article, facts(&article), at, now));
        }
        changes
    }

    /// When to call [`State::wake`] next.
    pub(crate) fn next_wake(&self) -> Option<Timestamp> {
        self.wakes.first().map(|(at, _)| *at)
    }

    /// Undoes what [`State::put_in`] did with the same `article`.
    fn take_out(&mut self, handle: Handle, article: &Article) -> Changes {
        let mut changes = Changes::default();
        if let Some(wake) = self.articles[handle as usize].wake {
            self.wakes.remove(&(wake, handle));
        }
        if self.position(handle).showing == Showing::Unborn {
            return changes;
        }
        let facts = facts(article);
        for selection in self.live_with(article) {
            if let Some(members) = self.live.get_mut(&selection) {
                let first_page = page_of(members.remove(handle, &self.positions));
                changes.feeds.insert(selection, Touched { first_page, taken_back: true });
            }
        }
        self.facts.remove(handle, &facts);
        self.positions[handle as usize].showing = Showing::Unborn;
        for section in sections(facts) {
            if self.newest.get(&section).is_some_and(|(newest, _)| *newest == handle) {
                self.newest.remove(&section);
                self.unsettled.insert(section, self.position(handle).place);
            }
        }
        changes
    }

    /// Gives an article its place; `taken` is what its leaving its former one changed.
    fn put_in(
        &mut self,
        taken: Changes,
        handle: Handle,
        article: &Article,
        facts: Vec<Atom>,
        at: Timestamp,
        now: Timestamp,
    ) -> Changes {
        let mut changes = Changes { articles: BTreeSet::from([handle]), at: Some(at), ..taken };
        let (showing, wake) = showing(article, now);
        let published = article.published.as_ref().map_or(Timestamp::MAX, |published| published.at);
        let position = Position { showing, place: (published, Reverse(article.id)), updated: article.updated_at };
        match self.positions.get_mut(handle as usize) {
            Some(known) => *known = position,
            None => self.positions.push(position),
        }
        let stored = &mut self.articles[handle as usize];
        (stored.changed, stored.wake) = (changed(article, now), wake);
        self.wakes.extend(wake.map(|wake| (wake, handle)));
        if showing == Showing::Unborn {
            return changes;
        }
        for selection in self.live_with(article) {
            if let Some(members) = self.live.get_mut(&selection) {
                let page = page_of(members.insert(handle, &self.positions));
                let taken_back = article.status != Status::Published || showing != Showing::Listed;
                // What it was taken out of and put into again has not lost it.
                let first_page = changes.feeds.get(&selection).map_or(page, |left| left.first_page.min(page));
                changes.feeds.insert(selection, Touched { first_page, taken_back });
            }
        }
        if showing == Showing::Listed {
            for section in sections(facts.iter().cloned()) {
                let newest = self.newest.get(&section).map(|(newest, _)| self.position(*newest).place);
                let newest = newest.or_else(|| self.unsettled.get(&section).copied());
                if newest.is_none_or(|newest| newest <= position.place) {
                    let names = names(&section, article);
                    self.unsettled.remove(&section);
                    self.newest.insert(section, (handle, names));
                }
            }
        }
        self.facts.insert(handle, facts);
        changes
    }

    fn live_with(&self, article: &Article) -> Vec<Selection> {
        if self.live.is_empty() {
            return Vec::new();
        }
        self.live.matching(&Features::of(article)).map(|(selection, _)| selection.clone()).collect()
    }

    /// Finds the newest articles of sections that have lost theirs.
    pub(crate) fn settle(&mut self) {
        for section in std::mem::take(&mut self.unsettled).into_keys() {
            if let Some(newest) = self.find_newest(&section) {
                self.newest.insert(section, newest);
            }
        }
    }

    fn find_newest(&self, section: &Atom) -> Option<(Handle, Vec<String>)> {
        let articles = self.facts.of(section).into_iter().flatten();
        let listed = articles.filter(|handle| self.position(*handle).showing == Showing::Listed);
        let newest = listed.max_by_key(|handle| self.position(*handle).place)?;
        Some((newest, names(section, &self.article(newest))))
    }

    /// Keeps a feed up from now on.
    pub(crate) fn open(&mut self, selection: &Selection, articles: &RoaringBitmap) {
        self.live.insert(selection.clone(), Members::new(articles.iter(), &self.positions));
    }

    pub(crate) fn close(&mut self, selection: &Selection) {
        self.live.remove(selection);
    }

    /// `None`: it is not kept up.
    pub(crate) fn members(&self, selection: &Selection) -> Option<&Members> {
        self.live.get(selection)
    }

    pub(crate) fn live(&self) -> impl Iterator<Item = (&Selection, &Members)> {
        self.live.iter()
    }

    /// How many feeds are kept up.
    pub(crate) fn feeds(&self) -> usize {
        self.live.len()
    }

    pub(crate) fn range(&self, selection: &Selection) -> Range {
        self.facts.range(selection)
    }

    /// Whether the selection is one name that no article has. A feed of it would be somebody's misspelling, and there are
    /// as many as there are words; one that combines names may be waited for.
    pub(crate) fn is_unheard_of(&self, selection: &Selection) -> bool {
        match selection.parts() {
            Expression::Atom(Atom::Everything | Atom::Test | Atom::Urgency(_) | Atom::Text(_)) => false,
            Expression::Atom(atom) => self.facts.of(atom).is_none(),
            Expression::AllOf(_) | Expression::AnyOf(_) | Expression::Not(_) => false,
        }
    }

    /// What articles have, each with how many.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&Atom, u64)> {
        self.facts.atoms().map(|(atom, articles)| (atom, articles.len()))
    }

    /// The names of a section and those above, as its newest article has them; by their slugs when readers may have none.
    pub(crate) fn section_names(&self, path: &str) -> Vec<String> {
        let section = Atom::Section(path.into());
        let newest = self.newest.get(&section).cloned();
        let newest = newest.or_else(|| self.unsettled.get(&section).and_then(|_| self.find_newest(&section)));
        newest.map_or_else(|| path.split('/').map(str::to_owned).collect(), |(_, names)| names)
    }

    pub(crate) fn handle(&self, id: ArticleId) -> Option<Handle> {
        self.handles.get(&id).copied()
    }

    /// How many articles there are.
    pub(crate) fn len(&self) -> usize {
        self.articles.len()
    }

    /// Read again from its bytes.
    pub(crate) fn article(&self, handle: Handle) -> Article {
        read(&self.articles[handle as usize].envelope)
    }

    /// The bytes, for whoever reads many elsewhere.
    pub(crate) fn envelope(&self, handle: Handle) -> &Arc<[u8]> {
        &self.articles[handle as usize].envelope
    }

    /// How an article shows since the last change or wake.
    pub(crate) fn position(&self, handle: Handle) -> &Position {
        &self.positions[handle as usize]
    }

    pub(crate) fn positions(&self) -> &[Position] {
        &self.positions
    }

    /// When readers could last notice anything of the article.
    pub(crate) fn changed(&self, handle: Handle) -> Timestamp {
        self.articles[handle as usize].changed
    }

    /// When readers could last notice anything of any of these.
    pub(crate) fn last_change(&self, articles: &[Handle]) -> Timestamp {
        articles.iter().map(|at| self.changed(*at)).max().unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// What was read when it came.
pub(crate) fn read(envelope: &[u8]) -> Article {
    Envelope::from_bytes(envelope).expect("it was read when it came").data
}

/// The number of the page that an article with so many before it is on, or would be.
fn page_of(rank: usize) -> u32 {
    u32::try_from(rank / PAGE + 1).expect("fewer pages than handles")
}

fn sections(facts: impl IntoIterator<Item = Atom>) -> impl Iterator<Item = Atom> {
    facts.into_iter().filter(|atom| matches!(atom, Atom::Section(_)))
}

fn names(section: &Atom, article: &Article) -> Vec<String> {
    let depth = if let Atom::Section(path) = section { path.split('/').count() } else { 0 };
    article.section.iter().take(depth).cloned().collect()
}

/// When an article last changed before its readers: its revision, or a time in it that has passed.
fn changed(article: &Article, now: Timestamp) -> Timestamp {
    let times = [article.expires_at, article.embargoed_until];
    let passed = times.into_iter().flatten().filter(|at| *at <= now);
    passed.fold(article.version_created, Timestamp::max)
}

/// How an article shows at `now`, and when time alone will change that.
fn showing(article: &Article, now: Timestamp) -> (Showing, Option<Timestamp>) {
    if article.published.is_none() {
        return (Showing::Unborn, None);
    }
    // A publication time ahead of ours is another clock or the newsroom's own date: the article is out all the same,
    // as it is in the mail. What must wait has an embargo.
    let starts = article.embargoed_until.unwrap_or(Timestamp::MIN);
    match article.status {
        Status::Published | Status::Withdrawn if now < starts => (Showing::Unborn, Some(starts)),
        Status::Published | Status::Withdrawn if article.is_expired(now) => (Showing::Hidden, None),
        Status::Published | Status::Withdrawn => (Showing::Listed, article.expires_at),
        // Killed before anybody could read it: there is nothing to take back.
        Status::Killed if article.updated_at < starts => (Showing::Unborn, None),
        Status::Killed => {
            let until = article.updated_at.checked_add(NOTICE_KEPT).unwrap_or(Timestamp::MAX);
            if now < until { (Showing::Notice, Some(until)) } else { (Showing::PastNotice, None) }
        }
        Status::Held => (Showing::Hidden, None),
        // A newer version's word may mean anything; what nobody shows cannot be wrong.
        Status::Embargoed | Status::Unknown => (Showing::Unborn, None),
    }
}

#[cfg(test)]
mod tests;
