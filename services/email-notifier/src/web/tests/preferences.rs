//! What the owner of an address does on the page that a mailed link opens.

use super::*;
use crate::frequency::Frequency;
use crate::links::{PREFERENCES_BY_FORM, PREFERENCES_IN_MAIL};
use crate::span::Cap;

impl Site {
    /// As it is mailed to who asks for it.
    pub(super) fn preferences(&self, reader: &Subscriber) -> String {
        format!("/preferences/{}", self.keys.fresh_preferences_token(reader.id, now()))
    }

    /// As it stands in a mail of news.
    pub(super) fn preferences_in_news(&self, reader: &Subscriber) -> String {
        format!("/preferences/{}", self.keys.preferences_token(reader.id, now() + PREFERENCES_IN_MAIL))
    }

    /// Presses a button, follows to the page, and returns it.
    pub(super) async fn press(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let response = self.form(path, fields).send().await.unwrap();
        assert_eq!(response.status(), 303, "{fields:?}: {}", response.text().await.unwrap());
        let to = response.url().join(response.headers()["location"].to_str().unwrap()).unwrap();
        let (status, text) = page(self.http.get(to)).await;
        assert_eq!(status, 200);
        assert!(text.contains("role=\"status\""), "{fields:?} {text}");
        text
    }
}

fn how(reader: &Subscriber) -> Vec<(String, String)> {
    let mut all: Vec<_> = reader.confirmed().map(|s| (s.selection.to_string(), s.frequency.to_string())).collect();
    all.sort();
    all
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect()
}

#[tokio::test]
async fn every_button_does_what_it_says() {
    let site = Site::start().await;
    let reader = site.reader(&["all", "section/world"]).await;
    let path = site.preferences_in_news(&reader);
    let (_, first) = page(site.get(&path)).await;
    assert!(first.contains("r…@example.org") && first.contains("the section “World”"), "{first}");
    assert!(!first.contains("value=\"section/world\" dir"), "what is there is not offered again: {first}");

    let weekly = [("do", "change"), ("selection", "all"), ("frequency", "weekly"), ("day", "sun"), ("hour", "19")];
    assert!(site.press(&path, &weekly).await.contains("every Sunday at 19:00"));
    let add = [("do", "add"), ("selection", "section/要闻"), ("frequency", "daily"), ("hour", "7")];
    assert!(site.press(&path, &add).await.contains("every day at 07:00"));
    let three = pairs(&[("all", "weekly@sun@19"), ("section/world", "immediate"), ("section/要闻", "daily@07")]);
    assert_eq!(how(&site.subscriber(ADDRESS).await), three);

    site.press(&path, &[("do", "end"), ("selection", "section/world")]).await;
    assert_eq!(how(&site.subscriber(ADDRESS).await).len(), 2);

    let said = site.press(&path, &[("do", "settings"), ("language", "zh-Hans"), ("zone", "Europe/Berlin")]).await;
    assert!(said.contains("您的订阅") && said.contains("已保存") && said.contains("每周日 19:00"), "{said}");
    assert!(said.contains("<option value=\"Europe/Berlin\" selected>Berlin</option>"), "{said}");
    let reader = site.subscriber(ADDRESS).await;
    assert_eq!((reader.language.as_str(), reader.zone.as_str()), ("zh-Hans", "Europe/Berlin"));

    let english = format!("{path}?lang=en");
    let paused = site.press(&english, &[("do", "pause"), ("for", "2")]).await;
    assert!(paused.contains("nothing is sent until 2") && paused.contains("value=\"resume\""), "{paused}");
    let until = site.subscriber(ADDRESS).await.paused(now()).unwrap().until.unwrap();
    assert_eq!(until.duration_since(now()).as_hours() / 24, 13, "two weeks less the time this took");
    assert!(site.press(&english, &[("do", "pause"), ("for", "open")]).await.contains("until you resume"));
    let day = (now() + SignedDuration::from_hours(240)).to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
    let dated = site.press(&english, &[("do", "pause"), ("for", "date"), ("date", &day)]).await;
    assert!(dated.contains(&format!("until {day} 00:00")), "{dated}");
    assert!(!site.press(&english, &[("do", "resume")]).await.contains("value=\"resume\""));
    assert_eq!(site.subscriber(ADDRESS).await.paused(now()), None);

    let capped = site.press(&english, &[("do", "cap"), ("alerts", "7"), ("hour", "18")]).await;
    assert!(capped.contains("<option value=\"7\" selected>At most 7</option>"), "{capped}");
    assert_eq!(site.subscriber(ADDRESS).await.cap(), Some(Cap { alerts: 7, hour: 18 }));
    site.press(&english, &[("do", "cap"), ("alerts", ""), ("hour", "18")]).await;
    assert_eq!(site.subscriber(ADDRESS).await.cap(), None);

    let ended = site.press(&english, &[("do", "end-all")]).await;
    assert!(ended.contains("sends nothing to r…@example.org") && !ended.contains("end-all\""), "{ended}");
    let reader = site.subscriber(ADDRESS).await;
    let consent = serde_json::to_value(reader.consent.last().unwrap()).unwrap();
    assert_eq!((consent["event"].as_str(), consent["form"].as_str()), (Some("withdrawn"), Some("/preferences")));
    assert!(consent["wording"] == 1 && consent["at"].is_string(), "{consent}");
}

#[tokio::test]
async fn what_was_asked_for_and_not_confirmed_is_shown_and_can_be_ended_or_added() {
    let site = Site::start().await;
    let reader = site.reader(&["all"]).await;
    for section in ["section/world", "section/要闻"] {
        let wish = Wish::alerts(section.parse().unwrap(), "en");
        site.store.request(&ADDRESS.parse().unwrap(), &wish, now()).await.unwrap();
    }
    let path = site.preferences(&reader);
    let (_, text) = page(site.get(&path)).await;
    assert_eq!(text.matches("not confirmed yet").count(), 2, "{text}");
    site.press(&path, &[("do", "end"), ("selection", "section/world")]).await;
    let added = site.press(&path, &[("do", "add"), ("selection", "section/要闻")]).await;
    assert!(!added.contains("not confirmed yet"), "{added}");
    assert_eq!(how(&site.subscriber(ADDRESS).await), pairs(&[("all", "immediate"), ("section/要闻", "immediate")]));
}

#[tokio::test]
async fn looking_at_preferences_changes_nothing() {
    let site = Site::start().await;
    let reader = site.reader(&["all", "section/world"]).await;
    let path = site.preferences(&reader);
    let written = site.written().await;
    for query in [
        "",
        "?done=end-all",
        "?do=end-all",
        "?do=end&selection=all",
        "?do=pause&for=1",
        "?do=add&selection=section/要闻",
        "/erase",
        "/erase?do=erase",
    ] {
        let path = format!("{path}{query}");
        let response = site.get(&path).send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), &response.headers()["x-robots-tag"]),
            (200, &"noindex".parse().unwrap())
        );
        assert_eq!(site.http.head(format!("{}{path}", site.base)).send().await.unwrap().status(), 200, "{path}");
        assert_eq!(site.http.put(format!("{}{path}", site.base)).send().await.unwrap().status(), 405, "{path}");
    }
    assert_eq!(page(site.get(&format!("/preferences?address={ADDRESS}"))).await.0, 200);
    assert_eq!(site.written().await, written);
    assert_eq!(site.subscriber(ADDRESS).await, reader);
}

#[tokio::test]
async fn a_link_opens_what_it_was_made_for_until_its_time() {
    let site = Site::start().await;
    let reader = site.reader(&["all"]).await;
    let written = site.written().await;
    let (id, soon) = (reader.id, now() + PREFERENCES_BY_FORM);
    let good = site.keys.preferences_token(id, soon);
    for token in [
        site.keys.preferences_token(id, now()),
        site.keys.fresh_preferences_token(id, now() - PREFERENCES_BY_FORM),
        site.keys.fresh_preferences_token(SubscriberId::random(), now()),
        Keys::new(b"another secret").preferences_token(id, soon),
        site.keys.preferences_token(SubscriberId::random(), soon),
        site.keys.confirm_token(id, now()),
        site.keys.unsubscribe_token(id),
        good[1..].to_owned(),
        "A".repeat(4000),
        "%F0%9F%98%80%0D%0A".into(),
    ] {
        let path = format!("/preferences/{token}");
        // Somebody whose record is gone may press the button again, so that what was begun is finished.
        let erased = site.keys.read_preferences_token(&token, now()).is_some_and(|holder| holder.fresh);
        for page_of in [path.clone(), format!("{path}/erase")] {
            let (status, text) = page(site.get(&page_of)).await;
            assert_eq!(status, 404, "{page_of}");
            let up = if page_of.ends_with("/erase") { "../.." } else { ".." };
            assert!(
                text.contains(&format!("action=\"{up}/preferences\"")) && !text.contains("example.org\""),
                "{text}"
            );
        }
        assert_eq!(page(site.form(&path, &[("do", "end-all")])).await.0, 404, "{path}");
        assert_eq!(page(site.form(&path, &[("do", "export")])).await.0, 404, "{path}");
        if !erased {
            assert_eq!(page(site.post(&format!("{path}/erase"))).await.0, 404, "{path}");
        }
    }
    for path in [format!("/confirm/{good}"), format!("/unsubscribe/{good}")] {
        assert_eq!(page(site.get(&path)).await.0, 404);
        assert_eq!(page(site.post(&path)).await.0, 404);
    }
    assert_eq!(site.written().await, written);
}

#[tokio::test]
async fn hostile_values_are_answered_clearly_and_change_nothing() {
    let site = Site::start().await;
    let reader = site.reader(&["all", "section/world"]).await;
    let path = site.preferences(&reader);
    let written = site.written().await;
    let (huge, far) = ("9".repeat(9000), "2999-01-01");
    let change = |frequency, day, hour| {
        vec![("do", "change"), ("selection", "all"), ("frequency", frequency), ("day", day), ("hour", hour)]
    };
    let cases = vec![
        (change("daily", "", "25"), "from the lists", "从列表中选择"),
        (change("daily", "", "-1"), "from the lists", "从列表中选择"),
        (change("daily", "", &huge), "from the lists", "从列表中选择"),
        (change("weekly", "\u{0}\r\n", "8"), "from the lists", "从列表中选择"),
        (change("hourly", "mon", "8"), "from the lists", "从列表中选择"),
        (vec![("do", "change"), ("selection", "<b>")], "not to be had", "没有这部分内容"),
        (vec![("do", "end")], "not to be had", "没有这部分内容"),
        (vec![("do", "end"), ("selection", &huge)], "not to be had", "没有这部分内容"),
        (vec![("do", "add"), ("selection", "keyword/you-have-won")], "not to be had", "没有这部分内容"),
        (vec![("do", "settings"), ("zone", "Mars/Base")], "no such time zone", "没有这个时区"),
        (vec![("do", "settings"), ("zone", "../etc/passwd")], "no such time zone", "没有这个时区"),
        (vec![("do", "settings"), ("zone", &huge)], "no such time zone", "没有这个时区"),
        (vec![("do", "pause"), ("for", "5")], "within a year", "一年之内"),
        (vec![("do", "pause"), ("for", "date"), ("date", "2001-01-01")], "within a year", "一年之内"),
        (vec![("do", "pause"), ("for", "date"), ("date", far)], "within a year", "一年之内"),
        (vec![("do", "pause"), ("for", "date"), ("date", "明天")], "within a year", "一年之内"),
        (vec![("do", "pause"), ("for", "date"), ("date", "2026-02-30")], "within a year", "一年之内"),
        (vec![("do", "cap"), ("alerts", "0"), ("hour", "8")], "a number and an hour", "数量和时间"),
        (vec![("do", "cap"), ("alerts", "65536"), ("hour", "8")], "a number and an hour", "数量和时间"),
        (vec![("do", "cap"), ("alerts", "3"), ("hour", "24")], "a number and an hour", "数量和时间"),
        (vec![("do", "drop table")], "not complete", "不完整"),
        (vec![], "not complete", "不完整"),
    ];
    for (fields, english, chinese) in &cases {
        for (language, words) in [("en", english), ("zh", chinese)] {
            let (status, text) = page(site.form(&format!("{path}?lang={language}"), fields)).await;
            assert_eq!(status, 422, "{fields:?}");
            assert!(text.contains("role=\"alert\"") && text.contains(words), "{fields:?} {text}");
            assert!(!text.contains("<b>") && !text.contains("Mars"), "{text}");
        }
    }
    assert_eq!(page(site.form(&path, &[("do", &"a".repeat(17_000))])).await.0, 413);
    let (_, kept) = page(site.form(&path, &change("weekly", "sun", "25"))).await;
    assert!(kept.contains("<details open>") && kept.contains("<option value=\"sun\" selected>Sunday"), "{kept}");
    let (_, kept) = page(site.form(&path, &[("do", "pause"), ("for", "date"), ("date", far)])).await;
    assert!(kept.contains(&format!("value=\"{far}\"")) && kept.contains("<option value=\"date\" selected>"), "{kept}");
    assert_eq!(site.written().await, written);
}

#[tokio::test]
async fn a_script_that_presses_buttons_is_slowed_down() {
    let owners = service_kit::Limit::new(3, Duration::from_secs(3600));
    let site = Site::start_with(Limits { owners, ..Limits::default() }).await;
    let path = site.preferences(&site.reader(&["all"]).await);
    for _ in 0..3 {
        site.press(&path, &[("do", "resume")]).await;
    }
    for path in [path.clone(), format!("{path}/erase")] {
        let response = site.form(&path, &[("do", "end-all")]).send().await.unwrap();
        assert!(response.status() == 429 && response.headers().contains_key("retry-after"));
    }
    assert!(site.subscriber(ADDRESS).await.is_confirmed());
}

#[tokio::test]
async fn a_form_says_how_often_and_where() {
    let site = Site::start().await;
    let (_, form) = page(site.get("/subscribe")).await;
    assert!(form.contains("<option value=\"Asia/Shanghai\" selected>Shanghai</option>"), "the site's zone: {form}");
    let fields = |hour, zone| {
        [
            ("address", ADDRESS),
            ("selection", "section/world"),
            ("frequency", "weekly"),
            ("day", "fri"),
            ("hour", hour),
            ("zone", zone),
        ]
    };
    for (hour, zone, wrong) in
        [("25", "Asia/Tokyo", "often-wrong"), ("8", "Mars/Base", "zone-wrong"), ("x", "", "zone-wrong")]
    {
        let (status, text) = page(site.form("/subscribe", &fields(hour, zone))).await;
        assert_eq!(status, 422);
        assert!(text.contains(&format!("id=\"{wrong}\"")) && text.contains("Please check"), "{text}");
        assert!(text.contains("value=\"fri\" selected") && text.contains(&format!("value=\"{ADDRESS}\"")), "{text}");
        assert!(zone != "Asia/Tokyo" || text.contains("value=\"Asia/Tokyo\" selected"), "{text}");
    }
    assert_eq!(site.written().await, 0);
    assert_eq!(page(site.form("/subscribe", &fields("18", "Asia/Tokyo"))).await.0, 200);
    let reader = site.subscriber(ADDRESS).await;
    assert_eq!(reader.zone, "Asia/Tokyo");
    let confirm = format!("/confirm/{}", site.keys.confirm_token(reader.id, now()));
    assert!(page(site.get(&confirm)).await.1.contains("the section “World” – every Friday at 18:00"));
    assert_eq!(page(site.post(&confirm)).await.0, 200);
    let weekly = Frequency::Weekly { day: jiff::civil::Weekday::Friday, hour: 18 };
    assert_eq!(site.subscriber(ADDRESS).await.confirmed().next().unwrap().frequency, weekly);
}

#[tokio::test]
async fn a_mailbox_that_came_back_is_told_and_can_be_said_to_work_again() {
    let site = Site::start().await;
    let reader = site.reader(&["all"]).await;
    let path = site.preferences(&reader);
    let bounced = |subscriber: &mut Subscriber| subscriber.bounces.bounced(inbound::Class::Hard, None, now());
    site.store.update(reader.id, bounced).await.unwrap();
    let (_, told) = page(site.get(&path)).await;
    assert!(told.contains("r…@example.org came back") && told.contains("value=\"again\""), "{told}");
    assert!(page(site.get(&format!("{path}?lang=zh"))).await.1.contains("被退回"));
    let document = site.form(&path, &[("do", "export")]).send().await.unwrap().json::<serde_json::Value>().await;
    assert_eq!(document.unwrap()["subscriber"]["bounces"]["suppressed"]["reason"], "bounced");
    site.press(&path, &[("do", "again")]).await;
    assert!(site.subscriber(ADDRESS).await.bounces.stops(now()).is_none());
    assert!(!page(site.get(&path)).await.1.contains("came back"));

    site.store.update(reader.id, |subscriber| subscriber.bounces.complained(now())).await.unwrap();
    let (_, told) = page(site.get(&path)).await;
    assert!(told.contains("reported as spam") && !told.contains("value=\"again\""), "{told}");
    site.press(&path, &[("do", "again")]).await;
    assert!(site.subscriber(ADDRESS).await.bounces.stops(now()).is_some(), "a complaint is for ever");
}

#[tokio::test]
async fn a_story_goes_by_its_headline_and_ends_by_its_button() {
    let site = Site::start().await;
    let headline = "<script>alert(1)</script> \u{202e}“洪水” 🌊 \"><b>";
    let article = article::Article { headline: headline.into(), ..article_in(&["World"]) };
    site.catalogue.learn(&article);
    let story = format!("story/{}", article.id.token());
    let path = site.preferences(&site.reader(&["all", &story]).await);
    let (_, shown) = page(site.get(&path)).await;
    assert!(shown.contains("&#60;script&#62;alert(1)&#60;/script&#62;") && shown.contains("洪水"), "{shown}");
    assert!(!shown.contains("<b>") && shown.contains(&format!("value=\"{story}\"")), "{shown}");
    assert_eq!(shown.matches("value=\"change\"").count(), 1, "a story comes at once or not at all: {shown}");
    let weekly = [("do", "change"), ("selection", &story), ("frequency", "weekly"), ("day", "mon"), ("hour", "8")];
    assert!(page(site.form(&path, &weekly)).await.1.contains("come at once, not together"));
    site.press(&path, &[("do", "end"), ("selection", &story)]).await;
    let reader = site.subscriber(ADDRESS).await;
    assert_eq!(reader.confirmed().map(|s| s.selection.to_string()).collect::<Vec<_>>(), ["all"]);
}
