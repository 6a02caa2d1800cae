//! Servers that do what they should not: each is a clear record, and nobody else is disturbed.

use std::io::Write;

use crate::desk::Desk;
use crate::upstream::{Page, Upstream, item, rss};

fn bomb() -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let zeros = vec![b' '; 1 << 20];
    (0..100).for_each(|_| encoder.write_all(&zeros).expect("memory"));
    encoder.finish().expect("memory")
}

fn redirect(to: &str) -> Page {
    Page::Says(302, format!("location: {to}\r\n"), Vec::new())
}

#[tokio::test]
async fn each_is_a_clear_record_and_disturbs_nobody() {
    let (desk, upstream) = (Desk::open().await, Upstream::start().await);
    let page = |status, headers: &str, body: &[u8]| Page::Says(status, headers.to_owned(), body.to_vec());
    let cases = [
        ("/flood", Page::Flood, "more than 15000000 bytes"),
        ("/bomb", page(200, "content-encoding: gzip\r\n", &bomb()), "decode to more than"),
        ("/loop", redirect("/pool"), "in a circle"),
        ("/private", redirect("http://10.0.0.1/feed"), "not on the public internet (private)"),
        ("/metadata", redirect("http://169.254.169.254/"), "link-local"),
        ("/garbled", page(200, "content-encoding: gzip\r\n", b"<rss/>"), "content encoding gzip"),
        ("/html", page(200, "content-type: text/html\r\n", b"<!doctype html><p>Not found"), "not a feed"),
        ("/empty", page(200, "", b""), "empty"),
        ("/missing", page(404, "", b""), "404"),
        ("/busy", page(429, "retry-after: 7200\r\n", b""), "429"),
        ("/down", page(503, "", b""), "503"),
        ("/same", page(304, "", b""), "304"),
        ("/gone", page(410, "", b""), "gone for good"),
    ];
    upstream.set("/pool", redirect("/loop"));
    for (path, page, _) in &cases {
        upstream.set(path, page.clone());
    }
    upstream.set("/slow", Page::Drip);
    upstream.feed("/good", "\"1\"", &rss(&[item("a", 1, "Good news", "All of it.")]));
    desk.reader(None).await;
    let slow = desk.source(&upstream.url("/slow")).await;
    let mut ids = Vec::new();
    // Each on a host of its own, as far as the reader knows: otherwise they would wait for the slow one.
    for (n, (path, _, _)) in cases.iter().enumerate() {
        let url = upstream.url(path).replace("127.0.0.1", &format!("127.0.0.{}", n + 2));
        ids.push(desk.source(&url).await);
    }
    let good = desk.source(&upstream.url("/good").replace("127.0.0.1", "127.0.0.100")).await;
    desk.settled(&good, "good news is read", |state| state.read_at.is_some()).await;
    for ((path, _, expected), id) in cases.iter().zip(&ids) {
        let state = desk.settled(id, &format!("{path} is noted"), |state| state.trouble.is_some()).await;
        let trouble = state.trouble.unwrap();
        assert!(trouble.contains(expected), "{path}: {trouble}");
        assert_eq!((state.read_at, state.plan.gone), (None, *path == "/gone"), "{path}");
        let pause = state.plan.next_check_at.unwrap().duration_since(state.checked_at).as_secs();
        assert!(pause >= if *path == "/busy" { 7200 } else { 290 }, "{path}: {pause}");
    }
    assert_eq!(desk.articles().await.len(), 1);
    let quarantined = desk.quarantined().await;
    assert!(quarantined.iter().any(|found| found.url.path() == "/html" && found.bytes.starts_with(b"<!doctype")));
    let claimed = desk.state(&slow).await.expect("it has a state").claim;
    assert!(claimed.is_some(), "the slow one is still being read, and nobody waited for it");
}

#[tokio::test]
async fn one_bad_item_costs_itself_and_lands_in_quarantine() {
    let (desk, upstream) = (Desk::open().await, Upstream::start().await);
    let huge = format!("<p>{}</p>", "word ".repeat(200_000)).replace('<', "&lt;").replace('>', "&gt;");
    let items = rss(&[
        item("a", 3, "Before", "Text."),
        "<item><guid>empty</guid></item>".to_owned(),
        item("huge", 2, "Huge", &huge),
        item("b", 1, "After", "Text."),
    ]);
    upstream.feed("/feed", "\"1\"", &items);
    desk.reader(None).await;
    let id = desk.source(&upstream.url("/feed")).await;
    desk.settled(&id, "it was read", |state| state.read_at.is_some()).await;
    let articles = desk.articles().await;
    assert_eq!(articles.keys().collect::<Vec<_>>(), ["After", "Before"]);
    let quarantined = desk.quarantined().await;
    let reasons: Vec<&str> = quarantined.iter().map(|found| found.reason.as_str()).collect();
    assert!(reasons.len() == 2 && reasons.iter().any(|reason| reason.contains("524288")), "{reasons:?}");

    desk.next_turn(&id).await;
    upstream.feed("/feed", "\"2\"", &items);
    desk.next_turn(&id).await;
    assert_eq!(desk.quarantined().await.len(), 2, "what was refused and has not changed is not tried again");
}

#[tokio::test]
async fn a_page_is_no_place_that_a_feed_has_moved_to() {
    let (desk, upstream) = (Desk::open().await, Upstream::start().await);
    let moved = format!("location: {}\r\n", upstream.url("/login"));
    upstream.set("/feed", Page::Says(301, moved, Vec::new()));
    upstream.set("/login", Page::Says(200, String::new(), b"<!doctype html><p>Welcome to our hotel".to_vec()));
    desk.reader(None).await;
    let id = desk.source(&upstream.url("/feed")).await;
    desk.settled(&id, "it was asked", |state| state.trouble.is_some()).await;
    for _ in 0..3 {
        assert_eq!(desk.next_turn(&id).await.moved_to, None);
    }
    upstream.feed("/feed", "\"1\"", &rss(&[item("a", 1, "News", "Text.")]));
    assert_eq!(desk.next_turn(&id).await.trouble, None);
    assert_eq!(desk.revisions().await, (1, 1));
}

#[tokio::test]
async fn a_feed_that_moves_for_good_is_followed_and_one_that_comes_back_is_read_again() {
    let (desk, upstream) = (Desk::open().await, Upstream::start().await);
    let moved = format!("location: {}\r\n", upstream.url("/new"));
    upstream.set("/old", Page::Says(301, moved, Vec::new()));
    upstream.feed("/new", "\"1\"", &rss(&[item("a", 1, "News", "Text.")]));
    desk.reader(None).await;
    let id = desk.source(&upstream.url("/old")).await;
    desk.settled(&id, "it was read", |state| state.read_at.is_some()).await;
    for _ in 0..2 {
        desk.next_turn(&id).await;
    }
    let state = desk.next_turn(&id).await;
    assert_eq!(state.moved_to.map(String::from), Some(upstream.url("/new")));
    assert_eq!(upstream.asked("/old").len(), 3, "the third sighting is believed");
    assert_eq!(desk.revisions().await, (1, 1));

    upstream.set("/new", Page::Says(410, String::new(), Vec::new()));
    let state = desk.next_turn(&id).await;
    assert!(state.plan.gone);
    upstream.feed("/old", "\"1\"", &rss(&[item("a", 1, "News", "Text."), item("b", 2, "More", "Text.")]));
    desk.source(&upstream.url("/old")).await;
    desk.settled(&id, "whoever asks for it gets it", |state| !state.plan.gone && state.trouble.is_none()).await;
    assert_eq!(desk.articles().await.len(), 2);
}
