//! Which article an item is, however its feed renames it.
//!
//! A ladder, from what surely names an item to what only suggests it:
//! 1. its guid;
//! 2. the guid without scheme and host: a site moved to https, to `www`, or to another domain;
//! 3. its page, likewise comparable ([`crate::identity`] ignores scheme, `www.`, `m.` and tracking parameters);
//! 4. its headline, with the same time or the same text.
//!
//! Only the first rung, and the third for items that have no guid, is believed by itself. On the others a second
//! witness is needed: headline, time or text must agree, for two sites in one feed may both have a `/1`, and on some
//! feeds every item leads to one page. What several items of one document share names none of them.
//!
//! That an item is no longer in its feed says nothing: feeds forget.

use std::collections::HashMap;

use article::Precision;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use crate::address::{canonical, page};
use crate::date::same_moment;
use crate::html::words_of;
use crate::item::{Format, Item};
use crate::revision::{shape, similar};

/// The most items of a feed that an item without any name in common is compared with: the newest ones.
pub const MAX_COMPARED: usize = 1000;

/// How far apart the times of two items may lie that are one by their headlines.
const SAME_NEWS: SignedDuration = SignedDuration::from_hours(48);

/// The names of an item, and what else tells it from others. Kept as JSON with the article it became.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Hashes, so that a record has the same size whatever a feed uses for names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headline: Option<String>,
    /// Only where it says a time of day: a day has many items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Timestamp>,
    /// The text's words, so that similar texts are near one another; see [`crate::revision`].
    pub shape: u64,
}

/// By which rung an item was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rung {
    Guid,
    Alias,
    Page,
    Text,
}

impl Identity {
    pub fn of(item: &Item) -> Self {
        let text = item.content.as_ref().or(item.summary.as_ref()).map(words_of).unwrap_or_default();
        Self {
            guid: item.guid.as_deref().map(|guid| hashed("guid", guid)),
            alias: item.guid.as_deref().and_then(alias).map(|alias| hashed("alias", &alias)),
            page: item.link.as_ref().and_then(canonical).map(|page| hashed("page", &page)),
            headline: item.title.as_deref().map(folded).filter(|title| !title.is_empty()).map(|t| hashed("title", &t)),
            published: item.published.as_ref().filter(|date| date.precision != Precision::Date).map(|date| date.at),
            shape: shape(&text),
        }
    }

    /// A name for the item that it would have had under another scheme or host, too: 64 hex digits. From it an id can
    /// be derived that is the same wherever the item is first seen.
    pub fn name(&self) -> String {
        let fallback = || hashed("text", &format!("{:?} {:016x}", self.headline, self.shape));
        self.alias.clone().or_else(|| self.page.clone()).or_else(|| self.guid.clone()).unwrap_or_else(fallback)
    }

    /// Whether anything but a name says that two items are one.
    fn agrees(&self, other: &Self) -> bool {
        let same_time = self.published.zip(other.published).is_some_and(|(a, b)| same_moment(a, b));
        same_time || self.same_headline(other) || similar(self.shape, other.shape)
    }

    fn same_headline(&self, other: &Self) -> bool {
        self.headline.is_some() && self.headline == other.headline
    }

    /// The fourth rung.
    fn is_same_news(&self, other: &Self) -> bool {
        let near = |(a, b): (Timestamp, Timestamp)| a.duration_since(b).abs() <= SAME_NEWS;
        let times = self.published.zip(other.published);
        self.same_headline(other)
            && times.is_none_or(near)
            && (similar(self.shape, other.shape) || times.is_some_and(|(a, b)| same_moment(a, b)))
    }
}

fn hashed(kind: &str, value: &str) -> String {
    Sha256::new()
        .chain_update(kind)
        .chain_update([0])
        .chain_update(value)
        .finalize()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

/// A headline for comparison: case and spaces do not count.
fn folded(title: &str) -> String {
    title.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What is left of a guid without scheme and host; `None` if that names nothing.
fn alias(guid: &str) -> Option<String> {
    // `tag:news.example,2026:post-1` (RFC 4151): the authority is the host, and the date goes with it.
    if let Some(tag) = guid.strip_prefix("tag:") {
        return tag.split_once(':').map(|(_, specific)| specific.to_owned()).filter(|specific| !specific.is_empty());
    }
    match Url::parse(guid) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => page(&url),
        Ok(_) => Some(guid.to_owned()),
        // `//news.example/1` and `news.example/1` are addresses to whoever wrote them.
        Err(_) => match Url::parse(&format!("https://{}", guid.trim_start_matches('/'))) {
            Ok(url) if url.host_str().is_some_and(|host| host.contains('.')) && guid.contains('/') => page(&url),
            _ => Some(guid.to_owned()),
        },
    }
}

/// The items of one document, each with its identity; items that are the same are one, the newest of them.
///
/// A name that several different items of the document share is taken from each of them.
pub fn identities(items: &[Item], format: Format) -> Vec<(&Item, Identity)> {
    let mut found: Vec<(&Item, Identity)> = items.iter().map(|item| (item, Identity::of(item))).collect();
    // Atom has versions of an entry under one id (RFC 4287, section 4.1.1); elsewhere the page must be the same, too.
    let same = |a: &Identity, b: &Identity| {
        a.guid.is_some() && a.guid == b.guid && (format == Format::Atom || (a.page == b.page && a.agrees(b)))
            || a.guid.is_none() && b.guid.is_none() && a.page.is_some() && a.page == b.page && a.agrees(b)
    };
    let newer = |a: &Item, b: &Item| moment(a) > moment(b);
    let mut kept: Vec<(&Item, Identity)> = Vec::with_capacity(found.len());
    let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
    for (item, identity) in found.drain(..) {
        let name = identity.guid.clone().or_else(|| identity.page.clone()).unwrap_or_default();
        let others = by_name.entry(name).or_default();
        // A feed with one name for all its items would compare each with each.
        match others.iter().rev().take(16).copied().find(|at| same(&kept[*at].1, &identity)) {
            Some(at) if newer(item, kept[at].0) => kept[at] = (item, identity),
            Some(_) => {}
            None => {
                others.push(kept.len());
                kept.push((item, identity));
            }
        }
    }
    unshare(&mut kept);
    kept
}

fn moment(item: &Item) -> Option<Timestamp> {
    item.updated.as_ref().or(item.published.as_ref()).map(|date| date.at)
}

fn unshare(items: &mut [(&Item, Identity)]) {
    let fields: [fn(&mut Identity) -> &mut Option<String>; 3] =
        [|identity| &mut identity.guid, |identity| &mut identity.alias, |identity| &mut identity.page];
    for field in fields {
        let mut uses: HashMap<String, u32> = HashMap::new();
        for (_, identity) in items.iter_mut() {
            if let Some(name) = field(identity) {
                *uses.entry(name.clone()).or_default() += 1;
            }
        }
        for (_, identity) in items.iter_mut() {
            field(identity).take_if(|name| uses.get(name).is_some_and(|uses| *uses > 1));
        }
    }
}

/// What is known of a feed's items: which of them became which article.
#[derive(Debug, Clone)]
pub struct Known<T> {
    items: Vec<(Identity, T)>,
    guids: HashMap<String, usize>,
    /// Where several are known by one alias or page, the newest is asked first.
    aliases: HashMap<String, Vec<usize>>,
    pages: HashMap<String, Vec<usize>>,
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self { items: Vec::new(), guids: HashMap::new(), aliases: HashMap::new(), pages: HashMap::new() }
    }
}

impl<T> FromIterator<(Identity, T)> for Known<T> {
    /// In the order they became known.
    fn from_iter<I: IntoIterator<Item = (Identity, T)>>(items: I) -> Self {
        let mut known = Self::default();
        for (identity, value) in items {
            known.insert(identity, value);
        }
        known
    }
}

impl<T> Known<T> {
    pub fn insert(&mut self, identity: Identity, value: T) {
        let at = self.items.len();
        if let Some(guid) = &identity.guid {
            self.guids.insert(guid.clone(), at);
        }
        for (map, name) in [(&mut self.aliases, &identity.alias), (&mut self.pages, &identity.page)] {
            if let Some(name) = name {
                map.entry(name.clone()).or_default().push(at);
            }
        }
        self.items.push((identity, value));
    }

    /// The known item that each of a document's items is, and how it was recognised.
    ///
    /// No known item is two of them: which it is by a better name, it is not by a worse one. Otherwise two reports
    /// under one headline would take turns in one article for as long as the feed has both.
    pub fn recognise<'a>(&self, identities: impl IntoIterator<Item = &'a Identity>) -> Vec<Option<(&T, Rung)>> {
        let identities: Vec<&Identity> = identities.into_iter().collect();
        let mut found = vec![None; identities.len()];
        let mut free = vec![true; self.items.len()];
        for rung in [Rung::Guid, Rung::Alias, Rung::Page, Rung::Text] {
            for (identity, found) in identities.iter().zip(&mut found).filter(|(_, found)| found.is_none()) {
                if let Some(at) = self.position(rung, identity, &free) {
                    free[at] = false;
                    *found = Some((at, rung));
                }
            }
        }
        found.into_iter().map(|found| found.map(|(at, rung)| (&self.items[at].1, rung))).collect()
    }

    /// What `identity` is by this rung, among those that are `free`.
    fn position(&self, rung: Rung, identity: &Identity, free: &[bool]) -> Option<usize> {
        let named = |map: &HashMap<String, Vec<usize>>, name: &Option<String>, believed: bool| {
            let all = name.as_ref().and_then(|name| map.get(name))?;
            let is_it = |at: &usize| {
                let known = &self.items[*at].0;
                free[*at] && (believed && known.guid.is_none() || known.agrees(identity))
            };
            all.iter().rev().take(MAX_COMPARED).copied().find(is_it)
        };
        match rung {
            Rung::Guid => self.guids.get(identity.guid.as_ref()?).copied().filter(|at| free[*at]),
            Rung::Alias => named(&self.aliases, &identity.alias, false),
            Rung::Page => named(&self.pages, &identity.page, identity.guid.is_none()),
            Rung::Text => {
                let mut newest = self.items.iter().enumerate().rev().take(MAX_COMPARED);
                newest.find(|(at, (known, _))| free[*at] && known.is_same_news(identity)).map(|(at, _)| at)
            }
        }
    }
}

#[cfg(test)]
mod tests;
