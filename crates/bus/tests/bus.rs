//! The adapter against a real nats-server: every promise of its documentation that a server can break.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bus::{
    BatchError, BatchMessage, Bus, ConnectError, Credentials, Disposition, HeaderMap, ProvisionError, Provisioned,
    PublishError, Server, TailEvent,
};
use testkit::{ChaosProxy, NatsServer, eventually};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use topology::{ARTICLES, CONSUMERS, DEAD, JOBS, PLANNER, STREAMS, TOKENS, access, subjects};

async fn connect(nats: &NatsServer) -> Bus {
    let server = Server { url: nats.url().into(), credentials: Credentials::None };
    Bus::connect(&server, "test").await.expect("connects")
}

async fn provisioned() -> (NatsServer, Bus) {
    let nats = NatsServer::start().await;
    let bus = connect(&nats).await;
    bus.provision(STREAMS, CONSUMERS, 1).await.expect("provisions");
    (nats, bus)
}

fn subject(n: usize) -> String {
    format!("nw.article.test.{n}")
}

async fn put(bus: &Bus, subject: &str, id: &str, payload: &'static str, expected: u64) -> Result<u64, PublishError> {
    let published = bus.publish(&ARTICLES, subject, id, HeaderMap::new(), payload.into(), Some(expected)).await;
    published.map(|published| published.sequence)
}

#[tokio::test]
async fn provisioning_creates_once_and_verifies() {
    let nats = NatsServer::start().await;
    let bus = connect(&nats).await;
    let notifier = access("email-notifier").unwrap();
    let Err(ProvisionError::Drift(drift)) = bus.verify(&notifier).await else { panic!("an empty server is no good") };
    assert!(drift.iter().all(|drift| drift.found == "missing"), "{drift:?}");

    let first = bus.provision(STREAMS, CONSUMERS, 1).await.unwrap();
    assert!(first.iter().all(|done| matches!(done, Provisioned::Created(_))), "{first:?}");
    let second = bus.provision(STREAMS, CONSUMERS, 1).await.unwrap();
    assert!(second.iter().all(|done| matches!(done, Provisioned::Unchanged(_))), "{second:?}");
    for service in topology::SERVICES {
        bus.verify(&access(service).unwrap()).await.unwrap();
    }
}

#[tokio::test]
async fn provisioning_waits_for_a_server_that_stands_still() {
    let nats = NatsServer::start().await;
    let proxy = ChaosProxy::start(nats.url()).await;
    let server = Server { url: format!("nats://{}", proxy.addr()), credentials: Credentials::None };
    let bus = Bus::connect(&server, "test").await.expect("connects");
    proxy.stall();
    let provisioning = tokio::spawn(async move { bus.provision(STREAMS, CONSUMERS, 1).await });
    // Longer than one call waits for its answer.
    tokio::time::sleep(Duration::from_secs(7)).await;
    assert!(!provisioning.is_finished(), "it gave up");
    proxy.restore();
    provisioning.await.unwrap().expect("it goes on");
}

#[tokio::test]
async fn drift_is_reported_and_a_raised_limit_is_not_drift() {
    let (_nats, bus) = provisioned().await;
    let mut other = ARTICLES;
    other.max_messages_per_subject = 3;
    other.max_bytes *= 2;
    let error = bus.provision(&[other], &[], 1).await.map(|_| ());
    error.expect("a limit can be raised and a history shortened");
    let Err(ProvisionError::Drift(drift)) = bus.verify(&access("rss-generator").unwrap()).await else {
        panic!("the history is not as long as the topology says")
    };
    assert_eq!(drift.len(), 1, "{drift:?}");
    assert_eq!((drift[0].setting, drift[0].found.as_str()), ("max_msgs_per_subject", "3"));
    bus.provision(STREAMS, CONSUMERS, 1).await.expect("brings it back");
    bus.verify(&access("rss-generator").unwrap()).await.expect("the operator's larger limit stays");
}

#[tokio::test]
async fn a_server_without_jetstream_says_what_to_do() {
    let url = "nats://127.0.0.1:1".to_owned();
    let error = Bus::connect(&Server { url, credentials: Credentials::None }, "test").await.err().unwrap();
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("NEWSWIRE_NATS_URL"), "{error}");
}

#[tokio::test]
async fn the_first_writer_wins_and_a_retry_is_the_same_success() {
    let (_nats, bus) = provisioned().await;
    let at = put(&bus, &subject(1), "a/1", "one", 0).await.unwrap();
    assert_eq!(put(&bus, &subject(1), "a/1", "one", 0).await.unwrap(), at, "a retry of the same bytes");
    let other = put(&bus, &subject(1), "a/1", "another", 0).await.unwrap_err();
    assert!(matches!(other, PublishError::Conflict { .. }), "{other}");
    let late = put(&bus, &subject(1), "a/2", "two", 0).await.unwrap_err();
    assert!(matches!(late, PublishError::Conflict { .. }), "{late}");
    assert_eq!(bus.last(&ARTICLES, &subject(1)).await.unwrap().unwrap().payload, "one");
    put(&bus, &subject(1), "a/2", "two", at).await.unwrap();
    assert_eq!(bus.last(&ARTICLES, &subject(1)).await.unwrap().unwrap().payload, "two");
    assert_eq!(bus.next(&ARTICLES, &subject(1), 0).await.unwrap().unwrap().payload, "one", "the history is kept");
    assert!(bus.last(&ARTICLES, &subject(2)).await.unwrap().is_none());
}

#[tokio::test]
async fn a_publish_waits_out_a_restart_of_the_server() {
    let (mut nats, bus) = provisioned().await;
    nats.kill9();
    let publishing = tokio::spawn({
        let bus = bus.clone();
        async move { put(&bus, &subject(1), "a/1", "one", 0).await }
    });
    eventually("the client notices", async || if bus.is_connected() { Err("still connected") } else { Ok(()) }).await;
    nats.restart().await;
    publishing.await.unwrap().expect("published after the restart");
    assert_eq!(bus.last(&ARTICLES, &subject(1)).await.unwrap().unwrap().payload, "one");
}

#[tokio::test]
async fn too_large_a_message_is_refused_at_once() {
    let (_nats, bus) = provisioned().await;
    let payload = bytes::Bytes::from(vec![b'x'; TOKENS.max_message_bytes as usize + 1]);
    let error = bus.publish(&TOKENS, &subjects::token("ab"), "t", HeaderMap::new(), payload, None).await.unwrap_err();
    assert!(matches!(error, PublishError::TooLarge), "{error}");
}

fn job(n: u32, expected: Option<u64>) -> BatchMessage {
    let subject = subjects::chunk("normal", "plan", n);
    BatchMessage { subject, headers: HeaderMap::new(), payload: n.to_string().into(), expected }
}

#[tokio::test]
async fn a_batch_is_all_or_nothing() {
    let (_nats, bus) = provisioned().await;
    bus.publish_batch((0..1000).map(|n| job(n, Some(0))).collect()).await.unwrap();
    assert_eq!(bus.last(&JOBS, &subjects::chunk("normal", "plan", 999)).await.unwrap().unwrap().payload, "999");

    let mut second: Vec<_> = (1000..1010).map(|n| job(n, Some(0))).collect();
    second.push(job(5, Some(0)));
    let error = bus.publish_batch(second).await.unwrap_err();
    assert!(matches!(error, BatchError::Conflict), "{error}");
    assert!(bus.last(&JOBS, &subjects::chunk("normal", "plan", 1000)).await.unwrap().is_none(), "nothing was written");
    bus.publish_batch(vec![job(2000, Some(0))]).await.expect("a batch of one");
}

#[tokio::test]
async fn more_batches_than_the_server_takes_at_once_all_get_their_turn() {
    let (_nats, bus) = provisioned().await;
    let batches = (0..200).map(|n| {
        let bus = bus.clone();
        tokio::spawn(async move { bus.publish_batch(vec![job(2 * n, Some(0)), job(2 * n + 1, Some(0))]).await })
    });
    for batch in batches.collect::<Vec<_>>() {
        batch.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_tail_sees_the_newest_of_all_then_everything_and_survives_a_kill() {
    let (mut nats, bus) = provisioned().await;
    let first = put(&bus, &subject(1), "1/1", "old", 0).await.unwrap();
    put(&bus, &subject(1), "1/2", "new", first).await.unwrap();
    put(&bus, &subject(2), "2/1", "two", 0).await.unwrap();
    let shutdown = CancellationToken::new();
    let mut tail = bus.tail(&ARTICLES, shutdown.clone());
    let mut next = async || match tail.next().await {
        Some(TailEvent::Message { payload, .. }) => String::from_utf8(payload.to_vec()).unwrap(),
        Some(TailEvent::CaughtUp) => "caught up".into(),
        None => "end".into(),
    };
    assert_eq!([next().await, next().await, next().await], ["new", "two", "caught up"]);
    put(&bus, &subject(3), "3/1", "three", 0).await.unwrap();
    assert_eq!(next().await, "three");
    nats.kill9();
    nats.restart().await;
    put(&bus, &subject(4), "4/1", "four", 0).await.unwrap();
    assert_eq!(next().await, "four", "nothing twice, nothing missing, no second catching up");
    shutdown.cancel();
    assert_eq!(next().await, "end");
}

#[tokio::test]
async fn an_empty_log_is_caught_up_at_once() {
    let (_nats, bus) = provisioned().await;
    let mut tail = bus.tail(&ARTICLES, CancellationToken::new());
    assert!(matches!(tail.next().await, Some(TailEvent::CaughtUp)));
}

#[tokio::test]
async fn dispositions_are_carried_out() {
    let (_nats, bus) = provisioned().await;
    for (n, what) in ["done", "retry", "discard", "panic"].into_iter().enumerate() {
        put(&bus, &subject(n), what, what, 0).await.unwrap();
    }
    let calls: Arc<[AtomicUsize; 4]> = Arc::default();
    let shutdown = CancellationToken::new();
    let seen = calls.clone();
    let handler = move |delivery: Arc<bus::Delivery>| {
        let seen = seen.clone();
        async move {
            let count = |n: usize| seen[n].fetch_add(1, Ordering::SeqCst) + 1;
            match &delivery.payload[..] {
                b"done" => {
                    count(0);
                    Disposition::Done
                }
                b"retry" if count(1) < 3 => Disposition::Retry(Duration::from_millis(10)),
                b"discard" => {
                    count(2);
                    Disposition::Discard("un\r\nreadable".into())
                }
                b"panic" => {
                    count(3);
                    panic!("a bug")
                }
                _ => Disposition::Done,
            }
        }
    };
    let consuming = tokio::spawn({
        let (bus, shutdown) = (bus.clone(), shutdown.clone());
        async move { bus.consume(&PLANNER, 2, handler, shutdown).await }
    });
    let dead = eventually("both dead letters", async || {
        let letters =
            [bus.next(&DEAD, "nw.dead.email-planner", 0).await, bus.next(&DEAD, "nw.dead.email-planner", 2).await];
        match letters {
            [Ok(Some(first)), Ok(Some(second))] => Ok([first, second]),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let counts = calls.each_ref().map(|count| count.load(Ordering::SeqCst));
    assert_eq!(counts, [1, 3, 1, bus::MAX_PANICS as usize]);
    assert_eq!(dead[0].payload, "discard");
    assert_eq!(dead[0].headers.get("Newswire-Reason").unwrap().as_str(), "un  readable");
    assert_eq!(dead[1].payload, "panic");
    shutdown.cancel();
    consuming.await.unwrap();
}

#[tokio::test]
async fn work_goes_on_after_a_kill_of_the_server() {
    let (mut nats, bus) = provisioned().await;
    let calls = Arc::new(AtomicUsize::new(0));
    let (seen, shutdown) = (calls.clone(), CancellationToken::new());
    let handler = move |_| {
        let seen = seen.clone();
        async move {
            seen.fetch_add(1, Ordering::SeqCst);
            Disposition::Done
        }
    };
    let consuming = tokio::spawn({
        let (bus, shutdown) = (bus.clone(), shutdown.clone());
        async move { bus.consume(&PLANNER, 4, handler, shutdown).await }
    });
    for n in 0..20 {
        put(&bus, &subject(n), &format!("{n}"), "x", 0).await.unwrap();
    }
    let all = async |wanted: usize| {
        let calls = calls.clone();
        eventually("handled", async || match calls.load(Ordering::SeqCst) {
            n if n >= wanted => Ok(n),
            n => Err(n),
        })
        .await
    };
    assert_eq!(all(20).await, 20);
    nats.kill9();
    nats.restart().await;
    put(&bus, &subject(20), "20", "x", 0).await.unwrap();
    // What was confirmed just before the kill may come again, so only the end is certain: all of it settled.
    all(21).await;
    eventually("settled", async || match bus.backlog(&PLANNER).await {
        Ok(backlog) if backlog.is_empty() => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    shutdown.cancel();
    consuming.await.unwrap();
}

#[tokio::test]
async fn a_tail_is_waited_for_as_far_as_it_will_come() {
    const FILTER: &str = "nw.article.test.*";
    let (_nats, bus) = provisioned().await;
    let caught_up = async |seen| bus.catch_up(&ARTICLES, FILTER, seen).await;
    let (seen, _) = watch::channel(0);
    assert_eq!(caught_up(seen.subscribe()).await.unwrap(), 0);
    let first = put(&bus, &subject(1), "1/1", "one", 0).await.unwrap();
    let last = put(&bus, "nw.article.other.1", "2/1", "of another", 0).await.unwrap();
    let error = caught_up(seen.subscribe()).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot read ARTICLES: what is known of it is behind the log");
    let waiting = async { (caught_up(seen.subscribe()).await.unwrap(), *seen.borrow()) };
    let follows = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        seen.send_replace(first);
    };
    let ((until, seen_then), ()) = tokio::join!(waiting, follows);
    assert_eq!((until, seen_then), (last, first), "what is of another subject is not waited for");
}
