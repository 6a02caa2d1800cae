//! The hub's subscribers over a restart, which remembers nothing but the log.

use std::time::Duration;

use article::RevisionKind;

use super::subscriber::{Mood, Subscriber};
use super::{Command, Replica, create, document, draft, provenance, provisioned, publish, then};

/// Of the article that has left a feed nothing in it tells, so it may have changed last before that article came.
#[tokio::test]
async fn that_an_article_has_left_is_told_by_a_replica_that_never_had_it() {
    let (nats, bus) = provisioned().await;
    let (replica, reader) = (Replica::start(&nats).await, Subscriber::start().await);
    let topic = "https://news.example/feeds/section/open-justice.atom";
    publish(&bus, &create(1, &document())).await;
    replica.says("/feeds/section/open-justice.atom", "Court opens").await;
    replica.subscribe(&bus, &reader, topic, &reader.callback("/hook")).await;
    let article = create(2, &document());
    publish(&bus, &article).await;
    reader.next("/hook", 1).await;
    reader.mood("/hook", Mood::Status(503));
    let mut moved = document();
    moved["section"] = serde_json::json!(["Elsewhere"]);
    let revised =
        Command::Revise { kind: RevisionKind::Minor, note: None, draft: draft(&moved), provenance: provenance() };
    publish(&bus, &then(&article, revised)).await;
    reader.next("/hook", 2).await;
    replica.stop().await;
    reader.mood("/hook", Mood::Willing);
    let _replica = Replica::start(&nats).await;
    let told = testkit::eventually_within(Duration::from_secs(120), "it is told again", async || {
        reader.told("/hook").get(2).cloned().ok_or("not yet")
    })
    .await;
    assert_eq!(feed_rs::parser::parse(told.body.as_bytes()).unwrap().entries.len(), 1, "{}", told.body);
}
