//! What each state of an article does to its entry.

use article::{Article, Command, apply};
use feed::{Entry, Format, Item, Standing};
use serde_json::Value;

use crate::parsed_back::parse;
use crate::samples::{at, correct, create, draft, english, feed, links, provenance};

pub(crate) fn step(article: &Article, command: Command) -> Article {
    apply(Some(article), command, at("2026-02-01T08:00:00Z")).unwrap()
}

pub(crate) fn killed(article: &Article) -> Article {
    step(article, Command::Kill { note: "Court order.".into() })
}

#[test]
fn a_correction_opens_with_its_note_and_moves_updated_only() {
    let first = create(1, &english());
    let second = correct(&first, &english(), "An earlier version misspelt <Mei>.", "2026-02-01T08:00:00Z");
    for format in Format::ALL {
        let (before, after) =
            (parse(&feed(format, std::slice::from_ref(&first))), parse(&feed(format, std::slice::from_ref(&second))));
        let (before, after) = (&before.entries[0], &after.entries[0]);
        assert_eq!((&before.id, before.published), (&after.id, after.published), "{format:?}");
        let content = after.content.as_ref().unwrap().body.as_ref().unwrap();
        assert!(content.starts_with("<p>Correction: An earlier version misspelt &lt;Mei&gt;.</p>"), "{content}");
        if format != Format::Rss {
            assert!(after.updated > before.updated, "{format:?}");
        }
    }
    let third = step(
        &second,
        Command::Revise {
            kind: article::RevisionKind::Minor,
            note: None,
            draft: draft(&english()),
            provenance: provenance(),
        },
    );
    let atom = feed(Format::Atom, &[third]);
    assert!(atom.contains("Correction: "), "the note stays through a later minor change");
}

#[test]
fn a_withdrawal_leaves_the_headline_and_the_notice() {
    let article = step(&create(1, &english()), Command::Withdraw { note: "Facts in doubt.".into() });
    for format in Format::ALL {
        let written = feed(format, std::slice::from_ref(&article));
        let entry = &parse(&written).entries[0];
        assert_eq!(entry.title.as_ref().unwrap().content, format!("Withdrawn: {}", article.headline));
        assert_eq!(entry.content.as_ref().unwrap().body.as_ref().unwrap().trim(), "<p>Facts in doubt.</p>");
        for gone in ["reading room", "Lin Mei", "court.jpg", "deleted-entry"] {
            assert!(!written.contains(gone), "{format:?} still holds {gone:?}");
        }
    }
}

#[test]
fn a_kill_leaves_a_notice_under_the_same_id_and_a_tombstone() {
    let article = killed(&create(1, &english()));
    let id = article.id.to_string();
    for format in Format::ALL {
        let written = feed(format, std::slice::from_ref(&article));
        let entry = &parse(&written).entries[0];
        assert_eq!(entry.id, id);
        assert_eq!(entry.content.as_ref().unwrap().body.as_ref().unwrap().trim(), "<p>Court order.</p>");
        assert_eq!(entry.title.as_ref().unwrap().content, format!("Removed: {}", article.headline));
        for gone in ["reading room", "Lin Mei", "Riverton Evening News", "judiciary", "court.jpg"] {
            assert!(!written.contains(gone), "{format:?} still holds {gone:?}");
        }
        match format {
            Format::Json => {
                let json: Value = serde_json::from_str(&written).unwrap();
                assert_eq!(json["items"][0]["_newswire"]["deleted"], true);
            }
            _ => assert!(written.contains(&format!("<at:deleted-entry ref=\"{id}\"")), "{written}"),
        }
    }
    let atom = feed(Format::Atom, &[article]);
    let between = |from: &str, to: &str| atom.rsplit_once(from).unwrap().1.split_once(to).unwrap().0.to_owned();
    assert_eq!(between("when=\"", "\""), between("<updated>", "<"), "a later `updated` would outlive the deletion");
}

#[test]
fn notices_speak_the_language_of_the_article() {
    for (language, withdrawn, removed, corrected) in [
        ("zh-Hans", "已撤回：", "已移除：", "更正："),
        ("zh-TW", "已撤回：", "已移除：", "更正："),
        ("en-GB", "Withdrawn: ", "Removed: ", "Correction: "),
        ("ar", "Withdrawn: ", "Removed: ", "Correction: "),
    ] {
        let mut document = english();
        document["language"] = language.into();
        let first = create(1, &document);
        let note = "情况有误。";
        for (article, prefix) in [
            (step(&first, Command::Withdraw { note: note.into() }), withdrawn),
            (step(&first, Command::Kill { note: note.into() }), removed),
        ] {
            for format in Format::ALL {
                let entry = &parse(&feed(format, std::slice::from_ref(&article))).entries[0];
                let title = &entry.title.as_ref().unwrap().content;
                assert_eq!(title, &format!("{prefix}{}", article.headline), "{format:?}");
                let told = match language {
                    "ar" => format!("<div lang=\"ar\" dir=\"rtl\">\n<p>{note}</p>\n</div>"),
                    _ => format!("<p>{note}</p>"),
                };
                assert_eq!(entry.content.as_ref().unwrap().body.as_ref().unwrap().trim(), told);
            }
        }
        let corrected_article = correct(&first, &document, note, "2026-02-01T08:00:00Z");
        let entry = Entry::of(&corrected_article, &links()).unwrap();
        assert!(entry.html.contains(&format!("<p>{corrected}{note}</p>")), "{}", entry.html);
    }
}

#[test]
fn a_reinstated_article_is_whole_again() {
    let killed = step(&create(1, &english()), Command::Kill { note: "By mistake.".into() });
    let back = step(&killed, Command::Reinstate { note: None, draft: draft(&english()), provenance: provenance() });
    let atom = feed(Format::Atom, &[back]);
    assert!(atom.contains("reading room") && !atom.contains("deleted-entry"), "{atom}");
}

#[test]
fn what_readers_may_not_have_has_no_entry() {
    let mut embargoed = english();
    embargoed["published"] = Value::Null;
    embargoed["embargoed_until"] = "2026-01-02T00:00:00Z".into();
    let held = step(&create(1, &english()), Command::Hold { note: None });
    let never_public = step(&create(2, &embargoed), Command::Kill { note: "Not ours.".into() });
    for article in [held, create(2, &embargoed), never_public] {
        assert_eq!(Item::render(&article, &links()), None, "{:?}", article.status);
    }
}

#[test]
fn the_newsrooms_own_page_is_the_link_until_there_is_only_a_notice() {
    let mut document = english();
    document["canonical_url"] = "https://riverton.example/a/1".into();
    let article = create(1, &document);
    let entry = |article: &Article| {
        let entry = Entry::of(article, &links()).unwrap();
        (entry.standing, entry.link)
    };
    assert_eq!(entry(&article), (Standing::Readable, "https://riverton.example/a/1".into()));
    let killed = step(&article, Command::Kill { note: "Gone.".into() });
    assert_eq!(entry(&killed), (Standing::Killed, links().article(article.id)));
}
