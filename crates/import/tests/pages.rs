//! Every page of `samples/`, and of the shared fixtures where they are: what must come out, field by field, or why
//! the page is refused.

mod accounting;

use std::fs;
use std::path::{Path, PathBuf};

use accounting::assert_accounted;
use import::{BylineFrom, LanguageFrom, Options, Page, Precision, Profile, Tell, WarningCode, ZoneFrom, import_text};
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

/// The values of the options decide, and the page says what decided.
#[test]
fn zones_and_languages_come_from_the_best_witness() {
    let page = |labels: &str, options: &Options| {
        import_text(format!("Headline\n{labels}\n\nText").as_bytes(), options).expect("a good page")
    };
    let named = Options { timezone: Some("Europe/Berlin".parse().expect("a zone")), ..Options::default() };
    let profile = Options { profile: Some(Profile::CnProcuratorate), ..named.clone() };
    let none = Options::default();
    let cn = Profile::CnProcuratorate;
    let cases = [
        ("Date: 2024-07-01 12:00 +02:00 Source: A", &profile, "+02:00", ZoneFrom::Printed, false),
        ("Date: 2024-07-01 12:00 Source: A", &profile, "Asia/Shanghai", ZoneFrom::Profile(cn), false),
        ("Time: 2024-07-01 12:00 Source: A", &named, "Europe/Berlin", ZoneFrom::Option, false),
        ("时间：2024-07-01 12:00", &none, "Asia/Shanghai", ZoneFrom::Recognised(cn, Tell::ChineseLabel), false),
        ("Time: 2024-07-01 12:00", &none, "Asia/Shanghai", ZoneFrom::Recognised(cn, Tell::RenderedLabel), true),
        ("Date: 2024-07-01 [Font size: s", &none, "Asia/Shanghai", ZoneFrom::Recognised(cn, Tell::FontSize), true),
        ("Date: 2024-07-01 Views: 3", &none, "Asia/Shanghai", ZoneFrom::Recognised(cn, Tell::Views), true),
        ("Date: 2024-07-01 Source: A", &none, "UTC", ZoneFrom::Assumed, true),
    ];
    for (labels, options, zone, from, warned) in cases {
        let page = page(labels, options);
        assert_eq!((page.date.timezone.as_str(), page.date.zone_from), (zone, from), "{labels}");
        let warning = page.warnings.iter().any(|warning| warning.code == WarningCode::ZoneAssumed);
        assert_eq!(warning, warned, "{labels}: {:?}", page.warnings);
    }
    // 02:30 on the night the clocks went forward in Berlin.
    let gap = page("Date: 2024-03-31 02:30 Source: A", &named);
    assert!(gap.warnings.iter().any(|warning| warning.code == WarningCode::TimeUnclear), "{:?}", gap.warnings);
    // Shanghai had summer time in 1988.
    let summer = page("时间：1988-07-01 12:00", &none);
    assert_eq!(summer.date.to_string(), "1988-07-01T12:00:00+09:00");

    let german = Options { language: Some("de".to_owned()), ..Options::default() };
    let told = |page: Page| (page.language, page.language_from);
    assert_eq!(told(page("Date: 2024-07-01", &german)), ("de".to_owned(), LanguageFrom::Option));
    assert_eq!(told(page("Date: 2024-07-01", &none)), ("en".to_owned(), LanguageFrom::Assumed));
}
