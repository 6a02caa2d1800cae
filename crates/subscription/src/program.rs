//! Stored selections as short programs over numbered atoms.
//!
//! A stored expression lies scattered in memory, and to look at many is to wait for memory. So of each there is a program of
//! a few words that stands in a row with the others; what an atom is of an article is found out once, whoever asks for it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use crate::expression::{Atom, Expression};
use crate::features::Features;

/// Atoms in use, by numbers that are given out again.
#[derive(Debug, Default)]
pub(crate) struct Atoms {
    numbers: HashMap<Arc<Atom>, u32>,
    /// By number, each with how many programs have it.
    used: Vec<Option<(Arc<Atom>, u32)>>,
    free: Vec<u32>,
    /// By number; the numbers of removed ones are given out again.
    long: Vec<Box<[u32]>>,
    free_long: Vec<u32>,
}

/// An expression, operators before what they are of. A word is what it is (the upper three bits) and the number of an atom,
/// or how many words of a group's members come after it; so where it ends stands in it. Two of these are a cache line.
pub(crate) type Program = [u32; LENGTH];

const LENGTH: usize = 8;

/// In the place of one that was removed.
pub(crate) const NONE: Program = [0; LENGTH];

const ATOM: u32 = 0;
/// An atom that is looked for in the text of an article when it is asked for; all others are known before.
const TEXT: u32 = 1;
const NOT: u32 = 2;
const ALL_OF: u32 = 3;
const ANY_OF: u32 = 4;
/// A program that is too long to stand in the row: the number of its place among the long ones.
const LONG: u32 = 5;
const BITS: u32 = 29;
const OPERAND: u32 = (1 << BITS) - 1;

fn word(what: u32, operand: usize) -> u32 {
    let operand = u32::try_from(operand).ok().filter(|operand| *operand <= OPERAND);
    what << BITS | operand.expect("fewer than half a billion of anything")
}

impl Atoms {
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        let is_free = self.free.len() == self.used.len() && self.free_long.len() == self.long.len();
        self.numbers.is_empty() && is_free
    }

    pub(crate) fn program(&mut self, expression: &Expression) -> Program {
        let mut words = Vec::with_capacity(LENGTH);
        self.write(expression, &mut words);
        let mut program = NONE;
        if let Some(begin) = program.get_mut(..words.len()) {
            begin.copy_from_slice(&words);
            return program;
        }
        let place = self.free_long.pop().map_or(self.long.len(), |place| place as usize);
        if place == self.long.len() {
            self.long.push(Box::default());
        }
        self.long[place] = words.into();
        program[0] = word(LONG, place);
        program
    }

    /// Gives back what the program of this expression had.
    pub(crate) fn release(&mut self, expression: &Expression, program: &Program) {
        if program[0] >> BITS == LONG {
            self.long[(program[0] & OPERAND) as usize] = Box::default();
            self.free_long.push(program[0] & OPERAND);
        }
        for atom in expression.atoms() {
            let Some(&number) = self.numbers.get(atom) else { continue };
            let used = &mut self.used[number as usize];
            match used {
                Some((_, count)) if *count > 1 => *count -= 1,
                _ => {
                    *used = None;
                    self.numbers.remove(atom);
                    self.free.push(number);
                }
            }
        }
    }

    fn write(&mut self, expression: &Expression, words: &mut Vec<u32>) {
        let (what, members) = match expression {
            Expression::Atom(atom) => {
                let what = if matches!(atom, Atom::Text(_)) { TEXT } else { ATOM };
                return words.push(word(what, self.number(atom)));
            }
            Expression::Not(member) => (NOT, std::slice::from_ref(&**member)),
            Expression::AllOf(members) => (ALL_OF, &**members),
            Expression::AnyOf(members) => (ANY_OF, &**members),
        };
        let at = words.len();
        words.push(0);
        members.iter().for_each(|member| self.write(member, words));
        words[at] = word(what, words.len() - at - 1);
    }

    fn number(&mut self, atom: &Atom) -> usize {
        if let Some(&number) = self.numbers.get(atom) {
            if let Some((_, count)) = &mut self.used[number as usize] {
                *count += 1;
            }
            return number as usize;
        }
        let number = self.free.pop().unwrap_or_else(|| {
            self.used.push(None);
            u32::try_from(self.used.len() - 1).expect("fewer than half a billion different atoms")
        });
        let atom = Arc::new(atom.clone());
        self.used[number as usize] = Some((atom.clone(), 1));
        self.numbers.insert(atom, number);
        number as usize
    }
}

/// Which atoms are true of one article.
pub(crate) struct Truth<'a> {
    atoms: &'a Atoms,
    features: &'a Features,
    yes: RefCell<Bits>,
    /// Texts that were looked for.
    tried: RefCell<Bits>,
}

impl<'a> Truth<'a> {
    pub(crate) fn new(atoms: &'a Atoms, features: &'a Features) -> Self {
        let mut yes = Bits::new(atoms.used.len());
        for number in features.atoms().iter().filter_map(|atom| atoms.numbers.get(atom)) {
            yes.insert(*number);
        }
        Self { atoms, features, yes: RefCell::new(yes), tried: RefCell::new(Bits::new(atoms.used.len())) }
    }

    pub(crate) fn of(&self, program: &Program) -> bool {
        match program[0] >> BITS {
            LONG => self.holds(&self.atoms.long[(program[0] & OPERAND) as usize]),
            _ => self.holds(program),
        }
    }

    /// Of the expression that `words` begin with.
    fn holds(&self, words: &[u32]) -> bool {
        let (what, operand) = (words[0] >> BITS, words[0] & OPERAND);
        match what {
            ATOM => self.yes.borrow().contains(operand),
            TEXT => self.found(operand),
            NOT => !self.holds(&words[1..]),
            _ => {
                let mut members = &words[1..=operand as usize];
                while !members.is_empty() {
                    if self.holds(members) == (what == ANY_OF) {
                        return what == ANY_OF;
                    }
                    let is_atom = members[0] >> BITS <= TEXT;
                    members = &members[if is_atom { 1 } else { 1 + (members[0] & OPERAND) as usize }..];
                }
                what == ALL_OF
            }
        }
    }

    fn found(&self, number: u32) -> bool {
        if self.tried.borrow_mut().insert(number) {
            let atom = self.atoms.used[number as usize].as_ref().expect("atoms of stored programs are in use");
            if self.features.has(&atom.0) {
                self.yes.borrow_mut().insert(number);
            }
        }
        self.yes.borrow().contains(number)
    }
}

/// Small numbers, as bits.
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    /// For numbers below `end`.
    pub(crate) fn new(end: usize) -> Self {
        Self(vec![0; end.div_ceil(64)])
    }

    /// Whether it was not there.
    pub(crate) fn insert(&mut self, number: u32) -> bool {
        let (word, bit) = (&mut self.0[number as usize / 64], 1 << (number % 64));
        let fresh = *word & bit == 0;
        *word |= bit;
        fresh
    }

    fn contains(&self, number: u32) -> bool {
        self.0[number as usize / 64] & 1 << (number % 64) != 0
    }

    /// In ascending order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        (0..).zip(&self.0).flat_map(|(at, &word)| {
            let rest = std::iter::successors(Some(word), |rest| Some(rest & rest.wrapping_sub(1)));
            rest.take_while(|rest| *rest != 0).map(move |rest| at * 64 + rest.trailing_zeros())
        })
    }
}
