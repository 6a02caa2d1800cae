//! Everybody can do on the server what the work needs, and nothing beside it.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::ConnectOptions;
use bus::{BatchMessage, Bus, ConnectError, Credentials, Delivery, Disposition, HeaderMap, Server, Tail, TailEvent};
use testkit::{built, eventually};
use tokio_util::sync::CancellationToken;
use topology::{
    ARTICLES, CONFIRMATIONS, CONSUMERS, DESK, DESK_DUE, EMBARGOES, INTAKE, JOBS, LANE_BREAKING, LANE_NORMAL,
    LANE_RETRY, LEDGER, OPERATOR, PLANNER, QUARANTINE, RECEIPTS, RETRIES, SOURCES, STREAMS, SUBSCRIBERS, Stream,
    TOKENS, access, nkey_variable, subjects,
};

use crate::server::{ANY_PORTS, Keys, NatsServer, connect, identities, start};
use crate::workload::env_file;
use crate::{assert_golden, deploy};

const ARTICLE: &str = "nw.article.riverton.0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f";
const ARTICLE_ID: &str = "0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f";
const RECEIPT: &str = "nw.receipt.0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f.rss-generator.a";

#[test]
fn the_permissions_are_the_topologys() {
    let mut text = String::from(
        "# Who may do what: generated from crates/topology/src/access.rs, which says why. Change it there.\n\
         # Each user is the public half of an nkey, given by the environment; a private half is in no file here.\n\n\
         authorization {\n    timeout: 5\n    users: [\n",
    );
    let list = |text: &mut String, name: &str, subjects: &[String]| {
        if !subjects.is_empty() {
            let lines: String =
                subjects.iter().map(|subject| format!("                        \"{subject}\"\n")).collect();
            text.push_str(&format!("                    {name}: [\n{lines}                    ]\n"));
        }
    };
    for identity in identities() {
        let access = access(identity).expect("the topology knows it");
        text.push_str(&format!(
            "        {{\n            # {identity}\n            nkey: ${}\n",
            nkey_variable(identity)
        ));
        text.push_str("            permissions: {\n                publish: {\n");
        list(&mut text, "allow", &access.publish_subjects());
        list(&mut text, "deny", &access.denied_subjects());
        text.push_str("                }\n                subscribe: {\n");
        list(&mut text, "allow", &access.subscribe_subjects());
        text.push_str("                }\n");
        if !access.answers.is_empty() {
            // One message on the reply subject of each question that came, for as long as anybody waits for it.
            text.push_str("                allow_responses: { max: 1, expires: \"10s\" }\n");
        }
        text.push_str("            }\n        }\n");
    }
    text.push_str("    ]\n}\n");
    assert_golden(&deploy("nats/permissions.conf"), &text);
}

async fn caught_up(tail: &mut Tail) -> usize {
    let mut messages = 0;
    loop {
        match tail.next().await.expect("the tail goes on") {
            TailEvent::Message { .. } => messages += 1,
            TailEvent::CaughtUp => return messages,
        }
    }
}

async fn put(bus: &Bus, stream: &Stream, subject: &str, expected: Option<u64>) {
    let published = bus.publish(stream, subject, subject, HeaderMap::new(), "{}".into(), expected).await;
    published.unwrap_or_else(|error| panic!("{subject}: {error}"));
}

/// Puts it twice under one Msg-Id: the second is settled by reading what is there.
async fn put_twice(bus: &Bus, stream: &Stream, subject: &str) {
    put(bus, stream, subject, Some(0)).await;
    put(bus, stream, subject, Some(0)).await;
}

/// Making streams syncs many files: on a busy disk one call may take longer than the bus waits, and is made again.
async fn provision(bus: &Bus, streams: &[Stream]) {
    eventually("the operator provisions", async || bus.provision(streams, CONSUMERS, 1).await).await;
}

async fn verify(bus: &Bus, identity: &str) {
    let access = access(identity).expect("the topology knows it");
    eventually(&format!("{identity} finds what it needs"), async || bus.verify(&access).await).await;
}

async fn operate(bus: &Bus) {
    provision(bus, STREAMS).await;
    // A stream of an older version: it is changed back.
    provision(bus, &[Stream { max_messages_per_subject: 3, ..ARTICLES }]).await;
    provision(bus, STREAMS).await;
    for identity in identities() {
        verify(bus, identity).await;
    }
    put_twice(bus, &TOKENS, &subjects::token("aa")).await;
    caught_up(&mut bus.tail(&TOKENS, CancellationToken::new())).await;
    put_twice(bus, &TOKENS, &subjects::webhook("w1")).await;
    let riverton = "riverton".parse().expect("a publisher");
    put_twice(bus, &SOURCES, &subjects::source(&riverton, "a1")).await;
    for stream in [SOURCES, INTAKE, QUARANTINE] {
        caught_up(&mut bus.tail(&stream, CancellationToken::new())).await;
    }
}

async fn publish(bus: &Bus) {
    put_twice(bus, &ARTICLES, ARTICLE).await;
    assert!(bus.next(&ARTICLES, ARTICLE, 0).await.expect("reads").is_some());
    assert_eq!(caught_up(&mut bus.tail(&TOKENS, CancellationToken::new())).await, 1);
    assert_eq!(caught_up(&mut bus.tail_subject(&TOKENS, subjects::WEBHOOKS, CancellationToken::new())).await, 1);
    assert_eq!(caught_up(&mut bus.tail_headers(&ARTICLES, CancellationToken::new())).await, 1);
    put(bus, &TOKENS, &subjects::token_use("aa"), None).await;
    let (riverton, id) = ("riverton".parse().expect("a publisher"), ARTICLE_ID.parse().expect("an article id"));
    put_twice(bus, &EMBARGOES, &subjects::embargo(&riverton, &id)).await;
    caught_up(&mut bus.tail(&EMBARGOES, CancellationToken::new())).await;
    // Nobody answers yet; that it may be asked is in the violations, of which there are none.
    assert_eq!(bus.request(subjects::ASK_MAIL, "{}".into(), Duration::from_millis(200)).await, None);
    put(bus, &DESK, &subjects::erasure_due(&riverton, &id), None).await;
    let shutdown = CancellationToken::new();
    let (working, stop) = (bus.clone(), shutdown.clone());
    let handler = |_: Arc<Delivery>| async { Disposition::Done };
    let work = tokio::spawn(async move { working.consume(&DESK_DUE, 1, handler, stop).await });
    eventually("what is due at the desk is done", async || {
        let backlog = bus.backlog(&DESK_DUE).await.map_err(|error| error.to_string())?;
        if backlog.is_empty() { Ok(()) } else { Err(format!("{backlog:?}")) }
    })
    .await;
    shutdown.cancel();
    work.await.expect("no worker panics");
}

/// Reads feeds: what the operator has entered, what it knows, what nobody could read.
async fn read_feeds(bus: &Bus) {
    let riverton = "riverton".parse().expect("a publisher");
    for subject in [
        subjects::intake_state(&riverton, "a1"),
        subjects::intake_item(&riverton, "a1", "i1"),
        subjects::intake_lease(&riverton, "a1"),
    ] {
        put_twice(bus, &INTAKE, &subject).await;
    }
    assert_eq!(caught_up(&mut bus.tail(&SOURCES, CancellationToken::new())).await, 1);
    assert_eq!(caught_up(&mut bus.tail(&INTAKE, CancellationToken::new())).await, 3);
    put(bus, &QUARANTINE, &subjects::quarantine(&riverton, "a1", "ff"), None).await;
}

async fn generate(bus: &Bus) {
    assert_eq!(caught_up(&mut bus.tail(&ARTICLES, CancellationToken::new())).await, 1);
    put_twice(bus, &RECEIPTS, RECEIPT).await;
}

async fn notify(bus: &Bus) {
    for stream in [ARTICLES, SUBSCRIBERS] {
        caught_up(&mut bus.tail(&stream, CancellationToken::new())).await;
    }
    let message =
        |subject: String| BatchMessage { subject, headers: HeaderMap::new(), payload: "{}".into(), expected: Some(0) };
    let sign_up = vec![message(subjects::subscriber_address("aa")), message(subjects::subscriber("a1"))];
    bus.publish_batch(sign_up).await.expect("signs up");
    let plan = vec![message(subjects::plan("p")), message(subjects::chunk("breaking", "p", 0))];
    bus.publish_batch(plan).await.expect("plans");
    put_twice(bus, &LEDGER, &subjects::ledger("p", 0)).await;
    for (stream, subject) in [
        (ARTICLES, ARTICLE.to_owned()),
        (SUBSCRIBERS, subjects::subscriber("a1")),
        (JOBS, subjects::plan("p")),
        (LEDGER, subjects::ledger("p", 0)),
    ] {
        assert!(bus.last(&stream, &subject).await.expect("reads").is_some(), "{subject}");
    }
    assert_eq!(bus.last_sequence(&SUBSCRIBERS).await.expect("reads"), 2);
    let mut later = HeaderMap::new();
    later.insert("Nats-Schedule", "@at 2020-01-01T00:00:00Z");
    later.insert("Nats-Schedule-Target", subjects::retry_due("other", "p", 0, 1).as_str());
    let wakes = subjects::retry_later("other", "p", 0, 1);
    bus.publish(&RETRIES, &wakes, &wakes, later, "{}".into(), None).await.expect("schedules");

    let shutdown = CancellationToken::new();
    let settled = Arc::new(Mutex::new(BTreeSet::new()));
    let works = [PLANNER, CONFIRMATIONS, LANE_BREAKING, LANE_NORMAL, LANE_RETRY].map(|consumer| {
        let (bus, shutdown, settled) = (bus.clone(), shutdown.clone(), settled.clone());
        // Each way a delivery can end: put off once, then dead from the planner and done from the others.
        let handler = move |delivery: Arc<Delivery>| {
            if delivery.attempt > 1 {
                settled.lock().expect("no holder panics").insert(consumer.name);
            }
            async move {
                match delivery.attempt {
                    1 => Disposition::Retry(Duration::ZERO),
                    _ if consumer == PLANNER => Disposition::Discard("it is no article".into()),
                    _ => Disposition::Done,
                }
            }
        };
        tokio::spawn(async move { bus.consume(&consumer, 1, handler, shutdown).await })
    });
    for consumer in [PLANNER, CONFIRMATIONS, LANE_BREAKING, LANE_RETRY] {
        eventually(&format!("{} has worked everything off", consumer.name), async || {
            let backlog = bus.backlog(&consumer).await.map_err(|error| error.to_string())?;
            let seen = settled.lock().expect("no holder panics").contains(consumer.name);
            if backlog.is_empty() && seen { Ok(()) } else { Err(format!("{backlog:?}, seen twice: {seen}")) }
        })
        .await;
    }
    shutdown.cancel();
    for work in works {
        work.await.expect("no worker panics");
    }
    assert_eq!(bus.last_sequence(&topology::DEAD).await.expect("reads"), 1, "the planner's message was buried");
}

/// What the server must refuse, and say so in its log.
#[derive(Clone, Copy)]
enum Attempt {
    Publish(&'static str),
    Listen(&'static str),
}

async fn is_refused(server: &NatsServer, client: &async_nats::Client, identity: &str, key: &str, attempt: Attempt) {
    let (verb, subject) = match attempt {
        Attempt::Publish(subject) => ("Publish", subject),
        Attempt::Listen(subject) => ("Subscription", subject),
    };
    let subscription = match attempt {
        Attempt::Publish(_) => {
            client.publish(subject, "{}".into()).await.expect("buffered");
            None
        }
        Attempt::Listen(_) => Some(client.subscribe(subject).await.expect("buffered")),
    };
    client.flush().await.expect("sent");
    let said = [format!("{verb} Violation"), format!("nkey:{key}\""), format!("Subject {subject:?}")];
    eventually(&format!("a {verb} Violation of {identity} at {subject}"), async || {
        let violations = server.violations();
        let seen = violations.iter().any(|line| said.iter().all(|part| line.contains(part)));
        if seen { Ok(()) } else { Err(violations.join("\n")) }
    })
    .await;
    drop(subscription);
}

#[tokio::test]
async fn each_can_do_its_work_and_nothing_else() {
    let keys = Keys::new();
    let server = start("nats-server.conf", "nats-1", &ANY_PORTS, &keys, &[]).await;
    let url = server.url.clone();

    operate(&connect(&url, OPERATOR, &keys).await.expect("the operator's key is known")).await;
    for service in topology::SERVICES {
        let bus = connect(&url, service, &keys).await.unwrap_or_else(|error| panic!("{service}: {error}"));
        verify(&bus, service).await;
        match *service {
            "publisher" => publish(&bus).await,
            "rss-generator" => generate(&bus).await,
            "email-notifier" => notify(&bus).await,
            "feed-reader" => read_feeds(&bus).await,
            other => panic!("{other} is new here: let it do its work in this test"),
        }
    }
    assert_eq!(server.violations(), Vec::<String>::new(), "the permissions are too narrow");

    for (identity, publishes, listens) in [
        (
            "publisher",
            &[
                "nw.token.aa",
                "nw.subscriber.s.a1.a1",
                "$JS.API.STREAM.MSG.GET.SUBSCRIBERS",
                "$JS.API.CONSUMER.CREATE.SUBSCRIBERS.x.nw.subscriber.>",
                "$JS.API.DIRECT.GET.SUBSCRIBERS",
                "$JS.API.STREAM.DELETE.ARTICLES",
                "$JS.API.STREAM.PURGE.ARTICLES",
                "$JS.API.STREAM.MSG.DELETE.TOKENS",
                "$JS.API.STREAM.MSG.GET.INTAKE",
                "nw.source.riverton.a1",
            ][..],
            &["nw.article.>", "nw.subscriber.>", "_INBOX_email-notifier.>", ">"][..],
        ),
        (
            "rss-generator",
            &[
                ARTICLE,
                "$JS.API.STREAM.MSG.GET.TOKENS",
                "$JS.API.STREAM.MSG.GET.SUBSCRIBERS",
                "$JS.API.CONSUMER.DELETE.ARTICLES.email-planner",
                "$JS.API.CONSUMER.CREATE.ARTICLES.email-planner.nw.article.*.*",
                "$JS.API.CONSUMER.MSG.NEXT.ARTICLES.email-planner",
                "$JS.ACK.ARTICLES.email-planner.1.1.1.1.1",
                "$JS.API.STREAM.MSG.GET.EMBARGOES",
                "$JS.API.CONSUMER.CREATE.EMBARGOES.x.nw.embargo.*.*",
            ],
            &["nw.article.>", "nw.subscriber.>", "nw.ask.mail"],
        ),
        (
            "feed-reader",
            &[
                ARTICLE,
                "nw.source.riverton.a1",
                "nw.token.aa",
                "$JS.API.STREAM.MSG.GET.ARTICLES",
                "$JS.API.STREAM.MSG.GET.TOKENS",
                "$JS.API.CONSUMER.CREATE.SUBSCRIBERS.x.nw.subscriber.>",
                "$JS.API.STREAM.PURGE.INTAKE",
            ],
            &["nw.source.>", "nw.article.>"],
        ),
        (
            "email-notifier",
            &[
                ARTICLE,
                "nw.token.aa",
                "$JS.API.STREAM.MSG.GET.EMBARGOES",
                "$JS.API.STREAM.PURGE.SUBSCRIBERS",
                "$JS.API.CONSUMER.DELETE.ARTICLES.email-planner",
            ],
            &["nw.article.>", "_INBOX_publisher.>"],
        ),
        (
            OPERATOR,
            &[ARTICLE, "nw.subscriber.s.a1.a1", "$JS.API.STREAM.MSG.GET.SUBSCRIBERS", "$JS.API.STREAM.DELETE.TOKENS"],
            &["nw.>", "$JS.API.>"],
        ),
    ] {
        let options = ConnectOptions::with_nkey(keys.seed(identity));
        let client =
            options.custom_inbox_prefix(format!("_INBOX_{identity}")).connect(&url).await.expect("its key is known");
        let publishes = publishes.iter().map(|subject| Attempt::Publish(subject));
        for attempt in publishes.chain(listens.iter().map(|subject| Attempt::Listen(subject))) {
            is_refused(&server, &client, identity, &keys.public(identity), attempt).await;
        }
    }
}

#[tokio::test]
async fn a_stranger_gets_nowhere() {
    let keys = Keys::new();
    let server = start("nats-server.conf", "nats-1", &ANY_PORTS, &keys, &[]).await;
    let nobody = Server { url: server.url.clone(), credentials: Credentials::None };
    for refused in
        [connect(&server.url, OPERATOR, &Keys::new()).await.err(), Bus::connect(&nobody, OPERATOR).await.err()]
    {
        assert!(matches!(refused, Some(ConnectError::Refused { .. })), "{refused:?}");
    }
}

#[tokio::test]
async fn the_command_line_makes_keys_that_fit_and_never_makes_them_anew() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let folder = dir.path().join("secrets");
    let make = || built("newswire").arg("keys").arg(&folder).output().expect("it runs");
    let made = make();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert_eq!(make().stdout, made.stdout, "a second run leaves them alone");
    let keys = Keys::from_folder(&folder);
    let said = env_file(&String::from_utf8(made.stdout).expect("names and keys"));
    assert_eq!(said, keys.environment().into_iter().collect());
    for identity in identities() {
        let file = std::fs::metadata(folder.join(format!("{identity}.nkey"))).expect("a seed");
        assert_eq!(file.permissions().mode() & 0o077, 0, "others can read the key of {identity}");
    }
    let server = start("nats-server.conf", "nats-1", &ANY_PORTS, &keys, &[]).await;
    connect(&server.url, OPERATOR, &keys).await.expect("the operator's key is known");

    std::fs::write(folder.join("publisher.nkey"), "SUnothing").expect("damage");
    let refused = make();
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(1), 0));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("publisher.nkey"), "it names the file");
}
