//! The lines after DATA (RFC 5321 4.1.1.4): finds the end, undoes dot-stuffing, and notices what no relay should take.
//!
//! Only CRLF ends a line. A lone CR or LF is refused instead of repaired: relays that disagree about it let one sender
//! smuggle a second mail past another's checks, and our own mail must never contain one.

use bytes::{Buf, BytesMut};

use crate::command::{MAX_MAIL, Reply};

/// RFC 5322 2.1.1: a line has 998 octets at most, without CRLF.
const MAX_LINE: usize = 998;

/// A mail being received. After a refusal it reads on to the end, so that the next command is found.
#[derive(Default)]
pub(crate) struct Content {
    body: Vec<u8>,
    lines: usize,
    /// The front of the present line was taken already, so its rest cannot be the end mark.
    inside_line: bool,
    refusal: Option<Reply>,
    taken: usize,
}

impl Content {
    /// Takes what `input` holds of the mail; true once the end was found, with `input` at the next command.
    pub(crate) fn take(&mut self, input: &mut BytesMut) -> bool {
        while let Some(newline) = input.iter().position(|&byte| byte == b'\n') {
            let fresh = !std::mem::take(&mut self.inside_line);
            self.taken += newline + 1;
            if fresh && input[..=newline] == *b".\r\n" {
                input.advance(newline + 1);
                return true;
            }
            self.line(&input[..=newline], fresh);
            // Only CRLF begins a new line: what follows a lone LF is still inside this one.
            self.inside_line = !input[..=newline].ends_with(b"\r\n");
            input.advance(newline + 1);
        }
        // A line without end must not grow the buffer for ever; one octet over the limit is enough to refuse it. The
        // last octet stays: it may be the CR of a CRLF.
        if input.len() > MAX_LINE + 3 {
            self.refuse(Reply::new(554, format!("5.6.0 line {} is longer than {MAX_LINE} octets", self.lines + 1)));
            self.taken += input.len() - 1;
            input.advance(input.len() - 1);
            self.inside_line = true;
        }
        false
    }

    /// How many octets of the stream went into this mail so far.
    pub(crate) fn taken(&self) -> usize {
        self.taken
    }

    /// The mail as the author wrote it.
    ///
    /// # Errors
    /// The reply for a mail that is too large or broken.
    pub(crate) fn finish(self) -> Result<Vec<u8>, Reply> {
        self.refusal.map_or(Ok(self.body), Err)
    }

    fn line(&mut self, line: &[u8], fresh: bool) {
        self.lines += 1;
        let number = self.lines;
        let Some(text) = line.strip_suffix(b"\r\n") else {
            return self.refuse(Reply::new(554, format!("5.6.0 line {number} ends with a lone LF")));
        };
        if text.contains(&b'\r') {
            return self.refuse(Reply::new(554, format!("5.6.0 line {number} contains a lone CR")));
        }
        let text = text.strip_prefix(b".").filter(|_| fresh).unwrap_or(text);
        if text.len() > MAX_LINE {
            return self.refuse(Reply::new(554, format!("5.6.0 line {number} is longer than {MAX_LINE} octets")));
        }
        if self.body.len() + text.len() + 2 > MAX_MAIL {
            return self.refuse(Reply::new(552, format!("5.3.4 a mail may have {MAX_MAIL} bytes at most")));
        }
        if self.refusal.is_none() {
            self.body.extend_from_slice(text);
            self.body.extend_from_slice(b"\r\n");
        }
    }

    /// The first mistake is the one told; what was received is of no use any more.
    fn refuse(&mut self, reply: Reply) {
        if self.refusal.is_none() {
            self.refusal = Some(reply);
            self.body = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Received = (Result<Vec<u8>, Reply>, Vec<u8>);

    /// Feeds `wire` in pieces of `step` and gives the result and what was left over.
    fn receive(wire: &[u8], step: usize) -> Option<Received> {
        let (mut content, mut input) = (Content::default(), BytesMut::new());
        for (at, piece) in wire.chunks(step).enumerate() {
            input.extend_from_slice(piece);
            let ended = content.take(&mut input);
            assert!(input.len() <= MAX_LINE + 3 || ended, "a line without end is not gathered");
            if ended {
                input.extend_from_slice(&wire[((at + 1) * step).min(wire.len())..]);
                return Some((content.finish(), input.to_vec()));
            }
        }
        None
    }

    #[test]
    fn finds_the_end_whatever_the_packets() {
        for (wire, body) in [
            (&b".\r\nQUIT\r\n"[..], &b""[..]),
            (b"a\r\n.\r\nQUIT\r\n", b"a\r\n"),
            (b"..\r\n...a\r\n.b\r\n.\r\nQUIT\r\n", b".\r\n..a\r\nb\r\n"),
            ("标题\r\n\r\n🗞️\r\n.\r\nQUIT\r\n".as_bytes(), "标题\r\n\r\n🗞️\r\n".as_bytes()),
        ] {
            for step in 1..wire.len() {
                let expected = Some((Ok(body.to_vec()), b"QUIT\r\n".to_vec()));
                assert_eq!(receive(wire, step), expected, "{wire:?} by {step}");
            }
        }
    }

    #[test]
    fn other_line_endings_never_end_a_mail_and_refuse_it() {
        for smuggled in ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r", "\r.\r\n"] {
            let wire = format!("a{smuggled}MAIL FROM:<x@y>\r\n.\r\nQUIT\r\n");
            for step in 1..wire.len() {
                let (result, rest) = receive(wire.as_bytes(), step).expect("the real end is found");
                assert_eq!(rest, b"QUIT\r\n", "{smuggled:?} by {step}");
                assert_eq!(result.expect_err("refused").code, 554, "{smuggled:?} by {step}");
            }
        }
    }

    #[test]
    fn limits_hold_and_the_next_command_is_still_found() {
        let longest = format!("{}\r\n.\r\n", "x".repeat(MAX_LINE));
        let stuffed = format!(".{longest}");
        let too_long = format!("x{longest}");
        let huge_line = format!("{}.\r\n.\r\nQUIT", "x".repeat(100_000));
        let too_large = format!("{}.\r\n", "0123456789abcdef01234567890\r\n".repeat(MAX_MAIL / 29 + 1));
        for (wire, code) in [(&longest, 0), (&stuffed, 0), (&too_long, 554), (&huge_line, 554), (&too_large, 552)] {
            for step in [7, 1000, 1001, 4096] {
                let (result, rest) = receive(wire.as_bytes(), step).expect("the end is found");
                assert_eq!(result.err().map_or(0, |reply| reply.code), code, "{} octets by {step}", wire.len());
                assert_eq!(rest, if wire.ends_with("QUIT") { &b"QUIT"[..] } else { b"" });
            }
        }
    }

    proptest! {
        #[test]
        fn stuffing_is_undone(lines in prop::collection::vec("[.a字\t ]{0,20}", 0..20), step in 1usize..40) {
            let body: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
            let stuffed: String = lines.iter().map(|line| {
                if line.starts_with('.') { format!(".{line}\r\n") } else { format!("{line}\r\n") }
            }).collect();
            let (result, rest) = receive(format!("{stuffed}.\r\nNOOP").as_bytes(), step).expect("the end");
            prop_assert_eq!(result, Ok(body.into_bytes()));
            prop_assert_eq!(rest, b"NOOP");
        }
    }
}
