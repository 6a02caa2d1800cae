//! What a newsroom may send: limits, mistakes with their places, dates, hostile input.

mod common;

use article::{Draft, MAX_BODY_BYTES, Precision};
use common::{create, draft, full, minimal, now};
use serde_json::{Value, json};

fn problems(document: &Value) -> Vec<String> {
    let problems = Draft::from_json(document, now()).err().unwrap_or_default();
    problems.into_iter().map(|p| format!("{} {}", p.pointer, p.code)).collect()
}

fn with(field: &str, value: Value) -> Value {
    let mut document = minimal();
    document[field] = value;
    document
}

#[test]
fn each_mistake_has_its_place_and_code() {
    let long = |n: usize| json!("党".repeat(n));
    let cases = [
        ("headline", json!("one\ntwo"), "/headline illegal_character"),
        ("headline", json!("txt.\u{202E}exe"), "/headline illegal_character"),
        ("headline", json!("\u{200B}\u{3164}"), "/headline blank"),
        ("headline", json!(format!("a{}", "\u{301}".repeat(20_000))), "/headline too_long"),
        ("headline", json!("👩‍👩‍👧".repeat(301)), "/headline too_long"),
        ("headline", json!(null), "/headline required"),
        ("summary", json!("bell\u{7}"), "/summary illegal_character"),
        ("summary", json!("x\u{FFFF}"), "/summary illegal_character"),
        ("body", json!("<script>x</script>"), "/body blank"),
        ("body", json!("<p>&nbsp;</p><p></p>"), "/body blank"),
        ("body", json!("x".repeat(MAX_BODY_BYTES + 1)), "/body too_long"),
        ("body", json!("<div>".repeat(5000)), "/body too_tangled"),
        ("body", json!("x\u{0}"), "/body illegal_character"),
        ("body_text", json!("both"), "/body_text conflict"),
        ("language", json!("english language"), "/language format"),
        ("language", json!(format!("x-{}", "a-".repeat(500))), "/language too_long"),
        (
            "keywords",
            json!(["ok", "", 7, "a\tb"]),
            "/keywords/1 blank, /keywords/2 type, /keywords/3 illegal_character",
        ),
        ("keywords", json!([format!("a{}", "\u{301}".repeat(20_000))]), "/keywords/0 too_long"),
        ("section", json!(["a", "b", "c", "d", "e", "f"]), "/section too_many"),
        (
            "section",
            json!(["𠀀".repeat(120), "𠀀".repeat(120), "𠀀".repeat(120), "𠀀".repeat(120), "𠀀".repeat(120)]),
            "/section too_long",
        ),
        ("subjects", json!([{"scheme": "medtop", "code": "1100000"}]), "/subjects/0/code format"),
        (
            "contributors",
            json!([{"role": "chief"}, 3]),
            "/contributors/0/name required, /contributors/0/role unknown_word, /contributors/1 type",
        ),
        ("urgency", json!(0), "/urgency range"),
        ("urgency", json!(5.5), "/urgency range"),
        ("urgency", json!("5"), "/urgency range"),
        ("canonical_url", json!("javascript:alert(1)"), "/canonical_url url"),
        ("canonical_url", json!("https://user:pw@news.example/"), "/canonical_url url"),
        ("canonical_url", json!("/relative"), "/canonical_url url"),
        // The 1,200 bytes sent would fit; the 3,600 they are kept in do not.
        ("canonical_url", json!(format!("https://news.example/{}", "党".repeat(400))), "/canonical_url url"),
        ("translations", json!([{"language": "fr", "rel": "has_translation"}]), "/translations/0/id required"),
        (
            "associations",
            json!([{"type": "picture", "uri": "https://x.example/p"}]),
            "/associations/0/alt_text required",
        ),
        (
            "associations",
            json!([{"type": "audio", "uri": "https://x.example/p", "mime": "mp3"}]),
            "/associations/0/mime format",
        ),
        (
            "associations",
            json!([{"type": "audio", "uri": "https://x.example/p", "mime": "a/b/c"}]),
            "/associations/0/mime format",
        ),
        ("change", json!({"kind": "unknown"}), "/change/kind unknown_word"),
        ("change", json!({"kind": "kill", "note": "a".repeat(1001)}), "/change/note too_long"),
        ("ext", json!({"org.example": "x".repeat(64 * 1024)}), "/ext too_long"),
        ("ext", json!([1]), "/ext type"),
        ("id", json!("urn:uuid:1"), "/id format"),
        ("publisher", json!("City Desk"), "/publisher format"),
        ("embargoed_until", json!("tomorrow"), "/embargoed_until format"),
        ("expires_at", json!("tomorrow"), "/expires_at format"),
        ("test", json!("yes"), "/test type"),
        ("a/b~c", json!(1), "/a~1b~0c unknown_field"),
        ("located", long(121), "/located too_long"),
    ];
    for (field, value, expected) in cases {
        let shown: String = value.to_string().chars().take(80).collect();
        assert_eq!(problems(&with(field, value)).join(", "), expected, "{field}: {shown}");
    }
    assert_eq!(problems(&json!([1])), [" type"]);
}

#[test]
fn all_mistakes_come_at_once_and_briefly() {
    let document =
        json!({"headline": 1, "language": "??", "urgency": 10, "headlin": "x", "published": {"tz": "Mars/Olympus"}});
    let mut found = problems(&document);
    found.sort();
    let expected = [
        "/body required",
        "/headlin unknown_field",
        "/headline type",
        "/language format",
        "/published/at required",
        "/published/tz format",
        "/urgency range",
    ];
    assert_eq!(found, expected);

    let hostile: Value =
        (0..10_000).map(|n| (format!("{n}{}", "x".repeat(100)), json!(1))).collect::<serde_json::Map<_, _>>().into();
    let problems = Draft::from_json(&hostile, now()).unwrap_err();
    assert_eq!(problems.len(), 100);
    assert!(problems.iter().all(|problem| problem.detail.len() < 300));
}

#[test]
fn what_may_be_sent_is_kept_as_it_was_sent() {
    let draft = draft(&full());
    assert_eq!(draft.headline, full()["headline"]);
    assert_eq!(draft.body, full()["body"]);
    assert_eq!(draft.byline.as_deref(), full()["byline"].as_str());
    assert_eq!(draft.warnings, Vec::<String>::new());
    for (field, value) in [
        ("headline", json!("👩‍👩‍👧".repeat(300))),
        ("headline", json!("العربية\u{200F} ")),
        ("body", json!(format!("<p>{}</p>", "x".repeat(MAX_BODY_BYTES - 7)))),
        ("body", json!("<img src='https://x.example/p.png'>")),
        ("language", json!("de-1996")),
        ("canonical_url", json!("http://news.example/")),
        ("ext", json!({"org.example": {"control": "\u{7}", "deep": [[[1]]]}})),
    ] {
        assert_eq!(problems(&with(field, value.clone())), Vec::<String>::new(), "{field}");
    }
}

#[test]
fn what_the_server_owns_is_not_looked_at() {
    let mut document = minimal();
    for field in ["revision", "status", "first_created", "version_created", "updated_at", "corrections", "provenance"] {
        document[field] = json!("not even of the right type");
    }
    assert_eq!(create(&document), create(&minimal()));
}

#[test]
fn a_time_keeps_the_precision_and_the_clock_it_was_given_with() {
    use Precision::{Date, Minute, Second};
    let cases = [
        (json!({"at": "2018-11-26", "tz": "Asia/Shanghai"}), "2018-11-26T00:00:00+08:00", Date),
        (json!({"at": "2018-11-26", "tz": "asia/shanghai"}), "2018-11-26T00:00:00+08:00", Date),
        (json!({"at": "2018-11-26T09:30", "tz": "+08:00"}), "2018-11-26T09:30:00+08:00", Minute),
        (json!({"at": "2018-11-26 09:30:15", "tz": "Z"}), "2018-11-26T09:30:15+00:00", Second),
        (json!({"at": "2018-11-26T09:30:15+08:00"}), "2018-11-26T09:30:15+08:00", Second),
        (json!({"at": "2018-11-26T09:30+08:00"}), "2018-11-26T09:30:00+08:00", Minute),
        (json!({"at": "2018-11-26T01:30:00Z", "tz": "Asia/Shanghai"}), "2018-11-26T09:30:00+08:00", Second),
        (
            json!({"at": "2018-11-25T16:00:00Z", "tz": "Asia/Shanghai", "precision": "date"}),
            "2018-11-26T00:00:00+08:00",
            Date,
        ),
        // Berlin has no 02:30 on this day, and two of them on that.
        (json!({"at": "2026-03-29T02:30", "tz": "Europe/Berlin"}), "2026-03-29T03:30:00+02:00", Minute),
        (json!({"at": "2025-10-26T02:30", "tz": "Europe/Berlin"}), "2025-10-26T02:30:00+02:00", Minute),
        // São Paulo's day began at 01:00.
        (json!({"at": "2018-11-04", "tz": "America/Sao_Paulo"}), "2018-11-04T01:00:00-02:00", Date),
        (json!({"at": "1605-09-01", "tz": "UTC"}), "1605-09-01T00:00:00+00:00", Date),
        (json!({"at": "2026-11-24T10:00:00Z"}), "2026-11-24T10:00:00+00:00", Second),
    ];
    for (published, expected, precision) in cases {
        let shown = published.to_string();
        let read = draft(&with("published", published)).published.unwrap();
        assert_eq!((read.rfc3339().as_str(), read.precision), (expected, precision), "{shown}");
        let again = draft(&with("published", serde_json::to_value(&read).unwrap())).published.unwrap();
        assert_eq!(again, read, "sent back: {shown}");
    }
}

#[test]
fn times_that_cannot_be_meant_are_refused() {
    for (published, expected) in [
        (json!({"at": "2018-11-26"}), "/published/tz required"),
        (json!({"at": "2018-11-26T09:30"}), "/published/tz required"),
        (json!({"at": "26.11.2018", "tz": "UTC"}), "/published/at format"),
        (json!({"at": "2018-13-01", "tz": "UTC"}), "/published/at format"),
        (json!({"at": "20181126", "tz": "UTC"}), "/published/at format"),
        (json!({"at": "2018-11-26T09", "tz": "UTC"}), "/published/at format"),
        (json!({"at": "党党党", "tz": "UTC"}), "/published/at format"),
        (json!({"at": "1066-10-14", "tz": "UTC"}), "/published/at range"),
        (json!({"at": "9999-12-31", "tz": "-12:00"}), "/published/at range"),
        (json!({"at": "2026-11-24T10:00:01Z"}), "/published/at future"),
        (json!({"at": "2026-11-26", "tz": "UTC"}), "/published/at future"),
        (json!({"at": "2018-11-26", "tz": "UTC", "precision": "second"}), "/published/precision conflict"),
        (json!({"at": "2018-11-26T09:30:00Z", "precision": "date"}), "/published/precision conflict"),
        (json!({"at": "2018-11-26T09:30:05Z", "precision": "minute"}), "/published/precision conflict"),
        (json!({"at": "2018-11-26", "tz": "Mars/Olympus"}), "/published/tz format"),
        (json!({"at": "2018-11-26", "tz": "+99:00"}), "/published/tz format"),
        (json!({"at": "2018-11-26", "tz": "+15:01"}), "/published/tz range"),
        (json!({"at": "2018-11-26", "tz": "-23:00"}), "/published/tz range"),
        (json!({"at": "2018-11-26T00:00:00+19:00"}), "/published/at range"),
        (json!({"at": "2011-12-30", "tz": "Pacific/Apia"}), "/published/at range"),
        (json!({"at": "2011-12-30T09:30", "tz": "Pacific/Apia"}), "/published/at range"),
        (json!("2018-11-26"), "/published type"),
    ] {
        assert_eq!(problems(&with("published", published.clone())).join(", "), expected, "{published}");
    }
    let mut both = with("published", json!({"at": "2018-11-26T00:00:00Z"}));
    both["embargoed_until"] = json!("2026-11-23T00:00:00Z");
    assert_eq!(problems(&both), ["/embargoed_until conflict"]);
    let mut never = with("embargoed_until", json!("2026-11-25T00:00:00Z"));
    never["expires_at"] = json!("2026-11-24T00:00:00Z");
    assert_eq!(problems(&never), ["/expires_at order"]);
}
