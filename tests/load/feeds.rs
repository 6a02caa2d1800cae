//! Bytes of other people's feeds read per second on one core: mended, parsed, sanitised, made into drafts, named.

use std::time::{Duration, Instant};

use upstream::{DraftOptions, Feed, identity::identities, revision::Fingerprint};
use url::Url;

use crate::figures::row;

pub(crate) fn measure() {
    for (name, bytes) in samples() {
        let address = Url::parse("https://news.example/feed").expect("it is an address");
        let read = || upstream::read(&bytes, None, &address);
        let feed = read().expect("the sample is a feed");
        let (reading, drafting) = (fastest(read), fastest(|| drafts(&feed)));
        let naming = fastest(|| {
            let fingerprints: Vec<_> = feed.items.iter().map(Fingerprint::of).collect();
            (identities(&feed.items, feed.format), fingerprints)
        });
        let rate = |time: Duration| bytes.len() as f64 / time.as_secs_f64() / 1e6;
        let (items, whole) = (feed.items.len(), rate(reading + drafting));
        let (read, draft, named) = (rate(reading), rate(drafting), rate(naming));
        row(
            &format!("feed of {items} items, {:.1} MB: {name}", bytes.len() as f64 / 1e6),
            &format!("{whole:.0} MB/s (mended and parsed {read:.0}, sanitised {draft:.0}); identity {named:.0}"),
        );
    }
}

/// Feeds as they are met: escaped markup, CDATA, XHTML, JSON; and one that has to be mended throughout.
fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let body = "<p>The harbour <b>reopened</b> on Monday &amp; the first <a href=\"https://news.example/harbour?a=1&amp;b=2\" \
                class=\"link\">ship</a> left at noon, \u{6e2f}\u{53e3}\u{5468}\u{4e00}\u{91cd}\u{65b0}\u{5f00}\u{653e}.</p>\n\
                <figure><img src=\"https://img.example/1.jpg\" alt=\"A ship\" width=\"640\" srcset=\"x\"/></figure>\n"
        .repeat(10);
    let escaped = body.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let rss = |text: &str| {
        let item = |n: u32| {
            format!(
                "<item><guid isPermaLink=\"false\">{n}</guid><title>Harbour &amp; ships {n}</title><link>https://news.example/{n}</link>\
                 <pubDate>Mon, 23 Nov 2026 09:30:00 +0800</pubDate><dc:creator>Sun Lu</dc:creator><category>Ports</category>\
                 <content:encoded>{text}</content:encoded></item>\n"
            )
        };
        let items: String = (0..1000).map(item).collect();
        format!("<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>News</title>{items}</channel></rss>")
            .into_bytes()
    };
    let atom: String = (0..1000)
        .map(|n| {
            format!(
                "<entry><id>urn:n:{n}</id><title>Harbour {n}</title><link href=\"https://news.example/{n}\"/>\
                 <updated>2026-11-23T09:30:00Z</updated><content type=\"xhtml\"><div xmlns=\"http://www.w3.org/1999/xhtml\">{body}</div>\
                 </content></entry>"
            )
        })
        .collect();
    let json: Vec<serde_json::Value> = (0..1000)
        .map(|n| serde_json::json!({ "id": n, "title": "Harbour", "url": format!("https://news.example/{n}"), "content_html": body }))
        .collect();
    vec![
        ("RSS, escaped", rss(&escaped)),
        ("RSS, CDATA", rss(&format!("<![CDATA[{body}]]>"))),
        ("RSS, not escaped, bare &", rss(&body.replace("&amp;", "&").replace("/>", ">"))),
        ("RSS, plain text", rss(&"The harbour reopened on Monday, \u{6e2f}\u{53e3}. ".repeat(50))),
        ("Atom, XHTML", format!("<feed xmlns=\"http://www.w3.org/2005/Atom\">{atom}</feed>").into_bytes()),
        (
            "JSON Feed",
            serde_json::json!({ "version": "https://jsonfeed.org/version/1.1", "items": json }).to_string().into(),
        ),
    ]
}

fn drafts(feed: &Feed) -> usize {
    let now = "2026-11-23T10:00:00Z".parse().expect("it is a time");
    let options = DraftOptions { language: "en".into(), ..DraftOptions::default() };
    feed.items.iter().filter(|item| item.draft(feed, &options, now).is_ok()).count()
}

/// The fastest of several runs, in time that a core spent on it: what the work costs, without what else the machine did.
fn fastest<T>(work: impl Fn() -> T) -> Duration {
    let began = Instant::now();
    let now = || on_cpu().unwrap_or_else(|| began.elapsed());
    (0..7)
        .map(|_| {
            let start = now();
            std::hint::black_box(work());
            now().saturating_sub(start)
        })
        .min()
        .unwrap_or_default()
}

/// How long the kernel has let this thread run, where it says so.
fn on_cpu() -> Option<Duration> {
    let counted = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    counted.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}
