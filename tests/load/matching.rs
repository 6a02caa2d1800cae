//! Which of a million different selections an article is in, on one core.

use std::time::{Duration, Instant};

use article::{Article, ArticleId, Command, Draft, Provenance};
use fastrand::Rng;
use subscription::{Features, Matcher, Selection};

use crate::figures::{Scale, Spread, ms, note, resident, row};

/// Words of the language of the articles, the common ones first.
const WORDS: f64 = 50_000.0;
/// Keywords, sources and subjects that newsrooms use.
const NAMES: f64 = 100_000.0;

pub(crate) fn measure(scale: Scale) {
    let mut random = Rng::with_seed(7);
    let mut matcher = Matcher::default();
    let (before, mut inserting) = (resident(std::process::id()), Duration::ZERO);
    while matcher.len() < scale.selections {
        let selection = selection(&mut random);
        let begin = Instant::now();
        matcher.insert(selection, ());
        inserting += begin.elapsed();
    }
    let each = (resident(std::process::id()) - before) as f64 / scale.selections as f64;
    row(
        &format!("{} different selections", scale.selections),
        &format!("{each:.0} bytes and {:.1} µs each", inserting.as_secs_f64() * 1e6 / scale.selections as f64),
    );
    let articles: Vec<Article> = (0..scale.matched).map(|n| article(&mut random, n)).collect();
    let (mut folding, mut matching, mut matches) = (Vec::new(), Vec::new(), 0);
    for article in &articles {
        let begin = Instant::now();
        let features = Features::of(article);
        folding.push(begin.elapsed());
        let begin = Instant::now();
        matches += matcher.matching(&features).count();
        matching.push(begin.elapsed());
    }
    row("features of an article of 3 KB", &Spread::of(folding));
    row(&format!("an article among {} selections", scale.selections), &Spread::of(matching));
    note(&format!("{} of them match", matches / articles.len()));

    let features: Vec<Features> = articles.iter().take(50).map(Features::of).collect();
    let everything_but: Vec<Selection> =
        (0..scale.selections).map(|n| format!("!keyword/k{n}").parse().expect("it is a selection")).collect();
    let mut unselective = Matcher::default();
    for selection in everything_but {
        unselective.insert(selection, ());
    }
    let begin = Instant::now();
    let found: usize = features.iter().map(|features| unselective.matching(features).count()).sum();
    let took = begin.elapsed() / u32::try_from(features.len()).expect("there are fifty");
    row(&format!("the same, each of them everything but one keyword ({} match)", found / features.len()), &ms(took));
}

/// As readers put them together, from what is common and what is rare.
fn selection(random: &mut Rng) -> Selection {
    let keyword = format!("keyword/k{}", rank(random, NAMES));
    let section = format!("section/s{}/t{}", random.u8(..12), random.u8(..20));
    let language = format!("language/{}", ["en", "zh"][random.usize(..2)]);
    let source = format!("source/s{}", rank(random, NAMES));
    let subject = format!("subject/topics/{}", rank(random, NAMES));
    let words = match random.bool() {
        true => format!("text/w{}-w{}", 100 + rank(random, WORDS), 100 + rank(random, WORDS)),
        false => format!("text/{}", (0..4).map(|_| han(random)).collect::<String>()),
    };
    let text = match random.u16(..1000) {
        0 => format!("!{keyword}+!{source}"),
        1..150 => format!("{keyword}+{language}"),
        150..350 => format!("{section}+{keyword}"),
        350..500 => format!("{source}+{language}+!{keyword}"),
        500..650 => format!("{subject}+!({keyword},{source})"),
        650..800 => format!("{words}+{language}"),
        800..900 => words,
        _ => format!("({keyword},{subject},{source})+urgency/{}", random.u8(1..=9)),
    };
    text.parse().expect("every part is a value")
}

fn article(random: &mut Rng, n: usize) -> Article {
    let chinese = random.bool();
    let body: String = match chinese {
        true => (0..1000).map(|_| han(random)).collect(),
        false => (0..550).map(|_| format!("w{} ", rank(random, WORDS))).collect(),
    };
    let names = |random: &mut Rng, letter: &str| format!("{letter}{}", rank(random, NAMES));
    let document = serde_json::json!({
        "headline": format!("Article {n}"), "body_text": body, "language": if chinese { "zh-Hans" } else { "en-GB" },
        "section": [format!("S{}", random.u8(..12)), format!("T{}", random.u8(..20))], "urgency": random.u8(1..=9),
        "keywords": (0..8).map(|_| names(random, "k")).collect::<Vec<_>>(),
        "sources": [{"name": names(random, "s"), "role": "originator"}],
        "subjects": (0..5).map(|_| serde_json::json!({"scheme": "topics", "code": names(random, "")})).collect::<Vec<_>>(),
    });
    let now = "2026-11-22T10:00:00Z".parse().expect("it is a time");
    let draft = Box::new(Draft::from_json(&document, now).expect("it is a draft"));
    let provenance =
        Provenance { channel: "api".into(), raw_sha256: String::new(), importer: None, warnings: Vec::new() };
    let (id, publisher) = (ArticleId::new(now, [0; 10]), "load".parse().expect("it is a publisher"));
    article::apply(None, Command::Create { id, publisher, draft, provenance }, now).expect("it is an article")
}

/// A rank below `count`; each is met about half as often as the one of half its rank, as words and names are (Zipf).
fn rank(random: &mut Rng, count: f64) -> u64 {
    count.powf(random.f64()) as u64
}

/// One of 3,000 characters, the common ones more often.
fn han(random: &mut Rng) -> char {
    let rank = u32::try_from(rank(random, 3000.0)).expect("it is small");
    char::from_u32(0x4E00 + rank).expect("all of these are characters")
}
