//! Lists of feeds, as other programs write them and as we do.

use proptest::prelude::*;

use super::*;

fn shown(text: &str) -> Vec<String> {
    let list = read(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"));
    let shown = |outline: &Outline| {
        format!("{} {} {}", outline.folders.join("/"), outline.title.as_deref().unwrap_or("-"), outline.address)
    };
    list.outlines.iter().map(shown).collect()
}

#[test]
fn lists_as_programs_write_them() {
    let cases: [(&str, &[&str]); 8] = [
        (
            "<opml version='1.0'><body><outline text='A' xmlUrl='https://a.example/f'/></body></opml>",
            &[" A https://a.example/f"],
        ),
        ("<OPML><OUTLINE TITLE='A' XMLURL='https://a.example/f'/>", &[" A https://a.example/f"]),
        (
            "<outline text='World'><outline title='Asia'><outline xmlurl='https://a.example/f'></outline></outline>\
             <outline text='B' xmlUrl='https://b.example/'/></outline><outline text='C' xmlUrl='https://c.example/'/>",
            &["World/Asia - https://a.example/f", "World B https://b.example/", " C https://c.example/"],
        ),
        (
            "<outline text='R&D & more' xmlUrl='https://a.example/?a=1&b=2&amp;c=3'/>",
            &[" R&D & more https://a.example/?a=1&b=2&c=3"],
        ),
        ("<outline text='&eacute;&bogus;' xmlUrl='feed://a.example/f'/>", &[" é&bogus; https://a.example/f"]),
        (
            "<outline xmlUrl='feed:http://a.example/f'/><outline url='https://b.example/'/>",
            &[" - http://a.example/f", " - https://b.example/"],
        ),
        ("<outline type='link' url='https://page.example/'/>", &[]),
        ("<outline xmlUrl='https://a.example/'/><outline xmlUrl='https://a.example/'/>", &[" - https://a.example/"]),
    ];
    for (text, expected) in cases {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn what_is_no_address_is_said() {
    let list = read(b"<outline xmlUrl='ftp://a.example/'/><outline xmlUrl='x y'/>").unwrap();
    assert_eq!(list.refused, ["ftp://a.example/", "x y"]);
    assert_eq!(read(b"<rss/>"), Err(NotOpml::NoOutline));
    assert!(read(b"").is_err());
}

#[test]
fn nesting_and_number_are_bounded() {
    let deep = "<outline text='f'>".repeat(100_000) + "<outline xmlUrl='https://a.example/'/>";
    assert_eq!(read(deep.as_bytes()).unwrap().outlines[0].folders.len(), 16);
    let many: String = (0..MAX_OUTLINES + 5).map(|n| format!("<outline xmlUrl='https://a.example/{n}'/>")).collect();
    assert_eq!(read(many.as_bytes()).unwrap().outlines.len(), MAX_OUTLINES);
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        title in "[^\\p{C}]{0,12}",
        feeds in prop::collection::vec(("[a-z]{1,8}", "[^\\p{C}\\p{Z}]{1,9}", prop::collection::vec("[党a&<\"']{1,4}", 0..3)), 0..8),
    ) {
        let mut outlines: Vec<Outline> = feeds.into_iter().enumerate().map(|(n, (path, title, folders))| Outline {
            address: Url::parse(&format!("https://{n}.example/{path}?a=1&b=2")).unwrap(),
            title: Some(title),
            home: Url::parse("https://home.example/").ok(),
            folders,
        }).collect();
        let opml = write(&title, "2026-11-23T00:00:00Z".parse().unwrap(), &outlines);
        let read = if outlines.is_empty() { Vec::new() } else { read(opml.as_bytes()).unwrap().outlines };
        outlines.sort_by(|a, b| a.folders.cmp(&b.folders));
        prop_assert_eq!(read, outlines, "{}", opml);
    }
}
