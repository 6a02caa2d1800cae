//! Questions and answers, and tails of a part of a stream.

use std::time::Duration;

use bus::{Bus, Credentials, HeaderMap, Server, TailEvent};
use testkit::{NatsServer, eventually};
use tokio_util::sync::CancellationToken;
use topology::{ARTICLES, CONSUMERS, STREAMS, TOKENS, subjects};

async fn connect(nats: &NatsServer, service: &str) -> Bus {
    let server = Server { url: nats.url().into(), credentials: Credentials::None };
    Bus::connect(&server, service).await.expect("connects")
}

#[tokio::test]
async fn one_instance_answers_and_silence_is_none() {
    let nats = NatsServer::start().await;
    let asker = connect(&nats, "asker").await;
    let ask = async |question: &'static str, within: Duration| {
        asker.request(subjects::ASK_MAIL, question.into(), within).await
    };
    assert_eq!(ask("anybody?", Duration::from_secs(5)).await, None, "nobody listens, and that is known at once");
    let shutdown = CancellationToken::new();
    let instances = ["first", "second"].map(|name| {
        let (server, shutdown) = (nats.url().to_owned(), shutdown.clone());
        tokio::spawn(async move {
            let server = Server { url: server, credentials: Credentials::None };
            let bus = Bus::connect(&server, "answerer").await.expect("connects");
            let answer =
                async |question: bytes::Bytes| (question != "silence").then(|| format!("{name}: {question:?}").into());
            bus.answer(subjects::ASK_MAIL, answer, shutdown).await;
        })
    });
    let answer = eventually("an answer", async || ask("how many?", Duration::from_secs(5)).await.ok_or("none")).await;
    assert!([&b"first: b\"how many?\""[..], b"second: b\"how many?\""].contains(&&answer[..]), "{answer:?}");
    assert_eq!(ask("silence", Duration::from_millis(50)).await, None);
    shutdown.cancel();
    for instance in instances {
        instance.await.expect("it does not panic");
    }
}

#[tokio::test]
async fn a_tail_can_have_another_subject_or_no_payloads() {
    let nats = NatsServer::start().await;
    let bus = connect(&nats, "test").await;
    bus.provision(STREAMS, CONSUMERS, 1).await.expect("provisions");
    for subject in [subjects::token("aa"), subjects::token_use("aa"), subjects::webhook("aa")] {
        let written = bus.publish(&TOKENS, &subject, &subject, HeaderMap::new(), "record".into(), Some(0)).await;
        written.expect("writes");
    }
    let seen = async |tail: &mut bus::Tail| match tail.next().await {
        Some(TailEvent::Message { subject, payload, .. }) => format!("{subject} {payload:?}"),
        other => format!("{other:?}"),
    };
    let mut tokens = bus.tail(&TOKENS, CancellationToken::new());
    assert_eq!(seen(&mut tokens).await, "nw.token.aa b\"record\"");
    assert_eq!(seen(&mut tokens).await, "Some(CaughtUp)");
    let mut uses = bus.tail_subject(&TOKENS, subjects::TOKEN_USES, CancellationToken::new());
    assert_eq!(seen(&mut uses).await, "nw.token-use.aa b\"record\"");
    assert_eq!(seen(&mut uses).await, "Some(CaughtUp)");

    let mut headers = HeaderMap::new();
    headers.insert("Newswire-Status", "held");
    let payload = vec![b'x'; 100_000];
    bus.publish(&ARTICLES, "nw.article.a.b", "1", headers, payload.into(), Some(0)).await.expect("writes");
    let mut tail = bus.tail_headers(&ARTICLES, CancellationToken::new());
    let Some(TailEvent::Message { headers, payload, .. }) = tail.next().await else { panic!("a message is there") };
    assert_eq!((headers.get("Newswire-Status").map(|value| value.as_str()), payload.len()), (Some("held"), 0));
}
