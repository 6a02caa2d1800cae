//! One accepted mail, and what a reader sees of it.

use bytes::Bytes;
use jiff::Timestamp;
use mail_parser::{Header, MessageParser, PartType};
use serde::Serialize;

/// A mail as it was accepted.
#[derive(Debug)]
pub struct Mail {
    /// Counts from 1 in order of acceptance; never used twice in one folder.
    pub number: u64,
    /// When it was accepted, to the second.
    pub received: Timestamp,
    /// The envelope sender; empty for a bounce.
    pub from: String,
    /// The envelope recipients that were accepted, in order.
    pub to: Vec<String>,
    /// The content after DATA, dot-stuffing undone, byte for byte.
    pub raw: Bytes,
}

/// The content decoded (RFC 2045, 2047, 5322).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Content {
    /// Every header field in order: name as written, value unfolded and decoded.
    pub headers: Vec<(String, String)>,
    /// The first text/plain body.
    pub text: Option<String>,
    /// The first text/html body.
    pub html: Option<String>,
}

impl Mail {
    /// Decodes the content. What cannot be decoded is left out, so a broken mail still shows the rest.
    pub fn content(&self) -> Content {
        let Some(message) = parser().parse(&self.raw[..]) else { return Content::default() };
        let headers = message.headers().iter().map(|header| (header.name.as_str().to_owned(), self.value(header)));
        let text = message.text_bodies().find_map(|part| match &part.body {
            PartType::Text(text) => Some(text.to_string()),
            _ => None,
        });
        let html = message.html_bodies().find_map(|part| match &part.body {
            PartType::Html(html) => Some(html.to_string()),
            _ => None,
        });
        Content { headers: headers.collect(), text, html }
    }

    /// The first header field of this name, unfolded and decoded, without looking at the bodies.
    pub fn header(&self, name: &str) -> Option<String> {
        let message = parser().parse_headers(&self.raw[..])?;
        let found = message.headers().iter().find(|header| header.name.as_str().eq_ignore_ascii_case(name))?;
        Some(self.value(found))
    }

    fn value(&self, header: &Header<'_>) -> String {
        // The MIME fields are parsed into parts, which nobody wants to read: theirs is shown as it stands.
        header.value.as_text().map_or_else(
            || {
                let raw = self.raw.get(header.offset_start as usize..header.offset_end as usize).unwrap_or_default();
                String::from_utf8_lossy(raw).split_ascii_whitespace().collect::<Vec<_>>().join(" ")
            },
            str::to_owned,
        )
    }
}

/// Every field but those of MIME as text with its encoded words decoded (RFC 2047).
fn parser() -> MessageParser {
    MessageParser::new().with_mime_headers().default_header_text()
}

impl Content {
    /// The first header field of this name, without regard to case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(raw: &str) -> Content {
        let raw = Bytes::copy_from_slice(raw.replace('\n', "\r\n").as_bytes());
        Mail { number: 1, received: Timestamp::UNIX_EPOCH, from: String::new(), to: Vec::new(), raw }.content()
    }

    #[test]
    fn decodes_headers_and_both_bodies() {
        let content = content(
            "From: =?utf-8?B?5paw6Zeo?= <desk@example.org>\nSubject: =?utf-8?B?5paw6Ze7?=\n =?utf-8?Q?_=E2=80=8F=D8=A3=D8=AE=D8=A8=D8=A7=D8=B1?=\n\
             List-Unsubscribe: <https://a.example/u?t=1>,\n <mailto:u@a.example>\n\
             MIME-Version: 1.0\nContent-Type: multipart/alternative;\n boundary=\"b\"\n\n\
             --b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n5L2g5aW9IPCfl57vuI8K\n\
             --b\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n<p dir=3D\"rtl\">=D8=A3</p>\n--b--\n",
        );
        assert_eq!(content.header("subject"), Some("新闻 \u{200f}أخبار"));
        assert_eq!(content.header("From"), Some("新门 <desk@example.org>"));
        assert_eq!(content.header("List-Unsubscribe"), Some("<https://a.example/u?t=1>, <mailto:u@a.example>"));
        assert_eq!(content.header("Content-Type"), Some("multipart/alternative; boundary=\"b\""));
        assert_eq!(content.text.as_deref().map(str::trim_end), Some("你好 🗞️"));
        assert_eq!(content.html.as_deref().map(str::trim_end), Some("<p dir=\"rtl\">أ</p>"));
    }

    #[test]
    fn a_mail_of_one_kind_does_not_pretend_to_have_the_other() {
        let text = content("Subject: a\n\nonly text\n");
        assert_eq!((text.text.as_deref().map(str::trim_end), text.html), (Some("only text"), None));
        let html = content("Subject: a\nContent-Type: text/html\n\n<p>only</p>\n");
        assert_eq!((html.html.as_deref().map(str::trim_end), html.text), (Some("<p>only</p>"), None));
    }

    #[test]
    fn broken_mail_is_shown_as_far_as_it_goes() {
        for raw in [
            "",
            "\n",
            "\u{0}\u{1}",
            "Subject",
            "Subject: =?utf-8?B?////?=\n\n",
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n--b\n--b",
        ] {
            content(raw);
        }
        assert_eq!(
            content("Subject: kept\nContent-Type: multipart/mixed; boundary=b\n\n--b").header("Subject"),
            Some("kept")
        );
    }
}
