//! The page as a reader sees it: lines of text in the order of the page, each with the elements it stands in.

use super::dom::{Data, Dom, Id, NONE, ROOT};
use crate::lines::is_blank;

/// A line of visible text: what stands between two breaks. White space is a single space, other blanks are kept.
pub(super) struct Run {
    pub(super) text: String,
    /// The innermost block it stands in.
    pub(super) block: Id,
    /// The texts it is made of: where each begins in `text`.
    pub(super) pieces: Vec<(usize, Id)>,
    /// 1-based line of the page.
    pub(super) line: u32,
    /// Characters that are letters or digits, and how many of them are in links.
    pub(super) letters: usize,
    pub(super) linked: usize,
    /// Nothing but blanks so far.
    blank: bool,
}

impl Run {
    pub(super) fn is_link(&self) -> bool {
        self.linked * 2 > self.letters
    }

    /// The pieces as texts.
    pub(super) fn texts(&self) -> impl Iterator<Item = (Id, &str)> {
        let ends = self.pieces.iter().skip(1).map(|(start, _)| *start).chain([self.text.len()]);
        self.pieces.iter().zip(ends).map(|((start, node), end)| (*node, self.text[*start..end].trim_matches(is_blank)))
    }
}

/// Elements that are no text of the page, with all that is in them.
const UNSEEN: [&str; 21] = [
    "script", "style", "template", "noscript", "svg", "math", "iframe", "object", "embed", "applet", "select",
    "option", "button", "input", "textarea", "canvas", "audio", "video", "head", "noframes", "datalist",
];

/// Elements that do not end the line.
const INLINE: [&str; 44] = [
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "img",
    "ins", "kbd", "label", "mark", "nobr", "picture", "q", "rp", "rt", "ruby", "s", "samp", "small", "source", "span",
    "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr", "meta", "link", "address", "amp-img",
];

pub(super) fn is_inline(name: &str) -> bool {
    INLINE.contains(&name)
}

/// Whether an element and all in it is kept from the reader's eyes.
pub(super) fn is_unseen(dom: &Dom, id: Id) -> bool {
    if UNSEEN.contains(&dom.name(id)) || dom.attribute(id, "hidden").is_some() {
        return true;
    }
    dom.attribute(id, "style").is_some_and(|style| {
        let style: String = style.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
        style.contains("display:none") || style.contains("visibility:hidden")
    })
}

/// What the walk over the tree is to do next.
enum Step {
    Enter(Id),
    /// The end of a block: what comes after is another line.
    Leave(Id),
}

/// A picture and the number of the line it stands before.
#[derive(Clone, Copy)]
pub(super) struct Picture {
    pub(super) before: usize,
    pub(super) element: Id,
}

/// All that a reader sees.
pub(super) struct Outline {
    pub(super) runs: Vec<Run>,
    pub(super) pictures: Vec<Picture>,
}

pub(super) fn outline(dom: &Dom) -> Outline {
    let mut writer = Writer { dom, runs: Vec::new(), pictures: Vec::new(), open: None, links: 0 };
    let mut steps = vec![Step::Enter(ROOT)];
    let mut blocks = vec![ROOT];
    while let Some(step) = steps.pop() {
        let id = match step {
            Step::Leave(id) => {
                if dom.name(id) == "a" {
                    writer.links -= 1;
                } else {
                    writer.end();
                    blocks.pop();
                }
                continue;
            }
            Step::Enter(id) => id,
        };
        match &dom.node(id).data {
            Data::Text(text) => writer.text(id, text, blocks.last().copied().unwrap_or(ROOT)),
            Data::Element(_) if is_unseen(dom, id) => {}
            Data::Element(element) if matches!(&*element.name, "br" | "hr") => writer.end(),
            Data::Element(element) if matches!(&*element.name, "img" | "amp-img") => writer.picture(id),
            Data::Element(_) | Data::Document => {
                let name = dom.name(id);
                if name == "a" {
                    writer.links += 1;
                    steps.push(Step::Leave(id));
                } else if !is_inline(name) {
                    writer.end();
                    blocks.push(id);
                    steps.push(Step::Leave(id));
                }
                let mut child = dom.node(id).last;
                while child != NONE {
                    steps.push(Step::Enter(child));
                    child = dom.node(child).before;
                }
            }
        }
    }
    writer.end();
    Outline { runs: writer.runs, pictures: writer.pictures }
}

struct Writer<'d> {
    dom: &'d Dom,
    runs: Vec<Run>,
    pictures: Vec<Picture>,
    open: Option<Run>,
    links: usize,
}

impl Writer<'_> {
    fn text(&mut self, id: Id, text: &str, block: Id) {
        let line = self.dom.node(id).line;
        let new = || Run { text: String::new(), block, pieces: Vec::new(), line, letters: 0, linked: 0, blank: true };
        let run = self.open.get_or_insert_with(new);
        let mut begun = false;
        for c in text.chars() {
            // A private-use character is a picture from an icon font.
            if matches!(c, '\u{e000}'..='\u{f8ff}') || (c.is_control() && !c.is_ascii_whitespace()) {
                continue;
            }
            if c.is_ascii_whitespace() {
                if !run.text.is_empty() && !run.text.ends_with(' ') {
                    run.text.push(' ');
                }
                continue;
            }
            if !begun {
                begun = true;
                if run.blank {
                    (run.block, run.line) = (block, line);
                }
                run.pieces.push((run.text.len(), id));
            }
            run.text.push(c);
            run.blank &= is_blank(c);
            if c.is_alphanumeric() {
                run.letters += 1;
                run.linked += usize::from(self.links > 0);
            }
        }
    }

    /// A picture in the middle of a line comes after it.
    fn picture(&mut self, element: Id) {
        let open = self.open.as_ref().is_some_and(|run| !run.blank);
        self.pictures.push(Picture { before: self.runs.len() + usize::from(open), element });
    }

    fn end(&mut self) {
        let Some(mut run) = self.open.take() else { return };
        let end = run.text.trim_end_matches(is_blank).len();
        run.text.truncate(end);
        let start = end - run.text.trim_start_matches(is_blank).len();
        run.text.drain(..start);
        for (at, _) in &mut run.pieces {
            *at = at.saturating_sub(start).min(run.text.len());
        }
        if !run.text.is_empty() {
            self.runs.push(run);
        }
    }
}
