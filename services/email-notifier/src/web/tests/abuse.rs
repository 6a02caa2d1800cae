//! What strangers, scripts and outages do.

use super::*;

#[tokio::test]
async fn the_answer_says_nothing_about_the_address() {
    let site = Site::start().await;
    site.reader(&["all"]).await;
    site.suppressed("silent@example.org").await;
    let before = site.written().await;
    let mut answers = Vec::new();
    for (address, selection) in [
        ("silent@example.org", "all"),
        ("silent@example.org", "section/world"),
        ("new@example.org", "all"),
        // Asked for a moment ago.
        ("new@example.org", "all"),
        // Confirmed, the same and one more.
        (ADDRESS, "all"),
        (ADDRESS, "section/world"),
    ] {
        let started = Instant::now();
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
async fn strangers_cannot_use_up_what_an_owner_may_have() {
    let site = Site::start().await;
    site.reader(&["all"]).await;
    let news: Vec<String> = (0..30).map(|n| format!("S{n}")).collect();
    for (n, section) in news.iter().enumerate() {
        site.catalogue.learn(&article_in(&[section.as_str()]));
        let client = format!("198.51.100.{n}");
        let request = site.subscribe(ADDRESS, &format!("section/s{n}")).header("x-real-ip", client);
        assert_eq!(page(request).await.0, 200);
    }
    let mut reader = site.subscriber(ADDRESS).await;
    assert_eq!((reader.confirmed().count(), reader.pending(now()).count()), (1, 10));
    let own = "section/s29".parse().unwrap();
    assert!(reader.add(&own, crate::frequency::Frequency::Immediate, now()).unwrap(), "its owner goes on");
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
    let domains = service_kit::Limit::new(60, Duration::from_secs(3600));
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
