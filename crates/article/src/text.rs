//! What one line of text may hold, and which way it reads.

use serde::{Deserialize, Serialize};
use unicode_segmentation::UnicodeSegmentation;

/// Which way a language is written, for `dir` attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    Ltr,
    Rtl,
}

impl Direction {
    /// The value of an HTML `dir` attribute.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ltr => "ltr",
            Self::Rtl => "rtl",
        }
    }
}

/// The direction of a BCP 47 language tag: its script if it names one, else its language's usual script.
pub fn direction(tag: &str) -> Direction {
    const RTL_SCRIPTS: [&str; 8] = ["arab", "hebr", "syrc", "thaa", "nkoo", "adlm", "rohg", "mand"];
    const RTL_LANGUAGES: [&str; 23] = [
        "ar", "he", "iw", "fa", "ur", "ps", "sd", "ug", "yi", "ji", "ks", "dv", "ckb", "syr", "pnb", "azb", "prs",
        "arz", "ary", "apc", "aeb", "acm", "nqo",
    ];
    let lower = tag.to_ascii_lowercase();
    // A single letter begins an extension or private use; what follows is no script.
    let mut parts = lower.split('-').take_while(|part| part.len() > 1);
    let language = parts.next().unwrap_or_default();
    let rtl = match parts.find(|part| part.len() == 4 && part.bytes().all(|b| b.is_ascii_alphabetic())) {
        Some(script) => RTL_SCRIPTS.contains(&script),
        None => RTL_LANGUAGES.contains(&language),
    };
    if rtl { Direction::Rtl } else { Direction::Ltr }
}

/// The first character that does not belong on a line of text, if there is one.
///
/// Control characters break XML, headers and terminals; bidirectional overrides and isolates let a headline show
/// other words than it holds (Unicode TR 36); U+2028 and U+2029 are line breaks in disguise; non-characters are
/// illegal in XML 1.0. Zero-width joiners stay: emoji and several scripts need them.
pub(crate) fn illegal_in_line(text: &str) -> Option<char> {
    text.chars().find(|&c| {
        c.is_control()
            || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
            || is_noncharacter(c)
    })
}

/// The first character that does not belong in running text: as [`illegal_in_line`], but line breaks and tabs pass.
pub(crate) fn illegal_in_text(text: &str) -> Option<char> {
    text.chars().find(|c| is_illegal_in_text(*c))
}

pub(crate) fn is_illegal_in_text(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\r' | '\t')) || is_noncharacter(c)
}

/// Whether a reader would see nothing: white space, and characters without width or shape.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| {
        c.is_whitespace()
            || matches!(c, '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
                | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
                | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{E0000}'..='\u{E0FFF}')
    })
}

fn is_noncharacter(c: char) -> bool {
    matches!(c, '\u{FDD0}'..='\u{FDEF}') || (c as u32 & 0xFFFE) == 0xFFFE
}

/// Length as a reader counts it: extended grapheme clusters (Unicode TR 29).
pub(crate) fn graphemes(text: &str) -> usize {
    text.graphemes(true).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn direction_follows_script_then_language() {
        for (tag, rtl) in [
            ("ar", true),
            ("zh-Hans", false),
            ("az-Arab", true),
            ("ar-Latn", false),
            ("en", false),
            ("he-IL", true),
            ("en-x-arab", false),
            ("", false),
        ] {
            assert_eq!(direction(tag) == Direction::Rtl, rtl, "{tag}");
        }
    }

    #[test]
    fn lines_refuse_what_hides_or_breaks() {
        for bad in ["a\u{B}b", "a\nb", "a\u{202E}b", "a\u{2066}b", "a\u{2028}b", "a\u{FFFE}b", "a\u{85}b", "\u{1FFFF}"]
        {
            assert!(illegal_in_line(bad).is_some(), "{bad:?}");
        }
        for good in ["plain", "合肥晚报", "👩‍👩‍👧", "العربية", "a\u{A0}b", "a\u{FFFD}b"] {
            assert_eq!(illegal_in_line(good), None, "{good:?}");
        }
        assert_eq!(illegal_in_text("two\nlines\tand a tab"), None);
        assert_eq!(illegal_in_text("bell\u{7}"), Some('\u{7}'));
    }

    #[test]
    fn blank_is_what_shows_nothing() {
        for blank in ["", " \u{3000}\n", "\u{200B}\u{FEFF}", "\u{3164}", "\u{202E}\u{202C}"] {
            assert!(is_blank(blank), "{blank:?}");
        }
        for text in ["a", "\u{200B}党", "。", "\u{301}"] {
            assert!(!is_blank(text), "{text:?}");
        }
    }

    #[test]
    fn a_family_emoji_counts_once() {
        assert_eq!(graphemes("👩‍👩‍👧a"), 2);
    }
}
