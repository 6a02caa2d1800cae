//! Reads the body, from HTML or from plain text.

use url::Url;

use super::MAX_BODY_BYTES;
use crate::html::{paragraphs_to_html, to_text, try_sanitise};
use crate::reader::Fields;
use crate::text::is_blank;

/// The longest `body` looked at, in bytes: office programs send several bytes of markup for one that is kept.
const MAX_RAW_BYTES: usize = 4 * MAX_BODY_BYTES;

/// The body, from `body` (HTML) or `body_text` (plain text, paragraphs apart by a blank line); never both.
pub(super) fn body(fields: &mut Fields<'_>, base: Option<&Url>, warnings: &mut Vec<String>) -> Option<String> {
    let asked = (fields.value("body").is_some(), fields.value("body_text").is_some());
    let (field, body) = match asked {
        (true, true) => {
            fields.problem("body_text", "conflict", "send body (HTML) or body_text (plain text), not both");
            return None;
        }
        (true, false) => ("body", from_html(fields, base, warnings)?),
        (false, true) => ("body_text", from_text(&fields.long_text("body_text", MAX_BODY_BYTES)?)),
        (false, false) => {
            fields.problem("body", "required", "body is required, as HTML; or body_text, as plain text");
            return None;
        }
    };
    if body.len() > MAX_BODY_BYTES {
        let detail = format!("{} bytes as HTML; a body may have {MAX_BODY_BYTES}", body.len());
        fields.problem(field, "too_long", detail);
        return None;
    }
    if is_blank(&to_text(&body)) && !body.contains("<img ") {
        fields.problem(field, "blank", "nothing is left to read once unsafe markup is removed");
        return None;
    }
    Some(body)
}

fn from_html(fields: &mut Fields<'_>, base: Option<&Url>, warnings: &mut Vec<String>) -> Option<String> {
    let html = fields.long_text("body", MAX_RAW_BYTES)?;
    let Some(clean) = try_sanitise(&html, base) else {
        let detail = "too many elements are left open inside one another, or too much text is & and no-break spaces; \
                      close the elements, or send plain text as body_text";
        fields.problem("body", "too_tangled", detail);
        return None;
    };
    if !clean.removed.is_empty() {
        warnings.push(format!("markup removed from the body: {}", clean.removed.join(", ")));
    }
    Some(clean.html)
}

/// A line of nothing but white space is a blank line too: editors leave ideographic spaces behind.
fn from_text(text: &str) -> String {
    let unified = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<&str> = unified.split('\n').map(str::trim_end).collect();
    let paragraphs: Vec<String> =
        lines.split(|line| line.is_empty()).filter(|lines| !lines.is_empty()).map(|lines| lines.join("\n")).collect();
    paragraphs_to_html(&paragraphs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_line_parts_paragraphs_whatever_it_is_made_of() {
        for text in ["a\n\nb\nc", "a\r\n\r\nb\r\nc", "\n\na\n \u{3000}\n\n\nb\nc\n\n", "a \n\t\nb  \nc"] {
            assert_eq!(from_text(text), "<p>a</p>\n<p>b<br>c</p>", "{text:?}");
        }
    }
}
