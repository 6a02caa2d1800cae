//! What the log says: the last revision of every article, and which feeds each belongs to.
//!
//! A pure fold. Given the last revisions and the time, everything here is determined, whatever the order and number
//! of earlier revisions seen.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use article::{Article, ArticleId, Status};
use jiff::{SignedDuration, Timestamp};
use subscription::Selection;

use crate::members::{Members, Position, Showing};

/// How long a killed article's notice stays in its feeds, however old the article is.
const NOTICE_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

#[derive(Debug, Default)]
pub(crate) struct State {
    articles: HashMap<ArticleId, Stored>,
    selections: BTreeMap<Selection, Members>,
    /// When time alone changes how an article shows.
    wakes: BTreeSet<(Timestamp, ArticleId)>,
}

#[derive(Debug)]
struct Stored {
    article: Arc<Article>,
    position: Position,
    wake: Option<Timestamp>,
}

/// What has to be written anew.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) selections: BTreeSet<Selection>,
    pub(crate) articles: BTreeSet<ArticleId>,
    /// The latest of the causes: when a revision was made, or when the time came.
    pub(crate) at: Option<Timestamp>,
}

impl Changes {
    pub(crate) fn is_empty(&self) -> bool {
        self.articles.is_empty()
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.selections.extend(other.selections);
        self.articles.extend(other.articles);
        self.at = self.at.max(other.at);
    }
}

impl State {
    /// Takes a revision in. Nothing changes when it is not newer than what is here: the log may repeat itself.
    pub(crate) fn apply(&mut self, article: Article, now: Timestamp) -> Changes {
        let known = self.articles.get(&article.id).map(|stored| stored.article.revision);
        if known.is_some_and(|revision| article.revision <= revision) {
            return Changes::default();
        }
        let at = article.version_created;
        self.place(Arc::new(article), at, now)
    }

    /// Takes in what the passing of time has changed.
    pub(crate) fn wake(&mut self, now: Timestamp) -> Changes {
        let mut changes = Changes::default();
        while let Some(&(at, id)) = self.wakes.first().filter(|(at, _)| *at <= now) {
            let article = self.articles[&id].article.clone();
            changes.merge(self.place(article, at, now));
        }
        changes
    }

    /// When to call [`State::wake`] next.
    pub(crate) fn next_wake(&self) -> Option<Timestamp> {
        self.wakes.first().map(|(at, _)| *at)
    }

    fn place(&mut self, article: Arc<Article>, at: Timestamp, now: Timestamp) -> Changes {
        let id = article.id;
        let mut changes = Changes { articles: BTreeSet::from([id]), at: Some(at), ..Changes::default() };
        if let Some(old) = self.articles.remove(&id) {
            if let Some(wake) = old.wake {
                self.wakes.remove(&(wake, id));
            }
            for selection in Selection::of(&old.article) {
                if let Some(members) = self.selections.get_mut(&selection) {
                    members.remove(old.position);
                    if members.is_empty() {
                        self.selections.remove(&selection);
                    }
                    changes.selections.insert(selection);
                }
            }
        }
        let (showing, wake) = showing(&article, now);
        let published = article.published.as_ref().map_or(Timestamp::MAX, |published| published.at);
        let position = Position { showing, place: (Reverse(published), id), updated: article.updated_at };
        if showing != Showing::Unborn {
            for selection in Selection::of(&article) {
                self.selections.entry(selection.clone()).or_default().insert(position);
                changes.selections.insert(selection);
            }
        }
        self.wakes.extend(wake.map(|wake| (wake, id)));
        self.articles.insert(id, Stored { article, position, wake });
        changes
    }

    pub(crate) fn article(&self, id: ArticleId) -> Option<&Arc<Article>> {
        self.articles.get(&id).map(|stored| &stored.article)
    }

    /// How an article shows since the last change or wake.
    pub(crate) fn showing(&self, id: ArticleId) -> Option<Showing> {
        self.articles.get(&id).map(|stored| stored.position.showing)
    }

    pub(crate) fn members(&self, selection: &Selection) -> Option<&Members> {
        self.selections.get(selection)
    }

    pub(crate) fn selections(&self) -> impl Iterator<Item = (&Selection, &Members)> {
        self.selections.iter()
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = ArticleId> {
        self.articles.keys().copied()
    }

    /// When anything that readers of the selection could notice last happened.
    pub(crate) fn last_change(&self, selection: &Selection, now: Timestamp) -> Option<Timestamp> {
        let articles = self.members(selection)?.all().filter_map(|id| self.article(id));
        articles.map(|article| changed(article, now)).max()
    }
}

/// When an article last changed before its readers: its revision, or a time in it that has passed.
pub(crate) fn changed(article: &Article, now: Timestamp) -> Timestamp {
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
            if now < until { (Showing::Notice, Some(until)) } else { (Showing::Hidden, None) }
        }
        Status::Held => (Showing::Hidden, None),
        // A newer version's word may mean anything; what nobody shows cannot be wrong.
        Status::Embargoed | Status::Unknown => (Showing::Unborn, None),
    }
}

#[cfg(test)]
mod tests;
