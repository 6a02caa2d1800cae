//! Changes, and the revisions that they are worth.

use super::*;
use crate::Markup;

const STORY: &str = "The harbour reopened on Monday after three weeks of repairs. The first ship left at noon with \
                     four hundred passengers. Port authorities said that the new quay could take larger vessels, and that \
                     work on the second one would begin in spring. Residents had complained of noise and of delays. The \
                     mayor thanked the crews, who had worked through two storms, and promised a study of the traffic.";

const ANOTHER: &str = "Parliament voted on Tuesday to raise the minimum wage by four per cent from next year. Unions \
                       called the step too small; employers warned of closures in small towns. The bill passed by a \
                       margin of eleven votes after a debate that lasted until midnight, and goes to the president now.";

fn item(title: &str, text: &str, updated: Option<&str>) -> Item {
    Item {
        title: Some(title.into()),
        content: Some(Markup::Html(format!("<p>{text}</p>"))),
        updated: updated.map(|date| crate::Date::parse(date).unwrap()),
        ..Item::default()
    }
}

#[test]
fn what_changed_decides_the_revision() {
    let said = Some("2026-11-23T10:00:00Z");
    let later = Some("2026-11-23T12:00:00Z");
    let seconds_later = Some("2026-11-23T10:00:20Z");
    let typo = STORY.replace("four hundred", "five hundred");
    let before = Fingerprint::of(&item("Harbour opens", STORY, said));
    let cases = [
        ("nothing", item("Harbour opens", STORY, said), None),
        ("a date", item("Harbour opens", STORY, later), None),
        ("markup", item("Harbour opens", &STORY.replace("Monday", "<b class='x'>Monday</b>"), later), None),
        ("a word", item("Harbour opens", &typo, later), Some(Kind::Minor)),
        ("the headline", item("Harbour reopens", STORY, later), Some(Kind::Minor)),
        ("all of it, silently", item("Harbour opens", ANOTHER, said), Some(Kind::Minor)),
        ("all of it, by a clock's error", item("Harbour opens", ANOTHER, seconds_later), Some(Kind::Minor)),
        ("all of it, with a date", item("Harbour opens", ANOTHER, later), Some(Kind::Major)),
        ("all of it, without one", item("Harbour opens", ANOTHER, None), Some(Kind::Minor)),
    ];
    for (what, after, expected) in cases {
        assert_eq!(compare(&before, &Fingerprint::of(&after)), expected, "{what}");
    }
    let first_date = Fingerprint::of(&item("Harbour opens", STORY, None));
    assert_eq!(compare(&first_date, &Fingerprint::of(&item("x", ANOTHER, later))), Some(Kind::Major));
}

#[test]
fn versions_of_a_text_are_near_and_texts_are_not() {
    let chinese = "合肥晚报讯 合肥港周一在三周维修后重新开放，第一艘船于中午载着四百名乘客离港。港口当局表示，新码头可以停靠更大的船只，第二个码头的工程将于春季开始。";
    let other = "议会周二投票决定从明年起将最低工资提高百分之四。工会认为幅度太小，雇主则警告小城镇的企业可能倒闭。法案以十一票之差通过。";
    let distance = |a: &str, b: &str| (shape(a) ^ shape(b)).count_ones();
    for (a, b) in [
        (STORY, STORY.replace("Monday", "Tuesday")),
        (STORY, format!("{STORY} A second ship followed in the evening.")),
        (STORY, STORY.to_uppercase().to_lowercase()),
        (chinese, chinese.replace("四百", "五百")),
    ] {
        assert!(similar(shape(a), shape(&b)), "{} apart: {b}", distance(a, &b));
    }
    for (a, b) in [(STORY, ANOTHER), (chinese, other), (STORY, chinese), ("", STORY), ("", "")] {
        assert!(!similar(shape(a), shape(b)), "{} apart: {a} | {b}", distance(a, b));
    }
}

#[test]
fn what_is_stored_stays_readable() {
    assert_eq!(format!("{:016x}", shape(ANOTHER)), "1945d6a5aeae9abf", "stored shapes are compared with new ones");
    let fingerprint = Fingerprint::of(&item("a", ANOTHER, None));
    let json = serde_json::to_string(&fingerprint).unwrap();
    assert_eq!(serde_json::from_str::<Fingerprint>(&json).unwrap(), fingerprint);
}
