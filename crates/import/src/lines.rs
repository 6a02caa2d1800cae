//! Bytes into lines: what is not clean UTF-8 text is refused here, so that nothing behind it has to ask again.

use crate::error::{Code, ImportError, quote};

/// Largest page in bytes. The longest feature stories are around 100 KiB; a megabyte is a mistaken file.
pub const MAX_BYTES: usize = 1 << 20;

/// A line that has something on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    /// 1-based line of the page.
    pub(crate) number: u32,
    /// Byte offset of `text` in the page.
    pub(crate) start: usize,
    /// The line without the blanks at its ends; never empty.
    pub(crate) text: &'a str,
    /// Whether empty lines stand between this line and the one before.
    pub(crate) after_blank: bool,
}

/// White space, and the characters without width that copying from a browser leaves behind.
pub(crate) fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}')
}

/// The text of a page and its non-blank lines. Offsets count from the first byte, a byte order mark included.
pub(crate) fn read(bytes: &[u8]) -> Result<(&str, Vec<Line<'_>>), ImportError> {
    if bytes.len() > MAX_BYTES {
        let seen = format!("the page has {} bytes, the limit is {MAX_BYTES}", bytes.len());
        return Err(ImportError::new(Code::TooLarge, 1, seen, "import one article per page, as text"));
    }
    let text = std::str::from_utf8(bytes).map_err(|fault| encoding_error(bytes, fault))?;
    let lines = split(text)?;
    let Some(first) = lines.first() else {
        return Err(ImportError::new(Code::Empty, 1, "nothing but white space", "check that the page was saved"));
    };
    if let Some(line) = html_line(first, text, &lines) {
        let advice = "save the page as plain text, or import its HTML as HTML";
        return Err(ImportError::new(Code::LooksLikeHtml, line.number, quote(line.text), advice));
    }
    Ok((text, lines))
}

/// One pass over the bytes: finds line ends (LF, CRLF, and the Unicode line and paragraph separators that word
/// processors leave) and refuses the control characters.
fn split(text: &str) -> Result<Vec<Line<'_>>, ImportError> {
    let bytes = text.as_bytes();
    let mut lines = Vec::with_capacity(32);
    let (mut number, mut start, mut after_blank, mut at) = (1, 0, false, 0);
    let mut push = |number, start: usize, end: usize| {
        let raw = &text[start..end];
        let kept = raw.trim_start_matches(is_blank);
        let start = start + (raw.len() - kept.len());
        let kept = kept.trim_end_matches(is_blank);
        if kept.is_empty() {
            after_blank = true;
        } else {
            lines.push(Line { number, start, text: kept, after_blank });
            after_blank = false;
        }
    };
    while let Some(&byte) = bytes.get(at) {
        let end = match byte {
            b'\n' => Some(at + 1),
            b'\r' if bytes.get(at + 1) == Some(&b'\n') => None,
            0xe2 if matches!(bytes.get(at + 1..at + 3), Some([0x80, 0xa8 | 0xa9])) => Some(at + 3),
            b'\t' => None,
            0x00..0x20 | 0x7f => return Err(control_char(number, u32::from(byte), at)),
            0xc2 if bytes.get(at + 1).is_some_and(|&next| next < 0xa0) => {
                return Err(control_char(number, u32::from(bytes[at + 1]), at));
            }
            _ => None,
        };
        if let Some(end) = end {
            push(number, start, at);
            number += 1;
            start = end;
        }
        at = end.unwrap_or(at + 1);
    }
    push(number, start, bytes.len());
    Ok(lines)
}

fn control_char(line: u32, code: u32, offset: usize) -> ImportError {
    let seen = format!("control character U+{code:04X} at byte {offset}");
    ImportError::new(Code::ControlChar, line, seen, "save the page as plain UTF-8 text and remove the character")
}

/// Tags that only a saved document closes; an article about HTML may well name the others.
const CLOSING_TAGS: [&str; 7] = ["p", "div", "body", "html", "table", "td", "span"];

/// A page that starts with a tag, or holds the closing tags of a document, was saved as HTML.
fn html_line<'l, 'a>(first: &'l Line<'a>, text: &str, lines: &'l [Line<'a>]) -> Option<&'l Line<'a>> {
    let opening = first.text.strip_prefix('<').map(|rest| rest.trim_start_matches(['!', '?', '/']));
    if opening.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic())) {
        return Some(first);
    }
    let offset = text.match_indices("</").map(|(at, _)| at).find(|&at| {
        let tag = text.as_bytes()[at + 2..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        CLOSING_TAGS.iter().any(|name| text[at + 2..at + 2 + tag].eq_ignore_ascii_case(name))
    })?;
    Some(&lines[lines.partition_point(|line| line.start <= offset).saturating_sub(1)])
}

fn encoding_error(bytes: &[u8], fault: std::str::Utf8Error) -> ImportError {
    let offset = fault.valid_up_to();
    let line = bytes[..offset].iter().filter(|&&byte| byte == b'\n').count();
    // At most MAX_BYTES lines, so the count fits.
    let line = u32::try_from(line).unwrap_or(u32::MAX - 1) + 1;
    let guess = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "looks like UTF-16",
        _ if fault.error_len().is_none() => "the page ends in the middle of a character",
        _ if looks_like_gb18030(bytes) => "looks like GB18030",
        _ if looks_like_windows_1252(bytes) => "looks like Windows-1252",
        _ => "no encoding recognised",
    };
    let seen = format!("byte {:#04x} at byte {offset} is not UTF-8: {guess}", bytes[offset]);
    ImportError::new(Code::Encoding, line, seen, "convert the page to UTF-8 and import it again")
}

/// Whether the bytes beyond ASCII pair up as GB18030 has them, nearly all in the rows of its common characters:
/// other two-byte encodings pair up too, but spread over more rows.
fn looks_like_gb18030(bytes: &[u8]) -> bool {
    let (mut pairs, mut common, mut at) = (0_usize, 0_usize, 0);
    while at < bytes.len() {
        match bytes[at..] {
            [0..=0x7f, ..] => at += 1,
            [lead @ 0x81..=0xfe, trail @ (0x40..=0x7e | 0x80..=0xfe), ..] => {
                pairs += 1;
                common += usize::from(trail >= 0xa1 && matches!(lead, 0xa1..=0xa3 | 0xb0..=0xf7));
                at += 2;
            }
            [0x81..=0xfe, 0x30..=0x39, 0x81..=0xfe, 0x30..=0x39, ..] => at += 4,
            // A cut last character does not speak against the rest.
            [_] => at += 1,
            _ => return false,
        }
    }
    pairs > 0 && common * 10 >= pairs * 9
}

/// Whether the bytes beyond ASCII stand alone between letters, as accents do in Western European text.
fn looks_like_windows_1252(bytes: &[u8]) -> bool {
    let high = bytes.iter().filter(|&&byte| byte >= 0x80).count();
    let alone = bytes.windows(2).filter(|pair| pair[0] >= 0x80 && pair[1] < 0x80).count();
    alone * 10 >= high * 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_number_and_offset_whatever_ends_them() {
        let text = "\u{feff}one\r\n\r\n\u{3000}\u{a0}two \nthree\u{2028}four";
        let (_, lines) = read(text.as_bytes()).expect("clean text");
        let seen: Vec<_> = lines.iter().map(|l| (l.number, l.text, l.after_blank)).collect();
        assert_eq!(seen, [(1, "one", false), (3, "two", true), (4, "three", false), (5, "four", false)]);
        for line in &lines {
            assert_eq!(&text[line.start..line.start + line.text.len()], line.text);
        }
    }

    #[test]
    fn refusals_name_line_and_byte() {
        let gb = [&b"Time\n"[..], &[0xba, 0xcf, 0xb7, 0xca, 0xca, 0xd0]].concat();
        let latin = b"one\ntwo caf\xe9 cr\xe8me";
        let cases: [(&[u8], Code, u32, &str); 11] = [
            (b"", Code::Empty, 1, "white space"),
            (b" \r\n\xe3\x80\x80\n", Code::Empty, 1, "white space"),
            (b"a\nb\x00", Code::ControlChar, 2, "U+0000 at byte 3"),
            (b"a\rb", Code::ControlChar, 1, "U+000D at byte 1"),
            (b"a\n\nb\xc2\x85", Code::ControlChar, 3, "U+0085 at byte 4"),
            (&gb, Code::Encoding, 2, "looks like GB18030"),
            (latin, Code::Encoding, 2, "at byte 11 is not UTF-8: looks like Windows-1252"),
            (b"\xff\xfeT\x00", Code::Encoding, 1, "UTF-16"),
            (b"caf\xc3", Code::Encoding, 1, "middle of a character"),
            (b"  <!DOCTYPE html>", Code::LooksLikeHtml, 1, "DOCTYPE"),
            (b"a\nb</DIV>", Code::LooksLikeHtml, 2, "b</DIV>"),
        ];
        for (bytes, code, line, seen) in cases {
            let error = read(bytes).expect_err("refused");
            assert_eq!((error.code, error.line), (code, line), "{error}");
            assert!(error.seen.contains(seen), "{error} does not say {seen}");
        }
        let large = vec![b'a'; MAX_BYTES + 1];
        assert_eq!(read(&large).expect_err("refused").code, Code::TooLarge);
    }

    #[test]
    fn a_less_than_sign_is_not_html() {
        for text in ["1 < 2", "<3 hearts", "either </or", "</3 for ever"] {
            assert!(read(text.as_bytes()).is_ok(), "{text}");
        }
    }
}
