//! A mail as far as a report needs it: header fields, and the parts of at most three levels of multipart.
//!
//! Fields are read by mail-parser. The parts are cut apart here, because a stranger decides how many there are and how
//! deep they lie: at most [`MAX_PARTS`] are looked at, and a mail inside a mail is not opened but for its fields.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use encoding_rs::Encoding;
use mail_parser::{MessageParser, MimeHeaders};

use crate::strip::cut;

/// Bytes of header fields that are read, of a mail and of each part.
const MAX_HEADER: usize = 64 * 1024;
/// Bytes of a part that are decoded.
const MAX_TEXT: usize = 64 * 1024;
const MAX_PARTS: usize = 16;
const MAX_DEPTH: usize = 3;

/// Some senders leave the padding away, some cut the text.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A mail or a part of one.
pub(crate) struct Part<'a> {
    /// `multipart/report`, in lower case; `text/plain` where nothing is said.
    pub(crate) kind: String,
    /// The parameter of a `multipart/report`, in lower case.
    pub(crate) report_type: Option<String>,
    boundary: Option<String>,
    charset: Option<String>,
    /// With its encoded words decoded.
    pub(crate) subject: Option<String>,
    fields: Vec<(String, String)>,
    body: &'a [u8],
}

impl<'a> Part<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Self {
        let (header, body) = split(bytes);
        let header = &header[..header.len().min(MAX_HEADER)];
        let mut part = Self {
            kind: "text/plain".into(),
            report_type: None,
            boundary: None,
            charset: None,
            subject: None,
            fields: Vec::new(),
            body,
        };
        let Some(message) = MessageParser::default().parse_headers(header) else { return part };
        for field in message.headers() {
            let value = header.get(field.offset_start as usize..field.offset_end as usize).unwrap_or_default();
            part.fields.push((field.name().to_ascii_lowercase(), unfolded(value)));
        }
        part.subject = message.subject().map(str::to_owned);
        if let Some(content) = message.content_type() {
            let subtype = content.subtype().unwrap_or("plain");
            part.kind = format!("{}/{subtype}", content.ctype()).to_ascii_lowercase();
            part.report_type = content.attribute("report-type").map(str::to_ascii_lowercase);
            part.boundary = content.attribute("boundary").filter(|b| (1..=200).contains(&b.len())).map(str::to_owned);
            part.charset = content.attribute("charset").map(str::to_owned);
        }
        part
    }

    /// The first field of this name (in lower case), unfolded and trimmed.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Its own content as text, decoded; at most 64 KiB.
    pub(crate) fn text(&self) -> String {
        let encoding = self.field("content-transfer-encoding").unwrap_or_default().to_ascii_lowercase();
        let bytes = &self.body[..self.body.len().min(2 * MAX_TEXT)];
        let decoded = match encoding.as_str() {
            "base64" => {
                let symbol = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
                let mut packed: Vec<u8> = bytes.iter().copied().filter(symbol).collect();
                packed.truncate(packed.len() / 4 * 4 + if packed.len() % 4 == 1 { 0 } else { packed.len() % 4 });
                LENIENT.decode(packed).unwrap_or_default()
            }
            "quoted-printable" => {
                quoted_printable::decode(bytes, quoted_printable::ParseMode::Robust).unwrap_or_default()
            }
            _ => bytes.to_vec(),
        };
        let charset = self.charset.as_deref().and_then(|label| Encoding::for_label(label.as_bytes()));
        let text = charset.unwrap_or(encoding_rs::UTF_8).decode(&decoded).0;
        cut(&text, MAX_TEXT).to_owned()
    }

    /// What stands in it as it came.
    pub(crate) fn body(&self) -> &'a [u8] {
        self.body
    }

    /// All parts that are not themselves of parts, in order; itself if it is no multipart.
    pub(crate) fn leaves(self) -> Vec<Part<'a>> {
        let mut leaves = Vec::new();
        gather(self, 0, &mut leaves);
        leaves
    }
}

fn gather<'a>(part: Part<'a>, depth: usize, leaves: &mut Vec<Part<'a>>) {
    let boundary = part.boundary.as_deref().filter(|_| part.kind.starts_with("multipart/") && depth < MAX_DEPTH);
    let Some(boundary) = boundary else { return leaves.push(part) };
    let room = MAX_PARTS.saturating_sub(leaves.len());
    for bytes in parts(part.body, boundary).into_iter().take(room) {
        if leaves.len() < MAX_PARTS {
            gather(Part::read(bytes), depth + 1, leaves);
        }
    }
}

/// What stands between the lines that begin with the boundary (RFC 2046 section 5.1.1).
fn parts<'a>(body: &'a [u8], boundary: &str) -> Vec<&'a [u8]> {
    let (mut found, mut begun, mut at) = (Vec::new(), None, 0);
    while at < body.len() && found.len() < MAX_PARTS {
        let end = memchr::memchr(b'\n', &body[at..]).map_or(body.len(), |newline| at + newline + 1);
        let line = body[at..end].trim_ascii_end();
        if let Some(rest) = line.strip_prefix(b"--").and_then(|line| line.strip_prefix(boundary.as_bytes()))
            && (rest.is_empty() || rest == b"--")
        {
            found.extend(begun.take().map(|from: usize| &body[from..at]));
            if rest == b"--" {
                return found;
            }
            begun = Some(end);
        }
        at = end;
    }
    // Cut off on the way: what is there is read.
    found.extend(begun.map(|from| &body[from..]));
    found
}

/// Header and body, at the first blank line.
pub(crate) fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    while at < bytes.len() {
        let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |newline| at + newline + 1);
        if matches!(&bytes[at..end], b"\n" | b"\r\n") {
            return (&bytes[..at], &bytes[end..]);
        }
        at = end;
    }
    (bytes, &[])
}

fn unfolded(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    text.split(['\r', '\n']).map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Fields of a report: names in lower case, and values.
pub(crate) type Group = Vec<(String, String)>;

/// Groups of fields with blank lines between them, as reports have them; at most `most`.
pub(crate) fn groups(text: &str, most: usize) -> Vec<Group> {
    let (mut groups, mut group) = (Vec::new(), Group::new());
    for line in text.lines() {
        if line.trim().is_empty() {
            if !group.is_empty() {
                groups.push(std::mem::take(&mut group));
            }
            if groups.len() == most {
                return groups;
            }
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = group.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            group.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    if !group.is_empty() {
        groups.push(group);
    }
    groups
}

/// The first field of this name in a group.
pub(crate) fn value<'g>(group: &'g [(String, String)], name: &str) -> Option<&'g str> {
    group.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}
