//! Content transfer encodings (RFC 2045) of parts whose last bytes are known only when a mail is sent.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use quoted_printable::{InputMode, Options};

/// Bytes in one line of base64: 76 characters.
const BASE64_BYTES: usize = 57;
/// Characters in one line of quoted-printable, one below the limit: a soft break is added after what is spliced.
const QP_LINE: usize = 75;

/// How a part travels. Both keep every line below 77 characters and let nothing of the content reach the start of a
/// line as `=_`, so that [`crate::compose`]'s boundaries cannot occur in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Base64,
    QuotedPrintable,
}

impl Encoding {
    /// The shorter one: quoted-printable for mostly ASCII (readable, and three bytes for each that is not),
    /// base64 (four for three, whatever they are) for the rest.
    pub(crate) fn for_text(text: &str) -> Self {
        let foreign = text.bytes().filter(|b| !b.is_ascii()).count();
        if text.len() + 2 * foreign <= text.len() / 3 * 4 { Self::QuotedPrintable } else { Self::Base64 }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Base64 => "base64",
            Self::QuotedPrintable => "quoted-printable",
        }
    }
}

/// Line ends as mail has them. A bare CR or LF is refused by careful relays.
pub(crate) fn with_crlf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n")
}

/// Appends text as quoted-printable, ending at the start of a line. The last of a part must end with a line break of
/// its own: a soft one may not stand last (RFC 2045 section 6.7).
pub(crate) fn quoted_printable(out: &mut String, text: &str) {
    let options = Options::default().line_length_limit(QP_LINE).input_mode(InputMode::Text);
    out.push_str(&quoted_printable::encode_with_options(text, options));
    if !out.ends_with("\r\n") {
        out.push_str("=\r\n");
    }
}

/// Appends bytes as lines of base64. Only the last call for a part may pass a length that [`whole_lines`] would cut.
pub(crate) fn base64(out: &mut String, bytes: &[u8]) {
    for line in bytes.chunks(BASE64_BYTES) {
        STANDARD.encode_string(line, out);
        out.push_str("\r\n");
    }
}

/// How many of `length` bytes fill lines of base64; the others belong in front of what follows.
pub(crate) fn whole_lines(length: usize) -> usize {
    length / BASE64_BYTES * BASE64_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shorter_encoding_is_taken() {
        assert_eq!(Encoding::for_text("Plain words, caf\u{e9}."), Encoding::QuotedPrintable);
        assert_eq!(Encoding::for_text("党风廉政 in Hefei"), Encoding::Base64);
        assert_eq!(Encoding::for_text(""), Encoding::QuotedPrintable);
    }

    #[test]
    fn quoted_printable_pieces_join_to_the_text() {
        let pieces =
            ["A line\r\n", "no end", "", "trailing blank \r\n", "=_ and é\t", "\r\n.\r\n", &"x".repeat(200), "\r\n"];
        let mut encoded = String::new();
        for piece in pieces {
            quoted_printable(&mut encoded, piece);
        }
        assert!(encoded.split("\r\n").all(|line| line.len() <= 76 && !line.ends_with(' ')), "{encoded}");
        let decoded = quoted_printable::decode(&encoded, quoted_printable::ParseMode::Strict).unwrap();
        assert_eq!(String::from_utf8(decoded).unwrap(), pieces.concat());
    }

    #[test]
    fn all_line_ends_become_one() {
        assert_eq!(with_crlf("a\r\nb\nc\rd"), "a\r\nb\r\nc\r\nd");
    }
}
