//! A tail through a network that breaks: nothing missing, nothing twice.

use std::time::Duration;

use bus::{BatchMessage, Bus, Credentials, HeaderMap, Server, TailEvent};
use testkit::{ChaosProxy, NatsServer};
use tokio_util::sync::CancellationToken;
use topology::{CONSUMERS, JOBS, STREAMS, subjects};

const MESSAGES: u32 = 100_000;

async fn connect(url: String) -> Bus {
    Bus::connect(&Server { url, credentials: Credentials::None }, "test").await.expect("connects")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_cut_in_full_flow_loses_nothing() {
    let nats = NatsServer::start().await;
    let direct = connect(nats.url().into()).await;
    direct.provision(STREAMS, CONSUMERS, 1).await.expect("provisions");
    for first in (0..MESSAGES).step_by(1000) {
        let message = |n| BatchMessage {
            subject: subjects::chunk("normal", "plan", n),
            headers: HeaderMap::new(),
            payload: vec![b'x'; 300].into(),
            expected: None,
        };
        direct.publish_batch((first..first + 1000).map(message).collect()).await.expect("writes");
    }
    let proxy = ChaosProxy::start(nats.url()).await;
    let through = connect(format!("nats://{}", proxy.addr())).await;
    let mut tail = through.tail(&JOBS, CancellationToken::new());
    for expected in 1..=u64::from(MESSAGES) {
        let event = tokio::time::timeout(Duration::from_secs(60), tail.next()).await.expect("the tail goes on");
        let Some(TailEvent::Message { sequence, .. }) = event else { panic!("{event:?} instead of {expected}") };
        assert_eq!(sequence, expected);
        if sequence % 4000 == 2000 {
            // What is on its way when the connection dies is what an unacknowledged consumer never sends again.
            proxy.stall();
            tokio::time::sleep(Duration::from_millis(30)).await;
            proxy.cut();
            tokio::time::sleep(Duration::from_millis(2)).await;
            proxy.restore();
        }
    }
}
