//! Writes the documents that a change of the state calls for, and those that somebody asks for.

use std::collections::HashSet;

use article::{Article, Status};
use axum::http::StatusCode;
use feed::{Entry, Standing};
use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use subscription::Selection;

use crate::entries::{Entries, guarded};
use crate::feeds::{FORMS, Form, HTML, Layout, Plan};
use crate::html::{self, FeedRef};
use crate::library::{Draft, Key, Library, PageId};
use crate::listings;
use crate::members::{Handle, Showing};
use crate::parallel::parallel;
use crate::site::Site;
use crate::state::{Changes, State, Touched};

/// What is to stand under a key from now on; `None`: nothing.
pub(crate) type Drafts = Vec<(Key, Option<Draft>)>;

/// Writes documents and keeps what it wrote of single articles, so that a change of one costs one.
pub(crate) struct Writer {
    site: Site,
    entries: Entries,
    /// Documents that were written and could not be served.
    refused: Counter,
    /// When time alone changes the sitemap.
    pub(crate) sitemap_until: Option<Timestamp>,
}

impl Writer {
    pub(crate) fn new(site: Site, refused: Counter) -> Self {
        Self { site, entries: Entries::default(), refused, sitemap_until: None }
    }

    /// Everything that is different after `changes` of what the library has, and of the feeds that are `wanted` although
    /// it has not. Pages of older articles are not written again: see [`crate::stand`].
    pub(crate) fn write(
        &mut self,
        state: &State,
        changes: &Changes,
        library: &Library,
        wanted: impl Fn(&Key) -> bool,
        now: Timestamp,
    ) -> Drafts {
        let at = changes.at.unwrap_or(now);
        changes.articles.iter().for_each(|handle| self.entries.forget(*handle));
        let feeds = changes.feeds.iter().filter_map(|(selection, touched)| {
            let is_wanted = |form: &Form| {
                let key = Key::Feed(selection.clone(), *form);
                library.has(&key) || wanted(&key)
            };
            let forms: Vec<Form> = FORMS.into_iter().filter(is_wanted).collect();
            let members = state.members(selection).filter(|_| !forms.is_empty())?;
            Some((selection, *touched, forms, Layout::live(state, &self.site, selection, members)))
        });
        let feeds: Vec<(&Selection, Touched, Vec<Form>, Layout)> = feeds.collect();
        let shown = feeds.iter().flat_map(|(.., layout)| layout.shown.iter().copied());
        self.entries.write(state, &self.site, shown.chain(listings::latest(state)));

        let plans = parallel(&feeds, |(selection, touched, _, layout)| {
            (Plan::new(state, &self.site, selection, layout, &self.entries, at), touched.taken_back)
        });
        let forms =
            plans.iter().zip(&feeds).flat_map(|(plan, (_, _, forms, _))| forms.iter().map(move |form| (plan, *form)));
        let forms: Vec<(&(Plan, bool), Form)> = forms.collect();
        let written = parallel(&forms, |((plan, taken_back), form)| {
            in_place(plan.key(*form), self.counted(plan.document(&self.site, *form)), *taken_back)
        });
        let mut drafts: Drafts = written.into_iter().flatten().collect();
        for handle in &changes.articles {
            let key = Key::Article(state.position(*handle).id());
            if library.has(&key) {
                let page = self.page(state, *handle);
                drafts.push((key, page));
            }
        }
        if library.has(&Key::Directory) {
            drafts.push((Key::Directory, Some(listings::directory(state, &self.site, &self.entries, at))));
        }
        if library.has(&Key::Opml) {
            drafts.push((Key::Opml, Some(listings::opml(state, &self.site, at))));
        }
        // A thousand articles are read for it: whoever asks next has it made.
        drafts.push((Key::NewsSitemap, None));
        drafts
    }

    /// A live feed in one form, of a selection that is kept up.
    pub(crate) fn feed(&mut self, state: &State, selection: &Selection, form: Form) -> Option<Draft> {
        let members = state.members(selection)?;
        let layout = Layout::live(state, &self.site, selection, members);
        self.entries.write(state, &self.site, layout.shown.iter().copied());
        let changed = state.last_change(members.all());
        let plan = Plan::new(state, &self.site, selection, &layout, &self.entries, changed);
        self.counted(plan.document(&self.site, form))
    }

    /// A page of older articles in one form, of a selection that is kept up.
    pub(crate) fn archive(&mut self, state: &State, selection: &Selection, form: Form, page: PageId) -> Option<Draft> {
        let members = state.members(selection)?;
        let layout = Layout::page(state, &self.site, selection, members, page)?;
        // Crawlers read all of them, nobody one twice: what is written for it is not kept.
        let mut entries = Entries::default();
        entries.write(state, &self.site, layout.shown.iter().copied());
        let changed = state.last_change(&layout.shown);
        let plan = Plan::new(state, &self.site, selection, &layout, &entries, changed);
        self.counted(plan.document(&self.site, form))
    }

    fn counted(&self, written: Option<Draft>) -> Option<Draft> {
        if written.is_none() {
            self.refused.inc();
        }
        written
    }

    /// An article's own page: whole, or a notice, or that it is gone; none for what nobody may know of.
    pub(crate) fn page(&self, state: &State, handle: Handle) -> Option<Draft> {
        let showing = state.position(handle).showing;
        if showing == Showing::Unborn {
            return None;
        }
        let article = &state.article(handle);
        let (status, body) = match (showing, article.status) {
            (Showing::Listed, _) => (StatusCode::OK, guarded(article, || self.article(article))?),
            (Showing::Notice | Showing::PastNotice, _) => {
                (StatusCode::GONE, guarded(article, || self.article(article))?)
            }
            (Showing::Hidden, Status::Published | Status::Withdrawn) => {
                (StatusCode::GONE, html::message_in(&self.site, &article.language, |words| words.expired))
            }
            _ => return None,
        };
        Some(Draft::new(status, HTML, body, state.changed(handle)))
    }

    fn article(&self, article: &Article) -> Option<Vec<u8>> {
        let entry = Entry::of(article, &self.site.links)?;
        // Its innermost section is what more of the kind is; what was killed may be so for its section's name.
        let told = entry.standing != Standing::Killed || article.test;
        let innermost = Selection::of(article).pop().filter(|_| told);
        let selection = innermost.unwrap_or_else(Selection::everything);
        // Named by this article alone: its page must not change when another of its section is published.
        let feed = FeedRef::new(&self.site, &selection, [article], None);
        Some(html::article(&self.site, &feed, &entry))
    }

    pub(crate) fn directory(&mut self, state: &State) -> Draft {
        self.entries.write(state, &self.site, listings::latest(state));
        listings::directory(state, &self.site, &self.entries, last_change(state))
    }

    pub(crate) fn opml(&self, state: &State) -> Draft {
        listings::opml(state, &self.site, last_change(state))
    }

    pub(crate) fn sitemap(&mut self, state: &State, now: Timestamp) -> Draft {
        let (draft, until) = listings::sitemap(state, &self.site, now);
        self.sitemap_until = until;
        draft
    }

    /// Bytes of memory that entries take, roughly.
    pub(crate) fn bytes(&self) -> usize {
        self.entries.bytes()
    }

    /// Forgets the entries of articles that no live feed shows.
    pub(crate) fn sweep(&mut self, state: &State) {
        let positions = state.positions();
        let shown: HashSet<Handle> = state.live().flat_map(|(_, members)| members.window(positions)).collect();
        self.entries.retain(&shown);
    }
}

/// What is to be done with a document that may have failed: the last good one stays, unless readers may no longer have
/// something that is in it.
fn in_place(key: Key, written: Option<Draft>, taken_back: bool) -> Option<(Key, Option<Draft>)> {
    (written.is_some() || taken_back).then_some((key, written))
}

fn last_change(state: &State) -> Timestamp {
    let all = state.members(&Selection::everything()).map(|members| members.all());
    state.last_change(all.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_takes_the_place_of_a_good_document_but_where_something_was_taken_back() {
        let draft = || Draft::new(StatusCode::OK, HTML, b"new".to_vec(), Timestamp::UNIX_EPOCH);
        assert!(matches!(in_place(Key::Opml, Some(draft()), false), Some((Key::Opml, Some(_)))));
        assert!(matches!(in_place(Key::Opml, Some(draft()), true), Some((Key::Opml, Some(_)))));
        assert!(in_place(Key::Opml, None, false).is_none());
        assert!(matches!(in_place(Key::Opml, None, true), Some((Key::Opml, None))));
    }
}
