//! The WebSub hub, as its subscribers see it: what they ask, what they are asked, what they are sent.

use std::time::{Duration, Instant};

use article::RevisionKind;
use futures::StreamExt;
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use reqwest::StatusCode;
use sha2::Sha256;
use testkit::{Port, Process, built, eventually};
use topology::{DEAD, HUB};

use super::subscriber::{Mood, Subscriber, agreed, ended, settled, stands};
use super::{Command, Replica, create, document, draft, header, provenance, provisioned, publish, then};

const ATOM: &str = "https://news.example/feeds/all.atom";
const HUB_ADDRESS: &str = "https://news.example/hub";

fn signed(secret: &str, body: &str) -> String {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    format!("sha256={}", mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

fn named(n: u8, headline: &str) -> article::Article {
    let mut document = document();
    document["headline"] = headline.into();
    create(n, &document)
}

#[tokio::test]
async fn who_finds_the_hub_and_asks_is_asked_and_then_told_what_is_new() {
    let (nats, bus) = provisioned().await;
    publish(&bus, &named(1, "Older news")).await;
    let (replica, reader) = (Replica::start(&nats).await, Subscriber::start().await);
    for (n, form) in [(2, "atom"), (3, "rss"), (4, "json")] {
        let topic = format!("https://news.example/feeds/all.{form}");
        // Discovery, by header and in the document.
        let feed = replica.get(&format!("/feeds/all.{form}")).await;
        let (links, content_type) = (header(&feed, "link").to_owned(), header(&feed, "content-type").to_owned());
        assert!(links.contains(&format!("<{HUB_ADDRESS}>; rel=\"hub\"")), "{form}: {links}");
        assert!(links.contains(&format!("<{topic}>; rel=\"self\"")), "{form}: {links}");
        assert!(feed.text().await.unwrap().contains(HUB_ADDRESS), "{form}");

        let callback = reader.callback(&format!("/{form}?user=1&key=a%20b"));
        let asked = replica.hub(&[("hub.mode", "subscribe"), ("hub.topic", &topic), ("hub.callback", &callback)]).await;
        assert_eq!(asked.status(), StatusCode::ACCEPTED);
        let question = reader.question(&format!("/{form}")).await;
        for (name, value) in [
            ("user", "1"),
            ("key", "a b"),
            ("hub.mode", "subscribe"),
            ("hub.topic", &topic),
            ("hub.lease_seconds", "864000"),
        ] {
            assert_eq!(question.get(name).map(String::as_str), Some(value), "{form}: {question:?}");
        }
        assert!(question["hub.challenge"].len() >= 32);
        stands(&bus, &topic, &callback).await;
        assert_eq!(reader.told(&format!("/{form}")).len(), 0, "what is there already is no news");

        publish(&bus, &named(n, &format!("News for {form}"))).await;
        let told = reader.next(&format!("/{form}"), 1).await;
        assert_eq!(told.header("content-type"), content_type);
        assert_eq!(told.header("link"), links);
        assert_eq!((told.header("x-hub-signature"), told.query.as_str()), ("", "user=1&key=a%20b"));
        assert!(told.body.contains(&format!("News for {form}")), "{}", told.body);
        assert!(!told.body.contains("Older news"), "only what is new: {}", told.body);
        let parsed = feed_rs::parser::parse(told.body.as_bytes()).unwrap();
        assert_eq!(parsed.entries.len(), 1, "{}", told.body);
    }
    assert_eq!(replica.get("/hub").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_page_is_a_topic_of_its_own_and_comes_whole() {
    let (nats, bus) = provisioned().await;
    publish(&bus, &named(1, "Older news")).await;
    let (replica, reader) = (Replica::start(&nats).await, Subscriber::start().await);
    let page = replica.get("/feeds/all").await;
    let topic = "https://news.example/feeds/all";
    let links = format!("<{HUB_ADDRESS}>; rel=\"hub\", <{topic}>; rel=\"self\"");
    assert_eq!(header(&page, "link"), links);
    replica.subscribe(&bus, &reader, topic, &reader.callback("/page")).await;
    publish(&bus, &named(2, "Newer news")).await;
    let told = reader.next("/page", 1).await;
    assert_eq!((told.header("content-type"), told.header("link")), ("text/html; charset=utf-8", links.as_str()));
    assert!(told.body.contains("Older news") && told.body.contains("Newer news"), "{}", told.body);
    assert_eq!(told.body, replica.text("/feeds/all").await, "what is sent is what is served");
}

#[tokio::test]
async fn a_subscription_is_signed_renewed_and_ended_by_whoever_has_the_callback() {
    let (nats, bus) = provisioned().await;
    let (replica, reader) = (Replica::start(&nats).await, Subscriber::start().await);
    let callback = reader.callback("/hook");
    let ask = async |mode: &str, more: &[(&str, &str)]| {
        let form = [&[("hub.mode", mode), ("hub.topic", ATOM), ("hub.callback", callback.as_str())], more].concat();
        let answer = replica.hub(&form).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED, "{}", answer.text().await.unwrap());
    };
    // What WebSub does not know is for others, and a lease is brought within the bounds.
    ask("subscribe", &[("hub.secret", "first"), ("hub.lease_seconds", "60"), ("foo", "bar"), ("hub.foo", "x")]).await;
    assert_eq!(reader.question("/hook").await["hub.lease_seconds"], "86400");
    stands(&bus, ATOM, &callback).await;
    publish(&bus, &named(1, "One")).await;
    let told = reader.next("/hook", 1).await;
    assert_eq!(told.header("x-hub-signature"), signed("first", &told.body));

    // Somebody else asks with a secret of his own; the subscriber says no, and nothing has changed.
    reader.mood("/hook", Mood::Refuses);
    ask("subscribe", &[("hub.secret", "second")]).await;
    reader.questions("/hook", 2).await;
    ask("unsubscribe", &[]).await;
    reader.questions("/hook", 3).await;
    reader.mood("/hook", Mood::SaysSomethingElse);
    ask("subscribe", &[("hub.secret", "second")]).await;
    reader.questions("/hook", 4).await;
    reader.mood("/hook", Mood::Willing);
    publish(&bus, &named(2, "Two")).await;
    let told = reader.next("/hook", 2).await;
    assert_eq!(told.header("x-hub-signature"), signed("first", &told.body));

    // A renewal is the same subscription, from then on with the new secret.
    ask("subscribe", &[("hub.secret", "third")]).await;
    reader.questions("/hook", 5).await;
    settled(&bus).await;
    publish(&bus, &named(3, "Three")).await;
    let told = reader.next("/hook", 3).await;
    assert_eq!(told.header("x-hub-signature"), signed("third", &told.body));

    ask("unsubscribe", &[]).await;
    assert_eq!(reader.questions("/hook", 6).await["hub.mode"], "unsubscribe");
    ended(&bus, ATOM, &callback).await;
    publish(&bus, &named(4, "Four")).await;
    replica.says("/feeds/all.atom", "Four").await;
    settled(&bus).await;
    assert_eq!(reader.told("/hook").len(), 3, "each version once, and none after the end");
}

#[tokio::test]
async fn what_cannot_be_had_is_refused_or_denied() {
    let (nats, bus) = provisioned().await;
    let (replica, reader) = (Replica::start(&nats).await, Subscriber::start().await);
    let callback = reader.callback("/hook");
    let subscribe = ("hub.mode", "subscribe");
    for (form, words) in [
        (vec![subscribe, ("hub.topic", ATOM)], "hub.callback is missing"),
        (vec![subscribe, ("hub.topic", ATOM), ("hub.callback", "http://10.0.0.1/")], "hub.callback cannot be called"),
        (vec![subscribe, ("hub.topic", "https://news.example/"), ("hub.callback", &callback)], "hub.topic"),
        (vec![("hub.mode", "publish"), ("hub.url", ATOM)], "hub.mode"),
    ] {
        let answer = replica.hub(&form).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{form:?}");
        assert_eq!(header(&answer, "content-type"), "text/plain; charset=utf-8");
        let text = answer.text().await.unwrap();
        assert!(text.contains(words), "{form:?}: {text}");
    }
    let post = async |content_type: &str, body: String| {
        let request = replica.client.post(format!("{}/hub", replica.base)).header("content-type", content_type);
        request.body(body).send().await.unwrap().status()
    };
    assert_eq!(post("application/json", "{}".into()).await, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let large = format!("hub.mode=subscribe&x={}", "x".repeat(20_000));
    assert_eq!(post("application/x-www-form-urlencoded", large).await, StatusCode::PAYLOAD_TOO_LARGE);
    let delete = replica.client.delete(format!("{}/hub", replica.base)).send().await.unwrap();
    assert_eq!(delete.status(), StatusCode::METHOD_NOT_ALLOWED);

    let nowhere = "https://news.example/feeds/publisher/nobody-of-that-name.atom";
    if replica.get("/feeds/publisher/nobody-of-that-name.atom").await.status() == StatusCode::NOT_FOUND {
        let form = [subscribe, ("hub.topic", nowhere), ("hub.callback", &callback)];
        assert_eq!(replica.hub(&form).await.status(), StatusCode::ACCEPTED);
        let denied = reader.question("/hook").await;
        assert_eq!((denied["hub.mode"].as_str(), denied["hub.topic"].as_str()), ("denied", nowhere));
        assert!(denied["hub.reason"].contains("no such feed"));
        ended(&bus, nowhere, &callback).await;
    }
    // One client gets no further than his share.
    let mut statuses = Vec::new();
    for _ in 0..150 {
        let form = [subscribe];
        let request = replica.client.post(format!("{}/hub", replica.base)).header("x-real-ip", "192.0.2.1").form(&form);
        let answer = request.send().await.unwrap();
        statuses.push((answer.status(), header(&answer, "retry-after").to_owned()));
    }
    // Not the last: a hundred may come at once, and one more each second.
    let refused = statuses.iter().find(|(status, _)| *status == StatusCode::TOO_MANY_REQUESTS);
    let (_, retry_after) = refused.expect("somebody who asks so often is told to wait");
    assert!(retry_after.parse::<u32>().is_ok_and(|seconds| seconds >= 1), "{retry_after}");
}

#[tokio::test]
async fn what_was_killed_is_told_and_its_text_is_nowhere() {
    let (nats, bus) = provisioned().await;
    let (replica, reader) = (Replica::start(&nats).await, Subscriber::start().await);
    let callback = reader.callback("/hook");
    let article = create(1, &document());
    publish(&bus, &article).await;
    replica.says("/feeds/all.atom", "Court opens").await;
    replica.subscribe(&bus, &reader, ATOM, &callback).await;
    let corrected = {
        let mut document = document();
        document["body_text"] = "Since TUESDAY anyone may read it.".into();
        let (kind, note) = (RevisionKind::Correction, Some("It was Tuesday.".to_owned()));
        then(&article, Command::Revise { kind, note, draft: draft(&document), provenance: provenance() })
    };
    publish(&bus, &corrected).await;
    assert!(reader.next("/hook", 1).await.body.contains("TUESDAY"));
    publish(&bus, &then(&corrected, Command::Kill { note: "Court order.".into() })).await;
    let told = reader.next("/hook", 2).await;
    assert!(told.body.contains("deleted-entry"), "{}", told.body);
    assert!(!told.body.contains("TUESDAY") && !told.body.contains("Monday"), "{}", told.body);
    settled(&bus).await;
    let mut from = 1;
    while let Some(stored) = bus.next(&HUB, "nw.hub.>", from).await.unwrap() {
        let text = String::from_utf8_lossy(&stored.payload).into_owned();
        assert!(!text.contains("TUESDAY") && !text.contains("Court"), "{text}");
        from = stored.sequence + 1;
    }
    assert_eq!(bus.last(&DEAD, "nw.dead.hub-deliveries").await.unwrap().map(|stored| stored.subject), None);
}

#[tokio::test]
async fn what_happened_while_nobody_was_there_is_told_afterwards() {
    let (nats, bus) = provisioned().await;
    let reader = Subscriber::start().await;
    let callback = reader.callback("/hook");
    {
        let replica = Replica::start(&nats).await;
        replica.subscribe(&bus, &reader, ATOM, &callback).await;
        replica.stop().await;
    }
    publish(&bus, &named(1, "While you slept")).await;
    let _replica = Replica::start(&nats).await;
    assert!(reader.next("/hook", 1).await.body.contains("While you slept"));
}

#[tokio::test]
async fn two_replicas_tell_everything_once_and_in_order() {
    let (nats, bus) = provisioned().await;
    let (one, _other, reader) = (Replica::start(&nats).await, Replica::start(&nats).await, Subscriber::start().await);
    let callback = reader.callback("/hook");
    one.subscribe(&bus, &reader, ATOM, &callback).await;
    for n in 1..=5_u8 {
        let headline = format!("Number {n}");
        publish(&bus, &named(n, &headline)).await;
        let told = reader.next("/hook", n.into()).await;
        assert!(told.body.contains(&headline), "{}", told.body);
    }
    // A burst: the last version counts, however many there were.
    for n in 6..=40_u8 {
        publish(&bus, &named(n, &format!("Number {n}"))).await;
    }
    eventually("the last is told", async || {
        let told = reader.told("/hook");
        let last = told.last().unwrap();
        if last.body.contains("Number 40") { Ok(()) } else { Err(format!("{} {}", told.len(), last.body)) }
    })
    .await;
    settled(&bus).await;
    let told = reader.told("/hook");
    for n in 1..=40 {
        let times = told.iter().filter(|told| told.body.contains(&format!("Number {n}<"))).count();
        assert_eq!(times, 1, "number {n} in {} deliveries", told.len());
    }
}

#[tokio::test]
async fn one_subscriber_that_misbehaves_is_no_other_ones_trouble() {
    let (nats, bus) = provisioned().await;
    let (replica, bad, good) =
        (Replica::start(&nats).await, Subscriber::at("127.0.0.2").await, Subscriber::start().await);
    let moods = [
        ("/gone", Mood::Status(410)),
        ("/fails", Mood::Status(500)),
        ("/endless", Mood::Endless),
        ("/moves", Mood::Redirects(bad.callback("/elsewhere"))),
        ("/hangs", Mood::Hangs),
        ("/hangs-too", Mood::Hangs),
        ("/hangs-as-well", Mood::Hangs),
    ];
    for (path, mood) in &moods {
        replica.subscribe(&bus, &bad, ATOM, &bad.callback(path)).await;
        bad.mood(path, mood.clone());
    }
    replica.subscribe(&bus, &good, ATOM, &good.callback("/good")).await;
    publish(&bus, &named(1, "One")).await;
    good.next("/good", 1).await;
    let tried = async |path: &str| {
        testkit::eventually_within(Duration::from_secs(120), &format!("{path} was tried"), async || {
            if bad.told(path).is_empty() { Err("not yet") } else { Ok(()) }
        })
        .await;
    };
    // Who failed gets the version that is current when he works again, and only that.
    tried("/fails").await;
    bad.mood("/fails", Mood::Willing);
    publish(&bus, &named(2, "Two")).await;
    good.next("/good", 2).await;
    let told = testkit::eventually_within(Duration::from_secs(120), "it is tried again", async || {
        let told = bad.told("/fails");
        told.get(1).cloned().ok_or(told.len())
    })
    .await;
    assert!(told.body.contains("One") && told.body.contains("Two"), "{}", told.body);
    for (path, _) in &moods {
        tried(path).await;
    }
    ended(&bus, ATOM, &bad.callback("/gone")).await;
    assert_eq!(bad.told("/elsewhere").len(), 0, "a redirect is not followed");
    assert_eq!(bad.told("/gone").len(), 1);
    let endless = bad.told("/endless");
    assert!(endless.iter().any(|told| told.body.contains("Two")), "a long answer is an answer: {}", endless.len());
    assert_eq!(good.told("/good").len(), 2);
}

/// At least once: what was posted and not noted is posted again, by whoever is left.
#[tokio::test]
async fn a_replica_killed_before_it_could_note_a_delivery_has_it_made_again() {
    let (nats, bus) = provisioned().await;
    let (reader, client) = (Subscriber::start().await, reqwest::Client::new());
    let callback = reader.callback("/hook");
    let port = Port::reserve();
    let listen = port.address();
    let mut command = built("rss-generator");
    command
        .env("NEWSWIRE_NATS_URL", nats.url())
        .env("NEWSWIRE_RSS_LISTEN", listen.to_string())
        .env("NEWSWIRE_PAGES_URL", "https://news.example/")
        .env("NEWSWIRE_RSS_ALLOW_NETWORKS", "127.0.0.0/8");
    let mut first = Process::spawn(&mut command);
    first.ready(&format!("http://{listen}/readyz")).await;
    let form = [("hub.mode", "subscribe"), ("hub.topic", ATOM), ("hub.callback", &callback)];
    let answer = client.post(format!("http://{listen}/hub")).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    stands(&bus, ATOM, &callback).await;
    reader.mood("/hook", Mood::Hangs);
    publish(&bus, &named(1, "One")).await;
    assert!(reader.next("/hook", 1).await.body.contains("One"));
    first.kill9();
    reader.mood("/hook", Mood::Willing);

    let _second = Replica::start(&nats).await;
    let again = testkit::eventually_within(Duration::from_secs(120), "it comes again", async || {
        reader.told("/hook").get(1).cloned().ok_or("not yet")
    })
    .await;
    assert!(again.body.contains("One"), "{}", again.body);
    settled(&bus).await;
    publish(&bus, &named(2, "Two")).await;
    let told = reader.next("/hook", 3).await;
    assert!(told.body.contains("Two") && !told.body.contains("One"), "{}", told.body);
}

#[tokio::test]
async fn a_thousand_subscribers_of_one_topic_are_told_once_each() {
    const READERS: usize = 1_000;
    let (nats, bus) = provisioned().await;
    let (replica, readers) = (Replica::start(&nats).await, Subscriber::at("0.0.0.0").await);
    let started = Instant::now();
    let ask = async |n: usize| {
        // Each on a host of its own, and asked for from many places.
        let callback = format!("http://127.0.{}.{}:{}/{n}", n / 250, n % 250 + 1, readers.port());
        let form = [("hub.mode", "subscribe"), ("hub.topic", ATOM), ("hub.callback", &callback), ("hub.secret", "s")];
        let request = replica.client.post(format!("{}/hub", replica.base)).form(&form);
        let answer = request.header("x-real-ip", format!("198.51.100.{}", n / 50)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
    };
    futures::stream::iter(0..READERS).for_each_concurrent(32, ask).await;
    let patient = Duration::from_secs(120);
    testkit::eventually_within(patient, "all subscribe", async || match agreed(&bus).await {
        READERS => Ok(()),
        other => Err(other),
    })
    .await;
    settled(&bus).await;
    let subscribed = started.elapsed();
    let started = Instant::now();
    publish(&bus, &named(1, "To everybody")).await;
    testkit::eventually_within(patient, "all are told", async || match readers.reached() {
        READERS => Ok(()),
        other => Err(other),
    })
    .await;
    eprintln!("{READERS} subscribed in {subscribed:?}; told in {:?}", started.elapsed());
    settled(&bus).await;
    for n in 0..READERS {
        let told = readers.told(&format!("/{n}"));
        assert_eq!(told.len(), 1, "{n}");
        assert_eq!(told[0].header("x-hub-signature"), signed("s", &told[0].body), "{n}");
    }
}
