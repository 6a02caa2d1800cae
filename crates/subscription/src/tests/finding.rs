//! Which articles a selection has, asked one by one and by the index.

use std::collections::BTreeSet;

use article::{Article, ArticleId};
use proptest::prelude::*;
use serde_json::json;

use super::articles::{article, samples};
use crate::{Features, Index, Matcher, Selection};

fn selection(text: &str) -> Selection {
    text.parse().expect(text)
}

#[test]
fn an_article_names_its_selections() {
    let [world, ..] = samples();
    let named = |selections: Vec<Selection>| selections.iter().map(ToString::to_string).collect::<Vec<_>>();
    let of = ["all", "publisher/hefei", "section/world-news", "section/world-news/asia"];
    assert_eq!(named(Selection::of(&world)), of);
    let more = [
        "keyword/climate",
        "keyword/tech-science",
        "source/reuters",
        "subject/medtop/20000418",
        "language/en",
        "language/en-gb",
        "urgency/2",
    ];
    assert_eq!(named(Selection::naming(&world)), [&of[..], &more].concat());
    assert_eq!(named(Selection::naming(&Article { test: true, ..world })), ["test"]);
}

#[test]
fn sections_and_languages_have_what_is_below_them_and_urgency_what_is_more_urgent() {
    let [world, ..] = samples();
    for (text, wanted) in [
        ("section/WORLD news/asia", true),
        ("section/asia", false),
        ("section/world", false),
        ("section/world-news/asia/japan", false),
        ("language/en", true),
        ("language/en-GB", true),
        ("language/en-US", false),
        ("language/e", false),
        ("urgency/1", false),
        ("urgency/9", true),
        ("keyword/🎉a", false),
        ("keyword/clim", false),
        ("subject/medtop/2", false),
        ("section/world-news+language/en,urgency/1", true),
        ("section/world-news+!(keyword/climate,keyword/sport)", false),
        ("text/climate-talks", true),
        ("text/talks-open-B", false),
    ] {
        assert_eq!(selection(text).matches(&Features::of(&world)), wanted, "{text}");
    }
}

#[test]
fn a_test_article_is_in_the_tests_alone() {
    let news = article(&json!({"section": ["World"]}));
    let test = Article { test: true, ..news.clone() };
    let (news, test) = (Features::of(&news), Features::of(&test));
    for (text, news_wanted, test_wanted) in [
        ("all", true, false),
        ("publisher/hefei", true, false),
        ("section/world", true, false),
        ("!section/sport", true, false),
        ("!section/world", false, false),
        ("test", false, true),
    ] {
        let selection = selection(text);
        assert_eq!((selection.matches(&news), selection.matches(&test)), (news_wanted, test_wanted), "{text}");
    }
    let (mut index, mut matcher) = (Index::default(), Matcher::default());
    for text in ["all", "publisher/hefei", "section/world", "!section/sport", "test"] {
        index.insert(7, &selection(text));
        matcher.insert(selection(text), ());
    }
    assert_eq!((index.matching(&news).0.len(), index.matching(&test).0.len()), (1, 0), "nobody is mailed a rehearsal");
    assert_eq!((matcher.matching(&news).count(), matcher.matching(&test).count()), (4, 1));
}

#[test]
fn a_story_is_one_article_and_no_other() {
    let [world, china, _] = samples();
    let china = Article { id: ArticleId::derived(&china.publisher, "test", b"2"), ..china };
    let (story, other) = (Selection::following(world.id), Selection::everything());
    assert_eq!((story.story(), other.story()), (Some(world.id), None));
    let (mut index, mut matcher) = (Index::default(), Matcher::default());
    index.insert(7, &story);
    assert_eq!((index.having(&story).map(|who| who.len()), index.having(&other)), (Some(1), None));
    matcher.insert(story.clone(), ());
    for (article, wanted) in [(&world, true), (&china, false), (&Article { test: true, ..world.clone() }, false)] {
        let features = Features::of(article);
        let found = (index.matching(&features).0.contains(7), matcher.matching(&features).count() == 1);
        assert_eq!((story.matches(&features), found), (wanted, (wanted, wanted)), "{}", article.id);
    }
    assert!(!Selection::naming(&world).contains(&story), "it is no part of the news that others are in");
}

#[test]
fn subscribers_come_and_go() {
    let [world, china, _] = samples().map(|sample| Features::of(&sample));
    let mut index = Index::default();
    let (urgent, party) = (selection("urgency/2,keyword/廉政"), selection("text/党风"));
    for (subscriber, selection) in [(1, &urgent), (2, &urgent), (2, &party), (3, &party)] {
        index.insert(subscriber, selection);
    }
    let found = |index: &Index, features| index.matching(features).0.iter().collect::<Vec<u32>>();
    assert_eq!((found(&index, &world), found(&index, &china)), (vec![1, 2], vec![1, 2, 3]));
    for (subscriber, selection) in [(2, &urgent), (3, &party), (9, &party)] {
        index.remove(subscriber, selection);
    }
    assert_eq!((found(&index, &world), found(&index, &china)), (vec![1], vec![1, 2]));
    index.remove(1, &urgent);
    index.remove(2, &party);
    assert_eq!((found(&index, &world), found(&index, &china)), (vec![], vec![]));
}

#[test]
fn what_is_narrower_asks_for_more() {
    let from_wide_to_narrow = [
        "all",
        "!keyword/sport",
        "language/zh",
        "publisher/hefei",
        "section/world",
        "section/world/asia",
        "section/world/asia+language/zh",
        "section/world/asia+language/zh+keyword/climate",
        "story/019ab2f0-7c1e-7b3a-9d52-0c1f4e6a8b90",
    ];
    let narrowness = from_wide_to_narrow.map(|text| selection(text).narrowness());
    assert!(narrowness.is_sorted_by(|a, b| a < b), "{narrowness:?}");
    assert_eq!(selection("all").narrowness(), 0);
    assert_eq!(selection("keyword/climate,language/zh").narrowness(), selection("language/zh").narrowness());
}

/// Of few letters, words and names, so that much of what is asked for is there, or nearly.
fn names(of: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::subsequence(of, 0..=of.len())
}

fn news() -> impl Strategy<Value = Article> {
    let section = prop::sample::select(vec![vec![], vec!["A"], vec!["A", "B"], vec!["A-B"], vec!["A", "B", "党"]]);
    let language = prop::sample::select(vec!["en", "en-GB", "zh-Hans", "zh-Hans-CN", "eng"]);
    let words = || "[aAbß党风กʹ\u{301}가 -]{0,16}";
    let named = (names(&["a", "b", "a b", "党", "ç"]), names(&["a", "b"]), names(&["a", "a/b", "b"]));
    (section, language, 1..=9, named, words(), words(), prop::bool::weighted(0.1)).prop_map(
        |(section, language, urgency, (keywords, sources, codes), summary, body, test)| {
            let sources: Vec<_> = sources.iter().map(|name| json!({"name": name, "role": "originator"})).collect();
            let subjects: Vec<_> = codes.iter().map(|code| json!({"scheme": "s", "code": code})).collect();
            let fields = json!({
                "section": section, "language": language, "urgency": urgency, "keywords": keywords, "sources": sources,
                "subjects": subjects, "summary": format!("x {summary}"), "body_text": format!("x\n\n{body}"),
            });
            Article { test, ..article(&fields) }
        },
    )
}

fn some() -> impl Strategy<Value = Selection> {
    let atoms = [
        "all",
        "section/a",
        "section/a/b",
        "section/a-b",
        "section/a/b/党",
        "section/c",
        "publisher/hefei",
        "publisher/a",
        "keyword/a",
        "keyword/b",
        "keyword/a-b",
        "keyword/党",
        "keyword/ç",
        "source/a",
        "source/b",
        "language/en",
        "language/en-gb",
        "language/zh",
        "language/zh-hans",
        "language/e",
        "language/eng",
        "subject/s/a",
        "subject/s/a-b",
        "subject/s/b",
        "urgency/1",
        "urgency/3",
        "urgency/5",
        "urgency/9",
    ];
    let atom = prop::sample::select(atoms.to_vec()).prop_map(str::to_owned);
    let words = "[aAbß党风กʹ\u{301}가 -]{0,3}[ab党ก가x]".prop_map(|words| format!("text/{words}"));
    let atom = prop_oneof![3 => atom, 2 => words].prop_map(|text| selection(&text));
    atom.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..6)
                .prop_map(|parts| Selection::all_of(parts.clone()).unwrap_or(parts[0].clone())),
            prop::collection::vec(inner.clone(), 1..6)
                .prop_map(|parts| Selection::any_of(parts.clone()).unwrap_or(parts[0].clone())),
            // Alternatives with something in common are filed under it once.
            (inner.clone(), prop::collection::vec(inner.clone(), 2..4)).prop_map(|(common, parts)| {
                let with = |part| Selection::all_of([common.clone(), part]);
                Selection::any_of(parts.into_iter().flat_map(with)).unwrap_or(common)
            }),
            inner.prop_map(|inner| inner.not().unwrap_or(inner)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_matcher_finds_what_asking_everybody_would(
        steps in prop::collection::vec((some(), any::<prop::sample::Index>(), prop::bool::weighted(0.3)), 0..60),
        news in prop::collection::vec(news(), 1..4),
    ) {
        let mut matcher = Matcher::default();
        let mut all: BTreeSet<Selection> = BTreeSet::new();
        for (selection, at, removed) in steps {
            if removed && !all.is_empty() {
                let gone = all.iter().nth(at.index(all.len())).unwrap().clone();
                prop_assert!(all.remove(&gone) && matcher.remove(&gone) == Some(gone.to_string()));
                prop_assert_eq!(matcher.remove(&gone), None);
            }
            prop_assert_eq!(matcher.insert(selection.clone(), selection.to_string()).is_some(), !all.insert(selection));
            prop_assert_eq!(matcher.len(), all.len());
        }
        prop_assert_eq!(matcher.iter().count(), all.len());
        for features in news.iter().map(Features::of) {
            let found: Vec<&Selection> = matcher.matching(&features).map(|(selection, _)| selection).collect();
            let wanted: BTreeSet<&Selection> = all.iter().filter(|selection| selection.matches(&features)).collect();
            prop_assert_eq!(found.len(), wanted.len(), "each once");
            prop_assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), wanted);
        }
        for selection in all {
            prop_assert_eq!(matcher.get(&selection), Some(&selection.to_string()));
            matcher.remove(&selection);
        }
        prop_assert!(matcher.is_filed_clean());
    }
}
