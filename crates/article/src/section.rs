//! Section names as address segments: `Party conduct & law` → `party-conduct-law`, `党风廉政建设` stays readable.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// The address form of a name: lower case, letters and digits of every script kept, everything else one hyphen.
///
/// Names that differ only in case, spacing or punctuation are one section: that is what readers mean by it.
/// Composed and decomposed accents (NFC) are the same name, too. A name without any letter or digit has the slug `-`.
pub fn slug(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    if is_composed(name) {
        name.chars().for_each(|c| push(&mut out, c));
    } else {
        name.nfc().for_each(|c| push(&mut out, c));
    }
    if out.ends_with('-') {
        out.pop();
    }
    if out.is_empty() {
        return "-".into();
    }
    // Lower case may decompose again: İ.
    if is_composed(&out) { out } else { out.nfc().collect() }
}

/// Whole texts are looked through as slugs: most are composed, and telling so is a tenth of composing them.
fn is_composed(text: &str) -> bool {
    is_nfc_quick(text.chars()) == IsNormalized::Yes
}

fn push(out: &mut String, c: char) {
    if c.is_ascii_alphanumeric() {
        out.push(c.to_ascii_lowercase());
    } else if c.is_alphanumeric() || is_mark(c) {
        out.extend(c.to_lowercase());
    } else if !out.is_empty() && !out.ends_with('-') {
        out.push('-');
    }
}

/// A section path's address form: `["World", "Asia"]` → `world/asia`.
pub fn section_slug(path: &[String]) -> String {
    path.iter().map(|level| slug(level)).collect::<Vec<_>>().join("/")
}

/// Combining marks are part of the word before them (Devanagari vowel signs, Thai tones, decomposed accents).
fn is_mark(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036F}' | '\u{0591}'..='\u{05C7}' | '\u{0610}'..='\u{061A}' | '\u{064B}'..='\u{0670}'
        | '\u{0900}'..='\u{0DFF}' | '\u{0E31}'..='\u{0E4E}' | '\u{0EB1}'..='\u{0ECD}' | '\u{0F18}'..='\u{0FC6}'
        | '\u{1000}'..='\u{109D}' | '\u{17B4}'..='\u{17D3}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}' | '\u{3099}'..='\u{309A}')
        && !matches!(c, '\u{0964}' | '\u{0965}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The short cuts change nothing.
        #[test]
        fn a_slug_is_what_composing_everything_gives(name in "[a-zA-Z0-9 .İßÅ\u{30a}\u{301}\u{307}é党가각각हिन्ी]{0,12}|\\PC{0,12}") {
            let lower: String = name.nfc().flat_map(char::to_lowercase).nfc().collect();
            let words = lower.split(|c: char| !c.is_alphanumeric() && !is_mark(c)).filter(|word| !word.is_empty());
            let whole = words.collect::<Vec<_>>().join("-");
            prop_assert_eq!(slug(&name), if whole.is_empty() { "-".to_owned() } else { whole });
        }

        #[test]
        fn any_slug_is_one_safe_segment_and_its_own_slug(name in any::<String>()) {
            let once = slug(&name);
            prop_assert_eq!(&slug(&once), &once);
            prop_assert!(!once.is_empty() && !once.contains(['/', '?', '#', '%', '.', ' ', '\\', '<', '"', '\0']), "{once:?}");
        }
    }

    #[test]
    fn slugs_keep_every_script_and_fold_punctuation() {
        let cases = [
            ("Party conduct and clean government construction", "party-conduct-and-clean-government-construction"),
            ("  AT&T -- news!  ", "at-t-news"),
            ("党风廉政建设", "党风廉政建设"),
            ("أخبار العالم", "أخبار-العالم"),
            ("हिन्दी", "हिन्दी"),
            ("Ünïted/State", "ünïted-state"),
            ("../..", "-"),
            ("🎉", "-"),
            ("Cafe\u{301}", "caf\u{E9}"),
            ("ក្រុង", "ក្រុង"),
        ];
        for (name, expected) in cases {
            assert_eq!(slug(name), expected, "{name}");
            assert_eq!(slug(expected), expected, "a slug is its own slug");
        }
    }
}
