//! SMTP commands and replies (RFC 5321 section 4), as text in and values out. No I/O.

use std::fmt;

/// Bytes of the largest mail, announced as SIZE (RFC 1870). What large providers take.
pub(crate) const MAX_MAIL: usize = 25 << 20;
/// RFC 5321 4.5.3.1.3: a path is at most 256 octets with its brackets.
const MAX_PATH: usize = 254;

/// One command line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Ehlo { host: String, extended: bool },
    Mail { from: String },
    Rcpt { to: String },
    Data,
    Rset,
    Noop,
    Vrfy,
    Help,
    Quit,
}

/// One reply: a three-digit code and a text that starts with its enhanced status code (RFC 2034).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn new(code: u16, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}\r\n", self.code, self.text)
    }
}

/// The extensions offered after EHLO. DSN parameters are taken and have no effect: nothing is sent from here.
pub(crate) fn ehlo_reply(host: &str) -> String {
    format!(
        "250-newswire mailbox greets {host}\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-SIZE {MAX_MAIL}\r\n\
         250-DSN\r\n250 ENHANCEDSTATUSCODES\r\n"
    )
}

/// Reads one command line without its line ending.
///
/// # Errors
/// The reply the client gets instead.
pub(crate) fn parse(line: &[u8]) -> Result<Command, Reply> {
    let line = std::str::from_utf8(line).map_err(|_| Reply::new(500, "5.5.2 the command is not UTF-8"))?.trim_end();
    if line.chars().any(char::is_control) {
        return Err(Reply::new(500, "5.5.2 control character in the command"));
    }
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let rest = rest.trim();
    match verb.to_ascii_uppercase().as_str() {
        "EHLO" => greeting(rest, true),
        "HELO" => greeting(rest, false),
        "MAIL" => mail(rest),
        "RCPT" => rcpt(rest),
        "DATA" if rest.is_empty() => Ok(Command::Data),
        "RSET" if rest.is_empty() => Ok(Command::Rset),
        "QUIT" if rest.is_empty() => Ok(Command::Quit),
        "DATA" | "RSET" | "QUIT" => Err(Reply::new(501, "5.5.4 this command takes no argument")),
        "NOOP" => Ok(Command::Noop),
        "VRFY" => Ok(Command::Vrfy),
        "HELP" => Ok(Command::Help),
        "EXPN" | "STARTTLS" | "AUTH" | "BDAT" => Err(Reply::new(502, "5.5.1 not offered here")),
        _ => Err(Reply::new(500, "5.5.1 unknown command")),
    }
}

fn greeting(host: &str, extended: bool) -> Result<Command, Reply> {
    // It goes into the Received field, so it may hold nothing that ends a word there.
    if host.is_empty() || host.len() > 255 || !host.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Reply::new(501, "5.5.4 say who you are: EHLO host.example"));
    }
    Ok(Command::Ehlo { host: host.to_owned(), extended })
}

fn mail(rest: &str) -> Result<Command, Reply> {
    let (from, parameters) = path(rest, "FROM:")?;
    let mut utf8 = false;
    for parameter in parameters.split_ascii_whitespace() {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match name.to_ascii_uppercase().as_str() {
            "SIZE" => match value.parse::<u64>() {
                Ok(size) if size <= MAX_MAIL as u64 => {}
                Ok(_) => return Err(Reply::new(552, format!("5.3.4 a mail may have {MAX_MAIL} bytes at most"))),
                Err(_) => return Err(Reply::new(501, "5.5.4 SIZE takes a number of bytes")),
            },
            "BODY" if ["7BIT", "8BITMIME"].iter().any(|known| value.eq_ignore_ascii_case(known)) => {}
            "SMTPUTF8" if value.is_empty() => utf8 = true,
            "RET" | "ENVID" => {}
            _ => return Err(Reply::new(555, "5.5.4 unknown MAIL parameter")),
        }
    }
    if !utf8 && !from.is_ascii() {
        return Err(Reply::new(550, "5.6.7 an address beyond ASCII needs SMTPUTF8 on MAIL"));
    }
    Ok(Command::Mail { from: from.to_owned() })
}

fn rcpt(rest: &str) -> Result<Command, Reply> {
    let (to, parameters) = path(rest, "TO:")?;
    if to.is_empty() {
        return Err(Reply::new(553, "5.1.3 a recipient needs an address"));
    }
    for parameter in parameters.split_ascii_whitespace() {
        let name = parameter.split_once('=').map_or(parameter, |(name, _)| name);
        if !["NOTIFY", "ORCPT"].iter().any(|known| name.eq_ignore_ascii_case(known)) {
            return Err(Reply::new(555, "5.5.4 unknown RCPT parameter"));
        }
    }
    Ok(Command::Rcpt { to: to.to_owned() })
}

/// `FROM:<address> parameters` → address and parameters. The address is what tests compare: it is not normalised.
fn path<'l>(rest: &'l str, keyword: &str) -> Result<(&'l str, &'l str), Reply> {
    let syntax = || Reply::new(501, format!("5.5.4 expected {keyword}<address>"));
    let head = rest.get(..keyword.len()).filter(|head| head.eq_ignore_ascii_case(keyword)).ok_or_else(syntax)?;
    let bracketed = rest[head.len()..].trim_start().strip_prefix('<').ok_or_else(syntax)?;
    let end = end_of_path(bracketed).ok_or_else(syntax)?;
    let (address, parameters) = (&bracketed[..end], &bracketed[end + 1..]);
    if !parameters.is_empty() && !parameters.starts_with(' ') {
        return Err(syntax());
    }
    // RFC 5321 4.5.1: <postmaster> needs no domain. The empty path is the null sender.
    let has_domain = address.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    if !address.is_empty() && !has_domain && !address.eq_ignore_ascii_case("postmaster") {
        return Err(Reply::new(501, "5.1.3 expected local-part@domain"));
    }
    if address.len() > MAX_PATH {
        return Err(Reply::new(501, "5.1.3 the address is longer than 254 octets"));
    }
    Ok((address, parameters))
}

/// The offset of the closing bracket, which a quoted local part may also contain.
fn end_of_path(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'>' if !quoted => return Some(at),
            b'<' | b' ' if !quoted => return None,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(line: &str) -> u16 {
        parse(line.as_bytes()).expect_err(line).code
    }

    #[test]
    fn reads_what_clients_send() {
        let mail = |from: &str| Command::Mail { from: from.into() };
        let rcpt = |to: &str| Command::Rcpt { to: to.into() };
        for (line, expected) in [
            ("EHLO mx.example", Command::Ehlo { host: "mx.example".into(), extended: true }),
            ("helo [127.0.0.1]", Command::Ehlo { host: "[127.0.0.1]".into(), extended: false }),
            ("MAIL FROM:<>", mail("")),
            ("mail from: <a@b.example>", mail("a@b.example")),
            ("MAIL FROM:<a@b> SIZE=100 BODY=8BITMIME RET=HDRS ENVID=x", mail("a@b")),
            ("MAIL FROM:<编辑@例子.example> SMTPUTF8", mail("编辑@例子.example")),
            ("RCPT TO:<b@c> NOTIFY=NEVER ORCPT=rfc822;b@c", rcpt("b@c")),
            ("RCPT TO:<قارئ@example.org>", rcpt("قارئ@example.org")),
            ("RCPT TO:<\"a> b\"@c>", rcpt("\"a> b\"@c")),
            ("RCPT TO:<Postmaster>", rcpt("Postmaster")),
            ("DATA ", Command::Data),
            ("NOOP ignored", Command::Noop),
            ("VRFY anyone", Command::Vrfy),
        ] {
            assert_eq!(parse(line.as_bytes()), Ok(expected), "{line}");
        }
    }

    #[test]
    fn refuses_with_the_code_the_rfc_gives() {
        for (line, expected) in [
            ("", 500),
            ("RÜCKSETZEN", 500),
            ("NOOP \u{7}", 500),
            ("MAIL FROM:<a@b>\rRCPT TO:<c@d>", 500),
            ("EHLO", 501),
            ("EHLO two words", 501),
            ("DATA now", 501),
            ("MAIL a@b", 501),
            ("MAIL FROM:a@b", 501),
            ("MAIL FROM:<a@b", 501),
            ("MAIL FROM:<a@b>x", 501),
            ("MAIL FROM:<a>", 501),
            ("MAIL FROM:<a@b> SIZE=much", 501),
            ("MAIL FROM:<编辑@example.org>", 550),
            ("MAIL FROM:<a@b> SIZE=99999999999", 552),
            ("MAIL FROM:<a@b> BODY=BINARYMIME", 555),
            ("MAIL FROM:<a@b> NOTIFY=NEVER", 555),
            ("RCPT TO:<>", 553),
            ("RCPT TO:<a@b> RET=FULL", 555),
            ("RCPT TÖ:<a@b>", 501),
            ("STARTTLS", 502),
        ] {
            assert_eq!(code(line), expected, "{line:?}");
        }
        assert_eq!(code(&format!("RCPT TO:<{}@b.example>", "a".repeat(260))), 501);
        assert_eq!(parse(b"NOOP \xff").expect_err("not UTF-8").code, 500);
    }
}
