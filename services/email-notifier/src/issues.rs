//! Articles as compiled mail, kept while they are being sent: compiling is for the article, splicing for the reader.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use article::{Article, ArticleId};
use mail::{Issue, Locale, Notice, Site, compile_alert, compile_notice};

/// Issues kept: the articles being sent at one time, in each language. One is a few times the article's size.
const MAX_KEPT: usize = 32;

type Key = (ArticleId, u32, Locale, Option<Notice>);

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

    /// The article as mail, or what `notice` says of it.
    pub(crate) fn get(&self, article: &Article, notice: Option<Notice>, locale: Locale) -> Arc<Issue> {
        let key = (article.id, article.revision, locale, notice);
        let known = self.lock().iter().find(|(known, _)| *known == key).map(|(_, issue)| issue.clone());
        if let Some(issue) = known {
            return issue;
        }
        // Outside the lock: an article that makes a library panic must not take the others with it.
        let issue = Arc::new(match notice {
            None => compile_alert(article, &self.site, locale),
            Some(notice) => compile_notice(article, notice, &self.site, locale),
        });
        let mut kept = self.lock();
        if kept.len() >= MAX_KEPT {
            kept.pop_front();
        }
        kept.push_back((key, issue.clone()));
        issue
    }

    /// Drops everything made of an article: it was killed, and its text is to be nowhere.
    pub(crate) fn forget(&self, article: ArticleId) {
        self.lock().retain(|((known, ..), _)| *known != article);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Key, Arc<Issue>)>> {
        self.kept.lock().expect("no code panics while it holds this lock")
    }
}
