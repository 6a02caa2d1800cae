//! The nats-server harness keeps its promises: durable over kill -9, same address after a restart, nothing left behind.

use async_nats::jetstream;
use testkit::{NatsServer, eventually};

async fn connect(server: &NatsServer) -> async_nats::Client {
    async_nats::connect(server.url()).await.expect("connect")
}

async fn make_stream(client: &async_nats::Client) -> jetstream::stream::Stream {
    let stream = jetstream::stream::Config {
        name: "NEWS".into(),
        subjects: vec!["news.>".into()],
        max_bytes: 8 << 40,
        ..Default::default()
    };
    jetstream::new(client.clone()).create_stream(stream).await.expect("a stream that reserves 8 TB")
}

#[tokio::test]
async fn what_was_acknowledged_outlives_kill9_under_the_same_address() {
    let mut server = NatsServer::start().await;
    let client = connect(&server).await;
    make_stream(&client).await;
    let ack = jetstream::new(client.clone()).publish("news.1", "第一条".into()).await.expect("send");
    ack.await.expect("stored");
    let url = server.url().to_owned();
    server.kill9();
    async_nats::connect(&url).await.expect_err("nobody listens after kill9");
    server.restart().await;
    assert_eq!(server.url(), url);
    let stream = jetstream::new(connect(&server).await).get_stream("NEWS").await.expect("the stream is still there");
    let message = stream.get_raw_message(1).await.expect("the message is still there");
    assert_eq!(message.payload, "第一条".as_bytes());
    // The first client finds the server again by itself: that needs the same port.
    eventually("the old client reconnects", async || client.flush().await).await;
    eventually("the old client is connected", async || match client.connection_state() {
        async_nats::connection::State::Connected => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}

#[tokio::test]
async fn a_stop_and_a_restart_of_a_running_server_are_clean() {
    let mut server = NatsServer::start().await;
    make_stream(&connect(&server).await).await;
    server.restart().await;
    jetstream::new(connect(&server).await).get_stream("NEWS").await.expect("kept");
    server.stop().await;
    server.stop().await;
    assert!(server.log().contains("Server Exiting"), "{}", server.log());
}

#[tokio::test]
async fn extra_configuration_is_in_force() {
    let server = NatsServer::start_with("authorization { user: desk, password: \"geheim\" }").await;
    async_nats::connect(server.url()).await.expect_err("strangers are refused");
    let options = async_nats::ConnectOptions::with_user_and_password("desk".into(), "geheim".into());
    options.connect(server.url()).await.expect("the named user is let in");
}

#[tokio::test]
#[should_panic(expected = "nats-server ended instead of listening")]
async fn a_configuration_the_server_refuses_fails_the_test_with_its_log() {
    NatsServer::start_with("no_such_setting_at_all: 1").await;
}

#[tokio::test]
async fn servers_are_apart_and_leave_nothing_behind() {
    let (one, two) = tokio::join!(NatsServer::start(), NatsServer::start());
    assert_ne!(one.url(), two.url());
    let (url, store) = (one.url().to_owned(), one.store_dir());
    assert!(store.is_dir());
    drop(one);
    assert!(!store.exists());
    async_nats::connect(url).await.expect_err("the dropped server is gone");
}
