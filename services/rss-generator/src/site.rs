//! The site's addresses and names.

use article::ArticleId;
use feed::{FeedMeta, Links};
use subscription::Selection;
use url::Url;

use crate::config::Config;
use crate::words::{Words, fill};

/// What pages and feeds need to know of the site they stand on.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) title: String,
    pub(crate) links: Links,
    /// Where the site begins, without a final slash.
    base: Url,
    subscribe_url: Option<Url>,
}

impl Site {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            title: config.site_title.clone(),
            links: Links::new(&config.public_url),
            base: config.public_url.clone(),
            subscribe_url: config.subscribe_url.clone(),
        }
    }

    #[cfg(test)]
    pub(crate) fn sample() -> Self {
        let base: Url = "https://news.example/".parse().expect("an address");
        let subscribe_url = "https://mail.example/subscribe".parse().ok();
        Self { title: "Riverton".into(), links: Links::new(&base), base, subscribe_url }
    }

    /// The directory of all feeds.
    pub(crate) fn home(&self) -> String {
        self.links.to("/")
    }

    /// Where to subscribe to feeds by WebSub.
    pub(crate) fn hub(&self) -> String {
        self.links.to("/hub")
    }

    pub(crate) fn article(&self, id: ArticleId) -> String {
        self.links.article(id)
    }

    /// A selection's HTML page; its slugs may be of any script, so they are percent-encoded.
    pub(crate) fn feed(&self, selection: &Selection) -> String {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("feeds").extend(selection.to_string().split('/'));
        }
        url.into()
    }

    /// Where to ask for the selection by email, if the site has such a page.
    pub(crate) fn subscribe(&self, selection: &Selection) -> Option<String> {
        let mut url = self.subscribe_url.clone().filter(|_| !selection.is_test())?;
        url.query_pairs_mut().append_pair("selection", &selection.to_string());
        Some(url.into())
    }

    /// How the feed of `selection`, which is called `name`, presents itself.
    pub(crate) fn meta(&self, selection: &Selection, name: &str, language: Option<String>) -> FeedMeta {
        let words = Words::of(language.as_deref());
        let title = if selection.is_everything() { self.title.clone() } else { format!("{name} – {}", self.title) };
        let description = if selection.is_test() { words.rehearsals.into() } else { fill(words.feed_of, &title) };
        FeedMeta {
            title,
            site_title: self.title.clone(),
            description,
            page_url: self.feed(selection),
            language,
            hub: Some(self.hub()),
        }
    }
}
