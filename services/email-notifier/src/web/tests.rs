//! The pages over real HTTP, on a real nats-server.

use std::sync::Arc;

use article::{ArticleId, Command, Draft, Provenance};
use bus::{Bus, Credentials, Server};
use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, RequestBuilder, StatusCode};
use service_kit::Listener;
use testkit::NatsServer;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use topology::{CONSUMERS, STREAMS, SUBSCRIBERS};

use super::*;
use crate::subscriber::{Subscriber, SubscriberId};

const ADDRESS: &str = "reader@example.org";

struct Site {
    nats: NatsServer,
    bus: Bus,
    store: Store,
    keys: Keys,
    http: Client,
    base: String,
    shutdown: CancellationToken,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Site {
    /// The pages of a newsroom with the sections World, World › Asia <&> and 要闻.
    async fn start() -> Self {
        Self::start_with(Limits::default()).await
    }

    async fn start_with(limits: Limits) -> Self {
        let nats = NatsServer::start().await;
        let server = Server { url: nats.url().into(), credentials: Credentials::None };
        let bus = Bus::connect(&server, "test").await.unwrap();
        bus.provision(STREAMS, CONSUMERS, 1).await.unwrap();
        let keys = Keys::new(b"a secret of the tests");
        let store = Store::new(bus.clone(), keys.clone());
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), "X").await.unwrap();
        let base = format!("http://{}", listener.address);
        let shutdown = CancellationToken::new();
        let public_url: Url = format!("{base}/").parse().unwrap();
        let pages_url: Url = "https://news.example/".parse().unwrap();
        let from = "news@news.example".parse().unwrap();
        let site = mail::Site::new("Hefei News", pages_url.clone(), public_url.clone(), from, "news.example").unwrap();
        let catalogue = Catalogue::default();
        for section in [&["World", "Asia <&>"][..], &["要闻"]] {
            catalogue.learn(&article_in(section));
        }
        let web = Web {
            store: store.clone(),
            keys: keys.clone(),
            catalogue: Arc::new(catalogue),
            site,
            pages_url,
            public_url,
            client_ip_header: Some("X-Real-IP".into()),
            limits,
        };
        tokio::spawn(service_kit::serve(listener, router(web), shutdown.clone()));
        let http = Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        Self { nats, bus, store, keys, http, base, shutdown }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.base))
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.base))
    }

    fn form(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.post(path).header("content-type", "application/x-www-form-urlencoded").body(body)
    }

    fn subscribe(&self, address: &str, selection: &str) -> RequestBuilder {
        self.form("/subscribe", &[("address", address), ("selection", selection), ("language", "en")])
    }

    /// Sequence of the last thing written about any subscriber.
    async fn written(&self) -> u64 {
        self.bus.last_sequence(&SUBSCRIBERS).await.unwrap()
    }

    /// The one subscriber at `address`.
    async fn subscriber(&self, address: &str) -> Subscriber {
        let subject = topology::subjects::subscriber_address(&self.keys.address_hash(&address.parse().unwrap()));
        let claim = self.bus.last(&SUBSCRIBERS, &subject).await.unwrap().expect("a claim");
        let claim: serde_json::Value = serde_json::from_slice(&claim.payload).unwrap();
        let id: SubscriberId = serde_json::from_value(claim["id"].clone()).unwrap();
        self.store.get(id).await.unwrap().expect("a record")
    }

    /// Somebody who has confirmed `selections`.
    async fn reader(&self, selections: &[&str]) -> Subscriber {
        for selection in selections {
            let selection = selection.parse().unwrap();
            self.store.request(&ADDRESS.parse().unwrap(), &selection, "en", now()).await.unwrap();
        }
        let id = self.subscriber(ADDRESS).await.id;
        self.store.update(id, |subscriber| subscriber.confirm(now(), now())).await.unwrap().unwrap()
    }
}

fn now() -> Timestamp {
    service_kit::now()
}

fn article_in(section: &[&str]) -> article::Article {
    let document = serde_json::json!({"headline": "H", "language": "en", "body_text": "B", "section": section});
    let provenance =
        Provenance { channel: "api".into(), raw_sha256: String::new(), importer: None, warnings: Vec::new() };
    let draft = Box::new(Draft::from_json(&document, now()).unwrap());
    let (id, publisher) = (ArticleId::new(now(), [0; 10]), "hefei".parse().unwrap());
    article::apply(None, Command::Create { id, publisher, draft, provenance }, now()).unwrap()
}

/// Sends, checks what every page has in common, and returns the status and the text.
async fn page(request: RequestBuilder) -> (StatusCode, String) {
    let response = request.send().await.unwrap();
    let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap()).unwrap_or_default();
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("referrer-policy"), "no-referrer");
    assert_eq!(header("x-content-type-options"), "nosniff");
    let policy = header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    assert_eq!(response.headers().get("set-cookie"), None);
    let status = response.status();
    assert!(!status.is_redirection(), "{status}");
    let text = response.text().await.unwrap();
    assert!(text.contains("<html lang=") && !text.contains("<script") && !text.contains(" style="), "{text}");
    (status, text)
}

#[tokio::test]
async fn from_the_form_to_the_last_goodbye() {
    let site = Site::start().await;
    let (status, form) = page(site.get("/subscribe?selection=section/world")).await;
    assert_eq!(status, 200);
    assert!(form.contains("<option value=\"section/world\" dir=\"auto\" selected>World</option>"), "{form}");
    assert!(form.contains("World › Asia &#60;&#38;&#62;</option>"), "{form}");
    assert!(form.contains("news@news.example") && form.contains("Version 1 of this text"), "{form}");

    let (status, sent) = page(site.subscribe(ADDRESS, "section/world")).await;
    assert_eq!(status, 200);
    assert!(sent.contains("Look into your inbox") && !sent.contains("reader"), "{sent}");
    let reader = site.subscriber(ADDRESS).await;
    assert!(!reader.is_confirmed());

    let confirm = format!("/confirm/{}", site.keys.confirm_token(reader.id, now()));
    let (status, asked) = page(site.get(&confirm)).await;
    assert_eq!(status, 200);
    assert!(asked.contains("the section “World”") && asked.contains("r…@example.org"), "{asked}");
    assert!(!site.subscriber(ADDRESS).await.is_confirmed());
    let (status, subscribed) = page(site.post(&confirm)).await;
    assert_eq!(status, 200);
    assert!(subscribed.contains("You are subscribed") && site.subscriber(ADDRESS).await.is_confirmed());
    let written = site.written().await;
    assert_eq!(page(site.post(&confirm)).await, (status, subscribed.clone()), "pressed twice");
    assert_eq!(page(site.get(&confirm)).await, (status, subscribed.clone()), "opened again");
    assert_eq!(site.written().await, written);

    let unsubscribe = format!("/unsubscribe/{}", site.keys.unsubscribe_token(reader.id));
    assert!(subscribed.contains(&unsubscribe), "{subscribed}");
    let (status, leaving) = page(site.get(&unsubscribe)).await;
    assert_eq!(status, 200);
    assert!(leaving.contains("the section “World”") && leaving.contains("value=\"One-Click\""), "{leaving}");
    let (status, left) = page(site.form(&unsubscribe, &[("List-Unsubscribe", "One-Click")])).await;
    assert_eq!(status, 200);
    assert!(left.contains("You are unsubscribed") && !site.subscriber(ADDRESS).await.is_confirmed());
    assert_eq!(page(site.post(&confirm)).await.0, 410, "an old button brings nobody back");
}

#[tokio::test]
async fn looking_changes_nothing() {
    let site = Site::start().await;
    let reader = site.reader(&["all"]).await;
    site.store.request(&ADDRESS.parse().unwrap(), &"section/world".parse().unwrap(), "en", now()).await.unwrap();
    let written = site.written().await;
    let tokens = [
        format!("/confirm/{}", site.keys.confirm_token(reader.id, now())),
        format!("/unsubscribe/{}", site.keys.unsubscribe_token(reader.id)),
        format!("/unsubscribe/{}?selection=all&List-Unsubscribe=One-Click", site.keys.unsubscribe_token(reader.id)),
    ];
    for path in &tokens {
        let response = site.get(path).send().await.unwrap();
        assert_eq!(response.headers()["x-robots-tag"], "noindex", "{path}");
        assert_eq!(site.http.head(format!("{}{path}", site.base)).send().await.unwrap().status(), 200, "{path}");
        assert_eq!(site.http.put(format!("{}{path}", site.base)).send().await.unwrap().status(), 405, "{path}");
    }
    let typed = "/subscribe?address=reader@example.org&selection=all&language=zh";
    assert_eq!(page(site.get(typed)).await.0, 200);
    assert_eq!(site.written().await, written);
}

#[tokio::test]
async fn one_click_is_understood_from_every_mail_program() {
    let site = Site::start().await;
    let multipart = "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
    for (content_type, body) in [
        (Some("application/x-www-form-urlencoded"), "List-Unsubscribe=One-Click"),
        (Some("multipart/form-data; boundary=b"), multipart),
        (Some("text/plain; charset=utf-7"), "List-Unsubscribe=One-Click"),
        (Some("application/json"), "{"),
        (Some("nonsense"), "\u{0}\u{1}"),
        (None, "List-Unsubscribe=One-Click"),
        (None, ""),
    ] {
        let reader = site.reader(&["all", "section/world"]).await;
        assert_eq!(reader.confirmed().count(), 2);
        let path = format!("/unsubscribe/{}", site.keys.unsubscribe_token(reader.id));
        let request = site.post(&path).body(body);
        let request = content_type.into_iter().fold(request, |request, value| request.header("content-type", value));
        let (again, twice) = (request.try_clone().unwrap(), request.try_clone().unwrap());
        let (status, first) = page(request).await;
        assert_eq!(status, 200, "{content_type:?} {body:?}");
        assert_eq!(site.subscriber(ADDRESS).await.subscriptions, [], "{content_type:?} {body:?}");
        let written = site.written().await;
        assert_eq!(page(again).await, (status, first.clone()));
        assert_eq!(page(twice).await, (status, first));
        assert_eq!(site.written().await, written);
    }
}

#[tokio::test]
async fn one_of_several_can_be_ended() {
    let site = Site::start().await;
    let reader = site.reader(&["all", "section/world", "section/gone"]).await;
    let path = format!("/unsubscribe/{}", site.keys.unsubscribe_token(reader.id));
    let (_, before) = page(site.get(&path)).await;
    assert!(before.contains("section/gone"), "a section that the log has forgotten can still be left: {before}");
    let (status, after) = page(site.form(&path, &[("selection", "section/world")])).await;
    assert_eq!(status, 200);
    assert!(after.contains("role=\"status\"") && !after.contains("World"), "{after}");
    let left: Vec<String> =
        site.subscriber(ADDRESS).await.confirmed().map(|subscription| subscription.selection.to_string()).collect();
    assert_eq!(left, ["all", "section/gone"]);
    for (selection, expected) in [("section/world", 200), ("publisher/nobody", 200), ("", 404), ("section/", 404)] {
        assert_eq!(page(site.form(&path, &[("selection", selection)])).await.0, expected, "{selection:?}");
        assert_eq!(site.subscriber(ADDRESS).await.confirmed().count(), 2, "{selection:?}");
    }
}

#[tokio::test]
async fn forged_and_late_links_do_nothing() {
    let site = Site::start().await;
    let reader = site.reader(&["all"]).await;
    let written = site.written().await;
    let other = Keys::new(b"another secret");
    let late = now() - SignedDuration::from_hours(8 * 24);
    for (path, status) in [
        (format!("/confirm/{}", other.confirm_token(reader.id, now())), 404),
        (format!("/confirm/{}", site.keys.confirm_token(reader.id, late)), 404),
        (format!("/confirm/{}", site.keys.unsubscribe_token(reader.id)), 404),
        (format!("/confirm/{}", site.keys.confirm_token(SubscriberId::random(), now())), 410),
        (format!("/unsubscribe/{}", other.unsubscribe_token(reader.id)), 404),
        ("/unsubscribe/x".into(), 404),
        (format!("/unsubscribe/{}", "A".repeat(4000)), 404),
        ("/unsubscribe/%F0%9F%98%80%0D%0A".into(), 404),
        // Whoever left long ago has no record any more, and is told so.
        (format!("/unsubscribe/{}", site.keys.unsubscribe_token(SubscriberId::random())), 200),
        ("/nowhere".into(), 404),
    ] {
        let (seen, text) = page(site.get(&path)).await;
        assert_eq!(seen.as_u16(), status, "{path}");
        assert!(text.contains("Subscribe") || path.starts_with("/unsubscribe"), "{path}: {text}");
        if path != "/nowhere" {
            assert_eq!(page(site.post(&path)).await.0.as_u16(), status, "POST {path}");
        }
    }
    assert_eq!(site.written().await, written);
}

#[tokio::test]
async fn the_answer_says_nothing_about_the_address() {
    let site = Site::start().await;
    site.reader(&["all"]).await;
    let before = site.written().await;
    let mut answers = Vec::new();
    for (address, selection) in [
        ("new@example.org", "all"),
        // Asked for a moment ago.
        ("new@example.org", "all"),
        // Confirmed, the same and one more.
        (ADDRESS, "all"),
        (ADDRESS, "section/world"),
    ] {
        let started = tokio::time::Instant::now();
        let response = site.subscribe(address, selection).send().await.unwrap();
        assert!(started.elapsed() >= subscribe::ANSWER_AFTER, "{address} {selection}");
        let mut headers = response.headers().clone();
        headers.remove("date");
        answers.push((response.status(), headers, response.text().await.unwrap()));
    }
    assert!(site.written().await > before);
    let written = site.written().await;
    let trapped = [("address", "bot@example.org"), ("selection", "all"), (pages::TRAP, "https://spam.example")];
    let response = site.form("/subscribe", &trapped).send().await.unwrap();
    let mut headers = response.headers().clone();
    headers.remove("date");
    answers.push((response.status(), headers, response.text().await.unwrap()));
    assert_eq!(site.written().await, written, "what a script sends is not kept");
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
}

#[tokio::test]
async fn hostile_forms_are_refused_and_shown_as_text() {
    let site = Site::start().await;
    let shout = "a".repeat(300);
    for (address, selection, wrong) in [
        ("", "all", "address-wrong"),
        ("reader", "all", "address-wrong"),
        ("a\r\nBcc: victim@example.org", "all", "address-wrong"),
        ("a@example.org\r\nBcc: victim@example.org", "all", "address-wrong"),
        ("\"><script>alert(1)</script>", "all", "address-wrong"),
        ("用户@example.org", "all", "address-wrong"),
        ("a@[127.0.0.1]", "all", "address-wrong"),
        (shout.as_str(), "all", "address-wrong"),
        (ADDRESS, "", "selection-wrong"),
        (ADDRESS, "section/You have won! Call 0190", "selection-wrong"),
        (ADDRESS, "<b>", "selection-wrong"),
    ] {
        let request = site.subscribe(address, selection).header("x-real-ip", "198.51.100.1");
        let (status, text) = page(request).await;
        assert_eq!(status, 422, "{address:?} {selection:?}");
        assert!(text.contains(&format!("id=\"{wrong}\"")) && text.contains("aria-invalid=\"true\""), "{text}");
        assert!(!text.contains("<b>") && !text.contains("Call 0190"), "{text}");
    }
    let (_, again) = page(site.subscribe("o'reader@localhost", "section/world")).await;
    assert!(again.contains("value=\"o&#39;reader@localhost\"") && again.contains("selected>World<"), "{again}");
    assert_eq!(page(site.post("/subscribe").body(vec![0xff, 0, b'&', b'=', b'%'])).await.0, 422);
    assert_eq!(page(site.subscribe(&"a".repeat(17_000), "all")).await.0, 413);
    // The answer may be cut off by what is still on its way.
    if let Ok(response) = site.subscribe(&"a".repeat(1 << 20), "all").send().await {
        assert_eq!(response.status(), 413);
    }
    assert_eq!(site.written().await, 0);
}

#[tokio::test]
async fn a_script_is_slowed_down_and_others_are_not() {
    let site = Site::start().await;
    let from = |client: &str| site.subscribe("nobody", "all").header("x-real-ip", client);
    let mut statuses = Vec::new();
    for n in 0..21 {
        // One household, whichever of its addresses it uses.
        statuses.push(page(from(&format!("2001:db8:0:1::{n:x}"))).await.0.as_u16());
    }
    assert_eq!(statuses, [vec![422; 20], vec![429]].concat());
    let refused = site.subscribe(ADDRESS, "all").header("x-real-ip", "2001:db8:0:1::ffff").send().await.unwrap();
    assert_eq!(refused.status(), 429);
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    let text = refused.text().await.unwrap();
    assert!(text.contains("role=\"alert\"") && text.contains(&format!("value=\"{ADDRESS}\"")), "{text}");
    assert_eq!(site.written().await, 0);
    assert_eq!(page(site.subscribe(ADDRESS, "all").header("x-real-ip", "2001:db8:0:2::1")).await.0, 200);
}

#[tokio::test]
async fn a_mail_system_is_not_flooded() {
    let domains = limits::Limit::new(60, Duration::from_secs(3600));
    let site = Site::start_with(Limits { domains, ..Limits::default() }).await;
    let ask = |n: usize| {
        let client = format!("198.51.100.{n}");
        site.subscribe(&format!("a{n}@Victim.example"), "all").header("x-real-ip", client)
    };
    let asked: JoinSet<_> = (0..70).map(|n| ask(n).send()).collect();
    let statuses: Vec<u16> =
        asked.join_all().await.into_iter().map(|response| response.unwrap().status().as_u16()).collect();
    let taken = statuses.iter().filter(|status| **status == 200).count();
    let busy = statuses.iter().filter(|status| **status == 429).count();
    // Not one 503: the server is never asked for more writes at once than it takes.
    assert_eq!((taken, busy), (60, 10), "{statuses:?}");
    assert_eq!(page(site.subscribe("a@other.example", "all")).await.0, 200);
}

#[tokio::test]
async fn pages_speak_the_readers_language() {
    let site = Site::start().await;
    let chinese = |request: RequestBuilder| request.header("accept-language", "zh-CN,zh;q=0.9,en;q=0.8");
    let (_, form) = page(chinese(site.get("/subscribe"))).await;
    assert!(form.contains("<html lang=\"zh-Hans\"") && form.contains("邮件订阅"), "{form}");
    assert!(form.contains("href=\"?selection=all&#38;lang=en\"") && form.contains(">要闻</option>"), "{form}");
    assert!(page(chinese(site.get("/subscribe?lang=en"))).await.1.contains("News by email"));
    assert!(page(site.get("/subscribe?lang=zh-Hant")).await.1.contains("邮件订阅"));
    let (status, wrong) = page(chinese(site.subscribe("读者@example.org", "all"))).await;
    assert_eq!(status, 422);
    assert!(wrong.contains("请检查") && wrong.contains("value=\"读者@example.org\""), "{wrong}");

    let fields = [("address", ADDRESS), ("selection", "section/要闻"), ("language", "zh-Hans")];
    let (_, sent) = page(site.form("/subscribe?lang=zh", &fields)).await;
    assert!(sent.contains("请查看您的收件箱"), "{sent}");
    let reader = site.subscriber(ADDRESS).await;
    assert_eq!(reader.language, "zh-Hans");
    // In the language of the form, whatever this browser asks for; a link changes it.
    let confirm = format!("/confirm/{}", site.keys.confirm_token(reader.id, now()));
    assert!(page(site.get(&confirm)).await.1.contains("“要闻”栏目"));
    assert!(page(site.get(&format!("{confirm}?lang=en"))).await.1.contains("the section “要闻”"));
}

#[tokio::test]
async fn without_its_records_the_service_says_try_again_and_means_it() {
    let mut site = Site::start().await;
    let reader = site.reader(&["all"]).await;
    let unsubscribe = format!("/unsubscribe/{}", site.keys.unsubscribe_token(reader.id));
    let confirm = format!("/confirm/{}", site.keys.confirm_token(reader.id, now()));
    site.nats.stop().await;
    let form = || site.subscribe("new@example.org", "section/world");
    let requests = [site.get(&unsubscribe), site.post(&unsubscribe), site.get(&confirm), site.post(&confirm), form()];
    let asked: JoinSet<_> = requests.into_iter().map(RequestBuilder::send).collect();
    for response in asked.join_all().await {
        let response = response.unwrap();
        assert_eq!(response.status(), 503, "{}", response.url());
        assert_eq!(response.headers()["retry-after"], "10");
    }
    let (_, form) = page(form()).await;
    assert!(form.contains("value=\"new@example.org\"") && form.contains("selected>World<"), "{form}");
    site.nats.restart().await;
    testkit::eventually("the same press works", async || {
        match site.post(&unsubscribe).send().await.unwrap().status().as_u16() {
            200 => Ok(()),
            status => Err(status),
        }
    })
    .await;
    assert!(!site.subscriber(ADDRESS).await.is_confirmed());
}

#[tokio::test]
async fn the_address_alone_leads_to_the_form() {
    let site = Site::start().await;
    let response = site.get("/?lang=zh").send().await.unwrap();
    assert_eq!(response.status(), 307);
    assert_eq!(response.headers()["location"], format!("{}/subscribe?lang=zh", site.base));
}
