//! Bytes into text: byte order mark, then valid UTF-8, then what the page declares, then what the bytes look like.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE};

use crate::error::{Code, ImportError};
use crate::imported::{Encoding, EncodingFrom};

/// How far a declaration is looked for, in bytes. Browsers look at 1,024; real pages have it behind longer comments.
const PRESCAN: usize = 64 * 1024;
/// How much of a tag is searched for a declaration, in bytes.
const MAX_TAG: usize = 2048;

/// How much of the page the detector reads, in bytes: more does not change its mind.
const DETECTED: usize = 1 << 20;

/// The share of characters that may be unreadable, one in so many: a stray byte in a comment is no reason to refuse
/// a page, a wrong encoding is.
const READABLE: usize = 500;

/// One stray byte among so many characters beyond ASCII that are valid UTF-8 does not make the page anything else.
const STRAY: usize = 20;

/// A page as text.
#[derive(Debug)]
pub(super) struct Decoded<'b> {
    pub(super) text: Cow<'b, str>,
    pub(super) encoding: Encoding,
    /// How many characters could not be read.
    pub(super) unreadable: usize,
}

/// Decodes a page; `tld` is the top-level domain it comes from, if that is known.
pub(super) fn decode<'b>(bytes: &'b [u8], tld: Option<&str>) -> Result<Decoded<'b>, ImportError> {
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(bytes) {
        return settle(&bytes[mark..], encoding, EncodingFrom::ByteOrderMark, None);
    }
    let declared = declared(bytes);
    if let Some(encoding) = utf16_without_mark(bytes) {
        return settle(bytes, encoding, EncodingFrom::Detected, declared);
    }
    let by_label = declared.as_deref().and_then(known);
    if let Ok(text) = std::str::from_utf8(bytes)
        && !(by_label == Some(ISO_2022_JP) && bytes.contains(&0x1b))
    {
        let from = match by_label {
            Some(encoding) if encoding == UTF_8 || text.is_ascii() => EncodingFrom::Declared,
            _ => EncodingFrom::ValidUtf8,
        };
        let used = if text.is_ascii() { by_label.unwrap_or(UTF_8) } else { UTF_8 };
        let encoding = Encoding { declared, used: used.name(), from };
        return Ok(Decoded { text: Cow::Borrowed(text), encoding, unreadable: 0 });
    }
    let nearly = settle(bytes, UTF_8, EncodingFrom::ValidUtf8, declared.clone());
    if let Ok(decoded) = nearly
        && decoded.text.chars().filter(|c| *c > '\u{7f}').count() > STRAY * decoded.unreadable
    {
        return Ok(decoded);
    }
    let detected = detect(bytes, tld);
    if let Some(encoding) = by_label {
        let as_declared = settle(bytes, encoding, EncodingFrom::Declared, declared.clone());
        match as_declared {
            Ok(decoded) if decoded.unreadable == 0 || encoding == detected => return Ok(decoded),
            Ok(decoded) => {
                let as_detected = settle(bytes, detected, EncodingFrom::Detected, declared);
                return Ok(as_detected.ok().filter(|other| other.unreadable < decoded.unreadable).unwrap_or(decoded));
            }
            Err(_) => {}
        }
    }
    settle(bytes, detected, EncodingFrom::Detected, declared)
}

fn settle<'b>(
    bytes: &'b [u8],
    encoding: &'static encoding_rs::Encoding,
    from: EncodingFrom,
    declared: Option<String>,
) -> Result<Decoded<'b>, ImportError> {
    let (text, malformed) = encoding.decode_without_bom_handling(bytes);
    let unreadable = if malformed { text.matches('\u{fffd}').count() } else { 0 };
    if unreadable * READABLE > text.chars().count() {
        let seen = format!("{unreadable} characters are not {}, the likeliest encoding", encoding.name());
        return Err(ImportError::new(Code::Encoding, 1, seen, "save the page again, as UTF-8"));
    }
    Ok(Decoded { text, encoding: Encoding { declared, used: encoding.name(), from }, unreadable })
}

fn detect(bytes: &[u8], tld: Option<&str>) -> &'static encoding_rs::Encoding {
    let sample = &bytes[..bytes.len().min(DETECTED)];
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(sample, sample.len() == bytes.len());
    // The detector takes a lower-case label in ASCII and stops the program at anything else.
    let tld = tld.filter(|tld| !tld.is_empty() && tld.bytes().all(|byte| byte.is_ascii_lowercase()));
    detector.guess(tld.map(str::as_bytes), Utf8Detection::Allow)
}

/// Markup is ASCII, so every other byte of UTF-16 is zero.
fn utf16_without_mark(bytes: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    let sample = &bytes[..bytes.len().min(1024) & !1];
    let zeros = |odd: usize| sample.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let many = sample.len() / 4;
    match (even > many, odd > many) {
        (true, false) => Some(UTF_16BE),
        (false, true) => Some(UTF_16LE),
        _ => None,
    }
}

/// What a label means; an 8-bit page that says UTF-16 means UTF-8 (WHATWG HTML, section 13.2.3.2).
fn known(label: &str) -> Option<&'static encoding_rs::Encoding> {
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes())?;
    Some(if encoding == UTF_16BE || encoding == UTF_16LE { UTF_8 } else { encoding })
}

/// The encoding that the page declares, as it writes it: the first in a `meta` tag or XML declaration.
fn declared(bytes: &[u8]) -> Option<String> {
    let head = bytes[..bytes.len().min(PRESCAN)].to_ascii_lowercase();
    let mut at = 0;
    while let Some(open) = find(&head[at..], b"<") {
        at += open + 1;
        let rest = &head[at..];
        if rest.starts_with(b"!--") {
            at += find(rest, b"-->").unwrap_or(rest.len());
            continue;
        }
        let word: &[u8] = match rest {
            [b'm', b'e', b't', b'a', b' ' | b'\t' | b'\r' | b'\n' | b'/', ..] => b"charset",
            [b'?', b'x', b'm', b'l', ..] => b"encoding",
            _ => continue,
        };
        let tag = &rest[..rest.len().min(MAX_TAG)];
        let tag = &tag[..find(tag, b">").unwrap_or(tag.len())];
        let Some(value) = find(tag, word).map(|found| found + word.len()) else { continue };
        let after = &tag[value..];
        let skip = after.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if after.get(skip) != Some(&b'=') {
            continue;
        }
        let quoted = |byte: &&u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'');
        let skip = skip + 1 + after[skip + 1..].iter().take_while(quoted).count();
        let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b';' | b'/' | b'>');
        let start = at + value + skip;
        let end = start + head[start..].iter().take_while(|byte| !ends(byte)).count();
        if start < end && end - start <= 40 {
            return Some(String::from_utf8_lossy(&bytes[start..end]).into_owned());
        }
    }
    None
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHINESE: &str = "今年以来，合肥市人民检察院扎实推进机关党的建设工作，取得了明显的成效。";
    const JAPANESE: &str = "東京で会議がありました。新しい計画について話し合いました。カタカナもあります。";
    const KOREAN: &str = "서울에서 회의가 열렸습니다. 새로운 계획을 논의했습니다.";
    const RUSSIAN: &str = "Сегодня в городе открылась новая библиотека, сообщает редакция.";

    fn page(charset: &str, text: &str) -> String {
        format!("<html><head><meta charset=\"{charset}\"></head><body><p>{text}</p></body></html>")
    }

    fn bytes(label: &str, page: &str) -> Vec<u8> {
        encoding_rs::Encoding::for_label(label.as_bytes()).unwrap().encode(page).0.into_owned()
    }

    #[test]
    fn every_encoding_declared_rightly_wrongly_and_not_at_all() {
        for (label, name, text) in [
            ("gb2312", "GBK", CHINESE),
            ("gb18030", "gb18030", CHINESE),
            ("big5", "Big5", "這是繁體中文的新聞，內容關於今天的會議與討論。"),
            ("shift_jis", "Shift_JIS", JAPANESE),
            ("euc-jp", "EUC-JP", JAPANESE),
            ("iso-2022-jp", "ISO-2022-JP", JAPANESE),
            ("euc-kr", "EUC-KR", KOREAN),
            ("windows-1251", "windows-1251", RUSSIAN),
            ("koi8-r", "KOI8-R", RUSSIAN),
            ("iso-8859-1", "windows-1252", "Größe und Straße – das café"),
            ("windows-1254", "windows-1254", "Süper Lig’de golcülerin yarışı kıyasıya"),
        ] {
            let right = bytes(label, &page(label, text));
            let decoded = decode(&right, None).unwrap();
            assert!(decoded.text.contains(text), "{label}: {}", decoded.text);
            assert_eq!((decoded.encoding.used, decoded.encoding.from), (name, EncodingFrom::Declared));
            assert_eq!(decoded.encoding.declared.as_deref(), Some(label));

            for wrong in [page("utf-8", text), format!("<html><body><p>{text}</p>")] {
                let page = bytes(label, &wrong);
                let decoded = decode(&page, None).unwrap();
                assert!(decoded.text.contains(text) || label == "iso-2022-jp", "{label}: {}", decoded.text);
            }
            let page = page(label, text);
            let utf8 = decode(page.as_bytes(), None).unwrap();
            assert!(utf8.text.contains(text), "UTF-8 that says {label}");
            assert_eq!(utf8.encoding.from, EncodingFrom::ValidUtf8, "{label}");
        }
    }

    #[test]
    fn marks_and_zeros_outrank_declarations() {
        let page = page("gb2312", CHINESE);
        let utf16 = |bytes: fn(u16) -> [u8; 2], mark: bool| -> Vec<u8> {
            mark.then_some(0xfeff).into_iter().chain(page.encode_utf16()).flat_map(bytes).collect()
        };
        for (bytes, name, from) in [
            ([&b"\xef\xbb\xbf"[..], page.as_bytes()].concat(), "UTF-8", EncodingFrom::ByteOrderMark),
            (utf16(u16::to_le_bytes, true), "UTF-16LE", EncodingFrom::ByteOrderMark),
            (utf16(u16::to_be_bytes, true), "UTF-16BE", EncodingFrom::ByteOrderMark),
            (utf16(u16::to_le_bytes, false), "UTF-16LE", EncodingFrom::Detected),
            (utf16(u16::to_be_bytes, false), "UTF-16BE", EncodingFrom::Detected),
        ] {
            let decoded = decode(&bytes, None).unwrap();
            assert_eq!((decoded.encoding.used, decoded.encoding.from), (name, from));
            assert!(decoded.text.contains(CHINESE), "{name}");
        }
    }

    #[test]
    fn declarations_where_pages_have_them() {
        let late = format!("<!-- {} --><meta charset=utf-8>", "x".repeat(3000));
        for (page, expected) in [
            ("<META http-equiv=Content-Type content='text/html; CharSet = GB2312 '>", Some("GB2312")),
            ("<meta charSet=\"utf-8\"/>", Some("utf-8")),
            ("<?xml version='1.0' encoding='EUC-KR'?>", Some("EUC-KR")),
            ("<script charset=big5></script><!--<meta charset=x>--><meta charset=gbk>", Some("gbk")),
            (&late, Some("utf-8")),
            ("<meta charset>", None),
            ("<metadata charset=x>", None),
            ("<meta charset=", None),
            ("<", None),
        ] {
            assert_eq!(declared(page.as_bytes()).as_deref(), expected, "{page:.60}");
        }
    }

    #[test]
    fn a_stray_byte_is_borne_and_rubbish_is_not() {
        let stray = [page("utf-8", &CHINESE.repeat(30)).as_bytes(), b"\xff<p>"].concat();
        let decoded = decode(&stray, None).unwrap();
        assert_eq!((decoded.unreadable, decoded.encoding.used), (1, "UTF-8"));
        let rubbish: Vec<u8> = (0..5000_u32).map(|n| (n * 7 + n * n * 13 + 5).to_le_bytes()[0]).collect();
        let page = [b"<meta charset=euc-kr>", &rubbish[..]].concat();
        if let Ok(decoded) = decode(&page, Some("cn")) {
            assert!(decoded.unreadable * READABLE <= decoded.text.chars().count());
        }
    }
}
