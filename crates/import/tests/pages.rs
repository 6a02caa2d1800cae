//! Every page of `samples/`, and of the shared fixtures where they are: what must come out, field by field, or why
//! the page is refused.

mod accounting;

use std::fs;
use std::path::{Path, PathBuf};

use accounting::assert_accounted;
use import::{BylineFrom, Options, Page, Precision, import_text};
use serde_json::{Value, json};

/// The form of the `.expected.json` files.
fn as_expected(page: &Page) -> Value {
    json!({
        "section": page.section,
        "headline": page.headline,
        "date": {
            "value": page.date.to_string(),
            "precision": match page.date.precision {
                Precision::Date => "date",
                Precision::Minute => "minute",
                Precision::Second => "second",
            },
            "instant": page.date.instant.to_string(),
        },
        "authors": page.authors,
        "byline_from": page.byline_from.map(|from| match from {
            BylineFrom::Label => "label",
            BylineFrom::Signoff => "signoff",
        }),
        "source": page.source,
        "editors": page.editors,
        "body": page.body,
    })
}

fn pages(folder: &Path) -> Vec<PathBuf> {
    let mut pages: Vec<_> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    pages.sort();
    pages
}

/// Checks every page of a folder; returns how many imported and how many were refused as they should.
fn check(folder: &Path) -> (usize, usize) {
    let (mut good, mut bad) = (0, 0);
    for path in pages(folder) {
        let name = path.display();
        let bytes = fs::read(&path).expect("a readable page");
        let result = import_text(&bytes, &Options::default());
        if let Ok(expected) = fs::read_to_string(path.with_extension("expected.json")) {
            let page = result.unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
            let expected: Value = serde_json::from_str(&expected).expect("expectations are JSON");
            assert_eq!(as_expected(&page), expected, "{name}");
            assert_accounted(std::str::from_utf8(&bytes).expect("an imported page is UTF-8"), &page);
            good += 1;
        } else {
            let expected =
                fs::read_to_string(path.with_extension("error")).unwrap_or_else(|_| panic!("{name}: no expectation"));
            let errors = result.err().unwrap_or_else(|| panic!("{name} was imported"));
            let codes: Vec<_> = errors.iter().map(|error| error.code.as_str()).collect();
            assert_eq!(codes, expected.split_whitespace().collect::<Vec<_>>(), "{name}: {errors:?}");
            bad += 1;
        }
    }
    (good, bad)
}

#[test]
fn sample_pages() {
    let (good, bad) = check(&Path::new(env!("CARGO_MANIFEST_DIR")).join("samples"));
    assert!(good >= 6 && bad >= 4, "{good} good and {bad} bad samples: some are missing");
}

#[test]
fn shared_fixtures() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures/pages");
    if !folder.is_dir() {
        println!("skipped: {} is not there", folder.display());
        return;
    }
    assert_eq!(check(&folder), (19, 12));
}
