//! What is held of a subscriber: given out and forgotten, to who comes by a fresh link.

use super::*;
use crate::links::PREFERENCES_BY_FORM;

#[tokio::test]
async fn the_export_says_what_was_agreed_to_and_in_which_language_it_was_shown() {
    let site = Site::start().await;
    for selection in ["section/world", "section/要闻"] {
        let fields = [("address", ADDRESS), ("selection", selection), ("language", "en")];
        assert_eq!(page(site.form("/subscribe?lang=zh", &fields)).await.0, 200);
    }
    let reader = site.subscriber(ADDRESS).await;
    let confirm = format!("/confirm/{}", site.keys.confirm_token(reader.id, now()));
    let (_, asked) = page(site.get(&format!("{confirm}?lang=zh"))).await;
    let action = asked.split("action=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    let (_, said) = page(site.post(&format!("{confirm}{action}"))).await;
    assert!(said.contains("订阅成功"), "the button is in the language of its page: {action} {said}");
    let path = site.preferences(&reader);
    site.press(&path, &[("do", "add"), ("selection", "all")]).await;
    site.press(&path, &[("do", "end"), ("selection", "section/world")]).await;
    site.press(&path, &[("do", "end-all")]).await;
    let held = site.form(&path, &[("do", "export")]).send().await.unwrap().json::<serde_json::Value>().await.unwrap();
    let lines = held["subscriber"]["consent"].as_array().unwrap().iter();
    let told: Vec<_> =
        lines.map(|line| ["event", "form", "selection", "language"].map(|of| line[of].as_str())).collect();
    let line = |event, form, selection, language| [Some(event), Some(form), selection, language];
    let (world, news, zh) = (Some("section/world"), Some("section/要闻"), Some("zh-Hans"));
    assert_eq!(
        told,
        [
            line("requested", "/subscribe", world, zh),
            line("requested", "/subscribe", news, zh),
            line("confirmed", "/confirm", world, zh),
            line("confirmed", "/confirm", news, zh),
            line("confirmed", "/preferences", Some("all"), Some("en")),
            line("withdrawn", "/preferences", world, None),
            line("withdrawn", "/preferences", None, None),
        ]
    );
}

#[tokio::test]
async fn what_is_held_can_be_taken_away_and_removed() {
    let site = Site::start().await;
    let reader = site.reader(&["section/world"]).await;
    let path = site.preferences(&reader);
    let written = site.written().await;
    let response = site.form(&path, &[("do", "export")]).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/json");
    assert!(header("content-disposition").starts_with("attachment; ") && header("cache-control") == "no-store");
    let held: serde_json::Value = response.json().await.unwrap();
    assert_eq!(held["subscriber"]["address"], ADDRESS);
    assert_eq!(held["subscriber"]["consent"][0]["form"], "/subscribe");
    assert!(held["kept_elsewhere"][0].as_str().unwrap().contains("400 days"), "{held}");
    assert_eq!(site.written().await, written);
    assert_eq!((&held["pages"], &held["suppressed"]), (&format!("{}/", site.base).into(), &serde_json::Value::Null));
    let silent = site.suppressed("silent@example.org").await;
    let silent = format!("/preferences/{}", site.keys.fresh_preferences_token(silent, now()));
    let held = site.form(&silent, &[("do", "export")]).send().await.unwrap().json::<serde_json::Value>().await.unwrap();
    assert_eq!(held["suppressed"], "complained");
    let written = site.written().await;

    let erase = format!("{path}/erase");
    let (status, asked) = page(site.get(&erase)).await;
    assert_eq!(status, 200);
    assert!(
        asked.contains("r…@example.org") && asked.contains("What remains") && asked.contains("<form method=\"post\"")
    );
    assert!(!asked.contains("fingerprint"), "nothing stays of an address that may be written to: {asked}");
    assert_eq!(site.written().await, written);
    assert!(site.press(&erase, &[]).await.contains("could remove is removed"));
    assert_eq!(site.store.get(reader.id).await.unwrap(), None);
    assert_eq!(site.store.at(&ADDRESS.parse().unwrap()).await.unwrap(), None);
    for gone in [&path, &erase] {
        let (status, text) = page(site.get(gone)).await;
        assert!(status == 404 && text.contains("name=\"address\""), "{text}");
    }
    assert!(site.press(&erase, &[]).await.contains("could remove is removed"), "pressed twice");
}

#[tokio::test]
async fn a_link_from_the_news_gives_nothing_out_and_erases_nothing_but_has_a_fresh_one_mailed() {
    let site = Site::start().await;
    let reader = site.reader(&["all"]).await;
    let written = site.written().await;
    // In its last minutes it has become no other.
    let last = format!("/preferences/{}", site.keys.preferences_token(reader.id, now() + PREFERENCES_BY_FORM / 6));
    let path = site.preferences_in_news(&reader);
    for path in [&path, &last] {
        let (_, shown) = page(site.get(path)).await;
        assert!(shown.contains("value=\"link\"") && shown.contains("mail to r…@example.org"), "{shown}");
        assert!(!shown.contains("value=\"export\"") && !shown.contains("/erase\""), "{shown}");
        let erase = format!("{path}/erase");
        for (language, words) in [("en", "you need a fresh link"), ("zh", "须使用我们发送到")] {
            let query = format!("?lang={language}");
            let requests = [
                site.form(&format!("{path}{query}"), &[("do", "export")]),
                site.get(&format!("{erase}{query}")),
                site.post(&format!("{erase}{query}")),
            ];
            for (request, from) in requests.into_iter().zip(["", " action=\"..", " action=\".."]) {
                let (status, told) = page(request).await;
                assert!(status == 403 && told.contains(words) && !told.contains(ADDRESS), "{told}");
                let action =
                    if from.is_empty() { String::new() } else { format!("{from}{}\"", &path["/preferences".len()..]) };
                assert!(
                    told.contains(&format!("<form method=\"post\"{action}><button name=\"do\" value=\"link\">")),
                    "{told}"
                );
            }
        }
    }
    assert_eq!((site.written().await, site.subscriber(ADDRESS).await), (written, reader.clone()));

    let asked = site.press(&format!("{path}?lang=zh"), &[("do", "link")]).await;
    assert!(asked.contains("请查看您的收件箱"), "{asked}");
    assert!(site.subscriber(ADDRESS).await.wants_link(now()));
    let written = site.written().await;
    assert!(site.press(&last, &[("do", "link")]).await.contains("Look into your inbox"));
    assert_eq!(site.written().await, written, "one is on its way");
    let (_, fresh) = page(site.get(&site.preferences(&reader))).await;
    assert!(fresh.contains("value=\"export\"") && fresh.contains("/erase\"") && !fresh.contains("value=\"link\""));

    let silent = site.suppressed("silent@example.org").await;
    let silent = site.store.get(silent).await.unwrap().unwrap();
    let written = site.written().await;
    let never = site.preferences_in_news(&silent);
    for request in [site.form(&never, &[("do", "link")]), site.form(&never, &[("do", "export")])] {
        let (status, told) = page(request).await;
        assert!(status == 403 && told.contains("Nothing may be mailed to s…@example.org"), "{told}");
        assert!(!told.contains("value=\"link\""), "{told}");
    }
    assert_eq!(site.written().await, written);
}
