//! The commands of LMTP (RFC 2033) and their replies, apart from every socket. Pure.

use super::content::MAX_SIZE;
use crate::inbound::gate::Recipient;

/// Recipients of one mail; RFC 5321 section 4.5.3.1.8 asks for this many.
const MAX_RECIPIENTS: usize = 100;

/// Refused commands after which nobody is talked to any more.
const MAX_REFUSED: u32 = 20;

/// One conversation.
pub(super) struct Session {
    domain: String,
    greeted: bool,
    envelope: Option<Envelope>,
    refused: u32,
}

/// A mail that is about to come.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Envelope {
    /// Empty for reports.
    pub sender: String,
    pub recipients: Vec<Recipient>,
}

/// What follows a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    Command,
    /// The mail, until it ends.
    Content,
    Close,
}

impl Session {
    pub(super) fn new(domain: &str) -> Self {
        Self { domain: domain.to_owned(), greeted: false, envelope: None, refused: 0 }
    }

    pub(super) fn greeting(&self) -> String {
        format!("220 {} LMTP ready\r\n", self.domain)
    }

    /// The reply to one line without its end, and what follows. `known`: whose an address is.
    pub(super) fn command(&mut self, line: &[u8], known: impl FnOnce(&str) -> Option<Recipient>) -> (String, Then) {
        let reply = match std::str::from_utf8(line) {
            Ok(line) if !line.contains(char::is_control) => self.answer(line, known),
            _ => Err("500 5.5.2 a command is one line of UTF-8 without control characters"),
        };
        match reply {
            Ok((reply, then)) => (format!("{reply}\r\n"), then),
            Err(_) if self.refused + 1 >= MAX_REFUSED => {
                (format!("421 4.7.0 {} too many refused commands\r\n", self.domain), Then::Close)
            }
            Err(refusal) => {
                self.refused += 1;
                (format!("{refusal}\r\n"), Then::Command)
            }
        }
    }

    fn answer(
        &mut self,
        line: &str,
        known: impl FnOnce(&str) -> Option<Recipient>,
    ) -> Result<(String, Then), &'static str> {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let good = |reply: &str| Ok((reply.to_owned(), Then::Command));
        match verb.to_ascii_uppercase().as_str() {
            "LHLO" if rest.trim().is_empty() => Err("501 5.5.4 say LHLO and a name"),
            "LHLO" => {
                (self.greeted, self.envelope) = (true, None);
                let features = ["PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8"];
                let features: String = features.iter().map(|feature| format!("250-{feature}\r\n")).collect();
                good(&format!("250-{}\r\n{features}250 SIZE {MAX_SIZE}", self.domain))
            }
            "HELO" | "EHLO" => Err("500 5.5.1 this is LMTP: say LHLO"),
            "NOOP" => good("250 2.0.0 OK"),
            "VRFY" => good("252 2.5.0 send a mail to find out"),
            "RSET" => {
                self.envelope = None;
                good("250 2.0.0 OK")
            }
            "QUIT" => Ok((format!("221 2.0.0 {} bye", self.domain), Then::Close)),
            "MAIL" if !self.greeted => Err("503 5.5.1 say LHLO first"),
            "MAIL" if self.envelope.is_some() => Err("503 5.5.1 a mail was begun already"),
            "MAIL" => {
                let (sender, parameters) = path(rest, "FROM:").ok_or("501 5.5.4 say MAIL FROM:<address>")?;
                parameters.split_whitespace().try_for_each(parameter)?;
                self.envelope = Some(Envelope { sender: sender.to_owned(), recipients: Vec::new() });
                good("250 2.1.0 OK")
            }
            "RCPT" => {
                let envelope = self.envelope.as_mut().ok_or("503 5.5.1 say MAIL first")?;
                let (address, parameters) = path(rest, "TO:").ok_or("501 5.5.4 say RCPT TO:<address>")?;
                if !parameters.trim().is_empty() {
                    return Err("555 5.5.4 no parameters of RCPT are known here");
                }
                if envelope.recipients.len() >= MAX_RECIPIENTS {
                    return Err("452 4.5.3 too many recipients; send the mail to the others later");
                }
                let recipient = known(address).ok_or("550 5.1.1 no address of ours")?;
                envelope.recipients.push(recipient);
                good("250 2.1.5 OK")
            }
            // RFC 2033 section 4.2: not even for an empty list of recipients.
            "DATA" if self.envelope.as_ref().is_none_or(|envelope| envelope.recipients.is_empty()) => {
                Err("503 5.5.1 there is no recipient")
            }
            "DATA" if !rest.trim().is_empty() => Err("501 5.5.4 DATA has no parameters"),
            "DATA" => Ok(("354 end with a line of one dot".to_owned(), Then::Content)),
            _ => Err("500 5.5.1 unknown command"),
        }
    }

    /// The mail has come; the next one may begin.
    pub(super) fn end_of_mail(&mut self) -> Envelope {
        self.envelope.take().unwrap_or_default()
    }
}

/// The address and what follows it. Before it there may be a route, which nobody follows (RFC 5321, appendix F.2).
fn path<'a>(rest: &'a str, keyword: &str) -> Option<(&'a str, &'a str)> {
    let (found, rest) = rest.split_at_checked(keyword.len())?;
    let rest = Some(rest).filter(|_| found.eq_ignore_ascii_case(keyword))?;
    let (address, parameters) = rest.trim_start().strip_prefix('<')?.split_once('>')?;
    let address = match address.strip_prefix('@') {
        Some(routed) => routed.split_once(':')?.1,
        None => address,
    };
    Some((address, parameters))
}

fn parameter(parameter: &str) -> Result<(), &'static str> {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    match (name.to_ascii_uppercase().as_str(), value.to_ascii_uppercase().as_str()) {
        ("SIZE", size) => match size.parse::<u64>() {
            Ok(size) if size > MAX_SIZE as u64 => Err("552 5.3.4 the mail is too large"),
            Ok(_) => Ok(()),
            Err(_) => Err("501 5.5.4 SIZE is a number"),
        },
        ("BODY", "7BIT" | "8BITMIME") | ("SMTPUTF8", "") => Ok(()),
        _ => Err("555 5.5.4 unknown parameter of MAIL"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subscriber::SubscriberId;

    fn id() -> SubscriberId {
        SubscriberId::from_bytes([7; 16])
    }

    fn known(address: &str) -> Option<Recipient> {
        (address == "bounces+7@news.example").then(|| Recipient::Returned(id()))
    }

    /// The code of each reply.
    fn talk(session: &mut Session, lines: &[&str]) -> Vec<String> {
        let codes = lines.iter().map(|line| {
            let (reply, then) = session.command(line.as_bytes(), known);
            assert!(reply.ends_with("\r\n"), "{reply:?}");
            let last = reply.lines().last().unwrap();
            format!(
                "{}{}",
                &last[..3],
                match then {
                    Then::Command => "",
                    Then::Content => "…",
                    Then::Close => ".",
                }
            )
        });
        codes.collect()
    }

    #[test]
    fn a_mail_is_announced_and_a_second_one_after_it() {
        let mut session = Session::new("news.example");
        assert_eq!(session.greeting(), "220 news.example LMTP ready\r\n");
        let (features, _) = session.command(b"LHLO mx.example", known);
        assert_eq!(features.lines().next(), Some("250-news.example"));
        for required in ["PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME"] {
            assert!(features.contains(&format!("250-{required}\r\n")), "RFC 2033 section 5: {features}");
        }
        let mail = ["MAIL FROM:<>", "RCPT TO:<bounces+7@news.example>", "RCPT TO:<nobody@news.example>", "DATA"];
        assert_eq!(talk(&mut session, &mail), ["250", "250", "550", "354…"]);
        let expected = Envelope { sender: String::new(), recipients: vec![Recipient::Returned(id())] };
        assert_eq!(session.end_of_mail(), expected);
        let next = [
            "RCPT TO:<bounces+7@news.example>",
            "mail from: <@relay.example:jo@example.org> SIZE=10485760 body=8bitmime SMTPUTF8",
        ];
        assert_eq!(talk(&mut session, &next), ["503", "250"]);
        assert_eq!(
            talk(&mut session, &["DATA", "RSET", "MAIL FROM:<党@例子.中国>", "quit"]),
            ["503", "250", "250", "221."]
        );
    }

    #[test]
    fn what_is_no_command_is_refused_and_goes_on() {
        for (line, code) in [
            ("", "500"),
            ("EHLO x", "500"),
            ("HELO x", "500"),
            ("LHLO", "501"),
            ("MAIL FROM:<>", "503"),
            ("DATA", "503"),
            ("RCPT TO:<bounces+7@news.example>", "503"),
            ("VRFY jo", "252"),
            ("NOOP 党", "250"),
            ("STARTTLS", "500"),
            ("BDAT 10 LAST", "500"),
        ] {
            assert_eq!(talk(&mut Session::new("x"), &[line]), [code], "{line}");
        }
        for (line, code) in [
            ("MAIL FROM:jo@example.org", "501"),
            ("MAIL FROM:<jo@example.org", "501"),
            ("MAIL", "501"),
            ("MAIL FROM", "501"),
            ("MAIL 党党党党党", "501"),
            ("MAIL FROM:<@a>", "501"),
            ("MAIL FROM:<> SIZE=10485761", "552"),
            ("MAIL FROM:<> SIZE=99999999999999999999", "501"),
            ("MAIL FROM:<> BODY=BINARYMIME", "555"),
            ("MAIL FROM:<> AUTH=<>", "555"),
            ("RCPT TO:<bounces+7@news.example> NOTIFY=NEVER", "503"),
        ] {
            assert_eq!(talk(&mut Session::new("x"), &["LHLO y", line]), ["250", code], "{line}");
        }
        let mut session = Session::new("x");
        for hostile in [&b"MAIL FROM:<\xff>"[..], b"NOOP \x00", b"NOOP \x1b[2J", b"MAIL FROM:<a\rb>"] {
            assert_eq!(session.command(hostile, known).0.get(..3), Some("500"), "{hostile:?}");
        }
    }

    #[test]
    fn recipients_and_mistakes_are_counted() {
        let mut session = Session::new("x");
        talk(&mut session, &["LHLO y", "MAIL FROM:<>"]);
        for n in 0..MAX_RECIPIENTS + 2 {
            let code = if n < MAX_RECIPIENTS { "250" } else { "452" };
            assert_eq!(talk(&mut session, &["RCPT TO:<bounces+7@news.example>"]), [code]);
        }
        assert_eq!(session.end_of_mail().recipients.len(), MAX_RECIPIENTS);
        let mut session = Session::new("x");
        let said = talk(&mut session, &["?"; MAX_REFUSED as usize]);
        assert!(said[..said.len() - 1].iter().all(|code| code == "500") && said.last().unwrap() == "421.", "{said:?}");
    }
}
