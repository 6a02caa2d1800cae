//! Reads a selection in any spelling: `+` is all of, `,` any of, `!` not, parentheses group; `+` binds tighter.

use crate::error::{InvalidSelection, Problem};
use crate::expression::{Atom, Expression, MAX_BYTES, MAX_DEPTH};
use crate::words::folded;

const OPERATORS: [char; 5] = ['+', ',', '!', '(', ')'];

/// The section names of one path.
const MAX_SECTIONS: usize = 5;

/// # Errors
/// With what is wrong first. Time grows with the length of `text`, which is bounded before it is looked at.
pub(crate) fn parse(text: &str) -> Result<Expression, InvalidSelection> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let whole = if text.len() > MAX_BYTES { Err((0, Problem::Long)) } else { parser.whole() };
    whole.map_err(|(at, problem)| InvalidSelection {
        text: text.chars().take(100).collect(),
        at: text[..at].chars().count() + 1,
        problem,
    })
}

struct Parser<'a> {
    text: &'a str,
    /// Bytes that are read.
    at: usize,
    /// Parentheses that are open.
    depth: usize,
}

/// The byte and what is wrong there.
type Read<T> = Result<T, (usize, Problem)>;

impl Parser<'_> {
    fn whole(&mut self) -> Read<Expression> {
        let expression = self.any_of()?;
        match self.peek() {
            None => Ok(expression),
            Some(')') => Err((self.at, Problem::Close)),
            Some(_) => Err((self.at, Problem::Operator)),
        }
    }

    fn any_of(&mut self) -> Read<Expression> {
        self.group(',', Self::all_of, Expression::any_of)
    }

    fn all_of(&mut self) -> Read<Expression> {
        self.group('+', Self::one, Expression::all_of)
    }

    fn group(
        &mut self,
        operator: char,
        member: fn(&mut Self) -> Read<Expression>,
        join: fn(Vec<Expression>) -> Result<Expression, Problem>,
    ) -> Read<Expression> {
        let begin = self.at;
        let mut members = vec![member(self)?];
        while self.peek() == Some(operator) {
            self.at += 1;
            members.push(member(self)?);
        }
        join(members).map_err(|problem| (begin, problem))
    }

    /// An atom or a group in parentheses, with the negations before it.
    fn one(&mut self) -> Read<Expression> {
        self.skip_space();
        let begin = self.at;
        let mut negations = 0;
        while self.peek() == Some('!') {
            self.at += 1;
            self.skip_space();
            negations += 1;
        }
        let mut expression = if self.peek() == Some('(') { self.parentheses()? } else { self.atom()? };
        // One by one, or `!!all` would be something and `!(!all)` nothing.
        for _ in 0..negations {
            expression = Expression::not(expression).map_err(|problem| (begin, problem))?;
        }
        self.skip_space();
        Ok(expression)
    }

    fn parentheses(&mut self) -> Read<Expression> {
        let open = self.at;
        if self.depth == MAX_DEPTH {
            return Err((open, Problem::Deep));
        }
        (self.at, self.depth) = (open + 1, self.depth + 1);
        let expression = self.any_of()?;
        self.depth -= 1;
        match self.peek() {
            Some(')') => self.at += 1,
            None => return Err((open, Problem::Open)),
            Some(_) => return Err((self.at, Problem::Operator)),
        }
        Ok(expression)
    }

    fn atom(&mut self) -> Read<Expression> {
        let begin = self.at;
        let rest = &self.text[begin..];
        let text = &rest[..rest.find(OPERATORS).unwrap_or(rest.len())];
        self.at += text.len();
        atom(text.trim()).map(Expression::Atom).map_err(|problem| (begin, problem))
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn skip_space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }
}

fn atom(text: &str) -> Result<Atom, Problem> {
    match text.split_once('/') {
        None if text.is_empty() => Err(Problem::Missing),
        None if text == "all" => Ok(Atom::Everything),
        None if text == "test" => Ok(Atom::Test),
        Some(("section", path)) => section(path),
        Some(("publisher", name)) => name.parse().map(Atom::Publisher).map_err(|_| Problem::Publisher),
        Some(("keyword" | "source", name)) if name.contains('/') => Err(Problem::Name),
        Some(("keyword", name)) => Atom::keyword(name).ok_or(Problem::Name),
        Some(("source", name)) => Atom::source(name).ok_or(Problem::Name),
        Some(("language", tag)) => Atom::language(tag).ok_or(Problem::Language),
        Some(("subject", path)) => {
            let (scheme, code) = path.split_once('/').ok_or(Problem::Subject)?;
            Atom::subject(scheme, code).ok_or(Problem::Subject)
        }
        Some(("urgency", digit)) => match digit.as_bytes() {
            [digit @ b'1'..=b'9'] => Ok(Atom::Urgency(digit - b'0')),
            _ => Err(Problem::Urgency),
        },
        Some(("text", words)) => {
            let words = folded(words);
            if words.is_empty() { Err(Problem::Name) } else { Ok(Atom::Text(words.into())) }
        }
        Some(("story", id)) => id.parse().map(Atom::Story).map_err(|_| Problem::Story),
        _ => Err(Problem::Kind),
    }
}

fn section(path: &str) -> Result<Atom, Problem> {
    let names: Vec<&str> = path.split('/').collect();
    if names.len() > MAX_SECTIONS || names.iter().any(|name| name.trim().is_empty()) {
        return Err(Problem::Section);
    }
    let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
    Ok(Atom::section(&names))
}
