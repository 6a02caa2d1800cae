//! What a relay answered, and what that means for a recipient.

use std::error::Error;
use std::time::Duration;

use lettre::transport::smtp::response::Response;

/// Longest text kept of a reply, in characters.
const MAX_TEXT: usize = 500;

/// The command a reply answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Greeting, EHLO, STARTTLS and AUTH.
    Hello,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA.
    Data,
    /// The dot after the content.
    Content,
    /// RSET and QUIT.
    Reset,
}

impl Stage {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hello => "the greeting",
            Self::Mail => "MAIL",
            Self::Rcpt => "RCPT",
            Self::Data => "DATA",
            Self::Content => "the content",
            Self::Reset => "RSET",
        }
    }
}

/// One reply of the relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub stage: Stage,
    /// 200–599.
    pub code: u16,
    /// RFC 3463: class, subject, detail; only where it agrees with the code.
    pub enhanced: Option<(u8, u16, u16)>,
    /// One line without control characters, at most 500 characters, without the enhanced code. A relay may repeat the
    /// recipient's address in it.
    pub text: String,
}

/// What a refusal is about; who pauses, who is suppressed and who is retried depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The mailbox: unknown, moved, disabled or full (X.1.1–X.1.6, X.1.10, X.2.X; a bare 550, 551 or 553 to RCPT).
    Recipient,
    /// The sender's standing: authentication, reputation, content policy (X.7.X). Pause and alert; never suppress.
    Policy,
    /// This mail: its size, its form (X.3.4, X.6.X, a bare 552 or 554 to the content).
    Content,
    /// The relay, the network, the sender's address, or nothing it says.
    Relay,
}

impl Reply {
    pub fn is_permanent(&self) -> bool {
        // A bare 552 to RCPT meant "too many recipients" in an early edition: to be retried (RFC 5321, 4.5.3.1.10).
        self.code >= 500 && !(self.stage == Stage::Rcpt && self.code == 552 && self.enhanced.is_none())
    }

    pub fn cause(&self) -> Cause {
        match (self.enhanced, self.stage, self.code) {
            (Some((_, 7, _)), ..) => Cause::Policy,
            // X.1.7 and X.1.8 are about the sender's address, whatever they were said to.
            (Some((_, 1, 7 | 8)), ..) => Cause::Relay,
            (Some((_, 1 | 2, _)), Stage::Rcpt | Stage::Data | Stage::Content, _) => Cause::Recipient,
            (Some((_, 3, 4) | (_, 6, _)), ..) => Cause::Content,
            (Some(_), ..) => Cause::Relay,
            (None, Stage::Rcpt, 450 | 452 | 550 | 551 | 553) => Cause::Recipient,
            (None, Stage::Content, 552 | 554) => Cause::Content,
            (None, ..) => Cause::Relay,
        }
    }

    /// For status reports: `5.1.1`.
    pub fn enhanced_text(&self) -> Option<String> {
        self.enhanced.map(|(class, subject, detail)| format!("{class}.{subject}.{detail}"))
    }

    pub(super) fn new(stage: Stage, code: u16, text: &str) -> Self {
        let line: String =
            text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_TEXT).collect::<String>();
        let line = line.trim();
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match enhanced(word).filter(|(class, ..)| u16::from(*class) == code / 100) {
            Some(status) => Self { stage, code, enhanced: Some(status), text: rest.trim_start().to_owned() },
            None => Self { stage, code, enhanced: None, text: line.to_owned() },
        }
    }

    /// Reads lettre's result: it returns refusals as errors with a status, and all other errors mean that what comes
    /// next on the connection cannot be trusted.
    pub(super) fn read(stage: Stage, result: Result<Response, lettre::transport::smtp::Error>) -> Result<Self, Broken> {
        match result {
            Ok(response) => {
                let text: Vec<&str> = response.message().collect();
                Ok(Self::new(stage, response.code().into(), &text.join(" ")))
            }
            Err(error) => match error.status() {
                Some(code) => {
                    let text = error.source().map(ToString::to_string).unwrap_or_default();
                    Ok(Self::new(stage, code.into(), &text))
                }
                None => Err(Broken::Lost { stage, error: error.to_string() }),
            },
        }
    }
}

impl std::fmt::Display for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(enhanced) = self.enhanced_text() {
            write!(f, " {enhanced}")?;
        }
        write!(f, " {} (to {})", self.text, self.stage.as_str())
    }
}

fn enhanced(word: &str) -> Option<(u8, u16, u16)> {
    let mut numbers = word.split('.');
    let class = numbers.next()?.parse().ok()?;
    let (subject, detail) = (numbers.next()?, numbers.next()?);
    let short = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    if numbers.next().is_some() || !short(subject) || !short(detail) {
        return None;
    }
    Some((class, subject.parse().ok()?, detail.parse().ok()?))
}

/// Why a connection is of no more use. It says nothing about a recipient.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// 421: the relay is closing, shutting down or has had enough of us.
    #[error("the relay closes the connection: {0}")]
    Closing(Reply),
    #[error("the connection was lost at {}: {error}", stage.as_str())]
    Lost { stage: Stage, error: String },
    #[error("no answer to {} within {after:?}", stage.as_str())]
    TimedOut { stage: Stage, after: Duration },
    /// A reply that the command cannot have. What follows may answer anything.
    #[error("a reply that makes no sense: {0}")]
    Protocol(Reply),
    /// The connection was given up earlier.
    #[error("the connection is not usable any more; open a new one")]
    Unusable,
}

/// What became of one mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The relay took responsibility. That is not delivery.
    Accepted(Reply),
    /// Refused this time: 4xx.
    Deferred(Reply),
    /// Refused for good: 5xx. See [`Reply::cause`] for what is to blame before anybody is suppressed.
    Failed(Reply),
    /// The relay does not have it, and has said nothing against it: safe to send again at once.
    Unsent(Broken),
    /// The content was on its way and no answer came: the relay may have it or not.
    Unknown(Broken),
}

impl Outcome {
    pub(super) fn refused(reply: Reply) -> Self {
        if reply.is_permanent() { Self::Failed(reply) } else { Self::Deferred(reply) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enhanced_codes_are_read_where_they_agree() {
        for (code, text, enhanced, rest) in [
            (250, "2.0.0 Ok: queued as 1A2B", Some((2, 0, 0)), "Ok: queued as 1A2B"),
            (550, "5.1.1 no such user", Some((5, 1, 1)), "no such user"),
            (550, "4.1.1 disagrees", None, "4.1.1 disagrees"),
            (550, "5.1.1.1 too many", None, "5.1.1.1 too many"),
            (550, "5.1 too few", None, "5.1 too few"),
            (450, "4.7.25", Some((4, 7, 25)), ""),
            (250, "", None, ""),
            (554, "5.7.1 bad\u{1b}[31m\r\nline", Some((5, 7, 1)), "bad [31m  line"),
        ] {
            let reply = Reply::new(Stage::Rcpt, code, text);
            assert_eq!((reply.enhanced, reply.text.as_str()), (enhanced, rest), "{text:?}");
        }
        assert_eq!(Reply::new(Stage::Rcpt, 550, &"党".repeat(9_999)).text.chars().count(), MAX_TEXT);
    }

    #[test]
    fn the_cause_and_the_class_follow_code_and_command() {
        use Cause::*;
        for (stage, code, text, permanent, cause) in [
            (Stage::Rcpt, 550, "5.1.1 unknown", true, Recipient),
            (Stage::Rcpt, 550, "unknown", true, Recipient),
            (Stage::Content, 552, "5.2.2 full", true, Recipient),
            (Stage::Rcpt, 550, "5.7.1 spam", true, Policy),
            (Stage::Content, 550, "5.7.26 unauthenticated", true, Policy),
            (Stage::Content, 552, "5.3.4 too big", true, Content),
            (Stage::Content, 554, "no", true, Content),
            (Stage::Mail, 550, "5.1.8 bad sender", true, Relay),
            (Stage::Mail, 550, "5.1.1 confused", true, Relay),
            (Stage::Mail, 550, "no", true, Relay),
            (Stage::Rcpt, 450, "4.2.1 busy", false, Recipient),
            (Stage::Rcpt, 452, "4.5.3 too many", false, Relay),
            (Stage::Rcpt, 552, "too many", false, Relay),
            (Stage::Data, 451, "later", false, Relay),
        ] {
            let reply = Reply::new(stage, code, text);
            assert_eq!((reply.is_permanent(), reply.cause()), (permanent, cause), "{reply}");
        }
    }
}
