//! Group commit: whoever is told that a message is stored finds it where he was told, whatever happened meanwhile.

#![expect(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::time::Duration;

use bus::{Bus, Credentials, Group, HeaderMap, PublishError, Published, Server};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use testkit::{ChaosProxy, NatsServer, eventually, eventually_within};
use topology::{ARTICLES, CONSUMERS, STREAMS, Stream};

async fn provisioned(nats: &NatsServer) -> Bus {
    let server = Server { url: nats.url().into(), credentials: Credentials::None };
    let bus = Bus::connect(&server, "test").await.expect("connects");
    bus.provision(STREAMS, CONSUMERS, 1).await.expect("provisions");
    bus
}

fn subject(n: usize) -> String {
    format!("nw.article.riverton.{n}")
}

async fn write(group: Group, n: usize, text: String) -> (usize, String, Result<Published, PublishError>) {
    let id = format!("{n}/{}", &text[..text.len().min(20)]);
    let written = group.publish(subject(n), id, HeaderMap::new(), text.clone().into(), 0).await;
    (n, text, written)
}

/// What is at the sequence that the writer of `text` was told.
async fn check(bus: &Bus, n: usize, text: &str, published: Published) {
    let stored = bus.last(&ARTICLES, &subject(n)).await.unwrap().expect("it is stored");
    assert_eq!((stored.sequence, stored.payload.as_ref()), (published.sequence, text.as_bytes()), "subject {n}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_each_is_stored_where_it_was_told_and_of_rivals_one() {
    const SUBJECTS: usize = 600;
    let nats = NatsServer::start().await;
    let bus = provisioned(&nats).await;
    let group = bus.group(ARTICLES);
    // Every third subject has two writers, often in one batch.
    let mut writing = FuturesUnordered::new();
    for n in 0..SUBJECTS {
        writing.push(write(group.clone(), n, "first".into()));
        if n.is_multiple_of(3) {
            writing.push(write(group.clone(), n, "rival".into()));
        }
    }
    let (mut stored, mut refused) = (0, 0);
    while let Some((n, text, written)) = writing.next().await {
        match written {
            Ok(published) => {
                check(&bus, n, &text, published).await;
                stored += 1;
            }
            Err(PublishError::Conflict { .. }) => refused += 1,
            Err(error) => panic!("{n} {text}: {error}"),
        }
    }
    assert_eq!((stored, refused), (SUBJECTS, SUBJECTS / 3));
    assert_eq!(bus.last_sequence(&ARTICLES).await.unwrap(), SUBJECTS as u64, "nothing is stored twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_to_be_stored_survives_a_server_that_is_killed() {
    const SUBJECTS: usize = 1500;
    let mut nats = NatsServer::start().await;
    let bus = provisioned(&nats).await;
    let group = bus.group(ARTICLES);
    let writing = tokio::spawn(async move {
        let all: FuturesUnordered<_> = (0..SUBJECTS).map(|n| write(group.clone(), n, format!("text {n}"))).collect();
        all.collect::<Vec<_>>().await
    });
    let watching = bus.clone();
    eventually_within(Duration::from_secs(60), "some are stored", async || {
        let last = watching.last_sequence(&ARTICLES).await.map_err(|error| error.to_string())?;
        if last > 100 { Ok(()) } else { Err(format!("{last} messages")) }
    })
    .await;
    nats.kill9();
    nats.restart().await;
    let written = writing.await.unwrap();
    let stored = written.iter().filter(|(_, _, written)| written.is_ok()).count();
    // All but those whose 15 s went by on a very slow machine; they were told so.
    assert!(stored > SUBJECTS / 2, "only {stored}");
    for (n, text, written) in written {
        match written {
            Ok(published) => check(&bus, n, &text, published).await,
            Err(error) => assert!(matches!(error, PublishError::Unavailable(_)), "{n}: {error}"),
        }
    }
    assert!(bus.last_sequence(&ARTICLES).await.unwrap() <= SUBJECTS as u64, "nothing is stored twice");
}

/// What was reported as failed must not be published minutes later.
#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_waits_for_any_more_is_not_written() {
    const GIVEN_UP: usize = 60;
    let mut nats = NatsServer::start().await;
    let bus = provisioned(&nats).await;
    let group = bus.group(ARTICLES);
    nats.kill9();
    eventually("the outage is felt", async || if bus.is_connected() { Err("connected") } else { Ok(()) }).await;
    for n in 0..GIVEN_UP {
        assert!(write(group.clone(), n, "given up".into()).now_or_never().is_none());
    }
    let waiting = tokio::spawn(write(group, GIVEN_UP, "waited for".into()));
    nats.restart().await;
    let (n, text, written) = waiting.await.unwrap();
    check(&bus, n, &text, written.unwrap()).await;
    assert_eq!(bus.last_sequence(&ARTICLES).await.unwrap(), 1, "nothing else is stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_cut_in_the_middle_of_batches_loses_and_doubles_nothing() {
    const SUBJECTS: usize = 2000;
    let nats = NatsServer::start().await;
    let direct = provisioned(&nats).await;
    let proxy = ChaosProxy::start(nats.url()).await;
    let server = Server { url: format!("nats://{}", proxy.addr()), credentials: Credentials::None };
    let group = Bus::connect(&server, "test").await.expect("connects").group(ARTICLES);
    let writing = tokio::spawn(async move {
        let all: FuturesUnordered<_> = (0..SUBJECTS).map(|n| write(group.clone(), n, "first".into())).collect();
        (0..SUBJECTS).step_by(5).for_each(|n| all.push(write(group.clone(), n, "rival".into())));
        all.collect::<Vec<_>>().await
    });
    for cut in 1..=4 {
        eventually("some more are stored", async || {
            let last = direct.last_sequence(&ARTICLES).await.map_err(|error| error.to_string())?;
            if last > cut * 300 { Ok(()) } else { Err(format!("{last} messages")) }
        })
        .await;
        // Messages and answers that are on their way when it dies are lost.
        proxy.stall();
        tokio::task::yield_now().await;
        proxy.cut();
        proxy.restore();
    }
    let mut winners = vec![0; SUBJECTS];
    for (n, text, written) in writing.await.unwrap() {
        match written {
            Ok(published) => {
                check(&direct, n, &text, published).await;
                winners[n] += 1;
            }
            Err(error) => assert!(matches!(error, PublishError::Conflict { .. }), "{n} {text}: {error}"),
        }
    }
    assert!(winners.iter().all(|winners| *winners == 1), "each subject has one winner, who knows it");
    assert_eq!(direct.last_sequence(&ARTICLES).await.unwrap(), SUBJECTS as u64, "nothing is stored twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_full_takes_what_fits_and_refuses_the_rest() {
    const SUBJECTS: usize = 400;
    let nats = NatsServer::start().await;
    let server = Server { url: nats.url().into(), credentials: Credentials::None };
    let bus = Bus::connect(&server, "test").await.expect("connects");
    let small = Stream { max_bytes: 1 << 20, ..ARTICLES };
    bus.provision(&[small], &[], 1).await.expect("provisions");
    let group = bus.group(small);
    let all: FuturesUnordered<_> = (0..SUBJECTS).map(|n| write(group.clone(), n, "x".repeat(8000))).collect();
    let (mut stored, mut refused) = (0, 0);
    for (n, text, written) in all.collect::<Vec<_>>().await {
        match written {
            Ok(published) => {
                check(&bus, n, &text, published).await;
                stored += 1;
            }
            Err(PublishError::Refused(_)) => refused += 1,
            Err(error) => panic!("{n}: {error}"),
        }
    }
    assert_eq!(stored + refused, SUBJECTS);
    assert!((120..=131).contains(&stored), "{stored} of 8 KB in a stream of 1 MiB");
}
