//! What goes the short way, and above all: it comes out as it would the long way.

use proptest::prelude::*;
use proptest::sample::select;

use super::super::{parsed, sanitise};
use super::*;

fn base() -> Url {
    Url::parse("https://base.example/a/b").unwrap()
}

/// The rule that everything rests on; tells whether the short way was taken.
fn check(html: &str) -> Result<bool, TestCaseError> {
    let base = base();
    let mut taken = false;
    for base in [None, Some(&base)] {
        if let Some(short) = direct(html, base) {
            taken = true;
            prop_assert_eq!(Some(short), parsed(html, base), "{}", html);
        }
    }
    Ok(taken)
}

#[test]
fn what_feeds_send_goes_the_short_way() {
    for html in [
        "<p class=\"a\" style='x'>A &amp; B &mdash; &#8217;x&#x2019; AT&T? R & D</p>".replace("AT&T", "A"),
        "<P>One<BR/>two<br />three</P>\n<p dir=rtl>\u{A0}é</p>".into(),
        "<div id=x data-a=\"1\"><a href=\"/c?a=1&b=2\" target=_blank rel=\"nofollow\">x</a></div>".into(),
        "<section><header><h1>a</h1></header><font color=\"red\">b</font></section><!-- ad -->".into(),
        "<figure><picture><source srcset='x'><img src='i.png' srcset='y' alt='A \"b\" < c'></picture></figure>".into(),
        "<a href='javascript:x'>a</a><a href='mailto:a@b.example'>b</a><q cite='javascript:x'>c</q><img src='//'>"
            .into(),
        "a \u{7}b \u{FFFE}c > d \"e\"".into(),
        "<ul>\n<li>a <b>b</b></li>\n</ul><table><tbody><tr><td width=\"5\">c</td></tr></tbody></table>".into(),
    ] {
        assert!(check(&html).unwrap(), "{html}");
    }
}

#[test]
fn what_takes_a_parser_gets_one() {
    for html in [
        "<script>x</script>",
        "<p>a<p>b",
        "<p>a</b></p>",
        "<p/>a",
        "<iframe src=x></iframe>",
        "<svg><p>x</p></svg>",
        "&notit; &copy a",
        "&#128;&#0;",
        "a\rb",
        "<!--> -->x",
        "<!-- a --!> b -->",
        "<pre>\na</pre>",
        "<table><tr><td>a</td></tr></table>",
        "<a href=x><a href=y>z</a></a>",
        "<p title=a title=b>x</p>",
        "<p title = a>x</p>",
        "<p><section>x</section></p>",
        "<textarea><p></textarea></p>",
        "<",
        "<3",
        "</p>",
        "<p",
        "<p title=\"a",
        "\u{FEFF}<p>a</p>",
    ] {
        assert!(!check(html).unwrap(), "{html}");
        let _ = sanitise(html, None);
    }
}

#[test]
fn every_dropped_element_is_none_that_may_stand() {
    for element in &DROPPED {
        assert!(named(element.name).is_none(), "{}", element.name);
    }
}

const PARTS: [&str; 96] = [
    "<p>",
    "</p>",
    "<P CLASS='a'>",
    "<b>",
    "</b>",
    "<i>",
    "</i>",
    "<em>",
    "</em>",
    "<a href=\"/x?a=1&b=2&amp;c\">",
    "<a href='http://x.example/&quot;'>",
    "<a href=//y.example>",
    "<a href='javascript:x'>",
    "<a HREF=''>",
    "</a>",
    "<font color=red>",
    "</font>",
    "<section>",
    "</section>",
    "<center>",
    "</center>",
    "<big>",
    "</big>",
    "<picture>",
    "</picture>",
    "<source src=x>",
    "<video src=x>",
    "</video>",
    "<table>",
    "</table>",
    "<tbody>",
    "</tbody>",
    "<tr>",
    "</tr>",
    "<td>",
    "</td>",
    "<ul>",
    "</ul>",
    "<li>",
    "</li>",
    "<pre>",
    "</pre>",
    "\n",
    " ",
    "\t",
    "x",
    "党",
    "\u{A0}",
    "&",
    "& ",
    "&amp;",
    "&lt;",
    "&gt;",
    "&quot;",
    "&nbsp;",
    "&eacute;",
    "&eacute",
    "&notin;",
    "&NotEqualTilde;",
    "&#39;",
    "&#x41;",
    "&#128;",
    "&#11;",
    "&bogus;",
    "<br>",
    "<br/>",
    "<BR />",
    "<hr>",
    "<img src=i.png alt='a>b'>",
    "<img alt=\"&quot;\u{A0}\" src='data:x'>",
    "<!-- c -->",
    "<!---->",
    "<!-- -- -->",
    "<h1>",
    "</h1>",
    "<h2>",
    "</h2>",
    "<div>",
    "</div>",
    "<blockquote cite='http://x.example/'>",
    "</blockquote>",
    "<details>",
    "</details>",
    "<q cite='x'>",
    "</q>",
    "<span lang=en>",
    "</span>",
    "<label>",
    "</label>",
    "\u{7}",
    "\u{85}",
    ">",
    "\"",
    "'",
    "<ol start=2>",
    "</ol>",
];

/// Elements nested as they should be, so that most of it can go the short way.
fn nested() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        select(
            &[
                "x",
                "党 ",
                "\u{A0}",
                "&",
                "&amp;",
                "&lt;b&gt;",
                "&eacute;",
                "&#39;",
                "\n",
                "<br/>",
                "<hr>",
                "<!-- c -->",
                "\u{7}",
                ">",
                "\""
            ][..]
        )
        .prop_map(String::from),
        (
            select(&["i.png", "http://x.example/i", "data:x", "//c.example/", "http://[", ""][..]),
            select(&["a", "&quot;", "<>", "&b=1"][..])
        )
            .prop_map(|(src, alt)| format!("<img src=\"{src}\" alt='{alt}' class=c>")),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        let name = select(
            &[
                "p",
                "B",
                "i",
                "a",
                "font",
                "section",
                "center",
                "big",
                "picture",
                "ul",
                "li",
                "table",
                "tbody",
                "tr",
                "td",
                "pre",
                "h1",
                "h2",
                "div",
                "q",
                "blockquote",
                "details",
                "summary",
                "span",
                "strike",
                "dl",
                "dt",
                "figure",
                "figcaption",
                "ruby",
                "rt",
                "video",
                "label",
                "header",
            ][..],
        );
        let attributes = select(
            &[
                "",
                " class=x",
                " title='&amp;\"'",
                " href='/r?a=1&b=2'",
                " href=\"mailto:x\" lang=en",
                " cite='http://x.example'",
                " dir",
            ][..],
        );
        (name, attributes, prop::collection::vec(inner, 0..6))
            .prop_map(|(name, attributes, inside)| format!("<{name}{attributes}>{}</{name}>", inside.concat()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn both_ways_lead_to_the_same(parts in prop::collection::vec(select(&PARTS[..]), 0..16)) {
        check(&parts.concat())?;
    }

    #[test]
    fn both_ways_lead_to_the_same_for_what_is_nested(html in nested()) {
        check(&html)?;
    }
}
