//! Body markup: what may stand in it, and plain text into paragraphs.

mod direct;
mod elements;
mod plain;
mod settled;
mod tangle;

use std::collections::HashSet;
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use url::Url;

use self::direct::direct;
use self::elements::{ELEMENTS, EVERYWHERE, LINK_REL, SCHEMES, is_allowed_address, named};
pub use self::plain::to_text;
use self::settled::is_settled;
use self::tangle::Survey;
use crate::text::{illegal_in_text, is_illegal_in_text};

/// Sanitised markup, with what had to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sanitised {
    pub html: String,
    /// Names of the elements that were removed, sorted, at most 20: `iframe`, `script`. `all` if nothing was kept as markup.
    pub removed: Vec<String>,
}

/// Elements whose whole content goes with them. Everything else that is not allowed loses its tags, not its words.
const CONTENT_REMOVED: [&str; 2] = ["script", "style"];

/// How often markup is read again for it to settle.
const MAX_READINGS: usize = 4;

/// For markup whose relative addresses cannot be resolved; building a sanitiser costs more than a short text does.
static WITHOUT_BASE: LazyLock<Builder<'static>> = LazyLock::new(|| builder(UrlRelative::Deny));

fn builder(relative: UrlRelative<'static>) -> Builder<'static> {
    let mut builder = Builder::new();
    builder
        .tags(ELEMENTS.iter().map(|element| element.name).collect())
        .tag_attributes(ELEMENTS.iter().map(|e| (e.name, e.attributes.iter().copied().collect())).collect())
        .clean_content_tags(HashSet::from(CONTENT_REMOVED))
        .generic_attributes(HashSet::from(EVERYWHERE))
        .url_schemes(HashSet::from(SCHEMES))
        .url_relative(relative)
        // The sanitiser itself takes `cite` for words.
        .attribute_filter(|_, name, value| (name != "cite" || is_allowed_address(value)).then_some(value.into()))
        .link_rel(Some(LINK_REL));
    builder
}

/// Makes markup safe to show: no script, style, form, frame, event handler, URL that is not http(s) or mailto, or
/// character that XML 1.0 forbids (`&#11;` would otherwise bring one into a feed).
///
/// Relative URLs are resolved against `base`, or removed where there is none: a feed reader has no base to guess.
/// Sanitising again changes nothing and costs one look at each byte, so output code may do it without harm (only the
/// odd nesting that authors rarely write is parsed again). Markup that would explode in the parser comes back as
/// text, tags and all.
pub fn sanitise(html: &str, base: Option<&Url>) -> Sanitised {
    try_sanitise(html, base).unwrap_or_else(|| {
        // The parser would make a CR a line feed.
        let text: String = html.replace("\r\n", "\n").replace('\r', "\n");
        let text = text.replace(is_illegal_in_text, "");
        Sanitised { html: paragraphs_to_html(&[text]), removed: vec!["all".into()] }
    })
}

/// As [`sanitise`]; `None` if `html` would take a parser more time and memory than any article is worth.
pub(crate) fn try_sanitise(html: &str, base: Option<&Url>) -> Option<Sanitised> {
    if is_settled(html) {
        return Some(Sanitised { html: html.into(), removed: Vec::new() });
    }
    direct(html, base).or_else(|| parsed(html, base))
}

/// As [`try_sanitise`], by way of a tree.
fn parsed(html: &str, base: Option<&Url>) -> Option<Sanitised> {
    let survey = Survey::of(html, is_expected);
    if survey.is_too_tangled() {
        return None;
    }
    let clean = match base {
        None => stable(&WITHOUT_BASE, html),
        Some(base) => stable(&builder(UrlRelative::RewriteWithBase(base.clone())), html),
    };
    Some(Sanitised { html: clean, removed: survey.unwanted.into_iter().collect() })
}

/// Not every parsed tree can be written so that it is parsed the same again (WHATWG HTML, section 13.3): text whose
/// second reading differs is read until it settles. In practice that is the second time, and most often plain to see.
fn stable(builder: &Builder<'_>, html: &str) -> String {
    let mut clean = cleaned(builder, html);
    let mut settled = clean == html;
    for _ in 0..MAX_READINGS {
        if settled || is_settled(&clean) {
            break;
        }
        let again = cleaned(builder, &clean);
        settled = again == clean;
        clean = again;
    }
    clean
}

fn cleaned(builder: &Builder<'_>, html: &str) -> String {
    let mut clean = builder.clean(html).to_string();
    if illegal_in_text(&clean).is_some() {
        clean.retain(|c| !is_illegal_in_text(c));
    }
    clean
}

fn is_expected(name: &str) -> bool {
    matches!(name, "html" | "head" | "body") || named(name).is_some()
}

/// Plain paragraphs as markup; a single line break inside a paragraph is kept as one.
pub fn paragraphs_to_html<S: AsRef<str>>(paragraphs: &[S]) -> String {
    let mut html = String::new();
    for paragraph in paragraphs {
        if !html.is_empty() {
            html.push('\n');
        }
        html.push_str("<p>");
        for (n, line) in paragraph.as_ref().lines().enumerate() {
            if n > 0 {
                html.push_str("<br>");
            }
            escape_into(&mut html, line);
        }
        html.push_str("</p>");
    }
    html
}

fn escape_into(html: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '\u{A0}' => html.push_str("&nbsp;"),
            c => html.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn script_goes_and_words_stay() {
        let dirty = r#"<p onclick="x()">Hi <b>all</b><script>alert(1)</script><font>old</font><a href="javascript:x">l</a></p>"#;
        let clean = sanitise(dirty, None);
        assert_eq!(clean.html, r#"<p>Hi <b>all</b>old<a rel="noopener noreferrer">l</a></p>"#);
        assert_eq!(clean.removed, ["font", "script"]);
    }

    #[test]
    fn a_source_that_is_no_web_address_goes() {
        let html =
            r#"<q cite="javascript:x" title="t">a</q><del cite="https://x.example/">b</del><ins cite="/r">c</ins>"#;
        let clean = r#"<q title="t">a</q><del cite="https://x.example/">b</del><ins>c</ins>"#;
        assert_eq!(sanitise(html, None).html, clean);
    }

    #[test]
    fn relative_addresses_resolve_or_go() {
        let base = Url::parse("https://news.example/a/b").unwrap();
        assert!(sanitise(r#"<img src="c.png" alt="C">"#, Some(&base)).html.contains("https://news.example/a/c.png"));
        assert_eq!(sanitise(r#"<img src="c.png" alt="C">"#, None).html, r#"<img alt="C">"#);
    }

    #[test]
    fn paragraphs_come_back_as_they_went_in() {
        let paragraphs = ["a < b & \"c\"", "党\u{A0}风\n二", "\u{3000}x"];
        let html = paragraphs_to_html(&paragraphs);
        assert_eq!(sanitise(&html, None).html, html, "our own markup passes unchanged");
        assert_eq!(to_text(&html), paragraphs.join("\n\n"));
    }

    #[test]
    fn no_character_that_xml_forbids_comes_out() {
        let dirty =
            "a&#11;b&#xFFFE;c&#x1FFFF;d\u{8}<a href=\"http://x.example/&#2;\" title=\"&#27;\">e</a>&#x85;&am\u{1}p;";
        let clean = sanitise(dirty, None).html;
        assert_eq!(illegal_in_text(&clean), None, "{clean:?}");
        assert!(clean.starts_with("abcd<a "), "{clean}");
    }

    #[test]
    fn explosive_markup_comes_back_as_text() {
        let html = "<div>".repeat(5000);
        let clean = sanitise(&html, None);
        assert_eq!(clean.removed, ["all"]);
        assert_eq!(to_text(&clean.html), html);

        let entities = format!("\u{0}\r\n\r{}", "&amp; £".repeat(100_000));
        let clean = sanitise(&entities, None);
        assert_eq!(clean.removed, ["all"]);
        assert_eq!(sanitise(&clean.html, None), Sanitised { html: clean.html.clone(), removed: vec![] });
    }

    #[test]
    fn markup_settles() {
        for html in
            ["<pre>\n\n\nx</pre>", "<a href=http://a.example><table><a href=http://b.example>", "<p><form><p>x</form>y"]
        {
            let once = sanitise(html, None).html;
            assert_eq!(sanitise(&once, None).html, once, "{html}");
        }
    }

    proptest! {
        #[test]
        fn real_elements_settle(parts in proptest::collection::vec(proptest::sample::select(vec![
            "<p>", "</p>", "<b>", "</b>", "<i>", "</i>", "<a href=\"http://x.example/\">", "</a>", "<table>", "</table>", "<tr>", "<td>",
            "</td>", "<pre>", "</pre>", "\n", "<ul>", "<li>", "</ul>", "<form>", "</form>", "<svg>", "<style>", "</svg>", "<select>",
            "x", " ", "&#10;", "<h1>", "</h1>", "<button>", "<dl>", "<dd>", "<ruby>", "<rt>", "<details>", "<summary>", "<!--", "-->",
            "<template>", "<math>", "<mi>", "<title>", "<textarea>", "<caption>", "<div>", "</div>",
        ]), 0..24)) {
            let once = sanitise(&parts.concat(), None).html;
            prop_assert_eq!(&sanitise(&once, None).html, &once);
        }


        #[test]
        fn sanitising_is_idempotent_and_text_never_panics(html in "(<[a-z/!]{0,6}[ a-z=\"'<>]{0,12}>?|[&;a-z党 \n]{0,8}){0,12}") {
            let once = sanitise(&html, None).html;
            prop_assert_eq!(&sanitise(&once, None).html, &once);
            let _ = to_text(&once);
            let _ = to_text(&html);
        }
    }
}
