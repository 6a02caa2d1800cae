//! Text that breaks feeds elsewhere: control characters, markup in titles, directions, sizes.

use feed::{Format, Item, MAX_DOCUMENT_BYTES, MAX_ENTRIES};
use proptest::prelude::*;
use serde_json::json;

use crate::parsed_back::parse;
use crate::samples::{create, english, feed, links, live, meta};

/// Characters XML 1.0 has no place for.
pub(crate) fn forbidden(c: char) -> bool {
    (c < ' ' && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{FFFE}' | '\u{FFFF}')
}

#[test]
fn hostile_headlines_come_back_as_they_were() {
    for headline in [
        "]]> & </title><script>alert(1)</script>",
        "&amp; &lt;b&gt; &#x0; %s {{x}} \\",
        "عاجل: خبر «مهم» 100%",
        "👩‍👩‍👧 🇨🇳 ﷽ Z̸̢a̵l̶g̷o̴",
        "𠮷野家 \u{10FFFD}",
    ] {
        let mut document = english();
        document["headline"] = headline.into();
        let article = create(1, &document);
        for format in Format::ALL {
            let parsed = parse(&feed(format, std::slice::from_ref(&article)));
            assert_eq!(parsed.entries[0].title.as_ref().unwrap().content, headline, "{format:?}");
        }
    }
}

#[test]
fn a_hole_at_intake_is_no_hole_in_the_feed() {
    let mut article = create(1, &english());
    // What a faulty importer might have let through.
    article.headline = "vertical\u{B}tab\u{0}".into();
    article.byline = Some("by\u{1F}line".into());
    article.keywords = vec!["key\u{FFFF}word".into()];
    article.body =
        Some("<p onclick=\"x()\">a\u{8}b</p><script>alert(1)</script><iframe src=\"https://x.example\">".into());
    for format in Format::ALL {
        let written = feed(format, std::slice::from_ref(&article));
        assert!(!written.chars().any(forbidden), "{format:?}");
        let entry = &parse(&written).entries[0];
        assert_eq!(entry.title.as_ref().unwrap().content, "verticaltab", "{format:?}");
        let content = entry.content.as_ref().unwrap().body.as_ref().unwrap();
        assert_eq!(content.trim(), "<p>ab</p>", "{format:?}");
    }
}

#[test]
fn right_to_left_text_says_so() {
    let mut document = english();
    document["language"] = "ar".into();
    document["body_text"] = "نص الخبر.".into();
    for format in Format::ALL {
        let written = feed(format, &[create(1, &document)]);
        let entry = &parse(&written).entries[0];
        let content = entry.content.as_ref().unwrap().body.as_ref().unwrap();
        assert!(content.contains("<div lang=\"ar\" dir=\"rtl\">\n<p>نص الخبر.</p>"), "{content}");
    }
}

#[test]
fn a_feed_stays_within_its_bounds() {
    let mut document = english();
    document["body_text"] = "党".repeat(10_000).into();
    let items: Vec<Item> = (0..80).map(|n| Item::render(&create(n, &document), &links()).unwrap()).collect();
    for format in Format::ALL {
        let written = feed::document(format, &meta(), &live(), &items.iter().collect::<Vec<_>>());
        assert!(written.bytes.len() <= MAX_DOCUMENT_BYTES, "{format:?}: {}", written.bytes.len());
        assert!(written.bytes.len() > MAX_DOCUMENT_BYTES * 9 / 10, "{format:?}: {}", written.bytes.len());
        assert_eq!(written.ids.len(), MAX_ENTRIES, "{format:?}: long ones are shortened, none is left out");
        assert_eq!(parse(std::str::from_utf8(&written.bytes).unwrap()).entries.len(), written.ids.len());
    }
    let small: Vec<Item> = (0..80).map(|n| Item::render(&create(n, &english()), &links()).unwrap()).collect();
    let ids = feed::document(Format::Rss, &meta(), &live(), &small.iter().collect::<Vec<_>>()).ids;
    assert_eq!(ids.len(), MAX_ENTRIES);
}

/// Everything as long as intake lets it be, in the longest characters.
#[test]
fn no_article_is_left_out_of_a_feed_however_long_all_of_it_is() {
    let long = "👩🏿‍❤️‍💋‍👨🏿".repeat(300);
    let mut document = english();
    document["headline"] = long.as_str().into();
    document["summary"] = long.repeat(3).into();
    document["byline"] = long.as_str().into();
    // Five characters in XML, nine where markup is text in it.
    document["canonical_url"] = format!("https://news.example/?{}", "&".repeat(2_000)).into();
    document["keywords"] = (0..20).map(|n| format!("{n} {}", "👩🏿‍❤️‍💋‍👨🏿".repeat(40))).collect();
    document["contributors"] =
        (0..50).map(|n| json!({"name": format!("{n}{}", "👩🏿‍❤️‍💋‍👨🏿".repeat(60)), "role": "author"})).collect();
    let items: Vec<Item> = (0..50).map(|n| Item::render(&create(n, &document), &links()).unwrap()).collect();
    for format in Format::ALL {
        let written = feed::document(format, &meta(), &live(), &items.iter().collect::<Vec<_>>());
        assert!(written.bytes.len() <= MAX_DOCUMENT_BYTES, "{format:?}: {}", written.bytes.len());
        assert_eq!(feed::check(format, &written.bytes).unwrap().len(), MAX_ENTRIES);
    }
}

#[test]
fn one_huge_article_does_not_push_out_the_others() {
    let mut document = english();
    document["body_text"] = "words ".repeat(80_000).into();
    document["summary"] = "Long, in short.".into();
    let articles = [create(1, &document), create(2, &english())];
    for format in Format::ALL {
        let parsed = parse(&feed(format, &articles));
        assert_eq!(parsed.entries.len(), 2, "{format:?}");
        let content = parsed.entries[0].content.as_ref().unwrap().body.as_ref().unwrap();
        assert!(content.starts_with("<p>Long, in short.</p><p><a href="), "{content}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever the text, every format is well-formed, parses to the same id, and is the same twice.
    #[test]
    fn any_text_gives_readable_feeds(headline in "\\PC{1,40}", note in any::<String>(), name in any::<String>(), body in any::<String>()) {
        let mut article = create(1, &english());
        article.headline = headline;
        article.body = Some(body);
        article.summary = Some(note.clone());
        article.byline = Some(name.clone());
        article.section = vec![name.clone(), note.clone()];
        article.language = "en".into();
        article.ext.insert("x".into(), json!(note));
        for format in Format::ALL {
            let written = feed(format, std::slice::from_ref(&article));
            prop_assert!(!written.chars().any(forbidden));
            let parsed = parse(&written);
            prop_assert_eq!(&parsed.entries[0].id, &article.id.to_string());
            prop_assert_eq!(&feed(format, std::slice::from_ref(&article)), &written);
        }
    }
}
