//! Body markup: what may stand in it, and plain text into paragraphs.

mod plain;
mod tangle;

use std::collections::HashSet;
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use url::Url;

pub use self::plain::to_text;
use self::tangle::Survey;
use crate::text::illegal_in_text;

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

static ALLOWED: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    HashSet::from([
        "a",
        "abbr",
        "b",
        "bdi",
        "bdo",
        "blockquote",
        "br",
        "caption",
        "cite",
        "code",
        "dd",
        "del",
        "details",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
        "figure",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "ins",
        "kbd",
        "li",
        "mark",
        "ol",
        "p",
        "pre",
        "q",
        "rp",
        "rt",
        "ruby",
        "s",
        "samp",
        "small",
        "span",
        "strong",
        "sub",
        "summary",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "time",
        "tr",
        "u",
        "ul",
        "var",
        "wbr",
    ])
});

/// For markup whose relative addresses cannot be resolved; building a sanitiser costs more than a short text does.
static WITHOUT_BASE: LazyLock<Builder<'static>> = LazyLock::new(|| builder(UrlRelative::Deny));

fn builder(relative: UrlRelative<'static>) -> Builder<'static> {
    let mut builder = Builder::new();
    builder
        .tags(ALLOWED.clone())
        .clean_content_tags(HashSet::from(CONTENT_REMOVED))
        .generic_attributes(HashSet::from(["lang", "dir", "title"]))
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(relative)
        .link_rel(Some("noopener noreferrer"));
    builder
}

/// Makes markup safe to show: no script, style, form, frame, event handler, URL that is not http(s) or mailto, or
/// character that XML 1.0 forbids (`&#11;` would otherwise bring one into a feed).
///
/// Relative URLs are resolved against `base`, or removed where there is none: a feed reader has no base to guess.
/// Sanitising again changes nothing, so output code may do it without harm. Markup that would explode in the parser
/// comes back as text, tags and all.
pub fn sanitise(html: &str, base: Option<&Url>) -> Sanitised {
    let survey = Survey::of(html, is_expected);
    if survey.is_too_tangled() {
        let text: String = html.chars().filter(|c| illegal_in_text(c.encode_utf8(&mut [0; 4])).is_none()).collect();
        return Sanitised { html: paragraphs_to_html(&[text]), removed: vec!["all".into()] };
    }
    let clean = match base {
        None => stable(&WITHOUT_BASE, html),
        Some(base) => stable(&builder(UrlRelative::RewriteWithBase(base.clone())), html),
    };
    Sanitised { html: clean, removed: survey.unwanted.into_iter().collect() }
}

/// Whether `html` would take a parser more time and memory than any article is worth.
pub(crate) fn is_too_tangled(html: &str) -> bool {
    Survey::of(html, is_expected).is_too_tangled()
}

/// Not every parsed tree can be written so that it is parsed the same again (WHATWG HTML, section 13.3): text whose
/// second reading differs is read until it settles. In practice that is the second time.
fn stable(builder: &Builder<'_>, html: &str) -> String {
    let mut clean = cleaned(builder, html);
    // What comes out as it went in has settled: that spares everybody behind the intake the second reading.
    let mut settled = clean == html;
    for _ in 0..MAX_READINGS {
        if settled {
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
        clean.retain(|c| illegal_in_text(c.encode_utf8(&mut [0; 4])).is_none());
    }
    clean
}

fn is_expected(name: &str) -> bool {
    matches!(name, "html" | "head" | "body") || ALLOWED.contains(name)
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
