//! What can be subscribed to: whatever is made of what the news has had, with the names its newsroom gave it.
//!
//! A form accepts only these. Otherwise a stranger could put words of their own into the name of a section and have
//! us mail them to an address of their choice. Words to look for in the text are a stranger's always: the mail that
//! asks for confirmation does not hold them, the page behind its link shows them to whoever got it.

use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};
use std::num::NonZeroUsize;
use std::sync::{RwLock, RwLockReadGuard};

use article::{Article, Status};
use lru::LruCache;
use mail::Topic;
use subscription::{Atom, Selection};

/// Names kept of each kind: sections, keywords, … What the news had longest ago makes way. About 200 bytes each.
const MAX_NAMES: NonZeroUsize = NonZeroUsize::new(20_000).expect("it is not zero");

/// Letters of the words that one selection may look for: enough for a phrase, too few for a letter to somebody.
const MAX_WORDS: usize = 60;

#[derive(Default)]
pub(crate) struct Catalogue {
    kinds: RwLock<Kinds>,
}

type Kinds = HashMap<Discriminant<Atom>, LruCache<Atom, Topic>>;

impl Catalogue {
    /// Learns what an article names; the newest spelling of a name wins.
    pub(crate) fn learn(&self, article: &Article) {
        // Nobody subscribes to rehearsals.
        if article.test {
            return;
        }
        let mut kinds = self.kinds.write().expect("no code panics while it holds this lock");
        if article.status != Status::Published {
            // The names stand for other news, too; the headline is nobody's to read any more.
            let story = Atom::Story(article.id);
            kinds.get_mut(&discriminant(&story)).and_then(|stories| stories.pop(&story));
            return;
        }
        for (atom, topic) in Topic::named_by(article) {
            kinds.entry(discriminant(&atom)).or_insert_with(|| LruCache::new(MAX_NAMES)).put(atom, topic);
        }
    }

    /// The topic of a selection that can be had: the news has had each of its parts.
    pub(crate) fn topic(&self, selection: &Selection) -> Option<Topic> {
        let kinds = self.read();
        let atoms = || selection.parts().atoms();
        let words = atoms().map(|atom| if let Atom::Text(words) = atom { words.chars().count() } else { 0 });
        let offered = words.sum::<usize>() <= MAX_WORDS && atoms().all(|atom| name(&kinds, atom).is_some());
        offered.then(|| Topic::of(selection, &|atom| name(&kinds, atom)))
    }

    /// The same without a word that a stranger may have typed.
    pub(crate) fn topic_for_anybody(&self, selection: &Selection) -> Option<Topic> {
        self.topic(selection)?;
        let kinds = self.read();
        Some(Topic::of(selection, &|atom| match atom {
            Atom::Text(_) => Some(Topic::CertainWords),
            atom => name(&kinds, atom),
        }))
    }

    /// The topic for a subscriber, by the names in `own` where they are there. What the news has no more goes by its
    /// address form: it was offered when it was asked for.
    pub(crate) fn topic_for_owner(&self, selection: &Selection, own: &[(Atom, Topic)]) -> Topic {
        let kinds = self.read();
        Topic::of(selection, &|atom| {
            let own = own.iter().find(|(known, _)| known == atom).map(|(_, topic)| topic.clone());
            own.or_else(|| name(&kinds, atom)).or_else(|| Some(Topic::by_itself(atom)))
        })
    }

    /// Publishers and sections, in a stable order.
    pub(crate) fn list(&self) -> Vec<(Selection, Topic)> {
        let kinds = self.read();
        let all = kinds.values().flat_map(LruCache::iter);
        let listed = all.filter(|(_, topic)| matches!(topic, Topic::Section(_) | Topic::Publisher(_)));
        let named = listed.filter_map(|(atom, topic)| Some((Selection::atom(atom.clone()).ok()?, topic.clone())));
        let mut list: Vec<_> = named.collect();
        list.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        list
    }

    fn read(&self) -> RwLockReadGuard<'_, Kinds> {
        self.kinds.read().expect("no code panics while it holds this lock")
    }
}

/// What the news calls it, or what needs no name.
fn name(kinds: &Kinds, atom: &Atom) -> Option<Topic> {
    match atom {
        Atom::Test => None,
        Atom::Everything | Atom::Urgency(_) | Atom::Text(_) => Some(Topic::by_itself(atom)),
        atom => kinds.get(&discriminant(atom))?.peek(atom).cloned(),
    }
}

#[cfg(test)]
mod tests {
    use article::{ArticleId, Command, Draft, Provenance, PublisherId, apply};
    use mail::Locale;

    use super::*;

    fn news(fields: &serde_json::Value) -> Article {
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        let mut document = serde_json::json!({"headline": "H", "body": "B", "language": "en-GB", "section": ["World"]});
        for (name, value) in fields.as_object().unwrap() {
            document[name] = value.clone();
        }
        let publisher: PublisherId = "hefei".parse().unwrap();
        let provenance =
            Provenance { channel: "test".into(), raw_sha256: String::new(), importer: None, warnings: Vec::new() };
        let id = ArticleId::derived(&publisher, "test", b"1");
        let draft = Box::new(Draft::from_json(&document, now).unwrap());
        apply(None, Command::Create { id, publisher, draft, provenance }, now).unwrap()
    }

    #[test]
    fn rehearsals_are_not_on_the_form() {
        let news = news(&serde_json::json!({}));
        let (catalogue, test) = (Catalogue::default(), Selection::test());
        catalogue.learn(&Article { test: true, ..news.clone() });
        assert_eq!((catalogue.list().len(), catalogue.topic(&test)), (0, None), "nothing but all news");
        assert_eq!(catalogue.topic(&Selection::everything()), Some(Topic::Everything));
        catalogue.learn(&news);
        assert_eq!((catalogue.list().len(), catalogue.topic(&test)), (2, None));
    }

    #[test]
    fn whatever_the_news_has_had_can_be_combined() {
        let catalogue = Catalogue::default();
        catalogue.learn(&news(&serde_json::json!({
            "keywords": ["Ground water/Wells"], "sources": [{"name": "Xinhua", "role": "originator"}],
            "subjects": [{"scheme": "medtop", "code": "20000344", "name": "economy"}],
        })));
        for (selection, words) in [
            ("all", Some("all news")),
            ("section/world+language/en-gb", Some("the section “World”, in en-GB")),
            ("language/en+!source/xinhua", Some("news in English, without news from “Xinhua”")),
            ("keyword/ground-water-wells", Some("news about “Ground water/Wells”")),
            ("subject/medtop/20000344,urgency/2", Some("news about “economy” or urgent news (1 or 2)")),
            ("section/world+text/heavy-rain", Some("the section “World”, with the words “heavy rain”")),
            ("section/world+keyword/your-account-is-hacked", None),
            ("section/world+!keyword/your-account-is-hacked", None),
            ("section/world,section/sport", None),
            ("language/zh", None),
            ("test", None),
            (&format!("text/{}", "党".repeat(60)), Some(&format!("news with the words “{}”", "党".repeat(60)))),
            (&format!("text/{},text/a", "党".repeat(60)), None),
        ] {
            let selection: Selection = selection.parse().unwrap();
            let topic = catalogue.topic(&selection).map(|topic| topic.words(Locale::English));
            assert_eq!(topic.as_deref(), words, "{selection}");
            let said = catalogue.topic_for_anybody(&selection).map(|topic| topic.words(Locale::English));
            assert_eq!(said.is_some(), words.is_some(), "{selection}");
            assert!(said.is_none_or(|said| !said.contains("rain") && !said.contains('党')), "{selection}");
        }
        let owned = |own: &[(Atom, Topic)]| {
            let selection = "section/world+keyword/no-more".parse().unwrap();
            catalogue.topic_for_owner(&selection, own).words(Locale::English)
        };
        assert_eq!(owned(&[]), "the section “World”, about “no more”");
        let renamed = Topic::named_by(&news(&serde_json::json!({"section": ["WORLD"], "keywords": ["No more!"]})));
        assert_eq!(owned(&renamed), "the section “WORLD”, about “No more!”");
    }

    #[test]
    fn a_story_can_be_followed_while_it_can_be_read() {
        let (catalogue, story) = (Catalogue::default(), news(&serde_json::json!({"headline": "Flood <3 of them>"})));
        let selection = Selection::following(story.id);
        let words = |own: &[(Atom, Topic)]| catalogue.topic_for_owner(&selection, own).words(Locale::English);
        assert_eq!(catalogue.topic(&selection), None, "nobody has published it");
        catalogue.learn(&Article { status: Status::Embargoed, ..story.clone() });
        assert_eq!(catalogue.topic(&selection), None);
        catalogue.learn(&story);
        assert_eq!(
            catalogue.topic(&selection).map(|topic| topic.words(Locale::Chinese)).unwrap(),
            "报道“Flood <3 of them>”的后续更新"
        );
        assert_eq!(words(&[]), "updates to the story “Flood <3 of them>”");
        for status in [Status::Held, Status::Withdrawn, Status::Killed] {
            catalogue.learn(&story);
            catalogue.learn(&Article { status, ..story.clone() });
            assert_eq!((catalogue.topic(&selection), words(&[])), (None, "updates to a story".into()), "{status:?}");
            assert!(catalogue.topic(&"section/world".parse().unwrap()).is_some());
        }
    }

    #[test]
    fn what_the_news_had_longest_ago_makes_way() {
        let catalogue = Catalogue::default();
        let mut article = news(&serde_json::json!({}));
        for n in 0..MAX_NAMES.get() {
            article.keywords = vec!["first".into(), format!("keyword {n}")];
            catalogue.learn(&article);
        }
        let has = |name: &str| catalogue.topic(&format!("keyword/{name}").parse().unwrap()).is_some();
        assert!(has("first") && has("keyword-1") && !has("keyword-0"));
        assert!(catalogue.topic(&"section/world".parse().unwrap()).is_some(), "each kind has its own room");
    }
}
