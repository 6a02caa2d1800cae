//! One article all the way: from a newsroom's page, through the command line, to three feed formats and an inbox.

use std::path::Path;

use crate::newsroom::{Newsroom, PUBLISHER, Service, link};
use testkit::eventually;

const READER: &str = "reader@example.org";

/// What must arrive, word for word.
struct Expected<'a> {
    headline: &'a str,
    section: &'a str,
    source: &'a str,
    byline: &'a str,
    date: &'a str,
    pub_date: &'a str,
    /// A phrase of the body.
    words: &'a str,
}

const SEED: Expected<'_> = Expected {
    headline: "Hefei Municipal People's Court solidly promotes the party building work of the organs",
    section: "Party conduct and clean government construction",
    source: "Hefei Evening News",
    byline: "Sun Lu",
    date: "2018-11-26",
    pub_date: "Mon, 26 Nov 2018 00:00:00 +0800",
    words: "timely summarized the party building work",
};

/// In the shape of the seed, and ours.
const PAGE: &str = "Law and order\n\
    Linhe prosecutors open their doors to school classes\n\
    Time: March 2, 2026 Author: News source: Linhe Daily [Font size: large | in | Small\n\n\
    Twelve classes of the city's schools visited the \"white building\" on Monday & asked what an indictment is.\n\n\
    The visits go on until June. (Zhou Min)\n";

const OURS: Expected<'_> = Expected {
    headline: "Linhe prosecutors open their doors to school classes",
    section: "Law and order",
    source: "Linhe Daily",
    byline: "Zhou Min",
    date: "2026-03-02",
    pub_date: "Mon, 02 Mar 2026 00:00:00 +0800",
    words: "asked what an indictment is",
};

#[tokio::test(flavor = "multi_thread")]
async fn a_page_reaches_feeds_and_inbox_verbatim() {
    let room = Newsroom::start(vec![]).await;
    let page = room.page("page.txt", PAGE);
    all_the_way(&room, &page, &OURS).await;
    room.settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seed_page_reaches_feeds_and_inbox_verbatim() {
    let seed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures/pages/00-seed.txt");
    if !seed.exists() {
        println!("skipped: the shared fixtures are not here");
        return;
    }
    let room = Newsroom::start(vec![]).await;
    all_the_way(&room, &seed, &SEED).await;
    room.settled().await;
}

async fn all_the_way(room: &Newsroom, page: &Path, expected: &Expected<'_>) {
    room.subscribe(READER, "all").await;
    let printed = room.cli(&["import", "--publish", &page.to_string_lossy()]).await;
    let printed = String::from_utf8(printed.stdout).unwrap();
    let id = link(&printed, "urn:uuid:").expect("the command line prints the id");
    let id = id.trim_end_matches([',', '.', ')']).to_owned();

    let slug = article::slug(expected.section);
    for path in [format!("feeds/section/{slug}"), "feeds/all".into(), format!("feeds/publisher/{}", PUBLISHER)] {
        for format in ["rss", "atom", "json"] {
            let path = format!("{path}.{format}");
            let feed = eventually(&path, async || {
                let feed = room.feed(&path).await?;
                if feed.contains(&id) { Ok(feed) } else { Err(feed) }
            })
            .await;
            check_feed(&feed, &id, expected);
            if format == "rss" {
                assert!(feed.contains(&format!("<pubDate>{}</pubDate>", expected.pub_date)), "{feed}");
            }
        }
    }
    check_pages(room, &id, expected).await;
    check_mail(room, &id, expected).await;

    let again = room.cli(&["import", "--publish", &page.to_string_lossy()]).await;
    let again = String::from_utf8(again.stdout).unwrap();
    assert!(again.contains(&id) && again.contains("unchanged"), "importing twice publishes once: {again}");
    leave(room, &id).await;
}

/// A foreign reader finds the same fields.
fn check_feed(feed: &str, id: &str, expected: &Expected<'_>) {
    let parsed = feed_rs::parser::parse(feed.as_bytes()).expect("feed-rs reads it");
    let entries: Vec<_> = parsed.entries.iter().filter(|entry| entry.id == id).collect();
    assert_eq!(entries.len(), 1, "once, under its own id");
    let entry = entries[0];
    assert_eq!(entry.title.as_ref().unwrap().content, expected.headline);
    assert_eq!(entry.published.unwrap().timestamp(), instant(expected.pub_date), "{:?}", entry.published);
    assert!(entry.authors.iter().any(|author| author.name.as_deref() == Some(expected.byline)), "{:?}", entry.authors);
    let terms: Vec<&str> = entry.categories.iter().map(|category| category.term.as_str()).collect();
    // feed-rs drops the tags of JSON Feed.
    assert!(feed.starts_with('{') || terms.contains(&expected.section), "{terms:?}");
    assert!(feed.contains(expected.source) && feed.contains(expected.words), "{feed}");
}

fn instant(rfc5322: &str) -> i64 {
    jiff::fmt::rfc2822::parse(rfc5322).unwrap().timestamp().as_second()
}

async fn check_pages(room: &Newsroom, id: &str, expected: &Expected<'_>) {
    let uuid = id.strip_prefix("urn:uuid:").unwrap();
    let page = room.feed(&format!("articles/{uuid}")).await.unwrap();
    let html = room.feed("feeds/all").await.unwrap();
    for text in [expected.source, expected.byline, expected.date, expected.section, expected.words] {
        assert!(page.contains(text), "{text} is not on the article's page: {page}");
    }
    assert!(html.contains(expected.date) && html.contains("application/atom+xml"), "{html}");
    let time = format!("{} 00:00", expected.date);
    assert!(!page.contains(&time) && !html.contains(&time), "a date has no time");
}

async fn check_mail(room: &Newsroom, id: &str, expected: &Expected<'_>) {
    let mail = eventually("the alert", async || {
        let mut alerts = room.alerts(READER, id);
        if alerts.len() == 1 { Ok(alerts.remove(0)) } else { Err(format!("{} alerts", alerts.len())) }
    })
    .await;
    assert_eq!(mail.header("Subject"), Some(expected.headline));
    assert_eq!(mail.header("List-Unsubscribe-Post"), Some("List-Unsubscribe=One-Click"));
    let (text, html) = (mail.text.as_ref().unwrap(), mail.html.as_ref().unwrap());
    for words in [expected.section, expected.source, expected.byline, expected.date, expected.words] {
        assert!(text.contains(words), "{words} is not in the text part: {text}");
        assert!(html.contains(words), "{words} is not in the HTML part: {html}");
    }
    assert!(!text.contains("00:00") && !html.contains("00:00"), "a date has no time: {text}");
}

/// One click, as a mail program does it, and nothing more comes.
async fn leave(room: &Newsroom, id: &str) {
    let mail = room.alerts(READER, id).remove(0);
    let header = mail.header("List-Unsubscribe").unwrap().to_owned();
    let url = header.trim_start_matches('<').split('>').next().unwrap().to_owned();
    let answer = room
        .http
        .post(&url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body("List-Unsubscribe=One-Click")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 200);

    let later = room.page("later.txt", &PAGE.replace("school classes", "everybody"));
    room.cli(&["import", "--publish", &later.to_string_lossy()]).await;
    eventually("the second article", async || {
        let feed = room.feed("feeds/all.json").await?;
        if feed.contains("open their doors to everybody") { Ok(()) } else { Err(feed) }
    })
    .await;
    room.settled().await;
    let subjects: Vec<_> = room.mails_to(READER).iter().map(|mail| mail.header("Subject").map(str::to_owned)).collect();
    assert_eq!(subjects.len(), 2, "the confirmation and one alert, and nothing after leaving: {subjects:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_serve_the_same_bytes() {
    let room = Newsroom::start(vec![]).await;
    let page = room.page("page.txt", PAGE);
    room.cli(&["import", "--publish", &page.to_string_lossy()]).await;
    let (_process, _port, other) = rss_generator_on_a_port_of_its_own(&room).await;
    for path in ["feeds/all.rss", "feeds/all.atom", "feeds/all.json", "feeds/section/law-and-order.rss", "feeds/all"] {
        let answers = eventually(path, async || {
            let mut answers = Vec::new();
            for base in [room.url(Service::RssGenerator, ""), other.clone()] {
                let answer = room.http.get(format!("{base}{path}")).send().await.map_err(|error| error.to_string())?;
                let etag = answer.headers().get("etag").map(|tag| tag.to_str().unwrap().to_owned());
                answers.push((etag, answer.text().await.map_err(|error| error.to_string())?));
            }
            if answers.iter().all(|(_, body)| body.contains("open their doors")) {
                Ok(answers)
            } else {
                Err(path.to_owned())
            }
        })
        .await;
        assert!(answers[0].0.is_some(), "{path} has no ETag");
        assert_eq!(answers[0], answers[1], "{path}");
    }
}

/// A second replica of the first one's site: it has its own port and the same public address.
async fn rss_generator_on_a_port_of_its_own(room: &Newsroom) -> (testkit::Process, testkit::Port, String) {
    let port = testkit::Port::reserve();
    let mut command = testkit::built("rss-generator");
    command
        .env("NEWSWIRE_NATS_URL", room.nats.url())
        .env("NEWSWIRE_RSS_LISTEN", port.address().to_string())
        .env("NEWSWIRE_PAGES_URL", room.url(Service::RssGenerator, ""));
    let process = testkit::Process::spawn(&mut command);
    let base = format!("http://{}/", port.address());
    eventually("the second replica", async || {
        let ready = room.http.get(format!("{base}readyz")).send().await.map_err(|error| error.to_string())?;
        if ready.status().is_success() { Ok(()) } else { Err(ready.status().to_string()) }
    })
    .await;
    (process, port, base)
}
