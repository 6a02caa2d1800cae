//! The SMTP server over a socket: order of replies, refusals, faults, what is kept, stopping.

use std::time::Duration;

use jiff::Timestamp;
use mailbox::{Action, Config, Fault, Mailbox, Stage};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

fn noon() -> Timestamp {
    "2018-11-26T12:00:00.5Z".parse().expect("a time")
}

async fn start(faults: Vec<Fault>) -> Mailbox {
    let config = Config { faults: faults.into(), ..Config::new(noon) };
    Mailbox::start(config, &CancellationToken::new()).await.expect("a mailbox")
}

struct Client(BufReader<TcpStream>);

impl Client {
    async fn connect(mailbox: &Mailbox) -> Self {
        Self(BufReader::new(TcpStream::connect(mailbox.smtp_addr()).await.expect("connect")))
    }

    /// Past the greeting and EHLO.
    async fn greeted(mailbox: &Mailbox) -> Self {
        let mut client = Self::connect(mailbox).await;
        assert_eq!(client.code().await, 220);
        client.send("EHLO test.example\r\n").await;
        assert_eq!(client.code().await, 250);
        client
    }

    async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.expect("send");
    }

    /// The code of the next reply, continuation lines skipped; 0 when the connection ended instead.
    async fn code(&mut self) -> u16 {
        self.reply().await.get(..3).map_or(0, |code| code.parse().expect("a code"))
    }

    async fn reply(&mut self) -> String {
        loop {
            let mut line = String::new();
            let read = tokio::time::timeout(Duration::from_secs(20), self.0.read_line(&mut line));
            match read.await.expect("a reply within 20 s") {
                Ok(0) | Err(_) => return String::new(),
                Ok(_) if line.as_bytes()[3] == b'-' => {}
                Ok(_) => return line,
            }
        }
    }

    async fn codes(&mut self, count: usize) -> Vec<u16> {
        let mut codes = Vec::new();
        for _ in 0..count {
            codes.push(self.code().await);
        }
        codes
    }
}

const MAIL: &str = "MAIL FROM:<desk@example.org>\r\nRCPT TO:<a@example.org>\r\nDATA\r\n";
const BODY: &str = "Subject: one\r\n\r\n..stuffed\r\n.\r\n";

#[tokio::test]
async fn a_pipelined_batch_is_answered_in_order_and_kept() {
    let mailbox = start(vec![]).await;
    let mut client = Client::greeted(&mailbox).await;
    client
        .send("MAIL FROM:<desk@example.org>\r\nRCPT TO:<a@example.org>\r\nRCPT TO:<读者@例子.example>\r\nDATA\r\n")
        .await;
    assert_eq!(client.codes(4).await, [250, 250, 250, 354]);
    // The end of one mail and the whole of the next envelope in one packet: one round trip a mail.
    client.send(&format!("{BODY}MAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n")).await;
    assert_eq!(client.codes(4).await, [250, 250, 250, 354]);
    client.send(".\r\nNOOP\r\nVRFY x\r\nRSET\r\nQUIT\r\n").await;
    assert_eq!(client.codes(6).await, [250, 250, 252, 250, 221, 0]);
    let mails = mailbox.mails();
    assert_eq!(mails.len(), 2);
    assert_eq!((mails[0].number, mails[0].from.as_str()), (1, "desk@example.org"));
    assert_eq!(mails[0].to, ["a@example.org", "读者@例子.example"]);
    assert_eq!(&mails[0].raw[..], b"Subject: one\r\n\r\n.stuffed\r\n");
    assert_eq!(mails[0].received.to_string(), "2018-11-26T12:00:00Z");
    assert_eq!((mails[1].from.as_str(), mails[1].raw.len()), ("", 0));
}

#[tokio::test]
async fn replies_do_not_depend_on_the_packets() {
    let mailbox = start(vec![]).await;
    let mut client = Client::greeted(&mailbox).await;
    for byte in format!("{MAIL}{BODY}").as_bytes() {
        client.0.write_all(&[*byte]).await.expect("send");
        client.0.flush().await.expect("flush");
    }
    assert_eq!(client.codes(4).await, [250, 250, 354, 250]);
    assert_eq!(&mailbox.mails()[0].raw[..], b"Subject: one\r\n\r\n.stuffed\r\n");
}

#[tokio::test]
async fn commands_out_of_order_and_broken_ones_are_refused_and_the_session_goes_on() {
    let mailbox = start(vec![]).await;
    let mut client = Client::connect(&mailbox).await;
    assert_eq!(client.code().await, 220);
    let long = format!("NOOP {}\r\n", "x".repeat(9_000));
    for (line, code) in [
        ("MAIL FROM:<a@b>\r\n", 503),
        ("EHLO me\r\n", 250),
        ("RCPT TO:<a@b>\r\n", 503),
        ("DATA\r\n", 503),
        ("MAIL FROM:<a@b>\r\n", 250),
        ("MAIL FROM:<a@b>\r\n", 503),
        ("DATA\r\n", 554),
        ("RCPT TO:<>\r\n", 553),
        ("RSET\r\n", 250),
        ("RCPT TO:<a@b>\r\n", 503),
        (long.as_str(), 500),
        ("MAIL FROM:<a@b>\r\n", 250),
        ("EHLO again\r\n", 250),
        ("RCPT TO:<a@b>\r\n", 503),
        ("HELO old\n", 250),
    ] {
        client.send(line).await;
        assert_eq!(client.code().await, code, "{}", &line[..line.len().min(40)]);
    }
    // Its end must not be taken for a command of its own.
    client.send(&long).await;
    assert!(client.reply().await.contains("too long"));
    assert!(mailbox.mails().is_empty());
}

#[tokio::test]
async fn limits_are_told() {
    let mailbox = start(vec![]).await;
    let mut client = Client::greeted(&mailbox).await;
    client.send("MAIL FROM:<a@b>\r\n").await;
    for number in 0..1001 {
        client.send(&format!("RCPT TO:<r{number}@b>\r\n")).await;
    }
    let codes = client.codes(1002).await;
    assert!(codes[..1001].iter().all(|&code| code == 250));
    assert_eq!(codes[1001], 452);
    client.send(&format!("DATA\r\n{}\r\n.\r\n", "x".repeat(999))).await;
    assert_eq!(client.codes(2).await, [354, 554]);
    // Nonsense without end.
    client.send(&"NONSENSE\r\n".repeat(101)).await;
    let codes = client.codes(102).await;
    assert!(codes[..100].iter().all(|&code| code == 500), "{codes:?}");
    assert_eq!(codes[100..], [421, 0]);
}

#[tokio::test]
async fn faults_replace_the_reply_of_their_stage() {
    let refuse = |stage| Fault::reply(stage, 451, "4.3.0 later").times(1);
    for (fault, codes) in [
        (refuse(Stage::Mail), vec![451, 503, 503]),
        (refuse(Stage::Rcpt), vec![250, 451, 554]),
        (refuse(Stage::Data), vec![250, 250, 451]),
        (Fault::reply(Stage::Rcpt, 421, "4.3.2 full").times(1), vec![250, 421, 0]),
        (Fault::new(Stage::Rcpt, Action::Cut), vec![250, 0]),
        (Fault::new(Stage::Data, Action::Cut), vec![250, 250, 0]),
        (Fault::new(Stage::Rcpt, Action::Delay(Duration::from_millis(20))), vec![250, 250, 354]),
        (Fault::reply(Stage::Rcpt, 550, "5.1.1 unknown").to("other@example.org"), vec![250, 250, 354]),
    ] {
        let mailbox = start(vec![fault.clone()]).await;
        let mut client = Client::greeted(&mailbox).await;
        client.send(MAIL).await;
        assert_eq!(client.codes(codes.len()).await, codes, "{fault:?}");
    }
    let mailbox = start(vec![Fault::reply(Stage::Connect, 554, "5.3.2 closed"), refuse(Stage::Ehlo)]).await;
    let mut client = Client::connect(&mailbox).await;
    client.send("EHLO me\r\nEHLO me\r\n").await;
    assert_eq!(client.codes(3).await, [554, 451, 250]);
}

#[tokio::test]
async fn faults_at_the_content_decide_whether_the_mail_is_kept() {
    for (action, reply, kept) in [
        (Action::Accept, 250, 1),
        (Action::Delay(Duration::from_millis(20)), 250, 1),
        (Action::Reply(451, "4.3.0 later".into()), 451, 0),
        (Action::Reply(421, "4.3.2 full".into()), 421, 0),
        (Action::Cut, 0, 0),
        (Action::CutAfter(5), 0, 0),
        (Action::KeepThenCut, 0, 1),
    ] {
        let mailbox = start(vec![Fault::new(Stage::Content, action.clone()).to("A@example.org")]).await;
        let mut client = Client::greeted(&mailbox).await;
        client.send(MAIL).await;
        assert_eq!(client.codes(3).await, [250, 250, 354]);
        // For CutAfter the end is still to come when the connection goes.
        client.send(BODY).await;
        assert_eq!(client.code().await, reply, "{action:?}");
        assert_eq!(mailbox.mails().len(), kept, "{action:?}");
    }
}

#[tokio::test]
async fn stopping_lets_a_mail_under_way_finish_and_tells_the_idle() {
    let shutdown = CancellationToken::new();
    let mailbox = Mailbox::start(Config::new(noon), &shutdown).await.expect("a mailbox");
    let (smtp, http) = (mailbox.smtp_addr(), mailbox.http_addr());
    let mut idle = Client::greeted(&mailbox).await;
    let mut busy = Client::greeted(&mailbox).await;
    busy.send(MAIL).await;
    assert_eq!(busy.codes(3).await, [250, 250, 354]);
    shutdown.cancel();
    assert_eq!(idle.codes(2).await, [421, 0]);
    busy.send(BODY).await;
    assert_eq!(busy.codes(3).await, [250, 421, 0]);
    assert_eq!(mailbox.mails().len(), 1);
    mailbox.stop().await;
    TcpStream::connect(smtp).await.expect_err("SMTP is closed");
    TcpStream::connect(http).await.expect_err("the viewer is closed");
}

#[tokio::test]
async fn a_folder_outlives_the_mailbox_that_was_dropped_without_stopping() {
    let dir = tempfile::tempdir().expect("a folder");
    let config = || Config { dir: Some(dir.path().join("mail")), ..Config::new(noon) };
    let mailbox = Mailbox::start(config(), &CancellationToken::new()).await.expect("a mailbox");
    let mut client = Client::greeted(&mailbox).await;
    client.send(&format!("{MAIL}{BODY}")).await;
    assert_eq!(client.codes(4).await, [250, 250, 354, 250]);
    let before = format!("{:?}", mailbox.mails());
    drop(mailbox);
    let mut rest = Vec::new();
    let _ = client.0.read_to_end(&mut rest).await;
    let mailbox = Mailbox::start(config(), &CancellationToken::new()).await.expect("the folder is free again");
    assert_eq!(format!("{:?}", mailbox.mails()), before);
    let second = Mailbox::start(config(), &CancellationToken::new()).await.err().expect("the folder is in use");
    assert!(second.to_string().contains("another mailbox"), "{second}");
}

#[tokio::test]
async fn lettre_delivers() {
    use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
    let mailbox = start(vec![]).await;
    let transport =
        AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1").port(mailbox.smtp_addr().port()).build();
    let message = Message::builder()
        .from("新闻 <desk@example.org>".parse().expect("an address"))
        .to("reader@example.org".parse().expect("an address"))
        .subject("头条 🗞️ أخبار")
        .body("第一行\r\n.\r\n第二行\r\n".to_owned())
        .expect("a mail");
    transport.send(message).await.expect("accepted");
    let content = mailbox.mails()[0].content();
    assert_eq!(content.header("Subject"), Some("头条 🗞️ أخبار"));
    assert_eq!(content.text.as_deref().map(str::trim_end), Some("第一行\r\n.\r\n第二行"));
}
