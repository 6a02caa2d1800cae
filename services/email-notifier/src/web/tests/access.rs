//! How the owner of an address comes to that page, and what a link to leave opens instead.

use super::*;

#[tokio::test]
async fn a_link_is_mailed_to_who_is_known_and_the_answer_does_not_say() {
    let site = Site::start().await;
    site.reader(&["all"]).await;
    site.store
        .request(&"pending@example.org".parse().unwrap(), &Wish::alerts("all".parse().unwrap(), "en"), now())
        .await
        .unwrap();
    site.suppressed("silent@example.org").await;
    let written = site.written().await;
    let ask = |address: &str| site.form("/preferences", &[("address", address)]);
    let mut answers = Vec::new();
    for address in ["nobody@example.org", "pending@example.org", "silent@example.org", ADDRESS, ADDRESS] {
        let started = Instant::now();
        let response = ask(address).send().await.unwrap();
        assert!(started.elapsed() >= subscribe::ANSWER_AFTER, "{address}");
        let mut headers = response.headers().clone();
        headers.remove("date");
        answers.push((response.status(), headers, response.text().await.unwrap()));
        let asked = address == ADDRESS;
        assert_eq!(site.written().await > written, asked, "{address}");
    }
    assert!(answers.iter().all(|answer| *answer == answers[0] && answer.0 == 200), "{answers:#?}");
    let reader = site.subscriber(ADDRESS).await;
    assert!(reader.wants_link(now()));
    let written = site.written().await;
    let trap = [("address", ADDRESS), (pages::TRAP, "https://spam.example")];
    assert_eq!(page(site.form("/preferences", &trap)).await.1, answers[0].2);
    assert_eq!(site.written().await, written);
    let (status, wrong) = page(ask("a@b\r\nBcc: victim@example.org").header("accept-language", "zh")).await;
    assert!(status == 422 && wrong.contains("id=\"address-wrong\"") && wrong.contains("请检查"), "{wrong}");
    assert_eq!(page(ask(&"a".repeat(17_000))).await.0, 413);
}

#[tokio::test]
async fn who_holds_a_link_to_leave_may_pause_instead_and_no_more() {
    let site = Site::start().await;
    let reader = site.reader(&["all"]).await;
    let leave = format!("/unsubscribe/{}", site.keys.unsubscribe_token(reader.id));
    let (_, asked) = page(site.get(&leave)).await;
    assert!(asked.contains("all news – at once") && asked.contains("name=\"pause\""), "{asked}");
    assert!(asked.contains(&format!("href=\"{}/preferences\"", site.base)), "{asked}");
    let (status, paused) = page(site.form(&leave, &[("pause", "4")])).await;
    assert!(status == 200 && paused.contains("role=\"status\"") && !paused.contains("name=\"pause\""), "{paused}");
    let reader = site.subscriber(ADDRESS).await;
    let pause = reader.paused(now()).unwrap();
    let days = pause.until.unwrap().duration_since(now()).as_hours() / 24;
    assert!(reader.is_confirmed() && (27..=28).contains(&days), "{pause:?}");
}

#[tokio::test]
async fn a_script_that_pauses_is_slowed_down_and_leaving_never_is() {
    let owners = service_kit::Limit::new(3, Duration::from_secs(3600));
    let site = Site::start_with(Limits { owners, ..Limits::default() }).await;
    let reader = site.reader(&["all", "section/world"]).await;
    let leave = format!("/unsubscribe/{}", site.keys.unsubscribe_token(reader.id));
    for expected in [200, 200, 200, 429] {
        assert_eq!(page(site.form(&leave, &[("pause", "4")])).await.0, expected);
    }
    assert_eq!(page(site.form(&leave, &[("List-Unsubscribe", "One-Click")])).await.0, 200);
    assert!(!site.subscriber(ADDRESS).await.is_confirmed());
}
