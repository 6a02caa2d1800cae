//! A body part whose end is personal: everything before its first slot is encoded once.

use std::fmt::Write;

use super::message::Filling;
use crate::encode::{Encoding, base64, quoted_printable, whole_lines, with_crlf};

/// Marks where what is personal goes. Templates write these private-use characters only in footers, which hold our
/// own words, the site's name (which may not contain them) and URLs (which are ASCII): no content can forge one.
pub(super) const WHY: char = '\u{E000}';
pub(super) const UNSUBSCRIBE: char = '\u{E001}';
pub(super) const MANAGE: char = '\u{E002}';

/// Which of the two forms of a mail a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Html,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Why,
    Unsubscribe,
    Manage,
}

impl Slot {
    fn of(mark: char) -> Option<Self> {
        match mark {
            WHY => Some(Self::Why),
            UNSUBSCRIBE => Some(Self::Unsubscribe),
            MANAGE => Some(Self::Manage),
            _ => None,
        }
    }
}

#[derive(Debug)]
pub(super) struct Part {
    form: Form,
    encoding: Encoding,
    /// Encoded, whole lines.
    head: String,
    /// What follows a slot up to the next: quoted-printable already, but raw for base64, whose groups of three
    /// bytes shift with what is spliced before them.
    tail: Vec<(Slot, String)>,
    /// The last bytes of the head that fill no line of base64.
    rest: Vec<u8>,
}

impl Part {
    /// `content` has no slots; `footer` may.
    pub(super) fn new(form: Form, content: &str, footer: &str) -> Self {
        let encoding = Encoding::for_text(content);
        let (content, footer) = (whole_lines_of(content), whole_lines_of(footer));
        let (before, tail) = pieces(&footer);
        let raw = content + before;
        let mut head = String::with_capacity(raw.len() * 3 / 2);
        match encoding {
            Encoding::QuotedPrintable => {
                quoted_printable(&mut head, &raw);
                let encode = |piece: &str| {
                    let mut encoded = String::new();
                    quoted_printable(&mut encoded, piece);
                    encoded
                };
                let tail = tail.into_iter().map(|(slot, piece)| (slot, encode(piece))).collect();
                Self { form, encoding, head, tail, rest: Vec::new() }
            }
            Encoding::Base64 => {
                let (lines, rest) = raw.as_bytes().split_at(whole_lines(raw.len()));
                base64(&mut head, lines);
                let tail = tail.into_iter().map(|(slot, piece)| (slot, piece.to_owned())).collect();
                Self { form, encoding, head, tail, rest: rest.to_owned() }
            }
        }
    }

    /// The part's own header fields and the blank line after them.
    pub(super) fn header(&self) -> String {
        let subtype = if self.form == Form::Text { "plain" } else { "html" };
        format!(
            "Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: {}\r\n\r\n",
            self.encoding.name()
        )
    }

    pub(super) fn head(&self) -> &str {
        &self.head
    }

    /// Appends everything after [`Part::head`], ending at the start of a line.
    pub(super) fn write_tail(&self, out: &mut String, filling: &Filling<'_>) {
        match self.encoding {
            Encoding::QuotedPrintable => {
                for (slot, piece) in &self.tail {
                    quoted_printable(out, self.fill(*slot, filling));
                    out.push_str(piece);
                }
            }
            Encoding::Base64 => {
                let length = self.rest.len() + self.tail.iter().map(|(_, piece)| piece.len() + 200).sum::<usize>();
                let mut raw = Vec::with_capacity(length);
                raw.extend_from_slice(&self.rest);
                for (slot, piece) in &self.tail {
                    raw.extend_from_slice(self.fill(*slot, filling).as_bytes());
                    raw.extend_from_slice(piece.as_bytes());
                }
                base64(out, &raw);
            }
        }
    }

    /// Appends what is left of a part without slots.
    pub(super) fn write_rest(&self, out: &mut String) {
        base64(out, &self.rest);
    }

    fn fill<'a>(&self, slot: Slot, filling: &'a Filling<'_>) -> &'a str {
        match (slot, self.form) {
            (Slot::Why, Form::Text) => &filling.why.text,
            (Slot::Why, Form::Html) => &filling.why.html,
            (Slot::Unsubscribe, Form::Text) => filling.unsubscribe.as_str(),
            (Slot::Unsubscribe, Form::Html) => &filling.unsubscribe_html,
            (Slot::Manage, Form::Text) => filling.manage.as_str(),
            (Slot::Manage, Form::Html) => &filling.manage_html,
        }
    }
}

/// The text with mail's line ends and the last line ended, as templates leave that out.
fn whole_lines_of(text: &str) -> String {
    let mut text = with_crlf(text);
    if !text.is_empty() && !text.ends_with('\n') {
        text.push_str("\r\n");
    }
    text
}

/// The footer before its first slot, and each slot with what follows it.
fn pieces(footer: &str) -> (&str, Vec<(Slot, &str)>) {
    let marks = footer.char_indices().filter_map(|(at, c)| Some((at, at + c.len_utf8(), Slot::of(c)?)));
    let marks: Vec<(usize, usize, Slot)> = marks.collect();
    let ends = marks.iter().skip(1).map(|(start, ..)| *start).chain([footer.len()]);
    let tail = marks.iter().zip(ends).map(|(&(_, after, slot), end)| (slot, &footer[after..end]));
    (&footer[..marks.first().map_or(footer.len(), |(start, ..)| *start)], tail.collect())
}

/// `multipart/alternative` of the two parts, in the order of RFC 2046 section 5.1.4: the plainest first.
///
/// Neither encoding can produce `=_`, so the boundary cannot occur in a part, whatever an article says.
pub(super) const BOUNDARY: &str = "=_newswire";

/// The header fields of the whole that say it has two parts, and the line that opens the first.
pub(super) fn open_multipart(out: &mut String) {
    write!(
        out,
        "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"{BOUNDARY}\"\r\n\r\n--{BOUNDARY}\r\n"
    )
    .expect("writing to a String cannot fail");
}

/// The line that ends the whole.
pub(super) fn close_multipart(out: &mut String) {
    out.push_str("\r\n--");
    out.push_str(BOUNDARY);
    out.push_str("--\r\n");
}
