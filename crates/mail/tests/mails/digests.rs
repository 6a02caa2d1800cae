//! Digests and updates: what is in them, and how they stay short enough.

use mail::{Locale, Topic, compile_digest};
use mail_parser::MessageParser;
use proptest::prelude::*;
use serde_json::json;
use unicode_segmentation::UnicodeSegmentation;

use crate::common::{address, article, manage, site, splice};
use crate::many::{HEADLINES, articles, content, digest, update};
use crate::{chinese, header, well_formed};

#[test]
fn a_digest_says_of_each_article_what_and_whose_and_when() {
    let message = digest(Locale::English);
    well_formed(&message);
    let parsed = MessageParser::default().parse(message.as_bytes()).unwrap();
    assert_eq!(parsed.subject(), Some("Hefei News, Sunday, 22 November 2026: 19 articles"));
    for (name, value) in [
        ("List-Id", "\"Hefei News\" <digest.mail.news.example>"),
        ("Feedback-ID", "1795305600:digest:digest:newswire"),
        ("Auto-Submitted", "auto-generated"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("Content-Language", "en"),
    ] {
        assert_eq!(header(&parsed, name), value);
    }
    assert!(parsed.header_raw("X-Newswire-Article").is_none());
    let (text, html) = (parsed.body_text(0).unwrap(), parsed.body_html(0).unwrap());
    let mut last = 0;
    for (n, (language, headline)) in HEADLINES.iter().enumerate() {
        let place = text.find(headline).unwrap_or_else(|| panic!("{headline} is not in {text}"));
        assert!(place > last || n == 0, "in their order");
        last = place;
        let escaped = headline.replace('<', "&#60;").replace('>', "&#62;");
        let direction = if ["ar", "he"].contains(language) { "rtl" } else { "ltr" };
        let link = format!("https://news.example/wire/articles/0192d3f0-a1b2-7c3d-8e4f-0000000000{n:02}");
        assert!(html.contains(&format!("lang=\"{language}\" dir=\"{direction}\"")), "{language}");
        assert!(html.contains(&format!("href=\"{link}\" style=\"color:#1c1c1c;text-decoration:none\">{escaped}</a>")));
        assert!(text.contains(&format!("{link}\r\n")));
        let times = |text: &str, words: &str| text.matches(words).count();
        let expected = if n % 3 == 2 { 1 } else { 3 };
        assert_eq!(times(&text, headline), expected, "{headline} with its summary, where it has one");
    }
    // The reader's own time; a day stays the newsroom's.
    for words in [
        "World › Asia & Pacific · Hefei Evening News · 2026-11-22 09:30\r\n",
        "· 2026-11-22\r\n",
        "09:30 · corrected\r\n",
    ] {
        assert!(text.contains(words), "{words:?} is not in {text}");
    }
    assert!(text.contains("Times are those of Asia/Shanghai.") && html.contains("Times are those of Asia/Shanghai."));
    assert!(text.contains("7 more articles: https://news.example/wire/feeds/all?a=1&b=2\r\n"), "{text}");
    assert!(html.contains("href=\"https://news.example/wire/feeds/all?a=1&#38;b=2\""), "{html}");
    assert!(html.contains("subscribe?selection=story%2F0192d3f0-a1b2-7c3d-8e4f-000000000003&#38;lang=en\""), "{html}");
    assert!(text.contains(&format!("Change what you get: {}\r\n", manage().as_str())), "{text}");
    assert!(html.contains("href=\"https://mail.news.example/preferences/abc?x=1&amp;y=2\""), "{html}");
    assert!(
        !text.contains(['\u{E000}', '\u{E001}', '\u{E002}']) && !html.contains(['\u{E000}', '\u{E001}', '\u{E002}'])
    );
    assert!(!text.contains("NEVER-LEAVES") && !html.contains("First paragraph"));
}

#[test]
fn one_article_is_one_and_nothing_more_is_not_offered() {
    for (locale, subject) in [
        (Locale::English, "Hefei News, Sunday, 22 November 2026: one article"),
        (Locale::Chinese, "Hefei News 2026年11月22日 星期日：1 篇文章"),
    ] {
        let issue = compile_digest(&content(&articles()[1..2], 0), &site(), locale);
        let message = splice(&issue, &address("reader@example.org"), locale, &Topic::Everything);
        let parsed = MessageParser::default().parse(message.as_bytes()).unwrap();
        assert_eq!(parsed.subject(), Some(subject));
        let text = parsed.body_text(0).unwrap();
        assert!(!text.contains("more") && !text.contains("另有") && !text.contains("Asia/Shanghai"), "{text}");
    }
}

#[test]
fn a_digest_of_the_longest_articles_keeps_within_what_clients_show() {
    for (headline, summary, whole, cut) in [
        ("Forty words of news ", "And what they say. ", true, false),
        ("会议要求提高认识", "会议要求提高认识。", false, false),
        ("👩‍👩‍👧‍👦", "👩‍👩‍👧‍👦", false, true),
    ] {
        let long = |text: &str, graphemes: usize| text.repeat(graphemes.div_ceil(text.graphemes(true).count()));
        let one = |n: usize| {
            let id = format!("urn:uuid:0192d3f0-a1b2-7c3d-8e4f-0000000000{n:02}");
            let headline = format!("{n} {}", long(headline, 150));
            article(json!({"id": id, "headline": headline.trim(), "summary": long(summary, 400)}))
        };
        let articles: Vec<_> = (10..60).map(one).collect();
        let issue = compile_digest(&content(&articles, 100), &site(), Locale::English);
        let message = splice(&issue, &address("reader@example.org"), Locale::English, &Topic::Everything);
        well_formed(&message);
        let parsed = MessageParser::default().parse(message.as_bytes()).unwrap();
        let (text, html) = (parsed.body_text(0).unwrap(), parsed.body_html(0).unwrap());
        assert!((60_000..=90 * 1024).contains(&html.len()), "{}", html.len());
        let shown = html.matches("<h2 ").count();
        assert!(if cut { (10..50).contains(&shown) } else { shown == 50 }, "{shown}");
        assert!(html.contains(&format!(">{} more articles</a>", 150 - shown)), "{shown}");
        assert!(html.contains("/unsubscribe") && html.contains("150 articles you asked for"));
        let summaries = html.matches("font-size:16px").count();
        assert!(if whole { summaries == shown } else { summaries < shown }, "{summaries} of {shown}");
        assert_eq!(text.matches("https://news.example/wire/articles/").count(), shown);
        // The newest have theirs.
        let newest = html.split("<h2 ").skip(1).take_while(|item| item.contains("font-size:16px")).count();
        assert_eq!(newest, summaries);
    }
}

#[test]
fn an_update_is_the_article_with_what_is_new_in_front() {
    let major = |article: &article::Article, note: &str| {
        let mut value = serde_json::to_value(article).unwrap();
        value["change"] = json!({"kind": "major", "note": note});
        serde_json::from_value(value).unwrap()
    };
    for (article, locale, subject, intro, note) in [
        (
            major(&article(json!({})), "The court has\nthe <b>files</b>."),
            Locale::English,
            "Updated: Court opens an inquiry into the hospital",
            "There is news in the story that you follow at Hefei News.",
            "the <b>files</b>.",
        ),
        (
            major(&chinese(), "会议闭幕。"),
            Locale::Chinese,
            "更新：市检察院召开党风廉政建设和反腐败工作会议",
            "您在 Hefei News 关注的报道有了新的进展。",
            "会议闭幕。",
        ),
    ] {
        let message = update(&article, locale);
        well_formed(&message);
        let parsed = MessageParser::default().parse(message.as_bytes()).unwrap();
        assert_eq!(parsed.subject(), Some(subject));
        assert!(header(&parsed, "Feedback-ID").contains(":hefei:update:"));
        assert!(parsed.header_raw("In-Reply-To").is_some());
        let (text, html) = (parsed.body_text(0).unwrap(), parsed.body_html(0).unwrap());
        let headline = text.find(article.headline.as_str()).unwrap();
        assert!(text.find(intro).unwrap() < headline && text.find(note).unwrap() < headline, "{text}");
        assert!(html.contains(intro) && html.contains(&note.replace('<', "&#60;").replace('>', "&#62;")), "{html}");
        assert!(text.contains(if locale == Locale::Chinese { "昨日" } else { "First paragraph" }), "the whole article");
        assert!(!html.contains("selection=story"), "its reader follows the story");
        assert!(text.contains(&article.headline) && text.contains("subscribe?lang="));
    }
    // What was said of an older revision is not said of the newest.
    let text = update(&article(json!({"change": {"kind": "minor", "note": "OLD"}})), Locale::English);
    let parsed = MessageParser::default().parse(text.as_bytes()).unwrap();
    assert!(!parsed.body_text(0).unwrap().contains("OLD"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_words_of_articles_break_their_digest(
        headline in "\\PC{1,80}|[\r\n:,<>\"a-c]{1,40}",
        summary in "[\\PC\r\n]{0,200}",
        language in "en|zh-Hans|ar|x\r\ny|\"><script>",
        name in "\\PC{0,30}",
    ) {
        let hostile = article(json!({
            "headline": headline, "summary": summary, "language": language, "section": [name],
            "sources": [{"name": name, "role": "originator"}],
        }));
        let issue = compile_digest(&content(&[hostile.clone(), hostile], 3), &site(), Locale::Chinese);
        let message = splice(&issue, &address("reader@example.org"), Locale::Chinese, &Topic::Everything);
        well_formed(&message);
        let parsed = MessageParser::default().parse(message.as_bytes()).unwrap();
        prop_assert_eq!(parsed.headers().len(), 13);
        prop_assert_eq!((parsed.text_body_count(), parsed.html_body_count(), parsed.attachment_count()), (1, 1, 0));
        let html = parsed.body_html(0).unwrap();
        prop_assert!(html.trim_end().ends_with("</html>") && !html.contains("<script"));
        prop_assert_eq!(html.matches("<h2 ").count(), 2);
    }
}
