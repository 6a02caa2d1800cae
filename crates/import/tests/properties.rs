//! What holds for every page, likely or hostile: no panic, nothing lost, what was put in comes out.

mod accounting;

use accounting::assert_accounted;
use import::{Code, MAX_BYTES, Options, import_text};
use proptest::prelude::*;
use proptest::sample::select;

/// Pieces that mean something to the importer, and text in scripts that trip byte arithmetic.
const PIECES: &[&str] = &[
    "Time:",
    "Date",
    "Published: ",
    "时间：",
    "作　者：",
    "Author:",
    "By:",
    "News source: ",
    "来源:",
    "责任编辑：",
    "Editor: ",
    "Views: 12",
    "[Font size: s | m",
    "【字号： | |",
    "[Print]",
    "[",
    "]",
    "【",
    "】",
    "当前位置：首页>>要闻",
    "Current position: Home > ",
    "2018-11-26",
    "2018年11月26日 09:30",
    "26 Nov 2018",
    "03/04/2018",
    "2018-13-45",
    " 09:30 +08:00",
    "Lake City Post",
    "合肥晚报",
    "(Sun Li)",
    "（记者 孙丽）",
    "(Editor: Bo An, Li Wu)",
    "(2018)",
    "(",
    ")",
    "（",
    "）",
    "记者",
    "Reporter ",
    "A headline",
    "标题",
    "It rained all day, and the river rose by a hand's breadth until the evening, when it stopped.",
    "今年以来，一切都好。",
    ".",
    "。",
    "\n",
    "\n\n",
    "\r\n",
    "\u{2028}",
    " ",
    "\u{3000}",
    "\u{a0}",
    "\u{200b}",
    "\u{feff}",
    "\t",
    "|",
    "、",
    ":",
    "：",
    "㏂",
    "ﷺ",
    "e\u{301}",
    "\u{202e}",
    "مرحبا",
    "🍞",
    "👩‍👩‍👧",
    "<",
    "</p",
    "\0",
];

fn check(text: &str) -> Result<(), TestCaseError> {
    match import_text(text.as_bytes(), &Options::default()) {
        Ok(page) => {
            assert_accounted(text, &page);
            prop_assert!(!page.headline.is_empty() && !page.body.is_empty());
        }
        Err(errors) => {
            prop_assert!(!errors.is_empty());
            prop_assert!(errors.iter().all(|error| error.code != Code::Unaccounted), "{errors:?}");
            let lines = text.split(['\n', '\u{2028}', '\u{2029}']).count();
            prop_assert!(errors.iter().all(|error| (1..=lines).contains(&(error.line as usize))), "{errors:?}");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Err(errors) = import_text(&bytes, &Options::default()) {
            prop_assert!(!errors.is_empty());
        }
    }

    #[test]
    fn any_text(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn any_mixture_of_meaningful_pieces(pieces in prop::collection::vec(select(PIECES), 0..60)) {
        check(&pieces.concat())?;
    }

    /// The mixture again, below a headline and labels that make most of them importable.
    #[test]
    fn any_body(pieces in prop::collection::vec(select(PIECES), 1..40)) {
        check(&format!("Section\nHeadline\nTime: 2018-11-26 Author: News source: Post\n\n{}", pieces.concat()))?;
    }

    #[test]
    fn what_is_put_in_comes_out(page in generated()) {
        let (text, expected) = page;
        let page = import_text(text.as_bytes(), &Options::default()).map_err(|errors| {
            TestCaseError::fail(format!("{errors:?} in\n{text}"))
        })?;
        assert_accounted(&text, &page);
        prop_assert_eq!(page.section, expected.section);
        prop_assert_eq!(page.headline, expected.headline);
        prop_assert_eq!(page.date.to_string(), expected.date);
        prop_assert_eq!(page.byline, expected.byline);
        prop_assert_eq!(page.source, expected.source);
        prop_assert_eq!(page.body, expected.body);
    }
}

#[derive(Clone, Debug)]
struct Expected {
    section: Option<String>,
    headline: String,
    date: String,
    byline: Option<String>,
    source: Option<String>,
    body: Vec<String>,
}

/// A page in one of the family's shapes, with what must come out of it.
fn generated() -> impl Strategy<Value = (String, Expected)> {
    let words =
        || prop::collection::vec(select(&["river", "market", "法院", "court", "Łódź", "市场", "42", "🍞"][..]), 1..8);
    let headline = words().prop_map(|words| words.join(" "));
    let section = prop::option::of(words().prop_map(|words| words.join("-")));
    let date = select(
        &[
            ("November 26, 2018", "2018-11-26"),
            ("2018-11-26 09:30:15", "2018-11-26T09:30:15+08:00"),
            ("２０１８年１１月２６日", "2018-11-26"),
            ("26 Nov 2018 09:30", "2018-11-26T09:30:00+08:00"),
        ][..],
    );
    let byline = prop::option::of(select(&["Sun Li", "记者 孙丽", "Ana Ruiz and Bo An"][..]).prop_map(str::to_owned));
    let source = prop::option::of(select(&["Lake City Post", "云桥晨报"][..]).prop_map(str::to_owned));
    let paragraph = words().prop_map(|words| {
        format!("It was said: {} (all of it) by those who had been there on the day itself.", words.join(", "))
    });
    let body = prop::collection::vec(paragraph, 1..5);
    let style = (any::<bool>(), any::<bool>(), any::<bool>(), select(&["\n", "\r\n"][..]));
    (section, headline, date, byline, source, body, style).prop_map(
        |(section, headline, date, byline, source, body, style)| {
            let (own_lines, signed, controls, end) = style;
            let mut text = section.iter().chain([&headline]).map(|line| format!("{line}{end}")).collect::<String>();
            let label = if signed { None } else { byline.clone() };
            let gap = if own_lines { end } else { "\u{3000}" };
            text += &format!("Time：{}{gap}Author: {}{gap}", date.0, label.unwrap_or_default());
            text += &format!("来源：{}{gap}", source.clone().unwrap_or_default());
            text += if controls { "[Font size: large | in | Small" } else { "Views: 1" };
            for paragraph in &body {
                text += &format!("{end}{end}\u{3000}\u{a0}{paragraph} ");
            }
            if let Some(byline) = byline.as_ref().filter(|_| signed) {
                text += &format!("（{byline}）");
            }
            (text, Expected { section, headline, date: date.1.to_owned(), byline, source, body })
        },
    )
}

/// A megabyte in the shapes that punish careless searching; anything but linear work would take minutes here.
#[test]
fn a_megabyte_of_anything() {
    let heads = ["", "Section\nHeadline\nTime: 2018-11-26 Source: Post\n\n"];
    let units = [
        "Time:",
        "Time:\n",
        "[Print] ",
        "[Print]\n",
        "Editor: A\n",
        "（)",
        "Sun Li, ",
        "：",
        "</",
        "a:\n",
        "ﷺ",
        "当前位置：首页>>\n",
    ];
    for head in heads {
        for unit in units {
            let mut text = head.to_owned() + &unit.repeat((MAX_BYTES - head.len() - 20) / unit.len());
            text.push_str(" (Sun Li)");
            let result = import_text(text.as_bytes(), &Options::default());
            assert!(
                result.is_ok() || result.is_err_and(|errors| errors.iter().all(|e| e.code != Code::Unaccounted)),
                "{unit}"
            );
        }
    }
}
