//! The text of an item: as safe markup, and as plain words.

use article::{is_blank, paragraphs_to_html, sanitise};
use url::Url;

use crate::entity::resolve;
use crate::item::Markup;
use crate::scan::{Scan, Token};
use crate::text::line;

/// Safe markup; addresses in it are made absolute by `base`. Empty if nothing is left to read or to see.
pub(crate) fn safe(markup: &Markup, base: Option<&Url>) -> String {
    let html = match markup {
        Markup::Text(text) => paragraphs(text),
        // No markup at all: its line breaks are all there is of structure.
        Markup::Html(html) if !html.contains('<') => paragraphs(&resolve(html)),
        Markup::Html(html) => sanitise(html, base.filter(|_| has_relative_address(html))).html,
    };
    if html.contains("<img ") || has_words(&html) { html } else { String::new() }
}

/// Whether an address in `html` may need a base; making a sanitiser for one costs more than a short text does.
fn has_relative_address(html: &str) -> bool {
    let absolute = |value: &str| {
        let value = value.trim_start_matches([' ', '"', '\'', '\n', '\t', '\r']).as_bytes();
        ["http:", "https:", "mailto:", "data:"]
            .iter()
            .any(|scheme| value.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme.as_bytes())))
    };
    let is_address = |before: &str| {
        let name = before.trim_end();
        ["href", "src", "cite"].iter().any(|attribute| {
            let end = name.len().checked_sub(attribute.len());
            end.and_then(|at| name.get(at..)).is_some_and(|written| written.eq_ignore_ascii_case(attribute))
        })
    };
    memchr::memchr_iter(b'=', html.as_bytes()).any(|at| is_address(&html[..at]) && !absolute(&html[at + 1..]))
}

fn paragraphs(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let paragraphs: Vec<String> =
        lines.split(|line| line.is_empty()).filter(|lines| !lines.is_empty()).map(|lines| lines.join("\n")).collect();
    paragraphs_to_html(&paragraphs)
}

/// Whether a reader would see anything of safe markup without pictures.
fn has_words(html: &str) -> bool {
    Scan::new(html).any(|token| matches!(token, Token::Text(raw) if !is_blank(&resolve(raw))))
}

/// The words of markup, safe or not, in one line and without any of its addresses.
pub(crate) fn words(html: &str) -> String {
    let mut words = String::with_capacity(html.len());
    let mut hidden = false;
    for token in Scan::new(html) {
        match token {
            Token::Start(tag) => {
                hidden = !tag.empty && ["script", "style"].iter().any(|name| tag.name.eq_ignore_ascii_case(name));
                words.push_str(space(tag.name));
            }
            Token::End(name) => {
                hidden = false;
                words.push_str(space(name));
            }
            Token::Text(raw) if !hidden => words.push_str(&resolve(raw)),
            Token::Verbatim(text) if !hidden => words.push_str(text),
            _ => {}
        }
    }
    line(&words)
}

/// What stands between words on both sides of a tag.
fn space(name: &str) -> &'static str {
    const INLINE: [&str; 16] = [
        "a", "abbr", "b", "bdi", "cite", "code", "em", "font", "i", "mark", "q", "small", "span", "strong", "sub", "u",
    ];
    if INLINE.iter().any(|inline| name.eq_ignore_ascii_case(inline)) { "" } else { " " }
}

/// The words of an item's text in either form.
pub(crate) fn words_of(markup: &Markup) -> String {
    match markup {
        Markup::Text(text) => line(text),
        Markup::Html(html) => words(html),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(text: &str) -> Markup {
        Markup::Html(text.into())
    }

    #[test]
    fn addresses_are_made_absolute_and_danger_goes() {
        let base = Url::parse("https://news.example/a/b").unwrap();
        let link = |text: &str| safe(&html(text), Some(&base));
        for (dirty, clean) in [
            ("<a href='c'>x</a>", "https://news.example/a/c"),
            ("<a HREF = \"/c\">x</a>", "https://news.example/c"),
            ("<img alt='x' src=//cdn.example/p.png>", "https://cdn.example/p.png"),
            ("<a href='http://o.example/'>x</a> <img src='p.png'>", "https://news.example/a/p.png"),
        ] {
            assert!(link(dirty).contains(clean), "{dirty}: {}", link(dirty));
        }
        assert_eq!(link("<script>x</script>"), "");
        assert_eq!(link("<p>\u{200B} &nbsp;</p>").trim(), "");
        assert_eq!(link("<p onclick='x()'>a</p>"), "<p>a</p>");
    }

    #[test]
    fn text_without_markup_keeps_its_paragraphs() {
        assert_eq!(safe(&html("a &amp; b\n\nc\nd"), None), "<p>a &amp; b</p>\n<p>c<br>d</p>");
        assert_eq!(safe(&Markup::Text("1 < 2".into()), None), "<p>1 &lt; 2</p>");
    }

    #[test]
    fn words_are_what_a_reader_sees() {
        for (html, expected) in [
            ("<p>One <b>tw</b>o</p><p>three</p>", "One two three"),
            ("a<br/>b&nbsp;&eacute;", "a b é"),
            ("<script>if (a < b) x</script>y<style>p {}</style>", "y"),
            ("党<span>风</span>", "党风"),
        ] {
            assert_eq!(words(html), expected, "{html}");
        }
    }
}
