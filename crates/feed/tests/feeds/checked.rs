//! What `check` lets pass and what it stops, whoever wrote the document.

use article::ArticleId;
use feed::{Format, Item, check, check_spliced};

use crate::samples::{create, english, feed, links, live, meta, written};

/// A document with one change that breaks it, and a word of what is said about it.
struct Broken {
    format: Format,
    from: &'static str,
    to: &'static str,
    told: &'static str,
}

const fn broken(format: Format, from: &'static str, to: &'static str, told: &'static str) -> Broken {
    Broken { format, from, to, told }
}

const BROKEN: [Broken; 31] = [
    broken(Format::Atom, "Riverton news", "Riverton\u{B} news", "forbids"),
    broken(Format::Atom, "Riverton news", "Riverton\u{FFFE} news", "forbids"),
    broken(Format::Atom, "Riverton news", "Riverton &#11; news", "forbids"),
    broken(Format::Atom, "Riverton news", "Riverton &#xD800; news", "reference"),
    broken(Format::Atom, "Riverton news", "Riverton &nbsp; news", "nothing declares &nbsp;"),
    broken(Format::Atom, "Riverton news", "Riverton & news", "reference not closed"),
    broken(Format::Atom, "Riverton news", "Riverton ]]> news", "]]>"),
    broken(Format::Atom, "Riverton news", "Riverton <b> news", "b"),
    broken(Format::Atom, "Riverton news", "<x:b>Riverton</x:b>", "prefix"),
    broken(Format::Atom, "<title type=\"text\">Riv", "<title x:type=\"text\">Riv", "prefix"),
    broken(Format::Atom, "<title type=\"text\">Riv", "<title type=\"text\" type=\"text\">Riv", "duplicate"),
    broken(Format::Atom, "<title type=\"text\">Riv", "<title type=\"&nbsp;\">Riv", "nbsp"),
    broken(Format::Atom, "<title type=\"text\">Riv", "<title type=\"&#1;\">Riv", "forbids"),
    broken(Format::Atom, "<feed ", "<!DOCTYPE feed><feed ", "document type"),
    broken(Format::Atom, "<feed ", "<feeds ", "feed"),
    broken(Format::Atom, "</feed>", "", "ends before"),
    broken(Format::Atom, "</feed>", "</feed><feed xmlns=\"http://www.w3.org/2005/Atom\"/>", "second root"),
    broken(Format::Atom, "</feed>", "</feed>.", "beside the feed"),
    broken(Format::Atom, "http://www.w3.org/2005/Atom", "http://purl.org/atom/ns#", "in place of feed"),
    broken(Format::Atom, "<published>", "<published>on ", "no date"),
    broken(Format::Atom, "<id>urn:uuid:", "<id>uuid:", "not an article id"),
    broken(Format::Atom, "author>", "writer>", "an entry with no author"),
    broken(Format::Rss, "guid", "id", "an entry with no guid"),
    broken(Format::Rss, "<pubDate>Mon,", "<pubDate>Moon,", "no date"),
    broken(Format::Rss, "<link>", "<link>https://x.example/</link><link>", "link stands there 2 times"),
    broken(
        Format::Rss,
        "<description>Every",
        "<subtitle>x</subtitle><description>E</description><description>",
        "description",
    ),
    broken(Format::Json, "\"items\":", "\"entries\":", "items"),
    broken(Format::Json, "version/1.1", "version/2", "version"),
    broken(Format::Json, "\"title\":\"Riv", "\"title\":\"\\ud800", "hex escape"),
    broken(Format::Json, "\"date_modified\":\"", "\"date_modified\":\"on ", "as year"),
    broken(Format::Json, "\"title\":", "\"title\":null,\"title\":", "string"),
];

#[test]
fn what_a_strict_reader_would_fail_at_is_found() {
    for Broken { format, from, to, told } in &BROKEN {
        let good = feed(*format, &[create(1, &english())]);
        assert!(good.contains(from), "{from} is not in {good}");
        let error = check(*format, good.replace(from, to).as_bytes()).expect_err(to).to_string();
        assert!(error.contains(told), "{to}: {error}");
    }
    for format in Format::ALL {
        let good = feed(format, &[create(1, &english())]);
        assert!(check(format, &[good.as_bytes(), &[0xFF]].concat()).unwrap_err().problem.contains("UTF-8"));
        // Wherever a document is cut off.
        for end in (0..good.len() - 2).step_by(7).filter(|end| good.is_char_boundary(*end)) {
            assert!(check(format, &good.as_bytes()[..end]).is_err(), "{format:?}: {}", &good[..end]);
        }
    }
}

#[test]
fn ids_come_in_the_order_of_the_entries_with_notices_and_without() {
    let articles: Vec<_> = (0..5).map(|n| create(n, &english())).collect();
    let killed = crate::lifecycle::killed(&create(9, &english()));
    let ids: Vec<ArticleId> = [&killed].into_iter().chain(&articles).map(|article| article.id).collect();
    let items: Vec<Item> =
        [&killed].into_iter().chain(&articles).map(|article| Item::render(article, &links()).unwrap()).collect();
    for format in Format::ALL {
        let text = written(format, &meta(), &live(), &items);
        assert_eq!(check(format, text.as_bytes()).unwrap(), ids, "{format:?}");
    }
}

/// Whatever is done to a document: knowing its items makes the answer quicker, never another one.
#[test]
fn a_document_of_known_items_is_read_as_any_other() {
    let articles: Vec<_> = (0..4).map(|n| create(n, &english())).collect();
    let killed = crate::lifecycle::killed(&create(9, &english()));
    let items: Vec<Item> =
        articles.iter().chain([&killed]).map(|article| Item::render(article, &links()).unwrap()).collect();
    let known: Vec<&Item> = items.iter().collect();
    let mut random = fastrand::Rng::with_seed(7);
    let (mut good, mut bad) = (0, 0);
    for format in Format::ALL {
        let text = written(format, &meta(), &live(), &items).into_bytes();
        assert_eq!(check_spliced(format, &text, &known), check(format, &text));
        assert_eq!(check_spliced(format, &text, &known[1..]), check(format, &text), "not its items");
        for _ in 0..2000 {
            let mut bytes = text.clone();
            let (from, to) = (random.usize(..bytes.len()), random.usize(..bytes.len()));
            let (from, to) = (from.min(to), from.max(to).min(from + 1 + random.usize(..40)));
            match random.u8(..5) {
                0 => bytes[from] = random.u8(..),
                1 => drop(bytes.drain(from..to)),
                2 => bytes.extend_from_within(from..to),
                3 => bytes.truncate(from),
                // Something stands there twice.
                _ => drop(bytes.splice(from..from, text[from..to].to_vec())),
            }
            let read = check(format, &bytes);
            *(if read.is_ok() { &mut good } else { &mut bad }) += 1;
            assert_eq!(check_spliced(format, &bytes, &known), read, "{format:?}: {}", String::from_utf8_lossy(&bytes));
        }
    }
    assert!(good > 500 && bad > 500, "{good} and {bad}");
}

/// Not part of the test run: `cargo test --release -p feed --test feeds speed -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn speed_of_a_check() {
    let mut document = english();
    document["body_text"] = "The court's reading room \"opens\" at nine & closes at five, it said. ".repeat(24).into();
    let items: Vec<Item> = (0..50).map(|n| Item::render(&create(n, &document), &links()).unwrap()).collect();
    for format in Format::ALL {
        let text = written(format, &meta(), &live(), &items);
        let mut times: Vec<u128> = (0..200)
            .map(|_| {
                let begun = std::time::Instant::now();
                assert_eq!(check(format, text.as_bytes()).unwrap().len(), items.len());
                begun.elapsed().as_nanos()
            })
            .collect();
        times.sort_unstable();
        let per_150_kb = |nanos: u128| nanos * 150_000 / u128::try_from(text.len()).unwrap() / 1_000;
        eprintln!(
            "{format:?}: {} bytes, µs for 150 KB: median {}, p99 {}",
            text.len(),
            per_150_kb(times[100]),
            per_150_kb(times[198])
        );
    }
}
