//! What goes over the wire: codings, validators, only what is new, and an end to patience.

use std::io::Read;

use reqwest::{Method, Response, StatusCode};
use testkit::eventually;

use super::{Command, Replica, create, document, header, provisioned, publish, then};
use bus::Bus;

/// An article with a text of its own; there are 128 of them.
pub(crate) fn story(n: u8) -> article::Article {
    let mut document = document();
    document["headline"] = format!("Story {n} – 第{n}条新闻").into();
    let sentences = (1..60u32)
        .map(|s| format!("Sentence {} of {n} is like no other. 句子{}。", s * 7919 % 997, s * s * u32::from(n)));
    document["body_text"] = sentences.collect::<Vec<_>>().join(" ").into();
    document["published"] =
        serde_json::json!({"at": format!("2026-01-{:02}T{:02}:00:00Z", 1 + n % 28, n / 28), "tz": "UTC"});
    create(n, &document)
}

pub(crate) async fn stories(bus: &Bus, numbers: std::ops::Range<u8>) {
    for n in numbers {
        publish(bus, &story(n)).await;
    }
}

impl Replica {
    pub(crate) async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
        let request = self.client.request(method, format!("{}{path}", self.base));
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
    }

    /// Waits until the answer comes in `coding`.
    pub(crate) async fn coded(&self, path: &str, accept: &str, coding: &str) -> Response {
        eventually(&format!("{path} in {coding}"), async || {
            let response = self.get_with(path, "accept-encoding", accept).await;
            if header(&response, "content-encoding") == coding { Ok(response) } else { Err("not yet") }
        })
        .await
    }
}

fn decoded(coding: &str, bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match coding {
        "gzip" => flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain).map(drop).unwrap(),
        "br" => brotli::Decompressor::new(bytes, 4096).read_to_end(&mut plain).map(drop).unwrap(),
        "zstd" => plain = zstd::decode_all(bytes).unwrap(),
        other => panic!("{other}"),
    }
    plain
}

#[tokio::test]
async fn every_coding_is_the_same_feed_under_a_tag_of_its_own() {
    let (nats, bus) = provisioned().await;
    stories(&bus, 0..30).await;
    let replica = Replica::start(&nats).await;
    for path in ["/feeds/all.rss", "/feeds/all.json", "/feeds/all"] {
        let plain = replica.get(path).await;
        let (tag, vary) = (header(&plain, "etag").to_owned(), header(&plain, "vary").to_owned());
        let plain = plain.bytes().await.unwrap();
        let mut tags = vec![tag.clone()];
        for (accept, coding) in [("gzip", "gzip"), ("zstd, gzip", "zstd"), ("gzip, deflate, br, zstd", "br")] {
            let packed = replica.coded(path, accept, coding).await;
            let packed_tag = header(&packed, "etag").to_owned();
            assert_eq!(packed_tag.split('-').next().unwrap(), tag.trim_end_matches('"'), "{path} {coding}");
            assert_eq!(header(&packed, "vary"), vary, "{path} {coding}");
            let again =
                replica.ask(Method::GET, path, &[("if-none-match", &packed_tag), ("accept-encoding", accept)]).await;
            assert_eq!(
                (again.status(), header(&again, "etag")),
                (StatusCode::NOT_MODIFIED, &*packed_tag),
                "{path} {coding}"
            );
            let head = replica.ask(Method::HEAD, path, &[("accept-encoding", accept)]).await;
            assert_eq!(
                header(&head, "content-length"),
                packed.content_length().unwrap().to_string(),
                "{path} {coding}"
            );
            assert_eq!(header(&head, "content-encoding"), coding, "{path}");
            tags.push(packed_tag);
            let packed = packed.bytes().await.unwrap();
            assert!(packed.len() * 2 < plain.len(), "{path} {coding}: {} of {}", packed.len(), plain.len());
            assert_eq!(decoded(coding, &packed), plain, "{path} {coding}");
        }
        tags.sort();
        tags.dedup();
        assert_eq!(tags.len(), 4, "other bytes, another tag: {tags:?}");
        // Written again from its entries, now that there are compressed forms.
        assert_eq!(replica.get(path).await.bytes().await.unwrap(), plain, "{path}");
    }
    // What is still asked for after a while is compressed harder.
    let quick = replica.coded("/feeds/all.atom", "gzip", "gzip").await;
    let (quick_tag, quick) = (header(&quick, "etag").to_owned(), quick.bytes().await.unwrap());
    let thorough = eventually("a better form takes the quick one's place", async || {
        let response = replica.get_with("/feeds/all.atom", "accept-encoding", "gzip").await;
        if header(&response, "etag") == quick_tag { Err("not yet") } else { Ok(response) }
    })
    .await;
    let thorough = thorough.bytes().await.unwrap();
    assert!(thorough.len() < quick.len(), "{} < {}", thorough.len(), quick.len());
    assert_eq!(decoded("gzip", &thorough), decoded("gzip", &quick));
    let again = replica.get_with("/feeds/all.atom", "if-none-match", &quick_tag).await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "both are the same news");
}

#[tokio::test]
async fn each_request_has_its_answer() {
    let (nats, bus) = provisioned().await;
    let mut chinese = document();
    chinese["section"] = serde_json::json!(["文化"]);
    publish(&bus, &create(1, &chinese)).await;
    let replica = Replica::start(&nats).await;
    let tag = header(&replica.get("/feeds/all.rss").await, "etag").to_owned();
    const SITE: &str = "https://news.example";
    type Row<'a> = (Method, &'a str, &'a [(&'a str, &'a str)], u16, &'a [(&'a str, &'a str)]);
    let feed: &[(&str, &str)] = &[
        ("content-type", "application/rss+xml; charset=utf-8"),
        ("content-encoding", ""),
        ("cache-control", "public, max-age=60, stale-if-error=3600"),
        ("vary", "accept-encoding, available-dictionary"),
        ("access-control-allow-origin", "*"),
        ("access-control-expose-headers", "*"),
        ("x-content-type-options", "nosniff"),
        ("use-as-dictionary", "match=\"/feeds/all.rss\""),
        ("link", "<https://news.example/hub>; rel=\"hub\", <https://news.example/feeds/all.rss>; rel=\"self\""),
        ("im", ""),
    ];
    let unchanged: &[(&str, &str)] = &[
        ("content-type", ""),
        ("etag", &tag),
        ("cache-control", "public, max-age=60, stale-if-error=3600"),
        ("vary", "accept-encoding, available-dictionary"),
        ("access-control-allow-origin", "*"),
    ];
    let nothing: &[(&str, &str)] = &[
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("access-control-allow-origin", "*"),
    ];
    let to = |location: &'static str| {
        [("location", location), ("cache-control", "public, max-age=86400"), ("access-control-allow-origin", "*")]
    };
    let culture = to("https://news.example/feeds/section/%E6%96%87%E5%8C%96.rss");
    let both = to("https://news.example/feeds/section/a+language/en");
    let either = to("https://news.example/feeds/section/a+!(section/b,section/c).json");
    let archive = to("https://news.example/feeds/section/a;1-00000000.atom");
    let rows: &[Row<'_>] = &[
        (Method::GET, "/feeds/all.rss", &[], 200, feed),
        (Method::HEAD, "/feeds/all.rss", &[], 200, feed),
        (Method::GET, "/feeds/all.rss?utm=1", &[], 200, feed),
        (Method::GET, "/feeds/all.rss", &[("accept", "text/html")], 200, feed),
        (Method::GET, "/feeds/all.rss", &[("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT")], 200, feed),
        (Method::GET, "/feeds/all.rss", &[("if-none-match", "\"other\"")], 200, feed),
        (Method::GET, "/feeds/all.rss", &[("if-none-match", &tag)], 304, unchanged),
        (Method::HEAD, "/feeds/all.rss", &[("if-none-match", &tag)], 304, unchanged),
        (Method::GET, "/feeds/all.rss", &[("if-none-match", "*")], 304, unchanged),
        (Method::GET, "/feeds/all.rss", &[("if-none-match", &tag), ("a-im", "feed")], 304, unchanged),
        (Method::GET, "/feeds/all.rss", &[("if-none-match", "\"other\""), ("a-im", "feed")], 200, feed),
        (Method::GET, "/feeds/all.rss", &[("a-im", "feed")], 200, feed),
        (Method::GET, "/feeds/all.rss", &[("range", "bytes=0-9")], 200, feed),
        (Method::GET, "/feeds/all.rss", &[("available-dictionary", ":AAAA:"), ("accept-encoding", "dcz")], 200, feed),
        (
            Method::GET,
            "/feeds/all.rss",
            &[("accept-encoding", "identity;q=0, *;q=0")],
            406,
            &[("content-type", "text/plain; charset=utf-8")],
        ),
        (Method::GET, "/feeds/all", &[("accept-encoding", "identity;q=0, br")], 200, &[("content-encoding", "br")]),
        (
            Method::GET,
            "/feeds/all",
            &[],
            200,
            &[
                ("content-type", "text/html; charset=utf-8"),
                ("vary", "accept, accept-encoding"),
                ("use-as-dictionary", ""),
            ],
        ),
        (
            Method::GET,
            "/feeds/all",
            &[("accept", "application/rss+xml")],
            200,
            &[
                ("content-type", "application/rss+xml; charset=utf-8"),
                ("vary", "accept, accept-encoding, available-dictionary"),
            ],
        ),
        (
            Method::GET,
            "/",
            &[],
            200,
            &[("vary", "accept-encoding"), ("cache-control", "public, max-age=60, stale-if-error=3600")],
        ),
        (Method::GET, "/robots.txt", &[], 200, &[("content-type", "text/plain; charset=utf-8")]),
        (Method::GET, "/feeds/section/%ff", &[], 404, nothing),
        (Method::GET, "/feeds/all+!(section/world,urgency/0).rss", &[], 404, nothing),
        (Method::GET, "/feeds/section/%ff.rss", &[("if-none-match", "*")], 404, nothing),
        (Method::GET, "/feeds/all;1-00000000", &[], 404, nothing),
        (Method::GET, "/feeds/all;1-zzz.rss", &[], 404, nothing),
        (Method::GET, "/articles/%ff", &[], 404, nothing),
        (Method::GET, "/feeds/section/%E6%96%87%E5%8C%96%20.rss", &[], 308, &culture),
        (Method::GET, "/feeds/language/EN%2Bsection/A", &[], 308, &both),
        (Method::GET, "/feeds/language/en+section/a", &[], 308, &both),
        (Method::GET, "/feeds/section/A+!(section/C,section/b).json", &[], 308, &either),
        (Method::GET, "/feeds/section/A;1-00000000.atom", &[], 308, &archive),
        (
            Method::OPTIONS,
            "/feeds/all.rss",
            &[("origin", "https://reader.example"), ("access-control-request-headers", "if-none-match, a-im")],
            204,
            &[
                ("access-control-allow-origin", "*"),
                ("access-control-allow-methods", "GET, HEAD"),
                ("access-control-allow-headers", "*"),
                ("access-control-max-age", "86400"),
            ],
        ),
        (Method::POST, "/feeds/all.rss", &[], 405, &[]),
    ];
    for (method, path, headers, status, wanted) in rows {
        let response = replica.ask(method.clone(), path, headers).await;
        assert_eq!(response.status().as_u16(), *status, "{method} {path} {headers:?}");
        for (name, value) in *wanted {
            assert_eq!(header(&response, name), *value, "{method} {path} {headers:?}: {name}");
        }
        let body = response.bytes().await.unwrap();
        assert_eq!(
            body.is_empty(),
            *method == Method::HEAD || matches!(status, 204 | 304 | 308 | 405),
            "{method} {path}"
        );
    }
    let robots = replica.text("/robots.txt").await;
    assert!(
        robots.contains(&format!("Sitemap: {SITE}/sitemap-news.xml")) && robots.contains("Disallow: /hub\n"),
        "{robots}"
    );
}

#[tokio::test]
async fn whoever_asks_for_what_is_new_gets_that_alone() {
    let (nats, bus) = provisioned().await;
    stories(&bus, 0..30).await;
    let replica = Replica::start(&nats).await;
    for (form, n) in [("rss", 30), ("atom", 31), ("json", 32)] {
        let path = format!("/feeds/all.{form}");
        let first = replica.get_with(&path, "accept-encoding", "gzip").await;
        let had = header(&first, "etag").to_owned();
        publish(&bus, &story(n)).await;
        replica.says(&path, &format!("Story {n} ")).await;
        let whole = replica.get(&path).await;
        for accept in ["", "gzip", "zstd", "br, gzip;q=0.5"] {
            let asked = [("a-im", "gzip, feed"), ("if-none-match", &*had), ("accept-encoding", accept)];
            let new = replica.ask(Method::GET, &path, &asked).await;
            assert_eq!(new.status().as_u16(), 226, "{path} {accept}");
            for (name, value) in [
                ("im", "feed"),
                ("etag", header(&whole, "etag")),
                ("content-type", header(&whole, "content-type")),
                ("cache-control", "no-store, im, max-age=60"),
                ("vary", "accept-encoding, a-im, if-none-match"),
                ("use-as-dictionary", ""),
                ("link", header(&whole, "link")),
                ("access-control-allow-origin", "*"),
            ] {
                assert_eq!(header(&new, name), value, "{path} {accept}: {name}");
            }
            assert_eq!(header(&new, "delta-base"), had, "the tag that the reader has");
            let coding = header(&new, "content-encoding").to_owned();
            assert_eq!(coding, accept.split(',').next().unwrap(), "{path}");
            let bytes = new.bytes().await.unwrap();
            let plain = if coding.is_empty() { bytes.to_vec() } else { decoded(&coding, &bytes) };
            let feed = feed_rs::parser::parse(&plain[..]).unwrap();
            let ids: Vec<_> = feed.entries.iter().map(|entry| entry.id.clone()).collect();
            assert_eq!(ids, [story(n).id.to_string()], "{path} {accept}");
        }
        let head = replica.ask(Method::HEAD, &path, &[("a-im", "feed"), ("if-none-match", &had)]).await;
        assert_eq!(head.status(), StatusCode::OK, "a part is for GET");
        let plain = replica.ask(Method::GET, &path, &[("if-none-match", &had)]).await;
        assert_eq!(plain.status(), StatusCode::OK, "{path}: it did not ask");
    }
    // An article that is gone without a notice is told by the whole feed alone.
    let first = replica.get("/feeds/all.atom").await;
    let had = header(&first, "etag").to_owned();
    publish(&bus, &then(&story(3), Command::Hold { note: None })).await;
    eventually("it is gone", async || {
        let response = replica.ask(Method::GET, "/feeds/all.atom", &[("a-im", "feed"), ("if-none-match", &had)]).await;
        let (status, text) = (response.status(), response.text().await.unwrap());
        if status == StatusCode::OK && !text.contains("Story 3 ") { Ok(()) } else { Err(status) }
    })
    .await;
}

#[tokio::test]
async fn who_keeps_nothing_is_told_so_in_the_end() {
    let (nats, bus) = provisioned().await;
    publish(&bus, &story(1)).await;
    let replica = Replica::start(&nats).await;
    let careless = [("x-real-ip", "203.0.113.9"), ("user-agent", "careless/1")];
    for n in 0..20 {
        let response = replica.ask(Method::GET, "/feeds/all.rss", &careless).await;
        assert_eq!(response.status(), StatusCode::OK, "{n}");
    }
    let enough = replica.ask(Method::GET, "/feeds/all.rss", &careless).await;
    assert_eq!(enough.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(header(&enough, "content-type"), "text/plain; charset=utf-8");
    assert_eq!(header(&enough, "cache-control"), "no-store");
    let wait: u64 = header(&enough, "retry-after").parse().unwrap();
    assert!((1..=61).contains(&wait), "{wait}");
    let text = enough.text().await.unwrap();
    assert!(text.contains("If-None-Match") && text.contains("max-age"), "{text}");
    // It may have other feeds and pages, ask whether anything is new, and be somebody else.
    let tag = header(&replica.get("/feeds/all.rss").await, "etag").to_owned();
    for (path, extra, status) in [
        ("/feeds/all.atom", [("accept", "*/*"), careless[0], careless[1]], 200),
        ("/feeds/all", [("accept", "text/html"), careless[0], careless[1]], 200),
        ("/feeds/all.rss", [("if-none-match", &*tag), careless[0], careless[1]], 304),
        ("/feeds/all.rss", [("if-none-match", "\"older\""), careless[0], careless[1]], 200),
        ("/feeds/all.rss", [("accept", "*/*"), careless[0], ("user-agent", "other/1")], 200),
        ("/feeds/all.rss", [("accept", "*/*"), ("x-real-ip", "203.0.113.8"), careless[1]], 200),
        ("/feeds/all.rss", [("accept", "*/*"), ("x-real-ip", "10.0.0.1"), careless[1]], 200),
    ] {
        assert_eq!(replica.ask(Method::GET, path, &extra).await.status().as_u16(), status, "{path} {extra:?}");
    }
    // News are always there.
    publish(&bus, &story(2)).await;
    replica.says("/feeds/all.rss", "Story 2 ").await;
    assert_eq!(replica.ask(Method::GET, "/feeds/all.rss", &careless).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn whoever_misspells_a_selection_is_told_where_and_what_to_write() {
    let (nats, _bus) = provisioned().await;
    let replica = Replica::start(&nats).await;
    for (path, wanted) in [
        ("/feeds/language/en+urgency/0", "an urgency is a digit from 1 to 9"),
        ("/feeds/language/en+urgency/0.rss", "(character 13)"),
        ("/feeds/(section/world.json", "this parenthesis is not closed"),
        ("/feeds/tag/%3Cscript%3E", "nobody knows what kind of thing this is"),
    ] {
        let response = replica.get(path).await;
        assert_eq!(response.status(), 404, "{path}");
        let page = response.text().await.unwrap();
        assert!(page.contains(wanted) && !page.contains("<script"), "{path}: {page}");
    }
}
