//! The numbers, words and signs of a text that may hold a date.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

use crate::fold::Folded;

#[derive(Debug, PartialEq)]
pub(super) enum Kind {
    Number(u32, usize),
    /// Letters without accents, in lower case.
    Word(String),
    Sign(char),
}

pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) range: Range<usize>,
}

pub(super) fn tokens(text: &str) -> Vec<Token> {
    let folded = Folded::new(text);
    let mut tokens: Vec<Token> = Vec::new();
    let mut chars = folded.text.char_indices().filter(|(_, c)| !is_accent(*c)).peekable();
    while let Some((start, c)) = chars.next() {
        if c == ' ' {
            continue;
        }
        let mut end = start + c.len_utf8();
        let mut run = String::from(c);
        let same: fn(char) -> bool = if c.is_ascii_digit() {
            |c| c.is_ascii_digit()
        } else if is_letter(c) {
            is_letter
        } else {
            |_| false
        };
        while let Some((at, next)) = chars.next_if(|(_, next)| same(*next)) {
            run.push(next);
            end = at + next.len_utf8();
        }
        let kind = match run.parse::<u32>() {
            Ok(number) if c.is_ascii_digit() => Kind::Number(number, run.len()),
            // Folding took Korean syllables apart.
            _ if is_letter(c) => Kind::Word(run.to_lowercase().nfc().collect()),
            _ => Kind::Sign(c),
        };
        // Accents belong to the character before them.
        let end = folded.text[end..].find(|c| !is_accent(c)).map_or(folded.text.len(), |more| end + more);
        tokens.push(Token { kind, range: folded.origin(start)..folded.origin(end) });
    }
    tokens
}

fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{64b}'..='\u{65f}')
}

/// Letters that make words; an ideograph is a sign of its own.
fn is_letter(c: char) -> bool {
    c.is_alphabetic() && !crate::names::is_han(c) && !matches!(c, '\u{3040}'..='\u{30ff}')
}
