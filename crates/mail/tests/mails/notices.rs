//! Notices: what their reader is told, and under which mail.

use article::Article;
use mail::{Key, Locale, Message, MessageId, Notice, Why, compile_notice};
use mail_parser::MessageParser;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::common::{address, article, site, spliced};
use crate::{chinese, header, read_by_python, well_formed};

/// The Message-ID of the alert that the notices are about.
fn alert_id() -> MessageId {
    MessageId::derive(&Key::new([7; 32]), "alert", "reader@example.org", "mail.news.example")
}

pub(crate) fn notice(article: &Article, notice: Notice, locale: Locale) -> Message {
    let issue = compile_notice(article, notice, &site(), locale);
    spliced(&issue, &address("reader@example.org"), Some(&alert_id()), &Why::sent(&site(), locale))
}

fn told(locale: Locale) -> Article {
    if locale == Locale::Chinese { chinese() } else { article(json!({})) }
}

fn with(article: &Article, fields: Value) -> Article {
    let mut value = serde_json::to_value(article).unwrap();
    for (name, field) in fields.as_object().unwrap() {
        value[name] = field.clone();
    }
    serde_json::from_value(value).unwrap()
}

/// Corrected three times; readers of the second mail have been told of the first.
pub(crate) fn correction(locale: Locale) -> Message {
    let correction =
        |revision: u32, note: &str| json!({"revision": revision, "at": "2026-11-22T11:00:00Z", "note": note});
    let notes = match locale {
        Locale::English => {
            ["The first mistake.", "It was the clinic.", "It was the “old” hospital <b>,\nnot the clinic."]
        }
        Locale::Chinese => ["第一处错误。", "应为“诊所”。", "应为“旧医院”，\n而非“诊所”。"],
    };
    let corrections: Vec<Value> = (2u32..).zip(notes).map(|(revision, note)| correction(revision, note)).collect();
    let article = with(&told(locale), json!({"revision": 5, "change": {"kind": "minor"}, "corrections": corrections}));
    notice(&article, Notice::Correction { revision: 3 }, locale)
}

pub(crate) fn withdrawal(locale: Locale) -> Message {
    let note = if locale == Locale::Chinese { "消息来源有误。" } else { "We no longer trust the source." };
    let change = json!({"kind": "withdraw", "note": note});
    notice(&with(&told(locale), json!({"status": "withdrawn", "change": change})), Notice::Withdrawal, locale)
}

pub(crate) fn kill(locale: Locale) -> Message {
    let note = if locale == Locale::Chinese { "依法院裁定。" } else { "By order of the court." };
    let change = json!({"kind": "kill", "note": note});
    let killed = with(&told(locale), json!({"status": "killed", "change": change, "body": null, "summary": null}));
    notice(&killed, Notice::Kill, locale)
}

fn all() -> [(Message, [&'static str; 2], &'static str); 6] {
    let (english, chinese) = (Locale::English, Locale::Chinese);
    [
        (
            correction(english),
            ["Correction: Court opens an inquiry into the hospital", "It was the “old” hospital <b>,"],
            "correction",
        ),
        (correction(chinese), ["更正：市检察院召开党风廉政建设和反腐败工作会议", "应为“旧医院”，"], "correction"),
        (
            withdrawal(english),
            ["Withdrawn: Court opens an inquiry into the hospital", "We no longer trust the source."],
            "withdrawal",
        ),
        (withdrawal(chinese), ["撤回：市检察院召开党风廉政建设和反腐败工作会议", "消息来源有误。"], "withdrawal"),
        (kill(english), ["Removed: Court opens an inquiry into the hospital", "By order of the court."], "kill"),
        (kill(chinese), ["移除：市检察院召开党风廉政建设和反腐败工作会议", "依法院裁定。"], "kill"),
    ]
}

#[test]
fn a_notice_says_what_became_of_which_mail() {
    for (message, [subject, note], kind) in all() {
        well_formed(&message);
        let parsed = MessageParser::default().parse(message.as_bytes()).unwrap();
        assert_eq!(parsed.subject(), Some(subject));
        for name in ["In-Reply-To", "References"] {
            assert_eq!(header(&parsed, name), alert_id().as_str(), "{kind}");
        }
        assert_ne!(header(&parsed, "Message-ID"), alert_id().as_str());
        assert!(header(&parsed, "Feedback-ID").contains(&format!(":{kind}:")));
        assert_eq!(header(&parsed, "List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
        let (text, html) = (parsed.body_text(0).unwrap(), parsed.body_html(0).unwrap());
        let headline = subject.split_once([' ', '：']).unwrap().1;
        for part in [&text, &html] {
            assert!(part.contains(headline) && part.contains("https://mail.news.example/unsubscribe"), "{part}");
            for private in ["First paragraph", "昨日", "What the court asked", "NEVER-LEAVES", "\u{E000}", "\u{E002}"]
            {
                assert!(!part.contains(private), "{kind} tells {private}: {part}");
            }
        }
        assert!(text.contains(note), "{text}");
        assert!(html.contains(&note.replace('<', "&#60;").replace('>', "&#62;")), "{html}");
        assert!(html.trim_end().ends_with("</html>"));
    }
}

#[test]
fn a_correction_tells_the_newest_note_first_and_none_that_was_told_before() {
    let message = correction(Locale::English);
    let parsed = MessageParser::default().parse(message.as_bytes()).unwrap();
    let text = parsed.body_text(0).unwrap();
    let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words} is not in {text}"));
    assert!(
        place("not the clinic.") < place("Corrected before:")
            && place("Corrected before:") < place("It was the clinic.")
    );
    assert!(!text.contains("The first mistake."), "{text}");
    assert!(text.contains("Read the corrected article: https://news.example/wire/articles/"), "{text}");
    let (withdrawn, killed) = (withdrawal(Locale::English), kill(Locale::English));
    for message in [withdrawn, killed] {
        let parsed = MessageParser::default().parse(message.as_bytes()).unwrap();
        assert!(!parsed.body_text(0).unwrap().contains("/articles/"), "there is nothing left to read");
    }
}

#[test]
fn endless_notes_leave_the_way_out_in_sight() {
    let note = "👩‍👩‍👧‍👦".repeat(1000);
    let corrections: Vec<Value> =
        (2..40).map(|n| json!({"revision": n, "at": "2026-11-22T11:00:00Z", "note": note})).collect();
    let article = article(json!({"revision": 40, "corrections": corrections}));
    let message = notice(&article, Notice::Correction { revision: 2 }, Locale::English);
    well_formed(&message);
    let parsed = MessageParser::default().parse(message.as_bytes()).unwrap();
    let html = parsed.body_html(0).unwrap();
    assert!(html.len() < 90 * 1024 && html.contains("/unsubscribe"), "{}", html.len());
    assert!(html.contains(&note));
}

#[test]
fn python_finds_no_defect_in_a_notice() {
    let notices = all();
    let messages: Vec<Message> = notices.iter().map(|(message, ..)| message.clone()).collect();
    let Some(read) = read_by_python(&messages) else { return };
    assert_eq!(read.len(), notices.len());
    for (mail, (_, [subject, note], _)) in read.iter().zip(&notices) {
        assert_eq!(mail["subject"], *subject);
        assert_eq!(mail["defects"], json!([]), "{mail}");
        assert_eq!(mail["types"], json!(["multipart/alternative", "text/plain", "text/html"]));
        assert!(mail["text"].as_str().unwrap().contains(note), "{mail}");
        assert_eq!(mail["in_reply_to"], alert_id().as_str());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_words_of_a_note_break_its_mail(
        note in "[\\PC\r\n]{0,200}|[<>&\"'=?\r\n:,.a-c]{1,80}",
        headline in "\\PC{1,80}",
        language in "en|zh-Hans|ar|x\r\ny|",
    ) {
        let corrections = json!([{"revision": 2, "at": "2026-11-22T11:00:00Z", "note": note}]);
        let change = json!({"kind": "correction", "note": note});
        let article = article(json!({"corrections": corrections, "change": change, "headline": headline, "language": language}));
        for kind in [Notice::Correction { revision: 2 }, Notice::Withdrawal, Notice::Kill] {
            let message = notice(&article, kind, Locale::English);
            well_formed(&message);
            let parsed = MessageParser::default().parse(message.as_bytes()).unwrap();
            prop_assert_eq!(parsed.headers().len(), 17);
            prop_assert_eq!((parsed.text_body_count(), parsed.html_body_count(), parsed.attachment_count()), (1, 1, 0));
            prop_assert!(parsed.body_html(0).unwrap().trim_end().ends_with("</html>"));
        }
    }
}
