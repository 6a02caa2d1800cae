//! Pages made to cost: each is read or refused, quickly and with a reason.

use std::time::{Duration, Instant};

use import::{Code, Format, MAX_PAGE_BYTES, Options, import_bytes, import_html};
use proptest::prelude::*;

/// Far beyond what any of them takes in a release build, so that a slow machine does not fail the test; far below what
/// work that grows with the square of the page would take.
const LONGEST: Duration = Duration::from_secs(60);

const STORY: &str = "<html><head><title>A headline for the page</title><meta name=PubDate content='2024-05-06 07:08'></head><body><h1>A \
                     headline for the page</h1><p>The first sentence of the story is long enough to be one.</p>";

fn refused(html: &str) -> Option<Code> {
    let begin = Instant::now();
    let result = import_html(html.as_bytes(), &Options::default());
    assert!(begin.elapsed() < LONGEST, "{:?} for {:.60}", begin.elapsed(), html);
    result.err().map(|errors| errors[0].code)
}

#[test]
fn what_would_cost_too_much_is_refused() {
    let many = |piece: &str, times: usize| format!("{STORY}{}", piece.repeat(times));
    let attributes: String = (0..200_000).map(|n| format!(" a{n}=1")).collect();
    for (name, html, code) in [
        ("nesting", many("<div>", 100_000), Code::TooTangled),
        ("formatting", format!("{}{}", many("<b><i><u><font>", 300), "<p>x".repeat(3000)), Code::TooTangled),
        ("attributes", format!("{STORY}<p{attributes}>x"), Code::TooTangled),
        ("elements", many("<i>x</i>", 400_000), Code::TooTangled),
        ("size", "x".repeat(MAX_PAGE_BYTES + 1), Code::TooLarge),
        ("nothing", " \r\n".to_owned(), Code::Empty),
        ("text", "Only text, and a < sign.".to_owned(), Code::LooksLikeText),
        ("no story", "<html><title>x</title><body><script>load()</script></body>".to_owned(), Code::NoBody),
        ("no date", STORY.replace("PubDate", "x").to_owned(), Code::NoDate),
        ("ambiguous date", STORY.replace("2024-05-06 07:08", "05/06/2024"), Code::DateAmbiguous),
    ] {
        assert_eq!(refused(&html), Some(code), "{name}");
    }
}

#[test]
fn what_is_only_odd_is_read() {
    let many = |piece: &str, times: usize| format!("{STORY}{}", piece.repeat(times));
    for (name, html) in [
        ("comments", format!("{STORY}<!--{}-->", "a b ".repeat(5_000))),
        ("unclosed paragraphs", many("<p>Another sentence of the story, no end tag.", 20_000)),
        ("links", many("<a href=x>link</a> ", 20_000)),
        ("pictures", many("<img src=a.jpg><img class='related share' src=b.jpg>", 20_000)),
        ("classes", many("<div class='a-b c_d eF article body related share'>x</div>", 10_000)),
        ("a table", format!("{STORY}<table>{}</table>", "<tr><td>1<td>2".repeat(10_000))),
        ("tables", many("<table><tr><td>1<td>2<tr><td>3<td>4</table>", 3_000)),
        ("headings", many("<h1>A headline</h1>", 10_000)),
        ("labels", many("<p>来源：来源：来源：作者：时间：2024</p>", 5_000)),
        ("times", many("<time datetime='2024-01-01' itemprop=datePublished>1</time>", 5_000)),
        ("metas", many("<meta name=author content='A B, C D'>", 20_000)),
        (
            "breadcrumbs",
            format!("<html><body>{}{STORY}", "<ul class=breadcrumb><li><a href=x>a</a><li>b</ul>".repeat(5_000)),
        ),
        ("JSON-LD", format!("{STORY}<script type=application/ld+json>{}</script>", "[".repeat(100_000))),
        ("a long word", many(&"x".repeat(1_000_000), 1)),
        ("NUL and controls", many("\0\u{1}\u{b}\u{202e}text", 1_000)),
    ] {
        assert_eq!(refused(&html), None, "{name}");
    }
}

/// Pages on which work or output once grew with the square of the page, or with the product of two of its parts.
#[test]
fn what_costs_grows_with_the_page() {
    let sentence = "Another sentence of the story, quite long enough to be one.";
    let story = |inside: &str| format!("{STORY}{inside}<p>The last sentence of the story is long enough, too.</p>");
    let value = "x".repeat(4000);
    let metas =
        |name: &str| (0..400).map(|n| format!("<meta property={name} content='{n}{value}'>")).collect::<String>();
    let crumbs: String = (0..8000).map(|n| format!("<ul class=breadcrumb><li>a{n}<li>b{n}</ul>")).collect();
    let tables = format!("<table><tr><td>{sentence}<td>{sentence}<tr><td>{sentence}<td>{sentence}</table>");
    let deep = "<div class='a-b-c d-e-f g-h-i jj kk ll'>".repeat(400);
    let people = vec!["[\"Ana Ruiz\",\"Bo Li\",\"Cy Wu\",\"Di Ma\"]"; 50].join(",");
    for (name, html) in [
        ("classes around each line", story(&format!("{}{deep}{}", sentence.repeat(9), "<p>x".repeat(20_000)))),
        ("titles", format!("{}{}", metas("og:title"), story(&"<p>abcd".repeat(2000)))),
        ("sites", format!("<html><body>{}{crumbs}{STORY}", metas("og:site_name"))),
        ("names of one value", format!("<meta itemprop='{}' content='{value}'>{STORY}", "a ".repeat(40_000))),
        (
            "people",
            story(&format!(
                "<script type=application/ld+json>{{\"@type\":\"NewsArticle\",\"author\":[{people}]}}</script>"
            )),
        ),
        ("tables", story(&tables.repeat(4000))),
        ("nested pre", story(&format!("<pre>{}</pre>", format!("{sentence}<pre>{sentence}</pre>").repeat(2000)))),
        (
            "a long base",
            format!(
                "<base href='https://x.example/{}/'>{}",
                "a".repeat(100_000),
                story(&format!("<p>{sentence}<a href=x>a</a>").repeat(2000))
            ),
        ),
        ("a long address", story(&format!("<p><a href='/{}'>{}</a>", "a".repeat(100_000), "<b>x</b>y ".repeat(2000)))),
        ("a long class", format!("<html><div class='{}'>{}</div>{STORY}", "a".repeat(1_000_000), "<p>xy".repeat(2000))),
        (
            "sources",
            story(&format!(
                "<picture>{}{}</picture>",
                "<source srcset='a 2x'>".repeat(5000),
                "<img src=a>".repeat(5000)
            )),
        ),
        (
            "furniture among sentences",
            story(&format!("<p>{sentence}</p><div class=share><img src=a></div>").repeat(8000)),
        ),
        ("blanks in elements", story(&format!("<p>{}</p>", "<i>\u{3000}</i>".repeat(60_000)))),
        ("open tags", format!("{}{STORY}", "<meta ".repeat(10_000))),
    ] {
        let begin = Instant::now();
        let page = import_html(html.as_bytes(), &Options::default());
        assert!(begin.elapsed() < LONGEST, "{name}: {:?}", begin.elapsed());
        let page = page.unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
        let told: usize =
            page.trace.iter().flat_map(|trace| &trace.rejected).map(|rejected| rejected.value.len()).sum();
        let size = page.body.len() + page.paragraphs.iter().map(String::len).sum::<usize>() + told;
        assert!(size <= 4 * html.len() + 250_000, "{name}: {size} of {}", html.len());
    }
}

#[test]
fn the_format_is_told_from_the_page() {
    for (page, format) in [
        (&b"<!DOCTYPE html><p>x"[..], Format::Html),
        (b"\xef\xbb\xbf \n<html>", Format::Html),
        (b"\xff\xfe<\0h\0t\0m\0l\0>\0", Format::Html),
        (b"<?xml version='1.0'?><html>", Format::Html),
        (b"saved text\n<div>x</div>", Format::Html),
        (b"Headline\nTime: 2018-11-26\n\n1 < 2", Format::Text),
        (b"<3 hearts", Format::Text),
        (b"", Format::Text),
    ] {
        assert_eq!(Format::of(page), format, "{}", String::from_utf8_lossy(page));
    }
    let text = "Headline\nTime: 2018-11-26 Source: A\n\nText.";
    assert_eq!(import_bytes(text.as_bytes(), &Options::default()).expect("a page").format, Format::Text);
    assert_eq!(import_bytes(STORY.as_bytes(), &Options::default()).expect("a page").format, Format::Html);
}

/// Pieces that mean something to the importer, in any order.
const PIECES: &[&str] = &[
    "<p>",
    "</p>",
    "<div class=related>",
    "</div>",
    "<h1>",
    "</h1>",
    "<br>",
    "<ul><li>",
    "</ul>",
    "<table><tr><td>",
    "</table>",
    "<pre>",
    "</pre>",
    "<blockquote>",
    "</blockquote>",
    "<a href='/x'>",
    "</a>",
    "<img src=a.jpg alt='B'>",
    "<figure><figcaption>",
    "</figure>",
    "<noscript>",
    "<template>",
    "<svg><title>",
    "<script type='application/ld+json'>{\"@type\":\"NewsArticle\",\"headline\":\"H\"}</script>",
    "<time datetime='2024-01-02T03:04Z'>",
    "来源：晚报",
    "作者：李波",
    "By Ana Ruiz",
    "2024-01-02 03:04",
    "10/07/2026",
    "（记者 李波）",
    "This sentence is long enough to be a part of a story. ",
    "今年以来，扎实推进各项工作。",
    "مرحبا",
    "\u{1F600}",
    "&nbsp;",
    "\0",
    "<title>H</title>",
    "<meta charset=gb2312>",
    "<meta name=author content='A B'>",
    "<base href='//'>",
    "<link rel=canonical href='https://x.example/a'>",
    "<html lang=zh>",
    "<body>",
    "<!-- -->",
    "<font size=2>",
    "<center>",
    "(",
    "）",
    "责任编辑：王五",
    "<p class=caption>",
    "｜",
    "/",
    "当前位置：首页>要闻",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_page_is_read_or_refused(parts in proptest::collection::vec(proptest::sample::select(PIECES), 0..60)) {
        let html = format!("<html>{}", parts.concat());
        match import_html(html.as_bytes(), &Options::default()) {
            Err(errors) => prop_assert!(!errors.is_empty()),
            Ok(page) => {
                prop_assert!(!page.headline.is_empty() && !page.paragraphs.is_empty());
                prop_assert_eq!(page.body.matches("<figure>").count(), page.body.matches("</figure>").count());
                prop_assert!(!page.body.contains("<script"));
            }
        }
    }
}
