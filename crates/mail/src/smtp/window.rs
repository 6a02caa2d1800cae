//! Sending a window of mails, about one round trip each.
//!
//! RFC 2920 lets the end of one mail and the MAIL, RCPT and DATA of the next travel in one write; DATA must be the
//! last of a group, as the content waits for its 354. So each turn writes `content . MAIL RCPT DATA` and reads four
//! replies. A relay that does not offer PIPELINING gets the same commands one by one.

use std::fmt::Write;
use std::time::Duration;

use tokio::time::timeout;

use super::connection::{Connection, Offers};
use super::reply::{Broken, Outcome, Reply, Stage};
use crate::address::Address;
use crate::compose::Message;

/// One mail and its envelope.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// Where bounces go, see [`crate::return_path`].
    pub from: &'a Address,
    pub to: &'a Address,
    pub message: &'a Message,
}

/// What ends the transaction before: the first reply of a turn answers it.
enum Closing {
    /// Nothing is open.
    Nothing,
    /// The content of this mail, whose fate its reply decides.
    Content(usize),
    /// The relay waits for content though it refused the recipient: it gets none (RFC 2920 section 3.1).
    Dot,
    /// Refused before DATA.
    Reset,
}

impl Connection {
    /// Sends every mail of the window that can be sent, and says of each what became of it, in order.
    ///
    /// Refusals concern one mail each and the window goes on. When the connection breaks, the mail whose content was
    /// on its way is [`Outcome::Unknown`], and every mail after it [`Outcome::Unsent`]. If this future is dropped,
    /// the connection is not usable any more.
    pub async fn send_window(&mut self, window: &[Outgoing<'_>]) -> Vec<Outcome> {
        let mut outcomes: Vec<Option<Outcome>> = vec![None; window.len()];
        let broken = if std::mem::replace(&mut self.usable, false) {
            let result = self.run(window, &mut outcomes).await;
            self.usable = result.is_ok();
            result.err()
        } else {
            Some(Broken::Unusable)
        };
        // Without a break every mail has its outcome.
        let unsent = Outcome::Unsent(broken.unwrap_or(Broken::Unusable));
        outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| unsent.clone())).collect()
    }

    async fn run(&mut self, window: &[Outgoing<'_>], outcomes: &mut [Option<Outcome>]) -> Result<(), Broken> {
        let mut closing = Closing::Nothing;
        let mut buffer = String::new();
        for (n, outgoing) in window.iter().enumerate() {
            if let Some(reply) = self.too_big(outgoing) {
                outcomes[n] = Some(Outcome::Failed(reply));
                continue;
            }
            buffer.clear();
            push_closing(&mut buffer, &closing, window);
            let ended = self.begin(&mut buffer, outgoing, closing, outcomes).await?;
            closing = match ended {
                Begun::Ready => Closing::Content(n),
                Begun::Refused { reply, content_expected } => {
                    outcomes[n] = Some(Outcome::refused(reply));
                    if content_expected { Closing::Dot } else { Closing::Reset }
                }
            };
        }
        buffer.clear();
        push_closing(&mut buffer, &closing, window);
        self.settle(closing, &buffer, outcomes).await
    }

    /// Ends the transaction before and begins the one of `outgoing`, as far as the relay lets it.
    async fn begin(
        &mut self,
        buffer: &mut String,
        outgoing: &Outgoing<'_>,
        closing: Closing,
        outcomes: &mut [Option<Outcome>],
    ) -> Result<Begun, Broken> {
        let [mail, rcpt, data] = commands(outgoing, self.offers);
        if !self.offers.pipelining {
            self.settle(closing, buffer, outcomes).await?;
            for (stage, command) in [(Stage::Mail, mail), (Stage::Rcpt, rcpt), (Stage::Data, data)] {
                let reply = self.exchange(stage, &command).await?;
                if let Some(reply) = refusal(reply)? {
                    return Ok(Begun::Refused { reply, content_expected: false });
                }
            }
            return Ok(Begun::Ready);
        }
        for command in [&mail, &rcpt, &data] {
            buffer.push_str(command);
        }
        let first = if let Closing::Nothing = closing {
            self.exchange(Stage::Mail, buffer).await?
        } else {
            self.settle(closing, buffer, outcomes).await?;
            self.exchange(Stage::Mail, "").await?
        };
        // All three are read, whatever the first says: a reply left behind would answer the next mail's command.
        let replies = [first, self.exchange(Stage::Rcpt, "").await?, self.exchange(Stage::Data, "").await?];
        let content_expected = replies[2].code == 354;
        for reply in replies {
            if let Some(reply) = refusal(reply)? {
                return Ok(Begun::Refused { reply, content_expected });
            }
        }
        Ok(Begun::Ready)
    }

    /// Writes `buffer`, which begins with what ends the transaction before, and reads the reply to that.
    async fn settle(&mut self, closing: Closing, buffer: &str, outcomes: &mut [Option<Outcome>]) -> Result<(), Broken> {
        match closing {
            Closing::Nothing => Ok(()),
            Closing::Content(n) => match self.exchange(Stage::Content, buffer).await {
                Ok(reply) if (200..300).contains(&reply.code) => {
                    outcomes[n] = Some(Outcome::Accepted(reply));
                    Ok(())
                }
                Ok(reply) if reply.code >= 400 => {
                    outcomes[n] = Some(Outcome::refused(reply));
                    Ok(())
                }
                // It said itself that it does not take the mail.
                Err(broken @ Broken::Closing(_)) => Err(broken),
                Ok(reply) => {
                    outcomes[n] = Some(Outcome::Unknown(Broken::Protocol(reply.clone())));
                    Err(Broken::Protocol(reply))
                }
                Err(broken) => {
                    outcomes[n] = Some(Outcome::Unknown(broken.clone()));
                    Err(broken)
                }
            },
            // Whatever it says of nothing at all, the transaction is over (RFC 5321 section 4.1.1.4).
            Closing::Dot => self.exchange(Stage::Data, buffer).await.map(drop),
            Closing::Reset => match self.exchange(Stage::Reset, buffer).await? {
                reply if (200..300).contains(&reply.code) => Ok(()),
                reply => Err(Broken::Protocol(reply)),
            },
        }
    }

    /// Writes, if there is something to write, and reads one reply.
    async fn exchange(&mut self, stage: Stage, write: &str) -> Result<Reply, Broken> {
        let after: Duration = if stage == Stage::Content { self.timeouts.content } else { self.timeouts.command };
        let inner = &mut self.inner;
        let answer = async { if write.is_empty() { inner.read_response().await } else { inner.command(write).await } };
        let reply = match timeout(after, answer).await {
            Ok(result) => Reply::read(stage, result)?,
            Err(_) => return Err(Broken::TimedOut { stage, after }),
        };
        if reply.code == 421 { Err(Broken::Closing(reply)) } else { Ok(reply) }
    }

    /// The refusal that the relay announced in EHLO, without sending it the mail to hear it.
    fn too_big(&self, outgoing: &Outgoing<'_>) -> Option<Reply> {
        let size = outgoing.message.as_bytes().len();
        let limit = self.offers.max_size.filter(|limit| size > *limit)?;
        let text = format!("5.3.4 the mail has {size} bytes, the relay takes {limit}");
        Some(Reply::new(Stage::Mail, 552, &text))
    }
}

enum Begun {
    /// The relay waits for the content.
    Ready,
    Refused {
        reply: Reply,
        content_expected: bool,
    },
}

/// The reply if it refuses; an error if the command cannot have it.
fn refusal(reply: Reply) -> Result<Option<Reply>, Broken> {
    let expected = if reply.stage == Stage::Data { 354..=354 } else { 250..=252 };
    match reply.code {
        code if expected.contains(&code) => Ok(None),
        400.. => Ok(Some(reply)),
        _ => Err(Broken::Protocol(reply)),
    }
}

fn commands(outgoing: &Outgoing<'_>, offers: Offers) -> [String; 3] {
    let mut mail = format!("MAIL FROM:<{}>", outgoing.from.as_str());
    let mut rcpt = format!("RCPT TO:<{}>", outgoing.to.as_str());
    if offers.size {
        write!(mail, " SIZE={}", outgoing.message.as_bytes().len()).expect("writing to a String cannot fail");
    }
    if offers.dsn {
        // Headers are enough to know the mail again, and no body of a reader's mail then lies in bounces.
        mail.push_str(" RET=HDRS");
        rcpt.push_str(" NOTIFY=FAILURE");
    }
    mail.push_str("\r\n");
    rcpt.push_str("\r\n");
    [mail, rcpt, "DATA\r\n".to_owned()]
}

fn push_closing(buffer: &mut String, closing: &Closing, window: &[Outgoing<'_>]) {
    match closing {
        Closing::Nothing => {}
        Closing::Content(n) => push_content(buffer, window[*n].message.as_str()),
        Closing::Dot => buffer.push_str(".\r\n"),
        Closing::Reset => buffer.push_str("RSET\r\n"),
    }
}

/// Appends the content with a dot before each at the start of a line (RFC 5321 section 4.5.2), and the dot that
/// ends it. A [`Message`] ends with CRLF.
fn push_content(buffer: &mut String, message: &str) {
    buffer.reserve(message.len() + 1024);
    if message.starts_with('.') {
        buffer.push('.');
    }
    let mut copied = 0;
    for line_end in memchr::memmem::find_iter(message.as_bytes(), b"\n.") {
        buffer.push_str(&message[copied..=line_end]);
        buffer.push('.');
        copied = line_end + 1;
    }
    buffer.push_str(&message[copied..]);
    buffer.push_str(".\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_at_the_start_of_a_line_are_doubled() {
        for (message, sent) in [
            ("a.b\r\n", "a.b\r\n.\r\n"),
            (".\r\n", "..\r\n.\r\n"),
            (".a\r\n..b\r\nc.\r\n.\r\n", "..a\r\n...b\r\nc.\r\n..\r\n.\r\n"),
        ] {
            let mut buffer = String::new();
            push_content(&mut buffer, message);
            assert_eq!(buffer, sent);
        }
    }
}
