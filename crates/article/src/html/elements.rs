//! The elements and attributes that may stand in a body, and what the HTML parser does on meeting each of them.

use url::Url;

/// An element that a body may have.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// Attributes it may have besides [`EVERYWHERE`].
    pub(super) attributes: &'static [&'static str],
}

/// How the parser treats a start tag (WHATWG HTML, section 13.2.6.4.7), as far as elements that may stand here differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// No content and no end tag.
    Empty,
    /// As [`Kind::Empty`], and ends an open paragraph.
    Rule,
    /// Opened again in whatever follows, if it is left open.
    Formatting,
    Phrasing,
    /// Ends an open paragraph.
    Block,
    /// As [`Kind::Block`], and ends a heading that it stands directly in.
    Heading,
    /// Means something else, or nothing, anywhere but directly in one of these.
    Part(&'static [&'static str]),
}

/// Attributes that every element may have.
pub(super) const EVERYWHERE: [&str; 3] = ["lang", "dir", "title"];

/// Attributes that hold an address.
pub(super) const ADDRESSES: [&str; 3] = ["cite", "href", "src"];

pub(super) const SCHEMES: [&str; 3] = ["http", "https", "mailto"];

/// `rel` of every link: no page it leads to may reach back into the page that shows the article.
pub(super) const LINK_REL: &str = "noopener noreferrer";

const EDIT: &[&str] = &["cite", "datetime"];
const ROWS: &[&str] = &["align", "char", "charoff"];
const SECTIONS: &[&str] = &["tbody", "tfoot", "thead"];

const fn plain(name: &'static str, kind: Kind) -> Element {
    Element { name, kind, attributes: &[] }
}

const fn with(name: &'static str, kind: Kind, attributes: &'static [&'static str]) -> Element {
    Element { name, kind, attributes }
}

/// In the order of their names, for [`named`].
pub(super) static ELEMENTS: [Element; 60] = [
    with("a", Kind::Formatting, &["href", "hreflang"]),
    plain("abbr", Kind::Phrasing),
    plain("b", Kind::Formatting),
    plain("bdi", Kind::Phrasing),
    plain("bdo", Kind::Phrasing),
    with("blockquote", Kind::Block, &["cite"]),
    plain("br", Kind::Empty),
    plain("caption", Kind::Part(&["table"])),
    plain("cite", Kind::Phrasing),
    plain("code", Kind::Formatting),
    plain("dd", Kind::Part(&["dl"])),
    with("del", Kind::Phrasing, EDIT),
    plain("details", Kind::Block),
    plain("dfn", Kind::Phrasing),
    plain("div", Kind::Block),
    plain("dl", Kind::Block),
    plain("dt", Kind::Part(&["dl"])),
    plain("em", Kind::Formatting),
    plain("figcaption", Kind::Block),
    plain("figure", Kind::Block),
    plain("h1", Kind::Heading),
    plain("h2", Kind::Heading),
    plain("h3", Kind::Heading),
    plain("h4", Kind::Heading),
    plain("h5", Kind::Heading),
    plain("h6", Kind::Heading),
    with("hr", Kind::Rule, &["align", "size", "width"]),
    plain("i", Kind::Formatting),
    with("img", Kind::Empty, &["align", "alt", "height", "src", "width"]),
    with("ins", Kind::Phrasing, EDIT),
    plain("kbd", Kind::Phrasing),
    plain("li", Kind::Part(&["ol", "ul"])),
    plain("mark", Kind::Phrasing),
    with("ol", Kind::Block, &["start"]),
    plain("p", Kind::Block),
    plain("pre", Kind::Block),
    with("q", Kind::Phrasing, &["cite"]),
    plain("rp", Kind::Part(&["ruby"])),
    plain("rt", Kind::Part(&["ruby"])),
    plain("ruby", Kind::Phrasing),
    plain("s", Kind::Formatting),
    plain("samp", Kind::Phrasing),
    plain("small", Kind::Formatting),
    plain("span", Kind::Phrasing),
    plain("strong", Kind::Formatting),
    plain("sub", Kind::Phrasing),
    plain("summary", Kind::Block),
    plain("sup", Kind::Phrasing),
    with("table", Kind::Block, &["align", "char", "charoff", "summary"]),
    with("tbody", Kind::Part(&["table"]), ROWS),
    with("td", Kind::Part(&["tr"]), &["align", "char", "charoff", "colspan", "headers", "rowspan"]),
    with("tfoot", Kind::Part(&["table"]), ROWS),
    with("th", Kind::Part(&["tr"]), &["align", "char", "charoff", "colspan", "headers", "rowspan", "scope"]),
    with("thead", Kind::Part(&["table"]), ROWS),
    plain("time", Kind::Phrasing),
    with("tr", Kind::Part(SECTIONS), ROWS),
    plain("u", Kind::Formatting),
    plain("ul", Kind::Block),
    plain("var", Kind::Phrasing),
    plain("wbr", Kind::Empty),
];

pub(super) fn named(name: &str) -> Option<&'static Element> {
    ELEMENTS.binary_search_by(|element| element.name.cmp(name)).ok().map(|at| &ELEMENTS[at])
}

/// Whether an address is absolute and of a scheme that a body may lead to.
pub(super) fn is_allowed_address(address: &str) -> bool {
    Url::parse(address).is_ok_and(|url| SCHEMES.contains(&url.scheme()))
}

impl Element {
    pub(super) fn may_have(&self, attribute: &str) -> bool {
        EVERYWHERE.contains(&attribute) || self.attributes.contains(&attribute)
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self.kind, Kind::Empty | Kind::Rule)
    }

    /// Whether it holds nothing but parts of a table: the parser moves anything else out, in front of the table.
    pub(super) fn is_table_frame(&self) -> bool {
        self.name == "table" || self.name == "tr" || SECTIONS.contains(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_is_found_by_its_name() {
        for element in &ELEMENTS {
            assert_eq!(named(element.name).map(|found| found.name), Some(element.name));
        }
        for name in ["", "A", "script", "zzz", "p "] {
            assert!(named(name).is_none(), "{name}");
        }
    }
}
