//! Header fields (RFC 5322) that cannot be broken out of, and encoded-words (RFC 2047) that each decode alone.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use unicode_segmentation::UnicodeSegmentation;

use crate::address::Address;

/// Where a line is folded: the most a line with an encoded-word may have (RFC 2047 section 2).
const LINE: usize = 76;
/// Bytes of text in one encoded-word: 52 characters of base64 and 12 around them fit behind the longest name we use.
const WORD: usize = 39;
/// Longest text of one field, in bytes: a headline of 300 Chinese characters fits, a mail bomb does not.
const MAX_TEXT: usize = 1_800;
/// Longest display name, in bytes.
const MAX_NAME: usize = 180;

/// Appends `name: text`, encoded where it must be and folded. Control characters become blanks.
pub(crate) fn text_field(out: &mut String, name: &str, text: &str) {
    let text = clipped(&one_line(text), MAX_TEXT);
    // Some receivers refuse a field without a body.
    let text = if text.is_empty() { "…".to_owned() } else { text };
    let words = if is_plain(&text) { text.split(' ').map(str::to_owned).collect() } else { encoded_words(&text) };
    folded(out, name, &words);
}

/// Appends `name: "display" <address>`, the From of a mail or the name of its list.
pub(crate) fn named_field(out: &mut String, name: &str, display: &str, address: &str) {
    let display = clipped(&one_line(display), MAX_NAME);
    let mut words = if is_plain(&display) {
        let quoted = format!("\"{}\"", display.replace('\\', "\\\\").replace('"', "\\\""));
        quoted.split(' ').map(str::to_owned).collect()
    } else {
        encoded_words(&display)
    };
    words.push(format!("<{address}>"));
    folded(out, name, &words);
}

/// Appends `To: address`, on a line of its own where the two together would be too long for one.
pub(crate) fn to_field(out: &mut String, to: &Address) {
    out.push_str(if to.as_str().len() + 4 > LINE { "To:\r\n " } else { "To: " });
    out.push_str(to.as_str());
    out.push_str("\r\n");
}

/// Every line break and control character as a blank: a header is one line, whatever it was made from.
fn one_line(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c }).collect()
}

/// At most `max` bytes, cut between graphemes and marked with an ellipsis.
fn clipped(text: &str, max: usize) -> String {
    if text.len() <= max {
        return text.to_owned();
    }
    let end = text.grapheme_indices(true).map(|(at, _)| at).take_while(|at| *at <= max - '…'.len_utf8()).last();
    format!("{}…", &text[..end.unwrap_or(0)])
}

/// Whether the text may stand as it is: printable ASCII that folds at its blanks and looks like no encoded-word.
fn is_plain(text: &str) -> bool {
    let printable = text.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
    printable && !text.contains("=?") && !text.contains("  ") && text.split(' ').all(|word| word.len() <= LINE - 20)
}

/// The text as encoded-words; no grapheme is split over two unless it alone is longer than a word.
///
/// A receiver that decodes each word by itself, as RFC 2047 section 5 demands words to allow, shows no broken
/// characters; one that splits a cluster shows a letter without its accent.
fn encoded_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut start = 0;
    let mut end = 0;
    let pieces = text.graphemes(true).flat_map(|cluster| {
        let by_chars = cluster.len() > WORD;
        let chars = by_chars.then(|| cluster.chars().map(char::len_utf8)).into_iter().flatten();
        chars.chain((!by_chars).then_some(cluster.len()))
    });
    for length in pieces {
        if end - start + length > WORD {
            words.push(encoded_word(&text[start..end]));
            start = end;
        }
        end += length;
    }
    words.push(encoded_word(&text[start..]));
    words
}

fn encoded_word(text: &str) -> String {
    format!("=?utf-8?B?{}?=", STANDARD.encode(text))
}

/// Appends the field with a line break before every word that would make its line too long.
fn folded(out: &mut String, name: &str, words: &[String]) {
    write!(out, "{name}:").expect("writing to a String cannot fail");
    let mut column = name.len() + 1;
    for (n, word) in words.iter().enumerate() {
        // Never before the first word: a line of nothing but a name is folded wrongly by some.
        if n > 0 && column + 1 + word.len() > LINE {
            out.push_str("\r\n");
            column = 0;
        }
        out.push(' ');
        out.push_str(word);
        column += 1 + word.len();
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;
    use proptest::prelude::*;

    use super::*;

    /// One headline of each of ten scripts, and what has broken mail before.
    pub(super) const TEXTS: [&str; 18] = [
        "Court opens an inquiry into the hospital",
        "党风廉政建设和反腐败工作会议在合肥召开，检察院介入调查医院一案并要求有关部门依法处理，全文如下",
        "افتتاح المؤتمر الدولي للصحافة في العاصمة بمشاركة وفود من خمسين دولة",
        "Суд начал расследование против больницы в Хэфэе",
        "अदालत ने अस्पताल के खिलाफ जाँच शुरू की और रिपोर्ट माँगी",
        "病院に対する調査が始まった：ガギグゲゴ",
        "병원에 대한 조사가 시작되었다",
        "בית המשפט פתח בחקירה נגד בית החולים",
        "ศาลเริ่มการสอบสวนโรงพยาบาลแห่งหนึ่งในเมือง",
        "Το δικαστήριο ξεκίνησε έρευνα για το νοσοκομείο",
        "Zażółć gęślą jaźń – „Ünïcödé”",
        "👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦 family 🏳️‍🌈 day 🇨🇳🇩🇪",
        "=?utf-8?B?SGk=?= is not decoded twice",
        "one=?two",
        "double  blanks and \"quotes\" \\ <angle> (comment), semi;colon: x",
        "a",
        "The quick brown fox jumps over the lazy dog while seventy-eight columns pass by, twice or thrice",
        "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
    ];

    fn subject(field: &str) -> String {
        let raw = format!("{field}\r\n");
        MessageParser::default().parse(raw.as_bytes()).unwrap().subject().unwrap_or_default().to_owned()
    }

    fn well_formed(field: &str) {
        assert!(field.ends_with("\r\n"));
        for (n, line) in field.trim_end_matches("\r\n").split("\r\n").enumerate() {
            assert!(line.len() <= LINE, "{line}");
            assert!(line.bytes().all(|b| b == b' ' || b.is_ascii_graphic()), "{line:?}");
            assert!(n == 0 || line.starts_with(' ') && !line.trim().is_empty(), "{line:?}");
        }
    }

    #[test]
    fn ten_scripts_come_back() {
        for text in TEXTS {
            let mut field = String::new();
            text_field(&mut field, "Subject", text);
            well_formed(&field);
            assert_eq!(subject(&field), text, "{field}");
        }
    }

    #[test]
    fn every_encoded_word_decodes_alone_to_whole_graphemes() {
        for text in TEXTS {
            let mut pieces = Vec::new();
            for word in encoded_words(text) {
                assert!(word.len() <= 75, "{word}");
                let inner = word.strip_prefix("=?utf-8?B?").unwrap().strip_suffix("?=").unwrap();
                pieces.push(String::from_utf8(STANDARD.decode(inner).unwrap()).unwrap());
            }
            let apart: usize = pieces.iter().map(|piece| piece.graphemes(true).count()).sum();
            assert_eq!(apart, text.graphemes(true).count(), "{pieces:?}");
            assert_eq!(pieces.concat(), text);
        }
    }

    #[test]
    fn a_display_name_cannot_end_its_field() {
        for (name, shown) in [
            ("News \"of\" the\r\nBcc: everyone@example.org", "News \"of\" the  Bcc: everyone@example.org"),
            ("Sl\\ash, Inc. <x@y.example>", "Sl\\ash, Inc. <x@y.example>"),
            ("合肥新闻", "合肥新闻"),
        ] {
            let mut field = String::new();
            named_field(&mut field, "From", name, "news@news.example");
            well_formed(&field);
            let raw = format!("{field}\r\n");
            let parsed = MessageParser::default().parse(raw.as_bytes()).unwrap();
            let from = parsed.from().unwrap().first().unwrap();
            assert_eq!(from.address(), Some("news@news.example"), "{field}");
            assert_eq!(from.name(), Some(shown), "{field}");
            assert!(parsed.bcc().is_none());
        }
    }

    #[test]
    fn lengths_are_capped_between_graphemes() {
        let family = "👩‍👩‍👧‍👦";
        let mut field = String::new();
        text_field(&mut field, "Subject", &family.repeat(300));
        let shown = subject(&field);
        assert!(shown.len() <= MAX_TEXT && shown.len() > MAX_TEXT - 2 * family.len());
        assert_eq!(shown.trim_end_matches('…').len() % family.len(), 0);
        let monster = format!("a{}", "\u{301}".repeat(5_000));
        let mut field = String::new();
        text_field(&mut field, "Subject", &monster);
        assert!(field.len() < 4_000);
    }

    #[test]
    fn a_long_recipient_has_a_line_of_its_own() {
        let long = format!("{}@{}example.org", "a".repeat(64), "b23456789.".repeat(15)).parse().unwrap();
        let mut field = String::new();
        to_field(&mut field, &long);
        let parsed = MessageParser::default().parse(field.as_bytes()).unwrap();
        assert_eq!(parsed.to().unwrap().first().unwrap().address(), Some(long.as_str()));
    }

    proptest! {
        #[test]
        fn no_text_breaks_out_of_its_field(text in any::<String>(), name in "\\PC{0,60}|[ \"\\\\\r\n,<>a]{0,40}") {
            let mut field = String::new();
            text_field(&mut field, "Subject", &text);
            well_formed(&field);
            let mut field = String::new();
            named_field(&mut field, "From", &name, "n@news.example");
            prop_assert_eq!(field.matches("\r\n").count(), field.matches("\r\n ").count() + 1);
        }
    }
}
