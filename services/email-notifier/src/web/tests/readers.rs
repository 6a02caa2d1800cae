//! What readers do: subscribe, confirm, leave.

use super::*;

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
    for again in [site.post(&confirm), site.get(&confirm)] {
        let (status, text) = page(again).await;
        assert!(status == 200 && text.contains("You are subscribed"), "pressed twice, or opened again: {text}");
    }
    assert_eq!(site.written().await, written);

    let unsubscribe = format!("/unsubscribe/{}", site.keys.unsubscribe_token(reader.id));
    assert!(subscribed.contains("/preferences/"), "{subscribed}");
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
    site.store
        .request(&ADDRESS.parse().unwrap(), &Wish::alerts("section/world".parse().unwrap(), "en"), now())
        .await
        .unwrap();
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
    assert!(before.contains("the section “gone”"), "a section that the log has forgotten can still be left: {before}");
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
async fn a_combination_is_subscribed_to_by_its_link() {
    let site = Site::start().await;
    let canonical = "section/world+!section/要闻";
    // As it was copied from a feed's address, as a form encodes it, and in another spelling.
    for link in [
        "section/world+!section/要闻",
        "section/world%2B%21section%2F%E8%A6%81%E9%97%BB",
        "!section/要闻+(SECTION/world)",
        "!section/要闻+section/World",
    ] {
        let (status, form) = page(site.get(&format!("/subscribe?selection={link}"))).await;
        let option = format!(
            "<option value=\"{canonical}\" dir=\"auto\" selected>the section “World”, without the section “要闻”</option>"
        );
        assert_eq!((status.as_u16(), form.contains(&option)), (200, !link.contains("SECTION")), "{link}: {form}");
        assert_eq!(form.contains("Your selection"), !link.contains("SECTION"), "{form}");
    }
    assert_eq!(page(site.subscribe(ADDRESS, "!section/要闻+section/World")).await.0, 200);
    let reader = site.subscriber(ADDRESS).await;
    let (_, asked) = page(site.get(&format!("/confirm/{}", site.keys.confirm_token(reader.id, now())))).await;
    assert!(asked.contains("the section “World”, without the section “要闻”"), "{asked}");
    let reader = site.reader(&[canonical, "urgency/2", "text/党风"]).await;
    let leave = format!("/unsubscribe/{}", site.keys.unsubscribe_token(reader.id));
    let (_, topics) = page(site.get(&leave)).await;
    assert!(topics.contains("urgent news (1 or 2)") && topics.contains("news with the words “党风”"), "{topics}");
    assert_eq!(page(site.form(&leave, &[("selection", canonical)])).await.0, 200);
    assert_eq!(site.subscriber(ADDRESS).await.confirmed().count(), 2);
}

#[tokio::test]
async fn a_story_is_followed_at_once_whatever_the_form_says() {
    let site = Site::start().await;
    let article = article::Article { headline: "Flood <in> Hefei".into(), ..article_in(&["World"]) };
    let story = format!("story/{}", article.id.token());
    let (status, unknown) = page(site.subscribe(ADDRESS, &story)).await;
    assert!(status == 422 && !unknown.contains(&article.id.token()), "nobody has published it: {unknown}");
    site.catalogue.learn(&article);
    let (status, form) = page(site.get(&format!("/subscribe?selection={story}"))).await;
    let choice =
        format!("<option value=\"{story}\" dir=\"auto\" selected>updates to the story “Flood &#60;in&#62; Hefei”");
    assert!(status == 200 && form.contains(&choice) && !form.contains("name=\"frequency\""), "{form}");

    let fields = [("address", ADDRESS), ("selection", &story), ("frequency", "daily"), ("hour", "8")];
    assert_eq!(page(site.form("/subscribe", &fields)).await.0, 200);
    let reader = site.subscriber(ADDRESS).await;
    let confirm = format!("/confirm/{}", site.keys.confirm_token(reader.id, now()));
    let (_, asked) = page(site.get(&confirm)).await;
    assert!(asked.contains("updates to the story “Flood &#60;in&#62; Hefei”"), "{asked}");
    assert_eq!(page(site.post(&confirm)).await.0, 200);
    let reader = site.subscriber(ADDRESS).await;
    let standing: Vec<_> = reader.spans().collect();
    assert_eq!((standing.len(), standing[0].selection.story()), (1, Some(article.id)));
    assert_eq!(standing[0].frequency, crate::frequency::Frequency::Immediate);

    let killed = article::Article { status: article::Status::Killed, ..article };
    site.catalogue.learn(&killed);
    let leave = format!("/unsubscribe/{}", site.keys.unsubscribe_token(reader.id));
    let (_, leaving) = page(site.get(&leave)).await;
    assert!(leaving.contains("updates to a story") && !leaving.contains("Flood"), "{leaving}");
}
