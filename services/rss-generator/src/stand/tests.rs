//! Pages of older articles, room, and what becomes of requests for what is not there.

use std::collections::BTreeMap;

use article::{Article, ArticleId, Command, RevisionKind, Status};
use feed::{Format, Paging};
use proptest::prelude::*;

use super::*;
use crate::encode::{Coding, Effort, Work};
use crate::feeds::Layout;
use crate::members::{PAGE, Showing};
use crate::samples::{at, create, document, logged, make, revise, site, stand, then};

const NOW: &str = "2026-05-01T00:00:00Z";
const ATOM: Form = Some(Format::Atom);

fn selection(text: &str) -> Selection {
    text.parse().unwrap()
}

fn feed(selection_text: &str) -> Key {
    Key::Feed(selection(selection_text), ATOM)
}

/// Where a document says that older articles are.
fn older(paging: &Paging) -> Option<PageId> {
    let (Paging::Live { prev } | Paging::Archive { prev, .. }) = paging else { return None };
    let (number, mark) = prev.as_deref()?.rsplit(';').next()?.split_once('-')?;
    Some(PageId { number: number.parse().unwrap(), mark: u32::from_str_radix(mark, 16).unwrap() })
}

/// The articles of the live feed, and of every page that is reached from it.
fn walk(state: &State, site: &Site, text: &str) -> (Vec<ArticleId>, Vec<(PageId, Vec<ArticleId>)>) {
    let selection = selection(text);
    let members = state.members(&selection).unwrap();
    let ids = |layout: &Layout| layout.shown.iter().map(|at| state.position(*at).id()).collect();
    let live = Layout::live(state, site, &selection, members);
    let (mut pages, mut next) = (Vec::new(), older(live.paging()));
    while let Some(id) = next {
        let page = Layout::page(state, site, &selection, members, id).expect("what is linked is there");
        pages.push((id, ids(&page)));
        next = older(page.paging());
    }
    (ids(&live), pages)
}

fn keeping() -> State {
    let mut state = State::default();
    FEEDS.into_iter().for_each(|text| state.open(&selection(text), &roaring::RoaringBitmap::new()));
    state
}

/// The next revision of an article that a number stands for; `None` when it cannot be made.
fn next(old: Option<&Article>, n: u16, what: u8) -> Option<Article> {
    let (later, killed) = ("2026-03-01T00:00:00Z", "2026-04-20T00:00:00Z");
    let section = ["World", "Sport"][usize::from(what >> 3) % 2];
    // A few share an instant.
    let mut text = document(section, &format!("2026-01-{:02}T00:00:00Z", n % 20 + 1));
    text["urgency"] = (n % 9 + 1).into();
    let note = || "No.".to_owned();
    match (old, what & 7) {
        (None, _) => Some(create(n, &text, "2026-02-01T00:00:00Z")),
        (Some(old), 0) if old.status == Status::Published => Some(then(old, Command::Hold { note: None }, later)),
        (Some(old), 1) if old.status == Status::Held => Some(then(old, Command::Release { note: None }, later)),
        (Some(old), 2) if old.status == Status::Published => Some(then(old, Command::Withdraw { note: note() }, later)),
        (Some(old), 3) if old.status != Status::Killed => Some(then(old, Command::Kill { note: note() }, killed)),
        // More than thirty days ago.
        (Some(old), 4) if old.status != Status::Killed => Some(then(old, Command::Kill { note: note() }, later)),
        (Some(old), _) if old.status == Status::Published => Some(revise(old, RevisionKind::Major, &text, later)),
        _ => None,
    }
}

const FEEDS: [&str; 4] = ["all", "section/world", "section/sport,urgency/3", "!section/sport"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever came in whatever order: what readers may have is in the live feed or on exactly one of the pages that are
    /// reached from it; an address always means the same articles; replicas agree.
    #[test]
    fn nothing_is_lost_between_the_feed_and_its_pages(
        steps in prop::collection::vec((0u16..150, any::<u8>()), 100..400),
        order in any::<u128>(),
    ) {
        let (now, site) = (at(NOW), site());
        let mut early = keeping();
        let mut last: BTreeMap<u16, Article> = BTreeMap::new();
        let mut meant: HashMap<(&str, PageId), Vec<ArticleId>> = HashMap::new();
        for (n, (article, what)) in steps.into_iter().enumerate() {
            let Some(revision) = next(last.get(&article), article, what) else { continue };
            early.apply(logged(&revision), now);
            last.insert(article, revision);
            for text in FEEDS.into_iter().filter(|_| n % 13 == 0) {
                let members = early.members(&selection(text)).unwrap();
                for number in 1..=members.pages() {
                    let id = members.page_id(number, early.positions()).unwrap();
                    let all = members.all().chunks(PAGE).nth(number as usize - 1).unwrap();
                    let all: Vec<ArticleId> = all.iter().map(|at| early.position(*at).id()).collect();
                    prop_assert_eq!(meant.entry((text, id)).or_insert_with(|| all.clone()), &all);
                }
            }
        }
        let mut late = keeping();
        let mut revisions: Vec<&Article> = last.values().collect();
        revisions.sort_by_key(|article| article.id.uuid().as_u128() ^ order);
        revisions.into_iter().for_each(|revision| drop(late.apply(logged(revision), now)));
        for text in FEEDS {
            let (live, pages) = walk(&early, &site, text);
            prop_assert_eq!(walk(&late, &site, text), (live.clone(), pages.clone()));
            let mut paged: Vec<ArticleId> = pages.into_iter().flat_map(|(_, articles)| articles).collect();
            let count = paged.len();
            paged.sort_unstable();
            paged.dedup();
            prop_assert_eq!(paged.len(), count, "no article is on two pages");
            let found: BTreeSet<ArticleId> = paged.into_iter().chain(live).collect();
            for article in last.values() {
                let is_in = selection(text).matches(&subscription::Features::of(article));
                let expected = match early.position(early.handle(article.id).unwrap()).showing {
                    Showing::Listed | Showing::Notice => is_in,
                    Showing::Hidden | Showing::Unborn => false,
                    // Told long enough; it comes back with the page that it will be on.
                    Showing::PastNotice => is_in && found.contains(&article.id),
                };
                prop_assert_eq!(found.contains(&article.id), expected, "{} {:?}", text, article);
            }
        }
    }
}

/// Three full pages and a half, one day after the other.
fn filled() -> (Stand, Vec<Article>) {
    let (mut stand, _) = stand();
    let mut changes = Changes::default();
    let day = |n: u16| format!("2026-{:02}-{:02}T00:00:00Z", n / 28 + 1, n % 28 + 1);
    let articles: Vec<Article> = (0..87).map(|n| create(n, &document("World", &day(n)), BORN)).collect();
    for article in &articles {
        changes.merge(stand.apply(logged(article), at(NOW)));
    }
    stand.publish(changes, at(NOW));
    for key in stand.pinned() {
        make(&mut stand, &key, at(NOW));
    }
    (stand, articles)
}

const BORN: &str = "2026-01-01T00:00:00Z";

fn text(document: &Document) -> String {
    String::from_utf8(document.body().to_vec()).unwrap()
}

#[test]
fn a_page_is_there_until_its_articles_move_and_shows_what_became_of_them() {
    let (mut stand, articles) = filled();
    let world = selection("section/world");
    assert!(make(&mut stand, &feed("section/world"), at(NOW)).is_some());
    let pages = stand.archives(&world, ATOM);
    assert_eq!(pages.len(), 3);
    for page in &pages {
        let held = text(&make(&mut stand, page, at(NOW)).unwrap());
        assert_eq!(held.matches("<entry").count(), 25);
        assert_eq!(feed::check(Format::Atom, held.as_bytes()).unwrap().len(), 25);
    }
    // A kill in the middle: its notice has its place, and no page moves.
    let killed = then(&articles[30], Command::Kill { note: "ORDER".into() }, NOW);
    let changes = stand.apply(logged(&killed), at(NOW));
    stand.publish(changes, at(NOW));
    assert_eq!(stand.archives(&world, ATOM), pages);
    let shelf: Vec<bool> = pages.iter().map(|page| stand.library.has(page)).collect();
    assert_eq!(shelf, [false, false, false], "what was written with the text is gone");
    let held = text(&make(&mut stand, &pages[1], at(NOW)).unwrap());
    assert!(held.contains("ORDER"), "{held}");
    // One more before all others: every page has other articles, and the old addresses are gone.
    make(&mut stand, &pages[0], at(NOW));
    let older = create(99, &document("World", "2025-01-01T00:00:00Z"), BORN);
    let changes = stand.apply(logged(&older), at(NOW));
    stand.publish(changes, at(NOW));
    for page in &pages {
        assert!(make(&mut stand, page, at(NOW)).is_none(), "{page:?}");
    }
    assert_eq!(stand.archives(&world, ATOM).len(), 3);
}

#[test]
fn what_nobody_reads_makes_room_and_what_is_kept_stays() {
    let (mut stand, articles) = filled();
    stand.memory = 3_000_000;
    stand.keep(HashSet::from([feed("section/world")]));
    make(&mut stand, &feed("section/world"), at(NOW));
    let pages: Vec<Key> = articles.iter().map(|article| Key::Article(article.id)).collect();
    for round in 0..200 {
        for key in &pages {
            make(&mut stand, key, at(NOW));
        }
        let key = feed(&format!("section/world+!keyword/k{round}"));
        make(&mut stand, &key, at(NOW));
        make(&mut stand, &pages[0], at(NOW));
        stand.tidy(at(NOW));
    }
    let held: usize = stand.library.census().iter().map(|held| held.bytes).sum();
    assert!(held < stand.memory, "{held}");
    assert!(stand.library.has(&feed("section/world")) && stand.library.has(&pages[0]));
    assert!(!stand.library.has(&feed("section/world+!keyword/k0")), "read once, long ago");
    let live: BTreeSet<&str> = stand.state.live().map(|(selection, _)| selection.as_str()).collect();
    assert!(!live.contains("section/world+!keyword/k0") && live.contains("all"), "{live:?}");
}

#[test]
fn documents_that_grow_while_they_are_read_make_room() {
    let (mut stand, articles) = filled();
    for article in &articles {
        make(&mut stand, &Key::Article(article.id), at(NOW));
    }
    stand.tidy(at(NOW));
    stand.library.packer.take_grown();
    let pages: Vec<_> = stand.library.all().into_iter().filter(|(key, _)| matches!(key, Key::Article(_))).collect();
    let bytes = |stand: &Stand| stand.library.census().iter().map(|held| held.bytes).sum::<usize>();
    stand.memory = bytes(&stand) + stand.writer.bytes() + 10_000;
    stand.made = 0;
    for (_, document) in &pages {
        for coding in Coding::ALL {
            stand.library.packer.grew(document.work(Work::Encode(coding, Effort::Quick)));
        }
    }
    assert!(bytes(&stand) > stand.memory, "{} {}", bytes(&stand), stand.memory);
    stand.tidy(at(NOW));
    assert!(bytes(&stand) < stand.memory, "{} {}", bytes(&stand), stand.memory);
    assert!(pages.iter().any(|(key, _)| !stand.library.has(key)));
}

#[test]
fn a_misspelling_is_nothing_and_an_empty_combination_takes_no_room() {
    let (mut stand, _) = filled();
    for text in ["section/word", "publisher/nobody", "keyword/none", "language/eo", "source/x", "subject/medtop/1"] {
        assert!(make(&mut stand, &feed(text), at(NOW)).is_none(), "{text}");
    }
    let before = stand.library.census().len();
    for text in ["section/world+keyword/none", "urgency/1", "!section/world"] {
        let empty = make(&mut stand, &feed(text), at(NOW)).unwrap();
        assert_eq!(feed::check(Format::Atom, &empty.body()).unwrap(), [], "{text}");
        assert_eq!(make(&mut stand, &feed(text), at(NOW)).unwrap().tag, empty.tag);
    }
    assert_eq!((stand.library.census().len(), stand.state.live().count()), (before, 1));
    // Nor does a page that is not there.
    let page = PageId { number: 1, mark: 0 };
    assert!(make(&mut stand, &Key::Archive(selection("urgency/5"), ATOM, page), at(NOW)).is_none());
    assert_eq!((stand.library.census().len(), stand.state.live().count()), (before, 1));
    // What is kept for somebody is there before its first article, and has it.
    stand.keep(HashSet::from([feed("section/sport")]));
    assert!(make(&mut stand, &feed("section/sport"), at(NOW)).is_some());
    let changes = stand.apply(logged(&create(99, &document("Sport", BORN), BORN)), at(NOW));
    let fresh = stand.publish(changes, at(NOW));
    assert!(fresh.iter().any(|(key, _)| *key == feed("section/sport")));
}

#[test]
fn a_search_takes_in_what_changed_meanwhile() {
    let (mut stand, articles) = filled();
    let key = feed("text/news-of-world");
    let Making::Unread(wanted) = stand.make(&key, at(NOW)) else { panic!("texts have to be read") };
    let search = stand.search(&wanted);
    let mut other = document("World", "2026-04-03T00:00:00Z");
    other["headline"] = "Something else".into();
    let changed = revise(&articles[86], RevisionKind::Major, &other, NOW);
    let fresh = create(99, &document("World", "2026-04-30T00:00:00Z"), BORN);
    for article in [&changed, &fresh] {
        let changes = stand.apply(logged(article), at(NOW));
        stand.publish(changes, at(NOW));
    }
    stand.found(search.run());
    let found = feed::check(Format::Atom, &make(&mut stand, &key, at(NOW)).unwrap().body()).unwrap();
    assert_eq!((found.len(), found[0]), (50, fresh.id));
    assert!(!found.contains(&changed.id) && found.contains(&articles[85].id));
}

#[test]
fn the_shortest_feeds_make_somebody_look_before_there_are_too_many() {
    let (mut stand, _) = filled();
    stand.memory = 64 << 30;
    stand.made = 0;
    for n in 0..2 {
        make(&mut stand, &feed(&format!("section/world+!keyword/k{n}")), at(NOW));
    }
    assert!(stand.made >= 2 * (stand.memory / MAX_FEEDS), "{}", stand.made);
}

#[test]
fn what_is_pinned_is_made_however_much_else_is_kept() {
    let (mut stand, _) = filled();
    let pinned = feed("text/news-of-world");
    stand.pinned.insert(selection("text/news-of-world"));
    let missing = stand.keep(HashSet::from([feed("section/world")]));
    assert!(missing.contains(&pinned) && missing.contains(&feed("section/world")), "{missing:?}");
    assert!(!missing.contains(&feed("all")), "it is there");
}
