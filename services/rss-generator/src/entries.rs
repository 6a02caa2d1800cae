//! Articles as feeds hold them, each written once for every feed it is in, until it changes.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use article::{Article, ArticleId};
use feed::{Entry, FeedMeta, Format, Item, Paging, Unreadable};

use crate::html::{Card, card};
use crate::members::Handle;
use crate::parallel::parallel;
use crate::site::Site;
use crate::state::State;

pub(crate) struct Written {
    pub(crate) item: Arc<Item>,
    pub(crate) card: Card,
}

#[derive(Default)]
pub(crate) struct Entries {
    /// `None`: what readers may not have, or nobody can write. With the bytes of the article it was written from.
    written: HashMap<Handle, (Option<Arc<Written>>, usize)>,
    /// Of all these articles.
    bytes: usize,
}

/// An entry in every format, its card and what holds them together, in bytes, for each byte of its article's JSON.
/// Measured: 3.4 to 4.1, of short articles more, which have the same frame.
const BYTES_FOR_EACH: usize = 4;

impl Entries {
    /// Forgets an article that has changed.
    pub(crate) fn forget(&mut self, handle: Handle) {
        if let Some((_, bytes)) = self.written.remove(&handle) {
            self.bytes -= bytes;
        }
    }

    pub(crate) fn get(&self, handle: Handle) -> Option<&Arc<Written>> {
        self.written.get(&handle)?.0.as_ref()
    }

    /// Writes those of `handles` that are not written yet, on all cores.
    pub(crate) fn write(&mut self, state: &State, site: &Site, handles: impl IntoIterator<Item = Handle>) {
        let missing: HashSet<Handle> = handles.into_iter().filter(|at| !self.written.contains_key(at)).collect();
        let missing: Vec<Handle> = missing.into_iter().collect();
        let written = parallel(&missing, |at| written(&state.article(*at), site));
        for (at, written) in missing.into_iter().zip(written) {
            let bytes = state.envelope(at).len();
            self.bytes += bytes;
            self.written.insert(at, (written, bytes));
        }
    }

    /// Keeps those of `live` only.
    pub(crate) fn retain(&mut self, live: &HashSet<Handle>) {
        self.written.retain(|at, _| live.contains(at));
        self.bytes = self.written.values().map(|(_, bytes)| bytes).sum();
    }

    /// Of memory, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes * BYTES_FOR_EACH
    }
}

/// `None` for what readers may not have, and for an article whose entry a reader's parser would stumble over: it is left
/// out, loudly, and the others go on. Without this one article would keep every feed as it is.
pub(crate) fn written(article: &Article, site: &Site) -> Option<Arc<Written>> {
    let (written, problem) = guarded(article, || {
        let item = Arc::new(Item::render(article, &site.links)?);
        let card = card(site, &Entry::of(article, &site.links)?);
        let problem = Format::ALL.into_iter().find_map(|format| {
            let document = feed::document(format, &probe(), &Paging::Live { prev: None }, &[&*item]);
            problem(feed::check(format, &document.bytes), &[article.id])
        });
        Some((Arc::new(Written { item, card }), problem))
    })?;
    if let Some(problem) = problem {
        let revision = article.revision;
        tracing::error!(article = %article.id, revision, problem, "an article's entry cannot be read back; it is left out");
        return None;
    }
    Some(written)
}

/// A feed that is nothing but the frame of one entry.
fn probe() -> FeedMeta {
    let url = "https://probe.invalid/feeds/all".to_owned();
    let said = || "An entry".to_owned();
    FeedMeta { title: said(), site_title: said(), description: said(), page_url: url, language: None, hub: None }
}

/// What a reader's parser would stumble over in a document that is to hold `articles`.
pub(crate) fn problem(found: Result<Vec<ArticleId>, Unreadable>, articles: &[ArticleId]) -> Option<String> {
    match found {
        Ok(found) if found == articles => None,
        Ok(found) => Some(format!("{} entries are read back of {}, or in another order", found.len(), articles.len())),
        Err(unreadable) => Some(unreadable.to_string()),
    }
}

/// Renders, and survives an article that makes a library panic: it is left out, loudly, and the others go on. Without
/// this one article would stop every feed, and again after each restart.
pub(crate) fn guarded<T>(article: &Article, render: impl FnOnce() -> Option<T>) -> Option<T> {
    // Nothing is shared that a panic could leave half done: rendering only reads.
    catch_unwind(AssertUnwindSafe(render)).unwrap_or_else(|_| {
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
