//! The text of a mail on the wire, up to the line that ends it (RFC 5321 section 4.5.2). Pure.

use inbound::MAX_MAIL;

/// Bytes of a mail that are listened to. Of a longer one nothing is taken.
pub(super) const MAX_SIZE: usize = 10 * 1024 * 1024;

/// Where in a line the last byte stood. Only CR LF ends one: whoever takes a bare LF for the end of a line lets a sender
/// smuggle commands into a mail.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Start,
    /// Behind the dot that a line begins with.
    Dot,
    DotCr,
    Middle,
    Cr,
}

/// A mail as it comes in.
pub(super) struct Content {
    at: At,
    /// The first [`MAX_MAIL`] bytes: what a machine wrote stands in front.
    kept: Vec<u8>,
    size: usize,
}

impl Content {
    pub(super) fn new() -> Self {
        Self { at: At::Start, kept: Vec::new(), size: 0 }
    }

    /// Takes what has come. `Some`: the mail ended after this many of `bytes`; what follows is a command.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Option<usize> {
        for (n, &byte) in bytes.iter().enumerate() {
            self.at = match (self.at, byte) {
                (At::Start, b'.') => At::Dot,
                (At::Dot, b'\r') => At::DotCr,
                (At::DotCr, b'\n') => return Some(n + 1),
                (At::DotCr, _) => {
                    self.push(b'\r');
                    self.inside(byte)
                }
                (At::Cr, b'\n') => {
                    self.push(byte);
                    At::Start
                }
                (_, _) => self.inside(byte),
            };
        }
        None
    }

    fn inside(&mut self, byte: u8) -> At {
        self.push(byte);
        if byte == b'\r' { At::Cr } else { At::Middle }
    }

    fn push(&mut self, byte: u8) {
        self.size += 1;
        if self.kept.len() < MAX_MAIL {
            self.kept.push(byte);
        }
    }

    /// What is kept of the mail; `None`: it is longer than [`MAX_SIZE`].
    pub(super) fn finish(self) -> Option<Vec<u8>> {
        (self.size <= MAX_SIZE).then_some(self.kept)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(wire: &[u8]) -> Option<(Vec<u8>, usize)> {
        let mut content = Content::new();
        let end = content.take(wire)?;
        Some((content.finish().unwrap(), end))
    }

    #[test]
    fn dots_are_unstuffed_and_only_cr_lf_dot_cr_lf_ends_it() {
        for (wire, mail, rest) in [
            (&b".\r\n"[..], &b""[..], &b""[..]),
            (b"a\r\n.\r\nNOOP\r\n", b"a\r\n", b"NOOP\r\n"),
            (b"..\r\n...\r\n.\r\n", b".\r\n..\r\n", b""),
            (b"a\n.\nb\n.\r\nc\r.\r\n\r\n.\r\n", b"a\n.\nb\n.\r\nc\r.\r\n\r\n", b""),
            (b".\rx\r\n.\r\r\n.\r\n", b"\rx\r\n\r\r\n", b""),
            (b".\n.\r\n\r\n.\r\n", b"\n.\r\n\r\n", b""),
            ("党\r\n.\r\n".as_bytes(), "党\r\n".as_bytes(), b""),
        ] {
            let (read, end) = read(wire).unwrap_or_else(|| panic!("{wire:?} does not end"));
            assert_eq!((&read[..], &wire[end..]), (mail, rest), "{wire:?}");
        }
        for endless in [&b"a\r\n.\n"[..], b"a\n.\r\n", b"a.\r\n", b"", b"\r\n.", b"\r\n.\r", b"a\r.\r\n"] {
            assert!(read(endless).is_none(), "{endless:?}");
        }
    }

    #[test]
    fn the_beginning_is_kept_of_a_long_mail_and_nothing_of_one_without_end() {
        let mut content = Content::new();
        let line = [&[b'x'; 1022][..], b"\r\n"].concat();
        for _ in 0..MAX_SIZE / 1024 {
            assert_eq!(content.take(&line), None);
        }
        assert_eq!(content.kept.len(), MAX_MAIL);
        let mut longer = Content { kept: content.kept.clone(), ..content };
        assert_eq!(content.take(b".\r\n"), Some(3));
        assert_eq!(content.finish().map(|kept| kept.len()), Some(MAX_MAIL));
        assert_eq!(longer.take(b"x\r\n.\r\n"), Some(6));
        assert_eq!(longer.finish(), None);
    }

    proptest! {
        /// What a client stuffs comes out as it was, however it is cut into packets.
        #[test]
        fn what_was_stuffed_reads_back(lines in prop::collection::vec("[.a\r\n]{0,6}", 0..8), cut in 1usize..9) {
            let mail: String = lines.iter().map(|line| format!("{}\r\n", line.replace("\r\n", "-"))).collect();
            let stuffed = mail.split_inclusive("\r\n").map(|line| if line.starts_with('.') { format!(".{line}") } else { line.into() });
            let wire = format!("{}.\r\nQUIT\r\n", stuffed.collect::<String>());
            let (mut content, mut left) = (Content::new(), wire.as_bytes());
            let rest = loop {
                let (packet, rest) = left.split_at(cut.min(left.len()));
                if let Some(end) = content.take(packet) {
                    break [&packet[end..], rest].concat();
                }
                left = rest;
            };
            prop_assert_eq!(content.finish().unwrap(), mail.as_bytes());
            prop_assert_eq!(&rest[..], b"QUIT\r\n");
        }
    }
}
