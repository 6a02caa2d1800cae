//! One SMTP connection (RFC 5321): commands are taken as they come, replies leave in order, one write per batch.
//!
//! With PIPELINING (RFC 2920) a client sends several commands at once. They are all worked off before anything is
//! written, and written in one piece before more is read: a reply never waits for the next packet.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use jiff::Timestamp;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::command::{self, Command, Reply};
use crate::content::Content;
use crate::fault::{Action, Stage};
use crate::{Shared, Taken};

/// RFC 5321 4.5.3.2.7 asks a server to wait five minutes at least.
const IDLE: Duration = Duration::from_secs(300);
/// Octets of a command line: RFC 5321 asks for 512, and SMTPUTF8 and DSN parameters add to it.
const MAX_COMMAND: usize = 2_048;
/// RFC 5321 4.5.3.1.8 asks for 100 at least.
const MAX_RECIPIENTS: usize = 1_000;
/// A client that only makes mistakes is cut off here.
const MAX_MISTAKES: u32 = 100;

struct Session {
    stream: TcpStream,
    peer: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
    input: BytesMut,
    output: Vec<u8>,
    /// What the client called itself; `None` before EHLO or HELO.
    host: Option<String>,
    transaction: Option<Transaction>,
    mistakes: u32,
}

struct Transaction {
    from: String,
    to: Vec<String>,
}

/// Why a session ends.
#[derive(Debug)]
enum End {
    /// Replies still waiting are written before the connection is closed.
    Close,
    Broken(io::Error),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

/// Serves one client to the end.
pub(crate) async fn serve(stream: TcpStream, peer: SocketAddr, shared: Arc<Shared>, stop: CancellationToken) {
    // Replies are small and complete when they are written: waiting to fill a packet only delays the client.
    let _ = stream.set_nodelay(true);
    let mut session = Session {
        stream,
        peer,
        shared,
        stop,
        input: BytesMut::with_capacity(16 << 10),
        output: Vec::new(),
        host: None,
        transaction: None,
        mistakes: 0,
    };
    let Err(end) = session.run().await;
    let closed = match end {
        End::Close => session.close().await,
        End::Broken(error) => Err(error),
    };
    if let Err(error) = closed {
        tracing::debug!(%peer, %error, "SMTP connection broke");
    }
}

/// Sends a client away because there are too many.
pub(crate) fn refuse(stream: TcpStream) {
    let _ = stream.try_write(b"421 4.7.0 too many connections\r\n");
}

/// Files carry the time in a Received field, which has no fractions: both views of a mail are to agree.
fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

impl Session {
    async fn run(&mut self) -> Result<std::convert::Infallible, End> {
        self.due(Stage::Connect, &[], |_| Reply::new(220, "newswire mailbox ESMTP")).await?;
        loop {
            let parsed = match self.line().await? {
                Some(line) => command::parse(&line),
                None => Err(Reply::new(500, "5.5.2 the command line is too long")),
            };
            match parsed {
                Ok(command) => self.command(command).await?,
                Err(reply) => self.mistake(reply)?,
            }
        }
    }

    async fn command(&mut self, command: Command) -> Result<(), End> {
        match command {
            Command::Ehlo { host, extended } => self.ehlo(host, extended).await,
            Command::Mail { from } => self.mail(from).await,
            Command::Rcpt { to } => self.rcpt(to).await,
            Command::Data => self.data().await,
            Command::Rset => {
                self.transaction = None;
                self.reply(&Reply::new(250, "2.0.0 forgotten"))
            }
            Command::Noop => self.reply(&Reply::new(250, "2.0.0 fine")),
            Command::Vrfy => self.reply(&Reply::new(252, "2.5.0 send, and see")),
            Command::Help => {
                self.reply(&Reply::new(214, "2.0.0 everything sent here is kept and shown in the browser"))
            }
            Command::Quit => {
                self.reply(&Reply::new(221, "2.0.0 goodbye"))?;
                Err(End::Close)
            }
        }
    }

    async fn ehlo(&mut self, host: String, extended: bool) -> Result<(), End> {
        self.transaction = None;
        if let Some(refusal) = self.fault(Stage::Ehlo, &[]).await? {
            return self.reply(&refusal);
        }
        if extended {
            self.output.extend_from_slice(command::ehlo_reply(&host).as_bytes());
        } else {
            self.reply(&Reply::new(250, "newswire mailbox"))?;
        }
        self.host = Some(host);
        Ok(())
    }

    async fn mail(&mut self, from: String) -> Result<(), End> {
        if self.host.is_none() {
            return self.mistake(Reply::new(503, "5.5.1 EHLO comes first"));
        }
        if self.transaction.is_some() {
            return self.mistake(Reply::new(503, "5.5.1 a mail is under way: finish it or send RSET"));
        }
        self.due(Stage::Mail, &[], |session| {
            session.transaction = Some(Transaction { from, to: Vec::new() });
            Reply::new(250, "2.1.0 sender taken")
        })
        .await
    }

    async fn rcpt(&mut self, to: String) -> Result<(), End> {
        let Some(transaction) = &self.transaction else {
            return self.mistake(Reply::new(503, "5.5.1 MAIL comes first"));
        };
        if transaction.to.len() >= MAX_RECIPIENTS {
            return self.reply(&Reply::new(452, format!("4.5.3 {MAX_RECIPIENTS} recipients at most")));
        }
        let recipient = [to];
        let refusal = self.fault(Stage::Rcpt, &recipient).await?;
        let [to] = recipient;
        if let Some(transaction) = self.transaction.as_mut().filter(|_| refusal.is_none()) {
            transaction.to.push(to);
        }
        self.reply(&refusal.unwrap_or_else(|| Reply::new(250, "2.1.5 recipient taken")))
    }

    async fn data(&mut self) -> Result<(), End> {
        let transaction = match self.transaction.take() {
            None => return self.mistake(Reply::new(503, "5.5.1 MAIL comes first")),
            // RFC 2920 3.1: a pipelining client sends DATA even when every recipient was refused.
            Some(transaction) if transaction.to.is_empty() => {
                self.transaction = Some(transaction);
                return self.reply(&Reply::new(554, "5.5.1 no valid recipients"));
            }
            Some(transaction) => transaction,
        };
        if let Some(refusal) = self.fault(Stage::Data, &transaction.to).await? {
            return self.reply(&refusal);
        }
        self.reply(&Reply::new(354, "end with a line that holds one dot"))?;
        let action = self.shared.faults.next(Stage::Content, &transaction.to);
        let cut_after = if let Action::CutAfter(octets) = action { octets } else { usize::MAX };
        let mut content = Content::default();
        while !content.take(&mut self.input) {
            if content.taken() + self.input.len() >= cut_after {
                return Err(End::Close);
            }
            self.fill().await?;
        }
        let content = content.finish();
        match action {
            Action::Accept => {}
            Action::Delay(delay) => self.pause(delay).await?,
            Action::Reply(code, text) => return self.reply(&Reply::new(code, text)),
            Action::Cut | Action::CutAfter(_) => return Err(End::Close),
            Action::KeepThenCut => {
                if let Ok(body) = content {
                    self.keep(transaction, body, false).await;
                }
                return Err(End::Close);
            }
        }
        let reply = match content {
            Ok(body) => self.keep(transaction, body, true).await,
            Err(refusal) => refusal,
        };
        self.reply(&reply)
    }

    /// Stores the mail; only then may the client be told that it is accepted, if it is `told` anything.
    async fn keep(&self, transaction: Transaction, body: Vec<u8>, told: bool) -> Reply {
        let host = self.host.clone().unwrap_or_default();
        let arrival = crate::store::Arrival {
            received: whole_second((self.shared.now)()),
            from: transaction.from,
            to: transaction.to,
            via: format!("{host} ({})", self.peer.ip()),
            raw: body.into(),
        };
        let (octets, recipients) = (arrival.raw.len(), arrival.to.len());
        let witnessed = self.shared.witness.as_ref().map(|witness| (witness, arrival.to.clone(), arrival.raw.clone()));
        match Arc::clone(&self.shared).keep(arrival).await {
            Ok(number) => {
                if let Some((witness, to, raw)) = &witnessed {
                    witness(&Taken { to, raw, told });
                }
                tracing::debug!(mail.number = number, mail.octets = octets, mail.recipients = recipients, "mail kept");
                Reply::new(250, format!("2.0.0 kept as {number}"))
            }
            Err(error) => {
                tracing::error!(%error, "mailbox could not write a mail; the sender was asked to try again");
                Reply::new(452, "4.3.1 cannot store the mail")
            }
        }
    }

    /// The reply of a stage, unless a fault takes its place; `normal` runs only when none does.
    async fn due(
        &mut self,
        stage: Stage,
        recipients: &[String],
        normal: impl FnOnce(&mut Self) -> Reply,
    ) -> Result<(), End> {
        let reply = match self.fault(stage, recipients).await? {
            Some(refusal) => refusal,
            None => normal(self),
        };
        self.reply(&reply)
    }

    /// Plays out the fault of a stage: a refusal to send instead, or nothing when the normal course goes on.
    async fn fault(&mut self, stage: Stage, recipients: &[String]) -> Result<Option<Reply>, End> {
        match self.shared.faults.next(stage, recipients) {
            Action::Accept => Ok(None),
            Action::Reply(code, text) => Ok(Some(Reply::new(code, text))),
            Action::Delay(delay) => self.pause(delay).await.map(|()| None),
            Action::Cut | Action::CutAfter(_) | Action::KeepThenCut => Err(End::Close),
        }
    }

    /// A late reply holds up those before it in the batch no longer than a slow server would.
    async fn pause(&mut self, delay: Duration) -> Result<(), End> {
        self.flush().await?;
        tokio::select! {
            () = self.stop.cancelled() => Err(End::Close),
            () = tokio::time::sleep(delay) => Ok(()),
        }
    }

    fn reply(&mut self, reply: &Reply) -> Result<(), End> {
        self.output.extend_from_slice(reply.to_string().as_bytes());
        // RFC 5321 3.8: 421 announces that the server closes the connection.
        if reply.code == 421 { Err(End::Close) } else { Ok(()) }
    }

    fn mistake(&mut self, reply: Reply) -> Result<(), End> {
        self.mistakes += 1;
        let reply = if self.mistakes > MAX_MISTAKES { Reply::new(421, "4.7.0 too many mistakes") } else { reply };
        self.reply(&reply)
    }

    /// The next command line without its ending; `None` when it was too long to be one.
    async fn line(&mut self) -> Result<Option<BytesMut>, End> {
        let mut too_long = false;
        loop {
            if let Some(newline) = self.input.iter().position(|&byte| byte == b'\n') {
                let mut line = self.input.split_to(newline + 1);
                line.truncate(newline - usize::from(line[..newline].ends_with(b"\r")));
                return Ok(Some(line).filter(|line| !too_long && line.len() <= MAX_COMMAND));
            }
            if self.input.len() > MAX_COMMAND {
                too_long = true;
                self.input.clear();
            }
            let stop = self.stop.clone();
            tokio::select! {
                filled = self.fill() => filled?,
                () = stop.cancelled() => return Err(self.leave()),
            }
        }
    }

    /// The mailbox stops, and no mail is under way: the client is told, and may come back later.
    fn leave(&mut self) -> End {
        self.output.extend_from_slice(b"421 4.3.2 the mailbox is closing\r\n");
        End::Close
    }

    /// Writes what is due, then reads more. Safe to cancel: nothing is lost that is not also lost by closing.
    async fn fill(&mut self) -> Result<(), End> {
        self.flush().await?;
        let Ok(read) = tokio::time::timeout(IDLE, self.stream.read_buf(&mut self.input)).await else {
            return self.reply(&Reply::new(421, "4.4.2 nothing heard for five minutes"));
        };
        if read? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), End> {
        while !self.output.is_empty() {
            // A client that does not read its replies is as gone as one that does not send.
            let written = tokio::time::timeout(IDLE, self.stream.write(&self.output)).await;
            let written = written.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
            self.output.drain(..written);
        }
        Ok(())
    }

    /// Writes what is due and ends the connection so that the client can still read it.
    async fn close(&mut self) -> io::Result<()> {
        if let Err(End::Broken(error)) = self.flush().await {
            return Err(error);
        }
        // Closing with octets unread would reset the connection, and the last reply with it.
        self.stream.shutdown().await?;
        let mut rest = [0; 4 << 10];
        let drained = async {
            while self.stream.read(&mut rest).await? > 0 {}
            Ok(())
        };
        tokio::time::timeout(Duration::from_secs(1), drained).await.unwrap_or(Ok(()))
    }
}
