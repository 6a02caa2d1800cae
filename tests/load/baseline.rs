//! The disk and the server alone, in the same run: what no design of ours can be faster than.

use std::io::Write;
use std::time::{Duration, Instant};

use async_nats::jetstream::{self, stream};
use bus::{BatchMessage, HeaderMap};
use futures::{StreamExt, stream as futures_stream};
use topology::subjects;

use crate::figures::{Spread, per_second, row};
use crate::newsroom::Newsroom;

const STREAM: &str = "LOAD";
const SUBJECT: &str = "load.baseline";
const KIB: usize = 1024;
/// Publishes in flight at once, as many as the articles of the busiest measurement.
const IN_FLIGHT: usize = 64;

/// Appends to a file where the server keeps its streams too: the folder for temporary files.
pub(crate) fn fsync(count: usize) -> Spread {
    let mut file = tempfile::tempfile().expect("a temporary file");
    let block = [0x5a; 4 * KIB];
    let once = |_| {
        let begin = Instant::now();
        file.write_all(&block).expect("writes");
        file.sync_all().expect("syncs");
        begin.elapsed()
    };
    Spread::of((0..count).map(once).collect())
}

/// One message after the other, each waiting for its acknowledgement.
pub(crate) async fn acknowledged(room: &Newsroom, count: usize) -> Spread {
    let jetstream = stream(room).await;
    let mut took = Vec::with_capacity(count);
    for _ in 0..count {
        took.push(publish(&jetstream).await);
    }
    Spread::of(took)
}

/// Many at once: the server then shares one fsync between several.
pub(crate) async fn in_flight(room: &Newsroom, count: usize) {
    let jetstream = stream(room).await;
    let begin = Instant::now();
    let publishing = futures_stream::iter(0..count).map(|_| publish(&jetstream)).buffer_unordered(IN_FLIGHT);
    let took: Vec<Duration> = publishing.collect().await;
    let rate = format!("{:.0}/s  {}", per_second(count, begin.elapsed()), Spread::of(took));
    row(&format!("JetStream, the same with {IN_FLIGHT} in flight"), &rate);
}

/// Two messages as one, which is what the smallest plan is: the server sets up a store of its own for each batch.
pub(crate) async fn batch(room: &Newsroom, count: usize) -> Spread {
    let bus = room.bus().await;
    let mut took = Vec::with_capacity(count);
    for n in 0..count {
        let message = |part: &str| BatchMessage {
            subject: subjects::plan(&format!("load-{n}-{part}")),
            headers: HeaderMap::new(),
            payload: vec![0x5a; KIB].into(),
            expected: Some(0),
        };
        let begin = Instant::now();
        bus.publish_batch(vec![message("a"), message("b")]).await.expect("written");
        took.push(begin.elapsed());
    }
    bus.close().await;
    Spread::of(took)
}

async fn stream(room: &Newsroom) -> jetstream::Context {
    let client = async_nats::connect(room.nats.url()).await.expect("connects");
    let jetstream = jetstream::new(client);
    let config = stream::Config { name: STREAM.into(), subjects: vec![SUBJECT.into()], ..stream::Config::default() };
    jetstream.get_or_create_stream(config).await.expect("a stream");
    jetstream
}

async fn publish(jetstream: &jetstream::Context) -> Duration {
    let begin = Instant::now();
    let sent = jetstream.publish(SUBJECT, vec![0x5a; KIB].into()).await.expect("sent");
    sent.await.expect("acknowledged");
    begin.elapsed()
}
