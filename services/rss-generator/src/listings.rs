//! What lists feeds and articles: the directory, OPML, the sitemap of the news.

use std::collections::BTreeMap;

use article::Article;
use axum::http::StatusCode;
use feed::{MAX_NEWS_URLS, OPML_CONTENT_TYPE, Outline};
use jiff::{SignedDuration, Timestamp};
use subscription::{Atom, Selection};

use crate::entries::Entries;
use crate::feeds::HTML;
use crate::html::{self, Contents, FeedRef, Listed};
use crate::library::Draft;
use crate::members::{Handle, Showing};
use crate::names::INSIDE;
use crate::parallel::parallel;
use crate::site::Site;
use crate::state::State;

/// Headlines on the directory.
const LATEST: usize = 5;

/// What search engines take for news.
const NEWS: SignedDuration = SignedDuration::from_hours(48);

/// The articles that the directory shows.
pub(crate) fn latest(state: &State) -> Vec<Handle> {
    newest(state).take(LATEST).collect()
}

/// Articles that readers may have whole, the newest first.
fn newest(state: &State) -> impl Iterator<Item = Handle> {
    let all = state.members(&Selection::everything()).map(|members| members.all()).unwrap_or_default();
    all.iter().rev().copied().filter(|at| state.position(*at).showing == Showing::Listed)
}

pub(crate) fn directory(state: &State, site: &Site, entries: &Entries, changed: Timestamp) -> Draft {
    let latest = latest(state);
    let languages = latest.iter().filter_map(|at| entries.get(*at)).map(|entry| entry.item.language());
    let mut languages: Vec<&str> = languages.collect();
    languages.dedup();
    let language = if let [one] = languages[..] { Some(one.to_owned()) } else { None };
    let all = FeedRef::new(site, &Selection::everything(), std::iter::empty::<Article>(), language);
    let mut contents = Contents {
        latest: latest.iter().filter_map(|at| Some(&entries.get(*at)?.card)).collect(),
        ..Contents::default()
    };
    for (atom, articles) in state.counts() {
        let articles = usize::try_from(articles).unwrap_or(usize::MAX);
        let (list, name) = match atom {
            Atom::Section(path) => (&mut contents.sections, state.section_names(path).pop().unwrap_or_default()),
            Atom::Publisher(publisher) => (&mut contents.publishers, publisher.to_string()),
            Atom::Language(tag) => (&mut contents.languages, tag.to_string()),
            Atom::Everything => {
                contents.articles = articles;
                continue;
            }
            // Whoever rehearses knows the address.
            _ => continue,
        };
        list.extend(selection(atom).map(|selection| Listed { selection, name, articles }));
    }
    let body = html::directory(site, &all, contents);
    Draft::new(StatusCode::OK, HTML, body, changed)
}

/// The feeds of everything, of all sections and publishers.
pub(crate) fn opml(state: &State, site: &Site, changed: Timestamp) -> Draft {
    let outline = |selection: &Selection, name: &str| {
        let meta = site.meta(selection, name, None);
        Outline { title: meta.title, page_url: meta.page_url, below: Vec::new() }
    };
    let everything = Selection::everything();
    let mut outlines = vec![outline(&everything, &site.title)];
    let mut sections = BTreeMap::new();
    let mut publishers = BTreeMap::new();
    for (atom, _) in state.counts() {
        match atom {
            Atom::Section(path) => {
                let name = state.section_names(path).join(INSIDE);
                let slugs: Vec<&str> = path.split('/').collect();
                sections.extend(selection(atom).map(|selection| (slugs, outline(&selection, &name))));
            }
            Atom::Publisher(publisher) => {
                let name = publisher.as_str();
                publishers.extend(selection(atom).map(|selection| (name, outline(&selection, name))));
            }
            _ => {}
        }
    }
    // Deepest last in order, so folding from the end puts each under the one above it.
    let mut below: BTreeMap<Vec<&str>, Vec<Outline>> = BTreeMap::new();
    for (slugs, mut outline) in sections.into_iter().rev() {
        outline.below = below.remove(&slugs).unwrap_or_default();
        outline.below.reverse();
        below.entry(slugs[..slugs.len() - 1].to_vec()).or_default().push(outline);
    }
    let mut top = below.remove(&Vec::new()).unwrap_or_default();
    top.reverse();
    outlines.extend(top);
    outlines.extend(publishers.into_values());
    let body = feed::opml(&site.title, &outlines);
    Draft::new(StatusCode::OK, OPML_CONTENT_TYPE, body, changed)
}

/// The sitemap of the news, and when time alone will change it.
pub(crate) fn sitemap(state: &State, site: &Site, now: Timestamp) -> (Draft, Option<Timestamp>) {
    let from = now.checked_sub(NEWS).unwrap_or(Timestamp::MIN);
    let published = |at: &Handle| state.position(*at).place.0;
    let news: Vec<Handle> = newest(state).take_while(|at| published(at) > from).take(MAX_NEWS_URLS).collect();
    let articles = parallel(&news, |at| state.article(*at));
    let body = feed::news_sitemap(&site.title, &site.links, &articles);
    let until = news.last().and_then(|at| published(at).checked_add(NEWS).ok());
    (Draft::new(StatusCode::OK, "application/xml; charset=utf-8", body, state.last_change(&news)), until)
}

/// `None` for a path of sections that is longer than an address may be.
fn selection(atom: &Atom) -> Option<Selection> {
    atom.to_string().parse().ok()
}
