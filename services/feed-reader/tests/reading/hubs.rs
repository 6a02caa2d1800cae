//! A source with a hub: subscribed to, verified, announced, and not taken in by anybody else.

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use testkit::eventually;

use crate::desk::Desk;
use crate::upstream::{Page, Upstream, item, rss};

fn signed(secret: &str, body: &str) -> String {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(body.as_bytes());
    format!("sha256={}", mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

#[tokio::test]
async fn what_a_hub_announces_comes_at_once_and_only_from_it() {
    let (desk, upstream) = (Desk::open().await, Upstream::start().await);
    let topic = upstream.url("/feed");
    let link = format!("etag: \"1\"\r\nlink: <{}>; rel=\"hub\", <{topic}>; rel=\"self\"\r\n", upstream.url("/hub"));
    let first = rss(&[item("a", 1, "By asking", "Text.")]);
    upstream.set("/feed", Page::Says(200, link, first.into_bytes()));
    upstream.set("/hub", Page::Says(202, String::new(), Vec::new()));
    let reader = desk.reader(Some("http://hooks.riverton.example/below/")).await;
    let id = desk.source(&topic).await;
    let form = eventually("the hub is asked", async || upstream.posted("/hub").pop().ok_or("not yet")).await;
    let form: std::collections::HashMap<String, String> =
        url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    assert_eq!((form["hub.mode"].as_str(), form["hub.topic"].as_str()), ("subscribe", topic.as_str()));
    let callback =
        form["hub.callback"].strip_prefix("http://hooks.riverton.example/below/").expect("below our address");
    let callback = format!("http://{reader}/{callback}");
    let http = reqwest::Client::new();
    let ask = async |mode: &str, topic: &str, callback: &str| {
        let query =
            [("hub.mode", mode), ("hub.topic", topic), ("hub.challenge", "c<1>"), ("hub.lease_seconds", "3600")];
        let url = url::Url::parse_with_params(callback, query).expect("an address");
        let answer = http.get(url).send().await.expect("it answers");
        (answer.status().as_u16(), answer.text().await.expect("text"))
    };
    assert_eq!(ask("subscribe", "http://127.0.0.1/other", &callback).await.0, 404, "nobody asked for that");
    assert_eq!(ask("unsubscribe", &topic, &callback).await.0, 404);
    assert_eq!(ask("subscribe", &topic, &format!("{callback}0")).await.0, 404, "a guess");
    assert_eq!(ask("subscribe", &topic, &callback).await, (200, "c<1>".to_owned()));

    let post = async |signature: &str, body: &str| {
        let request =
            http.post(&callback).header("x-hub-signature", signature).header("content-type", "application/rss+xml");
        request.body(body.to_owned()).send().await.expect("it answers").status().as_u16()
    };
    let forged = rss(&[item("f", 2, "Forged", "Text.")]);
    for signature in ["", "sha256=00", &signed("guess", &forged)] {
        assert_eq!(post(signature, &forged).await, 202, "nobody learns how far off he was");
    }
    let news = rss(&[item("b", 3, "By the hub", "Text."), item("a", 1, "By asking", "Text.")]);
    assert_eq!(post(&signed(&form["hub.secret"], &news), &news).await, 202);
    eventually("the announcement is an article", async || {
        let articles = desk.articles().await;
        if articles.contains_key("By the hub") { Ok(()) } else { Err(format!("{:?}", articles.keys())) }
    })
    .await;
    assert_eq!(desk.articles().await.len(), 2, "nothing forged, nothing twice");
    assert_eq!(upstream.asked("/feed").len(), 1, "it came by the hub");
    let before = upstream.posted("/hub").len();
    desk.next_turn(&id).await;
    assert_eq!(upstream.posted("/hub").len(), before, "an agreement that stands is not made again");
}
