//! The way back: where mail to us arrives, every mail says to which address, and what arrives there counts.

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::*;
use crate::ledger::Why;

/// Hands a mail in; answers what was said to it.
async fn hand_in(lmtp: SocketAddr, to: &str, mail: &str) -> String {
    let mut stream = BufReader::new(TcpStream::connect(lmtp).await.unwrap());
    let talk = format!("LHLO mx\r\nMAIL FROM:<>\r\nRCPT TO:<{to}>\r\nDATA\r\n{mail}\r\n.\r\nQUIT\r\n");
    stream.write_all(talk.as_bytes()).await.unwrap();
    let mut said = String::new();
    while stream.read_line(&mut said).await.unwrap() > 0 {}
    said.lines().rev().nth(1).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn who_leaves_by_mail_has_left_and_whose_mailbox_is_gone_gets_nothing_more() {
    let mut desk = Desk::open(vec![]).await;
    desk.readers(3).await;
    let inbound = Inbound { lmtp: Some("127.0.0.1:0".parse().unwrap()), ..Inbound::default() };
    let service = EmailNotifier::bind(Config { inbound, ..desk.config() }).await.unwrap();
    let lmtp = service.lmtp_address().unwrap();
    desk.services.push(tokio::spawn(service.run(desk.shutdown.clone())));
    let (first, _) = desk.publish(None, create("First")).await;
    assert_eq!(desk.worked_off(&first).await.count(State::Accepted), 3);
    let mails = desk.mailbox.mails();
    let of = |n: usize| mails.iter().find(|mail| mail.to == [address(n)]).unwrap();
    let unsubscribe = of(0).header("List-Unsubscribe").unwrap();
    let leave =
        unsubscribe.split("<mailto:").nth(1).and_then(|rest| rest.split('>').next()).expect(&unsubscribe).to_owned();
    assert!(leave.starts_with("leave+") && leave.ends_with("@news.example"), "{leave}");
    assert_eq!(hand_in(lmtp, &leave, "From: reader0@example.org\r\nSubject: x\r\n\r\n").await, "250 2.0.0 taken");
    let gone = "From: MAILER-DAEMON@mx.example\r\nSubject: failure notice\r\n\r\n550 5.1.1 no such user";
    assert_eq!(hand_in(lmtp, &of(1).from, gone).await, "250 2.0.0 taken");
    for n in 0..2 {
        let id = desk.id(&address(n).parse().unwrap()).await;
        eventually("it stands in the record", async || {
            let reader = desk.store.get(id).await.unwrap().unwrap();
            let done = !reader.is_confirmed() || reader.bounces.stops(service_kit::now()).is_some();
            if done { Ok(()) } else { Err(format!("{reader:?}")) }
        })
        .await;
    }
    let (second, _) = desk.publish(None, create("Second")).await;
    let ledger = desk.worked_off(&second).await;
    assert_eq!(ledger.count(State::Suppressed(Why::Bounced)), 1, "{ledger:?}");
    assert_eq!((desk.sent_to(1), desk.sent_to(2)), (1, 2));
    desk.stop().await;
}
