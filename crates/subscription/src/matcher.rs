//! Which of many stored selections an article is in, without asking each.
//!
//! A selection is filed under anchors: features at least one of which an article has if it matches. An article looks under
//! its own and evaluates what it finds there. What asks for nothing that most articles lack (`!keyword/sport`) is filed under
//! everything and evaluated for each article: a million of those are a million evaluations.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::Selection;
use crate::expression::{Atom, Expression};
use crate::features::{Anchor, Features};
use crate::words::pieces;

/// Selections, each with a value.
#[derive(Debug)]
pub struct Matcher<V> {
    numbers: HashMap<Selection, u32>,
    /// By number; the numbers of removed ones are given out again.
    slots: Vec<Option<Slot<V>>>,
    free: Vec<u32>,
    /// Ascending numbers of what is filed under each.
    anchors: HashMap<Anchor, Vec<u32>>,
}

#[derive(Debug)]
struct Slot<V> {
    selection: Selection,
    value: V,
    /// Under which it is filed. They depend on what else was there, so they are kept.
    anchors: Box<[Anchor]>,
}

impl<V> Default for Matcher<V> {
    fn default() -> Self {
        Self { numbers: HashMap::new(), slots: Vec::new(), free: Vec::new(), anchors: HashMap::new() }
    }
}

impl<V> Matcher<V> {
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    pub fn get(&self, selection: &Selection) -> Option<&V> {
        let number = *self.numbers.get(selection)?;
        self.slots.get(number as usize)?.as_ref().map(|slot| &slot.value)
    }

    pub fn get_mut(&mut self, selection: &Selection) -> Option<&mut V> {
        let number = *self.numbers.get(selection)?;
        self.slots.get_mut(number as usize)?.as_mut().map(|slot| &mut slot.value)
    }

    /// All selections, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&Selection, &V)> {
        self.slots.iter().flatten().map(|slot| (&slot.selection, &slot.value))
    }

    /// Stores a selection. Answers the value that was stored with it before.
    pub fn insert(&mut self, selection: Selection, value: V) -> Option<V> {
        if let Some(known) = self.get_mut(&selection) {
            return Some(std::mem::replace(known, value));
        }
        let number = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).expect("fewer than 4 billion selections")
        });
        let mut anchors = self.filing(selection.parts()).anchors;
        anchors.sort_unstable();
        anchors.dedup();
        for anchor in &anchors {
            let filed = self.anchors.entry(*anchor).or_default();
            if let Err(place) = filed.binary_search(&number) {
                filed.insert(place, number);
            }
        }
        self.numbers.insert(selection.clone(), number);
        self.slots[number as usize] = Some(Slot { selection, value, anchors: anchors.into() });
        None
    }

    pub fn remove(&mut self, selection: &Selection) -> Option<V> {
        let number = self.numbers.remove(selection)?;
        let slot = self.slots[number as usize].take()?;
        self.free.push(number);
        for anchor in slot.anchors {
            if let Entry::Occupied(mut filed) = self.anchors.entry(anchor) {
                if let Ok(place) = filed.get().binary_search(&number) {
                    filed.get_mut().remove(place);
                }
                if filed.get().is_empty() {
                    filed.remove();
                }
            }
        }
        Some(slot.value)
    }

    /// Every stored selection that an article with these features is in, each once, in the order of their numbers.
    pub fn matching(&self, features: &Features) -> impl Iterator<Item = (&Selection, &V)> {
        let filed = features.anchors().into_iter().filter_map(|anchor| self.anchors.get(&anchor));
        let mut numbers: Vec<u32> = filed.flatten().copied().collect();
        numbers.sort_unstable();
        numbers.dedup();
        let slots = numbers.into_iter().filter_map(|number| self.slots[number as usize].as_ref());
        slots.filter(|slot| slot.selection.matches(features)).map(|slot| (&slot.selection, &slot.value))
    }

    /// Whether nothing is left of what was removed.
    #[cfg(test)]
    pub(crate) fn is_filed_clean(&self) -> bool {
        self.numbers.is_empty() && self.anchors.is_empty() && self.free.len() == self.slots.len()
    }

    /// Where an expression is best filed.
    fn filing(&self, expression: &Expression) -> Filing {
        match expression {
            Expression::Atom(Atom::Text(words)) => {
                // A pair of letters tells more than either, and a long word more than a short one.
                let weight = |piece: &str| 64 / piece.len().clamp(1, 16);
                let filings = pieces(words).map(|piece| self.under(Anchor::word(piece), weight(piece)));
                filings.min_by_key(|filing| filing.cost).expect("a text has at least one letter or digit")
            }
            Expression::Atom(atom) => self.under(Anchor::of(atom), commonness(atom)),
            Expression::AllOf(parts) => {
                let filings = parts.iter().map(|part| self.filing(part));
                filings.min_by_key(|filing| filing.cost).expect("a group has at least two members")
            }
            Expression::AnyOf(parts) => {
                let mut all = Filing { anchors: Vec::new(), cost: 0 };
                for filing in parts.iter().map(|part| self.filing(part)) {
                    all.anchors.extend(filing.anchors);
                    all.cost = all.cost.saturating_add(filing.cost);
                }
                all
            }
            Expression::Not(_) => self.under(Anchor::of(&Atom::Everything), commonness(&Atom::Everything)),
        }
    }

    /// What is crowded is so because many care for it, and it is news often.
    fn under(&self, anchor: Anchor, commonness: usize) -> Filing {
        let crowd = self.anchors.get(&anchor).map_or(0, Vec::len);
        Filing { anchors: vec![anchor], cost: commonness.saturating_mul(crowd + 1) }
    }
}

struct Filing {
    anchors: Vec<Anchor>,
    /// How much a selection costs that is filed so, over many articles. Only comparisons mean anything.
    cost: usize,
}

/// How common an atom is among articles, roughly.
fn commonness(atom: &Atom) -> usize {
    match atom {
        Atom::Keyword(_) | Atom::Subject(_) => 8,
        Atom::Source(_) | Atom::Publisher(_) | Atom::Test => 16,
        Atom::Section(path) => 64 / path.split('/').count(),
        Atom::Urgency(most) => 32 * usize::from(*most),
        Atom::Language(_) => 256,
        Atom::Text(_) => 8,
        Atom::Everything => 1 << 32,
    }
}
