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

#[cfg(test)]
mod tests {
    use article::{Command, Draft, Provenance, PublisherId, apply};

    use super::*;

    #[test]
    fn nothing_made_of_a_killed_article_is_kept() {
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        let publisher: PublisherId = "hefei".parse().unwrap();
        let create = |n: u8| {
            let document = serde_json::json!({"headline": "H", "body": "B", "language": "en"});
            let draft = Box::new(Draft::from_json(&document, now).unwrap());
            let provenance =
                Provenance { channel: "test".into(), raw_sha256: String::new(), importer: None, warnings: Vec::new() };
            let id = ArticleId::derived(&publisher, "test", &[n]);
            apply(None, Command::Create { id, publisher: publisher.clone(), draft, provenance }, now).unwrap()
        };
        let url = |path: &str| format!("https://news.example/{path}").parse().unwrap();
        let site = Site::new("N", url(""), url("mail"), "n@news.example".parse().unwrap(), "news.example").unwrap();
        let (issues, killed, other) = (Issues::new(site), create(1), create(2));
        for article in [&killed, &other] {
            for notice in [None, Some(Notice::Withdrawal)] {
                Locale::ALL.into_iter().for_each(|locale| drop(issues.get(article, notice, locale)));
            }
        }
        assert!(Arc::ptr_eq(&issues.get(&other, None, Locale::English), &issues.get(&other, None, Locale::English)));
        issues.forget(killed.id);
        let kept: Vec<ArticleId> = issues.lock().iter().map(|((id, ..), _)| *id).collect();
        assert_eq!(kept, [other.id; 4]);
    }
}
