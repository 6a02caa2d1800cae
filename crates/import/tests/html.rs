//! Every page of HTML among the shared fixtures, where they are, and of `samples/html`: each key of its expectation.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use import::{Imported, Options, Precision, import_html};
use serde_json::Value;

/// Runs of white space as one space.
fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn glued(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn list(value: &Value) -> Vec<String> {
    value.as_array().map(|list| list.iter().filter_map(|text| text.as_str().map(spaced)).collect()).unwrap_or_default()
}

/// What is wrong with a page, one line for each key.
fn wrongs(page: &Imported, expected: &Value) -> String {
    let mut wrong = String::new();
    let mut differs = |key: &str, found: &str, wanted: &str| {
        let cut = |text: &str| text.chars().take(90).collect::<String>();
        let _ = writeln!(wrong, "  {key}: found {:?}, expected {:?}", cut(found), cut(wanted));
    };
    let texts = [
        ("headline", Some(glued(&page.headline))),
        ("source", page.source.as_deref().map(glued)),
        ("section", page.section.as_deref().map(glued)),
        ("canonical_url", page.canonical_url.as_ref().map(ToString::to_string)),
    ];
    for (key, found) in texts {
        let wanted = expected.get(key).map(|value| value.as_str().map(glued));
        if let Some(wanted) = wanted.filter(|wanted| *wanted != found) {
            differs(key, found.as_deref().unwrap_or("none"), wanted.as_deref().unwrap_or("none"));
        }
    }
    for (key, found) in [("authors", &page.authors), ("editors", &page.editors)] {
        let found: Vec<String> = found.iter().map(|name| spaced(name)).collect();
        if expected.get(key).is_some_and(|wanted| list(wanted) != found) {
            differs(key, &format!("{found:?}"), &format!("{:?}", list(&expected[key])));
        }
    }
    date(page, &expected["date"], &mut differs);
    let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_owned();
    if let Some(wanted) = expected["language"].as_str().filter(|wanted| primary(wanted) != primary(&page.language)) {
        differs("language", &page.language, wanted);
    }
    let encoding = page.encoding.as_ref().expect("an HTML page has an encoding");
    if let Some(wanted) =
        expected["encoding"]["real"].as_str().filter(|wanted| !wanted.eq_ignore_ascii_case(encoding.used))
    {
        differs("encoding", encoding.used, wanted);
    }
    if expected["encoding"]["declared"].as_str().is_some_and(|wanted| Some(wanted) != encoding.declared.as_deref()) {
        differs("declared", &format!("{:?}", encoding.declared), &expected["encoding"]["declared"].to_string());
    }
    body(page, expected, &mut differs);
    wrong
}

fn date(page: &Imported, expected: &Value, differs: &mut impl FnMut(&str, &str, &str)) {
    let found = page.date.to_string();
    if let Some(wanted) = expected["value"].as_str() {
        let length = if expected["instant"].is_null() { wanted.len().min(16) } else { wanted.len().min(19) };
        let length = if expected["precision"] == "minute" { length.min(16) } else { length };
        if !found.starts_with(&wanted[..length]) {
            differs("date", &found, wanted);
        }
    }
    let precision = match page.date.precision {
        Precision::Date => "date",
        Precision::Minute => "minute",
        Precision::Second => "second",
    };
    let order = ["date", "minute", "second"];
    let rank = |name: &str| order.iter().position(|known| *known == name);
    if expected["precision"].as_str().is_some_and(|wanted| rank(precision) < rank(wanted)) {
        differs("precision", precision, &expected["precision"].to_string());
    }
    let instant = page.date.instant.to_string();
    if expected["instant"].as_str().is_some_and(|wanted| wanted[..17] != instant[..17]) {
        differs("instant", &instant, &expected["instant"].to_string());
    }
}

fn body(page: &Imported, expected: &Value, differs: &mut impl FnMut(&str, &str, &str)) {
    for key in ["first_paragraph", "last_paragraph"] {
        let Some(wanted) = expected[key].as_str().map(spaced) else { continue };
        if !page.paragraphs.iter().any(|paragraph| spaced(paragraph) == wanted) {
            let start: String = wanted.chars().take(10).collect();
            let near = page.paragraphs.iter().find(|paragraph| spaced(paragraph).starts_with(&start));
            differs(key, near.map_or("nothing like it", String::as_str), &wanted);
        }
    }
    let text = glued(&page.body);
    for furniture in list(&expected["must_not_contain"]) {
        if text.contains(&glued(&furniture)) {
            differs("must_not_contain", &furniture, "not in the body");
        }
    }
    for (key, found) in [("paragraphs_min", page.paragraphs.len()), ("images_min", page.pictures)] {
        let wanted = expected[key].as_u64().unwrap_or_default();
        if (found as u64) < wanted {
            differs(key, &found.to_string(), &wanted.to_string());
        }
    }
}

fn pages(folder: &Path) -> Vec<PathBuf> {
    let mut pages: Vec<_> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "html"))
        .collect();
    pages.sort();
    pages
}

/// What is wrong with one page after `change` has been done to its bytes.
fn one(path: &Path, change: impl Fn(Vec<u8>) -> Vec<u8>) -> String {
    let expected = fs::read_to_string(path.with_extension("expected.json")).expect("an expectation");
    let mut expected: Value = serde_json::from_str(&expected).expect("expectations are JSON");
    let original = fs::read(path).expect("a readable page");
    let bytes = change(original.clone());
    if bytes != original {
        expected["encoding"] = Value::Null;
    }
    match import_html(&bytes, &Options::default()) {
        Ok(page) => wrongs(&page, &expected),
        Err(errors) => format!("  {errors:?}\n"),
    }
}

/// Checks every page of a folder; how many there are, and what is wrong with them.
fn check(folder: &Path, change: impl Fn(Vec<u8>) -> Vec<u8>) -> (usize, String) {
    let mut all = String::new();
    let pages = pages(folder);
    for path in &pages {
        let wrong = one(path, &change);
        if !wrong.is_empty() {
            let _ = write!(all, "{}\n{wrong}", path.display());
        }
    }
    (pages.len(), all)
}

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/html")
}

#[test]
fn sample_pages() {
    let (pages, wrong) = check(&samples(), |page| page);
    assert!(pages >= 11, "{pages} pages: some are missing");
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Pages are kept as UTF-8. Here each is what it declares, or what its like are on the web.
#[test]
fn sample_pages_in_the_encodings_of_their_countries() {
    for (name, labels) in [
        ("01-label-line", &["gb18030", "gbk", "utf-16le"][..]),
        ("02-government-meta", &["gb2312"]),
        ("05-german-windows-1252", &["windows-1252", "utf-16be"]),
        ("06-japanese", &["shift_jis", "euc-jp"]),
        ("07-korean", &["euc-kr"]),
        ("08-traditional-chinese", &["big5", "gb18030"]),
        ("09-russian", &["windows-1251", "koi8-r"]),
        ("11-arabic", &["windows-1256"]),
    ] {
        let path = samples().join(name).with_extension("html");
        for label in labels {
            let wrong = one(&path, |page| encoded(page, label, label));
            assert!(wrong.is_empty(), "{name} as {label}\n{wrong}");
        }
        // Not declared at all, and declared as something else.
        for declared in ["x", "utf-8"] {
            let label = labels[0];
            let wrong = one(&path, |page| encoded(page, label, declared));
            assert!(wrong.is_empty(), "{name} as {label} declared {declared}\n{wrong}");
        }
    }
}

/// A page of UTF-8 in another encoding, declared as `declared`.
fn encoded(page: Vec<u8>, label: &str, declared: &str) -> Vec<u8> {
    let text = String::from_utf8(page).expect("samples are UTF-8");
    let start = text.find("charset=").expect("samples declare an encoding") + "charset=".len();
    let start = start + usize::from(text[start..].starts_with('"'));
    let end = start + text[start..].find('"').expect("declarations are quoted");
    let text = format!("{}{declared}{}", &text[..start], &text[end..]);
    let units = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect();
    match label {
        "utf-16le" => units(u16::to_le_bytes),
        "utf-16be" => units(u16::to_be_bytes),
        _ => encoding_rs::Encoding::for_label(label.as_bytes()).expect("a label").encode(&text).0.into_owned(),
    }
}

#[test]
fn shared_fixtures() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures/html");
    if !folder.is_dir() {
        println!("skipped: {} is not there", folder.display());
        return;
    }
    let (pages, wrong) = check(&folder, |page| page);
    assert!(pages >= 24, "{pages} pages");
    assert!(wrong.is_empty(), "\n{wrong}");
    // Two declare gb2312 and are UTF-8: here the declaration is right.
    for name in ["03-qq-finance", "06-hexun"] {
        let wrong = one(&folder.join(name).with_extension("html"), |page| encoded(page, "gb18030", "gb2312"));
        assert!(wrong.is_empty(), "{name} as GB18030\n{wrong}");
    }
}

#[test]
fn short_stories_are_whole_and_counters_are_nobody() {
    let english = "<html lang=en-GB><head><title>Council approves tram line - Northford Mail</title></head><body><nav><a href=/>Home</a> &gt; \
                   <a href=/l>Local</a></nav><h1>Council approves tram line</h1><p class=meta>By Jane O'Neil, Transport Editor | \
                   5 March 2024, 18:05 GMT</p><p>The city council approved a new tram line on Monday after a debate that lasted \
                   four hours.</p><p>“It is a good day,” said Tom Reed. Work starts soon.</p><p>Source: PA Media</p>";
    let page = import_html(english.as_bytes(), &Options::default()).expect("a page");
    assert_eq!((page.paragraphs.len(), &page.authors[..]), (2, &["Jane O'Neil".to_owned()][..]));
    let chinese = "<html><head><title>市政府召开会议</title></head><body><h2>市政府召开会议</h2><div>发布时间：2024年3月5日 来源：市政府办公室 \
                   编辑：李明 浏览：123次</div><div><p>3月4日，市政府召开常务会议，研究部署近期重点工作，市长主持会议并讲话。</p>";
    let page = import_html(chinese.as_bytes(), &Options::default()).expect("a page");
    assert_eq!((&page.editors[..], page.source.as_deref()), (&["李明".to_owned()][..], Some("市政府办公室")));
}
