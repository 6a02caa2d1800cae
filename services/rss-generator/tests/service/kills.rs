//! A kill, until the receipt of it stands on the log.

use super::*;

/// What stands on the log of the kill of `article`, if anything.
async fn receipts(bus: &Bus, article: &Article) -> Vec<(String, Value)> {
    let (mut found, mut from) = (Vec::new(), 0);
    while let Some(stored) = bus.next(&RECEIPTS, &subjects::receipts_of(&article.id), from).await.unwrap() {
        found.push((stored.subject.clone(), serde_json::from_slice(&stored.payload).unwrap()));
        from = stored.sequence + 1;
    }
    found
}

#[tokio::test]
async fn a_kill_is_answered_once_nothing_served_holds_the_text() {
    let (nats, bus) = provisioned().await;
    let replicas = [Replica::start(&nats).await, Replica::start(&nats).await];
    let first = create(1, &document());
    publish(&bus, &first).await;
    for replica in &replicas {
        replica.says("/feeds/all.rss", "Since Monday").await;
    }
    let before = service_kit::now();
    let killed = then(&first, Command::Kill { note: "Order.".into() });
    publish(&bus, &killed).await;
    let found = eventually("both replicas have answered", async || {
        let found = receipts(&bus, &first).await;
        if found.len() == 2 { Ok(found) } else { Err(format!("{found:?}")) }
    })
    .await;
    for (subject, receipt) in &found {
        assert!(subject.contains(".rss-generator."), "{subject}");
        assert_eq!(receipt["revision"], 2);
        assert!(receipt["applied_at"].as_str().unwrap().parse::<Timestamp>().unwrap() >= before, "{receipt}");
    }
    for replica in &replicas {
        for form in FORMS {
            for encoding in ["identity", "gzip"] {
                let path = format!("/feeds/section/open-justice{form}");
                let response = replica.get_with(&path, "accept-encoding", encoding).await;
                let packed = header(&response, "content-encoding") == "gzip";
                let bytes = response.bytes().await.unwrap();
                let mut text = String::from_utf8_lossy(&bytes).into_owned();
                if packed {
                    text.clear();
                    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut text).unwrap();
                }
                assert!(text.contains("Order.") && !text.contains("Since Monday"), "{path}: {text}");
            }
        }
    }
}

#[tokio::test]
async fn a_kill_is_answered_once_and_an_old_one_not_at_all() {
    let (nats, bus) = provisioned().await;
    let (first, other) = (create(1, &document()), create(2, &document()));
    let killed = then(&first, Command::Kill { note: "Order.".into() });
    publish(&bus, &killed).await;
    let port = testkit::Port::reserve();
    let listen = port.address();
    let subject = subjects::receipt(&first.id, "rss-generator", &service_kit::instance(listen));
    let standing = json!({"revision": 2, "applied_at": "2026-01-01T00:00:00Z"});
    bus.publish(&RECEIPTS, &subject, "it", HeaderMap::new(), standing.to_string().into(), None).await.unwrap();
    let _replica = Replica::start_at(&nats, listen).await;
    // The second kill's receipt is written after the first's would have been.
    publish(&bus, &then(&other, Command::Kill { note: "Order.".into() })).await;
    eventually("the second kill is answered", async || match receipts(&bus, &other).await.len() {
        1 => Ok(()),
        n => Err(n),
    })
    .await;
    assert_eq!(receipts(&bus, &first).await, [(subject, standing)], "the first answer stands");
}
