//! A parsed page: elements and texts in one vector, addressed by index.

use html5ever::LocalName;
use html5ever::tendril::StrTendril;

/// Index of a node; the document itself is [`ROOT`].
pub(super) type Id = u32;

pub(super) const ROOT: Id = 0;

/// No node.
pub(super) const NONE: Id = u32::MAX;

pub(super) struct Element {
    pub(super) name: LocalName,
    /// Names are in lower case; the first of two of the same name counts.
    pub(super) attributes: Vec<(LocalName, StrTendril)>,
}

pub(super) enum Data {
    Document,
    Element(Element),
    Text(StrTendril),
}

pub(super) struct Node {
    pub(super) parent: Id,
    pub(super) first: Id,
    pub(super) last: Id,
    pub(super) before: Id,
    pub(super) after: Id,
    /// 1-based line of the page where it begins.
    pub(super) line: u32,
    pub(super) data: Data,
}

pub(super) struct Dom {
    pub(super) nodes: Vec<Node>,
}

impl Dom {
    pub(super) fn node(&self, id: Id) -> &Node {
        &self.nodes[id as usize]
    }

    pub(super) fn element(&self, id: Id) -> Option<&Element> {
        if let Data::Element(element) = &self.node(id).data { Some(element) } else { None }
    }

    /// The name of an element; empty for anything else.
    pub(super) fn name(&self, id: Id) -> &str {
        self.element(id).map_or("", |element| &element.name)
    }

    pub(super) fn attribute(&self, id: Id, name: &str) -> Option<&str> {
        let attributes = &self.element(id)?.attributes;
        attributes.iter().find(|(known, _)| &**known == name).map(|(_, value)| &**value)
    }

    /// From the parent up to the document.
    pub(super) fn ancestors(&self, id: Id) -> impl Iterator<Item = Id> + '_ {
        let some = |id: Id| (id != NONE).then_some(id);
        std::iter::successors(some(self.node(id).parent), move |id| some(self.node(*id).parent))
    }

    pub(super) fn children(&self, id: Id) -> impl Iterator<Item = Id> + '_ {
        let some = |id: Id| (id != NONE).then_some(id);
        std::iter::successors(some(self.node(id).first), move |id| some(self.node(*id).after))
    }

    /// The siblings behind a node.
    pub(super) fn following(&self, id: Id) -> impl Iterator<Item = Id> + '_ {
        let some = |id: Id| (id != NONE).then_some(id);
        std::iter::successors(some(self.node(id).after), move |id| some(self.node(*id).after))
    }

    /// The next node in the order of the page that is not inside `id`.
    fn after(&self, id: Id, within: Id) -> Option<Id> {
        let mut at = id;
        while at != within {
            let node = self.node(at);
            if node.after != NONE {
                return Some(node.after);
            }
            at = node.parent;
        }
        None
    }

    /// Everything inside `within`, in the order of the page.
    pub(super) fn descendants(&self, within: Id) -> impl Iterator<Item = Id> + '_ {
        let next = move |id: &Id| {
            let first = self.node(*id).first;
            if first == NONE { self.after(*id, within) } else { Some(first) }
        };
        let first = self.node(within).first;
        std::iter::successors((first != NONE).then_some(first), next)
    }

    /// The text of a node, white space as it is.
    pub(super) fn text(&self, id: Id) -> String {
        let mut text = String::new();
        for node in std::iter::once(id).chain(self.descendants(id)) {
            if let Data::Text(piece) = &self.node(node).data {
                text.push_str(piece);
            }
        }
        text
    }

    /// Whether `id` is `within` or inside it.
    pub(super) fn is_in(&self, id: Id, within: Id) -> bool {
        id == within || self.ancestors(id).any(|ancestor| ancestor == within)
    }
}
