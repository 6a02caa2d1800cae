//! Words are found as whoever reads the script would.

use proptest::prelude::*;
use serde_json::json;

use super::articles::article;
use crate::words::{contains, folded, of_markup, pieces};
use crate::{Features, Selection};

#[test]
fn words_are_found_in_every_script() {
    for (text, found, missed) in [
        ("坚持党风廉政建设", &["党风", "廉政建设", "党", "党风廉政建设"][..], &["风党", "党政", "党-风"][..]),
        (
            "The party's art, and Climate-change!",
            &["art", "ART", "climate change", "party"],
            &["par", "arty", "ange", "the art"],
        ),
        ("東京でニュースを読む", &["ニュース", "東京", "で"], &["ニュウ", "京都"]),
        ("ﾃﾚﾋﾞで見る", &["テレビ", "ﾃﾚﾋﾞ"], &["レテ"]),
        ("ข่าวการเมืองวันนี้", &["การเมือง", "ข่าว"], &["เมืองการ"]),
        ("ຂ່າວການເມືອງ", &["ການເມືອງ"], &["ເມືອງການ"]),
        ("ព័ត៌មានថ្មី", &["ថ្មី"], &["ថ្មីព័"]),
        ("မြန်မာသတင်း", &["သတင်း"], &["သတင်းမြန်"]),
        ("الأخبار العاجلة اليوم", &["العاجلة", "الأخبار العاجلة"], &["عاجل", "الأخبار اليوم"]),
        ("Срочные новости России", &["новости", "НОВОСТИ РОССИИ"], &["новост", "росси"]),
        ("समाचार की दुनिया", &["समाचार", "की"], &["क", "समा"]),
        ("한국 뉴스 속보", &["뉴스", "한국 뉴스"], &["한", "스"]),
        ("Ειδήσεις από την Αθήνα", &["αθήνα", "ΑΠΌ ΤΗΝ"], &["αθή"]),
        ("חדשות היום", &["חדשות"], &["חדש"]),
        ("G20峰会与ＡＩ技术", &["g20", "峰会", "AI", "g20峰会", "ai技术"], &["g2", "0峰会", "i技术"]),
        ("inter\u{AD}national soft", &["international"], &["inter", "national"]),
        ("a\u{200B}b 党\u{FE00}风", &["ab", "党风"], &["a"]),
        ("a\u{34F}b c\u{3164}\u{115F}\u{FFA0}d \u{E0067}e\u{E007F}", &["ab", "cd", "e"], &["a", "c"]),
        ("Straße, ΔΡΌΜΟΣ", &["STRASSE", "strasse", "δρόμος", "ΔΡΌΜΟΣ"], &["strase"]),
        ("İstanbul'da IŞIK", &["istanbul", "i\u{307}stanbul", "İSTANBUL", "ışık", "Işık"], &["stanbul"]),
        ("الأخـــبار", &["الأخبار", "الأخـبار"], &["الأخ"]),
        ("\u{1112}\u{1161}\u{11AB}국 ﾡ", &["한국", "\u{1112}\u{1161}\u{11AB}\u{1100}\u{116E}\u{11A8}", "ㄱ"], &["하"]),
        ("AT&T and C++", &["at t", "c"], &["att"]),
    ] {
        let haystack = folded(text);
        for (words, wanted) in found.iter().map(|words| (words, true)).chain(missed.iter().map(|words| (words, false)))
        {
            assert_eq!(contains(&haystack, &folded(words)), wanted, "{words:?} in {text:?} ({haystack})");
        }
    }
}

#[test]
fn words_stand_in_one_of_headline_summary_and_body() {
    let fields = json!({
        "headline": "Alpha beta", "summary": "Gamma delta",
        "body": "<p>ep<b>si</b>lon <a href=\"https://iota.example/\">zeta</a></p><p>eta<br>theta &amp; kappa</p>\
                 <ul><li>党</li><li>风</li></ul><p>廉<em>政</em></p>",
    });
    let features = Features::of(&article(&fields));
    for (words, wanted) in [
        ("alpha beta", true),
        ("gamma delta", true),
        ("epsilon zeta", true),
        ("zeta eta", true),
        ("eta theta kappa", true),
        ("廉政", true),
        ("beta gamma", false),
        ("delta epsilon", false),
        ("iota", false),
        ("href", false),
        ("amp", false),
        ("si", false),
        ("党风", false),
    ] {
        let selection: Selection = format!("text/{words}").parse().unwrap();
        assert_eq!(selection.matches(&features), wanted, "{words}");
    }
}

#[test]
fn markup_that_is_none_is_text() {
    for (html, words) in [
        ("a < b & c", "a-b-c"),
        ("a<", "a"),
        ("x<b", "x-b"),
        ("<p title=\"a>b\">c", "c"),
        ("&&;&", ""),
        ("<", ""),
        ("1 &lt; 2 &党", "1-2-党"),
    ] {
        assert_eq!(folded(&of_markup(html)), words, "{html}");
    }
}

#[test]
fn a_word_is_looked_for_in_one_pass() {
    // Each of these would be gone through once for each of its letters.
    let long = "a".repeat(500_000);
    assert!(!contains(&long, &"a".repeat(1000)));
    assert!(!contains(&"党".repeat(200_000), &format!("{}x", "党".repeat(600))));
    let words = "a-".repeat(250_000);
    assert!(!contains(&words, &format!("{}b", "a-".repeat(1000))));
    assert!(contains(&words, "a-a"));
    assert_eq!(of_markup(&format!("{}\">x", "<".repeat(500_000))).len(), 500_003);
}

#[test]
fn what_is_folded_stays_so() {
    for c in '\u{0}'..='\u{10FFFF}' {
        let once = folded(&c.to_string());
        assert_eq!(folded(&once), once, "{c:?}");
        if once.is_empty() || once.chars().eq([c]) {
            continue;
        }
        for text in [format!("i{c}\u{301}"), format!("{c}\u{307}ᅡ"), format!("ᄀ{c}ᅡ")] {
            let once = folded(&text);
            assert_eq!(folded(&once), once, "{text:?}");
        }
    }
}

#[test]
fn a_letter_and_its_capital_are_one() {
    // Greek with an iota under it, which stands beside a capital; pictures of Cyrillic letters in old prints.
    let others = |c| matches!(c, '\u{345}' | '\u{1F80}'..='\u{1FFC}' | '\u{1C80}'..='\u{1C88}');
    for c in ('\u{0}'..='\u{10FFFF}').filter(|c| (c.is_lowercase() || c.is_uppercase()) && !others(*c)) {
        let (lower, upper) = (c.to_lowercase().to_string(), c.to_uppercase().to_string());
        assert_eq!(folded(&lower), folded(&upper), "{c:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_found_is_filed_under_its_pieces(text in any::<String>(), words in "[a-c党风ก่ ーAＡ-]{1,5}", more in "[a-c党风ก่ ーAＡ-]{0,40}") {
        for text in [folded(&text), folded(&more), folded(&format!("{text} {words} {more}"))] {
            prop_assert_eq!(&folded(&text), &text);
            let words = folded(&words);
            if !words.is_empty() && contains(&text, &words) {
                let known: Vec<&str> = pieces(&text).collect();
                prop_assert!(pieces(&words).all(|piece| known.contains(&piece)), "{:?} in {:?}", words, text);
                prop_assert!(pieces(&words).next().is_some());
            }
        }
        let whole = folded(&text);
        prop_assert!(whole.is_empty() || contains(&whole, &whole));
    }
}
