//! How a document stands to the others of its feed (RFC 5005): the newest entries, a page of older ones, or only what
//! is new.

use crate::document::{FeedMeta, Format, with_extension};
use crate::xml::Xml;

/// The part of a feed that a document holds. Addresses are absolute and of pages: the writer appends each format's
/// extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Paging {
    /// What subscribers poll.
    Live {
        /// The archive that goes on where this document ends.
        prev: Option<String>,
    },
    /// A page of older entries that hardly ever changes; [`FeedMeta::page_url`] is the page's own.
    Archive {
        /// The live feed.
        current: String,
        /// Older entries.
        prev: Option<String>,
        /// Newer entries; `None` where only the live feed has them.
        next: Option<String>,
    },
    /// The entries of the live feed that changed since a version a reader has (RFC 3229). It claims nothing about what it
    /// does not hold, so it names no archive.
    Delta,
}

impl Paging {
    pub(crate) fn is_archive(&self) -> bool {
        matches!(self, Self::Archive { .. })
    }

    /// The page of the feed that the document is a part of: the id of all its parts.
    pub(crate) fn feed_url<'a>(&'a self, meta: &'a FeedMeta) -> &'a str {
        match self {
            Self::Archive { current, .. } => current,
            Self::Live { .. } | Self::Delta => &meta.page_url,
        }
    }

    pub(crate) fn older(&self) -> Option<&str> {
        match self {
            Self::Live { prev } | Self::Archive { prev, .. } => prev.as_deref(),
            Self::Delta => None,
        }
    }

    pub(crate) fn newer(&self) -> Option<&str> {
        match self {
            Self::Archive { next, .. } => next.as_deref(),
            Self::Live { .. } | Self::Delta => None,
        }
    }

    pub(crate) fn hub<'a>(&self, meta: &'a FeedMeta) -> Option<&'a str> {
        meta.hub.as_deref().filter(|_| !self.is_archive())
    }

    /// Links to the document itself, to its hub and to its neighbours, as elements called `name`.
    pub(crate) fn write(&self, xml: &mut Xml, name: &'static str, meta: &FeedMeta, format: Format) {
        let mut link = |relation: &str, page: &str| {
            let href = with_extension(page, format);
            xml.empty(name, &[("rel", relation), ("type", format.media_type()), ("href", &href)]);
        };
        link("self", &meta.page_url);
        if let Self::Archive { current, .. } = self {
            link("current", current);
        }
        if let Some(older) = self.older() {
            link("prev-archive", older);
        }
        if let Some(newer) = self.newer() {
            link("next-archive", newer);
        }
        if let Some(hub) = self.hub(meta) {
            xml.empty(name, &[("rel", "hub"), ("href", hub)]);
        }
        if self.is_archive() {
            xml.empty("fh:archive", &[]);
        }
    }
}
