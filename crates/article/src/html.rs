//! Body markup: what may stand in it, plain text into paragraphs, markup back into plain text.

use std::collections::{BTreeSet, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use url::Url;

/// Sanitised markup, with what had to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sanitised {
    pub html: String,
    /// Names of the elements that were removed, sorted: `iframe`, `script`.
    pub removed: Vec<String>,
}

/// Elements whose whole content goes with them. Everything else that is not allowed loses its tags, not its words.
const CONTENT_REMOVED: [&str; 2] = ["script", "style"];

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

/// Makes markup safe to show: no script, style, form, frame, event handler, or URL that is not http(s) or mailto.
///
/// Relative URLs are resolved against `base`, or removed where there is none: a feed reader has no base to guess.
/// Sanitising twice gives the same bytes, so output code may do it again without harm.
pub fn sanitise(html: &str, base: Option<&Url>) -> Sanitised {
    let relative = base.map_or(UrlRelative::Deny, |base| UrlRelative::RewriteWithBase(base.clone()));
    let clean = Builder::new()
        .tags(ALLOWED.clone())
        .clean_content_tags(HashSet::from(CONTENT_REMOVED))
        .generic_attributes(HashSet::from(["lang", "dir", "title"]))
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(relative)
        .link_rel(Some("noopener noreferrer"))
        .clean(html)
        .to_string();
    Sanitised { html: clean, removed: removed_elements(html) }
}

/// Element names that open in `html` and are not allowed. A name inside a comment or attribute may be listed too:
/// the list is for a person to look, the parser decides.
fn removed_elements(html: &str) -> Vec<String> {
    let mut names = BTreeSet::new();
    for piece in html.split('<').skip(1) {
        let name: String = piece.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').take(32).collect();
        let name = name.to_ascii_lowercase();
        let starts_element = name.starts_with(|c: char| c.is_ascii_alphabetic());
        let structural = matches!(name.as_str(), "html" | "head" | "body");
        if starts_element && !structural && !ALLOWED.contains(name.as_str()) {
            names.insert(name);
        }
    }
    names.into_iter().collect()
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

/// Sanitised markup as plain text: paragraphs apart, list items marked, pictures as their alt text, links as
/// `words (address)` where the words are not the address itself.
///
/// Reads only what [`sanitise`] writes (balanced, quoted, four entities); other input loses structure, never panics.
pub fn to_text(html: &str) -> String {
    let mut text = Text::default();
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        text.words(&rest[..open]);
        let after = &rest[open + 1..];
        let Some(close) = tag_end(after) else {
            rest = "";
            break;
        };
        text.tag(&after[..close]);
        rest = &after[close + 1..];
    }
    text.words(rest);
    text.out.trim().to_owned()
}

/// The `>` that ends a tag, skipping those inside quoted attribute values.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quoted = false;
    tag.bytes().position(|b| {
        quoted ^= b == b'"';
        b == b'>' && !quoted
    })
}

#[derive(Default)]
struct Text {
    out: String,
    /// Addresses and starts of the links that are open.
    links: Vec<(String, usize)>,
    preformatted: usize,
}

impl Text {
    fn words(&mut self, escaped: &str) {
        let plain = unescape(escaped);
        if self.preformatted > 0 {
            self.out.push_str(&plain);
            return;
        }
        for (n, word) in plain.split([' ', '\n', '\t', '\r']).enumerate() {
            if n > 0 && !self.out.is_empty() && !self.out.ends_with([' ', '\n']) {
                self.out.push(' ');
            }
            self.out.push_str(word);
        }
    }

    fn tag(&mut self, tag: &str) {
        let (closing, tag) = tag.strip_prefix('/').map_or((false, tag), |tag| (true, tag));
        let name = tag.split([' ', '/', '\n']).next().unwrap_or_default();
        match (name, closing) {
            ("br", _) => self.line(),
            ("hr", _) => self.block(),
            ("img", _) => {
                if let Some(alt) = attribute(tag, "alt").filter(|alt| !alt.is_empty()) {
                    self.words(&format!("[{alt}]"));
                }
            }
            ("a", false) => self.links.push((attribute(tag, "href").unwrap_or_default().into(), self.out.len())),
            ("a", true) => self.end_link(),
            ("li", false) => {
                self.line();
                self.out.push_str("- ");
            }
            ("tr" | "li" | "dt" | "dd" | "caption" | "summary", _) => self.line(),
            ("td" | "th", true) => self.out.push(' '),
            ("pre", closing) => {
                self.block();
                self.preformatted = if closing { self.preformatted.saturating_sub(1) } else { self.preformatted + 1 };
            }
            (
                "p" | "div" | "blockquote" | "figure" | "figcaption" | "ul" | "ol" | "dl" | "table" | "details" | "h1"
                | "h2" | "h3" | "h4" | "h5" | "h6",
                _,
            ) => self.block(),
            _ => {}
        }
    }

    fn end_link(&mut self) {
        let Some((address, start)) = self.links.pop() else { return };
        let address = unescape(&address);
        let words = self.out.get(start..).unwrap_or_default().trim();
        if !address.is_empty() && words != address && !words.is_empty() {
            self.out.push_str(&format!(" ({address})"));
        }
    }

    fn trim_spaces(&mut self) {
        while self.out.ends_with(' ') {
            self.out.pop();
        }
    }

    fn line(&mut self) {
        self.trim_spaces();
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
    }

    fn block(&mut self) {
        self.line();
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    let value = &tag[start..];
    Some(&value[..value.find('"')?])
}

fn unescape(text: &str) -> String {
    if !text.contains('&') {
        return text.into();
    }
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&nbsp;", "\u{A0}")
        .replace("&amp;", "&")
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
    fn text_keeps_the_structure_a_reader_needs() {
        let cases = [
            ("<p>One &amp; two</p>\n<p>Three<br>four</p>", "One & two\n\nThree\nfour"),
            ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
            (r#"<p><a href="https://x.example/">here</a></p>"#, "here (https://x.example/)"),
            (r#"<a href="https://x.example/">https://x.example/</a>"#, "https://x.example/"),
            (
                r#"<figure><img src="https://x.example/i.png" alt="A > B"><figcaption>C</figcaption></figure>"#,
                "[A > B]\n\nC",
            ),
            ("<pre>a\n  b</pre>", "a\n  b"),
            ("&amp;lt;", "&lt;"),
            ("<p>党</p>", "党"),
        ];
        for (html, expected) in cases {
            assert_eq!(to_text(html), expected, "{html}");
        }
    }

    #[test]
    fn paragraphs_come_back_as_they_went_in() {
        let paragraphs = ["a < b & \"c\"", "党\u{A0}风\n二", "\u{3000}x"];
        let html = paragraphs_to_html(&paragraphs);
        assert_eq!(sanitise(&html, None).html, html, "our own markup passes unchanged");
        assert_eq!(to_text(&html), paragraphs.join("\n\n"));
    }

    proptest! {
        #[test]
        fn sanitising_is_idempotent_and_text_never_panics(html in "(<[a-z/!]{0,6}[ a-z=\"'<>]{0,12}>?|[&;a-z党 \n]{0,8}){0,12}") {
            let once = sanitise(&html, None).html;
            prop_assert_eq!(&sanitise(&once, None).html, &once);
            let _ = to_text(&once);
            let _ = to_text(&html);
        }
    }
}
