//! The breakable network breaks what it should and nothing else.

use std::time::Duration;

use futures::StreamExt;
use testkit::{ChaosProxy, NatsServer, eventually, eventually_within, mail_sink};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn say(stream: &mut TcpStream, command: &str) -> String {
    stream.write_all(command.as_bytes()).await.expect("send");
    let mut reply = vec![0; 1024];
    let read = stream.read(&mut reply).await.expect("a reply");
    String::from_utf8_lossy(&reply[..read]).into_owned()
}

#[tokio::test]
async fn a_stalled_connection_goes_on_where_it_stopped() {
    let sink = mail_sink(vec![]).await;
    let proxy = ChaosProxy::start(&sink.smtp_addr().to_string()).await;
    let mut stream = TcpStream::connect(proxy.addr()).await.expect("connect");
    assert!(say(&mut stream, "").await.starts_with("220"));
    proxy.stall();
    stream.write_all(b"EHLO me\r\n").await.expect("send");
    let mut octet = [0];
    tokio::time::timeout(Duration::from_millis(200), stream.read(&mut octet))
        .await
        .expect_err("nothing comes through while stalled");
    proxy.restore();
    assert!(say(&mut stream, "").await.starts_with("250"));
}

#[tokio::test]
async fn a_cut_ends_old_and_new_connections_until_it_is_mended() {
    let sink = mail_sink(vec![]).await;
    let proxy = ChaosProxy::start(&sink.smtp_addr().to_string()).await;
    let mut old = TcpStream::connect(proxy.addr()).await.expect("connect");
    assert!(say(&mut old, "").await.starts_with("220"));
    proxy.cut();
    assert_eq!(say(&mut old, "").await, "");
    let mut new = TcpStream::connect(proxy.addr()).await.expect("the proxy still listens");
    assert!(new.read(&mut [0]).await.is_ok_and(|read| read == 0), "ended without a greeting");
    proxy.restore();
    let mut new = TcpStream::connect(proxy.addr()).await.expect("connect");
    assert!(say(&mut new, "").await.starts_with("220"));
}

#[tokio::test]
async fn a_nats_client_comes_back_through_it() {
    let mut server = NatsServer::start().await;
    let proxy = ChaosProxy::start(server.url()).await;
    let client = async_nats::connect(proxy.addr().to_string()).await.expect("connect");
    let mut subscription = client.subscribe("news").await.expect("subscribe");
    client.flush().await.expect("flush");
    proxy.cut();
    server.kill9();
    server.restart().await;
    proxy.restore();
    // What is published before the client notices the cut is lost, as core NATS promises no more.
    let message = eventually("a message comes through again", async || {
        client.publish("news", "back".into()).await.map_err(|error| error.to_string())?;
        let next = tokio::time::timeout(Duration::from_millis(100), subscription.next()).await;
        next.ok().flatten().ok_or_else(|| "nothing in 100 ms".to_owned())
    })
    .await;
    assert_eq!(message.payload, "back".as_bytes());
}

#[tokio::test]
#[should_panic(expected = "last seen: 0 mails")]
async fn the_mail_sink_is_looked_at_like_everything_else() {
    let sink = mail_sink(vec![]).await;
    eventually_within(Duration::from_millis(50), "a mail", async || match sink.mails().len() {
        1 => Ok(()),
        count => Err(format!("{count} mails")),
    })
    .await;
}
