//! Every kind of mail, read back by parsers that are not ours.
#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

mod common;
#[path = "mails/digests.rs"]
mod digests;
#[path = "mails/links.rs"]
mod links;
#[path = "common/many.rs"]
mod many;
#[path = "mails/notices.rs"]
mod notices;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use article::Article;
use common::{address, alert, article, site, splice, unsubscribe};
use links::{confirm, link_mail};
use mail::{Locale, Message, Notice, Topic, compile_alert};
use mail_parser::{MessageParser, MimeHeaders};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The article in Chinese, as its newsroom would send it.
fn chinese() -> Article {
    article(json!({
        "headline": "市检察院召开党风廉政建设和反腐败工作会议",
        "summary": "会议传达学习了有关精神，并对下一阶段的工作作出部署。",
        "body": "<p>本报讯 昨日，市检察院召开党风廉政建设和反腐败工作会议，传达学习有关精神。</p>\n<p>会议要求，全院干警要提高认识，落实责任。</p>",
        "language": "zh-Hans",
        "byline": "孙璐",
        "sources": [{"name": "合肥晚报", "role": "originator"}, {"name": "新华社", "role": "reference", "url": "https://xinhua.example/"}],
        "located": "合肥",
        "section": ["党风廉政建设"],
        "copyright_notice": null,
    }))
}

/// An article in Arabic, with names in Latin letters in it.
fn arabic() -> Article {
    article(json!({
        "headline": "افتتاح المؤتمر الدولي للصحافة في العاصمة بمشاركة وفود من خمسين دولة",
        "summary": "ناقش المشاركون مستقبل الخبر وحرية الوصول إليه.",
        "body": "<p>افتتح اليوم المؤتمر الدولي للصحافة في العاصمة.</p>\n<p>وقال المتحدث باسم Reuters إن 50 دولة تشارك فيه.</p>\n<ul><li>اليوم الأول</li><li>اليوم الثاني</li></ul><blockquote>الخبر حق للجميع.</blockquote>",
        "language": "ar",
        "byline": "سارة الحسن",
        "sources": [{"name": "وكالة الأنباء", "role": "originator", "url": "https://agency.example/"}],
        "located": "الرباط",
        "section": ["العالم"],
    }))
}

/// With a major revision's note.
fn updated(article: &Article, note: &str) -> Article {
    let mut value = serde_json::to_value(article).unwrap();
    value["change"] = json!({"kind": "major", "note": note});
    serde_json::from_value(value).unwrap()
}

/// What RFC 5322 and careful relays demand of every byte of a mail.
fn well_formed(message: &Message) {
    let text = message.as_str();
    assert!(text.is_ascii() && text.ends_with("\r\n"));
    assert!(!text.contains('\0'));
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    assert_eq!(text.matches('\r').count(), text.matches("\r\n").count());
    let header = text.split("\r\n\r\n").next().unwrap();
    for line in text.split("\r\n") {
        assert!(line.len() <= 998, "{line}");
        assert!(line.len() <= 78 || header.contains(line), "{line}");
        assert!(!line.ends_with(' ') || line == "-- ", "{line:?}");
    }
}

fn header<'a>(parsed: &'a mail_parser::Message<'_>, name: &str) -> &'a str {
    parsed.header_raw(name.to_owned()).unwrap_or_else(|| panic!("no {name}")).trim()
}

#[test]
fn an_alert_reads_back_field_by_field() {
    let message = alert(&article(json!({})), Locale::English);
    well_formed(&message);
    let parsed = MessageParser::default().parse(message.as_bytes()).unwrap();
    assert_eq!(parsed.subject(), Some("Court opens an inquiry into the hospital"));
    assert_eq!(parsed.from().unwrap().first().unwrap().address(), Some("news@news.example"));
    assert_eq!(parsed.from().unwrap().first().unwrap().name(), Some("Hefei News"));
    assert_eq!(parsed.to().unwrap().first().unwrap().address(), Some("reader@example.org"));
    for (name, value) in [
        ("Date", "Sun, 22 Nov 2026 10:00:05 +0000"),
        ("List-Id", "\"Hefei News\" <hefei.mail.news.example>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        (
            "List-Unsubscribe",
            "<https://mail.news.example/unsubscribe?s=1&t=abc>,\r\n <mailto:unsubscribe+abc.def@mail.news.example>",
        ),
        ("Auto-Submitted", "auto-generated"),
        ("Feedback-ID", "0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f.3:hefei:alert:newswire"),
        ("Content-Language", "en"),
        ("X-Newswire-Article", "urn:uuid:0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f"),
        ("X-Newswire-Revision", "3"),
        ("MIME-Version", "1.0"),
    ] {
        assert_eq!(header(&parsed, name), value);
    }
    assert_eq!((parsed.text_body_count(), parsed.html_body_count(), parsed.attachment_count()), (1, 1, 0));
    let text = parsed.body_text(0).unwrap();
    let html = parsed.body_html(0).unwrap();
    for words in
        ["World › Asia", "By Sun Lu", "HEFEI", "2018-11-26", "Hefei Evening News", "© 2018", "You get this because"]
    {
        assert!(text.contains(words), "{words} is not in {text}");
        assert!(html.contains(words), "{words} is not in {html}");
    }
    assert!(
        text.contains("\r\n\r\n.Second begins with a dot & holds a link (https://x.example/?a=1&b=2).\r\n"),
        "{text}"
    );
    assert!(text.contains("Unsubscribe: https://mail.news.example/unsubscribe?s=1&t=abc\r\n"), "{text}");
    assert!(html.contains("href=\"https://mail.news.example/unsubscribe?s=1&amp;t=abc\""), "{html}");
    assert!(html.contains("href=\"https://news.example/wire/articles/0192d3f0-a1b2-7c3d-8e4f-5a6b7c8d9e0f\""));
    assert!(!text.contains("00:00") && !html.contains("00:00"), "a date has no time");
    assert!(!text.contains("NEVER-LEAVES") && !html.contains("NEVER-LEAVES"));
    assert!(!text.contains(['\u{E000}', '\u{E001}']) && !html.contains(['\u{E000}', '\u{E001}']));
}

#[test]
fn chinese_travels_in_base64_and_ascii_stays_readable() {
    for (message, encoding, direction) in [
        (alert(&chinese(), Locale::Chinese), "base64", "ltr"),
        (alert(&article(json!({})), Locale::English), "quoted-printable", "ltr"),
        (alert(&article(json!({"language": "ar", "body": "<p>نص</p>"})), Locale::English), "quoted-printable", "rtl"),
    ] {
        let parsed = MessageParser::default().parse(message.as_bytes()).unwrap();
        let text = parsed.text_part(0).unwrap();
        assert_eq!(text.content_transfer_encoding(), Some(encoding));
        assert!(parsed.body_html(0).unwrap().contains(&format!("dir=\"{direction}\">")));
    }
    let message = alert(&chinese(), Locale::Chinese);
    let parsed = MessageParser::default().parse(message.as_bytes()).unwrap();
    let text = parsed.body_text(0).unwrap();
    for words in [
        "作者：孙璐",
        "来源：合肥晚报、新华社",
        "您收到此邮件，是因为您向 Hefei News 订阅了：“党风廉政建设”栏目。",
        "退订",
    ] {
        assert!(text.contains(words), "{words} is not in {text}");
    }
}

#[test]
fn a_time_is_printed_with_its_zone() {
    let published = json!({"at": "2018-11-26T01:30:00Z", "precision": "minute", "tz": "Asia/Shanghai"});
    let message = alert(&article(json!({ "published": published })), Locale::English);
    let parsed = MessageParser::default().parse(message.as_bytes()).unwrap();
    assert!(parsed.body_text(0).unwrap().contains("2018-11-26 09:30 (UTC+08:00)"));
}

#[test]
fn a_newsroom_page_is_preferred_and_byline_words_are_not_doubled() {
    let message = alert(
        &article(json!({"canonical_url": "https://own.example/story", "byline": "By Sun Lu and Li Wei"})),
        Locale::English,
    );
    let parsed = MessageParser::default().parse(message.as_bytes()).unwrap();
    let text = parsed.body_text(0).unwrap();
    assert!(text.contains("Read it on the web: https://own.example/story"));
    assert!(text.contains("By Sun Lu and Li Wei") && !text.contains("By By"));
}

#[test]
fn pictures_have_words_and_other_languages_a_link() {
    let message = alert(
        &article(json!({
            "associations": [
                {"type": "picture", "uri": "http://insecure.example/a.jpg", "alt_text": "not shown"},
                {"type": "picture", "uri": "https://p.example/b.jpg", "alt_text": "The \"old\" court", "caption": "A court", "credit": "Li"}
            ],
            "translations": [{"language": "zh-Hans", "rel": "has_translation", "id": "urn:uuid:0192d3f0-a1b2-7c3d-8e4f-000000000000"}]
        })),
        Locale::English,
    );
    let parsed = MessageParser::default().parse(message.as_bytes()).unwrap();
    let (text, html) = (parsed.body_text(0).unwrap(), parsed.body_html(0).unwrap());
    assert!(text.contains("[The \"old\" court]\r\nA court · Picture: Li"), "{text}");
    assert!(html.contains("alt=\"The &#34;old&#34; court\"") && !html.contains("insecure"), "{html}");
    assert!(text.contains("中文: https://news.example/wire/articles/0192d3f0-a1b2-7c3d-8e4f-000000000000"), "{text}");
}

#[test]
fn a_long_article_is_cut_between_paragraphs_below_what_clients_show() {
    for (paragraph, locale) in
        [("<p>Forty words of news, again. </p>", Locale::English), ("<p>会议要求提高认识。</p>", Locale::Chinese)]
    {
        let body = paragraph.repeat(12_000);
        let headline = "👩‍👩‍👧‍👦".repeat(300);
        let message = alert(&article(json!({ "body": body, "headline": headline })), locale);
        well_formed(&message);
        let parsed = MessageParser::default().parse(message.as_bytes()).unwrap();
        let html = parsed.body_html(0).unwrap();
        assert!((80_000..=90 * 1024).contains(&html.len()), "{}", html.len());
        assert!(html.contains(">This article is longer") || html.contains("阅读全文</a>"));
        assert!(html.contains("</html>"));
        let kept = html.matches("style=\"margin:0 0 16px\">").count();
        let words = paragraph.trim_start_matches("<p>").trim_end_matches("</p>").trim();
        assert_eq!(parsed.body_text(0).unwrap().matches(words).count(), kept);
    }
}

#[test]
fn readers_differ_only_in_what_is_personal() {
    for (article, locale) in [(article(json!({})), Locale::English), (chinese(), Locale::Chinese)] {
        let issue = compile_alert(&article, &site(), locale);
        let topics = [Topic::Everything, Topic::Section(vec!["<b>bold</b> & “quoted”".into()]), Topic::Unnamed];
        let mut bodies = Vec::new();
        for (n, topic) in topics.iter().enumerate() {
            let to = address(&format!("reader{n}@{}example.org", "sub.".repeat(n)));
            let message = splice(&issue, &to, locale, topic);
            well_formed(&message);
            let parsed = MessageParser::default().parse(message.as_bytes()).unwrap();
            assert_eq!(parsed.to().unwrap().first().unwrap().address(), Some(to.as_str()));
            let html = parsed.body_html(0).unwrap().into_owned();
            assert!(!html.contains("<b>bold"), "{html}");
            bodies.push(html.split("class=\"soft rule\" lang=").next().unwrap().to_owned());
        }
        assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
    }
}

#[test]
fn the_mails_are_as_they_were() {
    for (name, message) in [
        ("access-en.eml", link_mail(Locale::English)),
        ("access-zh.eml", link_mail(Locale::Chinese)),
        ("alert-ar.eml", alert(&arabic(), Locale::English)),
        ("alert-en.eml", alert(&article(json!({})), Locale::English)),
        ("alert-zh.eml", alert(&chinese(), Locale::Chinese)),
        ("confirmation-en.eml", confirm(Locale::English)),
        ("confirmation-zh.eml", confirm(Locale::Chinese)),
        ("correction-en.eml", notices::correction(Locale::English)),
        ("correction-zh.eml", notices::correction(Locale::Chinese)),
        ("withdrawal-en.eml", notices::withdrawal(Locale::English)),
        ("withdrawal-zh.eml", notices::withdrawal(Locale::Chinese)),
        ("digest-en.eml", many::digest(Locale::English)),
        ("digest-zh.eml", many::digest(Locale::Chinese)),
        ("update-en.eml", many::update(&updated(&article(json!({})), "The court has the files."), Locale::English)),
        ("update-zh.eml", many::update(&updated(&chinese(), "会议闭幕。"), Locale::Chinese)),
        ("kill-en.eml", notices::kill(Locale::English)),
        ("kill-zh.eml", notices::kill(Locale::Chinese)),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
        // Git may change line ends, so the files have LF.
        let now = message.as_str().replace("\r\n", "\n");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, &now).unwrap();
        }
        let was = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(was == now, "{name} differs; look at it, then run this test with UPDATE_GOLDEN=1\n{now}");
    }
}

/// Reads mails with Python's `email` package.
#[expect(clippy::print_stdout, reason = "a check that did not run must say so")]
fn read_by_python(messages: &[Message]) -> Option<Vec<Value>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign/read_mail.py");
    let child = Command::new("python3").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut child) = child else {
        println!("skipped: there is no python3 to read the mails with");
        return None;
    };
    let mut input = child.stdin.take().unwrap();
    for message in messages {
        input.write_all(message.as_bytes()).unwrap();
        input.write_all(b"\0").unwrap();
    }
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn another_parser_finds_no_defect_in_any_kind_of_mail_in_ten_scripts() {
    let mut messages: Vec<(Message, Option<&str>)> =
        vec![(confirm(Locale::Chinese), None), (link_mail(Locale::Chinese), None)];
    messages.extend(Locale::ALL.map(|locale| (many::digest(locale), None)));
    for (language, headline) in many::HEADLINES {
        let fields = json!({
            "headline": headline, "language": language, "body": format!("<p>{headline}</p>"),
            "corrections": [{"revision": 3, "at": "2026-11-22T11:00:00Z", "note": headline}],
        });
        let article = updated(&article(fields), headline);
        messages.push((alert(&article, Locale::English), Some(headline)));
        messages.push((many::update(&article, Locale::Chinese), Some(headline)));
        for notice in [Notice::Correction { revision: 3 }, Notice::Withdrawal, Notice::Kill] {
            messages.push((notices::notice(&article, notice, Locale::Chinese), Some(headline)));
        }
    }
    let plain: Vec<Message> = messages.iter().map(|(message, _)| message.clone()).collect();
    let Some(read) = read_by_python(&plain) else { return };
    assert_eq!(read.len(), messages.len());
    for (mail, (message, headline)) in read.iter().zip(&messages) {
        well_formed(message);
        assert_eq!(mail["defects"], json!([]), "{mail}");
        assert_eq!(mail["from"], json!(["Hefei News", "news@news.example"]));
        assert_eq!(mail["types"], json!(["multipart/alternative", "text/plain", "text/html"]));
        // Each word of the subject decoded by itself.
        assert_eq!(mail["subject_by_words"], mail["subject"], "{mail}");
        let Some(headline) = headline else { continue };
        assert!(mail["subject"].as_str().unwrap().ends_with(headline), "{mail}");
        let escaped = headline.replace('<', "&#60;").replace('>', "&#62;");
        assert!(mail["text"].as_str().unwrap().contains(headline), "{mail}");
        assert!(mail["html"].as_str().unwrap().contains(&escaped), "{mail}");
    }
}

#[test]
fn every_kind_of_mail_says_why_and_how_to_change_it() {
    let list = [
        alert(&article(json!({})), Locale::English),
        alert(&arabic(), Locale::English),
        many::digest(Locale::English),
        many::update(&article(json!({})), Locale::English),
        notices::correction(Locale::English),
        notices::withdrawal(Locale::English),
        notices::kill(Locale::English),
    ];
    for message in &list {
        let parsed = MessageParser::default().parse(message.as_bytes()).unwrap();
        let (text, html) = (parsed.body_text(0).unwrap(), parsed.body_html(0).unwrap());
        for words in
            ["You get this because", "Change what you get", "Unsubscribe", "/preferences/abc", "subscribe?lang=en"]
        {
            assert!(text.contains(words) && html.contains(words), "{words}: {text}");
        }
        let follows = html.contains("Follow this story");
        let (subject, kind) = (parsed.subject().unwrap(), header(&parsed, "Feedback-ID"));
        assert_eq!(follows, [":alert:", ":digest:", ":correction:"].iter().any(|of| kind.contains(of)), "{subject}");
        assert_eq!(follows, text.contains("Follow this story") || kind.contains(":digest:"), "{subject}");
    }
    for message in &list {
        let parsed = MessageParser::default().parse(message.as_bytes()).unwrap();
        let html = parsed.body_html(0).unwrap();
        let hidden = html.split("<div style=\"display:none;max-height:0;overflow:hidden;mso-hide:all\">").nth(1);
        assert!(hidden.is_some_and(|rest| rest.find("</div>").is_some_and(|end| end > 10)), "a preheader: {html}");
        assert!(html.contains("<html lang=\"") && html.contains("color-scheme"));
        assert!(!html.contains("<img") && !html.contains("src="), "nothing that is loaded from elsewhere");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_words_of_an_article_break_its_mail(
        headline in "\\PC{1,80}|[\r\n:,<>\"a-c]{1,40}|=\\?[a-z?=]{0,30}",
        body in "(<p>)?[\\PC\r\n]{0,120}(</p>)?",
        byline in "\\PC{0,30}",
    ) {
        let message = alert(&article(json!({"headline": headline, "body": body, "byline": byline})), Locale::English);
        well_formed(&message);
        let parsed = MessageParser::default().parse(message.as_bytes()).unwrap();
        let names: Vec<&str> = parsed.headers().iter().map(|header| header.name()).collect();
        prop_assert_eq!(names.len(), 15, "{:?}", names);
        prop_assert_eq!((parsed.text_body_count(), parsed.html_body_count(), parsed.attachment_count()), (1, 1, 0));
        let html = parsed.body_html(0).unwrap();
        prop_assert!(html.trim_end().ends_with("</html>"));
        prop_assert!(html.contains(unsubscribe().as_str().split('&').next().unwrap()));
    }
}
