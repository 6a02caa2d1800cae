//! Every change in every state, and what no sequence of changes can break.

mod common;

use article::{Article, ChangeKind, Command, Draft, Rejection, RevisionKind, Status, apply};
use common::{create, draft, full, minimal, now, provenance};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::json;

const STATES: [Status; 5] = [Status::Embargoed, Status::Published, Status::Held, Status::Withdrawn, Status::Killed];

fn embargoed() -> Article {
    let mut document = minimal();
    document["embargoed_until"] = json!("2026-11-22T12:00:00Z");
    document["test"] = full()["test"].clone();
    create(&document)
}

fn later() -> Timestamp {
    now() + SignedDuration::from_hours(3)
}

fn in_state(status: Status) -> Article {
    let command = |command| apply(Some(&create(&full())), command, now()).expect("valid by construction");
    match status {
        Status::Embargoed => embargoed(),
        Status::Published => create(&full()),
        Status::Held => command(Command::Hold { note: None }),
        Status::Withdrawn => command(Command::Withdraw { note: "Retracted".into() }),
        Status::Killed => command(Command::Kill { note: "Legal".into() }),
        Status::Unknown => unreachable!("no command leads there"),
    }
}

fn revise(kind: RevisionKind) -> Command {
    Command::Revise { kind, note: Some("The toll is 3 euros".into()), draft: draft(&full()), provenance: provenance() }
}

fn command(kind: &str) -> Command {
    let note = Some("A note".to_owned());
    match kind {
        "create" => Command::Create {
            id: common::ID.parse().expect("valid by construction"),
            publisher: "city-desk".parse().expect("valid by construction"),
            draft: draft(&full()),
            provenance: provenance(),
        },
        "minor" => revise(RevisionKind::Minor),
        "major" => revise(RevisionKind::Major),
        "correction" => revise(RevisionKind::Correction),
        "hold" => Command::Hold { note },
        "release" => Command::Release { note },
        "lift" => Command::Lift,
        "withdraw" => Command::Withdraw { note: "Retracted".into() },
        "kill" => Command::Kill { note: "Legal".into() },
        "reinstate" => {
            // The embargoed one of the table was published at another time than the document says.
            let mut document = full();
            document.as_object_mut().expect("valid by construction").remove("published");
            Command::Reinstate { note, draft: draft(&document), provenance: provenance() }
        }
        other => panic!("{other}"),
    }
}

/// The command as somebody would give it who sees `article`: what is under embargo stays so for another hour.
fn command_for(article: &Article, kind: &str, now: Timestamp) -> Command {
    let mut command = command(kind);
    if let Command::Revise { draft, .. } = &mut command
        && article.published.is_none()
    {
        draft.published = None;
        draft.embargoed_until = Some(now + SignedDuration::from_hours(1));
    }
    command
}

/// Columns: from embargoed, published, held, withdrawn, killed. `.` is refused.
const TABLE: [(&str, [&str; 5]); 10] = [
    ("create", [".", ".", ".", ".", "."]),
    ("minor", ["embargoed", "published", "held", ".", "."]),
    ("major", ["embargoed", "published", "held", ".", "."]),
    ("correction", [".", "published", "held", ".", "."]),
    ("hold", [".", "held", ".", ".", "."]),
    ("release", ["published", ".", "published", ".", "."]),
    ("lift", ["published", ".", ".", ".", "."]),
    ("withdraw", [".", "withdrawn", "withdrawn", ".", "."]),
    ("kill", ["killed", "killed", "killed", "killed", "."]),
    ("reinstate", [".", ".", ".", "published", "published"]),
];

#[test]
fn every_command_in_every_state() {
    for (kind, row) in TABLE {
        for (status, expected) in STATES.into_iter().zip(row) {
            let before = in_state(status);
            match (apply(Some(&before), command_for(&before, kind, later()), later()), expected) {
                (Ok(after), expected) => assert_eq!(after.status.as_str(), expected, "{kind} from {status:?}"),
                (Err(Rejection::State { from, .. }), ".") => assert_eq!(from, Some(status), "{kind}"),
                (Err(error), _) => panic!("{kind} from {status:?}: {error}"),
            }
        }
        let first = apply(None, command(kind), later());
        assert_eq!(first.is_ok(), kind == "create", "{kind} of nothing");
    }
}

#[test]
fn a_kill_leaves_no_word_of_the_story() {
    let killed = in_state(Status::Killed);
    let left = serde_json::to_string(&killed).unwrap();
    for word in [
        "reopened", "市民", "Traffic", "孙璐", "Silva", "晚报", "合肥", "politics", "桥\"", "BRIDGE", "dawn", "toll",
        "night", "font", "©",
    ] {
        assert!(!left.contains(word), "{word} is left in {left}");
    }
    for word in ["桥梁重新开放", "Legal", "World", "4711", common::ID, "abab"] {
        assert!(left.contains(word), "{word} is missing in {left}");
    }
    // A correction's note may quote what the kill is about.
    let corrected = apply(Some(&create(&full())), command("correction"), now()).unwrap();
    assert_eq!(corrected.corrections.len(), 1);
    assert!(apply(Some(&corrected), command("kill"), now()).unwrap().corrections.is_empty());
}

#[test]
fn an_embargo_ends_when_it_says_and_not_before() {
    let article = embargoed();
    assert!(article.published.is_none() && !article.is_readable(now()));
    assert!(matches!(apply(Some(&article), Command::Lift, now()), Err(Rejection::Invalid(_))));
    let lifted = apply(Some(&article), Command::Lift, later()).unwrap();
    assert_eq!(Some(lifted.published.as_ref().unwrap().at), article.embargoed_until);
    assert!(lifted.is_readable(later()));
    // Killed under embargo and reinstated, it gets the publication time that it never had.
    let killed = apply(Some(&article), command("kill"), now()).unwrap();
    let back = apply(Some(&killed), command("reinstate"), later()).unwrap();
    assert_eq!(back.published.unwrap().at, later());
}

#[test]
fn an_embargo_moves_ends_early_and_never_by_accident() {
    let article = embargoed();
    let moved = |until: Option<&str>| {
        let mut document = minimal();
        document["embargoed_until"] = json!(until);
        let draft = draft(&document);
        apply(
            Some(&article),
            Command::Revise { kind: RevisionKind::Minor, note: None, draft, provenance: provenance() },
            now(),
        )
    };
    for no_embargo in [None, Some("2026-11-22T10:00:00Z"), Some("2020-01-01T00:00:00Z")] {
        match moved(no_embargo) {
            Err(Rejection::Invalid(problems)) => assert_eq!(problems[0].pointer, "/embargoed_until"),
            other => panic!("{no_embargo:?}: {other:?}"),
        }
    }
    let sooner = moved(Some("2026-11-22T11:00:00Z")).unwrap();
    assert_eq!((sooner.status, sooner.revision, sooner.published.is_none()), (Status::Embargoed, 2, true));
    let at = "2026-11-22T11:00:00Z".parse().unwrap();
    assert_eq!(apply(Some(&sooner), Command::Lift, at).unwrap().published.unwrap().at, at);

    let early = apply(Some(&article), Command::Release { note: None }, now()).unwrap();
    assert_eq!((early.change.kind, early.status, early.revision), (ChangeKind::Release, Status::Published, 2));
    assert_eq!((early.published.as_ref().unwrap().at, early.embargoed_until), (now(), None));
    assert!(early.is_readable(now()));
}

#[test]
fn held_text_is_revised_where_nobody_sees_it() {
    let held = in_state(Status::Held);
    let corrected = apply(Some(&held), command("correction"), later()).unwrap();
    assert_eq!((corrected.status, corrected.corrections.len()), (Status::Held, 1));
    assert!(!corrected.is_readable(later()));
    let released = apply(Some(&corrected), command("release"), later()).unwrap();
    assert_eq!((released.corrections, released.updated_at), (corrected.corrections, later()));
}

#[test]
fn an_article_expires_after_it_was_published_whenever_it_is_revised() {
    let mut document = minimal();
    document["expires_at"] = json!("2026-11-22T11:00:00Z");
    let article = create(&document);
    // Three hours later it has expired; its page still gets its correction.
    let revise = |document: &serde_json::Value| {
        let draft = Box::new(Draft::from_json(document, later()).expect("nothing is wrong with it alone"));
        apply(
            Some(&article),
            Command::Revise { kind: RevisionKind::Major, note: None, draft, provenance: provenance() },
            later(),
        )
    };
    assert_eq!(revise(&document).unwrap().expires_at, article.expires_at);
    document["expires_at"] = json!("2026-11-22T10:00:00Z");
    match revise(&document) {
        Err(Rejection::Invalid(problems)) => assert_eq!(problems[0].pointer, "/expires_at"),
        other => panic!("{other:?}"),
    }
    let create = Command::Create {
        id: common::ID.parse().expect("valid by construction"),
        publisher: "city-desk".parse().expect("valid by construction"),
        draft: draft(&document),
        provenance: provenance(),
    };
    assert!(matches!(apply(None, create, now()), Err(Rejection::Invalid(_))));
}

#[test]
fn a_rehearsal_stays_one_and_says_why_it_was_made() {
    let article = create(&full());
    assert_eq!((article.test, article.change.note.as_deref()), (true, Some("First publication")));
    for (said, expected) in [(json!(null), true), (json!(true), true), (json!(false), false)] {
        let mut document = full();
        document["test"] = said.clone();
        let command = Command::Revise {
            kind: RevisionKind::Minor,
            note: None,
            draft: draft(&document),
            provenance: provenance(),
        };
        match apply(Some(&article), command, now()) {
            Ok(next) => assert!(expected && next.test, "{said}"),
            Err(Rejection::Invalid(problems)) => assert!(!expected && problems[0].pointer == "/test", "{said}"),
            Err(other) => panic!("{other}"),
        }
    }
    assert!(!create(&minimal()).test);
    assert!(serde_json::to_value(create(&minimal())).unwrap().get("test").is_none(), "left out when false");
    assert!(in_state(Status::Killed).test, "who rehearses a kill must find it again");
}

#[test]
fn what_is_public_stays_where_it_was_put() {
    let article = create(&full());
    for (field, value, pointer) in [
        ("published", json!({"at": "2018-11-26T00:00:00Z"}), "/published"),
        ("embargoed_until", json!("2026-12-01T00:00:00Z"), "/embargoed_until"),
        ("translations", json!([{"language": "fr", "rel": "has_translation", "id": common::ID}]), "/translations/0/id"),
    ] {
        let mut document = full();
        if field == "embargoed_until" {
            document.as_object_mut().unwrap().remove("published");
        }
        document[field] = value;
        let (kind, draft) = (RevisionKind::Minor, draft(&document));
        let revise = Command::Revise { kind, note: None, draft, provenance: provenance() };
        match apply(Some(&article), revise, now()) {
            Err(Rejection::Invalid(problems)) => assert_eq!(problems[0].pointer, pointer),
            other => panic!("{field}: {other:?}"),
        }
    }
}

#[test]
fn notes_are_there_readable_and_short() {
    let article = create(&full());
    for (note, code) in [("", "blank"), ("\u{3000}\u{200B}", "blank"), ("a\u{7}", "illegal_character")] {
        for command in [
            Command::Withdraw { note: note.into() },
            Command::Kill { note: note.into() },
            Command::Hold { note: Some(note.into()) },
        ] {
            match apply(Some(&article), command, now()) {
                Err(Rejection::Invalid(problems)) => {
                    assert_eq!((&*problems[0].pointer, &*problems[0].code), ("/change/note", code))
                }
                other => panic!("{note:?}: {other:?}"),
            }
        }
    }
    assert!(apply(Some(&article), Command::Kill { note: "党".repeat(1000) }, now()).is_ok());
    assert!(apply(Some(&article), Command::Kill { note: "党".repeat(1001) }, now()).is_err());
    let silent =
        Command::Revise { kind: RevisionKind::Correction, note: None, draft: draft(&full()), provenance: provenance() };
    assert!(matches!(apply(Some(&article), silent, now()), Err(Rejection::Invalid(_))));
}

proptest! {
    #[test]
    fn no_sequence_of_commands_breaks_the_record(
        under_embargo: bool,
        steps in proptest::collection::vec((0..TABLE.len(), -7200i64..200_000), 1..30),
    ) {
        let mut article = if under_embargo { embargoed() } else { create(&full()) };
        let mut now = now();
        for (n, seconds) in steps {
            // Clocks step back, too.
            now += SignedDuration::from_secs(seconds);
            let (kind, _) = TABLE[n];
            let mut command = command_for(&article, kind, now);
            if under_embargo && let Command::Revise { draft, .. } = &mut command {
                draft.published = None;
            }
            let Ok(next) = apply(Some(&article), command, now) else { continue };
            prop_assert!(next.test == article.test);
            prop_assert_eq!(next.revision, article.revision + 1);
            prop_assert_eq!((next.id, &next.publisher, next.first_created), (article.id, &article.publisher, article.first_created));
            prop_assert!(article.published.is_none() || next.published == article.published, "{kind}");
            let was_public = !matches!(next.status, Status::Embargoed | Status::Killed);
            prop_assert!(next.published.is_some() || !was_public);
            // Whoever looks at the embargo again finds nothing in the way of what is public.
            prop_assert!(!was_public || next.embargoed_until.is_none_or(|until| until <= now.max(next.version_created)));
            prop_assert!(next.published.as_ref().is_none_or(|published| next.updated_at >= published.at));
            prop_assert!(next.updated_at >= article.updated_at && next.version_created >= article.version_created);
            if matches!(next.change.kind, ChangeKind::Minor | ChangeKind::Hold) {
                prop_assert_eq!(next.updated_at, article.updated_at);
            }
            if next.status == Status::Killed {
                prop_assert!(next.body.is_none() && next.summary.is_none() && next.corrections.is_empty());
            } else {
                prop_assert!(next.body.is_some());
                prop_assert!(next.corrections.starts_with(&article.corrections), "append-only");
            }
            article = next;
        }
    }
}
