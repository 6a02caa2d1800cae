//! Items and what is to be done about them: which are new, which have changed, which article each is. Pure.

use std::collections::{HashMap, HashSet};

use article::ArticleId;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use upstream::identity::{Identity, Known, identities};
use upstream::revision::{Fingerprint, Kind, compare};
use upstream::{DraftOptions, Feed, Item};

use crate::intake::{Kept, REMEMBERED};
use crate::source::{Source, sha256_hex};

/// How many of the items of a source that is read for the first time become articles: the newest. The others are noted
/// and stay where they are; a newsroom that adds a source does not want its archive mailed out.
pub(crate) const AT_FIRST: usize = 50;

/// Language of items whose feed names none, and whose source's record does not either: none is known.
const NO_LANGUAGE: &str = "und";

/// What an item became, kept for as long as its feed has it and [`REMEMBERED`] beyond.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ItemRecord {
    pub(crate) noted_at: Timestamp,
    pub(crate) identity: Identity,
    /// What of it was published last, or refused.
    pub(crate) fingerprint: Fingerprint,
    #[serde(flatten)]
    pub(crate) fate: Fate,
}

/// What an item is here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fate", rename_all = "snake_case")]
pub(crate) enum Fate {
    /// It is this article, of which this revision was the last that came from here.
    Article { article: ArticleId, revision: u32 },
    /// It is this article, and the newsroom has it in its own hands.
    Newsrooms { article: ArticleId },
    /// It was there before its source was: it is no article.
    Older,
    /// It cannot be one; if it changes it is tried again.
    Refused,
}

impl ItemRecord {
    pub(crate) fn at(&mut self, article: ArticleId, revision: u32) {
        self.fate = Fate::Article { article, revision };
    }

    pub(crate) fn is_newsrooms(&mut self, article: ArticleId) {
        self.fate = Fate::Newsrooms { article };
    }
}

/// One item about which something is to be done.
#[derive(Debug)]
pub(crate) struct Job {
    /// Its name in the log.
    pub(crate) name: String,
    /// Place in the log of the record it replaces, 0 for none.
    pub(crate) expected: u64,
    /// What is noted once the action is done.
    pub(crate) record: ItemRecord,
    pub(crate) action: Action,
}

#[derive(Debug)]
pub(crate) enum Action {
    /// There is nothing to tell the publisher.
    Note,
    Create {
        key: String,
        draft: Value,
    },
    Revise {
        article: ArticleId,
        base: u32,
        kind: &'static str,
        draft: Value,
    },
    /// It makes no article; what was seen of it.
    Refuse {
        why: String,
        seen: String,
    },
}

impl Action {
    /// What was to be published, for a person to read.
    pub(crate) fn draft_text(&self) -> String {
        match self {
            Self::Create { draft, .. } | Self::Revise { draft, .. } => format!("{draft:#}"),
            Self::Refuse { seen, .. } => seen.clone(),
            Self::Note => String::new(),
        }
    }
}

/// What is to be done about the items of `feed`, the oldest first. What is `known` and as it was needs nothing, what is
/// known and no longer in the feed neither: feeds forget.
pub(crate) fn jobs(
    feed: &Feed,
    source: &Source,
    source_id: &str,
    known: HashMap<String, Kept<ItemRecord>>,
    is_first: bool,
    now: Timestamp,
) -> Vec<Job> {
    let mut taken: HashSet<String> = known.keys().cloned().collect();
    let mut known: Vec<(String, Kept<ItemRecord>)> = known.into_iter().collect();
    known.sort_by_key(|(_, kept)| kept.sequence);
    let known: Known<(String, Kept<ItemRecord>)> =
        known.into_iter().map(|(name, kept)| (kept.record.identity.clone(), (name, kept))).collect();
    let options = DraftOptions {
        name: source.name.clone(),
        language: source.language.clone().unwrap_or_else(|| NO_LANGUAGE.into()),
        section: source.section.clone(),
    };
    let mut items = identities(&feed.items, feed.format);
    // Most feeds have the newest first; the dates decide where there are any.
    items.reverse();
    items.sort_by_key(|(item, _)| item.published.as_ref().map(|date| date.at));
    let older = if is_first { items.len().saturating_sub(AT_FIRST) } else { 0 };
    let drafted = |item: &Item, make: &dyn Fn(Value) -> Action| match item.draft(feed, &options, now) {
        Ok(draft) => make(draft),
        Err(why) => Action::Refuse { why: why.to_string(), seen: seen(item) },
    };
    let create = |name: &str, item: &Item| {
        let key = sha256_hex(format!("{source_id} {name}").as_bytes());
        drafted(item, &|draft| Action::Create { key: key.clone(), draft })
    };
    let mut jobs = Vec::new();
    let found = known.recognise(items.iter().map(|(_, identity)| identity));
    for (position, ((item, identity), found)) in items.into_iter().zip(found).enumerate() {
        let fingerprint = Fingerprint::of(item);
        let Some(((name, kept), _)) = found else {
            let name = name_of(&identity, &taken);
            if !taken.insert(name.clone()) {
                continue;
            }
            let (fate, action) = match position < older {
                true => (Fate::Older, Action::Note),
                false => (Fate::Refused, create(&name, item)),
            };
            let record = ItemRecord { noted_at: now, identity, fingerprint, fate };
            jobs.push(Job { name, expected: 0, record, action });
            continue;
        };
        let before = &kept.record;
        let action = match (&before.fate, compare(&before.fingerprint, &fingerprint)) {
            (&Fate::Article { article, revision: base }, Some(kind)) => {
                drafted(item, &|draft| Action::Revise { article, base, kind: word(kind), draft })
            }
            // Under the key of the first time: if that was stored after all, it is found.
            (Fate::Refused, Some(_)) => create(name, item),
            _ if is_worn(before, &identity, now) => Action::Note,
            _ => continue,
        };
        let record = ItemRecord {
            noted_at: now,
            identity: merged(&before.identity, identity),
            fingerprint,
            fate: before.fate.clone(),
        };
        jobs.push(Job { name: name.clone(), expected: kept.sequence, record, action });
    }
    jobs
}

/// A record that would be forgotten while its feed still has the item, or that does not know what it is called now.
fn is_worn(record: &ItemRecord, identity: &Identity, now: Timestamp) -> bool {
    let half: SignedDuration = REMEMBERED / 2;
    now.duration_since(record.noted_at) > half || merged(&record.identity, identity.clone()) != record.identity
}

/// The names that an item has now, and those it had that it does not give any more.
fn merged(before: &Identity, now: Identity) -> Identity {
    Identity {
        guid: now.guid.or_else(|| before.guid.clone()),
        alias: now.alias.or_else(|| before.alias.clone()),
        page: now.page.or_else(|| before.page.clone()),
        ..now
    }
}

/// The name of an item's record: it follows from its identity, so that whoever sees it first notes it in the same place.
/// A name that another item has already is no name; what else tells the two apart is added then.
fn name_of(identity: &Identity, taken: &HashSet<String>) -> String {
    let name = identity.name();
    if !taken.contains(&name) {
        return name;
    }
    let Identity { guid, page, headline, published, .. } = identity;
    sha256_hex(format!("{name} {guid:?} {page:?} {headline:?} {published:?}").as_bytes())
}

/// Enough of an item to find it in its feed.
fn seen(item: &Item) -> String {
    let link = item.link.as_ref().map(ToString::to_string);
    let parts = [("title", item.title.as_deref()), ("link", link.as_deref()), ("id", item.guid.as_deref())];
    parts.iter().filter_map(|(label, value)| Some(format!("{label}: {}\n", (*value)?))).collect()
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Minor => "minor",
        Kind::Major => "major",
    }
}

#[cfg(test)]
mod tests;
