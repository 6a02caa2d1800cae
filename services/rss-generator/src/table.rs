//! Every row of the lifecycle's table, in every document that is served.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io::Read;
use std::sync::Arc;

use article::{Article, ArticleId, Command, RevisionKind, Status};
use axum::http::StatusCode;
use feed::Format;
use flate2::read::GzDecoder;
use jiff::Timestamp;
use serde_json::Value;
use subscription::Selection;

use crate::document::Document;
use crate::encode::{Coding, Effort, Work};
use crate::feeds::FORMS;
use crate::library::{Key, Library};
use crate::samples::{at, create, document, logged, make, reinstate, revise, stand, then};
use crate::stand::Stand;
use crate::state::Changes;

const BORN: &str = "2026-01-01T00:00:00Z";

/// One replica without its network, whose readers ask for everything there is.
struct Desk {
    stand: Stand,
    library: Arc<Library>,
    /// The last revision of each article.
    articles: BTreeMap<ArticleId, Article>,
    /// What was ever asked for.
    asked: HashSet<Key>,
}

impl Desk {
    fn new() -> Self {
        let (stand, library) = stand();
        let mut desk = Self { stand, library, articles: BTreeMap::new(), asked: HashSet::new() };
        desk.ask(at(BORN));
        desk
    }

    fn apply(&mut self, article: &Article, now: &str) {
        let changes = self.stand.apply(logged(article), at(now));
        self.articles.insert(article.id, article.clone());
        self.publish(changes, at(now));
    }

    fn wake(&mut self, now: &str) {
        let changes = self.stand.wake(at(now));
        self.publish(changes, at(now));
    }

    fn publish(&mut self, changes: Changes, now: Timestamp) {
        self.stand.publish(changes, now);
        self.ask(now);
        if self.articles.len() < 10 {
            self.compare(now);
        }
    }

    /// Asks for everything the articles name, and for what was there before.
    fn ask(&mut self, now: Timestamp) {
        let named = self.articles.values().flat_map(Selection::of).chain([Selection::everything(), Selection::test()]);
        let selections: BTreeSet<Selection> = named.collect();
        for selection in &selections {
            for form in FORMS {
                self.asked.insert(Key::Feed(selection.clone(), form));
                make(&mut self.stand, &Key::Feed(selection.clone(), form), now);
                self.asked.extend(self.stand.archives(selection, form));
            }
        }
        self.asked.extend(self.articles.keys().map(|id| Key::Article(*id)));
        self.asked.extend([Key::Directory, Key::Opml, Key::NewsSitemap]);
        for key in &self.asked {
            make(&mut self.stand, key, now);
        }
    }

    /// A replica that starts now and is asked afterwards answers with the same bytes.
    fn compare(&mut self, now: Timestamp) {
        let (mut fresh, _) = stand();
        for article in self.articles.values() {
            fresh.apply(logged(article), now);
        }
        make(&mut fresh, &Key::Feed(Selection::everything(), None), now);
        for key in &self.asked {
            let answer =
                |document: Arc<Document>| (document.status, String::from_utf8(document.body().to_vec()).unwrap());
            let made = make(&mut fresh, key, now).map(answer);
            assert_eq!(make(&mut self.stand, key, now).map(answer), made, "{key:?}");
        }
    }

    /// The keys of all documents that hold `words`, compressed as well.
    fn with(&self, words: &str) -> Vec<Key> {
        let holds = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(words);
        let documents = self.library.all().into_iter();
        let found = documents.filter(|(_, document)| {
            document.work(Work::Encode(Coding::Gzip, Effort::Quick));
            let mut unpacked = Vec::new();
            let gzip = document.ready(Coding::Gzip).unwrap();
            GzDecoder::new(&gzip.body[..]).read_to_end(&mut unpacked).unwrap();
            assert_eq!(unpacked, document.body());
            holds(&unpacked)
        });
        found.map(|(key, _)| key).collect()
    }

    /// The entry in the feed of everything.
    fn entry(&self, article: &Article) -> Option<Value> {
        let feed = self.library.get(&Key::Feed("all".parse().unwrap(), Some(Format::Json))).unwrap();
        let feed: Value = serde_json::from_slice(&feed.body()).unwrap();
        feed["items"].as_array()?.iter().find(|item| item["id"] == article.id.to_string()).cloned()
    }

    fn page(&self, article: &Article) -> Option<StatusCode> {
        self.library.get(&Key::Article(article.id)).map(|page| page.status)
    }
}

fn text(words: &str) -> Value {
    let mut text = document("World", BORN);
    text["body_text"] = words.into();
    text
}

/// Feeds in three forms and as a page, of three selections, and the article's own page.
const EVERYWHERE: usize = 13;

#[test]
fn a_minor_change_refreshes_the_text_and_moves_no_date() {
    let mut desk = Desk::new();
    let first = create(1, &text("FIRST"), BORN);
    desk.apply(&first, BORN);
    assert_eq!(desk.with("FIRST").len(), EVERYWHERE);
    let before = desk.entry(&first).unwrap();
    let minor = revise(&first, RevisionKind::Minor, &text("SECOND"), "2026-01-02T00:00:00Z");
    desk.apply(&minor, "2026-01-02T00:00:00Z");
    assert_eq!((desk.with("FIRST").len(), desk.with("SECOND").len()), (0, EVERYWHERE));
    let after = desk.entry(&minor).unwrap();
    for same in ["id", "date_published", "date_modified"] {
        assert_eq!(before[same], after[same], "{same}");
    }
    let major = revise(&minor, RevisionKind::Major, &text("THIRD"), "2026-01-03T00:00:00Z");
    desk.apply(&major, "2026-01-03T00:00:00Z");
    let latest = desk.entry(&major).unwrap();
    assert_eq!(latest["date_published"], before["date_published"]);
    assert!(latest["date_modified"].as_str().unwrap() > before["date_modified"].as_str().unwrap());
}

#[test]
fn what_is_revised_while_held_is_seen_after_the_release_only() {
    let mut desk = Desk::new();
    let first = create(1, &text("FIRST"), BORN);
    desk.apply(&first, BORN);
    let day = "2026-01-02T00:00:00Z";
    let held = then(&first, Command::Hold { note: None }, day);
    desk.apply(&held, day);
    let minor = revise(&held, RevisionKind::Minor, &text("SECOND"), day);
    desk.apply(&minor, day);
    let corrected = revise(&minor, RevisionKind::Correction, &text("THIRD"), day);
    desk.apply(&corrected, day);
    assert_eq!(corrected.status, Status::Held);
    for words in ["FIRST", "SECOND", "THIRD", "It was wrong."] {
        assert_eq!(desk.with(words), [], "{words}");
    }
    assert_eq!((desk.entry(&first), desk.page(&first)), (None, None));
    desk.apply(&then(&corrected, Command::Release { note: None }, day), day);
    // On the pages of feeds the note takes the place of the text's beginning.
    assert_eq!([desk.with("FIRST").len(), desk.with("SECOND").len(), desk.with("THIRD").len()], [0, 0, EVERYWHERE - 3]);
    assert_eq!(desk.with("It was wrong.").len(), EVERYWHERE);
    let entry = desk.entry(&first).unwrap();
    assert!(entry["content_html"].as_str().unwrap().starts_with("<p>Correction: It was wrong.</p>"), "{entry}");
}

#[test]
fn a_withdrawal_leaves_a_notice_and_a_reinstatement_the_text() {
    let mut desk = Desk::new();
    let first = create(1, &text("FIRST"), BORN);
    desk.apply(&first, BORN);
    let day = "2026-01-02T00:00:00Z";
    let withdrawn = then(&first, Command::Withdraw { note: "DOUBTFUL".into() }, day);
    desk.apply(&withdrawn, day);
    assert_eq!((desk.with("FIRST").len(), desk.with("DOUBTFUL").len()), (0, EVERYWHERE));
    assert!(desk.entry(&first).unwrap()["title"].as_str().unwrap().starts_with("Withdrawn: "));
    assert_eq!(desk.page(&first), Some(StatusCode::OK));
    desk.apply(&reinstate(&withdrawn, &text("SECOND"), day), day);
    assert_eq!((desk.with("DOUBTFUL").len(), desk.with("SECOND").len()), (0, EVERYWHERE));
}

#[test]
fn a_kill_leaves_nothing_of_the_text_in_any_document() {
    let day = "2026-01-02T00:00:00Z";
    for before in ["published", "corrected", "held", "withdrawn", "in another section"] {
        let mut desk = Desk::new();
        // Older than the fifty of the live feeds, too.
        let mut changes = Changes::default();
        for n in 100..160 {
            let older = create(n, &document("World", "2026-01-01T12:00:00Z"), BORN);
            changes.merge(desk.stand.apply(logged(&older), at(BORN)));
            desk.articles.insert(older.id, older);
        }
        desk.stand.publish(changes, at(BORN));
        desk.ask(at(BORN));
        let first = create(1, &text("POISON"), BORN);
        desk.apply(&first, BORN);
        let last = match before {
            "corrected" => revise(&first, RevisionKind::Correction, &text("POISON again"), day),
            "held" => then(&first, Command::Hold { note: None }, day),
            "withdrawn" => then(&first, Command::Withdraw { note: "POISON in the note".into() }, day),
            "in another section" => {
                let mut moved = text("POISON");
                moved["section"] = serde_json::json!(["POISON section"]);
                moved["published"] = Value::Null;
                revise(&first, RevisionKind::Minor, &moved, day)
            }
            _ => first.clone(),
        };
        desk.apply(&last, day);
        let killed = then(&last, Command::Kill { note: "ORDER".into() }, day);
        desk.apply(&killed, day);
        let left = desk.with("POISON");
        // The section is what the notice reaches its readers by.
        let names = |key: &Key| match key {
            Key::Directory | Key::Feed(..) | Key::Archive(..) | Key::Opml => before == "in another section",
            Key::Article(_) | Key::NewsSitemap => false,
        };
        assert!(left.iter().all(names), "{before}: {left:?}");
        assert!(desk.entry(&first).unwrap()["title"].as_str().unwrap().starts_with("Removed: "), "{before}");
        assert_eq!(desk.page(&first), Some(StatusCode::GONE), "{before}");
        if before == "in another section" {
            desk.compare(at(day));
        }
        desk.apply(&reinstate(&killed, &text("BACK"), day), day);
        assert_eq!(desk.page(&first), Some(StatusCode::OK), "{before}");
    }
}

#[test]
fn an_embargo_is_looked_at_again_whatever_the_log_says() {
    let mut desk = Desk::new();
    let mut waiting = text("EARLY");
    waiting["published"] = Value::Null;
    waiting["embargoed_until"] = "2026-01-05T00:00:00Z".into();
    let embargoed = create(1, &waiting, BORN);
    assert_eq!(embargoed.status, Status::Embargoed);
    desk.apply(&embargoed, BORN);
    assert_eq!(desk.with("EARLY"), []);
    // As a publisher would have it whose clock is ahead.
    let lifted = then(&embargoed, Command::Lift, "2026-01-05T00:00:00Z");
    assert_eq!(lifted.status, Status::Published);
    desk.apply(&lifted, "2026-01-04T23:59:59Z");
    assert_eq!((desk.with("EARLY"), desk.page(&lifted)), (Vec::new(), None));
    assert_eq!(desk.stand.next_wake(), Some(at("2026-01-05T00:00:00Z")));
    desk.wake("2026-01-05T00:00:00Z");
    assert_eq!(desk.with("EARLY").len(), EVERYWHERE);

    let never = then(&embargoed, Command::Kill { note: "NEVER".into() }, "2026-01-02T00:00:00Z");
    let mut other = Desk::new();
    other.apply(&never, "2026-01-02T00:00:00Z");
    assert_eq!((other.with("NEVER"), other.page(&never)), (Vec::new(), None));
}

#[test]
fn a_test_article_goes_every_way_in_the_feed_of_tests_alone() {
    let mut desk = Desk::new();
    let mut rehearsal = text("REHEARSAL");
    rehearsal["test"] = true.into();
    let first = create(1, &rehearsal, BORN);
    desk.apply(&first, BORN);
    let mut found = desk.with("REHEARSAL");
    assert_eq!(found.len(), 5, "{found:?}");
    found.retain(|key| !matches!(key, Key::Article(_)));
    assert!(found.iter().all(|key| matches!(key, Key::Feed(selection, _) if selection.to_string() == "test")));
    for key in [Key::Feed("test".parse().unwrap(), None), Key::Article(first.id)] {
        let page = desk.library.get(&key).unwrap();
        let html = String::from_utf8_lossy(&page.body()).into_owned();
        assert!(html.contains("content=\"noindex\"") && !html.contains("mail.example"), "{html}");
    }
    let killed = then(&first, Command::Kill { note: "End of the rehearsal.".into() }, "2026-01-02T00:00:00Z");
    desk.apply(&killed, "2026-01-02T00:00:00Z");
    assert_eq!(desk.with("REHEARSAL"), []);
    assert_eq!(desk.with("End of the rehearsal.").len(), 5);
    let directory = desk.library.get(&Key::Directory).unwrap();
    assert!(!String::from_utf8_lossy(&directory.body()).contains("feeds/test"));
}
