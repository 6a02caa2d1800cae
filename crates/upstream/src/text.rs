//! Characters and lines of text.

use std::borrow::Cow;

/// The longest thing that a document says once and that counts for each of its items, in bytes: its title, its
/// language, an address that others are relative to. A longer one would make much of little.
pub(crate) const MAX_SHARED: usize = 2048;

/// What `c` is in a text that is to be published: itself; nothing, if no article may hold it; or, of the controls from
/// U+0080 to U+009F, the character of windows-1252 that whoever wrote it had in mind.
pub(crate) fn legal_char(c: char) -> Option<char> {
    match c {
        '\t' | '\n' | '\r' => Some(c),
        '\u{80}'..='\u{9F}' => {
            let meant = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&[c as u8]).0.chars().next();
            meant.filter(|meant| !meant.is_control())
        }
        _ if c.is_control() || matches!(c, '\u{FDD0}'..='\u{FDEF}') || (c as u32 & 0xFFFE) == 0xFFFE => None,
        _ => Some(c),
    }
}

/// Which bytes may belong to a character that [`legal_char`] changes. The first bytes of U+0080 to U+00BF, of U+F000
/// to U+FFFF and of all beyond are among them, so that a text with one of those is looked at again.
static SUSPICIOUS: [bool; 256] = {
    let mut suspicious = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        suspicious[byte] = match byte as u8 {
            b'\t' | b'\n' | b'\r' => false,
            0..0x20 | 0x7F | 0xC2 | 0xEF..=0xF4 => true,
            _ => false,
        };
        byte += 1;
    }
    suspicious
};

/// `text` with every character as [`legal_char`] has it.
pub(crate) fn legal(text: &str) -> Cow<'_, str> {
    let is_suspicious = text.bytes().any(|b| SUSPICIOUS[usize::from(b)]);
    if is_suspicious && text.chars().any(|c| legal_char(c) != Some(c)) {
        return text.chars().filter_map(legal_char).collect::<String>().into();
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

/// The first `max` bytes of `text`, or a little less so that no character is cut.
pub(crate) fn head(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_no_article_may_hold_go_or_become_what_was_meant() {
        for (text, expected) in [
            ("it\u{92}s \u{93}x\u{94}\u{85}", "it’s “x”…"),
            ("a\u{90}\u{7F}\u{0}\u{B}\u{FDD0}\u{FFFF}\u{1FFFE}b", "ab"),
            ("党\t\r\n\u{A0}é🎉\u{F8FF}", "党\t\r\n\u{A0}é🎉\u{F8FF}"),
        ] {
            assert_eq!(legal(text), expected);
        }
    }

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
