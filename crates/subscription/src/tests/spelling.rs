//! However a selection is written, it is kept in one form; and what cannot be meant is refused with what to do.

use proptest::prelude::*;
use url::Url;

use super::articles::{article, samples};
use crate::{Features, InvalidSelection, Problem, Selection};

/// Atoms, and which of the three samples has each.
const ATOMS: [(&str, [bool; 3]); 16] = [
    ("all", [true, true, true]),
    ("section/world-news", [true, false, false]),
    ("section/world-news/asia", [true, false, false]),
    ("section/要闻", [false, true, false]),
    ("publisher/hefei", [true, true, true]),
    ("keyword/climate", [true, false, false]),
    ("keyword/tech-science", [true, false, false]),
    ("keyword/sport", [false, false, true]),
    ("source/reuters", [true, false, false]),
    ("language/zh", [false, true, false]),
    ("language/zh-hans", [false, true, false]),
    ("subject/medtop/20000418", [true, false, false]),
    ("urgency/2", [true, false, false]),
    ("urgency/7", [true, true, false]),
    ("text/廉政", [false, true, false]),
    ("text/in-the-rain", [false, false, true]),
];

const STORY: &str = "story/019ab2f0-7c1e-7b3a-9d52-0c1f4e6a8b90";

/// What somebody means.
#[derive(Debug, Clone)]
enum Tree {
    Atom(usize),
    All(Vec<Tree>),
    Any(Vec<Tree>),
    Not(Box<Tree>),
}

fn tree() -> impl Strategy<Value = Tree> {
    (0..ATOMS.len()).prop_map(Tree::Atom).prop_recursive(3, 20, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Tree::All),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Tree::Any),
            inner.prop_map(|inner| Tree::Not(Box::new(inner))),
        ]
    })
}

impl Tree {
    fn holds(&self, sample: usize) -> bool {
        match self {
            Self::Atom(atom) => ATOMS[*atom].1[sample],
            Self::All(inner) => inner.iter().all(|inner| inner.holds(sample)),
            Self::Any(inner) => inner.iter().any(|inner| inner.holds(sample)),
            Self::Not(inner) => !inner.holds(sample),
        }
    }

    /// As it comes, every group in parentheses.
    fn plainly(&self) -> String {
        let joined = |inner: &[Self], operator: &str| {
            format!("({})", inner.iter().map(Self::plainly).collect::<Vec<_>>().join(operator))
        };
        match self {
            Self::Atom(atom) => ATOMS[*atom].0.to_owned(),
            Self::All(inner) => joined(inner, "+"),
            Self::Any(inner) => joined(inner, ","),
            Self::Not(inner) => format!("!{}", inner.plainly()),
        }
    }

    /// The same in other words: in another order, things said twice, groups in groups, `!!`, spaces, capitals.
    fn oddly(&self, random: &mut impl FnMut(usize) -> usize) -> String {
        let mut group = |inner: &[Self], operator: &str| {
            let mut parts: Vec<String> = inner.iter().map(|inner| inner.oddly(random)).collect();
            if random(3) == 0 {
                parts.push(parts[random(parts.len())].clone());
            }
            for at in (1..parts.len()).rev() {
                parts.swap(at, random(at + 1));
            }
            if parts.len() > 2 && random(2) == 0 {
                let rest = parts.split_off(1 + random(parts.len() - 1));
                parts.push(format!("({})", rest.join(operator)));
            }
            format!("({})", parts.join(operator))
        };
        match self {
            Self::All(inner) => group(inner, " + "),
            Self::Any(inner) => group(inner, ","),
            Self::Not(inner) => format!("{}!{}", ["", "!!"][random(2)], inner.oddly(random)),
            Self::Atom(atom) => {
                let name = ATOMS[*atom].0;
                let name = match name.split_once('/') {
                    Some((kind, value)) if kind != "publisher" && random(2) == 0 => {
                        format!("{kind}/{}", value.to_uppercase())
                    }
                    _ => name.to_owned(),
                };
                // Whatever is no part of the news is refused, and `!all` is that.
                let twice = if name == "all" { "" } else { "!!" };
                format!("{}{name}", ["", twice, " "][random(3)])
            }
        }
    }
}

/// A random number below its argument, the same for the same seed.
fn random(mut seed: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    }
}

fn problem(text: &str) -> Problem {
    text.parse::<Selection>().expect_err(text).problem
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn however_it_is_written_it_is_one_selection_and_means_the_same(tree in tree(), seed in any::<u64>()) {
        let plainly = tree.plainly().parse::<Selection>();
        let oddly = tree.oddly(&mut random(seed));
        prop_assume!(oddly.len() <= 2048);
        let oddly = oddly.parse::<Selection>();
        match (plainly, oddly) {
            (Ok(plainly), Ok(oddly)) => {
                prop_assert_eq!(plainly.as_str(), oddly.as_str());
                prop_assert_eq!(plainly.as_str().parse::<Selection>(), Ok(plainly.clone()));
                prop_assert!(plainly.is_everything() || !plainly.as_str().contains("all"), "{}", plainly);
                for (n, sample) in samples().iter().enumerate() {
                    prop_assert_eq!(plainly.matches(&Features::of(sample)), tree.holds(n), "{} {}", plainly, n);
                }
            }
            (Err(plainly), Err(oddly)) => {
                prop_assert_eq!(&plainly.problem, &Problem::Nothing);
                prop_assert_eq!(&oddly.problem, &Problem::Nothing);
            }
            (plainly, oddly) => prop_assert!(false, "{:?} {:?}", plainly, oddly),
        }
    }

    #[test]
    fn an_address_gives_it_back(tree in tree()) {
        prop_assume!(tree.plainly().parse::<Selection>().is_ok());
        let selection: Selection = tree.plainly().parse().unwrap();
        let mut url: Url = "https://news.example/feeds".parse().unwrap();
        url.path_segments_mut().unwrap().extend(selection.as_str().split('/'));
        let url: Url = url.to_string().parse().unwrap();
        let path = decoded(url.path().strip_prefix("/feeds/").unwrap());
        prop_assert_eq!(&path, selection.as_str());
        let json = serde_json::to_string(&selection).unwrap();
        prop_assert_eq!(serde_json::from_str::<Selection>(&json).unwrap(), selection);
    }

    #[test]
    fn nothing_that_is_typed_panics(text in "[+,!() /a-zA-Z0-9党İﬁ\u{301}\u{0}.;-]{0,80}", any in any::<String>()) {
        for text in [&text, &any, &format!("text/{any}"), &format!("keyword/{text}"), &format!("!({text})")] {
            if let Ok(selection) = text.parse::<Selection>() {
                prop_assert_eq!(selection.as_str().parse::<Selection>().unwrap(), selection);
            }
        }
    }

    #[test]
    fn every_selection_of_an_article_matches_it_and_reads_back(
        section in prop::collection::vec("[a-zA-Z党İñ🎉 ./&%#?-]{0,20}[a-zÅ℃ß]", 0..=5),
        keywords in prop::collection::vec("[a-zA-Z党İñ🎉 ./&%#?+,!();-]{0,20}[a-zÅ℃ß]", 0..=5),
    ) {
        let subjects = [serde_json::json!({"scheme": "a/b", "code": "c:d/e"})];
        let article = article(&serde_json::json!({"section": section, "keywords": keywords, "subjects": subjects}));
        let (of, naming) = (Selection::of(&article), Selection::naming(&article));
        prop_assert!(naming.starts_with(&of) && naming.contains(&"subject/a-b/c-d-e".parse().unwrap()));
        for selection in naming {
            prop_assert!(selection.matches(&Features::of(&article)), "{}", selection);
            prop_assert_eq!(selection.as_str().parse::<Selection>().unwrap(), selection);
        }
    }
}

/// Percent-decoding as any server does it.
fn decoded(path: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), path.as_bytes());
    while let [first, after @ ..] = rest {
        let hex = (*first == b'%').then(|| str::from_utf8(&after[..2]).unwrap());
        bytes.push(hex.map_or(*first, |hex| u8::from_str_radix(hex, 16).unwrap()));
        rest = &after[if hex.is_some() { 2 } else { 0 }..];
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_canonical_form_is_the_same_for_ever() {
    for (written, canonical) in [
        ("all", "all"),
        ("test", "test"),
        ("(test)", "test"),
        ("test,(test+test)", "test"),
        ("text/STRASSE-ẞß", "text/strasse-ssss"),
        ("section/World News/ASIA", "section/world-news/asia"),
        ("section/党风廉政建设", "section/党风廉政建设"),
        ("language/zh-Hans", "language/zh-hans"),
        ("subject/medtop/medtop:20000344", "subject/medtop/medtop-20000344"),
        ("subject/medtop/a/b", "subject/medtop/a-b"),
        ("text/Climate  change", "text/climate-change"),
        ("text/ＡＩ", "text/ai"),
        ("section/world+language/en,urgency/2", "urgency/2,section/world+language/en"),
        ("section/world+!(source/xinhua,keyword/sport)", "section/world+!(keyword/sport,source/xinhua)"),
        ("!section/sport", "!section/sport"),
        ("!(section/sport)", "!section/sport"),
        ("!!section/sport", "section/sport"),
        ("all+section/a", "section/a"),
        ("all,section/a", "all"),
        ("section/a,!section/a", "all"),
        ("(section/a,!section/a)+keyword/b", "keyword/b"),
        ("keyword/b+section/a+(keyword/c+keyword/b)", "section/a+keyword/b+keyword/c"),
        ("((keyword/a))", "keyword/a"),
        ("keyword/a+(keyword/b,keyword/c)", "keyword/a+(keyword/b,keyword/c)"),
        ("!(keyword/a+keyword/b)", "!(keyword/a+keyword/b)"),
        (" keyword/a , keyword/b ", "keyword/a,keyword/b"),
        ("story/019AB2F0-7C1E-7B3A-9D52-0C1F4E6A8B90", STORY),
        (&format!("({STORY}),{STORY}"), STORY),
    ] {
        assert_eq!(written.parse::<Selection>().expect(written).as_str(), canonical, "{written}");
    }
}

#[test]
fn what_is_wrong_is_said_where_it_is() {
    for (text, at, problem) in [
        ("", 1, Problem::Missing),
        ("section/a,", 11, Problem::Missing),
        ("党风,", 1, Problem::Kind),
        ("section/党风,党", 12, Problem::Kind),
        ("All", 1, Problem::Kind),
        ("tests", 1, Problem::Kind),
        ("section", 1, Problem::Kind),
        ("tag/x", 1, Problem::Kind),
        ("test/x", 1, Problem::Kind),
        ("section/", 1, Problem::Section),
        ("section//a", 1, Problem::Section),
        ("section/a/b/c/d/e/f", 1, Problem::Section),
        ("publisher/A", 1, Problem::Publisher),
        ("keyword/🎉", 1, Problem::Name),
        ("keyword/a/b", 1, Problem::Name),
        ("text/…", 1, Problem::Name),
        ("language/中文", 1, Problem::Language),
        ("language/zh--hans", 1, Problem::Language),
        ("subject/medtop", 1, Problem::Subject),
        ("urgency/0", 1, Problem::Urgency),
        ("urgency/10", 1, Problem::Urgency),
        ("all+urgency/x", 5, Problem::Urgency),
        ("(all", 1, Problem::Open),
        ("all)", 4, Problem::Close),
        ("keyword/a(keyword/b)", 10, Problem::Operator),
        ("(keyword/a)keyword/b", 12, Problem::Operator),
        ("!all", 1, Problem::Nothing),
        ("!!all", 1, Problem::Nothing),
        ("!(!all)", 3, Problem::Nothing),
        ("(keyword/x+!keyword/x),keyword/y", 2, Problem::Nothing),
        ("!!test", 1, Problem::Test),
        ("text/\u{3164}\u{640}", 1, Problem::Name),
        ("keyword/x,!(all,keyword/a)", 11, Problem::Nothing),
        ("keyword/a+!keyword/a", 1, Problem::Nothing),
        ("publisher/a+publisher/b", 1, Problem::Nothing),
        ("section/a/b+section/a-b", 1, Problem::Nothing),
        ("section/a+section/a/b+section/a/c", 1, Problem::Nothing),
        ("language/zh+language/en", 1, Problem::Nothing),
        ("test,all", 1, Problem::Test),
        ("!test", 1, Problem::Test),
        ("keyword/a+(test+keyword/b)", 12, Problem::Test),
        ("story/", 1, Problem::Story),
        ("story/019ab2f07c1e7b3a9d520c1f4e6a8b90", 1, Problem::Story),
        ("story/urn:uuid:019ab2f0-7c1e-7b3a-9d52-0c1f4e6a8b90/x", 1, Problem::Story),
        (&format!("!{STORY}"), 1, Problem::Story),
        (&format!("{STORY},{}", STORY.replace("90", "91")), 1, Problem::Story),
        (&format!("keyword/a+(keyword/b,{STORY})"), 12, Problem::Story),
        (&format!("all,{STORY}"), 1, Problem::Story),
        ("((((((((((all))))))))))", 9, Problem::Deep),
        (&"x".repeat(2049), 1, Problem::Long),
    ] {
        let InvalidSelection { at: seen, problem: found, .. } = text.parse::<Selection>().expect_err(text);
        assert_eq!((seen, found), (at, problem), "{text}");
    }
    let said = "tag/x".parse::<Selection>().unwrap_err().to_string();
    assert!(said.contains("\"tag/x\"") && said.contains("section/…") && said.contains("character 1"), "{said}");
}

#[test]
fn a_selection_is_bounded_whoever_makes_it() {
    let keyword = |n: usize| format!("keyword/k{n}");
    let any = |count: usize| (0..count).map(keyword).collect::<Vec<_>>().join(",");
    assert!(any(32).parse::<Selection>().is_ok());
    assert_eq!(problem(&any(33)), Problem::Many);
    assert!(format!("{},{}", any(32), any(32)).parse::<Selection>().is_ok(), "each of them twice is no more");
    let halves = [any(20), any(40).split_off(any(20).len() + 1)].map(|half| half.parse::<Selection>().unwrap());
    assert_eq!(Selection::any_of(halves), Err(Problem::Many));
    let mut deep: Selection = "keyword/a+(keyword/b,keyword/c)".parse().unwrap();
    let deeper = |deep: &Selection, n: usize| {
        let other = keyword(n).parse().unwrap();
        if n.is_multiple_of(2) {
            Selection::any_of([deep.clone(), other])
        } else {
            Selection::all_of([deep.clone(), other])
        }
    };
    let grown = (0..40).try_for_each(|n| deeper(&deep, n).map(|next| deep = next));
    assert_eq!(grown, Err(Problem::Deep));
    assert_eq!(deep.as_str().parse::<Selection>().unwrap(), deep);
    // Lower case may take more bytes: what is kept would not read back.
    assert_eq!(problem(&format!("keyword/{}", "İ".repeat(1000))), Problem::Long);
}

#[test]
fn hostile_text_takes_no_time() {
    for text in [
        "!".repeat(2048),
        "(".repeat(2048),
        ")".repeat(2048),
        ",".repeat(2048),
        format!("{}all{}", "(".repeat(8), ")".repeat(8)),
        "all,".repeat(512),
        format!("{}all", "all+".repeat(511)),
        format!("{}keyword/a", "!".repeat(2000)),
        format!("text/{}", "\u{301}".repeat(1000)),
        format!("text/{}", "ﷺ".repeat(600)),
        "x".repeat(10_000_000),
    ] {
        if let Ok(selection) = text.parse::<Selection>() {
            assert_eq!(selection.as_str().parse::<Selection>().unwrap(), selection);
        }
    }
}

#[test]
fn the_longest_section_reads_back() {
    // 5 levels; with what separates them exactly the 2,000 bytes that a draft may have.
    let long = || "党".repeat(120);
    let article = article(&serde_json::json!({"section": [long(), long(), long(), long(), "党".repeat(118) + "éa"]}));
    assert_eq!(Selection::of(&article).len(), 7);
    for selection in Selection::of(&article) {
        assert_eq!(selection.as_str().parse::<Selection>().unwrap(), selection);
    }
}
