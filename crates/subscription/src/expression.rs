//! An expression over the facts of an article, kept in one form however it was written.

use std::fmt;

use article::{ArticleId, PublisherId, section_slug, slug};

use crate::error::Problem;

/// Atoms of one expression.
pub(crate) const MAX_ATOMS: usize = 32;
/// Parentheses within each other.
pub(crate) const MAX_DEPTH: usize = 8;
/// Bytes of the text form: with what a site puts around it, an address that every proxy and browser takes.
pub(crate) const MAX_BYTES: usize = 2048;

/// One thing to be known of an article. Values are slugs (letters, digits and marks of any script, hyphens), so that no
/// operator occurs in one.
///
/// The order of the kinds is the order of the canonical form: it never changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Atom {
    Everything,
    /// Rehearsals, marked so when they were made. They are in no other selection, and nobody can subscribe to them.
    Test,
    /// Slugs from the outermost section in, 1 to 5, with `/` between; what is in the sections below it belongs to it too.
    Section(Box<str>),
    Publisher(PublisherId),
    Keyword(Box<str>),
    Source(Box<str>),
    /// A language tag in lower case; tags that go on after it (`zh` and `zh-hans`) match too.
    Language(Box<str>),
    /// Scheme and code with `/` between.
    Subject(Box<str>),
    /// This urgency (1–9) or a more urgent one, which is a lower number.
    Urgency(u8),
    /// Words that stand one after the other in the headline, the summary or the body, with `-` between.
    Text(Box<str>),
    /// One article and what becomes of it. It stands alone, as whoever follows a story asks for nothing else by it.
    Story(ArticleId),
}

impl Atom {
    /// The section with these names from the outermost in.
    pub fn section(names: &[String]) -> Self {
        Self::Section(section_slug(names).into())
    }

    /// `None` without any letter or digit.
    pub fn keyword(name: &str) -> Option<Self> {
        slugged(name).map(Self::Keyword)
    }

    /// `None` without any letter or digit.
    pub fn source(name: &str) -> Option<Self> {
        slugged(name).map(Self::Source)
    }

    /// `None` when either has no letter or digit.
    pub fn subject(scheme: &str, code: &str) -> Option<Self> {
        Some(Self::Subject(format!("{}/{}", slugged(scheme)?, slugged(code)?).into()))
    }

    /// `None` for what is no language tag.
    pub fn language(tag: &str) -> Option<Self> {
        let parts = tag.split('-').all(|part| (1..=8).contains(&part.len()));
        let plain = tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        (plain && parts && tag.len() <= 64).then(|| Self::Language(tag.to_ascii_lowercase().into()))
    }
}

fn slugged(name: &str) -> Option<Box<str>> {
    Some(slug(name)).filter(|slug| slug != "-").map(String::into)
}

/// What a selection is made of. Made by [`crate::Selection`] alone, so always in canonical form: no group of fewer than
/// two, no group directly in one of its own kind, members sorted and each once, no negation of a negation.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Expression {
    Atom(Atom),
    AllOf(Box<[Expression]>),
    AnyOf(Box<[Expression]>),
    Not(Box<Expression>),
}

impl Expression {
    pub(crate) const EVERYTHING: Self = Self::Atom(Atom::Everything);
    const TEST: Self = Self::Atom(Atom::Test);

    pub(crate) fn all_of(children: Vec<Self>) -> Result<Self, Problem> {
        let mut children = flat(children, |child| match child {
            Self::AllOf(inner) => Ok(inner),
            other => Err(other),
        })?;
        children.retain(|child| *child != Self::EVERYTHING);
        if has_opposites(&children) || has_excluded(&children) {
            return Err(Problem::Nothing);
        }
        Ok(match children.len() {
            0 => Self::EVERYTHING,
            1 => children.remove(0),
            _ => Self::AllOf(children.into()),
        })
    }

    pub(crate) fn any_of(children: Vec<Self>) -> Result<Self, Problem> {
        let mut children = flat(children, |child| match child {
            Self::AnyOf(inner) => Ok(inner),
            other => Err(other),
        })?;
        if children.contains(&Self::EVERYTHING) || has_opposites(&children) {
            return Ok(Self::EVERYTHING);
        }
        Ok(match children.len() {
            0 => return Err(Problem::Nothing),
            1 => children.remove(0),
            _ => Self::AnyOf(children.into()),
        })
    }

    pub(crate) fn not(child: Self) -> Result<Self, Problem> {
        match child {
            Self::EVERYTHING => Err(Problem::Nothing),
            Self::TEST => Err(Problem::Test),
            Self::Atom(Atom::Story(_)) => Err(Problem::Story),
            Self::Not(inner) => Ok(*inner),
            other => Ok(Self::Not(Box::new(other))),
        }
    }

    /// Every atom, wherever it stands.
    pub fn atoms(&self) -> impl Iterator<Item = &Atom> {
        let mut left = vec![self];
        std::iter::from_fn(move || {
            loop {
                match left.pop()? {
                    Self::Atom(atom) => return Some(atom),
                    Self::AllOf(children) | Self::AnyOf(children) => left.extend(children.iter().rev()),
                    Self::Not(child) => left.push(child),
                }
            }
        })
    }

    /// Parentheses within each other in the text form.
    pub(crate) fn depth(&self) -> usize {
        match self {
            Self::Atom(_) => 0,
            Self::AllOf(children) => {
                let depth = |child: &Self| child.depth() + usize::from(matches!(child, Self::AnyOf(_)));
                children.iter().map(depth).max().unwrap_or_default()
            }
            Self::AnyOf(children) => children.iter().map(Self::depth).max().unwrap_or_default(),
            Self::Not(child) => child.depth() + usize::from(!matches!(**child, Self::Atom(_))),
        }
    }
}

/// The members of a group and of those of its kind in it, sorted, each once.
fn flat(
    children: Vec<Expression>,
    open: impl Fn(Expression) -> Result<Box<[Expression]>, Expression>,
) -> Result<Vec<Expression>, Problem> {
    let mut flat = Vec::with_capacity(children.len());
    for child in children {
        match open(child) {
            Ok(inner) => flat.extend(inner),
            Err(other) => flat.push(other),
        }
    }
    flat.sort_unstable();
    flat.dedup();
    if flat.len() > 1 && flat.contains(&Expression::TEST) {
        return Err(Problem::Test);
    }
    let story = |child: &Expression| matches!(child, Expression::Atom(Atom::Story(_)));
    if flat.len() > 1 && flat.iter().any(story) { Err(Problem::Story) } else { Ok(flat) }
}

/// Whether something stands beside its own negation.
fn has_opposites(sorted: &[Expression]) -> bool {
    sorted.iter().any(|child| matches!(child, Expression::Not(inner) if sorted.binary_search(inner).is_ok()))
}

/// Whether two are never true of one article, which has one publisher, one section and one language.
fn has_excluded(sorted: &[Expression]) -> bool {
    // Kinds stand together, what is above before what is below; so where any two differ, two neighbours do.
    sorted.windows(2).any(|pair| match pair {
        [Expression::Atom(a), Expression::Atom(b)] => match (a, b) {
            (Atom::Publisher(_), Atom::Publisher(_)) => true,
            (Atom::Section(a), Atom::Section(b)) => !is_under(b, a, '/'),
            (Atom::Language(a), Atom::Language(b)) => !is_under(b, a, '-'),
            _ => false,
        },
        _ => false,
    })
}

/// Whether `name` is `above` or one below it.
pub(crate) fn is_under(name: &str, above: &str, separator: char) -> bool {
    name.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with(separator))
}

impl fmt::Display for Atom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everything => f.write_str("all"),
            Self::Test => f.write_str("test"),
            Self::Section(path) => write!(f, "section/{path}"),
            Self::Publisher(publisher) => write!(f, "publisher/{publisher}"),
            Self::Keyword(slug) => write!(f, "keyword/{slug}"),
            Self::Source(slug) => write!(f, "source/{slug}"),
            Self::Language(tag) => write!(f, "language/{tag}"),
            Self::Subject(path) => write!(f, "subject/{path}"),
            Self::Urgency(urgency) => write!(f, "urgency/{urgency}"),
            Self::Text(words) => write!(f, "text/{words}"),
            Self::Story(article) => write!(f, "story/{}", article.token()),
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Atom(atom) => atom.fmt(f),
            Self::AllOf(children) => {
                for (n, child) in children.iter().enumerate() {
                    f.write_str(if n > 0 { "+" } else { "" })?;
                    match child {
                        Self::AnyOf(_) => write!(f, "({child})")?,
                        _ => child.fmt(f)?,
                    }
                }
                Ok(())
            }
            Self::AnyOf(children) => {
                for (n, child) in children.iter().enumerate() {
                    f.write_str(if n > 0 { "," } else { "" })?;
                    child.fmt(f)?;
                }
                Ok(())
            }
            Self::Not(child) => match **child {
                Self::Atom(_) => write!(f, "!{child}"),
                _ => write!(f, "!({child})"),
            },
        }
    }
}
