//! Which of many stored selections an article is in, without asking each.
//!
//! A selection is filed under anchors: features at least one of which an article has if it matches. An article looks under
//! its own and evaluates what it finds there, unless it lacks the second thing that is asked for: that stands beside the
//! number, so that most of a crowd is passed over without a look into its memory. What asks for nothing that most articles
//! lack (`!keyword/sport`) is filed under everything and evaluated for each article.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::num::NonZeroU32;

use crate::Selection;
use crate::expression::{Atom, Expression};
use crate::features::{Anchor, Features};
use crate::program::{Atoms, Bits, NONE, Program, Truth};
use crate::words::pieces;

/// Programs that are fetched before the first of them is evaluated: memory answers many at once as fast as one.
const TOGETHER: usize = 64;

/// Selections, each with a value.
#[derive(Debug)]
pub struct Matcher<V> {
    numbers: HashMap<Selection, u32>,
    /// By number; the numbers of removed ones are given out again.
    slots: Vec<Option<Slot<V>>>,
    /// By number, too: whatever is looked at is looked at here first.
    programs: Vec<Program>,
    atoms: Atoms,
    free: Vec<u32>,
    /// What is filed under each, by ascending numbers.
    anchors: HashMap<Anchor, Vec<Filed>>,
}

#[derive(Debug, Clone, Copy)]
struct Filed {
    number: u32,
    /// The brief form of a second anchor that a matching article has, if there is one.
    also: Option<NonZeroU32>,
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
        Self {
            numbers: HashMap::new(),
            slots: Vec::new(),
            programs: Vec::new(),
            atoms: Atoms::default(),
            free: Vec::new(),
            anchors: HashMap::new(),
        }
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

    /// The stored selection that equals this one: whoever keeps selections too shares it.
    pub fn stored(&self, selection: &Selection) -> Option<&Selection> {
        self.numbers.get_key_value(selection).map(|(stored, _)| stored)
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
            self.programs.push(NONE);
            u32::try_from(self.slots.len() - 1).expect("fewer than 4 billion selections")
        });
        let mut places = self.filing(selection.parts()).places;
        places.sort_unstable();
        places.dedup_by(|next, first| {
            let same = next.0 == first.0;
            // Either of two will do.
            first.1 = first.1.filter(|also| !same || next.1 == Some(*also));
            same
        });
        for (anchor, also) in &places {
            let filed = self.anchors.entry(*anchor).or_default();
            if let Err(place) = filed.binary_search_by_key(&number, |filed| filed.number) {
                filed.insert(place, Filed { number, also: also.and_then(Anchor::brief) });
            }
        }
        self.numbers.insert(selection.clone(), number);
        self.programs[number as usize] = self.atoms.program(selection.parts());
        let anchors = places.into_iter().map(|(anchor, _)| anchor).collect();
        self.slots[number as usize] = Some(Slot { selection, value, anchors });
        None
    }

    pub fn remove(&mut self, selection: &Selection) -> Option<V> {
        let number = self.numbers.remove(selection)?;
        let slot = self.slots[number as usize].take()?;
        let program = std::mem::replace(&mut self.programs[number as usize], NONE);
        self.atoms.release(slot.selection.parts(), &program);
        self.free.push(number);
        for anchor in slot.anchors {
            if let Entry::Occupied(mut filed) = self.anchors.entry(anchor) {
                if let Ok(place) = filed.get().binary_search_by_key(&number, |filed| filed.number) {
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
        let anchors = features.anchors();
        let present = Present::new(&anchors);
        let mut candidates = Bits::new(self.slots.len());
        for filed in anchors.iter().filter_map(|anchor| self.anchors.get(anchor)).flatten() {
            if filed.also.is_none_or(|also| present.has(also)) {
                candidates.insert(filed.number);
            }
        }
        let (candidates, truth) = (candidates.iter().collect::<Vec<u32>>(), Truth::new(&self.atoms, features));
        let mut matching = Vec::with_capacity(candidates.len());
        for numbers in candidates.chunks(TOGETHER) {
            let programs = numbers.iter().map(|number| self.programs[*number as usize]).collect::<Vec<Program>>();
            let asked = numbers.iter().zip(&programs).filter(|(_, program)| truth.of(program));
            matching.extend(asked.map(|(number, _)| *number));
        }
        let slots = matching.into_iter().filter_map(|number| self.slots[number as usize].as_ref());
        slots.map(|slot| (&slot.selection, &slot.value))
    }

    /// Whether nothing is left of what was removed.
    #[cfg(test)]
    pub(crate) fn is_filed_clean(&self) -> bool {
        let rest = self.numbers.is_empty() && self.anchors.is_empty() && self.atoms.is_empty();
        rest && self.free.len() == self.slots.len()
    }

    /// Where an expression is best filed.
    fn filing(&self, expression: &Expression) -> Filing {
        match expression {
            Expression::Atom(Atom::Text(words)) => {
                // A pair of letters tells more than either, and a long word more than a short one.
                let weight = |piece: &str| 64 / piece.len().clamp(1, 16);
                Self::narrowest(pieces(words).map(|piece| self.under(Anchor::word(piece), weight(piece))).collect())
            }
            Expression::Atom(atom) => self.under(Anchor::of(atom), commonness(atom)),
            Expression::AllOf(parts) => Self::narrowest(parts.iter().map(|part| self.filing(part)).collect()),
            Expression::AnyOf(parts) => {
                let mut all = Filing { places: Vec::new(), cost: 0 };
                for filing in parts.iter().map(|part| self.filing(part)) {
                    all.places.extend(filing.places);
                    all.cost = all.cost.saturating_add(filing.cost);
                }
                all
            }
            Expression::Not(_) => self.under(Anchor::of(&Atom::Everything), commonness(&Atom::Everything)),
        }
    }

    /// The best of the places for what must all be true, with the next best beside it.
    fn narrowest(mut filings: Vec<Filing>) -> Filing {
        filings.sort_by_key(|filing| filing.cost);
        let mut filings = filings.into_iter();
        let mut best = filings.next().expect("a text has a letter or a digit, and a group two members");
        let second = filings.find_map(|filing| match filing.places[..] {
            [(anchor, _)] if best.places.iter().all(|(first, _)| *first != anchor) => Some(anchor),
            _ => None,
        });
        for (_, also) in &mut best.places {
            *also = also.or(second);
        }
        best
    }

    /// What is crowded is so because many care for it, and it is news often.
    fn under(&self, anchor: Anchor, commonness: usize) -> Filing {
        let crowd = self.anchors.get(&anchor).map_or(0, Vec::len);
        Filing { places: vec![(anchor, None)], cost: commonness.saturating_mul(crowd + 1) }
    }
}

/// The anchors of an article, as bits: it may say yes of what is not there, never no of what is.
struct Present {
    /// A power of two of them.
    words: Vec<u64>,
}

impl Present {
    fn new(anchors: &[Anchor]) -> Self {
        // 32 bits for each: one of 32 that are not there is said to be.
        let mut present = Self { words: vec![0; (anchors.len() / 2 + 1).next_power_of_two()] };
        for brief in anchors.iter().filter_map(|anchor| anchor.brief()) {
            let (word, bit) = present.place(brief);
            present.words[word] |= bit;
        }
        present
    }

    fn has(&self, brief: NonZeroU32) -> bool {
        let (word, bit) = self.place(brief);
        self.words[word] & bit != 0
    }

    fn place(&self, brief: NonZeroU32) -> (usize, u64) {
        ((brief.get() >> 6) as usize & (self.words.len() - 1), 1 << (brief.get() & 63))
    }
}

struct Filing {
    /// Anchors of which a matching article has one, each with another that it then has too.
    places: Vec<(Anchor, Option<Anchor>)>,
    /// How much a selection costs that is filed so, over many articles. Only comparisons mean anything.
    cost: usize,
}

/// How common an atom is among articles, roughly.
fn commonness(atom: &Atom) -> usize {
    match atom {
        Atom::Story(_) => 1,
        Atom::Keyword(_) | Atom::Subject(_) => 8,
        Atom::Source(_) | Atom::Publisher(_) | Atom::Test => 16,
        Atom::Section(path) => 64 / path.split('/').count(),
        Atom::Urgency(most) => 32 * usize::from(*most),
        Atom::Language(_) => 256,
        Atom::Text(_) => 8,
        Atom::Everything => 1 << 32,
    }
}
