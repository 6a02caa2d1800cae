//! Writing the few elements a body is made of.

/// Plain paragraphs as markup.
pub(crate) fn paragraphs(paragraphs: &[String]) -> String {
    let mut html = String::new();
    for paragraph in paragraphs {
        if !html.is_empty() {
            html.push('\n');
        }
        html.push_str("<p>");
        escape_into(&mut html, paragraph);
        html.push_str("</p>");
    }
    html
}

/// Text as it must be written between tags and in double quotes (WHATWG HTML, section 13.3).
pub(crate) fn escape_into(html: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\u{a0}' => html.push_str("&nbsp;"),
            c => html.push(c),
        }
    }
}
