//! A selection of the news: an expression with its canonical text.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use article::{Article, ArticleId, PublisherId};
use serde::{Deserialize, Serialize};

use crate::error::{InvalidSelection, Problem};
use crate::expression::{Atom, Expression, MAX_ATOMS, MAX_BYTES, MAX_DEPTH};
use crate::features::Features;
use crate::parse::parse;

/// A part of the news that can be read as a feed and subscribed to by email.
///
/// Its text form is canonical, stable for ever and a URL path: `all`, `section/world/asia`, `section/world+!keyword/sport`.
/// However it was written, one selection has one text; it is known by that, and cheap to copy.
#[derive(Clone)]
pub struct Selection(Arc<Inner>);

struct Inner {
    text: Box<str>,
    expression: Expression,
}

impl Selection {
    pub fn everything() -> Self {
        Self::unbounded(Expression::EVERYTHING)
    }

    /// The rehearsals.
    pub fn test() -> Self {
        Self::unbounded(Expression::Atom(Atom::Test))
    }

    /// # Errors
    /// When its name is too long to be written down.
    pub fn atom(atom: Atom) -> Result<Self, Problem> {
        Self::new(Expression::Atom(atom))
    }

    pub fn publisher(publisher: PublisherId) -> Self {
        Self::unbounded(Expression::Atom(Atom::Publisher(publisher)))
    }

    /// The selections an article names: everything, its publisher, its section and each section above that; a test
    /// article the tests alone.
    pub fn of(article: &Article) -> Vec<Self> {
        if article.test {
            return vec![Self::test()];
        }
        let mut named = vec![Self::everything(), Self::publisher(article.publisher.clone())];
        // A section of a newer version's log that is too deep for an address has none.
        let sections = (1..=article.section.len()).map(|depth| Atom::section(&article.section[..depth]));
        named.extend(sections.filter_map(|section| Self::atom(section).ok()));
        named
    }

    /// Every selection of one atom that `article` is in, but for those of its text and its story: what
    /// [`Selection::of`] names first, then keywords, sources, subjects, its language and those above, and its urgency.
    pub fn naming(article: &Article) -> Vec<Self> {
        let mut named = Self::of(article);
        if !article.test {
            let features = Features::of(article);
            named.extend(features.named().into_iter().filter_map(|atom| Self::atom(atom).ok()));
        }
        named
    }

    /// What is in all of `parts`; everything when there are none.
    ///
    /// # Errors
    /// When that is nothing, or too much to be written down.
    pub fn all_of(parts: impl IntoIterator<Item = Self>) -> Result<Self, Problem> {
        let parts = parts.into_iter().map(|part| part.0.expression.clone()).collect();
        Expression::all_of(parts).and_then(Self::new)
    }

    /// What is in any of `parts`.
    ///
    /// # Errors
    /// When there are none, or too many to be written down.
    pub fn any_of(parts: impl IntoIterator<Item = Self>) -> Result<Self, Problem> {
        let parts = parts.into_iter().map(|part| part.0.expression.clone()).collect();
        Expression::any_of(parts).and_then(Self::new)
    }

    /// All news but this.
    ///
    /// # Errors
    /// When this is everything, or the tests.
    pub fn not(&self) -> Result<Self, Problem> {
        Expression::not(self.0.expression.clone()).and_then(Self::new)
    }

    /// # Errors
    /// When it has more atoms, depth or bytes than a selection may have.
    fn new(expression: Expression) -> Result<Self, Problem> {
        if expression.atoms().nth(MAX_ATOMS).is_some() {
            return Err(Problem::Many);
        }
        if expression.depth() > MAX_DEPTH {
            return Err(Problem::Deep);
        }
        let selection = Self::unbounded(expression);
        if selection.as_str().len() > MAX_BYTES { Err(Problem::Long) } else { Ok(selection) }
    }

    /// Of an expression that is known to be within the bounds.
    fn unbounded(expression: Expression) -> Self {
        Self(Arc::new(Inner { text: expression.to_string().into(), expression }))
    }

    /// What it is made of, in canonical form.
    pub fn parts(&self) -> &Expression {
        &self.0.expression
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    pub fn is_everything(&self) -> bool {
        self.0.expression == Expression::EVERYTHING
    }

    pub fn is_test(&self) -> bool {
        self.0.expression == Expression::Atom(Atom::Test)
    }

    /// One story and what becomes of it.
    pub fn following(article: ArticleId) -> Self {
        Self::unbounded(Expression::Atom(Atom::Story(article)))
    }

    /// The article it follows, if it follows one.
    pub fn story(&self) -> Option<ArticleId> {
        match self.0.expression {
            Expression::Atom(Atom::Story(article)) => Some(article),
            _ => None,
        }
    }

    /// Whether an article with these features is in it. A test article is in the tests alone.
    pub fn matches(&self, features: &Features) -> bool {
        features.is_test() == self.is_test() && holds(&self.0.expression, features)
    }

    /// How much is asked of an article that matches: what is narrower asks more. 0 is everything.
    pub fn narrowness(&self) -> u32 {
        fn of(expression: &Expression) -> u32 {
            match expression {
                Expression::Atom(Atom::Everything | Atom::Test) => 0,
                // Of the sections above each other the innermost, and any of them before a whole publisher.
                Expression::Atom(Atom::Section(path)) => 4 + u32::try_from(path.split('/').count()).unwrap_or(u32::MAX),
                Expression::Atom(Atom::Language(_)) => 2,
                Expression::Atom(Atom::Publisher(_)) => 4,
                Expression::Atom(Atom::Urgency(most)) => 10 - u32::from(*most),
                Expression::Atom(Atom::Source(_)) => 10,
                Expression::Atom(Atom::Keyword(_) | Atom::Subject(_)) => 12,
                Expression::Atom(Atom::Text(_)) => 14,
                // It stands alone, and whoever follows a story has asked for nothing but that.
                Expression::Atom(Atom::Story(_)) => u32::MAX,
                Expression::AllOf(parts) => parts.iter().map(of).sum(),
                Expression::AnyOf(parts) => parts.iter().map(of).min().unwrap_or_default(),
                Expression::Not(_) => 1,
            }
        }
        of(&self.0.expression)
    }
}

fn holds(expression: &Expression, features: &Features) -> bool {
    match expression {
        Expression::Atom(atom) => features.has(atom),
        Expression::AllOf(parts) => parts.iter().all(|part| holds(part, features)),
        Expression::AnyOf(parts) => parts.iter().any(|part| holds(part, features)),
        Expression::Not(part) => !holds(part, features),
    }
}

impl FromStr for Selection {
    type Err = InvalidSelection;

    /// Reads any spelling; names are slugged, so that `section/World` and `section/world` are one.
    fn from_str(text: &str) -> Result<Self, InvalidSelection> {
        let bounded = parse(text).map(Self::new)?;
        bounded.map_err(|problem| InvalidSelection { text: text.chars().take(100).collect(), at: 1, problem })
    }
}

impl PartialEq for Selection {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.text == other.0.text
    }
}

impl Eq for Selection {}

impl Hash for Selection {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.text.hash(state);
    }
}

impl PartialOrd for Selection {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Selection {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.text.cmp(&other.0.text)
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Selection({})", self.as_str())
    }
}

impl Serialize for Selection {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Selection {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
