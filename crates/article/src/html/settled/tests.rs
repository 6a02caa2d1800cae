//! What is recognised, what is not, and above all: nothing is recognised that parsing would change.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use url::Url;

use super::super::elements::ELEMENTS;
use super::super::{WITHOUT_BASE, builder, cleaned, paragraphs_to_html};
use super::*;

/// The rule that everything rests on.
fn check(html: &str) -> Result<bool, TestCaseError> {
    let settled = is_settled(html);
    if settled {
        let base = Url::parse("https://base.example/a/").unwrap();
        let with_base = builder(ammonia::UrlRelative::RewriteWithBase(base));
        prop_assert_eq!(cleaned(&WITHOUT_BASE, html), html);
        prop_assert_eq!(cleaned(&with_base, html), html);
    }
    Ok(settled)
}

#[test]
fn what_articles_are_made_of_is_recognised() {
    let link = r#"<a href="https://x.example/?a=1&amp;b=2" title="&quot;x&quot;" rel="noopener noreferrer">l</a>"#;
    for html in [
        "",
        "no markup \"quoted\" &amp; 党，👩‍👩‍👧 é £5\n",
        "<p dir=\"rtl\" lang=\"ar\">العربية</p>\n<h2>b</h2><hr>",
        &format!("<p><b>{link}</b>, {link}<br><i><b>x</b></i></p>"),
        "<ul>\n<li><p>a</p><ul><li>b</li></ul></li>\n</ul><dl><dt>a</dt><dd>b</dd></dl>",
        "<figure><img src=\"http://x.example/i.png\" alt=\"A &gt; B\"><figcaption>c</figcaption></figure>",
        "<table>\n<caption><p>c</p></caption><tbody><tr>\n<td colspan=\"2\"><p>d</p><table></table></td></tr></tbody></table>",
        "<pre>a\n\n<code>b</code></pre><blockquote><p>c</p></blockquote><ruby>党<rp>(</rp><rt>dǎng</rt><rp>)</rp></ruby>",
        "<details><summary>s</summary><div><p>t<wbr></p></div></details>",
        &paragraphs_to_html(&["a < b & \"c\"\nd", "党\u{A0}风", ""]),
    ] {
        assert!(check(html).unwrap(), "{html}");
    }
}

#[test]
fn anything_else_is_not() {
    for html in [
        "\u{FEFF}a",
        "a\rb",
        "a\u{A0}b",
        "a\u{85}b",
        "a\u{FFFE}b",
        "a\u{1FFFF}b",
        "a\u{0}b",
        "a & b",
        "a &quot; b",
        "a &#38; b",
        "a > b",
        "a < b",
        "<!-- a -->",
        "<?a?>",
        "<P>a</P>",
        "<p>a",
        "a</p>",
        "<br/>",
        "<br></br>",
        "<p >a</p>",
        "<p>a</p >",
        "<b><i>a</b></i>",
        "<script>a</script>",
        "<svg></svg>",
        "<p onclick=\"x\">a</p>",
        "<p title='a'>a</p>",
        "<p title=\"<\">a</p>",
        "<p title=\"a\" title=\"b\">a</p>",
        "<p title=\"a\"dir=\"ltr\">a</p>",
        "<p title=\"a",
        "<a href=\"https://x.example/\">a</a>",
        "<a rel=\"noopener noreferrer\" href=\"https://x.example/\">a</a>",
        "<a href=\"javascript:x\" rel=\"noopener noreferrer\">a</a>",
        "<a href=\"/x\" rel=\"noopener noreferrer\">a</a>",
        "<a href=\"http://[\" rel=\"noopener noreferrer\">a</a>",
        "<img src=\"data:image/png;base64,\">",
        "<p><div>a</div></p>",
        "<p><b><hr></b></p>",
        "<p><span><div>a</div></span></p>",
        "<h1><h2>a</h2></h1>",
        "<a rel=\"noopener noreferrer\"><i><a rel=\"noopener noreferrer\">a</a></i></a>",
        "<b><b>a</b></b>",
        "<li>a</li>",
        "<td>a</td>",
        "<table>a</table>",
        "<table><tr></tr></table>",
        "<table><tbody>&nbsp;</tbody></table>",
        "<table><p>a</p></table>",
        "<p><table></table></p>",
        "<pre>\na</pre>",
        "<ruby><b><rt>a</rt></b></ruby>",
    ] {
        assert!(!is_settled(html), "{html:?}");
    }
    let deep = |n: usize| format!("{}{}", "<div>".repeat(n), "</div>".repeat(n));
    assert!(is_settled(&deep(MAX_DEPTH)));
    assert!(!is_settled(&deep(MAX_DEPTH + 1)));
}

/// Every attribute that any element may have, and some that none may.
fn attribute() -> impl Strategy<Value = String> {
    let names: Vec<&str> = super::super::elements::EVERYWHERE
        .into_iter()
        .chain(ELEMENTS.iter().flat_map(|element| element.attributes.iter().copied()))
        .chain(["class", "style", "onload", "rel", "id"])
        .collect();
    let values = vec![
        "",
        "x",
        "a b",
        "&quot;",
        "&amp;lt;",
        "党",
        "https://x.example/",
        " http://y.example/?a&amp;b",
        "mailto:a@b.example",
        "javascript:x",
        "/r",
        "#f",
        "https://",
        "http://1.2.3.999/",
        "HTTPS://X.example/%zz",
        "noopener noreferrer",
        "&nbsp;",
        "a\nb",
        "java\tscript:x",
        "ftp://x.example/",
        "//x.example",
        "http://x.example:99999/",
    ];
    (select(names), select(values)).prop_map(|(name, value)| format!(" {name}=\"{value}\""))
}

fn text() -> impl Strategy<Value = &'static str> {
    select(vec![
        "",
        "x",
        " ",
        "\n",
        "党，",
        "&amp;",
        "&lt;b&gt;",
        "&nbsp;",
        "\"",
        "\u{A0}",
        "£",
        "\u{FEFF}",
        "👩‍👩‍👧",
        "\t",
        "\u{2028}",
        "&amp",
        "\r",
    ])
}

/// Balanced markup of allowed elements, nested at random: only what the parser makes of the nesting decides.
fn balanced() -> impl Strategy<Value = String> {
    let step = (
        0..5u8,
        any::<Index>(),
        prop_oneof![4 => Just(Vec::new()), 1 => prop::collection::vec(attribute(), 1..3)],
        text(),
    );
    prop::collection::vec(step, 0..24).prop_map(|steps| {
        let (mut html, mut open) = (String::new(), Vec::new());
        for (action, index, attributes, text) in steps {
            match action {
                0..3 => {
                    // Mostly what may stand here, or almost no table and no list would be complete.
                    let fitting: Vec<_> = ELEMENTS.iter().filter(|e| action > 0 && stays_in_place(e, &open)).collect();
                    let element = if fitting.is_empty() { index.get(&ELEMENTS) } else { *index.get(&fitting) };
                    let rel = if element.name == "a" { " rel=\"noopener noreferrer\"" } else { "" };
                    html.push_str(&format!("<{}{}{rel}>", element.name, attributes.concat()));
                    if !element.is_empty() {
                        open.push(element);
                    }
                }
                3 => html.push_str(text),
                _ => {
                    if let Some(element) = open.pop() {
                        html.push_str(&format!("</{}>", element.name));
                    }
                }
            }
        }
        html + &open.iter().rev().map(|element| format!("</{}>", element.name)).collect::<String>()
    })
}

/// Pieces of markup in any order, allowed or not.
fn tangled() -> impl Strategy<Value = String> {
    let element = (any::<Index>(), any::<bool>()).prop_map(|(index, end)| {
        let name = index.get(&ELEMENTS).name;
        if end { format!("</{name}>") } else { format!("<{name}>") }
    });
    let odd = select(vec![
        "<",
        ">",
        "</",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<svg>",
        "</svg>",
        "<math>",
        "<mi>",
        "<template>",
        "<select>",
        "<title>",
        "</title>",
        "<style>",
        "</style>",
        "<script>",
        "<plaintext>",
        "<form>",
        "<button>",
        "<font>",
        "</br>",
        "<p/>",
        "\"",
        "'",
        " a=",
        "&",
        "&#13;",
        "&#10;",
        "&#xFEFF;",
        "\u{0}",
        "<a href=\"https://x.example/\">",
        "<frameset>",
        "<col>",
        "<nobr>",
    ])
    .prop_map(String::from);
    prop::collection::vec(prop_oneof![4 => element, 1 => odd, 2 => text().prop_map(String::from)], 0..24)
        .prop_map(|parts| parts.concat())
}

/// `html` with one stretch of it replaced by a piece of `other`.
fn spliced(html: &str, other: &str, cuts: &[Index; 4]) -> String {
    let at = |text: &str, index: &Index| {
        let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        *index.get(&boundaries)
    };
    let (a, b) = (at(html, &cuts[0]), at(html, &cuts[1]));
    let (c, d) = (at(other, &cuts[2]), at(other, &cuts[3]));
    format!("{}{}{}", &html[..a.min(b)], &other[c.min(d)..c.max(d)], &html[a.max(b)..])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_nesting_is_recognised_that_parsing_would_change(html in balanced()) {
        check(&html)?;
    }

    #[test]
    fn no_tangle_is_recognised_that_parsing_would_change(html in tangled()) {
        check(&html)?;
        check(&cleaned(&WITHOUT_BASE, &html))?;
    }

    #[test]
    fn no_damage_to_clean_markup_is_recognised_that_parsing_would_change(
        html in balanced(), other in tangled(), cuts in any::<[Index; 4]>(),
    ) {
        let clean = cleaned(&WITHOUT_BASE, &html);
        check(&spliced(&clean, &other, &cuts))?;
        check(&spliced(&clean, &clean, &cuts))?;
    }
}
