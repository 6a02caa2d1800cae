//! The list of all feeds for feed readers: OPML 2.0.

use crate::document::{Format, with_extension};
use crate::xml::Xml;

/// The media type of the list.
pub const OPML_CONTENT_TYPE: &str = "text/x-opml; charset=utf-8";

/// One feed of the list, and the feeds below it: a section and its subsections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// As in the feed itself.
    pub title: String,
    /// The feed's HTML page, absolute.
    pub page_url: String,
    pub below: Vec<Outline>,
}

/// How deep outlines go; articles have at most five levels of sections, and nothing deeper is written.
const MAX_DEPTH: usize = 8;

/// Where the list ends, whatever is left: some 20,000 feeds, and more than readers import.
pub const MAX_OPML_BYTES: usize = 8_000_000;

/// Room for one outline, whose address and title are bounded by those of selections, and for the closing tags.
const ROOM_BYTES: usize = 100_000;

/// Writes the list of `outlines`, in their order, under the title of the site. What would make it longer than
/// [`MAX_OPML_BYTES`] is left out.
pub fn opml(title: &str, outlines: &[Outline]) -> Vec<u8> {
    let mut xml = Xml::document();
    xml.open("opml", &[("version", "2.0")]);
    xml.open("head", &[]);
    xml.element("title", &[], title);
    xml.close("head");
    xml.open("body", &[]);
    write(&mut xml, outlines, MAX_DEPTH);
    xml.close("body");
    xml.close("opml");
    xml.finish().into_bytes()
}

fn write(xml: &mut Xml, outlines: &[Outline], deep: usize) {
    let Some(deep) = deep.checked_sub(1) else { return };
    for outline in outlines {
        if xml.len() > MAX_OPML_BYTES - ROOM_BYTES {
            return;
        }
        if outline.below.is_empty() {
            feed(xml, outline);
            continue;
        }
        // Readers take an outline either for a feed or for a folder: a section with others below is a folder, and its
        // own feed the first in it.
        xml.open("outline", &[("text", &outline.title), ("title", &outline.title)]);
        feed(xml, outline);
        write(xml, &outline.below, deep);
        xml.close("outline");
    }
}

fn feed(xml: &mut Xml, outline: &Outline) {
    let xml_url = with_extension(&outline.page_url, Format::Atom);
    let attributes = [
        // Of every feed there is, whatever its format (OPML 2.0, "Subscription lists").
        ("type", "rss"),
        ("text", outline.title.as_str()),
        ("title", outline.title.as_str()),
        ("xmlUrl", xml_url.as_str()),
        ("htmlUrl", outline.page_url.as_str()),
    ];
    xml.empty("outline", &attributes);
}
