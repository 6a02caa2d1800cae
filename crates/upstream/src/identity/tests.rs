//! Items under other names, and others under the same: which are one, and which are not.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::{Date, Markup};

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

/// A distinct story for each number.
fn story(n: u32) -> Item {
    const WORDS: [&str; 12] = [
        "harbour", "vote", "storm", "budget", "court", "school", "bridge", "wheat", "strike", "museum", "clinic",
        "railway",
    ];
    let word = |at: u32| WORDS[(at % 12) as usize];
    let text: Vec<String> =
        (0..60).map(|at| format!("{}{}", word(n * 7 + at * (n % 5 + 1)), n.wrapping_mul(31) + at)).collect();
    let minute = n % 60;
    Item {
        guid: Some(format!("https://news.example/story/{n}")),
        link: Some(url(&format!("https://news.example/story/{n}.html"))),
        title: Some(format!("{} {n}: what we know", word(n))),
        content: Some(Markup::Text(text.join(" "))),
        published: Date::parse(&format!("2026-11-{:02}T09:{minute:02}:00Z", n % 27 + 1)),
        ..Item::default()
    }
}

type Mutation = (&'static str, fn(&mut Item));

/// Ways in which a feed's items come back under other names without being other items.
const MUTATIONS: [Mutation; 18] = [
    ("none", |_| {}),
    ("guid: http", |item| rename(item, |guid| guid.replace("https:", "http:"))),
    ("guid: www", |item| rename(item, |guid| guid.replace("//news", "//www.news"))),
    ("guid: another host", |item| rename(item, |guid| guid.replace("news.example", "cdn.other.example"))),
    ("guid: no scheme", |item| rename(item, |guid| guid.replace("https://", ""))),
    ("guid: slash", |item| rename(item, |guid| format!("{guid}/"))),
    ("guid: tracking", |item| rename(item, |guid| format!("{guid}?utm_source=rss"))),
    ("guid: random", |item| rename(item, |guid| format!("{:x}", Sha256::digest(guid)))),
    ("guid: gone", |item| item.guid = None),
    ("link: http", |item| relink(item, |link| link.replace("https:", "http:"))),
    ("link: m.", |item| relink(item, |link| link.replace("//news", "//m.news"))),
    ("link: another host", |item| relink(item, |link| link.replace("news.example", "other.example"))),
    ("link: tracking", |item| relink(item, |link| format!("{link}?utm_medium=feed&fbclid=1#xtor=2"))),
    ("link: gone", |item| item.link = None),
    ("title: mended", |item| {
        item.title = item.title.as_ref().map(|title| title.replace("what we know", "what is known"))
    }),
    ("text: a word more", |item| {
        if let Some(Markup::Text(text)) = &mut item.content {
            text.push_str(" updated");
        }
    }),
    ("date: gone", |item| item.published = None),
    ("all hosts", |item| {
        rename(item, |guid| guid.replace("https://news.example", "http://new.example"));
        relink(item, |link| link.replace("https://news.example", "http://new.example"));
    }),
];

fn rename(item: &mut Item, new: impl Fn(&str) -> String) {
    item.guid = item.guid.as_deref().map(new);
}

fn relink(item: &mut Item, new: impl Fn(&str) -> String) {
    item.link = item.link.as_ref().map(|link| url(&new(link.as_str())));
}

fn known(items: &[Item]) -> Known<usize> {
    items.iter().enumerate().map(|(n, item)| (Identity::of(item), n)).collect()
}

static STORIES: LazyLock<Known<usize>> = LazyLock::new(|| known(&(0..40).map(story).collect::<Vec<_>>()));

/// What one item by itself is recognised as.
fn recognised(known: &Known<usize>, identity: &Identity) -> Option<(usize, Rung)> {
    known.recognise([identity]).remove(0).map(|(n, rung)| (*n, rung))
}

proptest! {
    #[test]
    fn no_item_is_taken_for_new_or_for_another(
        which in 0_usize..40,
        first in select(&MUTATIONS[..]),
        second in select(&MUTATIONS[..]),
    ) {
        let mut item = story(which as u32);
        (first.1)(&mut item);
        (second.1)(&mut item);
        let found = recognised(&STORIES, &Identity::of(&item)).map(|(n, _)| n);
        prop_assert_eq!(found, Some(which), "{} and {}", first.0, second.0);
    }

    #[test]
    fn a_new_item_is_new(n in 40_u32..5000, mutation in select(&MUTATIONS[..])) {
        let mut item = story(n);
        (mutation.1)(&mut item);
        prop_assert_eq!(recognised(&STORIES, &Identity::of(&item)), None);
    }
}

#[test]
fn the_rungs_of_the_ladder() {
    let first = known(&[story(1)]);
    let found = |change: fn(&mut Item)| {
        let mut item = story(1);
        change(&mut item);
        recognised(&first, &Identity::of(&item)).map(|(_, rung)| rung)
    };
    assert_eq!(found(|_| {}), Some(Rung::Guid));
    assert_eq!(
        found(|item| *item = Item { guid: item.guid.clone(), ..story(9) }),
        Some(Rung::Guid),
        "same guid with other content is a revision"
    );
    assert_eq!(found(|item| rename(item, |guid| guid.replace("https", "http"))), Some(Rung::Alias));
    assert_eq!(found(|item| item.guid = None), Some(Rung::Page));
    assert_eq!(found(|item| (item.guid, item.link) = (Some("new".into()), None)), Some(Rung::Text));
    let other_site = |item: &mut Item| {
        *item = Item {
            guid: item.guid.as_deref().map(|guid| guid.replace("news.example", "other.example")),
            link: Some(url("https://other.example/story/1.html")),
            ..story(9)
        }
    };
    assert_eq!(found(other_site), None, "a path in common is no proof");
    assert_eq!(found(|item| *item = Item { guid: Some("x".into()), link: item.link.clone(), ..story(9) }), None);
    let rewritten = |item: &mut Item| {
        rename(item, |guid| guid.replace("news.example", "other.example"));
        *item = Item { guid: item.guid.clone(), published: item.published.clone(), link: None, ..story(9) };
    };
    assert_eq!(found(rewritten), Some(Rung::Alias), "the same time is a witness");
    let mut old = story(1);
    old.published = Date::parse("2026-11-02");
    let mut new = old.clone();
    rewritten(&mut new);
    assert_eq!(recognised(&known(&[old]), &Identity::of(&new)), None, "the same day is none");
}

#[test]
fn an_item_has_one_name_whatever_its_host() {
    let name = |change: fn(&mut Item)| {
        let mut item = story(7);
        change(&mut item);
        Identity::of(&item).name()
    };
    let plain = name(|_| {});
    assert_eq!(plain.len(), 64);
    assert_eq!(name(MUTATIONS[1].1), plain);
    assert_eq!(name(MUTATIONS[3].1), plain);
    assert_ne!(name(|item| *item = story(8)), plain);
    let nameless = |title: &str| Identity::of(&Item { title: Some(title.into()), ..Item::default() }).name();
    assert_eq!(nameless("A  b"), nameless("a B"));
    assert_ne!(nameless("a"), nameless("b"));
}

#[test]
fn guids_without_their_scheme_and_host() {
    for (guid, expected) in [
        ("https://news.example/1", Some("/1")),
        ("http://www.news.example/1/?utm_source=x", Some("/1")),
        ("//news.example/1", Some("/1")),
        ("news.example/1", Some("/1")),
        ("https://news.example/?p=7", Some("?p=7")),
        ("https://news.example/", None),
        ("tag:news.example,2026:post-1", Some("post-1")),
        ("urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a", Some("urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a")),
        ("12345", Some("12345")),
        ("党风", Some("党风")),
    ] {
        assert_eq!(alias(guid).as_deref(), expected, "{guid}");
    }
}

#[test]
fn names_that_items_share_name_none_of_them() {
    let shared = |n: u32| Item {
        guid: Some("https://news.example/all".into()),
        link: Some(url("https://news.example/all")),
        ..story(n)
    };
    let items: Vec<Item> = (0..20).map(shared).collect();
    let found = identities(&items, Format::Rss);
    assert_eq!(found.len(), 20);
    assert!(found.iter().all(|(_, identity)| identity.guid.is_none() && identity.page.is_none()));
    let names: std::collections::HashSet<String> = found.iter().map(|(_, identity)| identity.name()).collect();
    assert_eq!(names.len(), 20, "each has a name of its own");
    let known: Known<usize> = found.into_iter().map(|(_, identity)| identity).zip(0..).collect();
    let again = identities(&items, Format::Rss);
    let found = known.recognise(again.iter().map(|(_, identity)| identity));
    assert!(found.iter().zip(0..).all(|(found, n)| found.map(|(at, _)| *at) == Some(n)));
}

#[test]
fn of_two_reports_under_one_headline_neither_is_the_other() {
    let second = Item {
        guid: Some("https://news.example/story/1-again".into()),
        link: Some(url("https://news.example/story/1-again.html")),
        ..story(1)
    };
    let before = known(&[story(1)]);
    let both = [Identity::of(&second), Identity::of(&story(1))];
    let rungs: Vec<_> = before.recognise(&both).into_iter().map(|found| found.map(|(_, rung)| rung)).collect();
    assert_eq!(rungs, [None, Some(Rung::Guid)], "while the feed has both");
    assert_eq!(recognised(&before, &both[0]), Some((0, Rung::Text)), "a new name of what it no longer has");
}

#[test]
fn an_item_that_stands_in_a_document_twice_is_one() {
    let newer = Item { updated: Date::parse("2026-12-01T00:00:00Z"), title: Some("Newer".into()), ..story(1) };
    for (items, title) in [([newer.clone(), story(1)], "Newer"), ([story(1), newer], "Newer")] {
        let found = identities(&items, Format::Rss);
        assert_eq!(found.iter().map(|(item, _)| item.title.as_deref()).collect::<Vec<_>>(), [Some(title)]);
    }
    let versions = [story(1), Item { guid: story(1).guid, ..story(2) }];
    assert_eq!(identities(&versions, Format::Atom).len(), 1, "one id is one entry in Atom");
    assert_eq!(identities(&versions, Format::Rss).len(), 2, "elsewhere it may be a mistake");
}

#[test]
fn identities_are_kept_as_json() {
    let identity = Identity::of(&story(3));
    let json = serde_json::to_string(&identity).unwrap();
    assert!(json.len() < 500, "{json}");
    assert_eq!(serde_json::from_str::<Identity>(&json).unwrap(), identity);
}
