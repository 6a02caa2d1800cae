//! Articles as compiled mail, kept while they are being sent: compiling is for the article, splicing for the reader.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use article::{Article, ArticleId};
use mail::{Issue, Locale, Notice, Site, compile_alert, compile_notice};

/// Issues kept: the articles being sent at one time, in each language. One is a few times the article's size.
const MAX_KEPT: usize = 32;

type Key = (ArticleId, u32, Locale, Option<Notice>);

/// Compiled mail by what makes it different, the newest.
#[derive(Debug)]
pub(crate) struct Kept<K> {
    state: Mutex<State<K>>,
    most: usize,
}

#[derive(Debug)]
struct State<K> {
    issues: VecDeque<(K, Arc<Issue>)>,
    /// How often something was dropped: what was begun before the last time may be of what was to go.
    dropped: u64,
}

impl<K: PartialEq> Kept<K> {
    pub(crate) fn new(most: usize) -> Self {
        Self { state: Mutex::new(State { issues: VecDeque::new(), dropped: 0 }), most }
    }

    /// The one of `key`, or what `compile` makes.
    pub(crate) fn get(&self, key: K, compile: impl FnOnce(&K) -> Issue) -> Arc<Issue> {
        let dropped = {
            let state = self.lock();
            if let Some((_, issue)) = state.issues.iter().find(|(known, _)| *known == key) {
                return issue.clone();
            }
            state.dropped
        };
        // Outside the lock: an article that makes a library panic must not take the others with it.
        let issue = Arc::new(compile(&key));
        let mut state = self.lock();
        if state.dropped == dropped {
            if state.issues.len() >= self.most {
                state.issues.pop_front();
            }
            state.issues.push_back((key, issue.clone()));
        }
        issue
    }

    /// Keeps those only whose keys `stay`, and nothing that is being compiled meanwhile.
    pub(crate) fn retain(&self, stay: impl Fn(&K) -> bool) {
        let mut state = self.lock();
        state.issues.retain(|(key, _)| stay(key));
        state.dropped += 1;
    }

    fn lock(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().expect("no code panics while it holds this lock")
    }
}

pub(crate) struct Issues {
    site: Site,
    kept: Kept<Key>,
}

impl Issues {
    pub(crate) fn new(site: Site) -> Self {
        Self { site, kept: Kept::new(MAX_KEPT) }
    }

    pub(crate) fn site(&self) -> &Site {
        &self.site
    }

    /// The article as mail, or what `notice` says of it.
    pub(crate) fn get(&self, article: &Article, notice: Option<Notice>, locale: Locale) -> Arc<Issue> {
        self.kept.get((article.id, article.revision, locale, notice), |_| match notice {
            None => compile_alert(article, &self.site, locale),
            Some(notice) => compile_notice(article, notice, &self.site, locale),
        })
    }

    /// Drops everything made of an article: it was killed, and its text is to be nowhere.
    pub(crate) fn forget(&self, article: ArticleId) {
        self.kept.retain(|(of, ..)| *of != article);
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
        let kept: Vec<ArticleId> = issues.kept.lock().issues.iter().map(|((id, ..), _)| *id).collect();
        assert_eq!(kept, [other.id; 4]);
        // Killed while another worker compiles it.
        issues.kept.get((killed.id, 2, Locale::English, None), |_| {
            issues.forget(killed.id);
            compile_alert(&killed, issues.site(), Locale::English)
        });
        assert_eq!(issues.kept.lock().issues.len(), 4);
    }
}
