//! Three servers on the cluster's configuration find each other, hold every stream three times, and survive one's death.

use std::time::Duration;

use bus::{Bus, HeaderMap};
use testkit::eventually_within;
use topology::{ARTICLES, CONSUMERS, OPERATOR, STREAMS, access};

use crate::server::{Keys, NatsServer, connect, start_cluster};

const ARTICLE: &str = "nw.article.riverton.0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f";
/// An election takes some seconds, and the machine may be busy with other tests.
const ELECTION: Duration = Duration::from_secs(120);

async fn provisioned(servers: &[NatsServer], keys: &Keys) {
    eventually_within(ELECTION, "the cluster has a leader and takes the topology", async || {
        let operator = connect(&servers[0].url, OPERATOR, keys).await.map_err(|error| error.to_string())?;
        operator.provision(STREAMS, CONSUMERS, 3).await.map_err(|error| error.to_string())
    })
    .await;
}

async fn publish(bus: &Bus, expected: u64) -> Result<u64, String> {
    let (id, payload) = (format!("{ARTICLE}/{expected}"), format!("{{\"revision\":{expected}}}"));
    let published = bus.publish(&ARTICLES, ARTICLE, &id, HeaderMap::new(), payload.into(), Some(expected)).await;
    published.map(|published| published.sequence).map_err(|error| error.to_string())
}

#[tokio::test]
async fn three_servers_hold_every_stream_and_one_may_go() {
    let keys = Keys::new();
    let mut servers = start_cluster(&keys).await;
    provisioned(&servers, &keys).await;
    let urls = servers.iter().map(|server| server.url.as_str()).collect::<Vec<_>>().join(",");
    let publisher = connect(&urls, "publisher", &keys).await.expect("its key is known to all three");
    let topology = access("publisher").expect("known");
    eventually_within(ELECTION, "all is as the topology says", async || publisher.verify(&topology).await).await;
    // Its stream may be in the middle of an election, for all three have only just met.
    let first = eventually_within(ELECTION, "three of three take it", async || publish(&publisher, 0).await).await;

    servers[0].process.kill9();
    let second = eventually_within(ELECTION, "two of three go on", async || publish(&publisher, first).await).await;
    assert_eq!(second, first + 1);
}
