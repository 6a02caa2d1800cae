//! What is erased is in no file of the server's any more, and nothing else is touched.

use std::fs;
use std::path::Path;

use bus::{BatchMessage, Bus, Credentials, HeaderMap, Server};
use testkit::NatsServer;
use topology::{ARTICLES, STREAMS};

/// Files under `dir` that hold `words`.
fn files_with(dir: &Path, words: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, words));
        } else if fs::read(&path).is_ok_and(|bytes| bytes.windows(words.len()).any(|window| window == words.as_bytes()))
        {
            found.push(path.display().to_string());
        }
    }
    found
}

#[tokio::test]
async fn erased_bytes_are_in_no_file_and_erasing_twice_is_success() {
    let mut nats = NatsServer::start().await;
    let server = Server { url: nats.url().into(), credentials: Credentials::None };
    let bus = Bus::connect(&server, "test").await.unwrap();
    bus.provision(STREAMS, &[], 1).await.unwrap();
    let subject = "nw.article.test.1";
    let mut sequences = Vec::new();
    for (n, text) in ["the secret of 合肥", "the secret, repeated", "a notice"].into_iter().enumerate() {
        // Larger than what fits beside others in a page, and with the words at both ends.
        let payload = format!("{text} {} {text}", "x".repeat(100_000));
        let (id, last) = (format!("1/{n}"), sequences.last().copied());
        let written = bus.publish(&ARTICLES, subject, &id, HeaderMap::new(), payload.into(), last.or(Some(0))).await;
        sequences.push(written.unwrap().sequence);
    }
    assert!(!files_with(&nats.store_dir(), "the secret").is_empty(), "the search finds what is there");
    for sequence in &sequences[..2] {
        bus.erase(&ARTICLES, *sequence).await.unwrap();
        bus.erase(&ARTICLES, *sequence).await.expect("it is gone already");
    }
    bus.erase(&ARTICLES, 9999).await.expect("it never was");
    assert_eq!(files_with(&nats.store_dir(), "the secret"), Vec::<String>::new());
    let first = bus.next(&ARTICLES, subject, 0).await.unwrap().unwrap();
    assert!(first.sequence == sequences[2] && first.payload.starts_with(b"a notice"));

    nats.kill9();
    nats.restart().await;
    let after = testkit::eventually("the server reads its store again", async || {
        bus.next(&ARTICLES, subject, 0).await.map_err(|error| error.to_string())?.ok_or("nothing there".to_owned())
    })
    .await;
    assert_eq!(after.payload, first.payload, "nor does a crash bring it back");
    assert_eq!(files_with(&nats.store_dir(), "the secret"), Vec::<String>::new());
}

/// The server stages a batch in files of its own before it commits it.
#[tokio::test]
async fn what_was_written_in_a_batch_is_erased_like_anything_else() {
    let nats = NatsServer::start().await;
    let server = Server { url: nats.url().into(), credentials: Credentials::None };
    let bus = Bus::connect(&server, "test").await.unwrap();
    bus.provision(STREAMS, &[], 1).await.unwrap();
    let message = |n: usize| BatchMessage {
        subject: format!("nw.article.test.{n}"),
        headers: HeaderMap::new(),
        payload: format!("the secret {} {n}", "x".repeat(10_000)).into(),
        expected: Some(0),
    };
    let last = bus.publish_batch((0..64).map(message).collect()).await.unwrap().sequence;
    assert!(!files_with(&nats.store_dir(), "the secret").is_empty(), "the search finds what is there");
    for sequence in 1..=last {
        bus.erase(&ARTICLES, sequence).await.unwrap();
    }
    assert_eq!(files_with(&nats.store_dir(), "the secret"), Vec::<String>::new());
}
