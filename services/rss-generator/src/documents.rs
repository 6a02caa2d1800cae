//! Writes the documents that a change of the state calls for.

use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use article::{Article, ArticleId, Status};
use axum::http::StatusCode;
use feed::{Entry, Format, Item, Standing};
use jiff::Timestamp;
use subscription::{Atom, Expression, Selection};

use crate::html::{self, Card, Contents, FeedRef, Listed};
use crate::library::{Draft, Key, Library, Source};
use crate::members::{Members, Showing};
use crate::site::Site;
use crate::state::{Changes, State, changed};

/// Headlines in the directory.
const LATEST: usize = 5;

const HTML: &str = "text/html; charset=utf-8";

/// Writes documents and keeps what it wrote of single articles, so that a change of one costs one.
pub(crate) struct Writer {
    site: Site,
    written: HashMap<ArticleId, Arc<Written>>,
    /// Size at which `written` is rid of articles that are in no feed any more.
    sweep_at: usize,
}

/// An article as feeds hold it.
struct Written {
    item: Arc<Item>,
    card: Card,
}

/// Entries of articles long out of every feed that may pile up before they are swept.
const SLACK: usize = 1_000;

impl Writer {
    pub(crate) fn new(site: Site) -> Self {
        Self { site, written: HashMap::new(), sweep_at: SLACK }
    }

    /// Everything that is different after `changes`. `None` in place of a document: there is none any more.
    pub(crate) fn write(
        &mut self,
        state: &State,
        changes: &Changes,
        library: &Library,
        now: Timestamp,
    ) -> Vec<(Key, Option<Draft>)> {
        let at = changes.at.unwrap_or(now);
        let mut drafts = Vec::new();
        for id in &changes.articles {
            self.written.remove(id);
        }
        for selection in &changes.selections {
            // A feed that is new to the library is as old as its articles, not as this process.
            let known = library.has(&Key::Feed(selection.clone(), None));
            let at = if known { at } else { state.last_change(selection, now).unwrap_or(Timestamp::UNIX_EPOCH) };
            self.feed(state, selection, at, &mut drafts);
        }
        for id in &changes.articles {
            drafts.push((Key::Article(*id), self.page(state, *id, now)));
        }
        drafts.push((Key::Directory, Some(self.directory(state, at))));
        self.sweep(state);
        drafts
    }

    /// Everything there is: for a process that has just caught up with the log.
    pub(crate) fn write_all(&mut self, state: &State, library: &Library, now: Timestamp) -> Vec<(Key, Option<Draft>)> {
        let mut changes = Changes { articles: state.ids().collect(), ..Changes::default() };
        changes.selections.extend(state.selections().map(|(selection, _)| selection.clone()));
        // There is a feed of everything even before there is anything.
        changes.selections.insert(Selection::everything());
        changes.at = Some(state.last_change(&Selection::everything(), now).unwrap_or(Timestamp::UNIX_EPOCH));
        self.write(state, &changes, library, now)
    }

    fn feed(&mut self, state: &State, selection: &Selection, at: Timestamp, drafts: &mut Vec<(Key, Option<Draft>)>) {
        let members = state.members(selection);
        let forms = [None].into_iter().chain(Format::ALL.map(Some));
        if members.is_none() && !selection.is_everything() {
            drafts.extend(forms.map(|form| (Key::Feed(selection.clone(), form), None)));
            return;
        }
        let window = members.map(|members| members.window()).unwrap_or_default();
        let entries: Vec<Arc<Written>> = window.into_iter().filter_map(|id| self.entry(state.article(id)?)).collect();
        let items: Vec<&Item> = entries.iter().map(|entry| &*entry.item).collect();
        let feed = self.feed_ref(state, selection, common_language(&items));
        let live = feed::Paging::Live { prev: None };
        let items = entries.iter().map(|entry| entry.item.clone()).collect();
        let source = Arc::new(Source { meta: feed.meta.clone(), paging: live.clone(), items });
        for form in forms {
            let (content_type, body) = match form {
                Some(format) => (format.content_type(), source.written(format)),
                None => {
                    let cards: Vec<&Card> = entries.iter().map(|entry| &entry.card).collect();
                    (HTML, html::feed(&self.site, &feed, &cards, &live))
                }
            };
            let draft = Draft { status: StatusCode::OK, content_type, body, changed: at, source: Some(source.clone()) };
            drafts.push((Key::Feed(selection.clone(), form), Some(draft)));
        }
    }

    fn feed_ref(&self, state: &State, selection: &Selection, language: Option<String>) -> FeedRef {
        let newest = state.members(selection).and_then(|members| state.article(members.newest()?)).map(Arc::as_ref);
        FeedRef::new(&self.site, selection, newest, language)
    }

    fn entry(&mut self, article: &Article) -> Option<Arc<Written>> {
        if let Some(written) = self.written.get(&article.id) {
            return Some(written.clone());
        }
        let written = guarded(article, || {
            let item = Item::render(article, &self.site.links)?;
            let card = html::card(&self.site, &Entry::of(article, &self.site.links)?);
            Some(Arc::new(Written { item: Arc::new(item), card }))
        })?;
        self.written.insert(article.id, written.clone());
        Some(written)
    }

    /// An article's own page: whole, or a notice, or that it is gone; none for what nobody may know of.
    fn page(&self, state: &State, id: ArticleId, now: Timestamp) -> Option<Draft> {
        let article = state.article(id)?;
        let (status, body) = match (state.showing(id)?, article.status) {
            (Showing::Listed, _) => (StatusCode::OK, guarded(article, || self.article(article))?),
            (Showing::Notice | Showing::Hidden, Status::Killed) => {
                (StatusCode::GONE, guarded(article, || self.article(article))?)
            }
            (Showing::Hidden, Status::Published | Status::Withdrawn) => {
                (StatusCode::GONE, html::message_in(&self.site, &article.language, |words| words.expired))
            }
            _ => return None,
        };
        Some(Draft { status, content_type: HTML, body, changed: changed(article, now), source: None })
    }

    fn article(&self, article: &Article) -> Option<Vec<u8>> {
        let entry = Entry::of(article, &self.site.links)?;
        // Its innermost section is what more of the kind is; what was killed may be so for its section's name.
        let told = entry.standing != Standing::Killed || article.test;
        let innermost = Selection::of(article).pop().filter(|_| told);
        let selection = innermost.unwrap_or_else(Selection::everything);
        // Named by this article alone: its page must not change when another of its section is published.
        let feed = FeedRef::new(&self.site, &selection, Some(article), Some(article.language.clone()));
        Some(html::article(&self.site, &feed, &entry))
    }

    fn directory(&mut self, state: &State, at: Timestamp) -> Draft {
        let everything = Selection::everything();
        let members = state.members(&everything);
        let window = members.map(|members| members.window()).unwrap_or_default();
        let entries: Vec<Arc<Written>> = window.into_iter().filter_map(|id| self.entry(state.article(id)?)).collect();
        let items: Vec<&Item> = entries.iter().map(|entry| &*entry.item).collect();
        let all = self.feed_ref(state, &everything, common_language(&items));
        let mut contents = Contents {
            latest: entries.iter().map(|entry| &entry.card).take(LATEST).collect(),
            articles: members.map_or(0, Members::listed),
            ..Contents::default()
        };
        for (selection, members) in state.selections() {
            let group = match selection.parts() {
                Expression::Atom(Atom::Section(_)) => &mut contents.sections,
                Expression::Atom(Atom::Publisher(_)) => &mut contents.publishers,
                // Whoever rehearses knows the address.
                _ => continue,
            };
            let newest = members.newest().and_then(|id| state.article(id)).map(Arc::as_ref);
            group.push(Listed::new(selection, newest, members.listed()));
        }
        let body = html::directory(&self.site, &all, contents);
        Draft { status: StatusCode::OK, content_type: HTML, body, changed: at, source: None }
    }

    fn sweep(&mut self, state: &State) {
        if self.written.len() > self.sweep_at {
            let live: HashSet<ArticleId> = state.selections().flat_map(|(_, members)| members.window()).collect();
            self.written.retain(|id, _| live.contains(id));
            self.sweep_at = self.written.len() * 2 + SLACK;
        }
    }
}

/// The language of a feed whose entries are all in it.
fn common_language(items: &[&Item]) -> Option<String> {
    let (first, rest) = items.split_first()?;
    rest.iter().all(|item| item.language() == first.language()).then(|| first.language().to_owned())
}

/// Renders, and survives an article that makes a library panic: it is left out, loudly, and the others go on. Without
/// this one article would stop every feed, and again after each restart.
fn guarded<T>(article: &Article, render: impl FnOnce() -> Option<T>) -> Option<T> {
    // Nothing is shared that a panic could leave half done: rendering only reads.
    std::panic::catch_unwind(AssertUnwindSafe(render)).unwrap_or_else(|_| {
        tracing::error!(article = %article.id, revision = article.revision, "rendering panicked; the article is left out");
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{create, document};

    #[test]
    fn an_article_that_cannot_be_rendered_is_left_out() {
        let article = create(1, &document("World", "2026-01-10T10:00"), "2026-01-10T10:00:00Z");
        assert_eq!(guarded(&article, || Some(1)), Some(1));
        assert_eq!(guarded(&article, || -> Option<i32> { panic!("a bug in a library") }), None);
    }
}
