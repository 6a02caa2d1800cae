//! A small XML 1.0 writer that cannot write an ill-formed document's characters.
//!
//! The usual writer libraries pass a vertical tab in a headline through, and every strict reader then drops the
//! whole feed. Here every text and attribute value goes through one escape that leaves out what XML 1.0 forbids.

/// Characters that feeds may have: not those outside the `Char` production of XML 1.0 (section 2.2), which no escape
/// makes legal, and not those it discourages: other controls and what Unicode will never make a character.
pub(crate) fn is_legal(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => true,
        '\u{FDD0}'..='\u{FDEF}' => false,
        c => !c.is_control() && u32::from(c) & 0xFFFE != 0xFFFE,
    }
}

/// `text` without the characters that feeds may not have; every format shows the same words, JSON Feed included.
pub(crate) fn legal(text: &str) -> String {
    text.chars().filter(|&c| is_legal(c)).collect()
}

/// Elements are written one to a line, in the order of the calls.
#[derive(Default)]
pub(crate) struct Xml {
    out: String,
}

pub(crate) type Attributes<'a> = [(&'static str, &'a str)];

impl Xml {
    pub(crate) fn document() -> Self {
        Self { out: "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n".into() }
    }

    pub(crate) fn open(&mut self, name: &'static str, attributes: &Attributes<'_>) {
        self.tag(name, attributes);
        self.out.push_str(">\n");
    }

    pub(crate) fn close(&mut self, name: &'static str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push_str(">\n");
    }

    pub(crate) fn element(&mut self, name: &'static str, attributes: &Attributes<'_>, text: &str) {
        self.tag(name, attributes);
        self.out.push('>');
        escape(&mut self.out, text, Place::Text);
        self.close(name);
    }

    /// As [`Self::element`], with references by number in place of `&amp;` and `&lt;`. RSS does not say whether its plain
    /// text is markup, and readers that guess take these for what they stand for (RSS Advisory Board profile, "Character
    /// data").
    pub(crate) fn plain(&mut self, name: &'static str, attributes: &Attributes<'_>, text: &str) {
        self.tag(name, attributes);
        self.out.push('>');
        escape(&mut self.out, text, Place::Plain);
        self.close(name);
    }

    pub(crate) fn empty(&mut self, name: &'static str, attributes: &Attributes<'_>) {
        self.tag(name, attributes);
        self.out.push_str("/>\n");
    }

    /// Text that this writer wrote before.
    pub(crate) fn splice(&mut self, written: &str) {
        self.out.push_str(written);
    }

    /// Bytes written so far.
    pub(crate) fn len(&self) -> usize {
        self.out.len()
    }

    pub(crate) fn finish(self) -> String {
        self.out
    }

    fn tag(&mut self, name: &'static str, attributes: &Attributes<'_>) {
        self.out.push('<');
        self.out.push_str(name);
        for (name, value) in attributes {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            escape(&mut self.out, value, Place::Attribute);
            self.out.push('"');
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Text,
    Plain,
    Attribute,
}

fn escape(out: &mut String, text: &str, place: Place) {
    out.reserve(text.len());
    for c in text.chars() {
        match c {
            '&' if place == Place::Plain => out.push_str("&#x26;"),
            '<' if place == Place::Plain => out.push_str("&#x3C;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            // `]]>` must not stand in text (section 2.4).
            '>' => out.push_str("&gt;"),
            // A parser turns a bare carriage return into a line feed (section 2.11).
            '\r' => out.push_str("&#13;"),
            '"' if place == Place::Attribute => out.push_str("&quot;"),
            // A parser turns white space in attributes into spaces (section 3.3.3).
            '\n' if place == Place::Attribute => out.push_str("&#10;"),
            '\t' if place == Place::Attribute => out.push_str("&#9;"),
            c if is_legal(c) => out.push(c),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_characters_never_come_out() {
        let mut xml = Xml::default();
        xml.element("t", &[("a", "x\u{B}\"\n<\u{FFFF}")], "a\u{0}\u{B}\u{1F}\u{FFFE}]]>\u{FFFD}\r\n党👩‍👩‍👧&amp;");
        xml.plain("p", &[], "AT&T <b>\u{85}\u{7F}\u{1FFFE}\u{FDD0}");
        let plain = "<p>AT&#x26;T &#x3C;b&gt;</p>\n";
        assert_eq!(
            xml.finish().strip_suffix(plain),
            Some("<t a=\"x&quot;&#10;&lt;\">a]]&gt;\u{FFFD}&#13;\n党👩‍👩‍👧&amp;amp;</t>\n")
        );
    }
}
