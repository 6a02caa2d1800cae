//! Each reason, from a record that has it.

use article::{ArticleId, Command, Draft, Provenance, apply};
use serde_json::json;

use super::*;
use crate::frequency::Frequency;
use crate::span::Cap;
use crate::subscriber::{Form, SubscriberId, Wish};

fn at(text: &str) -> Timestamp {
    format!("2026-11-{text}Z").parse().unwrap()
}

/// Published on the 20th at noon, in World / Asia, in Chinese.
fn features() -> Features {
    let document =
        json!({ "headline": "合肥的桥", "body": "<p>B</p>", "language": "zh-Hans", "section": ["World", "Asia"] });
    let publisher: article::PublisherId = "test".parse().unwrap();
    let id = ArticleId::derived(&publisher, "test", b"1");
    let draft = Box::new(Draft::from_json(&document, at("20T12:00:00")).unwrap());
    let provenance =
        Provenance { channel: "test".into(), raw_sha256: String::new(), importer: None, warnings: Vec::new() };
    Features::of(&apply(None, Command::Create { id, publisher, draft, provenance }, at("20T12:00:00")).unwrap())
}

fn selection(text: &str) -> Selection {
    text.parse().unwrap()
}

/// Asked for `selections` and confirmed on the 10th.
fn subscriber(selections: &[(&str, Frequency)]) -> Subscriber {
    let address = "reader@example.org".parse().unwrap();
    let mut record = Subscriber::new(SubscriberId::from_bytes([1; 16]), address, "en".into(), "UTC".into());
    for (text, frequency) in selections {
        let wish = Wish { frequency: *frequency, ..Wish::alerts(selection(text), "en") };
        record.request(&wish, at("10T08:00:00"));
    }
    record.confirm(at("10T08:00:00"), at("10T08:00:00"));
    record
}

fn told(record: &Subscriber) -> Vec<Because> {
    known("20T12:00:00", record).0
}

/// What is told of an article that runs know since then, and when its digest is due.
fn known(since: &str, record: &Subscriber) -> (Vec<Because>, Option<Timestamp>) {
    let (features, published) = (features(), at("20T12:00:00"));
    let case = Case { record, features: &features, published, known: at(since), now: at("20T13:00:00") };
    (because(&case), due_in(&case))
}

const AT_ONCE: Frequency = Frequency::Immediate;
const DAILY: Frequency = Frequency::Daily { hour: 8 };

#[test]
fn nothing_that_was_asked_for_has_it_and_it_is_told_what_was_nearest() {
    let record = subscriber(&[("section/sport", AT_ONCE), ("section/world+language/en+!keyword/x", AT_ONCE)]);
    let told = told(&record);
    let [Because::NoMatch { nearest }] = told.as_slice() else { panic!("{told:?}") };
    let near =
        Near { selection: "section/world+language/en+!keyword/x".into(), missing: vec!["language/en".into()], met: 2 };
    assert_eq!(nearest[0], near, "two of three are so");
    assert_eq!((nearest[1].missing.as_slice(), nearest[1].met), (["section/sport".to_owned()].as_slice(), 0));
    assert!(told[0].to_string().contains("language/en"), "{}", told[0]);
}

#[test]
fn who_has_it_in_a_digest_is_told_when_that_is_due() {
    let due = Some(at("21T08:00:00"));
    assert_eq!(told(&subscriber(&[("section/world", DAILY)])), [Because::Digest { due }]);
    let mut capped = subscriber(&[("all", AT_ONCE)]);
    capped.change_cap(Some(Cap { alerts: 3, hour: 8 }), at("11T08:00:00")).unwrap();
    assert_eq!(told(&capped), [Because::OverCap { alerts: 3, due }]);
}

#[test]
fn a_digest_is_due_after_runs_know_the_article_and_may_have_what_a_storm_held_back() {
    let due = |day: &str| Some(at(&format!("{day}T08:00:00")));
    let daily = subscriber(&[("all", DAILY)]);
    assert_eq!(known("20T12:00:00", &daily), (vec![Because::Digest { due: due("21") }], due("21")));
    assert_eq!(known("21T08:00:00", &daily), (vec![Because::Digest { due: due("22") }], due("22")), "planned late");
    assert_eq!(known("20T12:00:00", &subscriber(&[("all", AT_ONCE)])), (vec![Because::Changed], due("21")));
    assert_eq!(known("20T12:00:00", &subscriber(&[("section/sport", DAILY)])).1, None);
}

#[test]
fn what_the_record_says_against_a_mail_is_told_apart() {
    let told = told(&subscriber(&[("section/sport", AT_ONCE)]));
    assert!(told[0].denies() && !Because::Digest { due: None }.denies() && !Because::Complained.denies());
}

#[test]
fn time_decides_what_a_change_of_the_owners_does() {
    let mut paused = subscriber(&[("all", AT_ONCE)]);
    paused.pause(None, at("20T11:00:00")).unwrap();
    assert_eq!(told(&paused), [Because::Paused { since: at("20T11:00:05"), until: None }]);

    let mut left = subscriber(&[("all", AT_ONCE)]);
    left.unsubscribe(None, Form::Unsubscribe, at("20T11:00:00"));
    assert!(matches!(told(&left).as_slice(), [Because::Later { .. } | Because::Left { .. }]), "{:?}", told(&left));

    let mut later = subscriber(&[("section/sport", AT_ONCE)]);
    later.add(&selection("section/world"), AT_ONCE, at("20T12:30:00")).unwrap();
    let since = at("20T12:30:05");
    assert_eq!(told(&later), [Because::Later { selection: "section/world".into(), since }]);
}

#[test]
fn what_was_never_confirmed_and_what_came_back_is_told() {
    let mut record = subscriber(&[("section/sport", AT_ONCE)]);
    record.request(&Wish::alerts(selection("section/world"), "en"), at("20T11:00:00"));
    let unconfirmed = Because::Unconfirmed { selection: "section/world".into(), requested_at: at("20T11:00:00") };
    assert_eq!(told(&record), [unconfirmed]);
    let mut record = subscriber(&[("all", AT_ONCE)]);
    record.bounces.complained(at("15T08:00:00"));
    assert_eq!(told(&record), [Because::Complained, Because::Changed]);
    assert_eq!(told(&subscriber(&[("all", AT_ONCE)])), [Because::Changed], "never empty");
}
