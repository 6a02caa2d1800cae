//! What a reader fetches when a feed has one article more: bytes, by what the reader takes.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use fastrand::Rng;
use futures::{StreamExt, stream};
use reqwest::Response;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, ETAG, IF_NONE_MATCH};
use sha2::{Digest, Sha256};
use testkit::eventually;

use crate::figures::{note, row};
use crate::newsroom::{Newsroom, Service};

const FEEDS: usize = 30;
/// In a feed, as many as it shows.
const ARTICLES: usize = 50;
const FORMATS: [&str; 3] = ["rss", "atom", "json"];

/// How it is called, the headers of the request, and the coding that is waited for.
type Way = (&'static str, &'static [(&'static str, &'static str)], &'static str);

/// `DICTIONARY` in a value is the hash of the version before.
const WAYS: [Way; 8] = [
    ("as it is", &[], ""),
    ("gzip", &[("accept-encoding", "gzip")], "gzip"),
    ("zstd", &[("accept-encoding", "zstd")], "zstd"),
    ("br", &[("accept-encoding", "br")], "br"),
    ("A-IM: feed", &[("a-im", "feed")], ""),
    ("A-IM: feed, gzip", &[("a-im", "feed"), ("accept-encoding", "gzip")], "gzip"),
    ("A-IM: feed, br", &[("a-im", "feed"), ("accept-encoding", "br")], "br"),
    ("dcz", &[("accept-encoding", "dcz"), ("available-dictionary", "DICTIONARY")], "dcz"),
];

/// Text to make articles of.
struct Texts {
    /// Of English prose; no feed has one twice.
    paragraphs: Vec<String>,
    /// Chinese characters, as often as the pages have them.
    characters: Vec<char>,
}

/// A feed's version before.
struct Before {
    etag: String,
    hash: String,
}

pub(crate) async fn measure(room: &Newsroom) {
    let Some(texts) = Texts::read() else {
        row("updates of feeds", &"skipped: the shared fixtures are not here");
        return;
    };
    let mut rng = Rng::with_seed(9842);
    let mut sections: Vec<_> = (0..FEEDS).map(|feed| texts.articles(feed, &mut rng)).collect();
    let news: Vec<_> = sections.iter_mut().filter_map(Vec::pop).collect();
    let sending = stream::iter(sections.iter().flatten()).map(|article| publish(room, article)).buffer_unordered(16);
    sending.collect::<()>().await;
    let mut bytes: HashMap<&str, Vec<usize>> = HashMap::new();
    for (feed, article) in news.iter().enumerate() {
        let path = format!("feeds/section/part-{feed}.{}", FORMATS[feed % FORMATS.len()]);
        let url = room.url(Service::RssGenerator, &path);
        // Every reader is known before there is something new.
        for (_, headers, _) in WAYS {
            get(room, &url, headers, None).await;
        }
        let before = before(room, &url).await;
        publish(room, article).await;
        eventually("the feed has the article", async || {
            let answer = get(room, &url, &[("if-none-match", "ETAG")], Some(&before)).await;
            if answer.status().as_u16() == 200 { Ok(()) } else { Err(answer.status()) }
        })
        .await;
        for (way, headers, coding) in WAYS {
            let size = eventually(&format!("{path}: {way}"), async || {
                let answer = get(room, &url, headers, Some(&before)).await;
                let got = answer.headers().get(CONTENT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or("");
                if got != coding {
                    return Err(format!("{got:?}"));
                }
                assert_eq!(answer.status().as_u16(), if way.starts_with("A-IM") { 226 } else { 200 }, "{path}: {way}");
                Ok(answer.bytes().await.expect("the body").len())
            })
            .await;
            bytes.entry(way).or_default().push(size);
        }
    }
    for (way, ..) in WAYS {
        let sizes = bytes.get_mut(way).expect("measured");
        sizes.sort_unstable();
        let mean = sizes.iter().sum::<usize>() / sizes.len();
        row(way, &format!("{mean} bytes on average ({} to {})", sizes[0], sizes[sizes.len() - 1]));
    }
    note(&format!("{FEEDS} feeds of {ARTICLES} articles, a third of each format, one new article in each"));
}

/// Asks with `headers`; with those of a reader who has the version `before`, if they say so.
async fn get(room: &Newsroom, url: &str, headers: &[(&str, &str)], before: Option<&Before>) -> Response {
    let mut request = room.http.get(url);
    for (name, value) in headers {
        match (*value, before) {
            ("DICTIONARY", Some(before)) => request = request.header(*name, &before.hash),
            ("DICTIONARY" | "ETAG", None) => {}
            ("ETAG", Some(before)) => request = request.header(*name, &before.etag),
            _ => request = request.header(*name, *value),
        }
        if let (&"a-im", Some(before)) = (name, before) {
            request = request.header(IF_NONE_MATCH, &before.etag);
        }
    }
    if !headers.iter().any(|(name, _)| *name == "accept-encoding") {
        request = request.header(ACCEPT_ENCODING, "identity");
    }
    request.send().await.expect("an answer")
}

/// The feed once it has all its articles.
async fn before(room: &Newsroom, url: &str) -> Before {
    eventually("the feed is complete", async || {
        let answer = get(room, url, &[], None).await;
        let etag = answer.headers()[ETAG].to_str().expect("ETags are ASCII").to_owned();
        let body = answer.bytes().await.expect("the body");
        let shown = feed_rs::parser::parse(&body[..]).expect("a feed").entries.len();
        let hash = format!(":{}:", BASE64_STANDARD.encode(Sha256::digest(&body)));
        if shown == ARTICLES { Ok(Before { etag, hash }) } else { Err(shown) }
    })
    .await
}

async fn publish(room: &Newsroom, article: &serde_json::Value) {
    let url = room.url(Service::Publisher, "v1/articles");
    let answer = room.http.post(url).bearer_auth(&room.token).json(article).send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 201, "{}", answer.text().await.unwrap_or_default());
}

impl Texts {
    /// English prose of this project's own documents, Chinese of the fixtures. `None`: there are no fixtures.
    fn read() -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let pages = files(&root.join("../shared/fixtures/pages"), "txt");
        let pages: Vec<String> = pages.iter().filter_map(|path| fs::read_to_string(path).ok()).collect();
        let mut documents = files(&root.join("docs/adr"), "md");
        documents.extend(files(&root.join("docs"), "md"));
        documents.extend(files(&root, "md"));
        let documents = documents.iter().filter_map(|path| fs::read_to_string(path).ok());
        let texts: Vec<String> = documents.chain(pages.iter().cloned()).collect();
        let paragraphs = texts.iter().flat_map(|text| text.split("\n\n")).map(|text| text.replace('\n', " "));
        let mut paragraphs: Vec<String> = paragraphs
            .filter(|text| text.len() > 200 && !text.starts_with(['|', '#', '`']) && !text.contains(char::is_control))
            .collect();
        paragraphs.sort();
        paragraphs.dedup();
        let characters = pages.iter().flat_map(|page| page.chars()).filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c));
        let characters: Vec<char> = characters.collect();
        (!characters.is_empty()).then_some(Self { paragraphs, characters })
    }

    /// Articles of one section, one more than it shows: a third in Chinese, some short and some long.
    fn articles(&self, feed: usize, rng: &mut Rng) -> Vec<serde_json::Value> {
        let mut left = self.paragraphs.clone();
        rng.shuffle(&mut left);
        let most = 2 * left.len() / ARTICLES;
        let articles = (0..=ARTICLES).map(|n| {
            let chinese = (feed + n) % 3 == 2;
            let count = if chinese { 0 } else { rng.usize(1..most) };
            let prose = left.split_off(left.len().saturating_sub(count));
            self.article(feed, chinese, &prose, rng)
        });
        articles.collect()
    }

    fn article(&self, feed: usize, chinese: bool, prose: &[String], rng: &mut Rng) -> serde_json::Value {
        let mut words = |from: usize, to: usize| -> String {
            (0..rng.usize(from..to)).map(|_| self.characters[rng.usize(..self.characters.len())]).collect()
        };
        let (language, headline, paragraphs) = if chinese {
            let headline = words(10, 24);
            let count = 2 + headline.chars().count() % 7;
            ("zh-Hans", headline, (0..count).map(|_| words(40, 200)).collect::<Vec<_>>())
        } else {
            let first = prose.first().map_or("News", String::as_str);
            let headline: String = first.chars().skip(rng.usize(..40)).take(rng.usize(30..70)).collect();
            ("en", headline, prose.to_vec())
        };
        serde_json::json!({
            "headline": headline, "body_text": paragraphs.join("\n\n"), "language": language, "byline": "Lin Mei",
            "section": [format!("Part {feed}")],
        })
    }
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|found| found == extension)).collect();
    files.sort();
    files
}
