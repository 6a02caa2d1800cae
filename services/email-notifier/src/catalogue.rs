//! What can be subscribed to: every selection that the news has had, with the names its newsroom gave it.
//!
//! A form accepts only these. Otherwise a stranger could put words of their own into the name of a section and have
//! us mail them to an address of their choice.

use std::collections::BTreeMap;
use std::sync::RwLock;

use article::{Article, Status};
use mail::Topic;
use subscription::Selection;

/// Selections kept; a log with more sections than this has a form nobody can read anyway.
const MAX_SELECTIONS: usize = 5000;

#[derive(Default)]
pub(crate) struct Catalogue {
    topics: RwLock<BTreeMap<Selection, Topic>>,
}

impl Catalogue {
    /// Learns the selections of an article; the newest spelling of a section's name wins.
    pub(crate) fn learn(&self, article: &Article) {
        // Nobody subscribes to rehearsals.
        if article.status != Status::Published || article.test {
            return;
        }
        let mut topics = self.topics.write().expect("no code panics while it holds this lock");
        for selection in Selection::of(article) {
            if topics.len() < MAX_SELECTIONS || topics.contains_key(&selection) {
                let topic = Topic::of(&selection, article);
                topics.insert(selection, topic);
            }
        }
    }

    /// The topic of a selection that exists; everything always does.
    pub(crate) fn topic(&self, selection: &Selection) -> Option<Topic> {
        if selection.is_everything() {
            return Some(Topic::Everything);
        }
        self.topics.read().expect("no code panics while it holds this lock").get(selection).cloned()
    }

    /// Everything that can be chosen, in a stable order: all news first, then publishers and sections.
    pub(crate) fn list(&self) -> Vec<(Selection, Topic)> {
        let topics = self.topics.read().expect("no code panics while it holds this lock");
        let others = topics.iter().filter(|(selection, _)| !selection.is_everything());
        let others = others.map(|(selection, topic)| (selection.clone(), topic.clone()));
        std::iter::once((Selection::everything(), Topic::Everything)).chain(others).collect()
    }
}

#[cfg(test)]
mod tests {
    use article::{ArticleId, Command, Draft, Provenance, PublisherId, apply};

    use super::*;

    #[test]
    fn rehearsals_are_not_on_the_form() {
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        let document = serde_json::json!({"headline": "H", "body": "B", "language": "en", "section": ["World"]});
        let publisher: PublisherId = "hefei".parse().unwrap();
        let provenance =
            Provenance { channel: "test".into(), raw_sha256: String::new(), importer: None, warnings: Vec::new() };
        let id = ArticleId::derived(&publisher, "test", b"1");
        let draft = Box::new(Draft::from_json(&document, now).unwrap());
        let news = apply(None, Command::Create { id, publisher, draft, provenance }, now).unwrap();
        let (catalogue, test) = (Catalogue::default(), Selection::test());
        catalogue.learn(&Article { test: true, ..news.clone() });
        assert_eq!((catalogue.list().len(), catalogue.topic(&test)), (1, None), "nothing but all news");
        catalogue.learn(&news);
        assert_eq!((catalogue.list().len(), catalogue.topic(&test)), (3, None));
    }
}
