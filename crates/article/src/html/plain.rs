//! Sanitised markup back into plain text, for the text part of a mail and for feeds that want it.

/// Sanitised markup as plain text: paragraphs apart, list items marked, pictures as their alt text, links as
/// `words (address)` where the words are not the address itself.
///
/// Reads only what [`crate::sanitise`] writes (balanced, quoted, four entities); other input loses structure, never panics.
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

/// The text of what the serialiser escaped: five entities, each ended by its semicolon.
pub(super) fn unescape(text: &str) -> String {
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
    use super::*;

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

    /// Each of these takes minutes if any step looks back over the whole text.
    #[test]
    fn hostile_markup_is_read_in_linear_time() {
        const SIZE: usize = 512 * 1024;
        for part in
            ["<", "<a", "<a href=\"", "<pre> ", "</a>", "<a href=\"x\">y", "&amp", "<li>", "<p> \n", "<img alt=\"<\">"]
        {
            let text = to_text(&part.repeat(SIZE / part.len()));
            assert!(text.len() <= 2 * SIZE, "{part}: {}", text.len());
        }
    }
}
