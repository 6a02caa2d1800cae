//! The language of a page, told from its script where nobody named it.

use crate::names::is_han;

/// How many letters are looked at: enough to outvote names in another script.
const SAMPLE: usize = 600;

/// The most likely language of a text and whether its script leaves no other choice.
pub(crate) fn detect<'t>(paragraphs: impl Iterator<Item = &'t str>) -> (&'static str, bool) {
    let (mut han, mut kana, mut hangul, mut latin, mut all) = (0, 0, 0, 0, 0_usize);
    for c in paragraphs.flat_map(str::chars).filter(|c| c.is_alphabetic()).take(SAMPLE) {
        all += 1;
        match c {
            '\u{3040}'..='\u{30ff}' => kana += 1,
            '\u{ac00}'..='\u{d7a3}' => hangul += 1,
            c if is_han(c) => han += 1,
            c if c.is_ascii() || matches!(c, '\u{c0}'..='\u{24f}') => latin += 1,
            _ => {}
        }
    }
    if (han + kana) * 2 > all {
        if kana * 10 > han + kana { ("ja", true) } else { ("zh", true) }
    } else if hangul * 2 > all {
        ("ko", true)
    } else if latin * 2 > all {
        ("en", false)
    } else {
        ("und", false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_script() {
        for (text, expected) in [
            ("今年以来，合肥市", ("zh", true)),
            ("東京で会議がありました", ("ja", true)),
            ("서울에서 회의가", ("ko", true)),
            ("The court met. 法院", ("en", false)),
            ("مرحبا بالعالم", ("und", false)),
            ("Новости дня", ("und", false)),
            ("2018", ("und", false)),
        ] {
            assert_eq!(detect([text].into_iter()), expected, "{text}");
        }
    }
}
