//! The form of a line used for matching only: compatibility forms unfolded (full-width letters and digits, ideographic
//! spaces), ASCII lower case, blanks as spaces. What is kept always comes from the page itself, through the offsets.

use unicode_normalization::char::decompose_compatible;

use crate::lines::is_blank;

/// A folded line that can point back to where each of its bytes came from.
pub(crate) struct Folded {
    pub(crate) text: String,
    /// For each byte of `text`, and for its end, the byte offset of its character in the line.
    origin: Vec<usize>,
}

impl Folded {
    pub(crate) fn new(line: &str) -> Self {
        let mut folded = Self { text: String::with_capacity(line.len()), origin: Vec::with_capacity(line.len() + 1) };
        for (offset, c) in line.char_indices() {
            if is_blank(c) {
                folded.text.push(' ');
            } else if c.is_ascii() {
                folded.text.push(c.to_ascii_lowercase());
            } else {
                decompose_compatible(c, |part| folded.text.push(part.to_ascii_lowercase()));
            }
            folded.origin.resize(folded.text.len(), offset);
        }
        folded.origin.push(line.len());
        folded
    }

    /// Where the byte `at` of the folded text stands in the line; always a character boundary of the line.
    pub(crate) fn origin(&self, at: usize) -> usize {
        self.origin[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_for_matching_and_points_back() {
        let line = "Ｔime：２０１８\u{3000}㏂x";
        let folded = Folded::new(line);
        assert_eq!(folded.text, "time:2018 a.m.x");
        let colon = folded.text.find(':').expect("a colon");
        assert_eq!(&line[folded.origin(colon)..folded.origin(colon + 1)], "：");
        assert_eq!(folded.origin(folded.text.len()), line.len());
        for at in 0..=folded.text.len() {
            assert!(line.is_char_boundary(folded.origin(at)));
        }
    }
}
