//! What is new makes the old feed the new one, whatever happened to the articles in between.

use std::collections::{BTreeMap, HashMap};

use article::{Article, Command, RevisionKind, Status};
use axum::http::StatusCode;
use feed::{FeedMeta, Format, Links, Paging};
use proptest::prelude::*;
use subscription::Selection;

use super::*;
use crate::document::Document;
use crate::encode::Packer;
use crate::library::{Draft, Key, Library, Source};
use crate::samples::{at, create, document, revise, then};

/// A feed and all that was ever in it, without a newsroom.
struct Desk {
    library: Library,
    key: Key,
    articles: BTreeMap<u16, Article>,
    items: HashMap<(ArticleId, u32), Option<Arc<Item>>>,
}

impl Desk {
    fn new(format: Format, articles: u16) -> Self {
        let key = Key::Feed(Selection::everything(), Some(format));
        let library = Library::new(Packer::new().0);
        let mut desk = Self { library, key, articles: BTreeMap::new(), items: HashMap::new() };
        (0..articles).for_each(|n| desk.publish(n, n));
        desk
    }

    fn publish(&mut self, n: u16, day: u16) {
        let date = at("2026-01-01T00:00:00Z") + jiff::SignedDuration::from_hours(24 * i64::from(day));
        self.articles
            .insert(n, create(n, &document("World", &date.strftime("%Y-%m-%d").to_string()), "2026-01-01T00:00:00Z"));
    }

    fn change(&mut self, n: u16, change: impl FnOnce(&Article, &str) -> Article) {
        let article = &self.articles[&n];
        let now = format!("2026-06-01T00:{:02}:{:02}Z", article.revision / 60, article.revision % 60);
        let changed = change(article, &now);
        self.articles.insert(n, changed);
    }

    fn command(&mut self, n: u16, command: Command) {
        self.change(n, |article, now| then(article, command, now));
    }

    fn correct(&mut self, n: u16, words: &str) {
        let mut text = document("World", "2026-01-01");
        text["published"] = serde_json::Value::Null;
        text["body_text"] = words.into();
        self.change(n, |article, now| revise(article, RevisionKind::Minor, &text, now));
    }

    /// The feed as it is now.
    fn write(&mut self) -> Arc<Document> {
        let links = Links::new(&"https://news.example/".parse().unwrap());
        let mut items = Vec::new();
        for article in self.articles.values() {
            let item = self
                .items
                .entry((article.id, article.revision))
                .or_insert_with(|| Item::render(article, &links).map(Arc::new));
            items.extend(
                item.clone().map(|item| (std::cmp::Reverse(article.published.as_ref().unwrap().at), article.id, item)),
            );
        }
        items.sort_by_key(|(at, id, _)| (*at, *id));
        items.truncate(MAX_ENTRIES);
        let meta = FeedMeta {
            title: "Riverton".into(),
            site_title: "Riverton".into(),
            description: "Everything from Riverton".into(),
            page_url: "https://news.example/feeds/all".into(),
            language: None,
            hub: None,
        };
        let items = items.into_iter().map(|(_, _, item)| item).collect();
        let source = Arc::new(Source { meta, paging: Paging::Live { prev: None }, items });
        let Key::Feed(_, Some(format)) = self.key else { unreachable!("it is a feed") };
        let (body, changed) = (source.written(format), at("2026-06-01T00:00:00Z"));
        let draft = Draft::new(StatusCode::OK, format.content_type(), body, changed);
        let draft = Draft { source: Some(source), ..draft };
        self.library.replace(vec![(self.key.clone(), Some(draft))], at("2026-06-02T00:00:00Z"));
        self.library.get(&self.key).unwrap()
    }

    fn delta(&self, have: &Document) -> Option<Vec<(String, String)>> {
        self.library.get(&self.key).unwrap().delta(&have.tag).map(|delta| entries(&delta))
    }
}

/// A feed as somebody else reads it: ids, and everything that is said of each.
fn entries(feed: &[u8]) -> Vec<(String, String)> {
    let feed = feed_rs::parser::parse(feed).unwrap();
    feed.entries.into_iter().map(|entry| (entry.id.clone(), format!("{entry:?}"))).collect()
}

fn dictionaries(document: &Arc<Document>) -> usize {
    document.history().map_or(0, |history| history.dictionaries.len())
}

#[test]
fn what_is_new_is_told_where_a_part_can_tell_it() {
    type Change = (&'static str, u16, fn(&mut Desk), Option<usize>);
    let changes: [Change; 12] = [
        ("a new article", 3, |desk| desk.publish(3, 3), Some(1)),
        ("an old article", 3, |desk| desk.publish(4, 0), Some(1)),
        ("a changed article", 3, |desk| desk.correct(0, "Another text."), Some(1)),
        ("a kill", 3, |desk| desk.command(1, Command::Kill { note: "Order.".into() }), Some(1)),
        ("a withdrawal", 3, |desk| desk.command(1, Command::Withdraw { note: "Doubtful.".into() }), Some(1)),
        ("a hold", 3, |desk| desk.command(1, Command::Hold { note: None }), None),
        (
            "a hold, and a new article",
            50,
            |desk| {
                desk.command(3, Command::Hold { note: None });
                desk.publish(50, 50);
            },
            None,
        ),
        ("a hold of the oldest", 50, |desk| desk.command(0, Command::Hold { note: None }), None),
        (
            "a hold of the oldest, whose place another takes",
            51,
            |desk| desk.command(1, Command::Hold { note: None }),
            None,
        ),
        ("the oldest makes room", 50, |desk| desk.publish(50, 50), Some(1)),
        ("twenty make room", 50, |desk| (50..70).for_each(|n| desk.publish(n, n)), Some(20)),
        ("all are others", 50, |desk| (50..100).for_each(|n| desk.publish(n, n)), None),
    ];
    for format in Format::ALL {
        for (what, articles, change, told) in changes {
            let mut desk = Desk::new(format, articles);
            let before = desk.write();
            assert_eq!(desk.delta(&before), None, "nothing is newer than the newest");
            change(&mut desk);
            desk.write();
            assert_eq!(desk.delta(&before).map(|entries| entries.len()), told, "{what}, {format:?}");
        }
    }
}

#[test]
fn so_many_versions_are_remembered() {
    let mut desk = Desk::new(Format::Json, 2);
    let versions: Vec<_> = (0..40)
        .map(|n| {
            desk.correct(0, &format!("Text {n}."));
            desk.write()
        })
        .collect();
    for (age, version) in versions.iter().rev().enumerate() {
        assert_eq!(desk.delta(version).is_some(), (1..=MAX_VERSIONS).contains(&age), "{age}");
    }
    assert_eq!(versions[39].delta("no tag"), None);
}

#[tokio::test]
async fn dictionaries_are_kept_for_who_uses_them_and_never_with_what_was_killed() {
    let mut desk = Desk::new(Format::Atom, 3);
    let mut last = desk.write();
    for n in 3..6 {
        desk.publish(n, n);
        last = desk.write();
    }
    assert_eq!(dictionaries(&last), 0, "nobody asked");
    desk.library.packer.take_grown();
    for grown in [true, false] {
        let form = last.step(Some(last.hash), &desk.library.packer).await.unwrap();
        let bytes = desk.library.packer.take_grown();
        assert_eq!(bytes, if grown { form.body.len() } else { 0 }, "what readers have made takes room, once");
    }
    assert!(last.step(None, &desk.library.packer).await.is_none());
    for n in 6..20 {
        desk.publish(n, n);
        last = desk.write();
        assert_eq!(dictionaries(&last), MAX_DICTIONARIES.min(usize::from(n - 5)));
    }
    desk.command(5, Command::Kill { note: "Order.".into() });
    let killed = desk.write();
    assert_eq!(dictionaries(&killed), 0);
    assert!(killed.step(Some(last.hash), &desk.library.packer).await.is_none());
    assert_eq!(desk.delta(&last).unwrap().len(), 1, "the notice");
    desk.publish(20, 20);
    assert_eq!(dictionaries(&desk.write()), 1);
    desk.command(6, Command::Hold { note: None });
    assert_eq!(dictionaries(&desk.write()), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whoever adds what is new to what it has, has what the whole feed shows, as somebody else's parser reads both; and has
    /// nothing beside it that is not merely older.
    #[test]
    fn what_is_new_makes_the_old_feed_the_new_one(
        start in prop_oneof![0..5u16, 48..54u16], format in 0..3usize,
        steps in proptest::collection::vec(proptest::collection::vec((0..6u8, prop_oneof![0..5u16, any::<u16>()], 0..80u16), 1..3), 1..14),
    ) {
        let mut desk = Desk::new(Format::ALL[format], start);
        let first = desk.write();
        let mut versions = vec![(first.clone(), entries(&first.body()))];
        for (step, changes) in steps.into_iter().enumerate() {
            for (what, which, day) in changes {
                let n = which.checked_rem(desk.articles.len() as u16).unwrap_or_default();
                let status = desk.articles.get(&n).map(|article| article.status);
                match (what, status) {
                    (1, Some(Status::Published)) => desk.correct(n, &format!("Text {step}.")),
                    (2, Some(Status::Published | Status::Held)) => desk.command(n, Command::Kill { note: "Order.".into() }),
                    (3, Some(Status::Published)) => desk.command(n, Command::Hold { note: None }),
                    (4, Some(Status::Held)) => desk.command(n, Command::Release { note: None }),
                    (5, Some(Status::Published)) => desk.command(n, Command::Withdraw { note: "Doubtful.".into() }),
                    _ => desk.publish(desk.articles.len() as u16, day),
                }
            }
            let now = desk.write();
            let shown = entries(&now.body());
            for (version, had) in versions.iter().filter(|(version, _)| version.tag != now.tag) {
                let Some(delta) = desk.delta(version) else { continue };
                let mut held: BTreeMap<_, _> = had.iter().cloned().collect();
                held.extend(delta);
                for (id, entry) in &shown {
                    let held = held.remove(id);
                    prop_assert_eq!(held.as_ref(), Some(entry));
                }
                let aged = had.iter().rev().take_while(|(id, _)| held.contains_key(id)).count();
                prop_assert_eq!(held.len(), aged, "only the oldest are left over");
                prop_assert!(aged == 0 || shown.len() == MAX_ENTRIES);
            }
            versions.push((now, shown));
        }
    }
}
