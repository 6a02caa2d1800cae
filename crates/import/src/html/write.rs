//! The kept lines and pictures as the HTML of a body: paragraphs, headings, lists, quotations, tables, figures.

use std::collections::HashSet;

use url::Url;

use super::dom::{Dom, Id};
use super::outline::{Outline, Run};
use super::picture;
use crate::markup::escape_into;

/// Elements around a line that mean something in a body.
const WRAPPERS: [&str; 12] = ["blockquote", "ul", "ol", "li", "dl", "dt", "dd", "table", "tbody", "tr", "td", "th"];

/// Elements inside a line that mean something in a body, with what they are written as.
const INLINE: [(&str, &str); 20] = [
    ("a", "a"),
    ("abbr", "abbr"),
    ("b", "b"),
    ("cite", "cite"),
    ("code", "code"),
    ("del", "del"),
    ("em", "em"),
    ("i", "i"),
    ("ins", "ins"),
    ("kbd", "kbd"),
    ("mark", "mark"),
    ("q", "q"),
    ("s", "s"),
    ("samp", "samp"),
    ("small", "small"),
    ("strike", "s"),
    ("strong", "strong"),
    ("sub", "sub"),
    ("sup", "sup"),
    ("u", "u"),
];

/// Deepest nesting of wrappers written.
const MAX_WRAPPERS: usize = 8;

/// What goes into the body.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Kept {
    #[default]
    No,
    /// In the text, up to this byte of the line.
    Text(usize),
    Caption,
}

/// A body being written.
pub(super) struct Body {
    pub(super) html: String,
    /// What a reader sees as paragraphs: lines but headings and captions.
    pub(super) paragraphs: Vec<String>,
    pub(super) pictures: usize,
}

struct Writer<'p> {
    dom: &'p Dom,
    story: Id,
    base: Option<&'p Url>,
    body: Body,
    /// Open wrappers with the element each is for.
    open: Vec<(Id, &'static str)>,
    /// Tables that hold data; others are there for looks.
    tables: HashSet<Id>,
}

/// Writes the lines of `outline` that are kept, and the pictures that are.
pub(super) fn write(
    dom: &Dom,
    outline: &Outline,
    story: Id,
    kept: &[Kept],
    pictures: &[bool],
    base: Option<&Url>,
) -> Body {
    let body = Body { html: String::new(), paragraphs: Vec::new(), pictures: 0 };
    let tables = data_tables(dom, story);
    let mut writer = Writer { dom, story, base, body, open: Vec::new(), tables };
    let mut shown =
        outline.pictures.iter().zip(pictures).filter(|(_, kept)| **kept).map(|(picture, _)| picture).peekable();
    let (mut at, mut pre) = (0, None);
    while at <= outline.runs.len() {
        let mut figure = false;
        while let Some(next) = shown.next_if(|picture| picture.before <= at) {
            figure |= writer.picture(next.element, figure);
        }
        let mut captions = Vec::new();
        while kept.get(at) == Some(&Kept::Caption) {
            captions.push(outline.runs[at].text.as_str());
            at += 1;
        }
        if figure {
            writer.caption(&captions);
        }
        if let (Some(run), Some(Kept::Text(end))) = (outline.runs.get(at), kept.get(at)) {
            let inside = writer.preformatted(run);
            if inside.is_none() || inside != pre {
                writer.line(run, *end, inside);
            }
            pre = inside;
        }
        at += 1;
    }
    writer.wrap(&[]);
    writer.body
}

/// Tables of at least two rows and columns without a story in them. The rest hold pages together.
fn data_tables(dom: &Dom, story: Id) -> HashSet<Id> {
    let tables = dom.descendants(story).filter(|id| dom.name(*id) == "table");
    tables
        .filter(|table| {
            let names = || dom.descendants(*table).map(|id| dom.name(id));
            let rows = names().filter(|name| *name == "tr").count();
            let cells = names().filter(|name| matches!(*name, "td" | "th")).count();
            rows >= 2 && cells >= 2 * rows && !names().any(|name| matches!(name, "table" | "h1" | "article"))
        })
        .collect()
}

impl Writer<'_> {
    /// The wrappers of a line, from the outside in.
    fn wrappers(&self, block: Id) -> Vec<(Id, &'static str)> {
        let around = std::iter::once(block).chain(self.dom.ancestors(block)).take_while(|id| *id != self.story);
        let around: Vec<Id> = around.collect();
        let (mut path, mut in_table) = (Vec::new(), false);
        for id in around.into_iter().rev() {
            in_table |= self.tables.contains(&id);
            let name = self.dom.name(id);
            let Some(known) = WRAPPERS.iter().find(|known| **known == name) else { continue };
            let of_table = matches!(*known, "table" | "tbody" | "tr" | "td" | "th");
            if path.len() < MAX_WRAPPERS && (!of_table || in_table) {
                path.push((id, *known));
            }
        }
        // A part without its whole means nothing.
        let whole = |path: &[(Id, &'static str)], at: usize| match path[at].1 {
            "li" => at > 0 && matches!(path[at - 1].1, "ul" | "ol"),
            "dt" | "dd" => at > 0 && path[at - 1].1 == "dl",
            _ => true,
        };
        let broken = (0..path.len()).find(|at| !whole(&path, *at));
        path.truncate(broken.unwrap_or(path.len()));
        path
    }

    /// Closes and opens wrappers until those of `path` are open.
    fn wrap(&mut self, path: &[(Id, &'static str)]) {
        let same = self.open.iter().zip(path).take_while(|(open, wanted)| open == wanted).count();
        for (_, name) in self.open.drain(same..).rev() {
            self.body.html.push_str(&format!("</{name}>"));
        }
        if self.open.is_empty() && !self.body.html.is_empty() {
            self.body.html.push('\n');
        }
        for (id, name) in &path[same..] {
            self.body.html.push('<');
            self.body.html.push_str(name);
            for span in ["colspan", "rowspan"].into_iter().filter(|_| matches!(*name, "td" | "th")) {
                if let Some(cells) = self.dom.attribute(*id, span).and_then(|cells| cells.parse::<u8>().ok()) {
                    self.body.html.push_str(&format!(" {span}=\"{cells}\""));
                }
            }
            self.body.html.push('>');
            self.open.push((*id, name));
        }
    }

    /// The outermost element of the story in which white space counts: it is written once, with all that is in it.
    fn preformatted(&self, run: &Run) -> Option<Id> {
        let around = std::iter::once(run.block).chain(self.dom.ancestors(run.block));
        let inside = around.take_while(|id| *id != self.dom.node(self.story).parent);
        inside.filter(|id| self.dom.name(*id) == "pre").last()
    }

    fn line(&mut self, run: &Run, end: usize, pre: Option<Id>) {
        let path = self.wrappers(run.block);
        let before = self.open.clone();
        self.wrap(&path);
        if let Some(pre) = pre {
            self.body.html.push_str("<pre>");
            let text = self.dom.text(pre);
            escape_into(&mut self.body.html, text.trim_matches('\n'));
            self.body.html.push_str("</pre>");
            self.body.paragraphs.push(text);
            return;
        }
        let heading = match self.dom.name(run.block) {
            "h1" | "h2" => Some("h2"),
            "h3" => Some("h3"),
            "h4" | "h5" | "h6" => Some("h4"),
            _ => None,
        };
        let item = path.last().is_some_and(|(_, name)| matches!(*name, "li" | "td" | "th" | "dt" | "dd"));
        if item && self.open == before && path.last().is_some_and(|(id, _)| *id == run.block) {
            self.body.html.push_str("<br>");
        }
        let tag = heading.unwrap_or(if item { "" } else { "p" });
        if !tag.is_empty() {
            self.body.html.push_str(&format!("<{tag}>"));
        }
        self.inline(run, end);
        if !tag.is_empty() {
            self.body.html.push_str(&format!("</{tag}>"));
        }
        if heading.is_none() {
            self.body.paragraphs.push(run.text[..end].to_owned());
        }
    }

    /// The text of a line with the markup inside it.
    fn inline(&mut self, run: &Run, end: usize) {
        let mut open: Vec<(Id, &'static str)> = Vec::new();
        let ends = run.pieces.iter().skip(1).map(|(start, _)| *start).chain([run.text.len()]);
        for ((start, node), stop) in run.pieces.iter().zip(ends) {
            let stop = stop.min(end);
            if *start >= stop {
                break;
            }
            let mut path: Vec<(Id, &'static str)> = Vec::new();
            for id in self.dom.ancestors(*node).take_while(|id| *id != run.block).take(32) {
                let name = self.dom.name(id);
                if let Some((_, written)) = INLINE.iter().find(|(known, _)| *known == name)
                    && !path.iter().any(|(_, other)| other == written)
                    && (name != "a" || self.address(id).is_some())
                {
                    path.push((id, written));
                }
            }
            path.reverse();
            let same = open.iter().zip(&path).take_while(|(open, wanted)| open == wanted).count();
            for (_, name) in open.drain(same..).rev() {
                self.body.html.push_str(&format!("</{name}>"));
            }
            for (id, name) in &path[same..] {
                self.body.html.push('<');
                self.body.html.push_str(name);
                if let Some(address) = self.address(*id).filter(|_| *name == "a") {
                    self.body.html.push_str(" href=\"");
                    escape_into(&mut self.body.html, address.as_str());
                    self.body.html.push('"');
                }
                self.body.html.push('>');
            }
            open = path;
            escape_into(&mut self.body.html, &run.text[*start..stop]);
        }
        for (_, name) in open.iter().rev() {
            self.body.html.push_str(&format!("</{name}>"));
        }
    }

    fn address(&self, link: Id) -> Option<Url> {
        picture::resolve(self.dom.attribute(link, "href")?, self.base)
    }

    /// Begins or goes on with a figure; whether there is one now.
    fn picture(&mut self, element: Id, figure: bool) -> bool {
        let Some(shown) = picture::shown(self.dom, element, self.base) else { return figure };
        self.body.pictures += 1;
        if figure {
            self.body.html.truncate(self.body.html.len() - "</figure>".len());
        } else {
            self.wrap(&[]);
            self.body.html.push_str("<figure>");
        }
        self.body.html.push_str("<img src=\"");
        escape_into(&mut self.body.html, shown.address.as_str());
        self.body.html.push_str("\" alt=\"");
        escape_into(&mut self.body.html, &shown.alt);
        self.body.html.push_str("\"></figure>");
        true
    }

    /// Adds what stands under the picture to the figure just written.
    fn caption(&mut self, lines: &[&str]) {
        let mut told: Vec<&str> = Vec::new();
        for line in lines {
            if !told.contains(line) {
                told.push(line);
            }
        }
        if told.is_empty() {
            return;
        }
        self.body.html.truncate(self.body.html.len() - "</figure>".len());
        self.body.html.push_str("<figcaption>");
        escape_into(&mut self.body.html, &told.join(" "));
        self.body.html.push_str("</figcaption></figure>");
    }
}
