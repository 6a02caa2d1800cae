//! Items become drafts that the model takes, within its bounds, or say why not.

use article::Draft;
use proptest::prelude::*;

use super::*;

fn now() -> Timestamp {
    "2026-11-23T10:00:00Z".parse().unwrap()
}

fn feed(text: &str) -> Feed {
    crate::read(text.as_bytes(), None, &Url::parse("https://news.example/feed").unwrap()).unwrap()
}

fn options() -> DraftOptions {
    DraftOptions { name: None, language: "en".into(), section: vec!["World".into()] }
}

/// The draft of the only item, checked as the newsroom's door would.
fn draft(inside: &str) -> (Value, Draft) {
    let feed = feed(&format!(
        "<rss xmlns:media='http://search.yahoo.com/mrss/'><channel><title>Wire</title><link>https://wire.example/</link>\
         <language>en-gb</language><item>{inside}</item></channel></rss>"
    ));
    let json = feed.items[0].draft(&feed, &options(), now()).unwrap_or_else(|error| panic!("{error}: {inside}"));
    let draft = Draft::from_json(&json, now()).unwrap_or_else(|problems| panic!("{problems:?}: {json}"));
    (json, draft)
}

#[test]
fn an_item_becomes_a_draft() {
    let (json, draft) = draft(
        "<guid isPermaLink='false'>g-1</guid><title>Harbour &amp; ships</title><link>https://wire.example/1?utm_source=x</link>\
         <description>Short.</description><content:encoded><![CDATA[<p onclick='x'>Long <a href='/2'>one</a>.</p>]]></content:encoded>\
         <author>a@b.example (Sun Lu)</author><dc:creator>Li Na</dc:creator><pubDate>Mon, 23 Nov 2026 09:30 +0800</pubDate>\
         <category>Ports</category><category>Ports</category><category>https://scheme.example/1</category>\
         <source url='https://agency.example/'>Agency</source>\
         <media:content url='https://img.example/1.jpg' type='image/jpeg' width='640'><media:description>A ship</media:description>\
         </media:content>",
    );
    assert_eq!((draft.headline.as_str(), draft.summary.as_deref()), ("Harbour & ships", Some("Short.")));
    let link = "<a href=\"https://wire.example/2\" rel=\"noopener noreferrer\">one</a>";
    assert_eq!(draft.body, format!("<p>Long {link}.</p>"));
    assert_eq!((draft.language.as_str(), draft.byline.as_deref()), ("en-GB", Some("Sun Lu, Li Na")));
    assert_eq!(json["published"], json!({ "at": "2026-11-23T09:30", "tz": "+08:00" }));
    assert_eq!(draft.published.unwrap().precision, Precision::Minute);
    assert_eq!(json["sources"][0], json!({ "name": "Agency", "url": "https://agency.example/" }));
    assert_eq!(json["sources"][1], json!({ "name": "Wire", "url": "https://wire.example/", "role": "publisher" }));
    assert_eq!(json["alt_ids"], json!([{ "role": "guid", "value": "g-1" }]));
    assert_eq!((json["keywords"].clone(), json["section"].clone()), (json!(["Ports"]), json!(["World"])));
    let picture = &json["associations"][0];
    assert_eq!((picture["alt_text"].as_str(), picture["width"].as_u64()), (Some("A ship"), Some(640)));
    assert_eq!(draft.canonical_url.map(String::from).as_deref(), Some("https://wire.example/1?utm_source=x"));
}

#[test]
fn what_is_missing_is_made_of_what_is_there() {
    let headline = |inside: &str| draft(inside).1.headline;
    assert_eq!(headline("<description>&lt;p&gt;First one. Second.&lt;/p&gt;</description>"), "First one.");
    assert_eq!(headline("<description>第一句。第二句。</description>"), "第一句。");
    assert_eq!(headline(&format!("<description>{}</description>", "word ".repeat(100))).chars().last(), Some('…'));
    assert_eq!(headline(&format!("<title>{}</title>", "党".repeat(500))).chars().count(), MAX_HEADLINE);
    assert_eq!(draft("<title>Only a title</title>").1.body, "<p>Only a title</p>");
    assert_eq!(draft("<title>a</title><pubDate>Mon, 23 Nov 2099 09:30 GMT</pubDate>").0.get("published"), None);
    let (json, _) = draft(
        "<title>Ship</title><enclosure url='https://a.example/x.JPG' type='odd'/><enclosure url='https://a.example/y.exe' type=''/>",
    );
    assert_eq!(
        json["associations"],
        json!([{ "type": "picture", "uri": "https://a.example/x.JPG", "mime": "image/jpeg", "alt_text": "Ship" }])
    );
}

#[test]
fn what_makes_no_article_says_why() {
    let fails = |inside: &str| {
        let feed = feed(&format!("<rss><channel><item><guid>1</guid>{inside}"));
        feed.items[0].draft(&feed, &options(), now()).unwrap_err()
    };
    assert_eq!(fails("</item>"), Undraftable::Empty);
    assert_eq!(fails("<description>&lt;script>x&lt;/script></description></item>"), Undraftable::Empty);
    assert_eq!(fails("<title>cut"), Undraftable::CutOff);
    assert_eq!(
        fails(&format!("<description>{}</description></item>", "a".repeat(MAX_BODY_BYTES))),
        Undraftable::TooLong
    );
    assert_eq!(
        fails(&format!("<description>{}</description></item>", "<p>".repeat(MAX_MARKUP / 3))),
        Undraftable::TooLong
    );
}

/// Any text; often one that has characters and shows nothing.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![3 => any::<String>(), 1 => "[\u{200B}\u{E0100}\u{3000}\u{AD}]{1,3}"]
}

proptest! {
    #[test]
    fn whatever_an_item_holds_the_draft_is_valid(
        title in text(), text in text(), link in any::<String>(), date in any::<String>(),
        name in text(), kind in any::<String>(), language in any::<String>(),
    ) {
        let json = serde_json::json!({ "title": name, "language": language, "items": [{
            "id": title, "url": link, "title": title, "content_html": text, "summary": name, "date_published": date,
            "authors": [{ "name": name, "url": link }], "tags": [title, name, text], "language": language,
            "attachments": [{ "url": format!("https://a.example/{link}"), "mime_type": kind, "title": text, "size_in_bytes": 0 }],
        }]});
        let feed = feed(&json.to_string());
        if let Ok(draft) = feed.items[0].draft(&feed, &options(), now()) {
            let read = Draft::from_json(&draft, now());
            prop_assert!(read.is_ok(), "{:?}: {}", read, draft);
        }
    }
}
