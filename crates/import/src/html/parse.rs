//! The HTML parser (html5ever) into our tree, with an end to what a page may cost.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::{Attribute, ExpandedName, ParseOpts, QualName, parse_document};

use super::dom::{Data, Dom, Element, Id, NONE, Node, ROOT};
use crate::error::{Code, ImportError};

/// Bytes given to the parser at a time, to see what has come of them.
const PIECE: usize = 4096;
/// Most nodes; the largest real pages have about 50,000.
const MAX_NODES: usize = 500_000;
/// Most open elements around another. Browsers stop at 512, so no page needs more.
const MAX_DEPTH: u32 = 512;
/// The parser walks up its open elements for each tag: the sum of tags times depth. Real pages stay under ten million;
/// the limit is some two seconds.
const MAX_WALK: u64 = 200_000_000;
/// Each attribute of a tag is compared with all before it: the sum of the squares of what may be attributes of one tag.
/// The limit is some two seconds.
const MAX_COMPARED: u64 = 2_000_000_000;
/// Most attributes kept of an element: the rest mean nothing to us.
const MAX_ATTRIBUTES: usize = 64;

pub(super) fn parse(html: &str) -> Result<Dom, ImportError> {
    // A page without scripts: what is in `noscript` is markup.
    let mut options = ParseOpts::default();
    options.tree_builder.scripting_enabled = false;
    let mut parser = parse_document(Sink::new(), options);
    let (mut rest, mut walk, mut compared, mut separators, mut events) = (html, 0_u64, 0_u64, 0_u64, 0);
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.ceil_char_boundary(PIECE));
        rest = after;
        let tags = piece.bytes().filter(|byte| *byte == b'<').count() as u64;
        let blanks = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'"' | b'\'');
        separators += piece.bytes().filter(blanks).count() as u64;
        parser.process(StrTendril::from_slice(piece));
        let sink = &parser.tokenizer.sink.sink;
        walk += tags * u64::from(sink.depth.get());
        if sink.events.get() != events {
            events = sink.events.get();
            separators = 0;
        }
        compared += separators * separators / 8;
        let cause = if sink.depth.get() > MAX_DEPTH {
            "elements are left open more than 512 deep"
        } else if walk > MAX_WALK {
            "too many tags are nested too deep"
        } else if sink.nodes.borrow().len() > MAX_NODES {
            "there are more than 500,000 elements and texts"
        } else if compared > MAX_COMPARED {
            "a tag has too many attributes"
        } else {
            continue;
        };
        let advice = "save the article alone, or import its text";
        return Err(ImportError::new(Code::TooTangled, sink.line.get(), cause, advice));
    }
    Ok(parser.finish())
}

/// What the parser knows a node by.
struct Handle {
    id: Id,
    name: Option<QualName>,
}

struct Sink {
    nodes: RefCell<Vec<Node>>,
    line: Cell<u32>,
    /// Greatest depth so far.
    depth: Cell<u32>,
    /// Depth of each node when it was put in its place.
    depths: RefCell<Vec<u32>>,
    /// Calls that mean the tokenizer has finished something.
    events: Cell<u64>,
}

impl Sink {
    fn new() -> Self {
        let sink = Self {
            nodes: RefCell::default(),
            line: Cell::new(1),
            depth: Cell::new(0),
            depths: RefCell::default(),
            events: Cell::new(0),
        };
        sink.push(Data::Document);
        sink
    }

    fn push(&self, data: Data) -> Id {
        let mut nodes = self.nodes.borrow_mut();
        // MAX_NODES is far below the limit of an index; one piece adds at most its length.
        let id = Id::try_from(nodes.len()).unwrap_or(NONE);
        nodes.push(Node {
            parent: NONE,
            first: NONE,
            last: NONE,
            before: NONE,
            after: NONE,
            line: self.line.get(),
            data,
        });
        self.depths.borrow_mut().push(0);
        self.events.set(self.events.get() + 1);
        id
    }

    fn detach(&self, id: Id) {
        let nodes = &mut self.nodes.borrow_mut();
        let Node { parent, before, after, .. } = nodes[id as usize];
        if parent == NONE {
            return;
        }
        match before {
            NONE => nodes[parent as usize].first = after,
            before => nodes[before as usize].after = after,
        }
        match after {
            NONE => nodes[parent as usize].last = before,
            after => nodes[after as usize].before = before,
        }
        let node = &mut nodes[id as usize];
        (node.parent, node.before, node.after) = (NONE, NONE, NONE);
    }

    /// Puts `id` into `parent`, before `next` or at the end.
    fn insert(&self, id: Id, parent: Id, next: Id) {
        if id == NONE {
            return;
        }
        self.detach(id);
        let nodes = &mut self.nodes.borrow_mut();
        let before = if next == NONE { nodes[parent as usize].last } else { nodes[next as usize].before };
        let node = &mut nodes[id as usize];
        (node.parent, node.before, node.after) = (parent, before, next);
        match before {
            NONE => nodes[parent as usize].first = id,
            before => nodes[before as usize].after = id,
        }
        match next {
            NONE => nodes[parent as usize].last = id,
            next => nodes[next as usize].before = id,
        }
        let mut depths = self.depths.borrow_mut();
        let depth = depths[parent as usize] + 1;
        depths[id as usize] = depth;
        self.depth.set(self.depth.get().max(depth));
    }

    fn insert_text(&self, text: &StrTendril, parent: Id, next: Id) {
        self.events.set(self.events.get() + 1);
        let before = {
            let nodes = self.nodes.borrow();
            // Scripts and styles are no text of the page, but what they say of the article is.
            if let Data::Element(element) = &nodes[parent as usize].data
                && matches!(&*element.name, "script" | "style")
                && !is_linked_data(element)
            {
                return;
            }
            if next == NONE { nodes[parent as usize].last } else { nodes[next as usize].before }
        };
        if before != NONE
            && let Data::Text(known) = &mut self.nodes.borrow_mut()[before as usize].data
        {
            known.push_tendril(text);
            return;
        }
        let id = self.push(Data::Text(text.clone()));
        self.insert(id, parent, next);
    }

    fn put(&self, child: NodeOrText<Rc<Handle>>, parent: Id, next: Id) {
        match child {
            NodeOrText::AppendNode(node) => self.insert(node.id, parent, next),
            NodeOrText::AppendText(text) => self.insert_text(&text, parent, next),
        }
    }

    fn nothing(&self) -> Rc<Handle> {
        self.events.set(self.events.get() + 1);
        Rc::new(Handle { id: NONE, name: None })
    }
}

/// A block of JSON-LD.
pub(super) fn is_linked_data(element: &Element) -> bool {
    let kind = element.attributes.iter().find(|(name, _)| &**name == "type");
    &*element.name == "script" && kind.is_some_and(|(_, kind)| kind.to_ascii_lowercase().contains("ld+json"))
}

fn kept(attributes: Vec<Attribute>) -> impl Iterator<Item = (html5ever::LocalName, StrTendril)> {
    attributes.into_iter().map(|attribute| (attribute.name.local, attribute.value))
}

impl TreeSink for Sink {
    type Handle = Rc<Handle>;
    type Output = Dom;
    type ElemName<'a> = ExpandedName<'a>;

    fn finish(self) -> Dom {
        Dom { nodes: self.nodes.into_inner() }
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> Rc<Handle> {
        Rc::new(Handle { id: ROOT, name: None })
    }

    fn elem_name<'a>(&'a self, target: &'a Rc<Handle>) -> ExpandedName<'a> {
        target.name.as_ref().expect("the parser asks for the names of elements only").expanded()
    }

    fn create_element(&self, name: QualName, attrs: Vec<Attribute>, _: ElementFlags) -> Rc<Handle> {
        let attributes = kept(attrs).take(MAX_ATTRIBUTES).collect();
        let id = self.push(Data::Element(Element { name: name.local.clone(), attributes }));
        Rc::new(Handle { id, name: Some(name) })
    }

    fn create_comment(&self, _: StrTendril) -> Rc<Handle> {
        self.nothing()
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> Rc<Handle> {
        self.nothing()
    }

    fn append(&self, parent: &Rc<Handle>, child: NodeOrText<Rc<Handle>>) {
        self.put(child, parent.id, NONE);
    }

    fn append_based_on_parent_node(
        &self,
        element: &Rc<Handle>,
        prev_element: &Rc<Handle>,
        child: NodeOrText<Rc<Handle>>,
    ) {
        let parent = self.nodes.borrow()[element.id as usize].parent;
        if parent == NONE { self.append(prev_element, child) } else { self.put(child, parent, element.id) }
    }

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {
        self.events.set(self.events.get() + 1);
    }

    fn get_template_contents(&self, target: &Rc<Handle>) -> Rc<Handle> {
        // What is in a template is no part of the page: whoever reads the tree passes it over by its name.
        Rc::clone(target)
    }

    fn same_node(&self, x: &Rc<Handle>, y: &Rc<Handle>) -> bool {
        x.id == y.id
    }

    fn set_quirks_mode(&self, _: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &Rc<Handle>, new_node: NodeOrText<Rc<Handle>>) {
        let parent = self.nodes.borrow()[sibling.id as usize].parent;
        if parent != NONE {
            self.put(new_node, parent, sibling.id);
        }
    }

    fn add_attrs_if_missing(&self, target: &Rc<Handle>, attrs: Vec<Attribute>) {
        self.events.set(self.events.get() + 1);
        if let Data::Element(element) = &mut self.nodes.borrow_mut()[target.id as usize].data {
            for (name, value) in kept(attrs) {
                let known = element.attributes.iter().any(|(known, _)| *known == name);
                if !known && element.attributes.len() < MAX_ATTRIBUTES {
                    element.attributes.push((name, value));
                }
            }
        }
    }

    fn remove_from_parent(&self, target: &Rc<Handle>) {
        if target.id != NONE {
            self.detach(target.id);
        }
    }

    fn reparent_children(&self, node: &Rc<Handle>, new_parent: &Rc<Handle>) {
        loop {
            let child = self.nodes.borrow()[node.id as usize].first;
            if child == NONE {
                break;
            }
            self.insert(child, new_parent.id, NONE);
        }
    }

    fn set_current_line(&self, line_number: u64) {
        self.line.set(u32::try_from(line_number).unwrap_or(u32::MAX));
    }
}
