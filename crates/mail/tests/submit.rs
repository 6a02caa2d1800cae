//! Windows of mails against a mailbox that refuses and vanishes, and against a relay that is nastier than that.
#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

mod common;

use std::time::Duration;

use common::{address, alert, article};
use mail::smtp::{Broken, Cause, OpenError, Stage, Timeouts, Tls};
use mail::{Address, Connection, Locale, Message, Outcome, Outgoing, Relay};
use mailbox::{Action, Config, Fault, Mailbox, Stage as At};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

fn relay(port: u16) -> Relay {
    let short = Duration::from_secs(20);
    Relay {
        host: "127.0.0.1".into(),
        port,
        tls: Tls::None,
        auth: None,
        hello: "mail.news.example".into(),
        timeouts: Timeouts { connect: short, command: short, content: short },
    }
}

async fn mailbox(faults: Vec<Fault>) -> Mailbox {
    let mut config = Config::new(|| "2026-11-22T10:00:00Z".parse().unwrap());
    config.faults = faults.into();
    Mailbox::start(config, &Default::default()).await.unwrap()
}

fn message() -> Message {
    alert(&article(json!({"headline": "...dots"})), Locale::English)
}

fn readers(count: usize) -> Vec<Address> {
    (0..count).map(|n| address(&format!("reader{n}@example.org"))).collect()
}

async fn send(connection: &mut Connection, readers: &[Address], message: &Message) -> Vec<Outcome> {
    let from = address("bounces+t.00@mail.news.example");
    let window: Vec<Outgoing<'_>> = readers.iter().map(|to| Outgoing { from: &from, to, message }).collect();
    connection.send_window(&window).await
}

/// One letter for each mail: accepted, deferred, failed, unsent, or ? for unknown.
fn letters(outcomes: &[Outcome]) -> String {
    let letter = |outcome: &Outcome| match outcome {
        Outcome::Accepted(_) => 'a',
        Outcome::Deferred(_) => 'd',
        Outcome::Failed(_) => 'f',
        Outcome::Unsent(_) => 'u',
        Outcome::Unknown(_) => '?',
    };
    outcomes.iter().map(letter).collect()
}

#[tokio::test]
async fn a_window_arrives_byte_for_byte_and_the_connection_goes_on() {
    let mailbox = mailbox(Vec::new()).await;
    let mut connection = Connection::open(&relay(mailbox.smtp_addr().port())).await.unwrap();
    let (readers, message) = (readers(20), message());
    for round in 1..=2 {
        let outcomes = send(&mut connection, &readers, &message).await;
        assert_eq!(letters(&outcomes), "a".repeat(20));
        assert_eq!(mailbox.mails().len(), round * 20);
    }
    let mails = mailbox.mails();
    for (mail, reader) in mails.iter().zip(readers.iter().chain(&readers)) {
        assert_eq!(mail.to, [reader.as_str()]);
        assert_eq!(mail.from, "bounces+t.00@mail.news.example");
        assert!(mail.raw[..] == *message.as_bytes());
    }
    assert!(connection.is_usable());
    assert!(send(&mut connection, &[], &message).await.is_empty());
    connection.close().await;
}

/// Refusals concern one mail; those around it pass.
#[tokio::test]
async fn a_refusal_is_about_its_own_mail_only() {
    for (fault, stage, letter, cause) in [
        (Fault::reply(At::Rcpt, 550, "5.1.1 nobody here"), Stage::Rcpt, 'f', Cause::Recipient),
        (Fault::reply(At::Rcpt, 450, "4.2.1 greylisted"), Stage::Rcpt, 'd', Cause::Recipient),
        (Fault::reply(At::Data, 451, "4.3.0 later"), Stage::Data, 'd', Cause::Relay),
        (Fault::reply(At::Content, 550, "5.7.1 looks like spam"), Stage::Content, 'f', Cause::Policy),
        (Fault::reply(At::Content, 452, "4.3.1 disk full"), Stage::Content, 'd', Cause::Relay),
    ] {
        let faults = ["reader1@example.org", "reader2@example.org", "reader4@example.org"];
        let mailbox = mailbox(faults.iter().map(|to| fault.clone().to(to)).collect()).await;
        let mut connection = Connection::open(&relay(mailbox.smtp_addr().port())).await.unwrap();
        let outcomes = send(&mut connection, &readers(5), &message()).await;
        assert_eq!(letters(&outcomes), format!("a{letter}{letter}a{letter}"), "{fault:?}");
        let (Outcome::Failed(reply) | Outcome::Deferred(reply)) = &outcomes[1] else { panic!("{outcomes:?}") };
        assert_eq!((reply.stage, reply.cause()), (stage, cause));
        assert!(reply.enhanced.is_some() && !reply.text.is_empty());
        assert_eq!(letters(&send(&mut connection, &readers(1), &message()).await), "a");
        assert_eq!(mailbox.mails().len(), 3);
    }
}

#[tokio::test]
async fn a_sender_refused_is_nobodys_fault_at_the_other_end() {
    let mailbox = mailbox(vec![Fault::reply(At::Mail, 550, "5.7.1 not from here").times(2)]).await;
    let mut connection = Connection::open(&relay(mailbox.smtp_addr().port())).await.unwrap();
    let outcomes = send(&mut connection, &readers(3), &message()).await;
    assert_eq!(letters(&outcomes), "ffa");
    let Outcome::Failed(reply) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!((reply.stage, reply.cause()), (Stage::Mail, Cause::Policy));
}

/// When the connection goes, what is certain stays certain.
#[tokio::test]
async fn a_lost_connection_leaves_one_mail_unknown_at_most() {
    for (fault, expected, kept) in [
        (Fault::reply(At::Mail, 421, "4.3.2 shutting down").after(2), "aauuu", 2),
        (Fault::reply(At::Rcpt, 421, "4.3.2 shutting down").after(2), "aauuu", 2),
        (Fault::reply(At::Content, 421, "4.3.2 shutting down").after(2), "aauuu", 2),
        (Fault::new(At::Mail, Action::Cut).after(2), "aauuu", 2),
        (Fault::new(At::Data, Action::Cut).after(2), "aauuu", 2),
        (Fault::new(At::Content, Action::Cut).after(2), "aa?uu", 2),
        (Fault::new(At::Content, Action::CutAfter(100)).after(2), "aa?uu", 2),
        (Fault::new(At::Content, Action::KeepThenCut).after(2), "aa?uu", 3),
    ] {
        let mailbox = mailbox(vec![fault.clone()]).await;
        let mut connection = Connection::open(&relay(mailbox.smtp_addr().port())).await.unwrap();
        let outcomes = send(&mut connection, &readers(5), &message()).await;
        assert_eq!(letters(&outcomes), expected, "{fault:?}");
        assert_eq!(mailbox.mails().len(), kept, "{fault:?}");
        assert!(!connection.is_usable());
        let again = send(&mut connection, &readers(1), &message()).await;
        assert_eq!(again, [Outcome::Unsent(Broken::Unusable)]);
    }
}

#[tokio::test]
async fn a_greeting_that_refuses_is_told_apart() {
    let mailbox = mailbox(vec![Fault::reply(At::Connect, 554, "5.3.2 no service")]).await;
    let error = Connection::open(&relay(mailbox.smtp_addr().port())).await.err();
    assert!(matches!(&error, Some(OpenError::Refused(reply)) if reply.code == 554), "{error:?}");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    assert!(matches!(Connection::open(&relay(port)).await, Err(OpenError::Unreachable { .. })));
}

/// A relay that answers from a script: at each entry it waits until `after` has been received, then writes `reply`.
/// After the last entry it closes. Returns what it received.
async fn scripted(script: Vec<(&'static str, &'static str)>) -> (u16, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut received = String::new();
        let mut seen = 0;
        for (after, reply) in script {
            while !received[seen..].contains(after) {
                let mut chunk = [0; 4096];
                match stream.read(&mut chunk).await {
                    Ok(0) | Err(_) => return received,
                    Ok(n) => received.push_str(std::str::from_utf8(&chunk[..n]).unwrap()),
                }
            }
            seen += received[seen..].find(after).unwrap() + after.len();
            // Byte by byte: a reply may arrive in any pieces.
            for byte in reply.as_bytes() {
                if stream.write_all(&[*byte]).await.is_err() {
                    return received;
                }
            }
        }
        received
    });
    (port, task)
}

const HELLO: (&str, &str) = ("EHLO", "250-x\r\n250-PIPELINING\r\n250 SIZE 50000\r\n");
const GREETING: (&str, &str) = ("", "220 x ESMTP\r\n");

#[tokio::test]
async fn without_pipelining_every_command_waits_for_its_answer() {
    let plain = ("EHLO", "250 x\r\n");
    let (port, task) = scripted(vec![
        GREETING,
        plain,
        plain,
        ("MAIL FROM:<bounces+t.00@mail.news.example>\r\n", "250 ok\r\n"),
        ("RCPT TO:<reader0@example.org>\r\n", "550 5.1.1 no\r\n"),
        ("RSET\r\n", "250 ok\r\n"),
        ("MAIL", "250 ok\r\n"),
        ("RCPT", "250 ok\r\n"),
        ("DATA\r\n", "354 go\r\n"),
        ("\r\n.\r\n", "250-2.0.0 first\r\n250 2.0.0 second\r\n"),
        ("QUIT\r\n", "221 bye\r\n"),
    ])
    .await;
    let mut connection = Connection::open(&relay(port)).await.unwrap();
    let outcomes = send(&mut connection, &readers(2), &message()).await;
    assert_eq!(letters(&outcomes), "fa");
    assert!(connection.is_usable());
    connection.close().await;
    let received = task.await.unwrap();
    assert!(!received.contains("SIZE=") && !received.contains("DATA\r\nRSET"), "{received}");
}

#[tokio::test]
async fn a_relay_that_wants_content_for_nobody_gets_a_lone_dot() {
    let (port, task) = scripted(vec![
        GREETING,
        HELLO,
        HELLO,
        ("DATA\r\n", "250 ok\r\n550 5.1.1 no\r\n354 go anyway\r\n"),
        (".\r\nMAIL", "250 kept nothing\r\n"),
        ("DATA\r\n", "250 ok\r\n250 ok\r\n354 go\r\n"),
        ("\r\n.\r\n", "250 2.0.0 ok\r\n"),
    ])
    .await;
    let mut connection = Connection::open(&relay(port)).await.unwrap();
    let outcomes = send(&mut connection, &readers(2), &message()).await;
    assert_eq!(letters(&outcomes), "fa");
    assert!(task.await.unwrap().contains("DATA\r\n.\r\nMAIL"));
}

#[tokio::test]
async fn a_mail_over_the_announced_size_is_never_sent() {
    let (port, task) = scripted(vec![
        GREETING,
        HELLO,
        HELLO,
        ("DATA\r\n", "250 ok\r\n250 ok\r\n354 go\r\n"),
        ("\r\n.\r\n", "250 2.0.0 ok\r\n"),
    ])
    .await;
    let mut connection = Connection::open(&relay(port)).await.unwrap();
    let (from, to) = (address("bounces+t.00@mail.news.example"), address("reader@example.org"));
    let big = alert(&article(json!({"body": "<p>word</p>".repeat(9_000)})), Locale::English);
    let (big, small) = (Outgoing { from: &from, to: &to, message: &big }, message());
    let small = Outgoing { message: &small, ..big };
    let outcomes = connection.send_window(&[big, small, big]).await;
    assert_eq!(letters(&outcomes), "faf");
    assert!(matches!(&outcomes[0], Outcome::Failed(reply) if reply.cause() == Cause::Content));
    assert!(connection.is_usable());
    drop(connection);
    assert_eq!(task.await.unwrap().matches("MAIL FROM").count(), 1);
}

/// Replies that make no sense end the connection; none of them may turn into a wrong outcome for a recipient.
#[tokio::test]
async fn nonsense_breaks_the_connection_and_nothing_else() {
    for (group, content, expected) in [
        ("250 ok\r\n250 ok\r\n250 not 354\r\n", "", "uu"),
        ("354 what\r\n250 ok\r\n354 go\r\n", "", "uu"),
        ("250 ok\r\nhello there\r\n", "", "uu"),
        ("250 ok\r\n250-half a rep", "", "uu"),
        ("250 ok\r\n250 ok\r\n354 go\r\n", "354 again\r\n", "?u"),
        ("250 ok\r\n250 ok\r\n354 go\r\n", "250 2.0", "?u"),
        ("250 ok\r\n250 ok\r\n354 go\r\n", "\u{7f}\u{7f}\u{7f}\r\n", "?u"),
        ("250 ok\r\n250 ok\r\n354 go\r\n", "250 2.0.0 ok\r\n421 4.3.2 bye\r\n", "au"),
        ("250 ok\r\n250 ok\r\n354 go\r\n", "250 2.0.0 ok\r\n250 ok\r\n421 4.3.2 bye\r\n", "au"),
    ] {
        let mut script = vec![GREETING, HELLO, HELLO, ("DATA\r\n", group)];
        if !content.is_empty() {
            script.push(("\r\n.\r\n", content));
        }
        let (port, _task) = scripted(script).await;
        let mut connection = Connection::open(&relay(port)).await.unwrap();
        let outcomes = send(&mut connection, &readers(2), &message()).await;
        assert_eq!(letters(&outcomes), expected, "{group:?} {content:?} {outcomes:?}");
        assert!(!connection.is_usable());
    }
}

#[tokio::test]
async fn silence_is_unknown_after_the_content_and_unsent_before() {
    for (script, expected) in [
        (vec![GREETING, HELLO, HELLO, ("never", "")], "uu"),
        (vec![GREETING, HELLO, HELLO, ("DATA\r\n", "250 ok\r\n250 ok\r\n354 go\r\n"), ("never", "")], "?u"),
    ] {
        let (port, task) = scripted(script).await;
        let mut relay = relay(port);
        (relay.timeouts.command, relay.timeouts.content) = (Duration::from_secs(1), Duration::from_secs(1));
        let mut connection = Connection::open(&relay).await.unwrap();
        let outcomes = send(&mut connection, &readers(2), &message()).await;
        assert_eq!(letters(&outcomes), expected);
        assert!(matches!(
            outcomes[0],
            Outcome::Unsent(Broken::TimedOut { .. }) | Outcome::Unknown(Broken::TimedOut { .. })
        ));
        task.abort();
    }
}

#[tokio::test]
async fn a_window_given_up_half_way_leaves_no_connection_to_use() {
    let (port, task) = scripted(vec![GREETING, HELLO, HELLO, ("never", "")]).await;
    let mut connection = Connection::open(&relay(port)).await.unwrap();
    let (to, message) = (readers(2), message());
    let given_up = tokio::time::timeout(Duration::from_millis(20), send(&mut connection, &to, &message)).await;
    assert!(given_up.is_err() && !connection.is_usable());
    task.abort();
}

#[tokio::test]
async fn starttls_is_never_done_without() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut relay = relay(listener.local_addr().unwrap().port());
    relay.tls = Tls::StartTls { extra_roots: Vec::new() };
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 x\r\n").await.unwrap();
        let mut line = String::new();
        stream.read_line(&mut line).await.unwrap();
        stream.write_all(b"250-x\r\n250 PIPELINING\r\n").await.unwrap();
        line.clear();
        stream.read_to_string(&mut line).await.unwrap();
        line
    });
    assert!(matches!(Connection::open(&relay).await, Err(OpenError::NoStartTls)));
    assert_eq!(server.await.unwrap(), "", "nothing is said in the clear");
}
