//! An article's body as mail clients need it: styles on the elements, and no more of it than they show.

use article::{sanitise, to_text};

/// Longest plain text taken from a body that has no place to cut, in characters.
const MAX_UNBROKEN: usize = 8_000;

/// A body made fit for mail.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) html: String,
    /// The same part of the article as [`Body::html`].
    pub(super) text: String,
    /// Whether something of the article is missing.
    pub(super) cut: bool,
}

/// The body with inlined styles in at most `budget` bytes, cut at the end of a paragraph.
pub(super) fn for_mail(html: &str, budget: usize) -> Body {
    // Sanitised at intake already; once more costs little and mail is where a slip hurts most.
    let styled = styled(&sanitise(html, None).html, budget);
    match styled {
        Styled::Whole(html) => Body { text: to_text(&html), html, cut: false },
        Styled::Cut(html) => Body { text: to_text(&html), html, cut: true },
        Styled::Unbroken => {
            let text = to_text(html);
            let end = text.char_indices().nth(MAX_UNBROKEN).map_or(text.len(), |(at, _)| at);
            let text = format!("{}…", &text[..end]);
            Body { html: article::paragraphs_to_html(&[&text]), text, cut: true }
        }
    }
}

enum Styled {
    Whole(String),
    Cut(String),
    /// Nothing within the budget where a reader would expect an end.
    Unbroken,
}

/// Relies on what the sanitiser writes: balanced elements, attributes in double quotes, `<` and `&` escaped in text.
fn styled(html: &str, budget: usize) -> Styled {
    let mut out = String::with_capacity(html.len() * 5 / 4);
    let mut open: Vec<&str> = Vec::new();
    let mut end: Option<(usize, Vec<&str>)> = None;
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        out.push_str(&rest[..start]);
        let length = tag_length(&rest[start..]);
        let tag = &rest[start..start + length];
        rest = &rest[start + length..];
        let name = tag.trim_start_matches(['<', '/']).split([' ', '>', '/']).next().unwrap_or_default();
        if tag.starts_with("</") {
            open.pop();
            out.push_str(tag);
        } else {
            push_styled(&mut out, tag, name);
            if !matches!(name, "br" | "hr" | "img" | "wbr") {
                open.push(name);
            }
        }
        let closing: usize = open.iter().map(|name| name.len() + 3).sum();
        if out.len() + closing > budget {
            break;
        }
        if is_end(tag, name) && rest.len() > closing {
            end = Some((out.len(), open.clone()));
        }
    }
    let closing: usize = open.iter().map(|name| name.len() + 3).sum();
    if out.len() + rest.len() + closing <= budget {
        out.push_str(rest);
        return Styled::Whole(out);
    }
    match end {
        None => Styled::Unbroken,
        Some((at, open)) => {
            out.truncate(at);
            for name in open.iter().rev() {
                out.push_str(&format!("</{name}>"));
            }
            Styled::Cut(out)
        }
    }
}

/// Up to and with the `>` that ends the tag at the start of `text`, skipping those in quoted values.
fn tag_length(text: &str) -> usize {
    let mut quoted = false;
    let close = text.bytes().position(|b| {
        quoted ^= b == b'"';
        b == b'>' && !quoted
    });
    close.map_or(text.len(), |at| at + 1)
}

/// Whether a text may stop after this tag.
fn is_end(tag: &str, name: &str) -> bool {
    let closes = matches!(
        name,
        "p" | "div" | "blockquote" | "figure" | "ul" | "ol" | "li" | "dl" | "table" | "tr" | "pre" | "details"
    );
    name == "br" || closes && tag.starts_with("</")
}

/// Appends an opening tag with the style of its element; the sanitiser lets no style of others through.
fn push_styled(out: &mut String, tag: &str, name: &str) {
    let style = match name {
        "p" | "dl" | "ul" | "ol" => "margin:0 0 16px",
        "h1" | "h2" => "margin:24px 0 12px;font-size:20px;line-height:1.35",
        "h3" | "h4" | "h5" | "h6" => "margin:20px 0 8px;font-size:17px;line-height:1.4",
        "blockquote" => "margin:0 24px 16px",
        "figure" => "margin:0 0 16px",
        "figcaption" => "margin:6px 0 0;font-size:14px;line-height:1.5",
        "img" => "max-width:100%;height:auto;border:0",
        "pre" => "margin:0 0 16px;white-space:pre-wrap;overflow-wrap:anywhere;font-size:14px",
        "table" => "margin:0 0 16px;border-collapse:collapse;max-width:100%",
        "td" | "th" => "border:1px solid #9a9a9a;padding:4px 8px;text-align:start",
        "hr" => "border:0;border-top:1px solid #9a9a9a;margin:24px 0",
        "a" => "color:#0b57d0",
        _ => return out.push_str(tag),
    };
    let inner = tag.trim_end_matches('>').trim_end_matches('/');
    out.push_str(inner);
    // A client that blocks pictures, most do at first, shows the address of one without alt.
    if name == "img" && !tag.contains(" alt=\"") {
        out.push_str(" alt=\"\"");
    }
    out.push_str(" style=\"");
    out.push_str(style);
    out.push_str("\">");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn elements_carry_their_style() {
        let body = for_mail(
            r#"<p>One <a href="https://x.example/?a=1&amp;b=2">two</a></p><img src="https://x.example/i.png">"#,
            9_999,
        );
        assert!(body.html.starts_with(r#"<p style="margin:0 0 16px">One <a href="https://x.example/?a=1&amp;b=2""#));
        assert!(body.html.contains(r#"alt="" style="max-width:100%"#), "{}", body.html);
        assert!(!body.cut);
    }

    #[test]
    fn what_is_unsafe_does_not_pass_even_from_the_log() {
        let body = for_mail("<p onclick=\"x()\">a<script>b</script><style>c</style></p>", 9_999);
        assert_eq!(body.html, "<p style=\"margin:0 0 16px\">a</p>");
    }

    #[test]
    fn a_long_body_ends_with_a_paragraph_and_closes_what_is_open() {
        let html = format!("<div><ul>{}</ul></div>", "<li>word word</li>".repeat(100));
        let body = for_mail(&html, 500);
        assert!(body.cut && body.html.len() <= 500, "{}", body.html);
        assert!(body.html.ends_with("</li></ul></div>"), "{}", body.html);
        assert_eq!(sanitise(&body.html, None).html.matches("<li>").count(), body.html.matches("<li>").count());
        assert_eq!(body.text.matches("word word").count(), body.html.matches("word word").count());
    }

    #[test]
    fn lines_are_an_end_too_and_one_endless_paragraph_is_shortened() {
        let lines = for_mail(&format!("<p>{}</p>", "第一行<br>".repeat(300)), 1_000);
        assert!(lines.cut && lines.html.ends_with("<br></p>"), "{}", lines.html);
        let endless = for_mail(&format!("<p>{}</p>", "党".repeat(100_000)), 50_000);
        assert!(endless.cut && endless.text.ends_with('…') && endless.html.len() < 50_000);
    }

    proptest! {
        #[test]
        fn every_cut_is_balanced_and_within_budget(
            html in "(<(p|div|ul|li|b|blockquote)>[a-z党 ]{0,20}(</(p|div|ul|li|b|blockquote)>)?(<br>)?){0,20}",
            budget in 100usize..600,
        ) {
            let body = for_mail(&html, budget);
            prop_assert!(body.html.len() <= budget || body.text.ends_with('…'));
            let again = sanitise(&body.html, None).html;
            prop_assert_eq!(again.matches('<').count(), body.html.matches('<').count(), "{}", body.html);
        }
    }
}
