//! The words, numbers and signs of a date.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// A number of at most nine digits.
    Number(u32, &'t str),
    Word(&'t str),
    Sign(char, &'t str),
}

impl<'t> Token<'t> {
    pub(super) fn text(&self) -> &'t str {
        match self {
            Self::Number(_, text) | Self::Word(text) | Self::Sign(_, text) => text,
        }
    }
}

/// Numbers, Latin words and single signs; blanks only separate. Each ideograph is a sign.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::with_capacity(12);
    let mut rest = text.trim_start_matches(' ');
    while let Some(first) = rest.chars().next() {
        let run = |test: fn(&u8) -> bool| rest.bytes().take_while(test).count();
        let (text, token) = if first.is_ascii_digit() {
            let text = &rest[..run(u8::is_ascii_digit)];
            let number = if text.len() <= 9 { text.parse().ok() } else { None };
            (text, number.map_or(Token::Word(text), |number| Token::Number(number, text)))
        } else if first.is_ascii_alphabetic() {
            let text = &rest[..run(u8::is_ascii_alphabetic)];
            (text, Token::Word(text))
        } else {
            let text = &rest[..first.len_utf8()];
            (text, Token::Sign(first, text))
        };
        tokens.push(token);
        rest = rest[text.len()..].trim_start_matches(' ');
    }
    tokens
}

/// Reads tokens from left to right.
pub(super) struct Cursor<'t> {
    pub(super) tokens: &'t [Token<'t>],
    pub(super) at: usize,
}

impl<'t> Cursor<'t> {
    pub(super) fn peek(&self, ahead: usize) -> Option<Token<'t>> {
        self.tokens.get(self.at + ahead).copied()
    }

    pub(super) fn number(&self, ahead: usize) -> Option<(u32, &'t str)> {
        if let Some(Token::Number(number, text)) = self.peek(ahead) { Some((number, text)) } else { None }
    }

    pub(super) fn sign(&self, ahead: usize) -> Option<char> {
        if let Some(Token::Sign(sign, _)) = self.peek(ahead) { Some(sign) } else { None }
    }

    pub(super) fn word(&self, ahead: usize) -> Option<&'t str> {
        if let Some(Token::Word(word)) = self.peek(ahead) { Some(word) } else { None }
    }

    pub(super) fn takes_sign(&mut self, signs: &[char]) -> bool {
        let found = self.sign(0).is_some_and(|sign| signs.contains(&sign));
        self.at += usize::from(found);
        found
    }

    pub(super) fn takes_word(&mut self, words: &[&str]) -> bool {
        let found = self.word(0).is_some_and(|word| words.contains(&word));
        self.at += usize::from(found);
        found
    }
}
