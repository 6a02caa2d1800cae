//! Bytes to text, whatever they claim to be.
//!
//! What bytes are outranks what is said about them: byte order mark, then valid UTF-8, then the XML declaration, then
//! the HTTP charset, then windows-1252. Servers add a charset to files they know nothing of, and programs copy
//! declarations along with everything else.

use std::borrow::Cow;

use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::Unreadable;
use crate::text::legal_char;

/// The longest feed, in bytes, before and after decoding. The largest honest ones have a third of that.
pub const MAX_BYTES: usize = 15 * 1024 * 1024;

/// How far into a document its declaration may reach, in bytes.
const DECLARATION: usize = 1024;

/// The text of a document; `content_type` is the HTTP header of that name.
pub(crate) fn decode<'a>(bytes: &'a [u8], content_type: Option<&str>) -> Result<Cow<'a, str>, Unreadable> {
    if bytes.len() > MAX_BYTES {
        return Err(Unreadable::TooLarge { bytes: bytes.len() });
    }
    let text = text_of(bytes, content_type);
    match text.len() {
        0 => Err(Unreadable::Empty),
        1..=MAX_BYTES => Ok(text),
        bytes => Err(Unreadable::TooLarge { bytes }),
    }
}

fn text_of<'a>(bytes: &'a [u8], content_type: Option<&str>) -> Cow<'a, str> {
    match bytes {
        [0x00, 0x00, 0xFE, 0xFF, rest @ ..] => return utf_32(rest, u32::from_be_bytes).into(),
        [0xFF, 0xFE, 0x00, 0x00, rest @ ..] => return utf_32(rest, u32::from_le_bytes).into(),
        // No document begins with three NULs but one in UTF-32.
        [0, 0, 0, 1..=0xFF, ..] => return utf_32(bytes, u32::from_be_bytes).into(),
        [1..=0xFF, 0, 0, 0, ..] => return utf_32(bytes, u32::from_le_bytes).into(),
        _ => {}
    }
    if let Some((encoding, bom)) = Encoding::for_bom(bytes) {
        let rest = &bytes[bom..];
        return if encoding == UTF_8 { utf_8(rest) } else { encoding.decode_without_bom_handling(rest).0 };
    }
    match bytes {
        [0, 1..=0xFF, 0, 1..=0xFF, ..] => return UTF_16BE.decode_without_bom_handling(bytes).0,
        [1..=0xFF, 0, 1..=0xFF, 0, ..] => return UTF_16LE.decode_without_bom_handling(bytes).0,
        _ => {}
    }
    let declared = declared(bytes);
    // Every byte of it is ASCII, so it always looks like UTF-8.
    if declared == Some(ISO_2022_JP) && bytes.contains(&0x1B) {
        return ISO_2022_JP.decode_without_bom_handling(bytes).0;
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.into();
    }
    match declared.or_else(|| content_type.and_then(charset)).unwrap_or(UTF_8) {
        // Single bytes that are not UTF-8 are pasted windows-1252, whatever else the text is.
        encoding if encoding == UTF_8 || encoding == WINDOWS_1252 => utf_8(bytes),
        encoding => encoding.decode_without_bom_handling(bytes).0,
    }
}

/// Text in UTF-8 with bytes of windows-1252 in it, or the other way round: text in windows-1252 hardly ever has
/// sequences that happen to be UTF-8.
fn utf_8(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.into();
    }
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 8);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        // Above U+009F windows-1252 is as Unicode, and below it `legal_char` knows it.
        text.extend(chunk.invalid().iter().filter_map(|byte| legal_char(char::from(*byte))));
    }
    text.into()
}

fn utf_32(bytes: &[u8], number: fn([u8; 4]) -> u32) -> String {
    let (units, _) = bytes.as_chunks::<4>();
    units.iter().map(|unit| char::from_u32(number(*unit)).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// What `<?xml … encoding="…"?>` says. UTF-16 and UTF-32 it would not be readable in.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes.trim_ascii_start();
    let head = &head[..head.len().min(DECLARATION)];
    if !head.starts_with(b"<?xml") {
        return None;
    }
    let end = head.windows(2).position(|two| two == b"?>").unwrap_or(head.len());
    let head = String::from_utf8_lossy(&head[..end]).into_owned();
    let value = head.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let label = value.trim_start_matches(['"', '\'']).split(['"', '\'', ' ', '?']).next()?;
    let encoding = Encoding::for_label(label.trim().as_bytes())?;
    (encoding != UTF_16BE && encoding != UTF_16LE).then_some(encoding)
}

fn charset(content_type: &str) -> Option<&'static Encoding> {
    let (_, value) = content_type.split_once("charset=")?;
    Encoding::for_label(value.trim().trim_start_matches('"').split(['"', ';', ' ']).next()?.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "<?xml version=\"1.0\"?><rss>党风</rss>";

    fn utf_16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    fn utf_32(text: &str, bytes: fn(u32) -> [u8; 4]) -> Vec<u8> {
        text.chars().flat_map(|c| bytes(c as u32)).collect()
    }

    #[test]
    fn every_unicode_form_is_known_with_and_without_a_mark() {
        let marked = format!("\u{FEFF}{TEXT}");
        for text in [TEXT, &marked] {
            let forms = [
                text.as_bytes().to_vec(),
                utf_16(text, u16::to_be_bytes),
                utf_16(text, u16::to_le_bytes),
                utf_32(text, u32::to_be_bytes),
                utf_32(text, u32::to_le_bytes),
            ];
            for (n, bytes) in forms.iter().enumerate() {
                assert_eq!(decode(bytes, Some("text/xml; charset=iso-8859-1")).unwrap(), TEXT, "form {n}");
            }
        }
    }

    #[test]
    fn what_the_bytes_are_outranks_what_is_said() {
        let gbk = |head: &str| [head.as_bytes(), &[0xB5, 0xB3, 0xB7, 0xE7]].concat();
        let cases: [(Vec<u8>, Option<&str>, &str); 8] = [
            (TEXT.replace("1.0\"", "1.0\" encoding=\"gbk\"").into(), None, "党风"),
            (gbk("<?xml version='1.0' encoding='GB2312'?>"), None, "党风"),
            (gbk("<?xml version='1.0' encoding='GB2312'?>"), Some("text/xml; charset=iso-8859-1"), "党风"),
            (gbk("<?xml version='1.0' encoding='utf-16'?>"), Some("text/xml; charset=\"gbk\""), "党风"),
            (gbk("<rss>"), Some("text/xml;charset=GBK"), "党风"),
            (b"<rss>caf\xE9 \x93x\x94</rss>".to_vec(), None, "café “x”"),
            (b"<rss>caf\xC3\xA9 \x93x\x94".to_vec(), Some("text/xml; charset=utf-8"), "café “x”"),
            (b"<?xml version='1.0' encoding='iso-2022-jp'?><a>\x1B$BF|\x1B(B</a>".to_vec(), None, "日"),
        ];
        for (n, (bytes, content_type, expected)) in cases.iter().enumerate() {
            let text = decode(bytes, *content_type).unwrap();
            assert!(text.contains(expected), "case {n}: {text}");
        }
    }

    #[test]
    fn sizes_are_bounded_before_and_after() {
        assert_eq!(decode(b"", None), Err(Unreadable::Empty));
        assert_eq!(decode(&vec![b'a'; MAX_BYTES + 1], None), Err(Unreadable::TooLarge { bytes: MAX_BYTES + 1 }));
        let half = MAX_BYTES / 2 + 1;
        assert_eq!(decode(&vec![0xE9; half], None), Err(Unreadable::TooLarge { bytes: 2 * half }));
        assert!(decode(&vec![b'a'; MAX_BYTES], None).is_ok());
    }
}
