//! Live feeds, archives and deltas: how each names the others (RFC 5005), and what tells two versions of an entry apart.

use article::Article;
use feed::{FeedMeta, Format, Item, Paging};
use serde_json::{Value, json};

use crate::lifecycle::killed;
use crate::parsed_back::parse;
use crate::samples::{correct, create, english, links, meta, written};

const LIVE: &str = "https://news.example/feeds/all";
const HUB: &str = "https://news.example/hub";

fn page(n: u32) -> String {
    format!("{LIVE};{n}-0badcafe")
}

fn of_page(n: u32) -> FeedMeta {
    FeedMeta { page_url: page(n), ..with_hub() }
}

fn with_hub() -> FeedMeta {
    FeedMeta { hub: Some(HUB.into()), ..meta() }
}

fn archive(prev: Option<u32>, next: Option<u32>) -> Paging {
    Paging::Archive { current: LIVE.into(), prev: prev.map(page), next: next.map(page) }
}

/// Relation and address of every link of the document itself, in its order.
fn relations(format: Format, text: &str) -> Vec<(String, String)> {
    let parsed = parse(text);
    let links = parsed.links.into_iter().filter_map(|link| Some((link.rel?, link.href)));
    let mut relations: Vec<_> = links.filter(|(relation, _)| relation != "alternate").collect();
    if format == Format::Json {
        let json: Value = serde_json::from_str(text).unwrap();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        relations = [
            ("self", text(&json["_newswire"]["url"]).or(text(&json["feed_url"]))),
            ("current", text(&json["feed_url"]).filter(|_| json["_newswire"]["archive"] == true)),
            ("prev-archive", text(&json["next_url"])),
            ("next-archive", text(&json["_newswire"]["next_archive"])),
            ("hub", text(&json["hubs"][0]["url"])),
        ]
        .into_iter()
        .filter_map(|(relation, address)| Some((relation.to_owned(), address?)))
        .collect();
    }
    relations
}

/// What it is, and the links it has.
type Case<'a> = (&'static str, FeedMeta, Paging, &'a [(&'static str, String)]);

#[test]
fn every_kind_of_document_names_its_neighbours() {
    let cases: [Case<'_>; 6] = [
        ("live", with_hub(), Paging::Live { prev: None }, &[("self", LIVE.into()), ("hub", HUB.into())]),
        (
            "live with archives",
            with_hub(),
            Paging::Live { prev: Some(page(7)) },
            &[("self", LIVE.into()), ("prev-archive", page(7)), ("hub", HUB.into())],
        ),
        ("no hub", meta(), Paging::Live { prev: None }, &[("self", LIVE.into())]),
        (
            "the newest page",
            of_page(7),
            archive(Some(6), None),
            &[("self", page(7)), ("current", LIVE.into()), ("prev-archive", page(6))],
        ),
        (
            "the oldest page",
            of_page(1),
            archive(None, Some(2)),
            &[("self", page(1)), ("current", LIVE.into()), ("next-archive", page(2))],
        ),
        ("delta", with_hub(), Paging::Delta, &[("self", LIVE.into()), ("hub", HUB.into())]),
    ];
    let items = [Item::render(&create(1, &english()), &links()).unwrap()];
    for (name, meta, paging, expected) in cases {
        for format in Format::ALL {
            let text = written(format, &meta, &paging, &items);
            let with_extension = |(relation, address): &(&str, String)| {
                let extension = if *relation == "hub" { String::new() } else { format!(".{}", format.extension()) };
                ((*relation).to_owned(), format!("{address}{extension}"))
            };
            let expected: Vec<_> = expected.iter().map(with_extension).collect();
            assert_eq!(relations(format, &text), expected, "{name} {format:?}");
            let is_archive = matches!(paging, Paging::Archive { .. });
            let mark = if format == Format::Json { "\"archive\":true" } else { "<fh:archive/>" };
            assert_eq!(text.contains(mark), is_archive, "{name} {format:?}: {text}");
            let parsed = parse(&text);
            if format == Format::Atom {
                assert_eq!(parsed.id, LIVE, "{name}: all parts of a feed are one feed");
            }
            assert!(parsed.links.iter().any(|link| link.href == LIVE), "{name} {format:?}: {:?}", parsed.links);
        }
    }
}

#[test]
fn a_delta_is_the_live_feed_with_fewer_entries() {
    let items: Vec<Item> = (0..5).map(|n| Item::render(&create(n, &english()), &links()).unwrap()).collect();
    for format in Format::ALL {
        let delta = parse(&written(format, &with_hub(), &Paging::Delta, &items[..2]));
        let whole = parse(&written(format, &with_hub(), &Paging::Live { prev: None }, &items));
        assert_eq!(delta.entries, whole.entries[..2], "{format:?}");
        assert_eq!((delta.title, delta.links), (whole.title, whole.links), "{format:?}");
    }
}

#[test]
fn a_fingerprint_is_of_what_is_written() {
    let first = create(1, &english());
    let fingerprint = |article: &Article| Item::render(article, &links()).unwrap().fingerprint();
    assert_eq!(fingerprint(&first), fingerprint(&first.clone()));
    assert_eq!(Item::render(&first, &links()).unwrap().id(), first.id);
    let mut seen = vec![fingerprint(&first), fingerprint(&create(2, &english()))];
    for change in [
        json!({"headline": "Another"}),
        json!({"body_text": "Another text."}),
        json!({"keywords": ["courts"]}),
        json!({"urgency": 1}),
        json!({"copyright_notice": "None"}),
    ] {
        let mut document = english();
        document.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        seen.push(fingerprint(&create(1, &document)));
    }
    seen.push(fingerprint(&correct(&first, &english(), "A note.", "2026-02-01T08:00:00Z")));
    seen.push(fingerprint(&killed(&first)));
    let all = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), all, "each of them is another entry");

    let mut noted = first.clone();
    noted.ed_note = Some("Another word among editors.".into());
    assert_eq!(fingerprint(&noted), fingerprint(&first), "readers see no difference");
}
