//! Every change in every state, and what no sequence of changes can break.

mod common;

use article::{Article, ChangeKind, Command, Rejection, RevisionKind, Status, apply};
use common::{create, draft, full, minimal, now, provenance};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::json;

const STATES: [Status; 5] = [Status::Embargoed, Status::Published, Status::Held, Status::Withdrawn, Status::Killed];

fn embargoed() -> Article {
    let mut document = minimal();
    document["embargoed_until"] = json!("2026-11-22T12:00:00Z");
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

/// Columns: from embargoed, published, held, withdrawn, killed. `.` is refused.
const TABLE: [(&str, [&str; 5]); 10] = [
    ("create", [".", ".", ".", ".", "."]),
    ("minor", [".", "published", ".", ".", "."]),
    ("major", [".", "published", ".", ".", "."]),
    ("correction", [".", "published", ".", ".", "."]),
    ("hold", [".", "held", ".", ".", "."]),
    ("release", [".", ".", "published", ".", "."]),
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
            match (apply(Some(&before), command(kind), later()), expected) {
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
            let mut command = command(kind);
            if under_embargo && let Command::Revise { draft, .. } = &mut command {
                draft.published = None;
            }
            let Ok(next) = apply(Some(&article), command, now) else { continue };
            prop_assert_eq!(next.revision, article.revision + 1);
            prop_assert_eq!((next.id, &next.publisher, next.first_created), (article.id, &article.publisher, article.first_created));
            prop_assert!(article.published.is_none() || next.published == article.published, "{kind}");
            prop_assert!(next.status == Status::Killed || next.published.is_some());
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
