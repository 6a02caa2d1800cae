//! Feeds and their pages of older articles, in every form.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use axum::http::StatusCode;
use feed::{FeedMeta, Format, Item, Paging};
use jiff::Timestamp;
use subscription::Selection;

use crate::entries::{Entries, Written, problem};
use crate::html::{self, Card, FeedRef};
use crate::library::{Draft, Key, PageId, Source};
use crate::members::{Handle, Members, Showing};
use crate::site::Site;
use crate::state::State;

/// The HTML page, or a feed in a format.
pub(crate) type Form = Option<Format>;

pub(crate) const FORMS: [Form; 4] = [None, Some(Format::Rss), Some(Format::Atom), Some(Format::Json)];

pub(crate) const HTML: &str = "text/html; charset=utf-8";

/// What the forms of a feed, or of a page of older articles, are written from.
pub(crate) struct Plan {
    selection: Selection,
    page: Option<PageId>,
    feed: FeedRef,
    source: Arc<Source>,
    entries: Vec<Arc<Written>>,
    changed: Timestamp,
}

/// Which articles a document shows, before they are written.
pub(crate) struct Layout {
    pub(crate) shown: Vec<Handle>,
    page: Option<PageId>,
    paging: Paging,
}

impl Layout {
    /// The live feed.
    pub(crate) fn live(state: &State, site: &Site, selection: &Selection, members: &Members) -> Self {
        let positions = state.positions();
        let shown = members.window(positions);
        let before = members.page_before(&shown, positions).and_then(|number| members.page_id(number, positions));
        let prev = before.map(|page| address(site, selection, page));
        Self { shown, page: None, paging: Paging::Live { prev } }
    }

    /// A page of older articles; `None` when these are no longer (or not yet) the articles of any page.
    pub(crate) fn page(
        state: &State,
        site: &Site,
        selection: &Selection,
        members: &Members,
        page: PageId,
    ) -> Option<Self> {
        let positions = state.positions();
        let id = |number: Option<u32>| members.page_id(number?, positions);
        if id(Some(page.number)) != Some(page) {
            return None;
        }
        let neighbour = |number| id(number).map(|page| address(site, selection, page));
        let paging = Paging::Archive {
            current: site.feed(selection),
            prev: neighbour(page.number.checked_sub(1)),
            next: neighbour(page.number.checked_add(1)),
        };
        Some(Self { shown: members.shown_on(page.number, positions), page: Some(page), paging })
    }
}

#[cfg(test)]
impl Layout {
    pub(crate) fn paging(&self) -> &Paging {
        &self.paging
    }
}

/// The HTML page of a page of older articles; with an extension it is the document.
fn address(site: &Site, selection: &Selection, page: PageId) -> String {
    format!("{};{page}", site.feed(selection))
}

impl Plan {
    /// Of what is written already.
    pub(crate) fn new(
        state: &State,
        site: &Site,
        selection: &Selection,
        layout: &Layout,
        entries: &Entries,
        changed: Timestamp,
    ) -> Self {
        let Layout { shown, page, paging } = layout;
        let page = *page;
        let listed = shown.iter().filter(|at| state.position(**at).showing == Showing::Listed);
        let entries: Vec<Arc<Written>> = shown.iter().filter_map(|at| entries.get(*at).cloned()).collect();
        let items: Vec<Arc<Item>> = entries.iter().map(|entry| entry.item.clone()).collect();
        // Read only as far as names are missing.
        let articles = listed.map(|at| state.article(*at));
        let mut feed = FeedRef::new(site, selection, articles, common_language(&items));
        if let Some(page) = page {
            feed.meta.page_url = address(site, selection, page);
        }
        let meta: FeedMeta = feed.meta.clone();
        let source = Arc::new(Source { meta, paging: paging.clone(), items });
        Self { selection: selection.clone(), page, feed, source, entries, changed }
    }

    pub(crate) fn key(&self, form: Form) -> Key {
        match self.page {
            None => Key::Feed(self.selection.clone(), form),
            Some(page) => Key::Archive(self.selection.clone(), form, page),
        }
    }

    /// Writes one form. `None`, and an error line, when a reader's parser would not find in it what is in it: whatever
    /// stands is better.
    pub(crate) fn document(&self, site: &Site, form: Form) -> Option<Draft> {
        self.written_by(form, |form| {
            let Source { meta, paging, items } = &*self.source;
            match form {
                Some(format) => feed::document(format, meta, paging, items).bytes,
                None => {
                    let cards: Vec<&Card> = self.entries.iter().map(|entry| &entry.card).collect();
                    html::feed(site, &self.feed, &cards, paging)
                }
            }
        })
    }

    fn written_by(&self, form: Form, write: impl Fn(Form) -> Vec<u8>) -> Option<Draft> {
        // Writing only reads; a panic leaves nothing half done.
        let written = catch_unwind(AssertUnwindSafe(|| write(form)));
        let problem = match (&written, form) {
            (Err(_), _) => Some("writing it panicked".to_owned()),
            (Ok(_), None) => None,
            (Ok(body), Some(format)) => {
                let items = &self.source.items;
                let articles: Vec<_> = items.iter().map(|item| item.id()).collect();
                problem(feed::check_spliced(format, body, items), &articles)
            }
        };
        if let Some(problem) = problem {
            let format = form.map_or("HTML", Format::name);
            tracing::error!(selection = %self.selection, format, problem, "a new feed cannot be read back; it is not served");
            return None;
        }
        let is_live_feed = self.page.is_none() && form.is_some();
        let content_type = form.map_or(HTML, Format::content_type);
        let draft = Draft::new(StatusCode::OK, content_type, written.ok()?, self.changed);
        Some(Draft { source: is_live_feed.then(|| self.source.clone()), ..draft })
    }
}

/// The language of a feed whose entries are all in it.
fn common_language(items: &[Arc<Item>]) -> Option<String> {
    let (first, rest) = items.split_first()?;
    rest.iter().all(|item| item.language() == first.language()).then(|| first.language().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{at, create, document, logged, site};

    #[test]
    fn a_feed_that_cannot_be_read_back_is_none() {
        let now = at("2026-05-01T00:00:00Z");
        let (mut state, site, all) = (State::default(), site(), Selection::everything());
        for n in 0..3 {
            state.apply(logged(&create(n, &document("World", "2026-01-01T00:00:00Z"), "2026-01-01T00:00:00Z")), now);
        }
        state.open(&all, &state.range(&all).sure);
        let layout = Layout::live(&state, &site, &all, state.members(&all).unwrap());
        let mut entries = Entries::default();
        entries.write(&state, &site, layout.shown.iter().copied());
        let plan = Plan::new(&state, &site, &all, &layout, &entries, now);
        let write = |form: Form| plan.document(&site, form).unwrap().body;
        for form in FORMS {
            assert!(plan.written_by(form, write).is_some());
            assert!(plan.written_by(form, |_| panic!("a bug in a library")).is_none());
        }
        for form in Format::ALL.map(Some) {
            let text = String::from_utf8(write(form)).unwrap();
            let other = FORMS.into_iter().find(|other| other.is_some() && *other != form).unwrap();
            let broken: [(&str, Vec<u8>); 5] = [
                ("empty", Vec::new()),
                ("cut off", text.as_bytes()[..text.len() / 2].to_vec()),
                (
                    "a control character",
                    text.replacen("One", "One\u{b}\u{1}", 1).into_bytes().into_iter().chain(*b"\x00").collect(),
                ),
                ("another format", write(other)),
                (
                    "an entry twice",
                    text.replace(&state.position(1).id().to_string(), &state.position(0).id().to_string()).into_bytes(),
                ),
            ];
            for (what, bytes) in broken {
                assert!(plan.written_by(form, |_| bytes.clone()).is_none(), "{what} {form:?}");
            }
        }
    }
}
