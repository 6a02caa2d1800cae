//! Digests as compiled mail: many readers of a run have the same list, in the same language and zone.

use std::sync::Arc;

use article::ArticleId;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use mail::{DigestContent, DigestItem, Issue, Locale, Site, compile_digest};
use url::Url;

use crate::issues::Kept;

/// Issues kept. One has some 200 KiB at most.
const MAX_KEPT: usize = 64;

/// An article of a digest as it is shown.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub article: ArticleId,
    /// Of its revision in ARTICLES.
    pub sequence: u64,
    pub item: Arc<DigestItem>,
}

/// All that makes two digests different, but what is personal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    items: Vec<(ArticleId, u64)>,
    pub more: u32,
    pub more_link: Url,
    pub due: Timestamp,
    pub zone: TimeZone,
    pub locale: Locale,
}

impl Key {
    pub(crate) fn new(
        shown: &[Shown],
        more: u32,
        more_link: Url,
        due: Timestamp,
        zone: TimeZone,
        locale: Locale,
    ) -> Self {
        let items = shown.iter().map(|shown| (shown.article, shown.sequence)).collect();
        Self { items, more, more_link, due, zone, locale }
    }
}

#[derive(Debug)]
pub(crate) struct DigestIssues(Kept<Key>);

impl DigestIssues {
    pub(crate) fn new() -> Self {
        Self(Kept::new(MAX_KEPT))
    }

    /// The digest of what is `shown`; `key` is made of that.
    pub(crate) fn get(&self, key: Key, shown: &[Shown], site: &Site) -> Arc<Issue> {
        self.0.get(key, |key| {
            let content = DigestContent {
                due: key.due,
                zone: key.zone.clone(),
                items: shown.iter().map(|shown| (*shown.item).clone()).collect(),
                more: key.more as usize,
                more_link: key.more_link.clone(),
            };
            compile_digest(&content, site, key.locale)
        })
    }

    /// Drops everything made of an article: it was killed, and its text is to be nowhere.
    pub(crate) fn forget(&self, article: ArticleId) {
        self.0.retain(|key| key.items.iter().all(|(of, _)| *of != article));
    }
}
