//! Characters and lines of text.

use std::borrow::Cow;

/// Whether XML 1.0 allows `c` in a document.
pub(crate) fn is_legal(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => true,
        '\u{0}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => false,
        _ => true,
    }
}

/// `text` without the characters that XML 1.0 forbids.
pub(crate) fn legal(text: &str) -> Cow<'_, str> {
    // U+FFFE and U+FFFF begin with 0xEF in UTF-8, as do full-width letters, which are looked at one by one.
    let suspicious = |b: u8| b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r') || b == 0xEF;
    if text.bytes().any(suspicious) && text.chars().any(|c| !is_legal(c)) {
        return text.chars().filter(|c| is_legal(*c)).collect::<String>().into();
    }
    text.into()
}

/// One line: white space of any kind and length is a single space, ends trimmed, nothing that is not for a line.
pub(crate) fn line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_whitespace() || matches!(c, '\u{2028}' | '\u{2029}') {
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
        } else if !is_unfit(c) {
            line.push(c);
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// Control characters, characters that turn the direction of what follows, and those that are none (what
/// `article` refuses in a line).
pub(crate) fn is_unfit(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FDD0}'..='\u{FDEF}')
        || (c as u32 & 0xFFFE) == 0xFFFE
}

/// Whether a reader would see nothing: white space, and characters without width or shape.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| {
        c.is_whitespace()
            || matches!(c, '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
                | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
                | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{E0000}'..='\u{E0FFF}')
    })
}

/// The first `max` bytes of `text`, or a little less so that no character is cut.
pub(crate) fn head(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line() {
        let cases = [
            ("  a \n\t b\u{3000}c ", "a b c"),
            ("x\u{0}y\u{202E}z\u{FFFE}", "xyz"),
            ("\u{2028}", ""),
            ("党风\r\n廉政", "党风 廉政"),
        ];
        for (text, expected) in cases {
            assert_eq!(line(text), expected, "{text:?}");
        }
    }
}
