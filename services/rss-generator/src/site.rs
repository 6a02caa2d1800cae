//! The site's addresses and names.

use article::{Article, ArticleId};
use feed::{FeedMeta, Links};
use subscription::{Atom, Expression, Selection};
use url::Url;

use crate::config::Config;

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

    /// The directory of all feeds.
    pub(crate) fn home(&self) -> String {
        self.links.to("/")
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

    pub(crate) fn meta(&self, selection: &Selection, newest: Option<&Article>, language: Option<String>) -> FeedMeta {
        let name = name(selection, newest);
        let (title, description) = match selection.parts() {
            Expression::Atom(Atom::Everything) => (self.title.clone(), format!("Everything from {}", self.title)),
            Expression::Atom(Atom::Section(_)) => {
                (format!("{name} – {}", self.title), format!("The section “{name}” of {}", self.title))
            }
            Expression::Atom(Atom::Publisher(_)) => {
                (format!("{name} – {}", self.title), format!("Everything {name} publishes on {}", self.title))
            }
            Expression::Atom(Atom::Test) => {
                (format!("{name} – {}", self.title), format!("Rehearsals of {}; none of this is news", self.title))
            }
            _ => (format!("{name} – {}", self.title), format!("{name}, of {}", self.title)),
        };
        FeedMeta {
            title,
            site_title: self.title.clone(),
            description,
            page_url: self.feed(selection),
            language,
            hub: None,
        }
    }
}

/// A selection's name as its newsroom writes it, which its newest article knows.
pub(crate) fn name(selection: &Selection, newest: Option<&Article>) -> String {
    match selection.parts() {
        Expression::Atom(Atom::Everything) => "All news".into(),
        Expression::Atom(Atom::Test) => "Test articles".into(),
        Expression::Atom(Atom::Publisher(publisher)) => publisher.to_string(),
        Expression::Atom(Atom::Section(path)) => {
            match newest.and_then(|article| article.section.get(..path.split('/').count())) {
                Some(names) => names.join(" › "),
                None => path.replace('/', " › "),
            }
        }
        _ => selection.to_string(),
    }
}
