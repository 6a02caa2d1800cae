//! The fold: whatever the order and number of revisions, the last ones and the time decide.

use article::{Command, RevisionKind};
use proptest::prelude::*;

use super::*;
use crate::samples::{at, create, document, logged, revise, then};

/// The articles of a feed as if it was asked for now; `None`: there is none.
fn window(state: &State, selection: &str) -> Option<Vec<ArticleId>> {
    let selection = selection.parse().unwrap();
    let members = Members::new(state.range(&selection).sure.iter(), state.positions());
    let window = members.window(state.positions());
    (!state.is_unheard_of(&selection)).then(|| window.into_iter().map(|at| state.position(at).id()).collect())
}

/// A state that keeps up these feeds from the beginning.
fn keeping(selections: &[&str]) -> State {
    let mut state = State::default();
    selections.iter().for_each(|selection| state.open(&selection.parse().unwrap(), &RoaringBitmap::new()));
    state
}

fn showing(state: &State, id: ArticleId) -> Showing {
    state.position(state.handle(id).unwrap()).showing
}

#[test]
fn a_revision_counts_once_and_never_backwards() {
    let now = at("2026-02-01T00:00:00Z");
    let first = create(1, &document("World", "2026-01-01T00:00:00Z"), "2026-01-01T00:00:00Z");
    let second =
        revise(&first, RevisionKind::Minor, &document("Sport", "2026-01-01T00:00:00Z"), "2026-01-02T00:00:00Z");
    let mut state = keeping(&["all", "publisher/other", "section/sport", "section/world", "text/news-of-sport"]);
    assert!(!state.apply(logged(&first), now).is_empty());
    let changes = state.apply(logged(&second), now);
    let names: Vec<(&str, bool)> =
        changes.feeds.iter().map(|(name, touched)| (name.as_str(), touched.taken_back)).collect();
    let expected = [("all", false), ("section/sport", false), ("section/world", true), ("text/news-of-sport", false)];
    assert_eq!(names, expected, "where it was and where it is");
    for old in [first, second] {
        assert_eq!(state.apply(logged(&old), now), Changes::default());
    }
    assert_eq!(window(&state, "section/world"), None, "the last article has left the section");
    assert_eq!(window(&state, "section/sport").unwrap().len(), 1);
}

#[test]
fn newest_first_and_equals_by_id() {
    let now = at("2026-02-01T00:00:00Z");
    let mut state = State::default();
    let days = ["2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"];
    let ids: Vec<ArticleId> = (1..)
        .zip(days)
        .map(|(n, day)| {
            let article = create(n, &document("World", day), "2026-01-05T00:00:00Z");
            let id = article.id;
            state.apply(logged(&article), now);
            id
        })
        .collect();
    let (low, high) = (ids[0].min(ids[3]), ids[0].max(ids[3]));
    assert_eq!(window(&state, "all").unwrap(), [ids[1], low, high, ids[2]]);
}

#[test]
fn time_alone_ends_an_article() {
    let mut doc = document("World", "2026-01-01T10:00:00Z");
    doc["expires_at"] = "2026-01-01T12:00:00Z".into();
    let article = create(1, &doc, "2026-01-01T09:00:00Z");
    let mut state = keeping(&["all"]);
    let changes = state.apply(logged(&article), at("2026-01-01T09:00:00Z"));
    assert_eq!(changes.feeds.len(), 1);
    assert_eq!(window(&state, "all").unwrap().len(), 1, "a date ahead of our clock hides nothing");
    assert_eq!(state.next_wake(), Some(at("2026-01-01T12:00:00Z")));
    assert!(state.wake(at("2026-01-01T11:59:59Z")).is_empty());

    let changes = state.wake(at("2026-01-01T12:00:00Z"));
    assert_eq!(changes.feeds.values().map(|touched| touched.taken_back).collect::<Vec<_>>(), [true]);
    assert_eq!(window(&state, "all"), Some(Vec::new()), "expired, the feed stays");
    assert_eq!(state.next_wake(), None);
}

#[test]
fn a_kill_is_told_for_thirty_days_however_old_the_article() {
    let mut state = State::default();
    let old = create(0, &document("World", "2020-01-01T00:00:00Z"), "2026-01-01T00:00:00Z");
    let killed = then(&old, Command::Kill { note: "Court order.".into() }, "2026-02-01T00:00:00Z");
    let now = at("2026-02-01T00:00:00Z");
    for n in 1..=60 {
        state.apply(logged(&create(n, &document("World", "2026-01-01T00:00:00Z"), "2026-01-01T00:00:00Z")), now);
    }
    state.apply(logged(&old), now);
    assert_eq!(window(&state, "all").unwrap().len(), 50);
    let id = killed.id;
    assert!(!window(&state, "all").unwrap().contains(&id), "too old for the window");
    state.apply(logged(&killed), now);
    assert_eq!(window(&state, "all").unwrap().last(), Some(&id), "the notice is in, at its place");
    assert_eq!(window(&state, "all").unwrap().len(), 50);
    state.wake(at("2026-03-03T00:00:00Z"));
    assert!(!window(&state, "all").unwrap().contains(&id), "thirty days later it goes");
    assert_eq!(showing(&state, id), Showing::PastNotice);
}

#[test]
fn a_mass_kill_leaves_room_for_news() {
    let now = at("2026-02-01T00:00:00Z");
    let mut state = State::default();
    for n in 0..100 {
        let article = create(n, &document("World", "2026-01-01T00:00:00Z"), "2026-01-01T00:00:00Z");
        let killed = then(&article, Command::Kill { note: "Test pages.".into() }, "2026-01-31T00:00:00Z");
        state.apply(logged(if n < 50 { &killed } else { &article }), now);
    }
    let window = window(&state, "all").unwrap();
    let notices = window.iter().filter(|id| showing(&state, **id) == Showing::Notice).count();
    assert_eq!((window.len(), notices), (50, 25));
}

#[test]
fn held_articles_leave_and_come_back() {
    let now = at("2026-02-01T00:00:00Z");
    let mut state = State::default();
    let article = create(1, &document("World", "2026-01-01T00:00:00Z"), "2026-01-01T00:00:00Z");
    let held = then(&article, Command::Hold { note: None }, "2026-01-02T00:00:00Z");
    let released = then(&held, Command::Release { note: None }, "2026-01-03T00:00:00Z");
    for (article, shown) in [(article, 1), (held, 0), (released, 1)] {
        state.apply(logged(&article), now);
        assert_eq!(window(&state, "section/world").unwrap().len(), shown);
    }
}

const FEEDS: [&str; 5] = ["all", "section/world", "section/sport", "section/world+urgency/4", "!section/world"];

proptest! {
    /// Whatever revisions were seen on the way, in whatever order the articles came, the last ones decide.
    #[test]
    fn the_state_is_a_function_of_the_last_revisions(steps in prop::collection::vec((0u16..6, 0u8..5), 1..40), skip in any::<u64>()) {
        let now = at("2026-05-01T00:00:00Z");
        let mut last: BTreeMap<u16, Article> = BTreeMap::new();
        let (mut all, mut some) = (keeping(&FEEDS), keeping(&FEEDS));
        for (n, (article, what)) in steps.into_iter().enumerate() {
            let day = format!("2026-01-{:02}T00:00:00Z", article + 1);
            let section = ["World", "Sport"][n % 2];
            let next = match (last.get(&article), what) {
                (None, _) => create(article, &document(section, &day), "2026-02-01T00:00:00Z"),
                (Some(old), 0) if old.status == Status::Published => then(old, Command::Hold { note: None }, "2026-03-01T00:00:00Z"),
                (Some(old), 1) if old.status == Status::Held => then(old, Command::Release { note: None }, "2026-03-01T00:00:00Z"),
                (Some(old), 2) if old.status == Status::Published => {
                    then(old, Command::Withdraw { note: "No.".into() }, "2026-03-01T00:00:00Z")
                }
                (Some(old), 3) if old.status != Status::Killed => then(old, Command::Kill { note: "No.".into() }, "2026-04-20T00:00:00Z"),
                (Some(old), _) if old.status == Status::Published => {
                    revise(old, RevisionKind::Major, &document(section, &day), "2026-03-01T00:00:00Z")
                }
                _ => continue,
            };
            all.apply(logged(&next), now);
            if skip >> (n % 64) & 1 == 1 {
                some.apply(logged(&next), now);
            }
            last.insert(article, next);
        }
        let mut fresh = keeping(&FEEDS);
        for article in last.into_values().rev() {
            some.apply(logged(&article), now);
            fresh.apply(logged(&article), now);
        }
        // Feeds that were kept up have what those have that are made now.
        for state in [&all, &some, &fresh] {
            for (selection, members) in state.live() {
                let made = Members::new(state.range(selection).sure.iter(), state.positions());
                prop_assert_eq!(made.all(), members.all());
                prop_assert_eq!(made.window(state.positions()), members.window(state.positions()));
            }
        }
        for selection in FEEDS {
            prop_assert_eq!(window(&all, selection), window(&fresh, selection));
            prop_assert_eq!(window(&some, selection), window(&fresh, selection));
        }
        prop_assert_eq!(all.next_wake(), fresh.next_wake());
        for section in ["world", "sport"] {
            prop_assert_eq!(all.section_names(section), fresh.section_names(section));
        }
    }
}

#[test]
fn a_section_is_called_as_the_newest_article_that_is_left_calls_it() {
    let mut state = State::default();
    let now = at("2026-02-01T00:00:00Z");
    let names = ["World", "WORLD", "world"];
    let articles: Vec<Article> = (1..)
        .zip(names)
        .map(|(n, name)| create(n, &document(name, &format!("2026-01-0{n}T00:00:00Z")), "2026-01-05T00:00:00Z"))
        .collect();
    articles.iter().for_each(|article| drop(state.apply(logged(article), now)));
    assert_eq!(state.section_names("world"), ["world"]);
    let hold = |article: &Article| logged(&then(article, Command::Hold { note: None }, "2026-01-06T00:00:00Z"));
    state.apply(hold(&articles[2]), now);
    assert_eq!(state.section_names("world"), ["WORLD"], "at once");
    state.settle();
    assert_eq!(state.section_names("world"), ["WORLD"]);
    // What is not the newest does not name it while that is not looked for.
    state.apply(hold(&articles[1]), now);
    let oldest = create(9, &document("wORLD", "2025-01-01T00:00:00Z"), "2026-01-05T00:00:00Z");
    state.apply(logged(&oldest), now);
    assert_eq!(state.section_names("world"), ["World"]);
    let newest = create(10, &document("WorlD", "2026-01-09T00:00:00Z"), "2026-01-09T00:00:00Z");
    state.apply(logged(&newest), now);
    state.settle();
    assert_eq!(state.section_names("world"), ["WorlD"]);
}
