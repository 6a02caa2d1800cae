//! Every row of the lifecycle's table, in every document that is served.

use std::io::Read;

use article::{Article, Command, RevisionKind, Status};
use axum::http::StatusCode;
use feed::Format;
use flate2::read::GzDecoder;
use jiff::Timestamp;
use serde_json::Value;

use crate::config::Config;
use crate::documents::Writer;
use crate::encode::{Coding, Effort, Packer, Work};
use crate::library::{Key, Library};
use crate::samples::{at, create, document, reinstate, revise, then};
use crate::site::Site;
use crate::state::State;

const BORN: &str = "2026-01-01T00:00:00Z";

/// One replica without its network.
struct Desk {
    state: State,
    writer: Writer,
    library: Library,
}

impl Desk {
    fn new() -> Self {
        let config = Config {
            nats: bus::Server { url: String::new(), credentials: bus::Credentials::None },
            listen: "127.0.0.1:0".parse().unwrap(),
            metrics: None,
            tls: None,
            public_url: "https://news.example/".parse().unwrap(),
            site_title: "Riverton".into(),
            subscribe_url: Some("https://mail.example/subscribe".parse().unwrap()),
            allowed: fetch::Networks::default(),
            client_ip_header: None,
        };
        let mut desk =
            Self { state: State::default(), writer: Writer::new(Site::new(&config)), library: Library::new(Packer::new().0) };
        desk.write_all();
        desk
    }

    fn write_all(&mut self) {
        let all = self.writer.write_all(&self.state, &self.library, at(BORN));
        self.shelve(all, at(BORN));
    }

    fn apply(&mut self, article: &Article, now: &str) {
        let now = at(now);
        let changes = self.state.apply(article.clone(), now);
        let drafts = self.writer.write(&self.state, &changes, &self.library, now);
        self.shelve(drafts, now);
    }

    fn wake(&mut self, now: &str) {
        let now = at(now);
        let changes = self.state.wake(now);
        let drafts = self.writer.write(&self.state, &changes, &self.library, now);
        self.shelve(drafts, now);
    }

    fn shelve(&mut self, drafts: Vec<(Key, Option<crate::library::Draft>)>, now: Timestamp) {
        for (_, document) in self.library.replace(drafts, now) {
            Coding::ALL.into_iter().for_each(|coding| document.work(Work::Encode(coding, Effort::Quick)));
        }
    }

    /// The keys of all documents that hold `words`, plain or compressed.
    fn with(&self, words: &str) -> Vec<Key> {
        let holds = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(words);
        let documents = self.library.all().into_iter();
        let found = documents.filter(|(_, document)| {
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
        for n in 100..170 {
            desk.state.apply(create(n, &document("World", "2026-01-01T12:00:00Z"), BORN), at(BORN));
        }
        desk.write_all();
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
    assert_eq!(desk.state.next_wake(), Some(at("2026-01-05T00:00:00Z")));
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
