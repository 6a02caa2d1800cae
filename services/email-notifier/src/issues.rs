//! Articles as compiled mail, kept while they are being sent: compiling is for the article, splicing for the reader.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use article::{Article, ArticleId};
use mail::{Issue, Locale, Site, compile_alert};

/// Issues kept: the articles being sent at one time, in each language. One is a few times the article's size.
const MAX_KEPT: usize = 32;

type Key = (ArticleId, u32, Locale);

pub(crate) struct Issues {
    site: Site,
    kept: Mutex<VecDeque<(Key, Arc<Issue>)>>,
}

impl Issues {
    pub(crate) fn new(site: Site) -> Self {
        Self { site, kept: Mutex::default() }
    }

    pub(crate) fn site(&self) -> &Site {
        &self.site
    }

    pub(crate) fn get(&self, article: &Article, locale: Locale) -> Arc<Issue> {
        let key = (article.id, article.revision, locale);
        let mut kept = self.kept.lock().expect("compiling mail does not panic");
        if let Some((_, issue)) = kept.iter().find(|(known, _)| *known == key) {
            return issue.clone();
        }
        let issue = Arc::new(compile_alert(article, &self.site, locale));
        if kept.len() >= MAX_KEPT {
            kept.pop_front();
        }
        kept.push_back((key, issue.clone()));
        issue
    }
}
