//! One connection: bytes in and out, bounded in size and time.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use futures::future::join_all;
use inbound::{Reported, read_mail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::content::Content;
use super::session::{Envelope, Session, Then};
use crate::inbound::Gate;
use crate::inbound::gate::{Recipient, Said};

/// Bytes of a command: an address of 254 with its keywords, and room for what others add.
const MAX_LINE: usize = 2048;

/// Bytes read at a time.
const PIECE: usize = 16 * 1024;

/// How long a command may be awaited (RFC 5321 section 4.5.3.2.7).
const COMMAND: Duration = Duration::from_secs(300);

/// From the first byte of a mail to its last.
const CONTENT: Duration = Duration::from_secs(600);

/// Until a reply is taken.
const REPLY: Duration = Duration::from_secs(30);

pub(super) struct Connection {
    socket: TcpStream,
    buffer: BytesMut,
    session: Session,
    gate: Arc<Gate>,
    shutdown: CancellationToken,
}

/// The conversation is over before the client said so.
enum End {
    /// Nobody listens any more.
    Gone,
    /// Our last words.
    Words(&'static str),
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

impl Connection {
    pub(super) fn new(socket: TcpStream, gate: Arc<Gate>, shutdown: CancellationToken) -> Self {
        let session = Session::new(gate.domain());
        Self { socket, buffer: BytesMut::new(), session, gate, shutdown }
    }

    pub(super) async fn turn_away(mut self) {
        // Whoever does not listen learns it by the closed connection.
        let _ = self.say("421 4.3.2 too many connections; try again later\r\n").await;
    }

    pub(super) async fn serve(mut self) {
        // Replies are single packets, which must not wait for the acknowledgement of the one before.
        let _ = self.socket.set_nodelay(true);
        if let Err(End::Words(words)) = self.converse().await {
            let _ = self.say(words).await;
        }
    }

    async fn converse(&mut self) -> Result<(), End> {
        self.say(&self.session.greeting()).await?;
        loop {
            let line = self.line().await?;
            let gate = &self.gate;
            let (reply, then) = self.session.command(&line, |address| gate.recipient(address));
            self.say(&reply).await?;
            match then {
                Then::Command => {}
                Then::Close => return Ok(()),
                Then::Content => {
                    let mail = self.content().await?;
                    let envelope = self.session.end_of_mail();
                    // A shutdown does not cut this short: it takes 15 s at most.
                    let replies = deliver(&self.gate, &envelope, mail).await;
                    self.say(&replies).await?;
                }
            }
        }
    }

    /// The next line without its end.
    async fn line(&mut self) -> Result<BytesMut, End> {
        let deadline = Instant::now() + COMMAND;
        loop {
            let end = self.buffer.iter().take(MAX_LINE).position(|&byte| byte == b'\n');
            if let Some(end) = end {
                let mut line = self.buffer.split_to(end + 1);
                line.truncate(line.strip_suffix(b"\r\n").map_or(end, <[u8]>::len));
                return Ok(line);
            }
            if self.buffer.len() >= MAX_LINE {
                return Err(End::Words("500 5.5.2 the line is too long\r\n"));
            }
            self.more(deadline).await?;
        }
    }

    /// The mail that comes now; `None`: it is too long.
    async fn content(&mut self) -> Result<Option<Vec<u8>>, End> {
        let deadline = Instant::now() + CONTENT;
        let mut content = Content::new();
        loop {
            if let Some(end) = content.take(&self.buffer) {
                let _ = self.buffer.split_to(end);
                return Ok(content.finish());
            }
            self.buffer.clear();
            self.more(deadline).await?;
        }
    }

    async fn more(&mut self, deadline: Instant) -> Result<(), End> {
        self.buffer.reserve(PIECE);
        let read = timeout_at(deadline, self.socket.read_buf(&mut self.buffer));
        match self.shutdown.run_until_cancelled(read).await {
            None => Err(End::Words("421 4.3.2 shutting down; send it again\r\n")),
            Some(Err(_)) => Err(End::Words("421 4.4.2 nothing came in time\r\n")),
            Some(Ok(read)) => match read? {
                0 => Err(End::Gone),
                _ => Ok(()),
            },
        }
    }

    async fn say(&mut self, words: &str) -> Result<(), End> {
        timeout(REPLY, self.socket.write_all(words.as_bytes())).await.map_err(|_| End::Gone)??;
        Ok(())
    }
}

/// One reply for each recipient, in their order (RFC 2033 section 4.2).
async fn deliver(gate: &Gate, envelope: &Envelope, mail: Option<Vec<u8>>) -> String {
    let Some(mail) = mail else { return "552 5.3.4 the mail is too large\r\n".repeat(envelope.recipients.len()) };
    let sender = envelope.sender.clone();
    // A mail is a stranger's: what it costs to read must not stand in the way of what is sent.
    let read = tokio::task::spawn_blocking(move || (read_mail(&mail, &sender), mail)).await;
    let Ok((reported, mail)) = read else {
        // Once more would be the same.
        return "554 5.6.0 the mail cannot be read\r\n".repeat(envelope.recipients.len());
    };
    let replies = envelope.recipients.iter().map(|recipient| reply(gate, *recipient, &reported, &mail));
    join_all(replies).await.concat()
}

async fn reply(gate: &Gate, recipient: Recipient, reported: &Reported, mail: &[u8]) -> &'static str {
    match gate.mail(recipient, reported, mail, service_kit::now()) {
        Said::Nothing => "250 2.0.0 taken; there is nothing to do\r\n",
        Said::NotOurs => "550 5.6.0 this is no complaint about a mail of ours\r\n",
        Said::Event { event, identity } => match gate.keep(&event, &identity).await {
            Ok(()) => "250 2.0.0 taken\r\n",
            Err(error) => {
                tracing::warn!(%error, "what came back cannot be kept; its sender was asked to come again");
                "451 4.3.0 it cannot be kept now; send it again\r\n"
            }
        },
    }
}
